//! The quality of a scan as a measurement: how much it covers, how dense and how noisy it is.
//!
//! - **Coverage** is the area seen from above: the plan is cut into square cells of 0.25 m, and those with a point count. Where the points at hand
//!   are too few for such cells (fewer than [`PER_CELL`] in one on average), cells are doubled until they are not. Storeys above one another
//!   count once; a cell at an edge counts whole, which adds about half a cell along the outline.
//! - **Density, spacing and noise** are taken at places spread over the scan, from patches in which every point of the scan is at hand. Around a
//!   place, the nearest points are gathered, at least [`NEAREST`] and those within 5 cm, and a plane is fitted (the eigenvectors of their
//!   covariance). Where they do not form a plane, four times less thick than wide, the circle is doubled up to 0.8 m; places that still do not are
//!   left out.
//!   - **Noise** is the standard deviation of the points from that plane: the median over the places. It holds what the scanner's noise and
//!     the joining of setups do to a wall; the roughness of the surface itself is in it too. It says nothing on errors larger than the circle.
//!   - **Density** is the number of points on a square metre of such surfaces, from those in the circle; places are chosen so that dense parts have as many as sparse ones of the same number of points, so that the percentiles are by points, not by area.
//!   - **Spacing** is the edge of the square that one point has at the median density.
//!
//! The same points in the same order give the same figures.

use std::f64::consts::PI;

use glam::{DMat3, DVec3};
use parterre_model::eigen::symmetric_eigen;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::point::ColoredPoint;

/// Points that tell the density around a place.
pub const NEAREST: usize = 24;
/// Points wanted in a cell of the coverage.
pub const PER_CELL: f64 = 6.0;
/// Places looked at in each patch.
const PLACES: usize = 32;
/// A plane is fitted to at most so many points.
const FITTED: usize = 256;
/// Smallest and largest radius of a fitted plane.
const RADII_M: [f64; 2] = [0.05, 0.8];
/// Thickness of a plane by its width, as standard deviations.
const FLAT: f64 = 0.25;

/// The figures of a scan. A figure is `None` where it could not be measured: no place had a plane around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Area seen from above, square metres.
    pub coverage_m2: f64,
    /// Edge of the cells that the coverage was counted in, metres.
    pub coverage_cell_m: f64,
    /// Distance of neighbouring points on a surface, metres.
    pub point_spacing_m: Option<f64>,
    /// Points on a square metre of surface: the 5th, 50th and 95th percentile.
    pub density_per_m2: Option<[f64; 3]>,
    /// Standard deviation of the points from the plane around them, metres: the median.
    pub noise_m: Option<f64>,
    /// The quartiles beside that median, metres.
    pub noise_quartiles_m: Option<[f64; 2]>,
    /// Places that gave density and noise.
    pub survey_places: u64,
}

/// Takes the figures.
///
/// `overview` is an even selection of the points of the whole scan, in metres; `places` are those of all patches, see [`places`].
pub fn survey(overview: &[ColoredPoint], places: &[Place]) -> Survey {
    let (coverage_m2, coverage_cell_m) = coverage(overview);
    let mut densities: Vec<f64> = places.iter().map(|place| place.density).collect();
    let mut noises: Vec<f64> = places.iter().map(|place| place.noise).collect();
    densities.sort_unstable_by(f64::total_cmp);
    noises.sort_unstable_by(f64::total_cmp);
    let at = |sorted: &[f64], share: f64| sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1))).copied();
    let all = |sorted: &[f64], shares: [f64; 3]| {
        let [low, middle, high] = shares.map(|share| at(sorted, share));
        Some([low?, middle?, high?])
    };
    let noise = all(&noises, [0.25, 0.5, 0.75]);
    Survey {
        coverage_m2,
        coverage_cell_m,
        point_spacing_m: at(&densities, 0.5).map(|density| density.recip().sqrt()),
        density_per_m2: all(&densities, [0.05, 0.5, 0.95]),
        noise_m: noise.map(|noise| noise[1]),
        noise_quartiles_m: noise.map(|noise| [noise[0], noise[2]]),
        survey_places: places.len() as u64,
    }
}

