//! Points of a tile in memory, as they lie in its file.

use bytemuck::{Pod, Zeroable};
use glam::DVec3;

use super::surface::Surface;
use parterre_model::points::Bounds;

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
    /// Empty where the tile has no normals, or one entry a vertex.
    pub surfaces: Vec<Surface>,
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
