//! The streaming of one frame: receive finished requests, select tiles, start requests, upload, and list the tiles to draw.

use std::collections::HashSet;

use bevy::math::DVec3;
use bevy::prelude::*;
use bevy::render::renderer::RenderDevice;
use parterre_lod as lod;
use parterre_lod::{Budget, Content, NodeId};

use super::active_scan::ActiveScan;
use super::adapt::AdaptiveBudget;
use super::fetch::LoadedContent;
use super::status::{FailedTile, StreamStatus};
use crate::points::extract::{DrawList, DrawTile};
use crate::points::spacing::Spacings;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;

/// Bytes uploaded to the graphics card per frame, so that many tiles at once do not delay a frame.
const UPLOAD_BYTES_PER_FRAME: i64 = 8 << 20;
/// Radius around a walker in which fine tiles are selected, whatever the direction of view. Metres.
const WALK_RADIUS_M: f64 = 4.0;
/// Maximum number of spheres that cover the column below a walker without a floor.
const COLUMN_SPHERES_MAX: f64 = 24.0;

/// Takes the finished requests and stores their tiles.
pub(super) fn receive(mut scan: ResMut<ActiveScan>, time: Res<Time<Real>>) {
    let scan = &mut *scan;
    for request in scan.fetcher.take_finished(time.delta_secs_f64()) {
        let result = request.result.and_then(|loaded| match loaded {
            LoadedContent::Points(parts, spacing_m) => {
                scan.residency.insert(request.node, parts, spacing_m);
                Ok(())
            }
            LoadedContent::Subtree(tileset, folder) => {
                scan.open.tree.attach(request.node, &tileset, &folder)?;
                scan.residency.mark_attached(request.node);
                Ok(())
            }
        });
        if let Err(fault) = result {
            warn!("{} ({})", fault.message, fault.code);
            scan.residency.record_failure(request.node, fault, time.elapsed_secs_f64());
        }
    }
}

/// Selects the tiles to draw and starts requests for the missing ones.
pub(super) fn select(
    mut scan: ResMut<ActiveScan>,
    mut status: ResMut<StreamStatus>,
    mut draw_list: ResMut<DrawList>,
    (settings, budget_in_use): (Res<Settings>, Res<AdaptiveBudget>),
    time: Res<Time<Real>>,
    device: Res<RenderDevice>,
    rigs: Query<(&Rig, &Camera)>,
) {
    let Ok((rig, camera)) = rigs.single() else { return };
    let Some(size) = camera.physical_target_size().filter(|size| size.x > 0 && size.y > 0) else { return };
    let scan = &mut *scan;
    let now_s = time.elapsed_secs_f64();
    let views = views(rig, size, scan.open.tree.scan.frame.origin_m, scan.open.tree.scan.bounds);
    let budget = Budget { points: budget_in_use.budget_points(&settings), error_px: settings.error_px };
    let residency = &scan.residency;
    let selection = lod::select(&scan.open.tree, &views, &|node| residency.state(node), &budget);

    let to_retry = scan.residency.tiles_to_retry();
    let wanted: HashSet<NodeId> = selection.load.iter().map(|(node, _)| *node).chain(to_retry.iter().copied()).collect();
    scan.fetcher.cancel_unless(|node| wanted.contains(&node));
    scan.residency.touch_and_evict(&selection.touch, settings.cache_bytes);
    let mut upload_bytes = UPLOAD_BYTES_PER_FRAME;
    for (node, _) in &selection.load {
        scan.residency.upload(*node, &device, &mut upload_bytes);
    }
    for node in selection.load.iter().map(|(node, _)| node).chain(&to_retry) {
        if scan.residency.may_request(*node, now_s) && !scan.fetcher.start(*node, &scan.open.tree.node(*node).content) {
            break;
        }
    }

    let residency = &scan.residency;
    let median_m = |node| residency.get(node).map_or(0.0, |tile| f64::from(tile.points.spacing_m));
    let spacings = Spacings::of(&scan.open.tree, &selection.draw, &median_m);
    draw_list.tiles.clear();
    draw_list.tiles.extend(selection.draw.iter().filter_map(|node| {
        let gpu = scan.residency.get(*node)?.gpu.clone()?;
        Some(DrawTile { node: *node, gpu, spacing: spacings.tile(*node) })
    }));
    draw_list.origin_m = scan.open.tree.scan.frame.origin_m;
    draw_list.bounds = scan.open.tree.scan.bounds;
    draw_list.intensity_range = scan.open.tree.scan.intensity_range.unwrap_or([0, u16::MAX]);

    // The number of decoded points; the tileset's own figures may differ.
    status.drawn_points = selection.draw.iter().filter_map(|node| scan.residency.get(*node)).map(|tile| tile.points.count()).sum();
    status.drawn_tiles = draw_list.tiles.len();
    status.loading = selection.load.len();
    status.loading_peak = if selection.load.is_empty() { 0 } else { status.loading_peak.max(status.loading) };
    status.budget_reached = selection.budget_reached;
    status.resident_bytes = scan.residency.bytes();
    status.settled_frames = if selection.load.is_empty() { status.settled_frames + 1 } else { 0 };
    let failed: Vec<FailedTile> = scan
        .residency
        .failed_tiles()
        .into_iter()
        .map(|(node, fault)| FailedTile { name: scan.node_name(node), message: fault.message.clone() })
        .collect();
    if status.failed != failed {
        status.failed = failed;
    }
    debug_assert!(selection.draw.iter().all(|node| matches!(scan.open.tree.node(*node).content, Content::Points(_))));
}

