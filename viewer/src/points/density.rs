//! How far a point's neighbours are, measured in each tile as it is decoded.
//!
//! The octree's grid tells how close a tile's points are at most, not how sparse a scan is where the scanner stood far
//! off. So every point is given the spacing of the points around it, in the vertex' two spare bytes, in millimetres: no
//! further memory, and the shader has it at hand.
//!
//! A tile's points lie in Morton order, so the points of a cube of 2^k mm are one run of them. The smallest cube with a
//! few points gives the spacing, as if they lay on a surface across it.

use parterre_tile::glb::Part;

/// Cubes from 8 mm to 8 m.
const SHIFTS: std::ops::RangeInclusive<u32> = 3..=13;
/// Points in a cube from which its spacing is told.
const POINTS_MIN: usize = 6;

/// Writes every point's spacing into its `pad`; returns the median, metres.
pub fn measure(parts: &mut [Part]) -> f32 {
    let mut all: Vec<u16> = Vec::new();
    for part in parts {
        let mut spacing_mm = vec![0u16; part.vertices.len()];
        for shift in SHIFTS {
            let cube = |index: usize| part.vertices[index].position.map(|value| value >> shift);
            let mut start = 0;
            while start < spacing_mm.len() {
                let here = cube(start);
                let mut end = start + 1;
                while end < spacing_mm.len() && cube(end) == here {
                    end += 1;
                }
                let count = end - start;
                if count >= POINTS_MIN || shift == *SHIFTS.end() {
                    let spacing = (f64::from(1u32 << shift) / (count as f64).sqrt()).clamp(1.0, f64::from(u16::MAX)) as u16;
                    // Smaller cubes come first and count.
                    spacing_mm[start..end].iter_mut().filter(|known| **known == 0).for_each(|known| *known = spacing);
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

    /// A level square of `edge` points a side, `step` mm apart, from `corner`.
    fn square(corner: [u16; 2], edge: u16, step: u16) -> Vec<Vertex> {
        (0..edge * edge)
            .map(|at| Vertex { position: [corner[0] + at % edge * step, corner[1] + at / edge * step, 1000], ..Default::default() })
            .collect()
    }

    #[test]
    fn dense_and_sparse_surfaces_of_one_tile_are_told_apart() {
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
    fn lone_points_and_empty_tiles_are_measured_too() {
        assert_eq!(measure(&mut []), 0.0);
        let mut parts = [Part { vertices: vec![Vertex::default()], ..Part::default() }];
        assert_eq!(measure(&mut parts), 8.192);
    }
}
