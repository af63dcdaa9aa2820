//! The systems that move the camera, in its three modes.
//!
//! - **Orbit** turns round a point: drag to turn, drag with the right button to shift, wheel to come nearer.
//! - **Fly** moves freely.
//! - **Walk** stands on the floor that is found in the points, eyes 1.7 m above it, and goes where there is floor.

pub mod fly;
pub mod input;
pub mod orbit;
pub mod pick;
pub mod request;
pub mod start_view;
pub mod walk;

use bevy::prelude::*;

use self::request::CameraRequest;
use self::start_view::{StartView, bounds_of};
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::rig::walker::Walker;
use crate::stream::StreamSystems;
use crate::stream::active_scan::ActiveScan;

/// Adds the camera's systems; the camera itself is spawned by the entries.
pub struct CameraPlugin;

impl Plugin for CameraPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<StartView>().init_resource::<input::Intent>().add_message::<CameraRequest>().add_systems(
            Update,
            (start, requests, input::read, orbit::update, fly::update, walk::update)
                .chain()
                .before(StreamSystems)
                .run_if(resource_exists::<ActiveScan>),
        );
    }
}

/// Takes the first view when a scan is open.
fn start(scan: Res<ActiveScan>, start: Res<StartView>, mut rigs: Query<&mut Rig>) {
    if scan.is_added() {
        for mut rig in &mut rigs {
            start.apply(&mut rig, scan.open.tree.scan.bounds);
        }
    }
}

fn requests(mut requests: MessageReader<CameraRequest>, scan: Res<ActiveScan>, start: Res<StartView>, mut rigs: Query<&mut Rig>) {
    for request in requests.read() {
        for mut rig in &mut rigs {
            match *request {
                CameraRequest::Look(eye, target) => {
                    rig.look(eye, target);
                    if rig.mode == Mode::Walk {
                        rig.walker = Walker::dropped_at(eye);
                    }
                }
                CameraRequest::Mode(mode) => rig.set_mode(mode, &bounds_of(scan.open.tree.scan.bounds)),
                CameraRequest::Reset => start.apply(&mut rig, scan.open.tree.scan.bounds),
            }
        }
    }
}
