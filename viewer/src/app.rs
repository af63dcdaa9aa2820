//! Assembly of the app: the same plugins for a window, a web page and a picture without a window.

use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::window::PresentMode;

use crate::camera::CameraPlugin;
use crate::idle::IdlePlugin;
use crate::input::InputPlugin;
#[cfg(not(target_arch = "wasm32"))]
use crate::pace::Pace;
use crate::render::RenderPlugin as PointRenderPlugin;
use crate::render::data::BACKGROUND;
use crate::render::point_camera::PointCamera;
use crate::rig::Rig;
use crate::scene::ScenePlugin;
use crate::settings::Settings;
use crate::state::StatePlugin;
use crate::stream::StreamPlugin;
use crate::stream::scans::Scans;
use crate::tools::ToolsPlugin;
use crate::ui::UiPlugin;
use crate::ui::frame_time::FrameTimePlugin;

/// All plugins of the viewer except bevy's own, the user interface and the camera.
struct ViewerPlugins;

impl Plugin for ViewerPlugins {
    fn build(&self, app: &mut App) {
        let [red, green, blue] = BACKGROUND;
        let cache_bytes = app.world_mut().get_resource_or_init::<Settings>().cache_bytes;
        app.insert_resource(ClearColor(Color::srgb(red, green, blue))).insert_resource(Scans::new(cache_bytes)).add_plugins((
            PointRenderPlugin,
            StreamPlugin,
            ScenePlugin,
            InputPlugin,
            ToolsPlugin,
            CameraPlugin,
            FrameTimePlugin,
            StatePlugin,
        ));
    }
}

/// The camera's components. Multisampling, tone mapping and dithering are off: they would change the points' colours.
fn camera() -> impl Bundle {
    (Camera3d::default(), Msaa::Off, Tonemapping::None, DebandDither::Disabled, PointCamera, Rig::default())
}

fn log_plugin() -> LogPlugin {
    LogPlugin {
        level: bevy::log::Level::WARN,
        filter: "wgpu=error,naga=error,bevy_egui=error,bevy_render=error,bevy_core_pipeline=error".into(),
        ..default()
    }
}

/// An app in a window of `size` pixels, or in the canvas of a web page.
pub fn window_app(title: &str, settings: Settings, size: Option<UVec2>) -> App {
    let mut app = App::new();
    let window = Window {
        title: format!("{title} – Parterre"),
        // Vertical synchronization blocks on software drivers.
        present_mode: if cfg!(target_arch = "wasm32") { PresentMode::AutoVsync } else { PresentMode::AutoNoVsync },
        canvas: cfg!(target_arch = "wasm32").then(|| "#parterre-canvas".into()),
        fit_canvas_to_parent: true,
        resolution: size.map(Into::into).unwrap_or_default(),
        ..default()
    };
    app.add_plugins(DefaultPlugins.set(WindowPlugin { primary_window: Some(window), ..default() }).set(log_plugin()))
        .insert_resource(settings)
        .add_plugins((ViewerPlugins, UiPlugin, IdlePlugin))
        .add_systems(Startup, |mut commands: Commands| {
            commands.spawn(camera());
        });
    app
}

/// An app without a window, for drawing into an image; see `screenshot`. `panel`: whether the user interface is drawn.
#[cfg(not(target_arch = "wasm32"))]
pub fn offscreen_app(settings: Settings, panel: bool) -> App {
    use bevy::render::RenderPlugin;
    use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
    use bevy::window::ExitCondition;
    use bevy::winit::WinitPlugin;

    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() })
            .set(log_plugin())
            .disable::<WinitPlugin>()
            .disable::<PipelinedRenderingPlugin>(),
    )
    .insert_resource(settings)
    .insert_resource(Pace::whole())
    .add_plugins(ViewerPlugins);
    if panel {
        app.add_plugins(UiPlugin);
    }
    app
}

/// Adds a camera that draws into the image `target`.
#[cfg(not(target_arch = "wasm32"))]
pub fn spawn_offscreen_camera(world: &mut World, target: Handle<Image>) {
    world.spawn((camera(), bevy::camera::RenderTarget::Image(target.into())));
}
