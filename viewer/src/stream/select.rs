//! One frame of streaming: take in what arrived, choose, ask, upload, and say what is drawn.

use std::collections::HashSet;

use bevy::math::DVec3;
use bevy::prelude::*;
use bevy::render::renderer::RenderDevice;
use parterre_lod as lod;
use parterre_lod::{Budget, Content, NodeId};

use super::active_scan::ActiveScan;
use super::adapt::Adapted;
use super::fetch::Loaded;
use super::status::{FailedTile, StreamStatus};
use crate::points::extract::{DrawList, DrawTile};
use crate::points::spacing::Spacings;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;

/// Bytes uploaded in one frame, so that a burst of tiles does not stall the picture.
const UPLOAD_BYTES_PER_FRAME: i64 = 8 << 20;
/// How far round a walker's feet tiles are kept fine whatever the camera looks at. Metres.
const WALK_REACH_M: f64 = 4.0;

/// The column below a walker without a floor is covered by at most this many views.
const COLUMN_BALLS_MAX: f64 = 24.0;

/// Takes in what arrived.
pub(super) fn receive(mut scan: ResMut<ActiveScan>, time: Res<Time<Real>>) {
    let scan = &mut *scan;
    for delivery in scan.fetcher.deliveries(time.delta_secs_f64()) {
        let result = delivery.result.and_then(|loaded| match loaded {
            Loaded::Points(parts, spacing_m) => {
                scan.residency.insert(delivery.node, parts, spacing_m);
                Ok(())
            }
            Loaded::Subtree(tileset, folder) => {
                scan.open.tree.attach(delivery.node, &tileset, &folder)?;
                scan.residency.attach(delivery.node);
                Ok(())
            }
        });
        if let Err(fault) = result {
            warn!("{} ({})", fault.message, fault.code);
            scan.residency.fail(delivery.node, fault, time.elapsed_secs_f64());
        }
    }
}

/// Chooses what is drawn and asks for what is missing.
pub(super) fn select(
    mut scan: ResMut<ActiveScan>,
    mut status: ResMut<StreamStatus>,
    mut draw_list: ResMut<DrawList>,
    (settings, adapted): (Res<Settings>, Res<Adapted>),
    time: Res<Time<Real>>,
    device: Res<RenderDevice>,
    rigs: Query<(&Rig, &Camera)>,
) {
    let Ok((rig, camera)) = rigs.single() else { return };
    let Some(size) = camera.physical_target_size().filter(|size| size.x > 0 && size.y > 0) else { return };
    let scan = &mut *scan;
    let now_s = time.elapsed_secs_f64();
    let views = views(rig, size, scan.open.tree.scan.frame.origin_m, scan.open.tree.scan.bounds);
    let budget = Budget { points: adapted.budget_points(&settings), error_px: settings.error_px };
    let residency = &scan.residency;
    let selection = lod::select(&scan.open.tree, &views, &|node| residency.state(node), &budget);

    let hopeful = scan.residency.hopeful();
    let wanted: HashSet<NodeId> = selection.load.iter().map(|(node, _)| *node).chain(hopeful.iter().copied()).collect();
    scan.fetcher.cancel_unless(|node| wanted.contains(&node));
    scan.residency.keep(&selection.touch, settings.cache_bytes);
    let mut upload_bytes = UPLOAD_BYTES_PER_FRAME;
    for (node, _) in &selection.load {
        scan.residency.upload(*node, &device, &mut upload_bytes);
    }
    for node in selection.load.iter().map(|(node, _)| node).chain(&hopeful) {
        if scan.residency.may_ask(*node, now_s) && !scan.fetcher.start(*node, &scan.open.tree.node(*node).content) {
            break;
        }
    }

    let residency = &scan.residency;
    let median_m = |node| residency.get(node).map_or(0.0, |slot| f64::from(slot.points.spacing_m));
    let spacings = Spacings::of(&scan.open.tree, &selection.draw, &median_m);
    draw_list.tiles.clear();
    draw_list.tiles.extend(selection.draw.iter().filter_map(|node| {
        let gpu = scan.residency.get(*node)?.gpu.clone()?;
        Some(DrawTile { node: *node, gpu, spacing: spacings.tile(*node) })
    }));
    draw_list.origin_m = scan.open.tree.scan.frame.origin_m;
    draw_list.bounds = scan.open.tree.scan.bounds;
    draw_list.intensity_range = scan.open.tree.scan.intensity_range.unwrap_or([0, u16::MAX]);

    // What was decoded; a tileset may claim other numbers.
    status.drawn_points = selection.draw.iter().filter_map(|node| scan.residency.get(*node)).map(|slot| slot.points.count()).sum();
    status.drawn_tiles = draw_list.tiles.len();
    status.loading = selection.load.len();
    status.loading_peak = if selection.load.is_empty() { 0 } else { status.loading_peak.max(status.loading) };
    status.budget_reached = selection.budget_reached;
    status.resident_bytes = scan.residency.bytes();
    status.settled_frames = if selection.load.is_empty() { status.settled_frames + 1 } else { 0 };
    let failed: Vec<FailedTile> = scan
        .residency
        .given_up()
        .into_iter()
        .map(|(node, fault)| FailedTile { name: scan.node_name(node), message: fault.message.clone() })
        .collect();
    if status.failed != failed {
        status.failed = failed;
    }
    debug_assert!(selection.draw.iter().all(|node| matches!(scan.open.tree.node(*node).content, Content::Points(_))));
}

