//! The render pipelines and the layouts of their bind groups.

use bevy::asset::load_embedded_asset;
use bevy::core_pipeline::FullscreenShader;
use bevy::prelude::*;
use bevy::render::render_resource::binding_types::{sampler, texture_2d, uniform_buffer};
use bevy::render::render_resource::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntries, CachedRenderPipelineId, ColorTargetState, ColorWrites,
    CompareFunction, DepthStencilState, FragmentState, MultisampleState, PipelineCache, PipelineCompilationOptions,
    PipelineLayoutDescriptor, PrimitiveState, PrimitiveTopology, RawFragmentState, RawRenderPipelineDescriptor, RawVertexState,
    RenderPipeline, RenderPipelineDescriptor, Sampler, SamplerBindingType, SamplerDescriptor, ShaderStages, TextureFormat,
    TextureSampleType, VertexState,
};
use bevy::render::renderer::RenderDevice;
use bevy::render::view::ExtractedView;
use bevy::shader::ShaderDefVal;

use super::point_camera::PointCamera;
use super::point_size;
use super::progress::Progress;
use super::uniforms::{FrameUniform, PartUniform, ShadeUniform, Shape};

/// Colours are stored sRGB-encoded, as in the tiles; shading multiplies the encoded values.
pub const COLOR_FORMAT: TextureFormat = TextureFormat::Rgba8Unorm;
/// Reversed depth: 1 at the near plane, 0 at infinity.
pub const DEPTH_FORMAT: TextureFormat = TextureFormat::Depth32Float;

/// Pipelines and layouts.
#[derive(Resource)]
pub struct PointPipelines {
    /// Layout for points: the frame's uniform and the list of runs.
    pub frame_layout: BindGroupLayoutDescriptor,
    /// Layout for a part: its uniform, with a dynamic offset.
    pub part_layout: BindGroupLayoutDescriptor,
    /// Layout for the texture with a part's points.
    pub texture_layout: BindGroupLayoutDescriptor,
    /// Layouts for shading: its uniform, one target and the sampler; and the same with a second target that is being refined.
    pub shade_layouts: [BindGroupLayoutDescriptor; 2],
    /// Pipelines for points drawn as triangles of vertices: small ones, and discs in triangles. The first is not there where small points are drawn by
    /// `sprites`.
    triangles: [Option<CachedRenderPipelineId>; 2],
    /// Pipelines for points of the graphics card: small ones and discs. `None` where the graphics card's interface takes no size of points.
    sprites: Option<[RenderPipeline; 2]>,
    /// Pipelines for shading, in the order of the layouts, and the target format they were made for; `None` until that format is known.
    shade: Option<(TextureFormat, [CachedRenderPipelineId; 2])>,
    /// Sampler that takes the nearest pixel.
    pub nearest: Sampler,
    shade_shader: Handle<Shader>,
    fullscreen: VertexState,
}

impl PointPipelines {
    /// The pipeline for a way of drawing points, and the number of vertices of a point in it. `None` until it is compiled.
    pub fn points<'a>(&'a self, cache: &'a PipelineCache, shape: Shape) -> Option<(&'a RenderPipeline, u32)> {
        let triangle = |at: usize| Some((self.triangles[at].and_then(|id| cache.get_render_pipeline(id))?, 3));
        match (shape, &self.sprites) {
            (Shape::Small, Some([small, _])) => Some((small, 1)),
            (Shape::SmallDisc, Some([_, disc])) => Some((disc, 1)),
            (Shape::Small, None) => triangle(0),
            (Shape::SmallDisc | Shape::Disc, _) => triangle(1),
        }
    }

    /// The pipeline for shading, with or without a second target that is being refined.
    pub fn shade_pipeline(&self, refining: bool) -> Option<CachedRenderPipelineId> {
        self.shade.map(|(_, ids)| ids[usize::from(refining)])
    }

    fn shade_descriptor(&self, refining: bool, shader_defs: Vec<ShaderDefVal>, format: TextureFormat) -> RenderPipelineDescriptor {
        RenderPipelineDescriptor {
            label: Some("points shading".into()),
            layout: vec![self.shade_layouts[usize::from(refining)].clone()],
            vertex: self.fullscreen.clone(),
            fragment: Some(FragmentState {
                shader: self.shade_shader.clone(),
                shader_defs,
                entry_point: Some("fragment".into()),
                targets: vec![Some(target(format))],
            }),
            ..default()
        }
    }
}

