//! Drawing pictures without a window or a display: one, or one for each of a list of views.
//!
//! The app draws into an image. Frames are run one by one until all selected tiles are loaded, the pipelines are compiled
//! and a few more frames have passed; then the image is read back. The same scans, camera and settings give the same
//! picture on the same driver.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Instant;

use bevy::app::PluginsState;
use bevy::asset::RenderAssetUsages;
use bevy::image::Image;
use bevy::math::{DVec3, UVec2};
use bevy::prelude::*;
use bevy::render::render_resource::{TextureFormat, TextureUsages};
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};

use crate::app::{offscreen_app, spawn_offscreen_camera};
use crate::camera::request::CameraRequest;
use crate::cli::Arguments;
use crate::fault::Fault;
use crate::render::depth_picture::DepthPicture;
use crate::render::progress::Progress;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::state::ViewerState;
use crate::stream::scans::{Opened, Scans};
use crate::stream::status::StreamStatus;

/// Number of successive frames without missing tiles before the picture is taken.
const SETTLED_FRAMES: u32 = 4;
/// Number of frames over which the frame time is measured after the picture is complete.
const MEASURED_FRAMES: u32 = 5;

/// A view of which a picture is drawn.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct PictureView {
    /// Name of the picture's files.
    name: String,
    /// Eye and target: `[ex, ey, ez, tx, ty, tz]`, scene frame, metres.
    camera: [f64; 6],
}

/// An app that draws into an image.
struct Studio<'a> {
    app: App,
    target: Handle<Image>,
    arguments: &'a Arguments,
}

impl<'a> Studio<'a> {
    fn new(arguments: &'a Arguments, opened: Opened, settings: Settings) -> Self {
        // The same number of points on every machine, however slow it is.
        let settings = Settings { adapt: false, ..settings };
        let mut app = offscreen_app(settings, arguments.panel);
        app.insert_resource(arguments.start_view());
        app.world_mut().resource_mut::<Scans>().add_all(opened);
        while app.plugins_state() == PluginsState::Adding {
            bevy::tasks::tick_global_task_pools_on_main_thread();
        }
        app.finish();
        app.cleanup();
        let target = target(&mut app, arguments.size);
        spawn_offscreen_camera(app.world_mut(), target.clone());
        Self { app, target, arguments }
    }

    /// Runs frames until the picture is complete.
    fn complete(&mut self, deadline: Instant) -> Result<(), Fault> {
        while !is_complete(&mut self.app) {
            self.app.update();
            if Instant::now() > deadline {
                return Err(self.timeout_fault());
            }
        }
        if self.app.world().resource::<StreamStatus>().drawn_points == 0
            && let Some((_, fault)) = self.app.world().resource::<Scans>().residency.failed_tiles().first()
        {
            return Err((*fault).clone());
        }
        Ok(())
    }

    /// Reads the picture back and writes it to a PNG file.
    fn save(&mut self, path: &Path, deadline: Instant) -> Result<(), Fault> {
        let image = capture(&mut self.app, self.target.clone(), deadline).ok_or_else(|| self.timeout_fault())?;
        save(image, path)
    }

    fn timeout_fault(&self) -> Fault {
        let status = self.app.world().resource::<StreamStatus>();
        Fault::storage(
            "screenshot_timeout",
            format!("the picture was not complete after {} s: {} tiles are still loading", self.arguments.timeout, status.loading),
            "Give a longer --timeout, or a smaller --budget.",
        )
    }

    fn state(&self) -> ViewerState {
        self.app.world().resource::<ViewerState>().clone()
    }
}

/// Draws one picture of the opened scans and writes it to the PNG file `path`; returns the state of the last frame.
pub fn draw_picture(arguments: &Arguments, opened: Opened, settings: Settings, path: &Path) -> Result<ViewerState, Fault> {
    let mut studio = Studio::new(arguments, opened, settings);
    let deadline = Instant::now() + arguments.time_limit();
    studio.complete(deadline)?;
    let start = Instant::now();
    for _ in 0..MEASURED_FRAMES {
        studio.app.update();
    }
    let frame_ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(MEASURED_FRAMES);
    studio.save(path, deadline)?;
    let mut state = studio.state();
    state.frame_ms = frame_ms;
    Ok(state)
}

