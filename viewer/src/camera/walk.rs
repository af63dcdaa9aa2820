//! Walk mode: finding the first floor and walking on it.
//!
//! The first floor is searched for below the place that one looks at; where there is none, at the nearest start place of a scan, which the tileset gives, or
//! else on its largest floor. The view stays until a floor is found; then the eye goes down to it.
//!
//! A step is taken only to a position where a floor is found at about the height of the feet. Otherwise the step is tried
//! along the x axis and the y axis alone, so that the walker slides along an edge; where that fails too, the walker stops.
//! The eye follows the feet smoothly.

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;
use parterre_model::points::Bounds;

use super::fly::look_around;
use crate::input::intents::Intents;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::rig::walker::{Descent, Place, Pose};
use crate::stream::scans::{Scan, Scans};
use crate::stream::status::StreamStatus;
use crate::walk::columns::Columns;
use crate::walk::floor::{HeightRange, find_floor};
use crate::walk::tile_points::TilePoints;

/// Height of the eye above the floor. Metres.
pub const EYE_HEIGHT_M: f64 = 1.7;
/// Walking speed. Metres per second.
const SPEED_M_S: f64 = 1.5;
/// Factor on the speed while Shift is held.
const FAST_FACTOR: f64 = 2.5;
/// Radii of the disc in which a floor is searched for; the larger ones bridge small gaps in the scan. Metres.
const RADII_M: [f64; 3] = [0.2, 0.35, 0.6];
/// Points up to this far below the range of a step show that there is an edge and not a gap in the scan. Metres.
const DROP_DEPTH_MAX_M: f64 = 8.0;
/// Largest height of a stair's riser; a floor that is lower by more may not be the next step. Metres.
const RISER_MAX_M: f64 = 0.22;
/// Largest thickness of a floor slab. Metres.
const SLAB_THICKNESS_MAX_M: f64 = 0.6;
/// Surfaces on two sides of a gap are the same floor where both are within this distance of the feet's height. Metres.
const SAME_FLOOR_M: f64 = 0.12;
/// Distances from a position at which the floor on the two sides of a gap is searched for. Metres.
const GAP_SIDE_DISTANCES_M: [f64; 2] = [0.35, 0.6];
/// A step is divided into strides of at most this length, so that no gap is skipped. Metres.
const STRIDE_MAX_M: f64 = 0.1;
/// Rate at which the eye's height approaches the one above the feet. 1/s.
const FOLLOW_PER_S: f64 = 9.0;
/// The eye has reached its height where it is this close. Metres.
const FOLLOWED_M: f64 = 0.001;
/// Number of positions at which the first floor is searched for.
const START_POSITIONS: u32 = 60;
/// Radius of the disc over which they are spread. Metres.
const START_RADIUS_M: f64 = 6.0;
/// Least width of a floor to start on: that of a tread. Metres.
const WIDTH_M: f64 = 0.25;
/// Fewest points of one.
const AREA_POINTS_MIN: usize = 4;
/// Steepest direction of view of a walker who starts. Radians above or below the horizon.
const START_PITCH_MAX: f64 = 0.3;
/// A longer frame says nothing about waiting: the page was in the background. Seconds.
const FRAME_MAX_S: f64 = 3.0;
/// How long the message that no floor was found is shown. Seconds.
const MESSAGE_S: f64 = 1.5;

pub(super) fn update(
    mut rigs: Query<&mut Rig>,
    input: Res<Intents>,
    (time, real_time): (Res<Time>, Res<Time<Real>>),
    scans: Res<Scans>,
    status: Res<StreamStatus>,
) {
    let delta_s = time.delta_secs_f64().min(0.1);
    for mut rig in &mut rigs {
        if rig.mode != Mode::Walk {
            continue;
        }
        let Some(foot_height_m) = rig.walker.foot_height_m else {
            start(&mut rig, &scans, &status, real_time.delta_secs_f64().min(FRAME_MAX_S));
            continue;
        };
        look_around(&mut rig, input.rotate_px / input.size_px.y.max(1.0));
        rig.walker.no_floor_message_s = (rig.walker.no_floor_message_s - delta_s).max(0.0);
        let position = rig.eye.truncate();
        // On a touch screen, a drag with two fingers walks.
        let drag = input.pan_px / input.size_px.y.max(1.0) * 6.0;
        let ahead = rig.forward().with_z(0.0).normalize_or_zero().truncate();
        let right = rig.right().truncate();
        let keys = DVec2::new(input.movement.x, input.movement.y).clamp_length_max(1.0)
            * SPEED_M_S
            * if input.fast { FAST_FACTOR } else { 1.0 }
            * delta_s;
        let step = right * (keys.x + drag.x) + ahead * (keys.y + input.zoom * 0.5 - drag.y);
        let result =
            walk(|position, foot_height_m| floor(&scans, position, foot_height_m, HeightRange::STEP), position, foot_height_m, step);
        if result.stopped {
            rig.walker.no_floor_message_s = MESSAGE_S;
        }
        // Finer tiles may have been loaded: a standing walker's floor is searched for again.
        let foot_height_m = if step == DVec2::ZERO {
            floor(&scans, position, foot_height_m, HeightRange::STEP).unwrap_or(foot_height_m)
        } else {
            result.foot_height_m
        };
        rig.walker.foot_height_m = Some(foot_height_m);
        let eye_m = foot_height_m + EYE_HEIGHT_M;
        let follow = 1.0 - (-FOLLOW_PER_S * delta_s).exp();
        // At the end, the view must stand still.
        let rest_m = (eye_m - rig.eye.z).abs();
        let eye_height_m = if rest_m < FOLLOWED_M { eye_m } else { rig.eye.z + (eye_m - rig.eye.z) * follow };
        rig.eye = result.position.extend(eye_height_m);
    }
}

