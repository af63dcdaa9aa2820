//! How much speaks for each axis of being the vertical.

use glam::DVec3;

use super::patches::Patch;

/// A surface is perpendicular to an axis up to this angle: floors are level to within a degree; patches of few and noisy points are off by several.
const PERPENDICULAR: f64 = 0.9903; // cos 8 degrees
/// Thickness of a level by the longest edge: 0.15 m in a building of 30 m.
const LEVEL: f64 = 0.005;
/// A surface is upright up to this angle: walls are plumb, and patches of furniture are small.
const UPRIGHT: f64 = 0.17; // sine of 10 degrees
/// Directions told apart around an axis, 18 degrees each.
const SECTORS: usize = 10;
/// Areas and shares below this are as good as none: a hundredth of all surface.
const NOTHING: f64 = 0.01;

/// What the surfaces of a sample say of one axis.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Axis {
    /// Edge of the box along it, without the outermost points.
    pub(super) extent: f64,
    /// Share of all patches' area that is perpendicular to it: floors and ceilings, if it is the vertical.
    pub(super) perpendicular: f64,
    /// Share in the one level at which most of them lie.
    pub(super) level: f64,
    /// Where that level lies.
    pub(super) height: f64,
    /// Share that is upright if it is the vertical, in many directions.
    pub(super) around: f64,
}

/// Looks at the patches along each axis.
pub(super) fn axes(patches: &[Patch], extent: DVec3) -> [Axis; 3] {
    let total: f64 = patches.iter().map(|patch| patch.area).sum();
    let thickness = LEVEL * extent.max_element();
    [0, 1, 2].map(|axis| {
        let perpendicular = perpendicular_to(patches.iter(), axis);
        let (level, height) = fullest(&perpendicular, thickness);
        Axis {
            extent: extent[axis],
            perpendicular: perpendicular.iter().map(|&(_, area)| area).sum::<f64>() / total,
            level: level / total,
            height,
            around: around(patches, axis) / total,
        }
    })
}

/// The area of the fullest level that patches perpendicular to an axis lie in.
pub(super) fn level_of<'a>(patches: impl Iterator<Item = &'a Patch>, axis: usize, extent: DVec3) -> f64 {
    fullest(&perpendicular_to(patches, axis), LEVEL * extent.max_element()).0
}

/// Height and area of the patches that are perpendicular to an axis, by height.
fn perpendicular_to<'a>(patches: impl Iterator<Item = &'a Patch>, axis: usize) -> Vec<(f64, f64)> {
    let mut perpendicular: Vec<(f64, f64)> =
        patches.filter(|patch| patch.normal[axis].abs() > PERPENDICULAR).map(|patch| (patch.middle[axis], patch.area)).collect();
    perpendicular.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    perpendicular
}

/// The most area within a thickness, of `(height, area)` sorted by height, and the middle of that level.
fn fullest(perpendicular: &[(f64, f64)], thickness: f64) -> (f64, f64) {
    let (mut start, mut area, mut most, mut height) = (0, 0.0, 0.0, 0.0);
    for &(end, own) in perpendicular {
        area += own;
        while end - perpendicular[start].0 > thickness {
            area -= perpendicular[start].1;
            start += 1;
        }
        if area > most {
            (most, height) = (area, f64::midpoint(end, perpendicular[start].0));
        }
    }
    (most, height)
}

/// Share of the area that is upright if the axis is the vertical, but faces along neither of the other two: furniture at an angle, columns,
/// people, walls of a building that is not parallel to the axes. Slopes lie so along a wrong axis, but a stand or a roof has one slope or two;
/// what counts is what lies in many directions: of [`SECTORS`], each counts at most as much as half of them have.
fn around(patches: &[Patch], axis: usize) -> f64 {
    let mut sectors = [0.0; SECTORS];
    for patch in patches {
        let normal = patch.normal.abs();
        if normal[axis] < UPRIGHT && normal.max_element() < PERPENDICULAR {
            let (u, v) = (patch.normal[(axis + 1) % 3], patch.normal[(axis + 2) % 3]);
            let turn = v.atan2(u).rem_euclid(std::f64::consts::PI) / std::f64::consts::PI;
            sectors[((turn * SECTORS as f64) as usize).min(SECTORS - 1)] += patch.area;
        }
    }
    let mut sorted = sectors;
    sorted.sort_unstable_by(f64::total_cmp);
    let most = sorted[SECTORS / 2 - 1];
    sectors.iter().map(|area| area.min(most)).sum()
}

/// By how much more one axis looks like the vertical than another, as logarithms of ratios.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    /// Of the areas perpendicular to them.
    pub(super) perpendicular: f64,
    /// Of the areas in their fullest levels.
    pub(super) level: f64,
    /// Of the areas that are upright in many directions.
    pub(super) around: f64,
    /// Of the extents: the other's by its own.
    pub(super) flat: f64,
}

impl Comparison {
    pub(super) fn new(axis: &Axis, other: &Axis) -> Self {
        let ratio = |own: f64, other: f64| ((own + NOTHING) / (other + NOTHING)).ln();
        // Furniture is a small part of all surface.
        let around = ((axis.around + 0.3 * NOTHING) / (other.around + 0.3 * NOTHING)).ln();
        Self {
            around,
            perpendicular: ratio(axis.perpendicular, other.perpendicular),
            level: ratio(axis.level, other.level),
            flat: (other.extent / axis.extent).ln(),
        }
    }
}
