//! Preparation of a frame's uniforms, target textures and bind groups.

use bevy::image::ToExtents;
use bevy::prelude::*;
use bevy::render::camera::ExtractedCamera;
use bevy::render::render_resource::{
    BindGroup, BindGroupEntries, DynamicUniformBuffer, PipelineCache, TextureDescriptor, TextureDimension, TextureUsages, UniformBuffer,
};
use bevy::render::renderer::{RenderDevice, RenderQueue};
use bevy::render::texture::{CachedTexture, TextureCache};

use super::pipeline::{COLOR_FORMAT, DEPTH_FORMAT, PointPipelines};
use super::point_camera::PointCamera;
use super::queue::{FrameUniform, PartUniform, QueuedPoints};

/// The frame's uniforms on the graphics card.
#[derive(Resource, Default)]
pub struct PointUniforms {
    frame: UniformBuffer<FrameUniform>,
    parts: DynamicUniformBuffer<PartUniform>,
    /// Offset of each queued part's uniform.
    pub offsets: Vec<u32>,
}

/// The textures into which points are drawn.
#[derive(Component)]
pub struct PointTextures {
    /// Colours.
    pub color: CachedTexture,
    /// Reversed depth.
    pub depth: CachedTexture,
}

/// Bind groups of the frame.
#[derive(Component)]
pub struct PointBindGroups {
    /// For points.
    pub frame: BindGroup,
    /// For a part, with a dynamic offset. `None` where nothing is queued.
    pub part: Option<BindGroup>,
    /// For eye-dome lighting.
    pub edl: BindGroup,
}

pub(super) fn uniforms(mut uniforms: ResMut<PointUniforms>, queued: Res<QueuedPoints>, device: Res<RenderDevice>, queue: Res<RenderQueue>) {
    let uniforms = &mut *uniforms;
    uniforms.frame.set(queued.frame);
    uniforms.frame.write_buffer(&device, &queue);
    uniforms.parts.clear();
    uniforms.offsets.clear();
    for part in &queued.parts {
        uniforms.offsets.push(uniforms.parts.push(&part.uniform));
    }
    uniforms.parts.write_buffer(&device, &queue);
}

pub(super) fn textures(
    mut commands: Commands,
    mut cache: ResMut<TextureCache>,
    device: Res<RenderDevice>,
    cameras: Query<(Entity, &ExtractedCamera), With<PointCamera>>,
) {
    for (entity, camera) in &cameras {
        let Some(size) = camera.physical_target_size.filter(|size| size.x > 0 && size.y > 0) else { continue };
        let mut texture = |label, format| {
            cache.get(
                &device,
                TextureDescriptor {
                    label: Some(label),
                    size: size.to_extents(),
                    mip_level_count: 1,
                    sample_count: 1,
                    dimension: TextureDimension::D2,
                    format,
                    usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::TEXTURE_BINDING,
                    view_formats: &[],
                },
            )
        };
        commands
            .entity(entity)
            .insert(PointTextures { color: texture("points color", COLOR_FORMAT), depth: texture("points depth", DEPTH_FORMAT) });
    }
}

pub(super) fn bind_groups(
    mut commands: Commands,
    uniforms: Res<PointUniforms>,
    pipelines: Res<PointPipelines>,
    cache: Res<PipelineCache>,
    device: Res<RenderDevice>,
    cameras: Query<(Entity, &PointTextures), With<PointCamera>>,
) {
    let Some(frame) = uniforms.frame.binding() else { return };
    for (entity, textures) in &cameras {
        let part = uniforms.parts.binding().map(|binding| {
            device.create_bind_group(
                "points part",
                &cache.get_bind_group_layout(&pipelines.part_layout),
                &BindGroupEntries::single(binding),
            )
        });
        commands.entity(entity).insert(PointBindGroups {
            frame: device.create_bind_group(
                "points frame",
                &cache.get_bind_group_layout(&pipelines.frame_layout),
                &BindGroupEntries::single(frame.clone()),
            ),
            part,
            edl: device.create_bind_group(
                "points edl",
                &cache.get_bind_group_layout(&pipelines.edl_layout),
                &BindGroupEntries::sequential((
                    frame.clone(),
                    &textures.color.default_view,
                    &textures.depth.default_view,
                    &pipelines.nearest,
                )),
            ),
        });
    }
}
