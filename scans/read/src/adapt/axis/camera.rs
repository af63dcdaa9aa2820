//! Recognizing a single view of a depth camera, whose coordinates are the camera's.

use glam::DVec3;

/// A camera looks along an axis from the origin; this is the most that it sees to each side. Depth cameras have up to 45 degrees.
const MOST_DEGREES: f64 = 48.0;
/// The least: what is seen under a smaller angle is a scan far from the origin.
const LEAST_DEGREES: f64 = 12.0;
/// The nearest point by the farthest, at most: a camera stands in what it sees.
const NEAREST: f64 = 0.6;
/// Width by height of a picture: 4:3, 16:9 and more. Less is a square one, or a scan of something else.
const WIDE: f64 = 1.12;
/// Share of points left out at each end.
const OUTERMOST: f64 = 0.002;
/// How much farther the view may reach to one side of the axis than to the other.
const LOPSIDED_DEGREES: f64 = 12.0;

/// A view of a camera that was held level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    /// The axis along the picture's shorter side.
    pub(super) vertical: usize,
    /// Angle of view along the longer side.
    pub(super) wide_degrees: f64,
    /// Angle of view along the shorter side.
    pub(super) high_degrees: f64,
}

/// The view that the points are; `None` where they are none.
pub(super) fn view(points: &[DVec3]) -> Option<View> {
    (0..3).find_map(|forward| {
        let depths = range(points.iter().map(|point| point[forward]))?;
        let [near, far] = if depths[0] > 0.0 { depths } else { [-depths[1], -depths[0]] };
        if near <= 0.0 || near > NEAREST * far {
            return None;
        }
        let sides = [(forward + 1) % 3, (forward + 2) % 3];
        let mut angles = [0.0; 2];
        for (angle, side) in angles.iter_mut().zip(sides) {
            let [left, right] = range(points.iter().map(|point| point[side].atan2(point[forward].abs()).to_degrees()))?;
            let is_view = -left <= MOST_DEGREES && right <= MOST_DEGREES && (left + right).abs() <= LOPSIDED_DEGREES;
            *angle = if is_view { right - left } else { 0.0 };
        }
        let (wide, high) = if angles[0] > angles[1] { (0, 1) } else { (1, 0) };
        let is_picture = angles[high] >= 2.0 * LEAST_DEGREES && angles[wide] >= WIDE * angles[high];
        is_picture.then(|| View { vertical: sides[high], wide_degrees: angles[wide], high_degrees: angles[high] })
    })
}

/// The smallest and the largest value without the outermost ones.
fn range(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let mut values: Vec<f64> = values.collect();
    let last = values.len().checked_sub(1)?;
    let left_out = (last as f64 * OUTERMOST).round() as usize;
    let low = *values.select_nth_unstable_by(left_out, f64::total_cmp).1;
    let high = *values.select_nth_unstable_by(last - left_out, f64::total_cmp).1;
    Some([low, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall and a floor, 57 by 43 degrees, y down and z forward.
    fn picture() -> Vec<DVec3> {
        let mut points = Vec::new();
        for row in 0..48 {
            for column in 0..64 {
                let ray = DVec3::new((f64::from(column) - 31.5) / 58.0, (f64::from(row) - 23.5) / 58.0, 1.0);
                points.push(ray * if ray.y > 0.2 { 1.0 / ray.y } else { 5.0 });
            }
        }
        points
    }

    #[test]
    fn the_shorter_side_of_a_view_is_the_vertical() {
        assert_eq!(view(&picture()).map(|view| view.vertical), Some(1));
        let turned: Vec<DVec3> = picture().iter().map(|p| DVec3::new(p.z, -p.x, -p.y)).collect();
        assert_eq!(view(&turned).map(|view| view.vertical), Some(2));
    }

    #[test]
    fn what_lies_around_the_origin_or_far_from_it_is_no_view() {
        let around: Vec<DVec3> = picture().iter().map(|p| *p - DVec3::Z * 3.0).collect();
        assert_eq!(view(&around), None);
        let far: Vec<DVec3> = picture().iter().map(|p| *p + DVec3::new(500.0, 800.0, 0.0)).collect();
        assert_eq!(view(&far), None);
        assert_eq!(view(&[]), None);
    }
}
