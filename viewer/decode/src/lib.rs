//! A tile's file, decoded and packed as the renderer takes it. No bevy, files or threads: a worker of the browser runs this crate alone.
//!
//! [`decode`] reads the file, measures the spacing of the points where the file does not give it ([`density`]), divides them into [`blocks`], puts each block into the order of
//! [`runs`] and packs each point into a [`texel`](Texel) of 16 bytes, which goes to the graphics card unchanged.

pub mod blocks;
pub mod density;
pub mod flat;
pub mod runs;
pub mod texel;

use glam::DVec3;
use parterre_model::Result;
use parterre_model::points::Bounds;
use parterre_tile::glb;
use parterre_tile::glb::surface::Spacing;

use self::texel::TexelSurface;
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
    /// Median distance between neighbouring points of the tile, metres; `None` where the points have the spacing of the complete scan.
    pub spacing_m: Option<f32>,
}

impl PackedPart {
    /// Packs the points of a part, which come in Morton order and have a measured spacing where their surface has none.
    fn new(part: &glb::Part) -> Self {
        let mut packed = Self { origin_m: part.origin_m, texels: Vec::with_capacity(part.vertices.len()), blocks: Vec::new() };
        for range in blocks::divide(&part.vertices) {
            let mut bounds = Bounds::EMPTY;
            range.clone().for_each(|index| bounds.include(part.position_m(&part.vertices[index])));
            packed.blocks.push(Block { first: packed.texels.len() as u32, count: range.len() as u32, bounds });
            packed.texels.extend(runs::order(range.len()).map(|at| {
                let index = range.start + at;
                let vertex = &part.vertices[index];
                Texel::new(vertex, part.extras.get(index).copied(), surface(vertex, part.surfaces.get(index)))
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

/// What is known of a point's surface.
fn surface(vertex: &glb::Vertex, surface: Option<&glb::Surface>) -> TexelSurface {
    let measured = Spacing::from_m(f64::from(vertex.pad) * 1e-3);
    match surface {
        Some(surface) if surface.spacing.metres().is_some() => {
            TexelSurface { normal: surface.normal.0, spacing: surface.spacing, of_scan: true, extent: surface.extent }
        }
        _ => TexelSurface {
            normal: surface.map_or(NO_NORMAL, |surface| surface.normal.0),
            spacing: measured,
            of_scan: false,
            extent: surface.map(|surface| surface.extent).unwrap_or_default(),
        },
    }
}

impl PackedTile {
    /// Measures and packs the points of a tile; the points of each part come in Morton order.
    pub fn new(mut parts: Vec<glb::Part>) -> Self {
        let of_scan = |part: &glb::Part| part.surfaces.iter().filter(|surface| surface.spacing.metres().is_some()).count();
        let (known, count) = parts.iter().fold((0, 0), |(known, count), part| (known + of_scan(part), count + part.vertices.len()));
        let median_m = (known < count).then(|| density::measure(&mut parts));
        // Single points without a surface do not tell how dense the others are.
        let spacing_m = median_m.filter(|_| known * 2 < count);
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
