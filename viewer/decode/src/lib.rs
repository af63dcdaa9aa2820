//! A tile's file, decoded and packed as the renderer takes it. No bevy, files or threads: a worker of the browser runs this crate alone.
//!
//! [`decode`] reads the file, measures the spacing of the points ([`density`]), divides them into [`blocks`], puts each block into the order of
//! [`runs`] and packs each point into a [`texel`](Texel) of 16 bytes, which goes to the graphics card unchanged.

pub mod blocks;
pub mod density;
pub mod runs;
mod texel;

use glam::DVec3;
use parterre_model::Result;
use parterre_model::points::Bounds;
use parterre_tile::glb;

pub use self::texel::{NO_NORMAL, Texel};

/// The points of one cell of a tile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackedPart {
    /// Lower corner of the cell in the tile frame, metres.
    pub origin_m: DVec3,
    /// The points, block by block, each block in the order of [`runs`] and filled up to whole runs.
    pub texels: Vec<Texel>,
    /// The blocks, in the order of their points; none is empty.
    pub blocks: Vec<Block>,
}

/// Neighbouring points of a part, which are drawn or left out together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Index of its first point in the part, a multiple of the points in a run.
    pub first: u32,
    /// Number of points.
    pub count: u32,
    /// Tight bounds in the tile frame.
    pub bounds: Bounds,
}

/// A decoded tile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackedTile {
    /// Its parts; none is empty.
    pub parts: Vec<PackedPart>,
    /// Median distance between neighbouring points. Metres.
    pub spacing_m: f32,
}

impl PackedPart {
    /// Packs the points of a part whose spacing has been measured; they come in Morton order.
    fn new(part: &glb::Part) -> Self {
        let mut packed = Self { origin_m: part.origin_m, texels: Vec::with_capacity(part.vertices.len()), blocks: Vec::new() };
        for range in blocks::divide(&part.vertices) {
            let mut bounds = Bounds::EMPTY;
            range.clone().for_each(|index| bounds.include(part.position_m(&part.vertices[index])));
            packed.blocks.push(Block { first: packed.texels.len() as u32, count: range.len() as u32, bounds });
            packed.texels.extend(runs::order(range.len()).map(|at| {
                let index = range.start + at;
                Texel::new(
                    &part.vertices[index],
                    part.extras.get(index).copied(),
                    part.normals.get(index).map_or(NO_NORMAL, |normal| normal.0),
                )
            }));
            packed.texels.resize(packed.texels.len().next_multiple_of(runs::RUN_POINTS as usize), Texel::EMPTY);
        }
        packed
    }

    /// Tight bounds in the tile frame.
    pub fn bounds(&self) -> Bounds {
        self.blocks.iter().fold(Bounds::EMPTY, |bounds, block| bounds.union(block.bounds))
    }
}

impl PackedTile {
    /// Measures and packs the points of a tile; the points of each part come in Morton order.
    pub fn new(mut parts: Vec<glb::Part>) -> Self {
        let spacing_m = density::measure(&mut parts);
        let parts = parts.iter().filter(|part| !part.vertices.is_empty()).map(PackedPart::new).collect();
        Self { parts, spacing_m }
    }

    /// Number of points.
    pub fn count(&self) -> u64 {
        self.parts.iter().flat_map(|part| &part.blocks).map(|block| u64::from(block.count)).sum()
    }
}

/// Decodes a tile's file.
///
/// # Errors
/// Those of [`glb::decode`].
pub fn decode(bytes: &[u8]) -> Result<PackedTile> {
    Ok(PackedTile::new(glb::decode(bytes)?))
}
