//! The point renderer: instanced quads directly from the tiles' quantized vertices, then eye-dome lighting.
//!
//! A tile's vertices (12 bytes per point, and 4 more with intensity) are uploaded once, after it was loaded ([`upload`]). In
//! the main world, [`extract::DrawList`] lists the tiles of a frame; [`extract`] copies it to the render world, [`queue`]
//! computes each part's matrix in f64 from the camera, [`prepare`] writes the uniforms and the target textures, [`draw`]
//! expands every point to a quad, and [`edl`] shades the picture and writes it to the camera's target.
//!
//! WebGL2 has neither storage buffers nor compute shaders, so that none are used. To use the renderer, add [`PointsPlugin`],
//! and put a [`PointCamera`] on the camera.

pub mod density;
pub mod draw;
pub mod edl;
pub mod extract;
pub mod pipeline;
pub mod point_camera;
pub mod prepare;
pub mod queue;
pub mod ready;
pub mod spacing;
pub mod upload;

use bevy::asset::embedded_asset;
use bevy::core_pipeline::core_3d::main_transparent_pass_3d;
use bevy::core_pipeline::schedule::{Core3d, Core3dSystems};
use bevy::prelude::*;
use bevy::render::extract_component::ExtractComponentPlugin;
use bevy::render::{ExtractSchedule, Render, RenderApp, RenderStartup, RenderSystems};

use self::point_camera::PointCamera;
use self::ready::PipelinesReady;

/// Adds the point renderer.
pub struct PointsPlugin;

impl Plugin for PointsPlugin {
    fn build(&self, app: &mut App) {
        embedded_asset!(app, "points/points.wgsl");
        embedded_asset!(app, "points/edl.wgsl");
        let ready = PipelinesReady::default();
        app.add_plugins(ExtractComponentPlugin::<PointCamera>::default())
            .init_resource::<extract::DrawList>()
            .insert_resource(ready.clone());
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else { return };
        render_app
            .insert_resource(ready)
            .init_resource::<extract::ExtractedPoints>()
            .init_resource::<queue::QueuedPoints>()
            .init_resource::<prepare::PointUniforms>()
            .add_systems(RenderStartup, pipeline::init)
            .add_systems(ExtractSchedule, extract::extract)
            .add_systems(
                Render,
                (
                    pipeline::specialize.in_set(RenderSystems::Queue),
                    queue::queue.in_set(RenderSystems::Queue),
                    prepare::textures.in_set(RenderSystems::PrepareResources),
                    prepare::uniforms.in_set(RenderSystems::PrepareResources),
                    prepare::bind_groups.in_set(RenderSystems::PrepareBindGroups),
                ),
            )
            .add_systems(Core3d, (draw::draw, edl::edl).chain().after(main_transparent_pass_3d).in_set(Core3dSystems::MainPass));
    }
}
