//! The renderer of points: draw data in, pixels out. It knows nothing of streaming, cameras' modes, input or settings.
//!
//! [`data::DrawData`] in the main world says what to draw: tiles on the graphics card ([`gpu_tile`]), how many points of each, from where, and how
//! they look. In the render world, [`refine`] decides which points this frame draws, [`uniforms`] computes each part's matrix in f64 from the eye,
//! [`prepare`] writes uniforms and targets, [`draw`] draws the points, and [`shade`] closes gaps, shades edges and writes the camera's target.
//!
//! **Points.** A tile's points are texels of an integer texture. One draw call draws all points of a part as triangles: the vertex shader reads the
//! point from the number of the vertex. There are no vertex buffers and no instances, because an instance of a few vertices costs many times as much
//! as the vertices themselves, on software drivers and on real graphics cards. In the browser, points are
//! the graphics card's own, with one vertex each ([`point_size`]), except large ones. WebGL2 has neither storage buffers nor compute shaders, so that none are used.
//!
//! **Two targets.** While the camera moves, each frame draws its points anew into the first target. When it stands still,
//! the points of finer and finer tiles are added to the second, a few in each frame; what has been drawn is not drawn again. Until all are
//! there, the picture shows the first target where the second has gaps.
//!
//! To use the renderer, add [`RenderPlugin`], put a [`PointCamera`] on the camera, and fill [`data::DrawData`].

pub mod data;
#[cfg(not(target_arch = "wasm32"))]
pub mod depth_picture;
pub mod draw;
pub mod gpu_tile;
pub mod pipeline;
pub mod point_camera;
pub mod point_size;
pub mod prepare;
pub mod progress;
pub mod refine;
pub mod shade;
pub mod uniforms;

use bevy::asset::embedded_asset;
use bevy::core_pipeline::core_3d::main_transparent_pass_3d;
use bevy::core_pipeline::schedule::{Core3d, Core3dSystems};
use bevy::prelude::*;
use bevy::render::extract_component::ExtractComponentPlugin;
use bevy::render::extract_resource::ExtractResourcePlugin;
use bevy::render::{Render, RenderApp, RenderStartup, RenderSystems};

use self::point_camera::PointCamera;
use self::progress::Progress;

/// Adds the renderer.
pub struct RenderPlugin;

impl Plugin for RenderPlugin {
    fn build(&self, app: &mut App) {
        embedded_asset!(app, "render/points.wgsl");
        embedded_asset!(app, "render/shade.wgsl");
        let progress = Progress::default();
        app.add_plugins((ExtractComponentPlugin::<PointCamera>::default(), ExtractResourcePlugin::<data::DrawData>::default()))
            .init_resource::<data::DrawData>()
            .insert_resource(progress.clone());
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else { return };
        render_app
            .insert_resource(progress)
            .init_resource::<refine::Refinement>()
            .init_resource::<uniforms::QueuedPoints>()
            .init_resource::<prepare::PointUniforms>()
            .add_systems(RenderStartup, pipeline::init)
            .add_systems(
                Render,
                (
                    pipeline::specialize.in_set(RenderSystems::Queue),
                    uniforms::queue.in_set(RenderSystems::Queue).after(pipeline::specialize),
                    prepare::textures.in_set(RenderSystems::PrepareResources),
                    prepare::uniforms.in_set(RenderSystems::PrepareResources),
                    prepare::bind_groups.in_set(RenderSystems::PrepareBindGroups),
                ),
            )
            .add_systems(Core3d, (draw::draw, shade::shade).chain().after(main_transparent_pass_3d).in_set(Core3dSystems::MainPass));
        #[cfg(not(target_arch = "wasm32"))]
        render_app
            .add_systems(Render, pipeline::specialize_depth.in_set(RenderSystems::Queue))
            .add_systems(Core3d, shade::write_depth.after(shade::shade).in_set(Core3dSystems::MainPass));
    }
}
