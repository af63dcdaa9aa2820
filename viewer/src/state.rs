//! What the viewer is doing, as data: for web pages, tests and `--json`.

use bevy::prelude::*;
use serde::Serialize;

use crate::fault::Fault;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::stream::active_scan::ActiveScan;
use crate::stream::status::StreamStatus;
use crate::ui::frame_time::FrameTime;

/// The state of one frame. Grows; names and meanings stay.
#[derive(Resource, Clone, Debug, Default, Serialize)]
pub struct ViewerState {
    /// Points drawn.
    pub drawn_points: u64,
    /// Tiles drawn.
    pub drawn_tiles: usize,
    /// Tiles wanted that are not drawn yet; also 1 while the source is being opened.
    pub loading: usize,
    /// Height of the floor one stands on, metres; nothing where one does not stand.
    pub level: Option<f64>,
    /// Addresses of tiles that were given up after retries.
    pub failed: Vec<String>,
    /// `orbit`, `fly` or `walk`.
    pub mode: &'static str,
    /// `rgb`, `intensity` or `height`.
    pub color: &'static str,
    /// Eye and a place in the middle of the picture: `[ex, ey, ez, tx, ty, tz]`, scan frame, metres.
    pub camera: [f64; 6],
    /// Milliseconds a frame, smoothed.
    pub frame_ms: f64,
    /// Points in the scan.
    pub total_points: u64,
    /// Bounds of the scan, `[minx, miny, minz, maxx, maxy, maxz]`, metres.
    pub bounds: [f64; 6],
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
    scan: Option<Res<ActiveScan>>,
    rigs: Query<&Rig>,
) {
    let Ok(rig) = rigs.single() else { return };
    let (eye, target) = (rig.eye, rig.target());
    state.mode = rig.mode.name();
    state.color = settings.color_by.name();
    state.camera = [eye.x, eye.y, eye.z, target.x, target.y, target.z];
    state.level = rig.walker.foot_m.filter(|_| rig.mode == Mode::Walk);
    state.frame_ms = frame.smooth_ms;
    let Some(scan) = scan else { return };
    state.drawn_points = status.drawn_points;
    state.drawn_tiles = status.drawn_tiles;
    state.loading = status.loading;
    state.total_points = scan.open.tree.scan.points;
    state.bounds = scan.open.tree.scan.bounds;
    if state.failed.len() != status.failed.len() {
        state.failed = status.failed.iter().map(|failed| failed.name.clone()).collect();
    }
}
