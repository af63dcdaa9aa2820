//! The full-screen pass that closes small gaps, applies eye-dome lighting and writes the camera's target.

use bevy::prelude::*;
use bevy::render::render_resource::{PipelineCache, RenderPassColorAttachment, RenderPassDescriptor, RenderPipeline};
use bevy::render::renderer::{RenderContext, ViewQuery};
use bevy::render::view::ViewTarget;

use super::pipeline::PointPipelines;
use super::prepare::PointBindGroups;

pub(super) fn shade(
    view: ViewQuery<(&ViewTarget, &PointBindGroups)>,
    pipelines: Res<PointPipelines>,
    cache: Res<PipelineCache>,
    mut context: RenderContext,
) {
    let (target, bind_groups) = view.into_inner();
    let Some(pipeline) = pipelines.shade_pipeline(bind_groups.refining).and_then(|id| cache.get_render_pipeline(id)) else { return };
    draw_full_screen(&mut context, "points shading", target.get_color_attachment(), pipeline, bind_groups);
}

/// Runs a shading pipeline for every pixel of a target.
fn draw_full_screen(
    context: &mut RenderContext,
    label: &'static str,
    attachment: RenderPassColorAttachment,
    pipeline: &RenderPipeline,
    bind_groups: &PointBindGroups,
) {
    let mut pass = context.begin_tracked_render_pass(RenderPassDescriptor {
        label: Some(label),
        color_attachments: &[Some(attachment)],
        depth_stencil_attachment: None,
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    });
    pass.set_render_pipeline(pipeline);
    pass.set_bind_group(0, &bind_groups.shade, &[]);
    pass.draw(0..3, 0..1);
}

/// Writes the depth of the picture, where it is measured.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn write_depth(
    view: ViewQuery<&PointBindGroups>,
    picture: Option<Res<super::depth_picture::DepthPicture>>,
    cache: Res<PipelineCache>,
    mut context: RenderContext,
) {
    use bevy::render::render_resource::Operations;

    let bind_groups = view.into_inner();
    let Some(picture) = picture.filter(|_| !bind_groups.refining) else { return };
    let Some(pipeline) = picture.pipeline.and_then(|id| cache.get_render_pipeline(id)) else { return };
    let attachment = RenderPassColorAttachment { view: &picture.view, depth_slice: None, resolve_target: None, ops: Operations::default() };
    draw_full_screen(&mut context, "points depth", attachment, pipeline, bind_groups);
}
