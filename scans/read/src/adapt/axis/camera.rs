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

/// Points in a cell of the picture, on average.
const IN_CELL: usize = 16;
/// Depths up to this ratio are one surface: a floor seen at 10 degrees, in a cell of 1 degree, has 1.1.
const ONE_DEPTH: f64 = 1.25;
/// Share of the cells that have one depth; the others are those at the outlines of things.
const SINGLE: f64 = 0.8;
/// Ratio of the depths along the picture's border.
const BORDER: f64 = 1.25;

/// A view of a camera that was held level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    /// The axis that the camera looks along.
    pub(super) forward: usize,
    /// Distance of the nearest points along that axis.
    pub(super) nearest: f64,
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
        (is_picture && is_range_image(points, forward, sides)).then(|| View {
            forward,
            nearest: near,
            vertical: sides[high],
            wide_degrees: angles[wide],
            high_degrees: angles[high],
        })
    })
}

/// Whether the points are what one camera sees: one depth in nearly each direction, and at the border of the picture other depths here than
/// there. In a scan of a whole room, from elsewhere, there are a floor and a ceiling or two walls in one direction; and the border, as seen
/// from the origin, is the end of the room that is nearest to it, at one depth.
fn is_range_image(points: &[DVec3], forward: usize, sides: [usize; 2]) -> bool {
    let slopes = |point: &DVec3| sides.map(|side| point[side] / point[forward].abs());
    let [Some(x), Some(y)] = [0, 1].map(|side| range(points.iter().map(|point| slopes(point)[side]))) else { return false };
    let cells = ((points.len() / IN_CELL) as f64).sqrt().clamp(8.0, 64.0) as usize;
    let mut depths = vec![Vec::new(); cells * cells];
    for point in points {
        let [u, v] = slopes(point);
        let cell = |value: f64, [low, high]: [f64; 2]| (((value - low) / (high - low) * cells as f64).max(0.0) as usize).min(cells - 1);
        depths[cell(v, y) * cells + cell(u, x)].push(point[forward].abs());
    }
    let (mut seen, mut single, mut border) = (0_u32, 0_u32, Vec::new());
    for (index, depths) in depths.iter_mut().enumerate().filter(|(_, depths)| depths.len() >= IN_CELL / 2) {
        let [near, far] = between(depths);
        seen += 1;
        single += u32::from(far <= ONE_DEPTH * near);
        if [index % cells, index / cells].iter().any(|&place| place == 0 || place == cells - 1) {
            border.push(f64::midpoint(near, far));
        }
    }
    if border.is_empty() || f64::from(single) < SINGLE * f64::from(seen) {
        return false;
    }
    let [near, far] = between(&mut border);
    far >= BORDER * near
}

/// The first and the last tenth of some values.
fn between(values: &mut [f64]) -> [f64; 2] {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len() - 1;
    [values[last / 10], values[last - last / 10]]
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