/// Goes down to the first floor, or searches for it. `delta_s`: real time since the last frame, so that neither takes longer where frames are slow.
fn start(rig: &mut Rig, scans: &Scans, status: &StreamStatus, delta_s: f64) {
    if let Some(mut descent) = rig.walker.descent {
        let (pose, foot_height_m) = descent.advance(delta_s);
        rig.set_pose(pose);
        rig.walker.descent = Some(descent).filter(|_| foot_height_m.is_none());
        rig.walker.foot_height_m = foot_height_m;
        return;
    }
    let insertions = scans.residency.insertions();
    if !rig.walker.may_search(status.loading_around == 0, insertions, delta_s) {
        return;
    }
    let Place { from, yaw } = rig.walker.place();
    let (low_m, high_m) = heights_at(scans, from.truncate());
    let floor = |position, height_m, range| floor(scans, position, height_m, range);
    let is_area = |position, height_m| {
        let mut points = Vec::new();
        scans.for_each_near(position, RADII_M[2], |point| points.extend(on_floor(point, position, height_m)));
        is_area(&points)
    };
    if let Some((position, foot_height_m)) = first_floor_nearby(floor, is_area, from.truncate(), from.z.min(high_m + 1.0), low_m) {
        let to = Pose {
            eye: position.extend(foot_height_m + EYE_HEIGHT_M),
            yaw: yaw.unwrap_or(rig.yaw),
            pitch: if yaw.is_some() { 0.0 } else { rig.pitch.clamp(-START_PITCH_MAX, START_PITCH_MAX) },
        };
        rig.walker.descent = Some(Descent::new(rig.pose(), to, foot_height_m));
    } else {
        let start_place = start_place(scans, from.truncate());
        rig.walker.search_on(start_place, insertions);
    }
}

/// The lowest and the highest point of the scans at a position; of all that are shown where none is there. Scene frame, metres.
fn heights_at(scans: &Scans, position: DVec2) -> (f64, f64) {
    let is_there = |bounds: &Bounds| {
        let (low, high) = (bounds.min.truncate() - START_RADIUS_M, bounds.max.truncate() + START_RADIUS_M);
        position.cmpge(low).all() && position.cmple(high).all()
    };
    let there = scans.visible().map(Scan::bounds).filter(is_there).fold(Bounds::EMPTY, Bounds::union);
    let bounds = if there.is_empty() { scans.bounds() } else { there };
    (bounds.min.z, bounds.max.z)
}

/// Where to start to walk: of the start places of the scans that are shown, the one nearest to `position`.
fn start_place(scans: &Scans, position: DVec2) -> Option<Place> {
    let places = scans.visible().filter_map(|scan| start_place_of(scans, scan, position));
    places.min_by(|a, b| a.from.truncate().distance(position).total_cmp(&b.from.truncate().distance(position)))
}

/// A scan's start place: the one in its tileset, or the place on the largest floor that is nearest to `position`.
fn start_place_of(scans: &Scans, scan: &Scan, position: DVec2) -> Option<Place> {
    let extras = &scan.open.tree.scan;
    let placement = &scan.placement;
    if let Some(start) = extras.start {
        let ahead = placement.direction_from_tile(start.target - start.eye);
        let from = placement.scene_from_tile(start.eye - extras.frame.origin_m);
        return Some(Place { from, yaw: Some(ahead.x.atan2(ahead.y)) });
    }
    let columns = Columns::new(scans.coarsest(scan)?.points.positions())?;
    let place = columns.nearest_on_largest_floor(placement.tile_from_scene(position.extend(0.0)).truncate())?;
    Some(Place { from: placement.scene_from_tile(place) + DVec3::Z * EYE_HEIGHT_M, yaw: None })
}