/// Reads a list of views: a JSON file with an array of objects with `name` and `camera`.
pub fn read_views(path: &Path) -> Result<Vec<PictureView>, Fault> {
    let bytes = std::fs::read(path).map_err(|error| {
        Fault::storage("io", format!("failed to read {}: {error}", path.display()), "Check that the file exists and that you may read it.")
    })?;
    let invalid = |what: String| {
        Fault::input(
            "views_invalid",
            format!("{}: {what}", path.display()),
            "Give an array of objects like {\"name\": \"stage\", \"camera\": [ex, ey, ez, tx, ty, tz]}.",
        )
    };
    let views: Vec<PictureView> = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    for view in &views {
        let plain = |letter: char| letter.is_alphanumeric() || "-_ .".contains(letter);
        if view.name.is_empty() || view.name.starts_with('.') || !view.name.chars().all(plain) {
            return Err(invalid(format!("the name {:?} cannot be the name of a file", view.name)));
        }
        let [eye, target] = [&view.camera[..3], &view.camera[3..]].map(DVec3::from_slice);
        if !(eye.is_finite() && target.is_finite() && eye.distance(target) > 1e-6) {
            return Err(invalid(format!("the camera of {:?} is not two different positions", view.name)));
        }
    }
    Ok(views)
}

/// Draws a picture for each view into the folder: `NAME.png`, and `NAME.depth` with the distances along the direction of view (f32, little
/// endian, row by row from the top, metres, infinite where nothing is drawn). Returns the states of the pictures by name.
pub fn draw_views(
    arguments: &Arguments,
    opened: Opened,
    settings: Settings,
    views: &[PictureView],
    folder: &Path,
) -> Result<BTreeMap<String, ViewerState>, Fault> {
    let written = |path: &Path, result: std::io::Result<()>| {
        result.map_err(|error| {
            Fault::storage(
                "io",
                format!("failed to write {}: {error}", path.display()),
                "Check that you may write there and that there is space.",
            )
        })
    };
    written(folder, std::fs::create_dir_all(folder))?;
    let mut studio = Studio::new(arguments, opened, settings);
    DepthPicture::enable(&mut studio.app, arguments.size);
    let mut states = BTreeMap::new();
    for view in views {
        let deadline = Instant::now() + arguments.time_limit();
        let [eye, target] = [&view.camera[..3], &view.camera[3..]].map(DVec3::from_slice);
        studio.app.world_mut().write_message(CameraRequest::Look(eye, target));
        // What is selected must be that of the new view before it can be complete.
        studio.app.update();
        studio.app.world_mut().resource_mut::<StreamStatus>().settled_frames = 0;
        studio.complete(deadline)?;
        studio.save(&folder.join(&view.name).with_added_extension("png"), deadline)?;
        let distances = DepthPicture::read(&mut studio.app).ok_or_else(|| {
            Fault::internal("screenshot", "the distances cannot be read from the graphics card", "Please report this error.")
        })?;
        let path = folder.join(&view.name).with_added_extension("depth");
        written(&path, std::fs::write(&path, bytemuck::cast_slice(&distances)))?;
        states.insert(view.name.clone(), studio.state());
    }
    Ok(states)
}

/// Whether all selected tiles are drawn, and a walker has found a floor or found that there is none.
fn is_complete(app: &mut App) -> bool {
    let world = app.world_mut();
    let settled = world.resource::<StreamStatus>().settled_frames >= SETTLED_FRAMES && world.resource::<Progress>().pipelines_ready();
    let mut rigs = world.query::<&Rig>();
    let floor_search_ended = rigs.iter(world).all(|rig| rig.mode != Mode::Walk || !rig.walker.is_starting());
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
