//! One picture without a window or an X server.
//!
//! The app draws into an image of its own and is stepped by hand until nothing more is wanted, the pipelines are
//! compiled and a few more frames have passed; then the image is read back. The same scan, camera and settings give
//! the same picture on the same driver.

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

/// Frames that must have wanted nothing more before the picture is taken.
const SETTLED_FRAMES: u32 = 4;
/// Frames measured for the frame time after the picture is complete.
const MEASURED_FRAMES: u32 = 5;

/// Draws one picture of `open` into the PNG file `path`; returns what was drawn.
pub fn take(arguments: &Arguments, open: OpenScan, settings: Settings, path: &Path) -> Result<ViewerState, Fault> {
    // The same picture on every machine, however long it takes.
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
    let late = |app: &App| {
        let status = app.world().resource::<StreamStatus>();
        Fault::storage(
            "screenshot_timeout",
            format!("the picture was not complete after {} s: {} tiles are missing", arguments.timeout, status.loading),
            "Give a longer --timeout, or a smaller --budget.",
        )
    };
    while !is_complete(&mut app) {
        app.update();
        if Instant::now() > deadline {
            return Err(late(&app));
        }
    }
    if app.world().resource::<StreamStatus>().drawn_points == 0
        && let Some((_, fault)) = app.world().resource::<ActiveScan>().residency.given_up().first()
    {
        return Err((*fault).clone());
    }
    let start = Instant::now();
    for _ in 0..MEASURED_FRAMES {
        app.update();
    }
    let frame_ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(MEASURED_FRAMES);
    let image = loop_until_captured(&mut app, target, deadline).ok_or_else(|| late(&app))?;
    save(image, path)?;
    let mut state = app.world().resource::<ViewerState>().clone();
    state.frame_ms = frame_ms;
    Ok(state)
}

/// Whether all that is wanted is drawn, and a walker has found the floor or there is none.
fn is_complete(app: &mut App) -> bool {
    let world = app.world_mut();
    let settled = world.resource::<StreamStatus>().settled_frames >= SETTLED_FRAMES && world.resource::<PipelinesReady>().get();
    let mut rigs = world.query::<&Rig>();
    let stands = rigs.iter(world).all(|rig| rig.mode != Mode::Walk || rig.walker.foot_m.is_some() || rig.walker.no_floor_s > 0.0);
    // A walker who has just found the floor looks from another height than the tiles were chosen for.
    settled && stands
}

fn target(app: &mut App, size: UVec2) -> Handle<Image> {
    let mut image = Image::new_target_texture(size.x, size.y, TextureFormat::Rgba8UnormSrgb, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    image.asset_usage = RenderAssetUsages::default();
    app.world_mut().resource_mut::<Assets<Image>>().add(image)
}

fn loop_until_captured(app: &mut App, target: Handle<Image>, deadline: Instant) -> Option<Image> {
    let (sender, captured) = channel();
    app.world_mut().spawn(Screenshot::image(target)).observe(move |event: On<ScreenshotCaptured>| {
        // Only the first is waited for.
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
    let picture = image
        .try_into_dynamic()
        .map_err(|error| Fault::internal("screenshot", format!("the picture cannot be read back: {error}"), "Please report this."))?;
    let mut png = std::io::Cursor::new(Vec::new());
    picture
        .to_rgb8()
        .write_to(&mut png, image::ImageFormat::Png)
        .map_err(|error| Fault::internal("screenshot", format!("the picture cannot be encoded: {error}"), "Please report this."))?;
    std::fs::write(path, png.into_inner()).map_err(|error| {
        Fault::storage("io", format!("failed to write {}: {error}", path.display()), "Check that the folder exists and may be written to.")
    })
}
