//! The full-screen pass that closes small gaps, applies eye-dome lighting and writes the camera's target.

use bevy::prelude::*;
use bevy::render::render_resource::{PipelineCache, RenderPassDescriptor};
use bevy::render::renderer::{RenderContext, ViewQuery};
use bevy::render::view::ViewTarget;

use super::pipeline::PointPipelines;
use super::prepare::PointBindGroups;

pub(super) fn edl(
    view: ViewQuery<(&ViewTarget, &PointBindGroups)>,
    pipelines: Res<PointPipelines>,
    cache: Res<PipelineCache>,
    mut context: RenderContext,
) {
    let (target, bind_groups) = view.into_inner();
    let Some(pipeline) = pipelines.edl.and_then(|(_, id)| cache.get_render_pipeline(id)) else { return };
    let mut pass = context.begin_tracked_render_pass(RenderPassDescriptor {
        label: Some("points edl"),
        color_attachments: &[Some(target.get_color_attachment())],
        depth_stencil_attachment: None,
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    });
    pass.set_render_pipeline(pipeline);
    pass.set_bind_group(0, &bind_groups.edl, &[]);
    pass.draw(0..3, 0..1);
}
