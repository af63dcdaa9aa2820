//! What is hidden behind surfaces: a map of the points that the last frame drew, seen from where this frame looks.
//!
//! Points that are not drawn hide nothing: those above the cut, and those of surfaces that are seen from behind where these are left out.

use std::sync::Arc;

use bevy::math::{DVec3, UVec2, Vec3};
use parterre_lod::{ChosenTile, OcclusionMap, share};

use super::residency::Residency;
use crate::inside::Inside;
use crate::rig::Rig;
use crate::walk::tile_points::Shown;

/// Spacing of the points in the map, in pixels of a picture that is 600 pixels high; coarser where the drawn points are.
const SPACING_PX: f64 = 6.0;
/// Spacing above which no map is made: what is drawn is too coarse to tell an opening from a wall. In the same pixels.
const SPACING_MAX_PX: f64 = 14.0;

/// The map of what hides something, of the tiles `drawn` with points `spacing_px` apart. `None` where the points are too coarse.
pub(super) fn occlusion_map(
    residency: &Residency,
    drawn: &[ChosenTile],
    (rig, origin_m, size): (&Rig, DVec3, UVec2),
    spacing_px: f64,
    inside: &Inside,
) -> Option<Arc<OcclusionMap>> {
    let height = f64::from(size.y);
    let spacing = (spacing_px / height).max(SPACING_PX / 600.0);
    if spacing > SPACING_MAX_PX / 600.0 || drawn.is_empty() {
        return None;
    }
    let axes = [rig.forward(), rig.right(), rig.up()];
    let mut map = OcclusionMap::new(rig.eye - origin_m, axes, rig.fov_y, f64::from(size.x) / height, spacing);
    let shown = inside.shown(origin_m.z);
    let mut drawn_points = Vec::new();
    for ChosenTile { node, blocks } in drawn {
        let Some(tile) = residency.get(*node) else { continue };
        for chosen in blocks {
            // Of the points drawn, those that are needed for the spacing in the map.
            let share = share(chosen.priority, spacing * height).min(chosen.share);
            let Some((part_origin_m, points)) = tile.points.block(chosen.block, share).filter(|_| share > 0.0) else { continue };
            let shown = Shown { highest_m: shown.highest_m - part_origin_m.z, ..shown };
            let eye = (rig.eye - origin_m - part_origin_m).as_vec3();
            let is_drawn = |(point, normal): &(Vec3, [i8; 2])| shown.shows(f64::from(point.z), *normal, eye - *point);
            drawn_points.clear();
            drawn_points.extend(points.filter(is_drawn).map(|(point, _)| point));
            map.add(part_origin_m, &drawn_points);
        }
    }
    Some(Arc::new(map.finish()))
}
