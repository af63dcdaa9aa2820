//! The render pipelines and the layouts of their bind groups.

use bevy::asset::load_embedded_asset;
use bevy::core_pipeline::FullscreenShader;
use bevy::mesh::VertexBufferLayout;
use bevy::prelude::*;
use bevy::render::render_resource::binding_types::{sampler, texture_2d, uniform_buffer};
use bevy::render::render_resource::{
    BindGroupLayoutDescriptor, BindGroupLayoutEntries, CachedRenderPipelineId, ColorTargetState, ColorWrites, CompareFunction,
    DepthStencilState, FragmentState, PipelineCache, PrimitiveState, PrimitiveTopology, RenderPipelineDescriptor, Sampler,
    SamplerBindingType, SamplerDescriptor, ShaderStages, TextureFormat, TextureSampleType, VertexAttribute, VertexFormat, VertexState,
    VertexStepMode,
};
use bevy::render::renderer::RenderDevice;
use bevy::render::view::ExtractedView;
use parterre_tile::glb;

use super::point_camera::PointCamera;
use super::queue::{FrameUniform, PartUniform};
use super::ready::PipelinesReady;

/// Colours are stored sRGB-encoded, as in the tiles; shading multiplies the encoded values.
pub const COLOR_FORMAT: TextureFormat = TextureFormat::Rgba8Unorm;
/// Reversed depth: 1 at the near plane, 0 at infinity.
pub const DEPTH_FORMAT: TextureFormat = TextureFormat::Depth32Float;

/// Pipelines and layouts.
#[derive(Resource)]
pub struct PointPipelines {
    /// Layout for points: the frame's uniform.
    pub frame_layout: BindGroupLayoutDescriptor,
    /// Layout for a part: its uniform, with a dynamic offset.
    pub part_layout: BindGroupLayoutDescriptor,
    /// Layout for eye-dome lighting: the frame's uniform, the two textures and the sampler.
    pub edl_layout: BindGroupLayoutDescriptor,
    /// Pipelines for points without and with intensity.
    pub points: [CachedRenderPipelineId; 2],
    /// Pipeline for eye-dome lighting and the target format it was made for; `None` until that format is known.
    pub edl: Option<(TextureFormat, CachedRenderPipelineId)>,
    /// Sampler that takes the nearest pixel.
    pub nearest: Sampler,
    edl_shader: Handle<Shader>,
    fullscreen: VertexState,
}

pub(super) fn init(
    mut commands: Commands,
    assets: Res<AssetServer>,
    fullscreen: Res<FullscreenShader>,
    cache: Res<PipelineCache>,
    device: Res<RenderDevice>,
) {
    let shader = load_embedded_asset!(&*assets, "points.wgsl");
    let edl_shader = load_embedded_asset!(&*assets, "edl.wgsl");
    let frame_layout = BindGroupLayoutDescriptor::new(
        "points frame",
        &BindGroupLayoutEntries::single(ShaderStages::VERTEX_FRAGMENT, uniform_buffer::<FrameUniform>(false)),
    );
    let part_layout = BindGroupLayoutDescriptor::new(
        "points part",
        &BindGroupLayoutEntries::single(ShaderStages::VERTEX, uniform_buffer::<PartUniform>(true)),
    );
    let unfilterable = || texture_2d(TextureSampleType::Float { filterable: false });
    let edl_layout = BindGroupLayoutDescriptor::new(
        "points edl",
        &BindGroupLayoutEntries::sequential(
            ShaderStages::FRAGMENT,
            (uniform_buffer::<FrameUniform>(false), unfilterable(), unfilterable(), sampler(SamplerBindingType::NonFiltering)),
        ),
    );
    let points = [false, true].map(|extras| {
        cache.queue_render_pipeline(RenderPipelineDescriptor {
            label: Some("points".into()),
            layout: vec![frame_layout.clone(), part_layout.clone()],
            vertex: VertexState {
                shader: shader.clone(),
                shader_defs: if extras { vec!["EXTRAS".into()] } else { vec![] },
                entry_point: Some("vertex".into()),
                buffers: vertex_buffers(extras),
            },
            primitive: PrimitiveState { topology: PrimitiveTopology::TriangleStrip, ..default() },
            depth_stencil: Some(DepthStencilState {
                format: DEPTH_FORMAT,
                depth_write_enabled: Some(true),
                depth_compare: Some(CompareFunction::Greater),
                stencil: default(),
                bias: default(),
            }),
            fragment: Some(FragmentState {
                shader: shader.clone(),
                shader_defs: if extras { vec!["EXTRAS".into()] } else { vec![] },
                entry_point: Some("fragment".into()),
                targets: vec![Some(target(COLOR_FORMAT))],
            }),
            ..default()
        })
    });
    commands.insert_resource(PointPipelines {
        frame_layout,
        part_layout,
        edl_layout,
        points,
        edl: None,
        nearest: device.create_sampler(&SamplerDescriptor { label: Some("points nearest"), ..default() }),
        edl_shader,
        fullscreen: fullscreen.to_vertex_state(),
    });
}

/// Queues the pipeline that depends on the format of the camera's target, and records when all pipelines are compiled.
pub(super) fn specialize(
    mut pipelines: ResMut<PointPipelines>,
    cache: Res<PipelineCache>,
    ready: Res<PipelinesReady>,
    views: Query<&ExtractedView, With<PointCamera>>,
) {
    let Ok(view) = views.single() else { return };
    let format = view.target_format;
    if pipelines.edl.is_none_or(|(current, _)| current != format) {
        let id = cache.queue_render_pipeline(RenderPipelineDescriptor {
            label: Some("points edl".into()),
            layout: vec![pipelines.edl_layout.clone()],
            vertex: pipelines.fullscreen.clone(),
            fragment: Some(FragmentState {
                shader: pipelines.edl_shader.clone(),
                shader_defs: if format.is_srgb() { vec!["SRGB_TARGET".into()] } else { vec![] },
                entry_point: Some("fragment".into()),
                targets: vec![Some(target(format))],
            }),
            ..default()
        });
        pipelines.edl = Some((format, id));
    }
    let compiled = |id: CachedRenderPipelineId| cache.get_render_pipeline(id).is_some();
    if pipelines.points.into_iter().all(compiled) && pipelines.edl.is_some_and(|(_, id)| compiled(id)) {
        ready.set();
    }
}

fn target(format: TextureFormat) -> ColorTargetState {
    ColorTargetState { format, blend: None, write_mask: ColorWrites::ALL }
}

/// One instance per point, in the memory layout of `glb::Vertex` and `glb::Extra`.
fn vertex_buffers(extras: bool) -> Vec<VertexBufferLayout> {
    let attribute = |format, offset, shader_location| VertexAttribute { format, offset, shader_location };
    let mut buffers = vec![VertexBufferLayout {
        array_stride: size_of::<glb::Vertex>() as u64,
        step_mode: VertexStepMode::Instance,
        attributes: vec![attribute(VertexFormat::Unorm16x4, 0, 0), attribute(VertexFormat::Unorm8x4, 8, 1)],
    }];
    if extras {
        buffers.push(VertexBufferLayout {
            array_stride: size_of::<glb::Extra>() as u64,
            step_mode: VertexStepMode::Instance,
            attributes: vec![attribute(VertexFormat::Uint16x2, 0, 2)],
        });
    }
    buffers
}