/// Result of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WalkResult {
    /// Position of the feet, x and y.
    pub position: DVec2,
    /// Height of the floor at that position.
    pub foot_height_m: f64,
    /// Whether the step ended early because no floor was found.
    pub stopped: bool,
}

/// Walks by `step` in strides; `floor` gives the height of the floor at a position, for feet at a height. Metres.
pub fn walk(floor: impl Fn(DVec2, f64) -> Option<f64>, mut position: DVec2, mut foot_height_m: f64, step: DVec2) -> WalkResult {
    let strides = (step.length() / STRIDE_MAX_M).ceil().clamp(0.0, 50.0);
    let mut stopped = false;
    for _ in 0..strides as usize {
        let stride = step / strides;
        let directions = [stride, DVec2::new(stride.x, 0.0), DVec2::new(0.0, stride.y)];
        let next = directions
            .into_iter()
            .filter(|stride| *stride != DVec2::ZERO)
            .find_map(|stride| Some((position + stride, floor(position + stride, foot_height_m)?)));
        let Some((next_position, next_foot_height_m)) = next else {
            stopped = true;
            break;
        };
        (position, foot_height_m) = (next_position, next_foot_height_m);
    }
    WalkResult { position, foot_height_m, stopped }
}

/// The first floor below a position, or below the nearest of several positions around it, on which one can stand: position and height.
fn first_floor_nearby(
    floor: impl Fn(DVec2, f64, HeightRange) -> Option<f64>,
    is_area: impl Fn(DVec2, f64) -> bool,
    position: DVec2,
    from_m: f64,
    low_m: f64,
) -> Option<(DVec2, f64)> {
    // Points of a Fermat spiral: evenly spread over the disc, the nearest first. 2.4 rad is about the golden angle.
    (0..START_POSITIONS).find_map(|index| {
        let index = f64::from(index);
        let position = position + DVec2::from_angle(index * 2.4) * (START_RADIUS_M * (index / f64::from(START_POSITIONS)).sqrt());
        let foot_height_m = first_floor_below(&floor, position, from_m, low_m)?;
        is_area(position, foot_height_m).then_some((position, foot_height_m))
    })
}

/// The height of the first floor below `from_m`, searched for step by step down to `low_m`, the scan's lowest point.
fn first_floor_below(floor: impl Fn(DVec2, f64, HeightRange) -> Option<f64>, position: DVec2, from_m: f64, low_m: f64) -> Option<f64> {
    let range = HeightRange { up_m: 0.0, down_m: 2.0 };
    let mut foot_height_m = from_m;
    while foot_height_m > low_m - 0.1 {
        if let Some(found_m) = floor(position, foot_height_m, range) {
            return Some(found_m);
        }
        foot_height_m -= range.down_m - 0.1;
    }
    // The start may lie on the floor itself, or just below it.
    floor(position, from_m, HeightRange { up_m: 1.0, down_m: 0.0 })
}

/// The height of the floor at a position among the points in memory, of whichever scan it is; scene frame, metres.
pub fn floor(scans: &Scans, position: DVec2, foot_height_m: f64, range: HeightRange) -> Option<f64> {
    floor_of(|position, radius_m| scans.heights(position, radius_m), position, foot_height_m, range)
}

/// The height of the floor at a position among the points of `tiles`; tile frame, metres. `None` where there is no floor.
pub fn floor_in<'a, T: Iterator<Item = &'a TilePoints>>(
    tiles: impl Fn() -> T,
    position: DVec2,
    foot_height_m: f64,
    range: HeightRange,
) -> Option<f64> {
    let heights_in = |position: DVec2, radius_m: f64| {
        let mut heights_m = Vec::new();
        for tile in tiles() {
            tile.heights(position, radius_m, &mut heights_m);
        }
        heights_m
    };
    floor_of(heights_in, position, foot_height_m, range)
}