pub(super) fn init(
    mut commands: Commands,
    assets: Res<AssetServer>,
    fullscreen: Res<FullscreenShader>,
    cache: Res<PipelineCache>,
    device: Res<RenderDevice>,
) {
    let shader = load_embedded_asset!(&*assets, "points.wgsl");
    let shade_shader = load_embedded_asset!(&*assets, "shade.wgsl");
    let frame_layout = BindGroupLayoutDescriptor::new(
        "points frame",
        &BindGroupLayoutEntries::sequential(
            ShaderStages::VERTEX_FRAGMENT,
            (uniform_buffer::<FrameUniform>(false), texture_2d(TextureSampleType::Uint)),
        ),
    );
    let part_layout = BindGroupLayoutDescriptor::new(
        "points part",
        &BindGroupLayoutEntries::single(ShaderStages::VERTEX, uniform_buffer::<PartUniform>(true)),
    );
    let texture_layout = BindGroupLayoutDescriptor::new(
        "points texture",
        &BindGroupLayoutEntries::single(ShaderStages::VERTEX, texture_2d(TextureSampleType::Uint)),
    );
    let unfilterable = || texture_2d(TextureSampleType::Float { filterable: false });
    let nearest = || sampler(SamplerBindingType::NonFiltering);
    let shade_layouts = [
        BindGroupLayoutDescriptor::new(
            "points shading",
            &BindGroupLayoutEntries::sequential(
                ShaderStages::FRAGMENT,
                (uniform_buffer::<ShadeUniform>(false), unfilterable(), unfilterable(), nearest()),
            ),
        ),
        BindGroupLayoutDescriptor::new(
            "points shading of two targets",
            &BindGroupLayoutEntries::sequential(
                ShaderStages::FRAGMENT,
                (uniform_buffer::<ShadeUniform>(false), unfilterable(), unfilterable(), nearest(), unfilterable(), unfilterable()),
            ),
        ),
    ];
    let sprites = if cfg!(target_arch = "wasm32") {
        let layouts = [&frame_layout, &part_layout, &texture_layout].map(|layout| cache.get_bind_group_layout(layout));
        sprites(&device, &layouts).inspect_err(|fault| error!("{fault}; points are drawn as triangles")).ok()
    } else {
        None
    };
    let triangles = [false, true].map(|discs| {
        if sprites.is_some() && !discs {
            return None;
        }
        let shader_defs: Vec<ShaderDefVal> = if discs { vec!["DISCS".into()] } else { vec![] };
        Some(cache.queue_render_pipeline(RenderPipelineDescriptor {
            label: Some("points".into()),
            layout: vec![frame_layout.clone(), part_layout.clone(), texture_layout.clone()],
            vertex: VertexState {
                shader: shader.clone(),
                shader_defs: shader_defs.clone(),
                entry_point: Some("vertex".into()),
                buffers: vec![],
            },
            primitive: PrimitiveState { topology: PrimitiveTopology::TriangleList, ..default() },
            depth_stencil: Some(depth_stencil()),
            fragment: Some(FragmentState {
                shader: shader.clone(),
                shader_defs,
                entry_point: Some("fragment".into()),
                targets: vec![Some(target(COLOR_FORMAT))],
            }),
            ..default()
        }))
    });
    commands.insert_resource(PointPipelines {
        frame_layout,
        part_layout,
        texture_layout,
        shade_layouts,
        triangles,
        sprites,
        shade: None,
        nearest: device.create_sampler(&SamplerDescriptor { label: Some("points nearest"), ..default() }),
        shade_shader,
        fullscreen: fullscreen.to_vertex_state(),
    });
}

