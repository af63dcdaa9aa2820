//! The distance of a point from its neighbours, measured in each tile after it is decoded.
//!
//! The octree's grid gives the smallest distance between a tile's points, but not how sparse the scan is far from the
//! scanner. So every point gets the spacing of the points around it, in millimetres, in the two unused bytes of its vertex:
//! this needs no further memory, and the shader can read it.
//!
//! A tile's points are in Morton order, so that the points of a cube of 2^k mm are consecutive. The smallest cube with enough
//! points gives the spacing, as if its points were on a surface across the cube.

use parterre_tile::glb::Part;

/// Binary logarithms of the cubes' edges in millimetres: 8 mm to 8 m.
const SHIFTS: std::ops::RangeInclusive<u32> = 3..=13;
/// Number of points from which a cube gives a spacing.
const POINTS_MIN: usize = 6;

/// Writes every point's spacing (millimetres) into the `pad` of its vertex. Returns the median in metres; 0 without points.
pub fn measure(parts: &mut [Part]) -> f32 {
    let mut all: Vec<u16> = Vec::new();
    for part in parts {
        let mut spacing_mm = vec![0u16; part.vertices.len()];
        for shift in SHIFTS {
            let cube = |index: usize| part.vertices[index].position.map(|value| value >> shift);
            let mut start = 0;
            while start < spacing_mm.len() {
                let current = cube(start);
                let mut end = start + 1;
                while end < spacing_mm.len() && cube(end) == current {
                    end += 1;
                }
                let count = end - start;
                if count >= POINTS_MIN || shift == *SHIFTS.end() {
                    let spacing = (f64::from(1u32 << shift) / (count as f64).sqrt()).clamp(1.0, f64::from(u16::MAX)) as u16;
                    // The value of a smaller cube is kept.
                    spacing_mm[start..end].iter_mut().filter(|value| **value == 0).for_each(|value| *value = spacing);
                }
                start = end;
            }
        }
        for (vertex, spacing) in part.vertices.iter_mut().zip(&spacing_mm) {
            vertex.pad = *spacing;
        }
        all.append(&mut spacing_mm);
    }
    if all.is_empty() {
        return 0.0;
    }
    let middle = all.len() / 2;
    f32::from(*all.select_nth_unstable(middle).1) * 1e-3
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use parterre_tile::glb::Vertex;

    use super::*;

    fn interleave(position: [u16; 3]) -> u64 {
        (0..16).fold(0, |code, bit| (0..3).fold(code, |code, axis| code | u64::from(position[axis] >> bit & 1) << (3 * bit + axis)))
    }

    /// A horizontal square of `edge` times `edge` points, `step` mm apart, from `corner`.
    fn square(corner: [u16; 2], edge: u16, step: u16) -> Vec<Vertex> {
        (0..edge * edge)
            .map(|index| Vertex {
                position: [corner[0] + index % edge * step, corner[1] + index / edge * step, 1000],
                ..Default::default()
            })
            .collect()
    }

    #[test]
    fn dense_and_sparse_surfaces_of_a_tile_get_different_spacings() {
        let mut vertices = square([0, 0], 64, 10);
        vertices.extend(square([8192, 8192], 32, 80));
        vertices.sort_by_key(|vertex| interleave(vertex.position));
        let mut parts = [Part { vertices, ..Part::default() }];
        let median_m = measure(&mut parts);
        assert!((median_m - 0.01).abs() < 0.004, "{median_m}");
        for vertex in &parts[0].vertices {
            let expected = if vertex.position[0] < 8000 { 10.0 } else { 80.0 };
            let ratio = f64::from(vertex.pad) / expected;
            assert!((0.6..1.8).contains(&ratio), "{vertex:?}");
        }
    }

    #[test]
    fn single_points_and_empty_tiles_have_a_spacing() {
        assert_eq!(measure(&mut []), 0.0);
        let mut parts = [Part { vertices: vec![Vertex::default()], ..Part::default() }];
        assert_eq!(measure(&mut parts), 8.192);
    }
}
