//! Tiles on the graphics card.

use std::sync::OnceLock;

use bevy::math::DVec3;
use bevy::render::render_resource::{
    BindGroup, Extent3d, Texture, TextureDataOrder, TextureDescriptor, TextureDimension, TextureFormat, TextureUsages,
};
use bevy::render::renderer::{RenderDevice, RenderQueue};
use parterre_decode::runs::RUN_POINTS;
use parterre_decode::{Block, PackedTile, Texel};
use parterre_model::points::Bounds;
use parterre_tile::glb::surface::Spacing;

/// Largest width and height of a texture; WebGL2 guarantees this size.
const TEXTURE_MAX: u32 = 2048;

/// Some of a tile's points on the graphics card.
pub struct GpuPart {
    /// Lower corner of the part's cell in the tile frame, metres.
    pub origin_m: DVec3,
    /// A texel for each point, row by row.
    pub texture: Texture,
    /// Binary logarithm of the texture's width.
    pub width_log2: u32,
    /// The texture's bind group, made when it is first drawn.
    pub bind_group: OnceLock<BindGroup>,
}

/// Neighbouring points of a tile, which are drawn together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpuBlock {
    /// Index of the part.
    pub part: u32,
    /// Index of the first run in the part.
    pub first_run: u32,
    /// Number of points.
    pub count: u32,
    /// Tight bounds in the tile frame.
    pub bounds: Bounds,
    /// Largest spacing of its points. Metres.
    pub spacing_m: f32,
}

/// A tile on the graphics card. Dropping it frees the memory.
pub struct GpuTile {
    /// Its parts; none is empty.
    pub parts: Vec<GpuPart>,
    /// Its blocks, in the order of [`PackedTile`].
    pub blocks: Vec<GpuBlock>,
}

/// Writes a tile's points to the graphics card.
pub fn upload(device: &RenderDevice, queue: &RenderQueue, tile: &PackedTile) -> GpuTile {
    let mut uploaded = GpuTile { parts: Vec::new(), blocks: Vec::new() };
    for packed in &tile.parts {
        let mut blocks = packed.blocks.as_slice();
        while let Some(first) = blocks.first() {
            // As many blocks as fit into a texture.
            let end = |block: &Block| block.first + block.count.next_multiple_of(RUN_POINTS);
            let fits = |block: &&Block| end(block) - first.first <= TEXTURE_MAX * TEXTURE_MAX;
            let taken = blocks.iter().take_while(fits).count().max(1);
            let part = uploaded.parts.len() as u32;
            let block = |block: &Block| GpuBlock {
                part,
                first_run: (block.first - first.first) / RUN_POINTS,
                count: block.count,
                bounds: block.bounds,
                spacing_m: largest_spacing_m(&packed.texels[block.first as usize..][..block.count as usize]),
            };
            uploaded.blocks.extend(blocks[..taken].iter().map(block));
            let texels = first.first as usize..end(&blocks[taken - 1]) as usize;
            uploaded.parts.push(upload_part(device, queue, packed.origin_m, &packed.texels[texels]));
            blocks = &blocks[taken..];
        }
    }
    uploaded
}

/// The largest spacing of points, as they have it themselves. Metres.
fn largest_spacing_m(texels: &[Texel]) -> f32 {
    let largest = texels.iter().map(Texel::spacing).max_by_key(|spacing| spacing.0);
    largest.and_then(Spacing::metres).unwrap_or(0.0) as f32
}

fn upload_part(device: &RenderDevice, queue: &RenderQueue, origin_m: DVec3, texels: &[Texel]) -> GpuPart {
    let [width, height] = texture_size(texels.len() as u32);
    let mut padded = Vec::new();
    let rest = (width * height) as usize - texels.len();
    let data: &[u8] = if rest == 0 {
        bytemuck::cast_slice(texels)
    } else {
        padded.reserve_exact(texels.len() + rest);
        padded.extend_from_slice(texels);
        padded.resize(texels.len() + rest, Texel::EMPTY);
        bytemuck::cast_slice(&padded)
    };
    let descriptor = TextureDescriptor {
        label: Some("tile points"),
        size: Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: TextureDimension::D2,
        format: TextureFormat::Rgba32Uint,
        usage: TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_DST,
        view_formats: &[],
    };
    GpuPart {
        origin_m,
        texture: device.create_texture_with_data(queue, &descriptor, TextureDataOrder::LayerMajor, data),
        width_log2: width.trailing_zeros(),
        bind_group: OnceLock::new(),
    }
}

/// Width, a power of two, and height of a texture for so many points; about a square.
fn texture_size(points: u32) -> [u32; 2] {
    let width = f64::from(points).sqrt().ceil() as u32;
    let width = width.next_power_of_two().clamp(1, TEXTURE_MAX);
    [width, points.div_ceil(width).max(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textures_hold_all_points_and_waste_at_most_a_row() {
        for points in [1, 2, 3, 50_000, 65_536, 65_537, TEXTURE_MAX * TEXTURE_MAX] {
            let [width, height] = texture_size(points);
            assert!(width.is_power_of_two() && width <= TEXTURE_MAX && height <= TEXTURE_MAX, "{points}");
            assert!(width * height >= points && width * height - points < width, "{points}");
        }
    }
}
