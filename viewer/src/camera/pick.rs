//! What is under the pointer: the nearest point that is drawn along a ray.

use bevy::math::DVec3;

use crate::points::extract::DrawList;
use crate::settings::Settings;
use crate::stream::active_scan::ActiveScan;

/// Half width of the cone round the ray, as a share of the distance: about five pixels.
const CONE_TAN: f64 = 0.008;

/// The nearest point along a ray (scan frame, metres; unit `direction`).
pub fn pick(scan: &ActiveScan, drawn: &DrawList, settings: &Settings, eye: DVec3, direction: DVec3) -> Option<DVec3> {
    let eye_in_tiles = eye - scan.open.tree.scan.frame.origin_m;
    let highest_m = settings.cut_above_m.map_or(f64::INFINITY, |cut_m| cut_m - scan.open.tree.scan.frame.origin_m.z);
    let mut nearest_m = f64::INFINITY;
    for slot in drawn.tiles.iter().filter_map(|tile| scan.residency.get(tile.node)) {
        if let Some(found_m) = slot.points.pick(eye_in_tiles, direction, CONE_TAN, nearest_m, highest_m) {
            nearest_m = found_m;
        }
    }
    nearest_m.is_finite().then(|| eye + direction * nearest_m)
}
