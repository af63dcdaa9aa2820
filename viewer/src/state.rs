//! The viewer's state as data for web pages, tests and `--json`.

use bevy::prelude::*;
use serde::Serialize;

use crate::fault::Fault;
use crate::inside::Inside;
use crate::pace::{Pace, Phase};
use crate::render::progress::Progress;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::stream::active_scan::ActiveScan;
use crate::stream::fetch::Decoded;
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
    /// Height of the floor under the walker, scan frame, metres; null where the mode is not `walk` or no floor was found.
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
    /// Height above which points are left out, scan frame, metres: set by the user or found below a roof; null where none is.
    pub cut_above: Option<f64>,
    /// Eye and target: `[ex, ey, ez, tx, ty, tz]`, scan frame, metres. The target is a point at the centre of the picture.
    pub camera: [f64; 6],
    /// Number of frames drawn since the start.
    pub frames: u64,
    /// Whether the picture is complete: the camera stands still, and all points wanted are drawn.
    pub complete: bool,
    /// Spacing of the points that is wanted, in pixels.
    pub spacing_px: f64,
    /// Frame time, smoothed, in milliseconds.
    pub frame_ms: f64,
    /// Number of points in the scan.
    pub total_points: u64,
    /// Bounds of the scan, `[minx, miny, minz, maxx, maxy, maxz]`, scan frame, metres.
    pub bounds: [f64; 6],
    /// The view as text, for an address or for `--view`.
    pub view: String,
    /// Names of the active tools.
    pub tools: Vec<&'static str>,
    /// What has been measured, metres; null where nothing has.
    pub measured: Option<Distances>,
    /// Why the source could not be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
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
    (pace, progress, inside): (Res<Pace>, Res<Progress>, Res<Inside>),
    (registry, measurement): (Res<ToolRegistry>, Res<Measurement>),
    scan: Option<Res<ActiveScan>>,
    rigs: Query<&Rig>,
) {
    let Ok(rig) = rigs.single() else { return };
    let (eye, target) = (rig.eye, rig.target());
    state.mode = rig.mode.name();
    state.color = settings.color_by.name();
    state.see_inside = inside.is_open();
    state.cut_above = inside.cut_above_m;
    state.camera = [eye.x, eye.y, eye.z, target.x, target.y, target.z];
    state.level = rig.walker.foot_height_m.filter(|_| rig.mode == Mode::Walk);
    state.frame_ms = frame.smooth_ms;
    state.tools = registry.active().collect();
    state.measured = measurement.distances();
    let Some(scan) = scan else { return };
    state.frames = progress.frames();
    state.complete = pace.phase == Phase::Complete;
    state.spacing_px = status.spacing_px;
    state.drawn_points = status.drawn_points;
    state.drawn_tiles = status.drawn_tiles;
    state.loading = status.loading;
    state.total_points = scan.open.tree.scan.points;
    state.bounds = scan.open.tree.scan.bounds;
    state.view =
        View { look: Some((eye, target)), mode: Some(rig.mode), color: Some(settings.color_by), cut_above_m: settings.cut_above_m }
            .format();
    state.decoded = scan.fetcher.decoded();
    if state.failures != status.failed {
        state.failures.clone_from(&status.failed);
        state.failed = status.failed.iter().map(|failed| failed.name.clone()).collect();
    }
}
