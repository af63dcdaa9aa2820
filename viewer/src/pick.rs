//! Picking: the nearest drawn point along a ray, for example under the pointer.

use bevy::math::DVec3;

use crate::inside::LookInside;
use crate::stream::scans::{Scan, Scans};
use crate::stream::status::StreamStatus;
use crate::walk::tile_points::{Shown, TilePoints};

/// Tangent of half the opening angle of the cone around the ray in which points are picked: about five pixels.
const CONE_TAN: f64 = 0.008;
/// Points of one surface may differ in depth by this much, at least, and by this many times the width of the cone: a surface seen at an angle. Metres.
const SURFACE_DEPTH_M: f64 = 0.05;
const SURFACE_DEPTH_CONES: f64 = 3.0;

/// Wider cones for a click that meets no point in the narrow one: few points are drawn large, to close the surface between them.
const CLICK_CONES: [f64; 3] = [1.0, 2.0, 4.0];

/// The position on a ray at the nearest drawn point of any scan in a narrow cone around it. Scene frame, metres; `direction` has length 1.
///
/// `None` where there is no such point.
pub fn pick(scans: &Scans, status: &StreamStatus, inside: &LookInside, eye: DVec3, direction: DVec3) -> Option<DVec3> {
    let nearest_of = |scan: &Scan| {
        let ray = Ray::new(scans, scan, status, inside, (eye, direction));
        nearest_in_cone(&ray.tiles, ray.eye, ray.direction, CONE_TAN, &ray.shown)
    };
    scans.visible().filter_map(nearest_of).min_by(f64::total_cmp).map(|nearest_m| eye + direction * nearest_m)
}

/// The scanned point that a ray meets: of the points of the nearest surface, the one nearest to the ray. For measuring, because [`pick`] is
/// off by the width of its cone to the side. Scene frame, metres; `direction` has length 1.
///
/// Where scans overlap, it is a point of the one whose surface is nearest.
pub fn pick_point(scans: &Scans, status: &StreamStatus, inside: &LookInside, eye: DVec3, direction: DVec3) -> Option<DVec3> {
    let rays: Vec<(&Scan, Ray<'_>)> = scans.visible().map(|scan| (scan, Ray::new(scans, scan, status, inside, (eye, direction)))).collect();
    // A narrower cone of another scan counts more than a wider one: what is behind a gap between two points is not meant.
    CLICK_CONES.into_iter().find_map(|factor| {
        let met = rays.iter().filter_map(|(scan, ray)| {
            let point = point_in_cone(&ray.tiles, ray.eye, ray.direction, CONE_TAN * factor, &ray.shown)?;
            Some(scan.placement.scene_from_tile(point))
        });
        met.min_by(|a, b| a.distance(eye).total_cmp(&b.distance(eye)))
    })
}

/// What a ray may meet of a scan, in its tile frame. Metres.
struct Ray<'a> {
    tiles: Vec<&'a TilePoints>,
    eye: DVec3,
    direction: DVec3,
    /// Which points are drawn.
    shown: Shown,
}

impl<'a> Ray<'a> {
    fn new(scans: &'a Scans, scan: &Scan, status: &StreamStatus, inside: &LookInside, (eye, direction): (DVec3, DVec3)) -> Self {
        let drawn = status.drawn.iter().filter(|tile| tile.scan == scan.id);
        Self {
            tiles: drawn.filter_map(|tile| scans.residency.get(*tile)).map(|resident| &*resident.points).collect(),
            eye: scan.placement.tile_from_scene(eye),
            direction: scan.placement.tile_from_direction(direction),
            shown: inside.shown(scan),
        }
    }
}

/// The distance along a ray to the nearest point in a cone around it.
fn nearest_in_cone(tiles: &[&TilePoints], eye: DVec3, direction: DVec3, cone_tan: f64, shown: &Shown) -> Option<f64> {
    let nearer = |nearest_m: f64, tile: &&TilePoints| tile.pick(eye, direction, cone_tan, nearest_m, shown).unwrap_or(nearest_m);
    Some(tiles.iter().fold(f64::INFINITY, nearer)).filter(|nearest_m| nearest_m.is_finite())
}

