//! What is hidden behind surfaces: a map of the points that the last frame drew, seen from where this frame looks.
//!
//! Points that are not drawn hide nothing: those above the cut, and those of surfaces that are seen from behind where these are left out.

use std::sync::Arc;

use bevy::math::{DVec3, UVec2, Vec3};
use parterre_lod::{ChosenTile, OcclusionMap, share};

use super::scans::Scans;
use crate::inside::LookInside;
use crate::placement::Placement;
use crate::rig::Rig;
use crate::walk::tile_points::Shown;

/// Spacing of the points in the map, in pixels of a picture that is 600 pixels high; coarser where the drawn points are.
const SPACING_PX: f64 = 6.0;
/// Spacing above which no map is made: what is drawn is too coarse to tell an opening from a wall. In the same pixels.
const SPACING_MAX_PX: f64 = 14.0;

/// The eye and the directions of the picture in a tile frame.
fn frame(rig: &Rig, placement: &Placement) -> (DVec3, [DVec3; 3]) {
    let directions = [rig.forward(), rig.right(), rig.up()].map(|direction| placement.tile_from_direction(direction));
    (placement.tile_from_scene(rig.eye), directions)
}

/// A map of what hides something, made of what the last frame drew.
pub(super) struct Occluders(OcclusionMap);

impl Occluders {
    /// The map of the tiles `drawn` of all scans, with points `spacing_px` apart. `None` where the points are too coarse.
    pub(super) fn new(
        scans: &Scans,
        drawn: &[ChosenTile],
        (rig, size): (&Rig, UVec2),
        spacing_px: f64,
        inside: &LookInside,
    ) -> Option<Self> {
        let height = f64::from(size.y);
        let spacing = (spacing_px / height).max(SPACING_PX / 600.0);
        if spacing > SPACING_MAX_PX / 600.0 || drawn.is_empty() {
            return None;
        }
        let axes = [rig.forward(), rig.right(), rig.up()];
        let mut map = OcclusionMap::new(rig.eye, axes, rig.fov_y, f64::from(size.x) / height, spacing);
        let mut drawn_points = Vec::new();
        // One scan after the other: the points of each are in a frame of its own.
        for scan in scans.visible() {
            let (eye, axes) = frame(rig, &scan.placement);
            map = map.in_frame(eye, axes);
            let shown = inside.shown(scan);
            for ChosenTile { tile, blocks } in drawn.iter().filter(|chosen| chosen.tile.scan == scan.id) {
                let Some(tile) = scans.residency.get(*tile) else { continue };
                for chosen in blocks {
                    // Of the points drawn, those that are needed for the spacing in the map.
                    let share = share(chosen.priority, spacing * height).min(chosen.share);
                    let Some((part_origin_m, points)) = tile.points.block(chosen.block, share).filter(|_| share > 0.0) else { continue };
                    let shown = Shown { highest_m: shown.highest_m - part_origin_m.z, ..shown };
                    let eye = (eye - part_origin_m).as_vec3();
                    let is_drawn = |(point, normal): &(Vec3, [i8; 2])| shown.shows(f64::from(point.z), *normal, eye - *point);
                    drawn_points.clear();
                    drawn_points.extend(points.filter(is_drawn).map(|(point, _)| point));
                    map.add(part_origin_m, &drawn_points);
                }
            }
        }
        Some(Self(map.finish()))
    }

    /// The map for the boxes of a scan.
    pub(super) fn in_frame_of(&self, rig: &Rig, placement: &Placement) -> Arc<OcclusionMap> {
        let (eye, axes) = frame(rig, placement);
        Arc::new(self.0.clone().in_frame(eye, axes))
    }
}