/// The height of the floor at a position, given the heights of the points within a distance of a position. `None` where there is no floor.
///
/// The smallest disc with a floor within `range` decides. A position is at an edge where a disc has only points below the
/// range. A surface lower by more than a stair's riser may be the underside of the slab that the walker stands on, seen
/// through a gap in the scan (for example under a seat): where the floor continues behind the gap, the gap is crossed.
fn floor_of(heights_in: impl Fn(DVec2, f64) -> Vec<f64>, position: DVec2, foot_height_m: f64, range: HeightRange) -> Option<f64> {
    let is_step = range.down_m <= HeightRange::STEP.down_m;
    let floor_over_gap = || is_step.then(|| interpolated_floor(&heights_in, position, foot_height_m)).flatten();
    let lowest_m = foot_height_m - range.down_m;
    for radius_m in RADII_M {
        let heights_m = heights_in(position, radius_m);
        match find_floor(&heights_m, foot_height_m, range) {
            Some(found_m) if is_step && found_m < foot_height_m - RISER_MAX_M => return floor_over_gap().or(Some(found_m)),
            Some(found_m) => return Some(found_m),
            None => {}
        }
        let is_below_step = |height: &f64| (lowest_m - DROP_DEPTH_MAX_M..lowest_m).contains(height);
        if heights_m.iter().any(is_below_step) {
            let is_slab = !heights_m.iter().any(|height| is_below_step(height) && *height < foot_height_m - SLAB_THICKNESS_MAX_M);
            return if is_slab { floor_over_gap() } else { None };
        }
    }
    None
}

/// A point relative to a position in plan, where it belongs to a floor at that height.
fn on_floor(point: DVec3, position: DVec2, foot_height_m: f64) -> Option<DVec2> {
    ((point.z - foot_height_m).abs() <= SAME_FLOOR_M).then(|| point.truncate() - position)
}

/// Whether the points of a floor spread over an area. Those on a wall may look like a floor, because tiles have them in rows, but a row has no width.
fn is_area(points: &[DVec2]) -> bool {
    let count = points.len() as f64;
    let mean = points.iter().sum::<DVec2>() / count;
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for DVec2 { x, y } in points.iter().map(|point| point - mean) {
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
    }
    // The smaller eigenvalue: the variance across the longest extent.
    let smallest = 0.5 * (xx + yy - ((xx - yy).powi(2) + 4.0 * xy * xy).sqrt()) / count;
    points.len() >= AREA_POINTS_MIN && smallest >= WIDTH_M * WIDTH_M / 12.0
}

