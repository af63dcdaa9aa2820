//! Standing on the floor and walking on it.
//!
//! A step is taken only to a place where a floor is found within a step's reach of the feet; otherwise it is tried along
//! either axis alone, so that one slides along an edge, and then not taken at all. The eyes follow the feet smoothly.

use bevy::math::DVec2;
use bevy::prelude::*;

use super::fly::look_round;
use super::input::Intent;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::stream::active_scan::ActiveScan;
use crate::stream::status::StreamStatus;
use crate::walk::columns::TilePoints;
use crate::walk::floor::{Reach, find_floor};

/// Eyes above the floor. Metres.
pub const EYE_HEIGHT_M: f64 = 1.7;
/// Metres a second.
const SPEED_M_S: f64 = 1.5;
/// With shift.
const FAST: f64 = 2.5;
/// Radii of the disc in which a floor is looked for; the larger ones step over small gaps in the scan. Metres.
const RADII_M: [f64; 3] = [0.2, 0.35, 0.6];
/// Points this far below a step's reach show that a place is an edge and not a gap in the scan. Metres.
const EDGE_M: f64 = 8.0;
/// Risers of stairs are not higher; what lies deeper may be no step. Metres.
const RISER_M: f64 = 0.22;
/// Slabs that one stands on are not thicker. Metres.
const SLAB_M: f64 = 0.6;
/// Floors on two sides of a gap are the same one where they are this near to the feet's height. Metres.
const LEVEL_M: f64 = 0.12;
/// How far beside a place a gap's sides are looked for, besides the radius of the disc. Metres.
const GAP_SIDES_M: [f64; 2] = [0.35, 0.6];
/// A step is looked ahead in pieces of at most this length, so that no gap is jumped. Metres.
const STRIDE_M: f64 = 0.1;
/// How fast the eyes follow the feet. 1/s.
const FOLLOW_PER_S: f64 = 9.0;
/// Places around the drop's start that are tried, and how far around. Metres.
const DROP_PLACES: u32 = 60;
const DROP_REACH_M: f64 = 6.0;
/// Seconds that a note stays.
const NOTE_S: f64 = 1.5;

pub(super) fn update(mut rigs: Query<&mut Rig>, intent: Res<Intent>, time: Res<Time>, scan: Res<ActiveScan>, status: Res<StreamStatus>) {
    let delta_s = time.delta_secs_f64().min(0.1);
    for mut rig in &mut rigs {
        if rig.mode != Mode::Walk {
            continue;
        }
        look_round(&mut rig, intent.turn_px / intent.size_px.y.max(1.0));
        rig.walker.no_floor_s = (rig.walker.no_floor_s - delta_s).max(0.0);
        let place = rig.eye.truncate();
        let Some(foot_m) = rig.walker.foot_m else {
            if !rig.walker.may_search(status.loading == 0, delta_s) {
                continue;
            }
            let changes = scan.residency.changes();
            if rig.walker.failed_at == Some(changes) {
                rig.walker.no_floor_s = NOTE_S;
                continue;
            }
            let [_, _, low_m, _, _, high_m] = scan.open.tree.scan.bounds;
            let from_m = rig.walker.drop_from_m.min(high_m + 1.0);
            if let Some((place, found_m)) = drop_nearby(|place, foot_m, reach| floor(&scan, place, foot_m, reach), place, from_m, low_m) {
                rig.walker.foot_m = Some(found_m);
                rig.walker.no_floor_s = 0.0;
                rig.eye = place.extend(found_m + EYE_HEIGHT_M);
            } else {
                rig.walker.no_floor_s = NOTE_S;
                rig.walker.failed_at = Some(changes);
            }
            continue;
        };
        // Two fingers up and down walk, as there are no keys on a phone.
        let drag = intent.shift_px / intent.size_px.y.max(1.0) * 6.0;
        let ahead = rig.forward().with_z(0.0).normalize_or_zero().truncate();
        let right = rig.right().truncate();
        let keys = DVec2::new(intent.go.x, intent.go.y).clamp_length_max(1.0) * SPEED_M_S * if intent.fast { FAST } else { 1.0 } * delta_s;
        let step = right * (keys.x + drag.x) + ahead * (keys.y + intent.zoom * 0.5 - drag.y);
        let walk = walk(|place, foot_m| floor(&scan, place, foot_m, Reach::STEP), place, foot_m, step);
        if walk.stopped {
            rig.walker.no_floor_s = NOTE_S;
        }
        // Finer tiles may have come: the floor is measured again where one stands.
        let foot_m = if step == DVec2::ZERO { floor(&scan, place, foot_m, Reach::STEP).unwrap_or(foot_m) } else { walk.foot_m };
        rig.walker.foot_m = Some(foot_m);
        let eye_m = foot_m + EYE_HEIGHT_M;
        let follow = 1.0 - (-FOLLOW_PER_S * delta_s).exp();
        rig.eye = walk.place.extend(rig.eye.z + (eye_m - rig.eye.z) * follow);
    }
}

