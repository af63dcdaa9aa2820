//! Preparation of a frame's uniforms, targets and bind groups.

use bevy::image::ToExtents;
use bevy::math::UVec2;
use bevy::prelude::*;
use bevy::render::camera::ExtractedCamera;
use bevy::render::render_resource::{
    BindGroup, BindGroupEntries, DynamicUniformBuffer, PipelineCache, TexelCopyBufferLayout, Texture, TextureDescriptor, TextureDimension,
    TextureFormat, TextureUsages, TextureView, TextureViewDescriptor, UniformBuffer,
};
use bevy::render::renderer::{RenderDevice, RenderQueue};

use super::pipeline::{COLOR_FORMAT, DEPTH_FORMAT, PointPipelines};
use super::point_camera::PointCamera;
use super::uniforms::{FrameUniform, PartUniform, QueuedPoints, ShadeUniform};

/// The frame's uniforms on the graphics card.
#[derive(Resource, Default)]
pub struct PointUniforms {
    frame: UniformBuffer<FrameUniform>,
    shade: UniformBuffer<ShadeUniform>,
    parts: DynamicUniformBuffer<PartUniform>,
    /// Offset of each draw call's uniform.
    pub offsets: Vec<u32>,
    runs: Option<RunList>,
}

/// The list of runs in a texture, row by row.
struct RunList {
    texture: Texture,
    view: TextureView,
    rows: u32,
}

/// Width of the texture with the list of runs; also in the shader.
const RUNS_WIDTH: u32 = 1024;

impl PointUniforms {
    /// Writes the list of runs into a texture that is large enough.
    fn write_runs(&mut self, runs: &[u32], device: &RenderDevice, queue: &RenderQueue) {
        let rows = (runs.len() as u32).div_ceil(RUNS_WIDTH).max(1);
        if self.runs.as_ref().is_none_or(|list| list.rows < rows) {
            let rows = rows.next_power_of_two();
            let texture = device.create_texture(&TextureDescriptor {
                label: Some("runs of points"),
                size: UVec2::new(RUNS_WIDTH, rows).to_extents(),
                mip_level_count: 1,
                sample_count: 1,
                dimension: TextureDimension::D2,
                format: TextureFormat::R32Uint,
                usage: TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_DST,
                view_formats: &[],
            });
            let view = texture.create_view(&TextureViewDescriptor::default());
            self.runs = Some(RunList { texture, view, rows });
        }
        let Some(list) = self.runs.as_ref().filter(|_| !runs.is_empty()) else { return };
        let mut padded = runs.to_vec();
        padded.resize((rows * RUNS_WIDTH) as usize, 0);
        let layout = TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(RUNS_WIDTH * 4), rows_per_image: None };
        queue.write_texture(list.texture.as_image_copy(), bytemuck::cast_slice(&padded), layout, UVec2::new(RUNS_WIDTH, rows).to_extents());
    }
}

/// Textures into which points are drawn.
pub struct Target {
    size_px: UVec2,
    /// Colours.
    pub color: TextureView,
    /// Reversed depth.
    pub depth: TextureView,
    // A view does not keep its texture alive on every backend.
    _textures: [Texture; 2],
}

/// The targets of a camera. They keep their contents from frame to frame.
#[derive(Component, Default)]
pub struct PointTargets {
    /// For points that are drawn anew in each frame.
    moving: Option<Target>,
    /// For points that are added from frame to frame.
    refined: Option<Target>,
}

impl PointTargets {
    /// The target of a frame.
    pub fn of(&self, queued: &QueuedPoints) -> Option<&Target> {
        if queued.refining { self.refined.as_ref() } else { self.moving.as_ref() }
    }
}

/// Bind groups of the frame.
#[derive(Component)]
pub struct PointBindGroups {
    /// For points.
    pub frame: BindGroup,
    /// For a part, with a dynamic offset. `None` where nothing is queued.
    pub part: Option<BindGroup>,
    /// For shading.
    pub shade: BindGroup,
    /// Whether shading combines both targets.
    pub refining: bool,
}

pub(super) fn uniforms(mut uniforms: ResMut<PointUniforms>, queued: Res<QueuedPoints>, device: Res<RenderDevice>, queue: Res<RenderQueue>) {
    let uniforms = &mut *uniforms;
    uniforms.frame.set(queued.frame);
    uniforms.frame.write_buffer(&device, &queue);
    uniforms.shade.set(queued.shade);
    uniforms.shade.write_buffer(&device, &queue);
    uniforms.parts.clear();
    uniforms.offsets.clear();
    for draw in &queued.draws {
        uniforms.offsets.push(uniforms.parts.push(&draw.uniform));
    }
    uniforms.write_runs(&queued.runs, &device, &queue);
    uniforms.parts.write_buffer(&device, &queue);
}