/// The camera, and for a walker also the surroundings of the feet, or all that is below the eye until they have a floor:
/// it is looked for there.
fn views(rig: &Rig, size: UVec2, origin_m: DVec3, bounds: [f64; 6]) -> Vec<lod::View> {
    let eye = rig.eye - origin_m;
    let aspect = f64::from(size.x) / f64::from(size.y);
    let camera = lod::View::perspective(eye, rig.forward(), rig.up(), rig.fov_y, aspect, f64::from(size.y));
    let scale = camera.pixels_per_metre_at_1m;
    let mut views = vec![camera];
    if rig.mode == Mode::Walk {
        let around = |eye: DVec3| lod::View::around(eye, WALK_REACH_M, scale * 0.5);
        views.push(around(eye));
        if rig.walker.foot_m.is_none() {
            let [_, _, low_m, _, _, high_m] = bounds;
            let (low_m, high_m) = (low_m - origin_m.z, eye.z.min(high_m - origin_m.z));
            // Balls that overlap, so that none of the column is left out.
            let balls = ((high_m - low_m) / (WALK_REACH_M * 1.5)).ceil().clamp(0.0, COLUMN_BALLS_MAX);
            let step_m = (high_m - low_m) / balls.max(1.0);
            views.extend((0..balls as u32).map(|ball| around(eye.with_z(high_m - step_m * (f64::from(ball) + 0.5)))));
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use parterre_model::points::Bounds;

    use super::*;
    use crate::rig::walker::Walker;

    #[test]
    fn until_the_feet_have_a_floor_all_below_the_eye_is_wanted() {
        let origin_m = DVec3::new(500.0, 600.0, 30.0);
        let bounds = [480.0, 580.0, 25.0, 520.0, 620.0, 95.0];
        let eye = DVec3::new(500.0, 600.0, 200.0);
        let mut rig = Rig { eye, mode: Mode::Walk, walker: Walker::dropped_at(eye), ..Rig::default() };
        let sees = |rig: &Rig, height_m: f64| {
            let center = DVec3::new(0.2, 0.2, height_m - origin_m.z);
            let tile = Bounds { min: center - 0.1, max: center + 0.1 };
            views(rig, UVec2::new(640, 360), origin_m, bounds)[1..].iter().any(|view| view.sees(&tile))
        };
        for height_m in 25..=95 {
            assert!(sees(&rig, f64::from(height_m)), "{height_m}");
        }
        rig.walker.foot_m = Some(40.0);
        rig.eye.z = 41.7;
        assert!(sees(&rig, 40.0) && !sees(&rig, 60.0) && !sees(&rig, 25.0));
    }
}