/// Queues the pipelines that depend on the format of the camera's target, and records when all pipelines are compiled.
pub(super) fn specialize(
    mut pipelines: ResMut<PointPipelines>,
    cache: Res<PipelineCache>,
    progress: Res<Progress>,
    views: Query<&ExtractedView, With<PointCamera>>,
) {
    let Ok(view) = views.single() else { return };
    let format = view.target_format;
    if pipelines.shade.is_none_or(|(current, _)| current != format) {
        let ids = [false, true].map(|refining| {
            let mut shader_defs: Vec<ShaderDefVal> = Vec::new();
            if format.is_srgb() {
                shader_defs.push("SRGB_TARGET".into());
            }
            if refining {
                shader_defs.push("REFINING".into());
            }
            cache.queue_render_pipeline(pipelines.shade_descriptor(refining, shader_defs, format))
        });
        pipelines.shade = Some((format, ids));
    }
    let compiled = |id: CachedRenderPipelineId| cache.get_render_pipeline(id).is_some();
    if pipelines.triangles.into_iter().flatten().all(compiled) && pipelines.shade.is_some_and(|(_, ids)| ids.into_iter().all(compiled)) {
        progress.set_pipelines_ready();
    }
}

/// Queues the pipeline that writes the depth of pictures that are measured.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn specialize_depth(
    pipelines: Res<PointPipelines>,
    cache: Res<PipelineCache>,
    picture: Option<ResMut<super::depth_picture::DepthPicture>>,
) {
    let Some(mut picture) = picture.filter(|picture| picture.pipeline.is_none()) else { return };
    let descriptor = pipelines.shade_descriptor(false, vec!["DEPTH".into()], super::depth_picture::FORMAT);
    picture.pipeline = Some(cache.queue_render_pipeline(descriptor));
}

/// The pipelines for points of the graphics card.
fn sprites(device: &RenderDevice, layouts: &[BindGroupLayout]) -> Result<[RenderPipeline; 2], point_size::Fault> {
    let layouts: Vec<Option<&_>> = layouts.iter().map(|layout| Some(&**layout)).collect();
    let layout =
        device.create_pipeline_layout(&PipelineLayoutDescriptor { label: Some("points"), bind_group_layouts: &layouts, ..default() });
    let pipeline = |discs| -> Result<RenderPipeline, point_size::Fault> {
        let [vertex, fragment] = point_size::shaders(device, discs)?;
        Ok(device.create_render_pipeline(&RawRenderPipelineDescriptor {
            label: Some("points"),
            layout: Some(&layout),
            vertex: RawVertexState {
                module: &vertex,
                entry_point: Some("vertex"),
                compilation_options: PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: PrimitiveState { topology: PrimitiveTopology::PointList, ..default() },
            depth_stencil: Some(depth_stencil()),
            multisample: MultisampleState::default(),
            fragment: Some(RawFragmentState {
                module: &fragment,
                entry_point: Some("fragment"),
                compilation_options: PipelineCompilationOptions::default(),
                targets: &[Some(target(COLOR_FORMAT))],
            }),
            multiview_mask: None,
            cache: None,
        }))
    };
    Ok([pipeline(false)?, pipeline(true)?])
}

fn depth_stencil() -> DepthStencilState {
    DepthStencilState {
        format: DEPTH_FORMAT,
        depth_write_enabled: Some(true),
        depth_compare: Some(CompareFunction::Greater),
        stencil: default(),
        bias: default(),
    }
}

fn target(format: TextureFormat) -> ColorTargetState {
    ColorTargetState { format, blend: None, write_mask: ColorWrites::ALL }
}