/// The cameras and the targets that they have already.
type Cameras<'world, 'state> =
    Query<'world, 'state, (Entity, Option<&'static mut PointTargets>), (With<PointCamera>, With<ExtractedCamera>)>;

/// Makes the target of this frame where there is none of its size.
pub(super) fn textures(mut commands: Commands, device: Res<RenderDevice>, queued: Res<QueuedPoints>, mut cameras: Cameras<'_, '_>) {
    if queued.target_px == UVec2::ZERO {
        return;
    }
    for (entity, targets) in &mut cameras {
        let Some(mut targets) = targets else {
            commands.entity(entity).insert(PointTargets::default());
            continue;
        };
        let slot =
            if queued.refining { &mut targets.bypass_change_detection().refined } else { &mut targets.bypass_change_detection().moving };
        if slot.as_ref().is_none_or(|target| target.size_px != queued.target_px) {
            *slot = Some(target(&device, queued.target_px));
        }
    }
}

fn target(device: &RenderDevice, size_px: UVec2) -> Target {
    let texture = |label, format: TextureFormat| {
        device.create_texture(&TextureDescriptor {
            label: Some(label),
            size: size_px.to_extents(),
            mip_level_count: 1,
            sample_count: 1,
            dimension: TextureDimension::D2,
            format,
            usage: TextureUsages::RENDER_ATTACHMENT | TextureUsages::TEXTURE_BINDING,
            view_formats: &[],
        })
    };
    let textures = [texture("points color", COLOR_FORMAT), texture("points depth", DEPTH_FORMAT)];
    let [color, depth] = [0, 1].map(|index: usize| textures[index].create_view(&TextureViewDescriptor::default()));
    Target { size_px, color, depth, _textures: textures }
}

pub(super) fn bind_groups(
    mut commands: Commands,
    uniforms: Res<PointUniforms>,
    pipelines: Res<PointPipelines>,
    queued: Res<QueuedPoints>,
    cache: Res<PipelineCache>,
    device: Res<RenderDevice>,
    cameras: Query<(Entity, &PointTargets), With<PointCamera>>,
) {
    let (Some(frame), Some(shade), Some(runs)) = (uniforms.frame.binding(), uniforms.shade.binding(), &uniforms.runs) else { return };
    for draw in &queued.draws {
        let part = &draw.tile.parts[draw.part];
        part.bind_group.get_or_init(|| {
            device.create_bind_group(
                "points texture",
                &cache.get_bind_group_layout(&pipelines.texture_layout),
                &BindGroupEntries::single(&part.texture.create_view(&TextureViewDescriptor::default())),
            )
        });
    }
    for (entity, targets) in &cameras {
        let Some(own) = targets.of(&queued) else { continue };
        // The target of a movement is shown where the refined one has gaps, until that one is complete.
        let coarse = targets.moving.as_ref().filter(|_| queued.refining && !queued.complete);
        let part = uniforms.parts.binding().map(|binding| {
            device.create_bind_group(
                "points part",
                &cache.get_bind_group_layout(&pipelines.part_layout),
                &BindGroupEntries::single(binding),
            )
        });
        let shade = match coarse {
            None => device.create_bind_group(
                "points shading",
                &cache.get_bind_group_layout(&pipelines.shade_layouts[0]),
                &BindGroupEntries::sequential((shade.clone(), &own.color, &own.depth, &pipelines.nearest)),
            ),
            Some(coarse) => device.create_bind_group(
                "points shading of two targets",
                &cache.get_bind_group_layout(&pipelines.shade_layouts[1]),
                &BindGroupEntries::sequential((shade.clone(), &coarse.color, &coarse.depth, &pipelines.nearest, &own.color, &own.depth)),
            ),
        };
        commands.entity(entity).insert(PointBindGroups {
            frame: device.create_bind_group(
                "points frame",
                &cache.get_bind_group_layout(&pipelines.frame_layout),
                &BindGroupEntries::sequential((frame.clone(), &runs.view)),
            ),
            part,
            shade,
            refining: coarse.is_some(),
        });
    }
}
