//! Upload of tiles to the graphics card, where they are drawn without further conversion.

use bevy::math::DVec3;
use bevy::render::render_resource::{Buffer, BufferInitDescriptor, BufferUsages};
use bevy::render::renderer::RenderDevice;
use parterre_tile::glb;

use crate::walk::tile_points::TilePoints;

/// One part of a tile on the graphics card.
pub struct GpuPart {
    /// Lower corner of the part's cell in the tile frame, metres.
    pub origin_m: DVec3,
    /// A `glb::Vertex` for every point.
    pub vertices: Buffer,
    /// A `glb::Extra` for every point, where the scan has further attributes.
    pub extras: Option<Buffer>,
    /// Number of points.
    pub count: u32,
}

/// A tile on the graphics card. Dropping it frees the memory.
pub struct GpuTile {
    /// Parts with at least one point.
    pub parts: Vec<GpuPart>,
}

/// Writes a tile's points to the graphics card.
pub fn upload(device: &RenderDevice, points: &TilePoints, extras: &[Vec<glb::Extra>]) -> GpuTile {
    let buffer = |contents: &[u8]| {
        device.create_buffer_with_data(&BufferInitDescriptor { label: Some("tile points"), contents, usage: BufferUsages::VERTEX })
    };
    let parts = points
        .parts()
        .iter()
        .enumerate()
        .filter(|(_, part)| !part.vertices.is_empty())
        .map(|(index, part)| GpuPart {
            origin_m: part.origin_m,
            vertices: buffer(bytemuck::cast_slice(&part.vertices)),
            extras: extras
                .get(index)
                .filter(|extras| extras.len() == part.vertices.len())
                .map(|extras| buffer(bytemuck::cast_slice(extras))),
            count: part.vertices.len() as u32,
        })
        .collect();
    GpuTile { parts }
}