/// The height of a floor that exists at about `foot_height_m` on two opposite sides of a position: the mean of both.
fn interpolated_floor(heights_in: impl Fn(DVec2, f64) -> Vec<f64>, position: DVec2, foot_height_m: f64) -> Option<f64> {
    let same_floor = HeightRange { up_m: SAME_FLOOR_M, down_m: SAME_FLOOR_M };
    let side = |direction: DVec2| {
        GAP_SIDE_DISTANCES_M
            .into_iter()
            .find_map(|distance_m| find_floor(&heights_in(position + direction * distance_m, RADII_M[0]), foot_height_m, same_floor))
    };
    (0..4).find_map(|eighth| {
        let direction = DVec2::from_angle(f64::from(eighth) * std::f64::consts::FRAC_PI_4);
        Some(f64::midpoint(side(direction)?, side(-direction)?))
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use parterre_decode::PackedTile;
    use parterre_tile::glb;

    use super::*;

    /// A floor at height 0 for x < 2, stairs of 0.2 m every 0.3 m up to x = 3.5, nothing beyond.
    fn terrain(position: DVec2, foot_height_m: f64) -> Option<f64> {
        let height_m = if position.x < 2.0 { 0.0 } else { ((position.x - 2.0) / 0.3).floor() * 0.2 };
        (position.x < 3.5 && (height_m - foot_height_m) <= 0.35 && (foot_height_m - height_m) <= 0.35).then_some(height_m)
    }

    #[test]
    fn stairs_are_climbed_and_the_edge_is_not_crossed() {
        let walked = walk(terrain, DVec2::ZERO, 0.0, DVec2::new(5.0, 0.0));
        assert!(walked.stopped);
        assert!(walked.position.x > 3.3 && walked.position.x < 3.5);
        assert!((walked.foot_height_m - 0.8).abs() < 1e-9);
    }

    /// A slab from x = 0 to 12 with its top at [`TOP_M`], a point every 4 cm on both sides, and a ground 4 m below its top.
    /// Where `is_hole`, the top has no points.
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
        TilePoints::new(&PackedTile::new(vec![glb::Part { vertices, ..Default::default() }]))
    }

    const TOP_M: f64 = 4.0;

    #[test]
    fn the_walker_never_falls_through_a_gap_onto_the_underside_of_the_floor() {
        for thickness_m in [0.25, 0.3, 0.4, 0.5] {
            for (hole_m, crossed) in [(0.5, true), (0.8, true), (3.0, false)] {
                let tile = slab(thickness_m, |at| (at.x - 6.0).abs() < hole_m * 0.5);
                let floor =
                    |position: DVec2, foot_height_m: f64| floor_in(|| std::iter::once(&tile), position, foot_height_m, HeightRange::STEP);
                let walked = walk(floor, DVec2::new(3.0, 2.0), TOP_M, DVec2::new(5.0, 0.3));
                let what = format!("{thickness_m} m thick, a gap of {hole_m} m: {walked:?}");
                // Where only the underside of a thin slab was scanned over metres, it cannot be told from the next row of a stand.
                assert!(walked.foot_height_m > TOP_M - if thickness_m < 0.35 { 0.35 } else { 0.05 }, "{what}");
                if crossed {
                    assert!(!walked.stopped && (walked.foot_height_m - TOP_M).abs() < 0.05 && walked.position.x > 7.9, "{what}");
                }
                let off_the_edge = walk(floor, DVec2::new(9.0, 2.0), TOP_M, DVec2::new(4.5, 0.0));
                assert!(
                    off_the_edge.stopped && (off_the_edge.foot_height_m - TOP_M).abs() < 0.05 && off_the_edge.position.x < 12.3,
                    "{off_the_edge:?}"
                );
            }
        }
    }

    #[test]
    fn the_walker_slides_along_an_edge() {
        let walked = walk(terrain, DVec2::new(3.45, 0.0), 0.8, DVec2::new(1.0, 1.0));
        assert!(!walked.stopped);
        assert!(walked.position.y > 0.9 && walked.position.x < 3.5);
    }

    #[test]
    fn the_first_floor_below_the_start_is_found() {
        let floors = [0.0, 4.0, 8.0];
        let floor = |_: DVec2, foot_height_m: f64, range: HeightRange| {
            floors.into_iter().rev().find(|floor| *floor <= foot_height_m + range.up_m && *floor >= foot_height_m - range.down_m)
        };
        assert_eq!(first_floor_below(floor, DVec2::ZERO, 7.0, 0.0), Some(4.0));
        assert_eq!(first_floor_below(floor, DVec2::ZERO, 30.0, 0.0), Some(8.0));
        assert_eq!(first_floor_below(floor, DVec2::ZERO, 90.0, 0.0), Some(8.0), "from any height");
        assert_eq!(first_floor_below(floor, DVec2::ZERO, -0.5, 0.0), Some(0.0));
        assert_eq!(first_floor_below(|_, _, _| None, DVec2::ZERO, 7.0, 0.0), None);
        let (position, foot_height_m) = first_floor_nearby(floor, |at, _| at.x > 2.0, DVec2::ZERO, 5.0, 0.0).expect("a floor nearby");
        assert!(foot_height_m == 4.0 && position.x > 2.0 && position.length() < 4.0);
        assert_eq!(first_floor_nearby(floor, |_, _| false, DVec2::ZERO, 5.0, 0.0), None);
    }

    #[test]
    fn rows_of_points_on_a_wall_are_no_floor_to_start_on() {
        let tile = |points: &[DVec3]| {
            let vertex =
                |point: &DVec3| glb::Vertex { position: (point * 1000.0).to_array().map(|axis| axis as u16), ..Default::default() };
            TilePoints::new(&PackedTile::new(vec![glb::Part { vertices: points.iter().map(vertex).collect(), ..Default::default() }]))
        };
        let rectangle = |width_m: f64, angle: f64| -> Vec<DVec3> {
            let at = |x: u32, y: u32| DVec2::new(f64::from(x) * 0.05 - 1.0, (f64::from(y) / 10.0 - 0.5) * width_m);
            let points = (0..40).flat_map(|x| (0..=10).map(move |y| (x, y))).map(|(x, y)| DVec2::from_angle(angle).rotate(at(x, y)));
            points.map(|point| (point + 5.0).extend(1.0)).collect()
        };
        let is_area = |points: &[DVec3]| {
            let mut near = Vec::new();
            let position = DVec2::splat(5.0);
            tile(points).for_each_near(position, RADII_M[2], |point| near.extend(on_floor(point, position, 1.0)));
            is_area(&near)
        };
        for angle in [0.0, 0.5, 2.0] {
            assert!(is_area(&rectangle(2.0, angle)) && is_area(&rectangle(0.3, angle)), "floors, treads");
            assert!(!is_area(&rectangle(0.05, angle)), "a wall with noise");
        }
        assert!(!is_area(&[]) && !is_area(&[DVec3::new(5.0, 5.0, 1.0); 3]));
        assert!(!is_area(&rectangle(2.0, 0.0).iter().map(|point| point + DVec3::Z).collect::<Vec<_>>()), "at another height");
    }
}
