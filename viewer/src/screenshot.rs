//! Drawing one picture without a window or a display.
//!
//! The app draws into an image. Frames are run one by one until all selected tiles are loaded, the pipelines are compiled
//! and a few more frames have passed; then the image is read back. The same scan, camera and settings give the same
//! picture on the same driver.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Instant;

use bevy::app::PluginsState;
use bevy::asset::RenderAssetUsages;
use bevy::image::Image;
use bevy::math::UVec2;
use bevy::prelude::*;
use bevy::render::render_resource::{TextureFormat, TextureUsages};
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};

use crate::app::{offscreen_app, spawn_offscreen_camera};
use crate::cli::Arguments;
use crate::fault::Fault;
use crate::points::ready::PipelinesReady;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::source::OpenScan;
use crate::state::ViewerState;
use crate::stream::active_scan::ActiveScan;
use crate::stream::status::StreamStatus;

/// Number of successive frames without missing tiles before the picture is taken.
const SETTLED_FRAMES: u32 = 4;
/// Number of frames over which the frame time is measured after the picture is complete.
const MEASURED_FRAMES: u32 = 5;

/// Draws one picture of `open` and writes it to the PNG file `path`; returns the state of the last frame.
pub fn draw_picture(arguments: &Arguments, open: OpenScan, settings: Settings, path: &Path) -> Result<ViewerState, Fault> {
    // The same number of points on every machine, however slow it is.
    let settings = Settings { adapt: false, ..settings };
    let cache_bytes = settings.cache_bytes;
    let mut app = offscreen_app(settings, arguments.panel);
    app.insert_resource(ActiveScan::new(open, cache_bytes)).insert_resource(arguments.start_view());
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
    let target = target(&mut app, arguments.size);
    spawn_offscreen_camera(app.world_mut(), target.clone());

    let deadline = Instant::now() + arguments.time_limit();
    let timeout_fault = |app: &App| {
        let status = app.world().resource::<StreamStatus>();
        Fault::storage(
            "screenshot_timeout",
            format!("the picture was not complete after {} s: {} tiles are still loading", arguments.timeout, status.loading),
            "Give a longer --timeout, or a smaller --budget.",
        )
    };
    while !is_complete(&mut app) {
        app.update();
        if Instant::now() > deadline {
            return Err(timeout_fault(&app));
        }
    }
    if app.world().resource::<StreamStatus>().drawn_points == 0
        && let Some((_, fault)) = app.world().resource::<ActiveScan>().residency.failed_tiles().first()
    {
        return Err((*fault).clone());
    }
    let start = Instant::now();
    for _ in 0..MEASURED_FRAMES {
        app.update();
    }
    let frame_ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(MEASURED_FRAMES);
    let image = capture(&mut app, target, deadline).ok_or_else(|| timeout_fault(&app))?;
    save(image, path)?;
    let mut state = app.world().resource::<ViewerState>().clone();
    state.frame_ms = frame_ms;
    Ok(state)
}

/// Whether all selected tiles are drawn, and a walker has found a floor or found that there is none.
fn is_complete(app: &mut App) -> bool {
    let world = app.world_mut();
    let settled = world.resource::<StreamStatus>().settled_frames >= SETTLED_FRAMES && world.resource::<PipelinesReady>().get();
    let mut rigs = world.query::<&Rig>();
    let floor_search_ended =
        rigs.iter(world).all(|rig| rig.mode != Mode::Walk || rig.walker.foot_height_m.is_some() || rig.walker.no_floor_message_s > 0.0);
    // Where the floor was found in this frame, the eye moved before tiles were selected: `settled_frames` already counts anew.
    settled && floor_search_ended
}

fn target(app: &mut App, size: UVec2) -> Handle<Image> {
    let mut image = Image::new_target_texture(size.x, size.y, TextureFormat::Rgba8UnormSrgb, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    image.asset_usage = RenderAssetUsages::default();
    app.world_mut().resource_mut::<Assets<Image>>().add(image)
}

fn capture(app: &mut App, target: Handle<Image>, deadline: Instant) -> Option<Image> {
    let (sender, captured) = channel();
    app.world_mut().spawn(Screenshot::image(target)).observe(move |event: On<ScreenshotCaptured>| {
        // Only the first picture is received; sending a later one fails.
        let _ = sender.send(event.image.clone());
    });
    while Instant::now() <= deadline {
        app.update();
        if let Ok(image) = captured.try_recv() {
            return Some(image);
        }
    }
    None
}

fn save(image: Image, path: &Path) -> Result<(), Fault> {
    let picture = image.try_into_dynamic().map_err(|error| {
        Fault::internal("screenshot", format!("the picture cannot be read from the graphics card: {error}"), "Please report this error.")
    })?;
    let mut png = std::io::Cursor::new(Vec::new());
    picture.to_rgb8().write_to(&mut png, image::ImageFormat::Png).map_err(|error| {
        Fault::internal("screenshot", format!("the picture cannot be encoded as PNG: {error}"), "Please report this error.")
    })?;
    std::fs::write(path, png.into_inner()).map_err(|error| {
        Fault::storage(
            "io",
            format!("failed to write {}: {error}", path.display()),
            "Check that the folder exists and that you may write to it.",
        )
    })
}
