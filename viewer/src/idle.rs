//! When frames are drawn: all the time while something changes, and none while nothing does, because batteries matter on a tablet.
//!
//! The window's event loop runs a frame at each event of the window, so that every input is seen at once. On the web, [`wake`](crate::wake) asks for a frame from
//! outside: from a page's script, or when a tile has arrived.

use std::time::Duration;

use bevy::prelude::*;
use bevy::window::WindowOccluded;
use bevy::winit::{UpdateMode, WinitSettings};

use crate::pace::{Pace, Phase};
use crate::render::progress::Progress;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::stream::scans::Scans;
use crate::stream::status::StreamStatus;
use crate::wake::Hidden;

/// Time between frames while waiting for tiles. Milliseconds.
const WAITING_MS: u64 = 50;
/// Time between frames while failed tiles are tried again from time to time. Milliseconds.
const RETRYING_MS: u64 = 1000;
/// Time between frames while nothing happens at all. Seconds.
const IDLE_S: u64 = 3600;

/// Lets frames stop while nothing changes; for apps with a window.
pub struct IdlePlugin;

impl Plugin for IdlePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Hidden>().add_systems(First, record_hidden).add_systems(Last, set_update_mode);
        #[cfg(target_arch = "wasm32")]
        app.add_systems(Startup, crate::wake::register);
    }
}

/// What decides when the next frame is needed.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Need {
    phase: Phase,
    /// Whether a scan has been opened.
    is_open: bool,
    is_loading: bool,
    /// Whether all points that are loaded have been drawn.
    is_drawn: bool,
    has_failures: bool,
    /// Whether a walker waits for a floor, or a message is shown for a time.
    is_searching: bool,
    is_hidden: bool,
}

/// When the next frame is needed without an event; `None`: at once.
fn wait(need: Need) -> Option<Duration> {
    let waiting = Some(Duration::from_millis(WAITING_MS));
    if need.is_hidden {
        return Some(Duration::from_secs(IDLE_S));
    }
    if !need.is_open {
        return waiting;
    }
    match need.phase {
        Phase::Moving => None,
        _ if need.is_searching => None,
        Phase::Refining if need.is_loading && need.is_drawn => waiting,
        Phase::Refining => None,
        Phase::Complete if need.has_failures => Some(Duration::from_millis(RETRYING_MS)),
        Phase::Complete => Some(Duration::from_secs(IDLE_S)),
    }
}

fn set_update_mode(
    mut winit: ResMut<WinitSettings>,
    mut pace: ResMut<Pace>,
    (status, progress, hidden): (Res<StreamStatus>, Res<Progress>, Res<Hidden>),
    scans: Res<Scans>,
    rigs: Query<&Rig>,
) {
    let is_searching = rigs.iter().any(|rig| rig.mode == Mode::Walk && (rig.walker.is_starting() || rig.walker.no_floor_message_s > 0.0));
    let need = Need {
        phase: pace.phase,
        is_open: scans.opened() > 0,
        is_loading: status.loading > 0,
        is_drawn: progress.is_drawn(),
        has_failures: !status.failed.is_empty(),
        is_searching,
        is_hidden: hidden.0,
    };
    let wait = wait(need);
    #[cfg(target_arch = "wasm32")]
    crate::wake::set_awake(wait.is_none());
    let mode = match wait {
        None => UpdateMode::Continuous,
        Some(wait) => {
            pace.pause();
            UpdateMode::reactive_low_power(wait)
        }
    };
    // A window without the focus may be one of several on the screen.
    if winit.focused_mode != mode || winit.unfocused_mode != mode {
        winit.focused_mode = mode;
        winit.unfocused_mode = mode;
    }
}

fn record_hidden(mut hidden: ResMut<Hidden>, mut events: MessageReader<WindowOccluded>) {
    for event in events.read() {
        hidden.0 = event.occluded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_drawn_only_while_something_can_change() {
        let still = Need {
            phase: Phase::Complete,
            is_open: true,
            is_loading: false,
            is_drawn: true,
            has_failures: false,
            is_searching: false,
            is_hidden: false,
        };
        let refining = Need { phase: Phase::Refining, ..still };
        let rows = [
            ("nothing changes", still, Some(IDLE_S * 1000)),
            ("the camera moves", Need { phase: Phase::Moving, ..still }, None),
            ("points are added", Need { is_drawn: false, ..refining }, None),
            ("points are added while tiles are loading", Need { is_drawn: false, is_loading: true, ..refining }, None),
            ("all that is there is drawn, tiles are loading", Need { is_loading: true, ..refining }, Some(WAITING_MS)),
            ("the last points were drawn in this frame", refining, None),
            ("a walker waits for a floor", Need { is_searching: true, ..still }, None),
            ("failed tiles are tried again", Need { has_failures: true, ..still }, Some(RETRYING_MS)),
            ("the scan is being opened", Need { is_open: false, ..still }, Some(WAITING_MS)),
            ("the page is in the background", Need { is_hidden: true, phase: Phase::Moving, ..still }, Some(IDLE_S * 1000)),
        ];
        for (why, need, expected_ms) in rows {
            assert_eq!(wait(need), expected_ms.map(Duration::from_millis), "{why}");
        }
    }
}