/// The views for which tiles are selected: the camera; in walk mode also the walker's surroundings, and, until a floor is
/// found, the column below the eye in which the floor is searched for.
fn views(rig: &Rig, size: UVec2, origin_m: DVec3, bounds: [f64; 6]) -> Vec<lod::View> {
    let eye = rig.eye - origin_m;
    let aspect = f64::from(size.x) / f64::from(size.y);
    let camera = lod::View::perspective(eye, rig.forward(), rig.up(), rig.fov_y, aspect, f64::from(size.y));
    let scale = camera.pixels_per_metre_at_1m;
    let mut views = vec![camera];
    if rig.mode == Mode::Walk {
        let around = |eye: DVec3| lod::View::around(eye, WALK_RADIUS_M, scale * 0.5);
        views.push(around(eye));
        if rig.walker.foot_height_m.is_none() {
            let [_, _, low_m, _, _, high_m] = bounds;
            let (low_m, high_m) = (low_m - origin_m.z, eye.z.min(high_m - origin_m.z));
            // Spheres that overlap, so that they cover the whole column.
            let spheres = ((high_m - low_m) / (WALK_RADIUS_M * 1.5)).ceil().clamp(0.0, COLUMN_SPHERES_MAX);
            let step_m = (high_m - low_m) / spheres.max(1.0);
            views.extend((0..spheres as u32).map(|sphere| around(eye.with_z(high_m - step_m * (f64::from(sphere) + 0.5)))));
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
    fn until_a_floor_is_found_tiles_below_the_eye_are_selected() {
        let origin_m = DVec3::new(500.0, 600.0, 30.0);
        let bounds = [480.0, 580.0, 25.0, 520.0, 620.0, 95.0];
        let eye = DVec3::new(500.0, 600.0, 200.0);
        let mut rig = Rig { eye, mode: Mode::Walk, walker: Walker::starting_at(eye), ..Rig::default() };
        let sees = |rig: &Rig, height_m: f64| {
            let center = DVec3::new(0.2, 0.2, height_m - origin_m.z);
            let tile = Bounds { min: center - 0.1, max: center + 0.1 };
            views(rig, UVec2::new(640, 360), origin_m, bounds)[1..].iter().any(|view| view.sees(&tile))
        };
        for height_m in 25..=95 {
            assert!(sees(&rig, f64::from(height_m)), "{height_m}");
        }
        rig.walker.foot_height_m = Some(40.0);
        rig.eye.z = 41.7;
        assert!(sees(&rig, 40.0) && !sees(&rig, 60.0) && !sees(&rig, 25.0));
    }
}
