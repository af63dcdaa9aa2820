//! The render pass that draws the queued points into a target.

use std::sync::atomic::Ordering;

use bevy::color::LinearRgba;
use bevy::prelude::*;
use bevy::render::render_resource::{
    LoadOp, Operations, PipelineCache, RenderPassColorAttachment, RenderPassDepthStencilAttachment, RenderPassDescriptor, StoreOp,
};
use bevy::render::renderer::{RenderContext, ViewQuery};

use parterre_decode::runs::RUN_POINTS;

use super::pipeline::PointPipelines;
use super::prepare::{PointBindGroups, PointTargets, PointUniforms};
use super::uniforms::QueuedPoints;

pub(super) fn draw(
    view: ViewQuery<(&PointTargets, &PointBindGroups)>,
    queued: Res<QueuedPoints>,
    uniforms: Res<PointUniforms>,
    pipelines: Res<PointPipelines>,
    cache: Res<PipelineCache>,
    mut context: RenderContext,
) {
    let (targets, bind_groups) = view.into_inner();
    let Some(target) = targets.of(&queued) else { return };
    if queued.draws.is_empty() && !queued.clear {
        return;
    }
    let (color_load, depth_load) =
        if queued.clear { (LoadOp::Clear(LinearRgba::NONE.into()), LoadOp::Clear(0.0)) } else { (LoadOp::Load, LoadOp::Load) };
    let mut pass = context.begin_tracked_render_pass(RenderPassDescriptor {
        label: Some("points"),
        color_attachments: &[Some(RenderPassColorAttachment {
            view: &target.color,
            depth_slice: None,
            resolve_target: None,
            ops: Operations { load: color_load, store: StoreOp::Store },
        })],
        depth_stencil_attachment: Some(RenderPassDepthStencilAttachment {
            view: &target.depth,
            depth_ops: Some(Operations { load: depth_load, store: StoreOp::Store }),
            stencil_ops: None,
        }),
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    });
    queued.drawn.store(true, Ordering::Relaxed);
    let Some(part_bind_group) = &bind_groups.part else { return };
    pass.set_bind_group(0, &bind_groups.frame, &[]);
    for (draw, offset) in queued.draws.iter().zip(&uniforms.offsets) {
        let Some(texture) = draw.tile.parts[draw.part].bind_group.get() else { continue };
        let Some((pipeline, vertices)) = pipelines.points(&cache, draw.shape) else { continue };
        pass.set_render_pipeline(pipeline);
        pass.set_bind_group(1, part_bind_group, &[*offset]);
        pass.set_bind_group(2, texture, &[]);
        pass.draw(0..draw.runs * RUN_POINTS * vertices, 0..1);
    }
}