/// Area of the cells with points, and their edge.
fn coverage(points: &[ColoredPoint]) -> (f64, f64) {
    const SMALLEST_M: f64 = 0.25;
    const LARGEST_M: f64 = 64.0;
    let positions = || points.iter().map(|point| point.position).filter(|position| position.is_finite());
    let low = positions().fold(DVec3::INFINITY, DVec3::min);
    let mut edge = SMALLEST_M;
    let cell = |position: DVec3, edge: f64| ((position - low) / edge).truncate().to_array().map(|value| value as u64);
    let mut cells: Vec<u64> = positions().map(|position| cell(position, edge)).map(|[x, y]| (x << 32) | (y & 0xffff_ffff)).collect();
    let count = cells.len() as f64;
    cells.par_sort_unstable();
    cells.dedup();
    while edge < LARGEST_M && !cells.is_empty() && count < PER_CELL * cells.len() as f64 {
        edge *= 2.0;
        for cell in &mut cells {
            *cell = ((*cell >> 33) << 32) | ((*cell & 0xffff_ffff) >> 1);
        }
        cells.par_sort_unstable();
        cells.dedup();
    }
    (cells.len() as f64 * edge * edge, edge)
}

/// Density and noise at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    density: f64,
    noise: f64,
}

/// Measures density and noise at up to [`PLACES`] places of a patch: every point of the scan in some box, in metres. The places are spread evenly over the
/// list of points; those without a plane around them are left out.
pub fn places(patch: &[DVec3]) -> Vec<Place> {
    let step = patch.len().div_ceil(PLACES).max(1);
    let mut near = Vec::with_capacity(patch.len());
    (0..patch.len()).step_by(step).filter_map(|seed| place(patch, patch[seed], &mut near)).collect()
}

fn place(patch: &[DVec3], middle: DVec3, near: &mut Vec<(f64, u32)>) -> Option<Place> {
    near.clear();
    near.extend(
        patch.iter().map(|point| point.distance_squared(middle)).zip(0..).filter(|&(distance, _)| distance <= RADII_M[1] * RADII_M[1]),
    );
    if near.len() <= NEAREST {
        return None;
    }
    // The place itself is the nearest of all.
    let nearest = near.iter().map(|&(distance, _)| distance).collect::<Vec<_>>().select_nth_unstable_by(NEAREST, f64::total_cmp).1.sqrt();
    let mut radius = nearest.max(RADII_M[0]);
    while radius <= RADII_M[1] {
        let within = || near.iter().filter(|&&(distance, _)| distance <= radius * radius).map(|&(_, index)| patch[index as usize]);
        let count = within().count();
        let step = count.div_ceil(FITTED).max(1);
        if let Some(noise) = plane(&within().step_by(step).collect::<Vec<_>>()) {
            // The place itself does not count; what both ends are off the plane is no part of the distance along it.
            let square = (radius * radius - 2.0 * noise * noise).max(radius * radius * 0.25);
            return Some(Place { density: (count - 1) as f64 / (PI * square), noise });
        }
        radius *= 2.0;
    }
    None
}

/// Standard deviation of points from their plane; `None` where they form none.
fn plane(points: &[DVec3]) -> Option<f64> {
    if points.len() < 8 {
        return None;
    }
    let count = points.len() as f64;
    let mean = points.iter().fold(DVec3::ZERO, |sum, &point| sum + (point - points[0])) / count + points[0];
    let mut covariance = DMat3::ZERO;
    for &point in points {
        let d = point - mean;
        covariance += DMat3::from_cols(d * d.x, d * d.y, d * d.z);
    }
    // Three degrees of freedom went into the plane.
    let ([thin, narrow, wide], _) = symmetric_eigen(covariance * (1.0 / (count - 3.0)));
    // A line has no plane.
    let is_plane = thin <= narrow * FLAT * FLAT && narrow >= wide * 0.02 && narrow > 0.0;
    is_plane.then(|| thin.max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_no_plane() {
        let line: Vec<DVec3> = (0..100).map(|i| DVec3::X * f64::from(i) * 0.01).collect();
        assert_eq!(plane(&line), None);
        let cube: Vec<DVec3> = (0..125).map(|i| DVec3::new(f64::from(i % 5), f64::from(i / 5 % 5), f64::from(i / 25))).collect();
        assert_eq!(plane(&cube), None);
        let square: Vec<DVec3> = (0..100).map(|i| DVec3::new(f64::from(i % 10), f64::from(i / 10), 0.0)).collect();
        assert_eq!(plane(&square), Some(0.0));
    }
}
