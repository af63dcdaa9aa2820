//! The full-screen pass that closes small gaps, applies eye-dome lighting and writes the camera's target.

use bevy::prelude::*;
use bevy::render::render_resource::{PipelineCache, RenderPassDescriptor};
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
    let mut pass = context.begin_tracked_render_pass(RenderPassDescriptor {
        label: Some("points shading"),
        color_attachments: &[Some(target.get_color_attachment())],
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
    use bevy::render::render_resource::{Operations, RenderPassColorAttachment};

    let bind_groups = view.into_inner();
    let Some(picture) = picture.filter(|_| !bind_groups.refining) else { return };
    let Some(pipeline) = picture.pipeline.and_then(|id| cache.get_render_pipeline(id)) else { return };
    let mut pass = context.begin_tracked_render_pass(RenderPassDescriptor {
        label: Some("points depth"),
        color_attachments: &[Some(RenderPassColorAttachment {
            view: &picture.view,
            depth_slice: None,
            resolve_target: None,
            ops: Operations::default(),
        })],
        depth_stencil_attachment: None,
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    });
    pass.set_render_pipeline(pipeline);
    pass.set_bind_group(0, &bind_groups.shade, &[]);
    pass.draw(0..3, 0..1);
}
