//! How finely a file stores its coordinates, so that people are shown the digits that it has and no others.
//!
//! Numbers for programs (JSON) stay as they are; this is for text.

use glam::DVec3;

/// Most decimals of a number that is shown.
const MOST_DECIMALS: i32 = 12;
/// How far from a whole number a step may be, by its size, and still be one: above rounding in f64, below any digit that a file means.
const WHOLE: f64 = 1e-6;

/// How finely coordinates are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// As whole numbers of steps of these lengths along x, y and z, in the file's unit: LAS, and E57 with scaled integers.
    Steps(DVec3),
    /// As 32-bit floating-point numbers.
    Single,
    /// As 64-bit floating-point numbers.
    Double,
}

impl Precision {
    /// A coordinate along an axis (0 to 2): with the decimals of the step, or the shortest ones that give the stored number back.
    pub fn number(self, axis: usize, value: f64) -> String {
        // Without a negative zero.
        let text = match self {
            Self::Steps(steps) => format!("{value:.*}", decimals(steps[axis])),
            Self::Single => format!("{}", value as f32),
            Self::Double => format!("{value}"),
        };
        match text.strip_prefix('-') {
            Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
            _ => text,
        }
    }

    /// A position: "12.345 -6.789 0.000".
    pub fn position(self, position: DVec3) -> String {
        [0, 1, 2].map(|axis| self.number(axis, position[axis])).join(" ")
    }
}

/// Decimals in which a step is a whole number; one more than it needs for its size where there are no such ones.
fn decimals(step: f64) -> usize {
    let step = step.abs();
    if !step.is_finite() || step <= 0.0 {
        return 3;
    }
    let needed = (-step.log10()).ceil().clamp(0.0, f64::from(MOST_DECIMALS)) as i32;
    let most = (needed + 1).min(MOST_DECIMALS);
    let is_whole = |decimals: &i32| {
        let scaled = step * 10_f64.powi(*decimals);
        scaled.round() >= 1.0 && (scaled - scaled.round()).abs() <= WHOLE * scaled
    };
    (0..=most).find(is_whole).unwrap_or(most) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_their_decimals() {
        for (step, expected) in [
            (0.001, 3),
            (0.01, 2),
            (0.0001, 4),
            (0.00025, 5),
            (1.0, 0),
            (10.0, 0),
            (0.5, 1),
            (0.000_304_8, 5),
            (1.0 / 3.0, 2),
            (1e-15, 12),
            (f64::NAN, 3),
        ] {
            assert_eq!(decimals(step), expected, "{step}");
        }
        assert_eq!(
            Precision::Steps(DVec3::new(0.001, 0.01, 1.0)).position(DVec3::new(-22.990_000_000_000_002, -0.001, 7.0)),
            "-22.990 0.00 7"
        );
    }

    #[test]
    fn floats_have_the_shortest_decimals() {
        assert_eq!(Precision::Single.number(0, f64::from(0.1_f32)), "0.1");
        assert_eq!(Precision::Double.number(0, 0.1), "0.1");
        assert_eq!(Precision::Double.number(0, -0.0), "0");
    }
}
