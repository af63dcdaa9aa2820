//! Structural similarity of two pictures: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
//! similarity", IEEE Transactions on Image Processing 13 (4), 2004.
//!
//! Luma, a Gaussian window of 11 x 11 pixels with a standard deviation of 1.5, K1 = 0.01, K2 = 0.03 and the mean over all windows that lie in
//! the picture, as in the authors' own program. scikit-image's `structural_similarity` gives the same values with `gaussian_weights=True,
//! sigma=1.5, use_sample_covariance=False, data_range=255`.

use image::RgbImage;
use rayon::prelude::*;

const RADIUS: usize = 5;
const SIGMA: f64 = 1.5;
/// Edge of the smallest picture that has a value.
pub const SMALLEST: u32 = 2 * RADIUS as u32 + 1;
const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);

/// Luma of a picture, 0 to 255, by the weights of ITU-R BT.601, rows from the top.
pub fn luma(picture: &RgbImage) -> Vec<f64> {
    picture.pixels().map(|pixel| 0.299 * f64::from(pixel[0]) + 0.587 * f64::from(pixel[1]) + 0.114 * f64::from(pixel[2])).collect()
}

/// Mean structural similarity of two pictures of one size: 1 for equal ones. `None` where the sizes differ or an edge is shorter than
/// [`SMALLEST`].
pub fn ssim(a: &RgbImage, b: &RgbImage) -> Option<f64> {
    (a.dimensions() == b.dimensions()).then(|| luma_ssim(&luma(a), &luma(b), a.width() as usize)).flatten()
}

/// The same for values of 0 to 255 in rows of `width`.
pub fn luma_ssim(a: &[f64], b: &[f64], width: usize) -> Option<f64> {
    let smallest = SMALLEST as usize;
    if width < smallest || a.len() != b.len() || a.len() / width < smallest {
        return None;
    }
    let product = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x * y).collect() };
    let planes = [a.to_vec(), b.to_vec(), product(a, a), product(b, b), product(a, b)];
    let [mean_a, mean_b, square_a, square_b, both] = &planes.map(|plane| blurred(&plane, width));
    let sum: f64 = (0..mean_a.len())
        .map(|i| {
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let (variance_a, variance_b, covariance) = (square_a[i] - ma * ma, square_b[i] - mb * mb, both[i] - ma * mb);
            (2.0 * ma * mb + C1) * (2.0 * covariance + C2) / ((ma * ma + mb * mb + C1) * (variance_a + variance_b + C2))
        })
        .sum();
    Some(sum / mean_a.len() as f64)
}

/// The weighted mean in each window that lies in the picture.
fn blurred(plane: &[f64], width: usize) -> Vec<f64> {
    let weights = weights();
    let inner = width - 2 * RADIUS;
    let rows: Vec<f64> = plane
        .par_chunks_exact(width)
        .flat_map_iter(|row| (0..inner).map(move |x| weights.iter().zip(&row[x..]).map(|(weight, value)| weight * value).sum::<f64>()))
        .collect();
    let height = plane.len() / width;
    (0..(height - 2 * RADIUS) * inner)
        .into_par_iter()
        .map(|i| weights.iter().enumerate().map(|(step, weight)| weight * rows[i + step * inner]).sum())
        .collect()
}

fn weights() -> [f64; 2 * RADIUS + 1] {
    let raw: [f64; 2 * RADIUS + 1] = std::array::from_fn(|i| {
        let x = i as f64 - RADIUS as f64;
        (-x * x / (2.0 * SIGMA * SIGMA)).exp()
    });
    let sum: f64 = raw.iter().sum();
    raw.map(|weight| weight / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 48;
    const HEIGHT: usize = 37;

    fn values(of: impl Fn(usize, usize) -> usize) -> Vec<f64> {
        (0..WIDTH * HEIGHT).map(|i| of(i % WIDTH, i / WIDTH) as f64).collect()
    }

    fn pattern(x: usize, y: usize) -> usize {
        x * 7 + y * 13 + (x * y) % 17 * 5
    }

    #[test]
    fn the_values_of_scikit_image() {
        // Computed by scikit-image 0.26 with the options named above.
        let a = values(|x, y| pattern(x, y) % 256);
        let b = values(|x, y| (pattern(x, y) + (x * 31 + y * 17) % 23) % 256);
        let ramp = values(|x, _| x * 4);
        let weak_ramp: Vec<f64> = ramp.iter().map(|value| value * 0.5 + 40.0).collect();
        for (name, one, other, expected) in [
            ("patterns", &a, &b, 0.753_402_843_873_168_1),
            ("plain", &vec![90.0; WIDTH * HEIGHT], &vec![110.0; WIDTH * HEIGHT], 0.980_204_392_125_752_3),
            ("ramps", &ramp, &weak_ramp, 0.873_088_034_230_107_3),
            ("unlike", &a, &ramp, 0.058_949_684_483_368_74),
        ] {
            let value = luma_ssim(one, other, WIDTH).unwrap();
            assert!((value - expected).abs() < 1e-9, "{name}: {value}, expected {expected}");
            assert!((luma_ssim(other, one, WIDTH).unwrap() - value).abs() < 1e-12);
        }
        assert!((luma_ssim(&a, &a, WIDTH).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn pictures_of_other_sizes_have_none() {
        let picture = RgbImage::new(20, 12);
        assert_eq!(ssim(&picture, &picture), Some(1.0));
        assert_eq!(ssim(&picture, &RgbImage::new(12, 20)), None);
        assert_eq!(ssim(&RgbImage::new(10, 20), &RgbImage::new(10, 20)), None);
    }

    #[test]
    fn luma_of_the_primary_colours() {
        let picture = RgbImage::from_raw(3, 1, vec![255, 0, 0, 0, 255, 0, 255, 255, 255]).unwrap();
        let luma = luma(&picture);
        assert!((luma[0] - 76.245).abs() < 1e-9 && (luma[1] - 149.685).abs() < 1e-9 && (luma[2] - 255.0).abs() < 1e-9);
    }
}
