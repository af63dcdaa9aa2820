//! The viewer's state as data for web pages, tests and `--json`.

use bevy::prelude::*;
use serde::Serialize;

use crate::fault::Fault;
use crate::inside::LookInside;
use crate::pace::{Pace, Phase};
use crate::render::progress::Progress;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::stream::fetch::Decoded;
use crate::stream::scans::{Scan, Scans, Unopened};
use crate::stream::status::{FailedTile, StreamStatus};
use crate::tools::measure::{Distances, Measurement};
use crate::tools::registry::ToolRegistry;
use crate::ui::frame_time::FrameTime;
use crate::view_address::View;

/// The state of one frame. Fields may be added; names and meanings of existing fields do not change.
#[derive(Resource, Clone, Debug, Default, Serialize)]
pub struct ViewerState {
    /// Number of points drawn.
    pub drawn_points: u64,
    /// Number of tiles drawn.
    pub drawn_tiles: usize,
    /// Number of tiles selected that are not drawn yet; 1 while the source is being opened.
    pub loading: usize,
    /// Height of the floor under the walker, scene frame, metres; null where the mode is not `walk` or no floor was found.
    pub level: Option<f64>,
    /// Addresses of tiles that could not be loaded after several attempts.
    pub failed: Vec<String>,
    /// The same tiles with the reasons.
    pub failures: Vec<FailedTile>,
    /// Where tiles have been decoded.
    pub decoded: Decoded,
    /// `orbit`, `fly` or `walk`.
    pub mode: &'static str,
    /// `rgb`, `intensity` or `height`.
    pub color: &'static str,
    /// Whether the picture leaves out surfaces seen from behind, or a roof, so that one sees into closed rooms.
    pub see_inside: bool,
    /// Height above which points are left out, scene frame, metres: set by the user or found below a roof; null where none is.
    pub cut_above: Option<f64>,
    /// Eye and target: `[ex, ey, ez, tx, ty, tz]`, scene frame, metres. The target is a point at the centre of the picture.
    pub camera: [f64; 6],
    /// Number of frames drawn since the start.
    pub frames: u64,
    /// Whether the picture is complete: the camera stands still, and all points wanted are drawn.
    pub complete: bool,
    /// Spacing of the points that is wanted, in pixels.
    pub spacing_px: f64,
    /// Frame time, smoothed, in milliseconds.
    pub frame_ms: f64,
    /// Number of points in the scans that are shown.
    pub total_points: u64,
    /// Bounds of the scans that are shown, `[minx, miny, minz, maxx, maxy, maxz]`, scene frame, metres.
    pub bounds: [f64; 6],
    /// The open scans.
    pub scans: Vec<ScanState>,
    /// Sources that could not be opened while others could.
    pub unopened: Vec<Unopened>,
    /// The view as text, for an address or for `--view`.
    pub view: String,
    /// Names of the active tools.
    pub tools: Vec<&'static str>,
    /// What has been measured, metres; null where nothing has.
    pub measured: Option<Distances>,
    /// Why no source could be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
}

/// An open scan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScanState {
    /// Identifies it as long as the program runs.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Whether it is shown.
    pub visible: bool,
    /// Number of points.
    pub points: u64,
    /// Its bounds, `[minx, miny, minz, maxx, maxy, maxz]`, scene frame, metres.
    pub bounds: [f64; 6],
    /// The origin of its tile frame, scene frame, metres.
    pub origin: [f64; 3],
    /// How its axes are turned in the scene: degrees anticlockwise, seen from above.
    pub turn: f64,
    /// `EPSG:n` or WKT; null where the tileset names no coordinate reference system.
    pub crs: Option<String>,
}

impl ScanState {
    fn of(scan: &Scan) -> Self {
        Self {
            id: scan.id.0,
            name: scan.open.name.clone(),
            visible: scan.is_visible,
            points: scan.open.tree.scan.points,
            bounds: scan.bounds().to_array(),
            origin: scan.placement.origin_m().to_array(),
            turn: scan.placement.turn_rad().to_degrees(),
            crs: scan.open.tree.scan.frame.crs.clone(),
        }
    }
}

/// Keeps [`ViewerState`] up to date.
pub struct StatePlugin;

impl Plugin for StatePlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(ViewerState { loading: 1, ..default() }).add_systems(PostUpdate, update);
    }
}

fn update(
    mut state: ResMut<ViewerState>,
    (status, settings, frame): (Res<StreamStatus>, Res<Settings>, Res<FrameTime>),
    (pace, progress, inside): (Res<Pace>, Res<Progress>, Res<LookInside>),
    (registry, measurement): (Res<ToolRegistry>, Res<Measurement>),
    scans: Res<Scans>,
    mut revision: Local<u64>,
    rigs: Query<&Rig>,
) {
    let Ok(rig) = rigs.single() else { return };
    let (eye, target) = (rig.eye, rig.target());
    state.mode = rig.mode.name();
    state.color = settings.color_by.name();
    state.see_inside = inside.is_open(&scans);
    state.cut_above = inside.cut_above_m(&scans);
    state.camera = [eye.x, eye.y, eye.z, target.x, target.y, target.z];
    state.level = rig.walker.foot_height_m.filter(|_| rig.mode == Mode::Walk);
    state.frame_ms = frame.smooth_ms;
    state.tools = registry.active().collect();
    state.measured = measurement.distances();
    if scans.opened() == 0 {
        return;
    }
    if *revision != scans.revision() || state.unopened.len() != scans.unopened.len() {
        *revision = scans.revision();
        state.scans = scans.iter().map(ScanState::of).collect();
        state.unopened.clone_from(&scans.unopened);
    }
    state.frames = progress.frames();
    state.complete = pace.phase == Phase::Complete;
    state.spacing_px = status.spacing_px;
    state.drawn_points = status.drawn_points;
    state.drawn_tiles = status.drawn_tiles;
    state.loading = status.loading;
    state.total_points = scans.points();
    state.bounds = scans.bounds().to_array();
    state.view =
        View { look: Some((eye, target)), mode: Some(rig.mode), color: Some(settings.color_by), cut_above_m: settings.cut_above_m }
            .format();
    state.decoded = scans.fetcher.decoded();
    if state.failures != status.failed {
        state.failures.clone_from(&status.failed);
        state.failed = status.failed.iter().map(|failed| failed.name.clone()).collect();
    }
}