/// Where a step ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walked {
    /// Seen from above.
    pub place: DVec2,
    /// Height of the floor there.
    pub foot_m: f64,
    /// Some of the way had no floor.
    pub stopped: bool,
}

/// Walks `step` in strides, each only where `floor` finds one.
pub fn walk(floor: impl Fn(DVec2, f64) -> Option<f64>, mut place: DVec2, mut foot_m: f64, step: DVec2) -> Walked {
    let strides = (step.length() / STRIDE_M).ceil().clamp(0.0, 50.0);
    let mut stopped = false;
    for _ in 0..strides as usize {
        let stride = step / strides;
        let ways = [stride, DVec2::new(stride.x, 0.0), DVec2::new(0.0, stride.y)];
        let way = ways.into_iter().filter(|way| *way != DVec2::ZERO).find_map(|way| Some((place + way, floor(place + way, foot_m)?)));
        let Some((next, next_foot_m)) = way else {
            stopped = true;
            break;
        };
        (place, foot_m) = (next, next_foot_m);
    }
    Walked { place, foot_m, stopped }
}

/// The floor below a place, or below the nearest place of a widening spiral that has one.
fn drop_nearby(floor: impl Fn(DVec2, f64, Reach) -> Option<f64>, place: DVec2, from_m: f64, low_m: f64) -> Option<(DVec2, f64)> {
    // Steps of a sunflower: evenly spread, the nearest first.
    (0..DROP_PLACES).find_map(|at| {
        let at = f64::from(at);
        let place = place + DVec2::from_angle(at * 2.4) * (DROP_REACH_M * (at / f64::from(DROP_PLACES)).sqrt());
        Some((place, drop_to_floor(&floor, place, from_m, low_m)?))
    })
}

/// The first floor below `from_m`, looked for step by step down to `low_m`, the scan's lowest point.
fn drop_to_floor(floor: impl Fn(DVec2, f64, Reach) -> Option<f64>, place: DVec2, from_m: f64, low_m: f64) -> Option<f64> {
    let reach = Reach { up_m: 0.0, down_m: 2.0 };
    let mut foot_m = from_m;
    while foot_m > low_m - 0.1 {
        if let Some(found_m) = floor(place, foot_m, reach) {
            return Some(found_m);
        }
        foot_m -= reach.down_m - 0.1;
    }
    // One may have pointed at the floor itself, or just below it.
    floor(place, from_m, Reach { up_m: 1.0, down_m: 0.0 })
}

/// The floor at a place (scan frame) among the points in memory.
pub fn floor(scan: &ActiveScan, place: DVec2, foot_m: f64, reach: Reach) -> Option<f64> {
    let origin_m = scan.open.tree.scan.frame.origin_m;
    let tiles = || scan.residency.iter().map(|(_, slot)| &*slot.points);
    floor_in(tiles, place - origin_m.truncate(), foot_m - origin_m.z, reach).map(|found_m| found_m + origin_m.z)
}

