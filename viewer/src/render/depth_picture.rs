//! The distances in a picture, read back to main memory: for measuring pictures, not for viewing.

use std::sync::mpsc::channel;

use bevy::image::ToExtents;
use bevy::math::UVec2;
use bevy::prelude::*;
use bevy::render::RenderApp;
use bevy::render::render_resource::{
    BufferDescriptor, BufferUsages, CachedRenderPipelineId, CommandEncoderDescriptor, MapMode, PollType, TexelCopyBufferInfo,
    TexelCopyBufferLayout, Texture, TextureDescriptor, TextureDimension, TextureFormat, TextureUsages, TextureView, TextureViewDescriptor,
};
use bevy::render::renderer::{RenderDevice, RenderQueue};

use super::data::NEAR_M;

/// Format of the texture.
pub(super) const FORMAT: TextureFormat = TextureFormat::R32Float;

/// A texture into which each frame also writes its reversed depth, after gaps are closed. A resource of the render world.
#[derive(Resource)]
pub struct DepthPicture {
    size: UVec2,
    texture: Texture,
    pub(super) view: TextureView,
    pub(super) pipeline: Option<CachedRenderPipelineId>,
}

impl DepthPicture {
    /// Lets the frames of `app` write distances, for a camera whose target has `size` pixels.
    pub fn enable(app: &mut App, size: UVec2) {
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else { return };
        let texture = render_app.world().resource::<RenderDevice>().create_texture(&TextureDescriptor {
            label: Some("depth picture"),
            size: size.to_extents(),
            mip_level_count: 1,
            sample_count: 1,
            dimension: TextureDimension::D2,
            format: FORMAT,
            usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&TextureViewDescriptor::default());
        render_app.insert_resource(Self { size, texture, view, pipeline: None });
    }

    /// The distances of the last frame along the direction of view, row by row from the top, metres; infinite where nothing is drawn.
    /// `None` where they cannot be read.
    pub fn read(app: &mut App) -> Option<Vec<f32>> {
        let world = app.get_sub_app(RenderApp)?.world();
        let (device, queue, picture) = (world.resource::<RenderDevice>(), world.resource::<RenderQueue>(), world.get_resource::<Self>()?);
        let row_bytes = RenderDevice::align_copy_bytes_per_row(picture.size.x as usize * 4);
        let buffer = device.create_buffer(&BufferDescriptor {
            label: Some("depth picture"),
            size: (row_bytes * picture.size.y as usize) as u64,
            usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
        encoder.copy_texture_to_buffer(
            picture.texture.as_image_copy(),
            TexelCopyBufferInfo {
                buffer: &buffer,
                layout: TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row_bytes as u32), rows_per_image: None },
            },
            picture.size.to_extents(),
        );
        queue.submit([encoder.finish()]);
        let (sender, mapped) = channel();
        let slice = buffer.slice(..);
        slice.map_async(MapMode::Read, move |result| {
            // The receiver waits below.
            let _ = sender.send(result);
        });
        device.poll(PollType::wait_indefinitely()).ok()?;
        mapped.recv().ok()?.ok()?;
        let bytes = slice.get_mapped_range();
        let distance = |bytes: &[u8]| match f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) {
            depth if depth > 0.0 => NEAR_M as f32 / depth,
            _ => f32::INFINITY,
        };
        Some(bytes.chunks(row_bytes).flat_map(|row| row[..picture.size.x as usize * 4].chunks_exact(4).map(distance)).collect())
    }
}
