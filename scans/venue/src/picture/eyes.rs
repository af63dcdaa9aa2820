//! Eye positions on the floors of a venue, spread over its rooms.

use std::f64::consts::TAU;

use glam::{DMat3, DVec3, dvec3};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::super::hall::Venue;
use super::super::scene::class;
use super::super::solid::Solid;
use super::super::truth::Room;
use super::camera::View;

/// Height of an eye above the floor.
const EYE_M: f64 = 1.6;
/// Least distance of an eye from any solid.
const FREE_M: f64 = 0.6;
/// Directions tried from a position.
const DIRECTIONS: u32 = 16;
/// Positions tried in a room.
const TRIES: u32 = 2000;

/// `count` eye positions. Large rooms get more of them, in proportion to the square root of their area, and each lies on a floor,
/// at least [`FREE_M`] from any solid, and looks along one of the directions in which most is free.
pub(super) fn eyes(venue: &Venue, seed: u64, count: usize) -> Vec<View> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // In the order of levels, so that equal steps through the rooms reach every level.
    let mut rooms: Vec<&Room> = venue.rooms.iter().collect();
    rooms.sort_by_key(|room| room.level);
    let total: f64 = rooms.iter().map(|room| room.area_m2.sqrt()).sum();
    let offset: f64 = rng.random();
    let mut views = Vec::with_capacity(count);
    let (mut reached, mut next) = (0.0, 0);
    for room in rooms {
        reached += room.area_m2.sqrt();
        while next < count && (next as f64 + offset) / count as f64 * total < reached {
            next += 1;
            views.extend(eye_in(venue, room, &mut rng).map(|(eye, target)| View {
                name: format!("eye-{next:02}-{}", room.id),
                eye,
                target,
            }));
        }
    }
    views
}

/// A free position in a room and what it looks at; nothing where the room has none.
fn eye_in(venue: &Venue, room: &Room, rng: &mut ChaCha8Rng) -> Option<(DVec3, DVec3)> {
    let [x0, y0, x1, y1] = room.rectangle;
    let [low, high] = room.floor_z;
    for _ in 0..TRIES {
        let above = dvec3(rng.random_range(x0..x1), rng.random_range(y0..y1), high + 1.0);
        let Some(hit) = venue.scene.first_hit(above, -DVec3::Z, 1.0 + high - low + 0.1) else { continue };
        if venue.scene.class(hit.solid) != class::GROUND || hit.normal.z < 0.9 {
            continue;
        }
        let eye = above - DVec3::Z * (f64::from(hit.distance) - EYE_M);
        if venue.scene.solids().iter().any(|solid| distance(solid, eye) < FREE_M) {
            continue;
        }
        let start: f64 = rng.random_range(0.0..TAU);
        let mut directions: Vec<(f64, DVec3)> = (0..DIRECTIONS)
            .map(|step| {
                let azimuth = start + TAU * f64::from(step) / f64::from(DIRECTIONS);
                let direction = dvec3(azimuth.cos(), azimuth.sin(), rng.random_range(-0.22..0.06)).normalize();
                let free = venue.scene.first_hit(eye, direction, 100.0).map_or(100.0, |hit| f64::from(hit.distance));
                (free, direction)
            })
            .collect();
        directions.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (_, direction) = directions[rng.random_range(0..directions.len() / 3)];
        return Some((eye, eye + direction * 5.0));
    }
    None
}

/// Distance of a point from a solid, 0 inside it.
fn distance(solid: &Solid, point: DVec3) -> f64 {
    let bounds = solid.bounds();
    let outside = (point - point.clamp(bounds.min, bounds.max)).length();
    if outside >= FREE_M {
        return outside;
    }
    // The nearest point of a parallelepiped: one coordinate after the other is set to its best value. The squared distance is convex
    // and its limits are independent, so this converges; 32 rounds reach far below a millimetre for the shapes of a venue.
    let edges = DMat3::from_cols_array_2d(&solid.edges.map(|edge| edge.to_array()));
    let mut at = DVec3::splat(0.5);
    for _ in 0..32 {
        for axis in 0..3 {
            let rest = point - solid.corner - edges * at + solid.edges[axis] * at[axis];
            at[axis] = (rest.dot(solid.edges[axis]) / solid.edges[axis].length_squared()).clamp(0.0, 1.0);
        }
    }
    (point - solid.corner - edges * at).length()
}

#[cfg(test)]
mod tests {
    use super::super::super::material::Material;
    use super::*;

    #[test]
    fn distances_from_turned_and_sheared_solids() {
        let block = Solid::block(DVec3::ZERO, DVec3::ONE, Material::Steel);
        assert!((distance(&block, dvec3(1.3, 1.4, 0.5)) - 0.5).abs() < 1e-9);
        assert!(distance(&block, DVec3::splat(0.3)) < 1e-9);
        let diagonal = Solid::bar(DVec3::ZERO, dvec3(2.0, 2.0, 0.0), DVec3::Z, 0.02, 0.02, Material::Steel);
        // The box around the bar holds the point; the bar is half a diagonal away.
        assert!((distance(&diagonal, dvec3(1.2, 0.8, 0.0)) - (0.08_f64.sqrt() - 0.01)).abs() < 1e-6);
    }
}
