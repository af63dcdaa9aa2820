//! What connects the camera, the settings and the open scans with the renderer and the pace of drawing.

use bevy::math::UVec2;
use bevy::prelude::*;

use crate::inside::{self, LookInside};
use crate::pace::{FrameFacts, Pace, Phase};
use crate::render::data::{DrawData, DrawScan, EyeView, PointColor, PointStyle};
use crate::render::progress::Progress;
use crate::rig::Rig;
use crate::settings::{ColorBy, Settings};
use crate::stream::StreamSystems;
use crate::stream::scans::{Scan, Scans};
use crate::stream::status::StreamStatus;

/// Adds the systems.
pub struct ScenePlugin;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Pace>().init_resource::<LookInside>().add_systems(
            Update,
            ((inside::update, set_pace).chain().before(StreamSystems), set_draw_data.after(StreamSystems)).run_if(opened),
        );
    }
}

/// Whether a scan has been opened.
fn opened(scans: Res<Scans>) -> bool {
    scans.opened() > 0
}

/// What a picture depends on, apart from the tiles.
#[derive(Clone, PartialEq)]
struct Picture {
    view: EyeView,
    size: UVec2,
    settings: Settings,
    inside: LookInside,
    /// A tileset that continues a tree changes which tiles are wanted, and so does a scan that is opened, closed, shown or hidden.
    nodes: usize,
    revision: u64,
}

/// The view of a camera.
pub fn eye_view(rig: &Rig) -> EyeView {
    EyeView { eye: rig.eye, forward: rig.forward(), right: rig.right(), up: rig.up(), fov_y: rig.fov_y }
}

/// Decides how the frame is drawn; runs when the camera has been moved.
fn set_pace(
    mut pace: ResMut<Pace>,
    mut before: Local<Option<Picture>>,
    (settings, inside, status): (Res<Settings>, Res<LookInside>, Res<StreamStatus>),
    (progress, scans): (Res<Progress>, Res<Scans>),
    time: Res<Time<Real>>,
    rigs: Query<(&Rig, &Camera)>,
) {
    let Ok((rig, camera)) = rigs.single() else { return };
    let picture = Picture {
        view: eye_view(rig),
        size: camera.physical_target_size().unwrap_or_default(),
        settings: settings.clone(),
        inside: inside.clone(),
        nodes: scans.nodes(),
        revision: scans.revision(),
    };
    let has_changed = before.as_ref() != Some(&picture);
    let is_complete = pace.phase != Phase::Moving && progress.is_complete(pace.picture());
    pace.advance(&FrameFacts {
        frame_ms: time.delta_secs_f64() * 1e3,
        has_changed,
        budget_reached: status.budget_reached && status.loading == 0,
        is_loading: status.loading > 0,
        is_complete,
        may_adapt: settings.adapt,
    });
    *before = Some(picture);
}

/// Tells the renderer from where to draw, and how; the tiles have been listed by the streaming.
fn set_draw_data(
    mut data: ResMut<DrawData>,
    (pace, settings, inside): (Res<Pace>, Res<Settings>, Res<LookInside>),
    (status, scans): (Res<StreamStatus>, Res<Scans>),
    rigs: Query<&Rig>,
) {
    let Ok(rig) = rigs.single() else { return };
    let bounds = scans.bounds();
    data.view = Some(eye_view(rig));
    data.mode = pace.draw_mode(status.loading == 0, settings.adapt);
    data.scans = scans.visible().map(|scan| (scan.id.0, draw_scan(scan, &settings, &inside))).collect();
    data.style = PointStyle {
        color: match settings.color_by {
            ColorBy::Rgb => PointColor::Own,
            ColorBy::Intensity => PointColor::Intensity,
            ColorBy::Height => PointColor::Height,
        },
        size: settings.point_size,
        edge_shading: settings.edl,
        height_range_m: [bounds.min.z, bounds.max.z],
    };
}

/// How the points of a scan are drawn.
fn draw_scan(scan: &Scan, settings: &Settings, inside: &LookInside) -> DrawScan {
    let extras = &scan.open.tree.scan;
    let inside = inside.of(scan.id);
    DrawScan {
        placement: scan.placement,
        // Intensities are measured, and a scan's own colours have its light.
        direction_shading: match settings.color_by {
            ColorBy::Rgb => !extras.attributes.color,
            ColorBy::Intensity => false,
            ColorBy::Height => true,
        },
        cut_above_m: inside.cut_above_m,
        hide_backs: inside.hides_backs,
        intensity_range: extras.intensity_range.unwrap_or([0, u16::MAX]),
    }
}