/// The floor at a place among the points of `tiles`, all in the tile frame.
///
/// The smallest disc that shows a floor within reach decides, and a place is an edge where a disc shows only what lies
/// below the reach. What is deeper than a stair's riser may also be the underside of the slab that one stands on, seen
/// through a gap in the scan (under a seat, say): where the floor goes on beyond it, it is stepped over.
pub fn floor_in<'a, T: Iterator<Item = &'a TilePoints>>(tiles: impl Fn() -> T, place: DVec2, foot_m: f64, reach: Reach) -> Option<f64> {
    let heights_in = |place: DVec2, radius_m: f64| {
        let mut heights_m = Vec::new();
        for tile in tiles() {
            tile.heights(place, radius_m, &mut heights_m);
        }
        heights_m
    };
    let is_step = reach.down_m <= Reach::STEP.down_m;
    let over_gap = || is_step.then(|| floor_over_gap(heights_in, place, foot_m)).flatten();
    let lowest_m = foot_m - reach.down_m;
    for radius_m in RADII_M {
        let heights_m = heights_in(place, radius_m);
        match find_floor(&heights_m, foot_m, reach) {
            Some(found_m) if is_step && found_m < foot_m - RISER_M => return over_gap().or(Some(found_m)),
            Some(found_m) => return Some(found_m),
            None => {}
        }
        let is_deep = |height: &f64| (lowest_m - EDGE_M..lowest_m).contains(height);
        if heights_m.iter().any(is_deep) {
            let is_slab = !heights_m.iter().any(|height| is_deep(height) && *height < foot_m - SLAB_M);
            return if is_slab { over_gap() } else { None };
        }
    }
    None
}

