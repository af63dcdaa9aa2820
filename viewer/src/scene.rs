//! What connects the camera, the settings and the open scan with the renderer and the pace of drawing.

use bevy::math::UVec2;
use bevy::prelude::*;

use crate::inside::{self, Inside};
use crate::pace::{FrameFacts, Pace, Phase};
use crate::render::data::{DrawData, EyeView, PointColor, PointStyle};
use crate::render::progress::Progress;
use crate::rig::Rig;
use crate::settings::{ColorBy, Settings};
use crate::stream::StreamSystems;
use crate::stream::active_scan::ActiveScan;
use crate::stream::status::StreamStatus;

/// Adds the systems.
pub struct ScenePlugin;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Pace>().init_resource::<Inside>().add_systems(
            Update,
            ((inside::update, set_pace).chain().before(StreamSystems), set_draw_data.after(StreamSystems))
                .run_if(resource_exists::<ActiveScan>),
        );
    }
}

/// What a picture depends on, apart from the tiles.
#[derive(Clone, PartialEq)]
struct Picture {
    view: EyeView,
    size: UVec2,
    settings: Settings,
    inside: Inside,
    /// A tileset that continues the tree changes which tiles are wanted.
    nodes: usize,
}

/// The view of a camera.
pub fn eye_view(rig: &Rig) -> EyeView {
    EyeView { eye: rig.eye, forward: rig.forward(), right: rig.right(), up: rig.up(), fov_y: rig.fov_y }
}

/// Decides how the frame is drawn; runs when the camera has been moved.
fn set_pace(
    mut pace: ResMut<Pace>,
    mut before: Local<Option<Picture>>,
    (settings, inside, status): (Res<Settings>, Res<Inside>, Res<StreamStatus>),
    (progress, scan): (Res<Progress>, Res<ActiveScan>),
    time: Res<Time<Real>>,
    rigs: Query<(&Rig, &Camera)>,
) {
    let Ok((rig, camera)) = rigs.single() else { return };
    let picture = Picture {
        view: eye_view(rig),
        size: camera.physical_target_size().unwrap_or_default(),
        settings: settings.clone(),
        inside: inside.clone(),
        nodes: scan.open.tree.len(),
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
    (pace, settings, inside): (Res<Pace>, Res<Settings>, Res<Inside>),
    (status, scan): (Res<StreamStatus>, Res<ActiveScan>),
    rigs: Query<&Rig>,
) {
    let Ok(rig) = rigs.single() else { return };
    let extras = &scan.open.tree.scan;
    let [_, _, low_m, _, _, high_m] = extras.bounds;
    data.view = Some(eye_view(rig));
    data.mode = pace.draw_mode(status.loading == 0, settings.adapt);
    data.style = PointStyle {
        color: match settings.color_by {
            ColorBy::Rgb => PointColor::Own,
            ColorBy::Intensity => PointColor::Intensity,
            ColorBy::Height => PointColor::Height,
        },
        size: settings.point_size,
        // Intensities are measured, and a scan's own colours have its light.
        direction_shading: match settings.color_by {
            ColorBy::Rgb => !extras.attributes.color,
            ColorBy::Intensity => false,
            ColorBy::Height => true,
        },
        edge_shading: settings.edl,
        cut_above_m: inside.cut_above_m,
        hide_backs: inside.hides_backs,
        height_range_m: [low_m, high_m],
        intensity_range: extras.intensity_range.unwrap_or([0, u16::MAX]),
    };
}
