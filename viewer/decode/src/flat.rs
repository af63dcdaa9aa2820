//! A packed tile as flat lists: how a browser's worker hands it to the page. The points stay as they are; everything else is a list of numbers.
//!
//! Both sides are of one build, so that the list has no version.

use std::ops::Range;

use glam::DVec3;
use parterre_model::points::Bounds;

use crate::{Block, PackedPart, PackedTile, Texel};

/// Stands for a spacing that is not measured.
const UNKNOWN: f64 = -1.0;

impl PackedTile {
    /// Everything but the points: spacing, number of parts; for each part its origin, numbers of points and of blocks; for each block its first point, number
    /// of points and bounds.
    pub fn to_numbers(&self) -> Vec<f64> {
        let mut numbers = vec![self.spacing_m.map_or(UNKNOWN, f64::from), self.parts.len() as f64];
        for part in &self.parts {
            numbers.extend(part.origin_m.to_array());
            numbers.extend([part.texels.len() as f64, part.blocks.len() as f64]);
            for Block { first, count, bounds } in &part.blocks {
                numbers.extend([f64::from(*first), f64::from(*count)]);
                numbers.extend(bounds.min.to_array());
                numbers.extend(bounds.max.to_array());
            }
        }
        numbers
    }

    /// The tile of such a list. `texels` gives a range of the points of all parts. `None` where the list is not one.
    pub fn from_numbers(numbers: &[f64], mut texels: impl FnMut(Range<usize>) -> Option<Vec<Texel>>) -> Option<Self> {
        let mut rest = numbers.iter().copied();
        let spacing_m = Some(rest.next()?).filter(|spacing_m| *spacing_m >= 0.0).map(|spacing_m| spacing_m as f32);
        let mut parts = Vec::new();
        let mut end = 0;
        for _ in 0..rest.next()? as usize {
            let origin_m = vector(&mut rest)?;
            let [points, count] = [rest.next()? as usize, rest.next()? as usize];
            let start = end;
            end += points;
            let mut block = || {
                let [first, count] = [rest.next()? as u32, rest.next()? as u32];
                Some(Block { first, count, bounds: Bounds { min: vector(&mut rest)?, max: vector(&mut rest)? } })
            };
            let blocks = (0..count).map(|_| block()).collect::<Option<Vec<Block>>>()?;
            parts.push(PackedPart { origin_m, texels: texels(start..end)?, blocks });
        }
        rest.next().is_none().then_some(Self { parts, spacing_m })
    }
}

fn vector(numbers: &mut impl Iterator<Item = f64>) -> Option<DVec3> {
    Some(DVec3::new(numbers.next()?, numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use parterre_tile::glb::{Part, Vertex};

    use super::*;

    fn tile() -> PackedTile {
        let part = |points: u16, x: f64| Part {
            origin_m: DVec3::new(x, -2.5, 1e6),
            vertices: (0..points).map(|at| Vertex { position: [at, 3, 65_535], ..Vertex::default() }).collect(),
            ..Part::default()
        };
        PackedTile::new(vec![part(1300, 0.1), part(5, 70.0)])
    }

    #[test]
    fn a_tile_comes_back_as_it_was() {
        let tile = tile();
        let all: Vec<Texel> = tile.parts.iter().flat_map(|part| part.texels.clone()).collect();
        let back = PackedTile::from_numbers(&tile.to_numbers(), |range| all.get(range).map(<[Texel]>::to_vec));
        assert_eq!(back.as_ref(), Some(&tile));
        let empty = PackedTile::default();
        assert_eq!(PackedTile::from_numbers(&empty.to_numbers(), |_| None), Some(empty));
    }

    #[test]
    fn a_list_of_another_length_is_none() {
        let numbers = tile().to_numbers();
        let read = |numbers: &[f64]| PackedTile::from_numbers(numbers, |range| Some(vec![Texel::EMPTY; range.len()]));
        assert!((0..numbers.len()).all(|length| read(&numbers[..length]).is_none()));
        assert!(read(&[numbers.as_slice(), &[0.0]].concat()).is_none());
    }
}
