//! Picking: the nearest drawn point along a ray, for example under the pointer.

use bevy::math::DVec3;

use crate::settings::Settings;
use crate::stream::active_scan::ActiveScan;
use crate::stream::status::StreamStatus;

/// Tangent of half the opening angle of the cone around the ray in which points are picked: about five pixels.
const CONE_TAN: f64 = 0.008;

/// The position on a ray at the nearest drawn point in a narrow cone around it. Scan frame, metres; `direction` has length 1.
///
/// `None` where there is no such point.
pub fn pick(scan: &ActiveScan, status: &StreamStatus, settings: &Settings, eye: DVec3, direction: DVec3) -> Option<DVec3> {
    let eye_in_tile_frame = eye - scan.open.tree.scan.frame.origin_m;
    let highest_m = settings.cut_above_m.map_or(f64::INFINITY, |cut_m| cut_m - scan.open.tree.scan.frame.origin_m.z);
    let mut nearest_m = f64::INFINITY;
    for resident in status.drawn.iter().filter_map(|node| scan.residency.get(*node)) {
        if let Some(found_m) = resident.points.pick(eye_in_tile_frame, direction, CONE_TAN, nearest_m, highest_m) {
            nearest_m = found_m;
        }
    }
    nearest_m.is_finite().then(|| eye + direction * nearest_m)
}
