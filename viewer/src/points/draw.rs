//! The render pass that draws the points of all queued parts into a colour and a depth texture.

use bevy::color::LinearRgba;
use bevy::prelude::*;
use bevy::render::render_resource::{
    LoadOp, Operations, PipelineCache, RenderPassColorAttachment, RenderPassDepthStencilAttachment, RenderPassDescriptor, StoreOp,
};
use bevy::render::renderer::{RenderContext, ViewQuery};

use super::pipeline::PointPipelines;
use super::prepare::{PointBindGroups, PointTextures, PointUniforms};
use super::queue::QueuedPoints;

pub(super) fn draw(
    view: ViewQuery<(&PointTextures, &PointBindGroups)>,
    queued: Res<QueuedPoints>,
    uniforms: Res<PointUniforms>,
    pipelines: Res<PointPipelines>,
    cache: Res<PipelineCache>,
    mut context: RenderContext,
) {
    let (textures, bind_groups) = view.into_inner();
    let mut pass = context.begin_tracked_render_pass(RenderPassDescriptor {
        label: Some("points"),
        color_attachments: &[Some(RenderPassColorAttachment {
            view: &textures.color.default_view,
            depth_slice: None,
            resolve_target: None,
            ops: Operations { load: LoadOp::Clear(LinearRgba::NONE.into()), store: StoreOp::Store },
        })],
        depth_stencil_attachment: Some(RenderPassDepthStencilAttachment {
            view: &textures.depth.default_view,
            depth_ops: Some(Operations { load: LoadOp::Clear(0.0), store: StoreOp::Store }),
            stencil_ops: None,
        }),
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    });
    let Some(part_bind_group) = &bind_groups.part else { return };
    let [plain, with_extras] = pipelines.points.map(|id| cache.get_render_pipeline(id));
    pass.set_bind_group(0, &bind_groups.frame, &[]);
    for (queued, offset) in queued.parts.iter().zip(&uniforms.offsets) {
        let part = &queued.tile.parts[queued.part];
        let pipeline = if part.extras.is_some() { with_extras } else { plain };
        let Some(pipeline) = pipeline else { continue };
        pass.set_render_pipeline(pipeline);
        pass.set_bind_group(1, part_bind_group, &[*offset]);
        pass.set_vertex_buffer(0, part.vertices.slice(..));
        if let Some(extras) = &part.extras {
            pass.set_vertex_buffer(1, extras.slice(..));
        }
        pass.draw(0..4, 0..part.count);
    }
}
