//! Surface normals in two bytes: octahedral coordinates.
//!
//! The sphere is projected onto the octahedron |x| + |y| + |z| = 1 and its lower half is unfolded around the upper one, so that a direction
//! is a point in a square (Cigolle, Donow, Evangelakos, Mara, `McGuire`, Meyer: "A Survey of Efficient Representations for Independent Unit
//! Vectors", Journal of Computer Graphics Techniques 3 (2), 2014).

use bytemuck::{Pod, Zeroable};
use glam::{DVec3, Vec3};

/// Octahedral coordinates of a unit vector in the tile frame, Z up: steps of 1/127 on both axes of the square.
///
/// The default is (0, 0): straight up, which is also the normal of a point whose surface is not known.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct Normal(pub [i8; 2]);

impl Normal {
    /// Largest number of bits of a coordinate.
    pub const MAX_BITS: u32 = 8;

    /// The coordinates nearest to a vector's direction. The angle to it is at most 0.95 degrees.
    ///
    /// The vector need not have length 1. One without a direction (zero, infinite or NaN) gives the default, straight up.
    pub fn from_unit(unit: DVec3) -> Self {
        Self::with_bits(unit, Self::MAX_BITS)
    }

    /// As [`Normal::from_unit`], with coordinates that `bits` bits can hold, 3 to 8: they take fewer bytes in a tile. The angle is at most 2.6
    /// degrees with 7 bits, 4.4 degrees with 6, 8.6 degrees with 5; its mean is 0.34 degrees with 8 bits and doubles with each bit less.
    pub fn with_bits(unit: DVec3, bits: u32) -> Self {
        let sum = unit.abs().element_sum();
        if !(sum > 0.0 && sum.is_finite()) {
            return Self::default();
        }
        let DVec3 { x, y, z } = unit / sum;
        let sign = |value: f64| if value < 0.0 { -1.0 } else { 1.0 };
        let (u, v) = if z < 0.0 { ((1.0 - y.abs()) * sign(x), (1.0 - x.abs()) * sign(y)) } else { (x, y) };
        let one = one(bits);
        Self([u, v].map(|value| widened((value * f64::from(one)).round() as i8, one)))
    }

    /// The unit vector.
    pub fn unit(self) -> Vec3 {
        let [u, v] = self.0.map(|value| (f32::from(value) / 127.0).max(-1.0));
        let z = 1.0 - u.abs() - v.abs();
        let folded = z.min(0.0);
        let part = |value: f32| if value < 0.0 { value - folded } else { value + folded };
        Vec3::new(part(u), part(v), z).normalize()
    }

    /// The coordinates as numbers of `bits` bits, from -`one` to `one`; `None` where they do not hold them exactly.
    pub fn narrowed(self, bits: u32) -> Option<[i8; 2]> {
        let one = one(bits);
        let narrow = |value: i8| (f32::from(value) * f32::from(one) / 127.0).round() as i8;
        let narrow = self.0.map(narrow);
        (narrow.map(|value| widened(value, one)) == self.0).then_some(narrow)
    }

    /// The normal with coordinates from -`one` to `one`, as the filter OCTAHEDRAL of `EXT_meshopt_compression` stores them. Larger ones are cut off; the
    /// default where `one` is not positive.
    pub fn widened(coordinates: [i8; 2], one: i8) -> Self {
        if one > 0 { Self(coordinates.map(|value| widened(value, one))) } else { Self::default() }
    }
}

/// The largest coordinate of so many bits.
fn one(bits: u32) -> i8 {
    ((1_i16 << (bits.clamp(2, Normal::MAX_BITS) - 1)) - 1) as i8
}

/// A coordinate out of -`one` to `one` in steps of 1/127.
fn widened(value: i8, one: i8) -> i8 {
    let value = value.clamp(-one, one);
    if one == 127 { value } else { (f32::from(value) * 127.0 / f32::from(one)).round() as i8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directions all around, evenly.
    fn directions(count: u32) -> impl Iterator<Item = DVec3> {
        (0..count).map(move |index| {
            let z = 1.0 - 2.0 * (f64::from(index) + 0.5) / f64::from(count);
            let (sin, cos) = (f64::from(index) * 2.399_963_229_728_653).sin_cos();
            let radius = (1.0 - z * z).sqrt();
            DVec3::new(radius * cos, radius * sin, z)
        })
    }

    #[test]
    fn the_angle_to_the_vector_is_within_the_stated_bound() {
        for (bits, bound) in [(8, 0.95), (7, 2.6), (6, 4.4), (5, 8.6)] {
            let angle = |unit: DVec3| Normal::with_bits(unit, bits).unit().as_dvec3().angle_between(unit).to_degrees();
            let (mut worst, mut sum) = (0.0_f64, 0.0);
            for unit in directions(200_000) {
                worst = worst.max(angle(unit));
                sum += angle(unit);
            }
            assert!(worst < bound && worst > 0.9 * bound && sum / 200_000.0 < 0.4 * bound, "{bits} bits: {worst} {}", sum / 200_000.0);
        }
        for axis in [DVec3::X, DVec3::Y, DVec3::Z] {
            for unit in [axis, -axis] {
                for bits in 3..=8 {
                    assert!(Normal::with_bits(unit, bits).unit().as_dvec3().distance(unit) < 1e-6, "{unit}");
                }
            }
        }
    }

    #[test]
    fn fewer_bits_go_through_their_numbers_unchanged() {
        for bits in 3..=8 {
            for unit in directions(5000) {
                let normal = Normal::with_bits(unit, bits);
                let narrow = normal.narrowed(bits);
                assert_eq!(narrow.map(|narrow| Normal::widened(narrow, one(bits))), Some(normal), "{bits} {unit}");
            }
        }
        assert_eq!(Normal([1, 0]).narrowed(6), None);
    }

    #[test]
    fn vectors_without_direction_point_up_and_all_bytes_are_directions() {
        for unit in [DVec3::ZERO, DVec3::NAN, DVec3::INFINITY, DVec3::new(f64::NAN, 1.0, 0.0), DVec3::new(0.0, f64::NEG_INFINITY, 0.0)] {
            assert_eq!(Normal::from_unit(unit).unit(), Vec3::Z, "{unit}");
        }
        for u in i8::MIN..=i8::MAX {
            for v in i8::MIN..=i8::MAX {
                assert!((Normal([u, v]).unit().length() - 1.0).abs() < 1e-5, "{u} {v}");
                for one in [i8::MIN, 0, 1, 31, 127] {
                    assert!(Normal::widened([u, v], one).unit().is_normalized());
                }
            }
        }
    }
}
