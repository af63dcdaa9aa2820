//! What a tile knows of the scanned surface around a point: its normal, the spacing of the scan's points, and where it ends.
//!
//! A viewer draws a point as a disc as large as the gap to the next points. With the spacing of the complete scan it knows how large that
//! gap is at least, whichever tiles are loaded; with the extents it can cut the disc off where the surface ends, so that it does not reach over an
//! edge or into an opening.

use bytemuck::{Pod, Zeroable};
use glam::Vec3;

use super::normal::Normal;

/// A point's surface. The default: its normal is up, nothing else is known.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct Surface {
    /// Direction of the surface.
    pub normal: Normal,
    /// Spacing of the points on it.
    pub spacing: Spacing,
    /// Where it ends.
    pub extent: Extent,
}

/// Distance between neighbouring points of the complete scan: quarter octaves of a millimetre from 1, or 0 where it is not known.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct Spacing(pub u8);

/// Steps of a spacing in an octave.
const STEPS: f64 = 4.0;
/// The largest code of a spacing: 16 m.
const SPACING_MAX: u8 = 57;

impl Spacing {
    /// The nearest code. What is not a positive number is not known.
    pub fn from_m(spacing_m: f64) -> Self {
        if !(spacing_m > 0.0 && spacing_m.is_finite()) {
            return Self::default();
        }
        Self(((spacing_m * 1e3).log2() * STEPS).round().clamp(0.0, f64::from(SPACING_MAX - 1)) as u8 + 1)
    }

    /// Metres; `None` where it is not known.
    pub fn metres(self) -> Option<f64> {
        (self.0 > 0).then(|| (f64::from(self.0.min(SPACING_MAX) - 1) / STEPS).exp2() * 1e-3)
    }
}

/// How far the surface goes on from a point in four directions: codes for the first of [`tangents`], its opposite, the second one, its opposite.
///
/// Code 0: it goes on as far as is known. Code k from 1 to 15: it ends after [`EXTENT_MIN_M`] times [`EXTENT_RATIO`] to the power k - 1.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct Extent(pub [u8; 4]);

/// The smallest extent. Metres.
pub const EXTENT_MIN_M: f64 = 0.004;
/// Ratio of an extent to the next smaller one.
pub const EXTENT_RATIO: f64 = 1.45;
/// The largest code.
pub const EXTENT_CODE_MAX: u8 = 15;

impl Extent {
    /// Codes of distances in metres, rounded down: discs that end too early leave their neighbours in sight, those that end too late cover what is behind. A distance
    /// larger than the largest code's is as good as none.
    pub fn from_m(extents_m: [f64; 4]) -> Self {
        Self(extents_m.map(|extent_m| {
            if extent_m.is_nan() {
                return 0;
            }
            let step = ((extent_m.max(EXTENT_MIN_M) / EXTENT_MIN_M).ln() / EXTENT_RATIO.ln()).floor();
            if step < f64::from(EXTENT_CODE_MAX) { step as u8 + 1 } else { 0 }
        }))
    }

    /// Metres; infinite where no end is known.
    pub fn metres(self) -> [f64; 4] {
        self.0.map(|code| match code {
            1..=EXTENT_CODE_MAX => EXTENT_MIN_M * EXTENT_RATIO.powi(i32::from(code) - 1),
            _ => f64::INFINITY,
        })
    }

    /// The codes of the same surface seen from its other side: the first tangent changes its sign.
    #[must_use]
    pub fn of_other_side(self) -> Self {
        let Self([a, b, c, d]) = self;
        Self([b, a, c, d])
    }
}

/// Two directions in the surface with this unit normal, at right angles: horizontal and up a wall; along the axes on a floor.
pub fn tangents(normal: Vec3) -> [Vec3; 2] {
    let axis = if normal.z.abs() > 0.8 { Vec3::X } else { Vec3::Z };
    let first = normal.cross(axis).normalize();
    [first, normal.cross(first)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacings_are_within_nine_percent() {
        let mut spacing_m = 0.001;
        while spacing_m < 16.0 {
            let back = Spacing::from_m(spacing_m).metres().expect("a positive number");
            assert!((back / spacing_m).ln().abs() < 0.0868, "{spacing_m} {back}");
            spacing_m *= 1.013;
        }
        for nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Spacing::from_m(nothing).metres(), None);
        }
        assert_eq!(Spacing::from_m(1e-9), Spacing(1));
        assert_eq!(Spacing(255).metres(), Spacing::from_m(1e9).metres());
    }

    #[test]
    fn extents_are_rounded_down_by_a_step_at_most_and_all_bytes_mean_something() {
        let mut extent_m = EXTENT_MIN_M;
        while extent_m < 2.0 {
            let [back, ..] = Extent::from_m([extent_m; 4]).metres();
            let is_rounded_down = back <= extent_m * 1.0001 && back * EXTENT_RATIO >= extent_m * 0.9999;
            assert!(is_rounded_down || back.is_infinite() && extent_m > 1.04, "{extent_m} {back}");
            extent_m *= 1.01;
        }
        let codes = Extent::from_m([0.0, f64::NAN, f64::INFINITY, -1.0]);
        assert_eq!(codes, Extent([1, 0, 0, 1]));
        for code in 0..=u8::MAX {
            assert!(Extent([code; 4]).metres()[0] > 0.0);
        }
    }

    #[test]
    fn the_other_side_has_the_same_ends() {
        for normal in [Vec3::X, Vec3::Z, Vec3::new(0.3, 0.5, 0.2).normalize(), Vec3::new(0.1, 0.2, -0.9).normalize()] {
            let ([a, b], [c, d]) = (tangents(normal), tangents(-normal));
            assert!(a.distance(-c) < 1e-6 && b.distance(d) < 1e-6);
            assert!(a.dot(normal).abs() < 1e-6 && a.dot(b).abs() < 1e-6 && b.is_normalized());
        }
        assert_eq!(Extent([1, 2, 3, 4]).of_other_side(), Extent([2, 1, 3, 4]));
    }
}