/// The height of a floor that goes on at about `foot_m` on two opposite sides of a place.
fn floor_over_gap(heights_in: impl Fn(DVec2, f64) -> Vec<f64>, place: DVec2, foot_m: f64) -> Option<f64> {
    let level = Reach { up_m: LEVEL_M, down_m: LEVEL_M };
    let side = |direction: DVec2| {
        GAP_SIDES_M.into_iter().find_map(|aside_m| find_floor(&heights_in(place + direction * aside_m, RADII_M[0]), foot_m, level))
    };
    (0..4).find_map(|eighth| {
        let direction = DVec2::from_angle(f64::from(eighth) * std::f64::consts::FRAC_PI_4);
        Some(f64::midpoint(side(direction)?, side(-direction)?))
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use parterre_tile::glb;

    use super::*;

    /// A floor at 0 for x < 2, stairs of 0.2 m every 0.3 m up to x = 3.5, nothing beyond.
    fn terrain(place: DVec2, foot_m: f64) -> Option<f64> {
        let height_m = if place.x < 2.0 { 0.0 } else { ((place.x - 2.0) / 0.3).floor() * 0.2 };
        (place.x < 3.5 && (height_m - foot_m) <= 0.35 && (foot_m - height_m) <= 0.35).then_some(height_m)
    }

    #[test]
    fn stairs_are_climbed_and_the_edge_is_not_crossed() {
        let walked = walk(terrain, DVec2::ZERO, 0.0, DVec2::new(5.0, 0.0));
        assert!(walked.stopped);
        assert!(walked.place.x > 3.3 && walked.place.x < 3.5);
        assert!((walked.foot_m - 0.8).abs() < 1e-9);
    }

    /// A slab from x = 0 to 12 with its top at 0, a point every 4 cm on both sides, and a ground 4 m below.
    /// Where `is_hole` the top was not seen.
    fn slab(thickness_m: f64, is_hole: impl Fn(DVec2) -> bool) -> TilePoints {
        let mut vertices = Vec::new();
        for (x, y) in (0..300u16).flat_map(|x| (0..100u16).map(move |y| (x, y))) {
            let mut point = |height_m: f64| {
                vertices.push(glb::Vertex { position: [x * 40, y * 40, (height_m * 1000.0) as u16], ..Default::default() });
            };
            if !is_hole(DVec2::new(f64::from(x), f64::from(y)) * 0.04) {
                point(TOP_M);
            }
            point(TOP_M - thickness_m);
        }
        for (x, y) in (0..375u16).flat_map(|x| (0..100u16).map(move |y| (x, y))).filter(|(x, _)| *x > 300) {
            vertices.push(glb::Vertex { position: [x * 40, y * 40, 0], ..Default::default() });
        }
        TilePoints::new(vec![glb::Part { vertices, ..Default::default() }], 0.04).0
    }

    const TOP_M: f64 = 4.0;

    #[test]
    fn one_never_falls_through_a_gap_onto_the_underside_of_the_floor() {
        for thickness_m in [0.25, 0.3, 0.4, 0.5] {
            for (hole_m, crossed) in [(0.5, true), (0.8, true), (3.0, false)] {
                let tile = slab(thickness_m, |at| (at.x - 6.0).abs() < hole_m * 0.5);
                let floor = |place: DVec2, foot_m: f64| floor_in(|| std::iter::once(&tile), place, foot_m, Reach::STEP);
                let walked = walk(floor, DVec2::new(3.0, 2.0), TOP_M, DVec2::new(5.0, 0.3));
                let what = format!("{thickness_m} m thick, a gap of {hole_m} m: {walked:?}");
                // Where a thin slab's underside is all there is for metres, it looks like the next row of a tier.
                assert!(walked.foot_m > TOP_M - if thickness_m < 0.35 { 0.35 } else { 0.05 }, "{what}");
                if crossed {
                    assert!(!walked.stopped && (walked.foot_m - TOP_M).abs() < 0.05 && walked.place.x > 7.9, "{what}");
                }
                let off_the_edge = walk(floor, DVec2::new(9.0, 2.0), TOP_M, DVec2::new(4.5, 0.0));
                assert!(
                    off_the_edge.stopped && (off_the_edge.foot_m - TOP_M).abs() < 0.05 && off_the_edge.place.x < 12.3,
                    "{off_the_edge:?}"
                );
            }
        }
    }

    #[test]
    fn one_slides_along_an_edge() {
        let walked = walk(terrain, DVec2::new(3.45, 0.0), 0.8, DVec2::new(1.0, 1.0));
        assert!(!walked.stopped);
        assert!(walked.place.y > 0.9 && walked.place.x < 3.5);
    }

    #[test]
    fn a_drop_ends_on_the_first_floor_below() {
        let floors = [0.0, 4.0, 8.0];
        let floor = |_: DVec2, foot_m: f64, reach: Reach| {
            floors.into_iter().rev().find(|floor| *floor <= foot_m + reach.up_m && *floor >= foot_m - reach.down_m)
        };
        assert_eq!(drop_to_floor(floor, DVec2::ZERO, 7.0, 0.0), Some(4.0));
        assert_eq!(drop_to_floor(floor, DVec2::ZERO, 30.0, 0.0), Some(8.0));
        assert_eq!(drop_to_floor(floor, DVec2::ZERO, 90.0, 0.0), Some(8.0), "however high the roof");
        assert_eq!(drop_to_floor(floor, DVec2::ZERO, -0.5, 0.0), Some(0.0));
        assert_eq!(drop_to_floor(|_, _, _| None, DVec2::ZERO, 7.0, 0.0), None);
        let (place, foot_m) =
            drop_nearby(|at, from_m, reach| floor(at, from_m, reach).filter(|_| at.x > 2.0), DVec2::ZERO, 5.0, 0.0).expect("near by");
        assert!(foot_m == 4.0 && place.x > 2.0 && place.length() < 4.0);
    }
}
