//! One tile's points as binary glTF: quantized, and compressed with `EXT_meshopt_compression`.
//!
//! How a tile lies in its file:
//! - One node, one mesh and one primitive of mode POINTS for each [`Part`], the points of one cell of [`CELL_M`]. The
//!   node's matrix scales the normalized 16-bit positions to millimetres, moves them to the part's origin and turns Z up
//!   into glTF's Y up: (x, y, z) becomes (x, z, -y). Its numbers are f64 in the JSON, so that the origin loses nothing.
//! - Buffer view 0 holds the vertices of all parts, 12 bytes each: `POSITION` (u16 x 3, normalized, Z up), two spare
//!   bytes, `COLOR_0` (u8 x 3, normalized), one spare byte.
//! - Buffer view 1, where there are extras, has 8 bytes a point, because glTF wants each attribute at a multiple of
//!   four: `_INTENSITY` (u16), two zeros, `_CLASSIFICATION` (u8), three zeros. `EXT_structural_metadata` describes them.
//! - Compressed, both views are meshopt streams of version 0 (the only one that `EXT_meshopt_compression` allows) in the
//!   binary chunk, and buffer 1 is a placeholder without data. Plain, the binary chunk holds the views as they are.
//!
//! Colour: scanners give sRGB, glTF wants `COLOR_0` linear, and `CesiumJS` and three.js turn it back into sRGB when they
//! draw; sRGB written as it is would look washed out. So `COLOR_0` is linear. Eight bits of it cannot tell dark shades
//! apart, so the three spare bytes hold, for red, green and blue, what is missing from the exact sRGB value: two's
//! complement, mostly 0. [`decode`] adds it and gives the scanner's colours unchanged. `asset.extras.parterre.color` is
//! `linear+residual` in such files; without it the spare bytes are ignored.
//!
//! Limits: reads what [`encode`] writes and files of the same shape; everything else is `tile_unsupported`. Damage is
//! `tile_corrupt`. Memory is bounded by the length of the file, see [`decode`].

pub mod color;
mod decode;

use bytemuck::{Pod, Zeroable};
use glam::DVec3;

use parterre_model::points::Bounds;

pub use self::decode::decode;

/// Edge of the cell that one part's 16-bit positions span: 65,535 steps of exactly 1 mm.
pub const CELL_M: f64 = 65.535;

/// One point as it lies in the file and on the graphics card: 12 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Vertex {
    /// Millimetres from the part's origin, Z up.
    pub position: [u16; 3],
    /// Zero.
    pub pad: u16,
    /// Red, green, blue (sRGB) and 255.
    pub color: [u8; 4],
}

/// Attributes beside position and colour: 4 bytes a point.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Extra {
    /// Intensity over the file's own range.
    pub intensity: u16,
    /// ASPRS class.
    pub classification: u8,
    /// Zero.
    pub pad: u8,
}

/// The points of one tile that lie in one cell of 65.535 m.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Lower corner of the cell in the tile frame, metres, on whole millimetres.
    pub origin_m: DVec3,
    /// Points.
    pub vertices: Vec<Vertex>,
    /// Empty, or one entry a vertex.
    pub extras: Vec<Extra>,
}

impl Part {
    /// A vertex's position in the tile frame, metres.
    pub fn position_m(&self, vertex: &Vertex) -> DVec3 {
        let [x, y, z] = vertex.position;
        self.origin_m + DVec3::new(f64::from(x), f64::from(y), f64::from(z)) * 1e-3
    }

    /// Tight bounds in the tile frame.
    pub fn bounds(&self) -> Bounds {
        let mut bounds = Bounds::EMPTY;
        for vertex in &self.vertices {
            bounds.include(self.position_m(vertex));
        }
        bounds
    }
}
