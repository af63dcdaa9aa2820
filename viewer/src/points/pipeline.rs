//! The render pipelines and their layouts.

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

/// Colours as the tiles have them, sRGB-encoded: shading multiplies them as they are.
pub const COLOR_FORMAT: TextureFormat = TextureFormat::Rgba8Unorm;
/// Reversed depth.
pub const DEPTH_FORMAT: TextureFormat = TextureFormat::Depth32Float;

/// Layouts and pipelines.
#[derive(Resource)]
pub struct PointPipelines {
    /// The frame's uniform, for points.
    pub frame_layout: BindGroupLayoutDescriptor,
    /// A part's uniform, with a dynamic offset.
    pub part_layout: BindGroupLayoutDescriptor,
    /// The frame's uniform, the two textures and the sampler, for eye-dome lighting.
    pub edl_layout: BindGroupLayoutDescriptor,
    /// Points without and with intensity.
    pub points: [CachedRenderPipelineId; 2],
    /// Eye-dome lighting, once the target's format is known.
    pub edl: Option<(TextureFormat, CachedRenderPipelineId)>,
    /// Takes the nearest pixel.
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

/// Queues the pipeline that depends on the camera's target, and tells when all are compiled.
pub(super) fn specialize(
    mut pipelines: ResMut<PointPipelines>,
    cache: Res<PipelineCache>,
    ready: Res<PipelinesReady>,
    views: Query<&ExtractedView, With<PointCamera>>,
) {
    let Ok(view) = views.single() else { return };
    let format = view.target_format;
    if pipelines.edl.is_none_or(|(known, _)| known != format) {
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

/// One instance a point, as `glb::Vertex` and `glb::Extra` lie in memory.
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
