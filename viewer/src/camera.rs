//! The systems that move the camera, in its three modes.
//!
//! - **Orbit** rotates around a point: drag to rotate, drag with the right button to pan, wheel to zoom.
//! - **Fly** moves freely.
//! - **Walk** moves on the floor that is found in the points, with the eyes 1.7 m above it.

pub mod fly;
pub mod orbit;
pub mod request;
pub mod start_view;
pub mod walk;

use bevy::prelude::*;

use self::request::CameraRequest;
use self::start_view::{StartView, around};
use crate::input::InputSystems;
use crate::input::intents::{Command, Intents};
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::rig::walker::Walker;
use crate::stream::StreamSystems;
use crate::stream::scans::{Scan, Scans, any_open};

/// Adds the camera's systems; `app` spawns the camera itself.
pub struct CameraPlugin;

impl Plugin for CameraPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<StartView>().add_message::<CameraRequest>().add_systems(
            Update,
            (apply_start_view, request_by_input, apply_requests, orbit::update, fly::update, walk::update)
                .chain()
                .after(InputSystems)
                .before(StreamSystems)
                .run_if(any_open),
        );
    }
}

/// Number of scans that had been opened when the start view was applied last, and what it was.
type Applied = (u32, Option<Rig>);

/// Applies the start view when the first scan has been opened, and again when others follow while the camera is still there.
fn apply_start_view(scans: Res<Scans>, start_view: Res<StartView>, mut applied: Local<Applied>, mut rigs: Query<(&mut Rig, &Camera)>) {
    if applied.0 == scans.opened() {
        return;
    }
    for (mut rig, camera) in &mut rigs {
        if applied.1.as_ref().is_none_or(|before| *before == *rig) {
            start_view.apply(&mut rig, &scans.overview(), aspect(camera));
            *applied = (scans.opened(), Some(rig.clone()));
        }
    }
    applied.0 = scans.opened();
}

/// Width of the picture to its height.
fn aspect(camera: &Camera) -> f64 {
    camera.physical_target_size().map_or(1.5, |size| f64::from(size.x.max(1)) / f64::from(size.y.max(1)))
}

fn request_by_input(intents: Res<Intents>, mut requests: MessageWriter<CameraRequest>) {
    for command in &intents.commands {
        match command {
            Command::Mode(mode) => _ = requests.write(CameraRequest::Mode(*mode)),
            Command::Reset => _ = requests.write(CameraRequest::Reset),
            _ => {}
        }
    }
}

fn apply_requests(
    mut requests: MessageReader<CameraRequest>,
    scans: Res<Scans>,
    start_view: Res<StartView>,
    mut rigs: Query<(&mut Rig, &Camera)>,
) {
    for request in requests.read() {
        for (mut rig, camera) in &mut rigs {
            match *request {
                CameraRequest::Look(eye, target) => {
                    rig.look(eye, target);
                    if rig.mode == Mode::Walk {
                        rig.walker = Walker::starting_at(eye);
                    }
                }
                CameraRequest::View(eye, target, mode) => {
                    rig.look(eye, target);
                    rig.mode = mode;
                    rig.walker = Walker::starting_at(eye);
                }
                CameraRequest::Mode(mode) => rig.set_mode(mode, &around(&scans.overview())),
                CameraRequest::Reset => start_view.apply(&mut rig, &scans.overview(), aspect(camera)),
                CameraRequest::Scan(scan) => {
                    if let Some(bounds) = scans.get(scan).map(Scan::bounds) {
                        StartView::default().apply(&mut rig, &[bounds], aspect(camera));
                    }
                }
            }
        }
    }
}