/// The point that a ray meets in a cone around it.
fn point_in_cone(tiles: &[&TilePoints], eye: DVec3, direction: DVec3, cone_tan: f64, shown: &Shown) -> Option<DVec3> {
    let surface_m = nearest_in_cone(tiles, eye, direction, cone_tan, shown)?;
    nearest_to_ray(tiles, (eye, direction), surface_m, cone_tan, shown)
}

/// Of the points about `surface_m` away along a ray, the one nearest to it by angle; tile frame, metres.
fn nearest_to_ray(tiles: &[&TilePoints], (eye, direction): (DVec3, DVec3), surface_m: f64, cone_tan: f64, shown: &Shown) -> Option<DVec3> {
    let cone_m = surface_m * cone_tan;
    let farthest_m = surface_m + SURFACE_DEPTH_M.max(cone_m * SURFACE_DEPTH_CONES);
    // Where the ray may meet points.
    let start = eye + direction * surface_m;
    let mut nearest: Option<(f64, DVec3)> = None;
    for tile in tiles {
        let reach = DVec3::splat(farthest_m - surface_m + cone_m * 2.0);
        let (bounds, low, high) = (tile.bounds(), start - reach, start + reach);
        if bounds.max.cmplt(low).any() || bounds.min.cmpgt(high).any() {
            continue;
        }
        for (origin, points) in (0..).map_while(|block| tile.block(block, 1.0)) {
            let eye_of_part = (eye - origin).as_vec3();
            for (point, normal) in points {
                let position = origin + point.as_dvec3();
                let along = (position - eye).dot(direction);
                if along < surface_m - 1e-9 || along > farthest_m || !shown.shows(position.z, normal, eye_of_part - point) {
                    continue;
                }
                let angle = (position - eye - direction * along).length() / along;
                if angle < cone_tan && nearest.is_none_or(|(nearest, _)| angle < nearest) {
                    nearest = Some((angle, position));
                }
            }
        }
    }
    nearest.map(|(_, position)| position)
}

#[cfg(test)]
mod tests {
    use parterre_decode::PackedTile;
    use parterre_tile::glb;

    use super::*;

    /// A floor of 2 m x 2 m at 1 m with a point every 10 cm, and one of 2 m x 2 m below it.
    fn tile() -> TilePoints {
        let floor = |height_mm| {
            (0..20).flat_map(move |x| (0..20).map(move |y| glb::Vertex { position: [x * 100, y * 100, height_mm], ..Default::default() }))
        };
        let part = glb::Part { vertices: floor(1000).chain(floor(0)).collect(), ..Default::default() };
        TilePoints::new(&PackedTile::new(vec![part]))
    }

    #[test]
    fn a_click_between_sparse_points_gives_the_nearest_one_of_the_nearest_surface() {
        let tile = tile();
        let picked = |x: f64, y: f64, highest_m: f64| {
            let shown = Shown { highest_m, hides_backs: false };
            let cone = |factor| point_in_cone(&[&tile], DVec3::new(x, y, 3.0), DVec3::NEG_Z, CONE_TAN * factor, &shown);
            CLICK_CONES.into_iter().find_map(cone)
        };
        let is_at = |picked: Option<DVec3>, x, y, z| picked.is_some_and(|picked| picked.distance(DVec3::new(x, y, z)) < 1e-6);
        // Within the narrow cone of 1.6 cm, and within a wider one.
        assert!(is_at(picked(1.01, 1.0, f64::INFINITY), 1.0, 1.0, 1.0));
        assert!(is_at(picked(1.03, 1.0, f64::INFINITY), 1.0, 1.0, 1.0));
        // Below the cut, the lower floor.
        assert!(is_at(picked(1.04, 1.02, 0.5), 1.0, 1.0, 0.0));
        assert_eq!(picked(2.5, 1.0, f64::INFINITY), None);
    }
}
