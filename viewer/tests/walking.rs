//! Walking in the demo venue's scan along the paths of its ground truth: aisles, corridors and stairs.
//!
//! The walker knows only the points. At every corner of a path the feet must be at the height given by the ground truth.

mod common;

use std::fs::File;
use std::sync::LazyLock;

use bevy::math::{DVec2, DVec3};
use parterre_read as read;
use parterre_tile::archive::Index;
use parterre_tile::tileset::{Tile, Tileset};
use parterre_tiler as tiler;
use parterre_venue as venue;
use parterre_viewer::camera::walk::{floor_in, walk};
use parterre_viewer::walk::floor::HeightRange;
use parterre_viewer::walk::tile_points::TilePoints;

/// A step of the walker. Metres.
const STEP_M: f64 = 0.1;
/// Tolerance of heights: the scanner's noise, and the height differences of stairs within the disc under the feet. Metres.
const HEIGHT_TOLERANCE_M: f64 = 0.2;

/// All points of a full demo venue, the origin of the tile frame, and the ground truth.
fn full_demo() -> (Vec<TilePoints>, DVec3, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    venue::demo(folder.path(), &venue::Options::default(), &|_| {}).expect("the demo venue is made");
    let mut sources = [read::open(&folder.path().join("scan.laz")).expect("the scan is read")];
    let report = tiler::tile(&mut sources, folder.path(), &tiler::Options::default(), &|_| {}).expect("the scan is tiled");
    let mut file = File::open(folder.path().join("tiles.3tz")).expect("the archive is there");
    let index = Index::read(&mut file).expect("the archive is sound");
    let mut entry = |path: &str| index.read_entry(&mut file, path).expect("sound").expect("there");
    let tileset: Tileset = serde_json::from_slice(&entry("tileset.json")).expect("a tileset");
    let mut tiles = Vec::new();
    let mut pending = vec![tileset.root];
    while let Some(Tile { content, children, .. }) = pending.pop() {
        pending.extend(children);
        let Some(content) = content else { continue };
        if content.uri.rsplit('.').next() == Some("json") {
            let subtree: Tileset = serde_json::from_slice(&entry(&content.uri)).expect("a tileset");
            pending.push(subtree.root);
        } else {
            let tile = parterre_decode::decode(&entry(&content.uri)).expect("a tile");
            tiles.push(TilePoints::new(&tile));
        }
    }
    let truth = std::fs::read(folder.path().join("truth.json")).expect("the truth is read");
    (tiles, report.frame.origin_m, serde_json::from_slice(&truth).expect("the truth is JSON"))
}

/// Number of paths in the ground truth.
const PATHS: usize = 14;
/// Tolerance of heights for walkers that are pushed. Metres.
const FALL_TOLERANCE_M: f64 = 0.4;
/// Half the width of a flight of stairs with its landings. Metres.
const STAIRS_HALF_WIDTH_M: f64 = 2.0;
/// Distance over which walkers are pushed. Metres.
const PUSH_M: f64 = 8.0;
/// Number of directions in which walkers are pushed from each corner of a path.
const PUSHES: u32 = 16;

static DEMO: LazyLock<(Vec<TilePoints>, DVec3, serde_json::Value)> = LazyLock::new(full_demo);

fn paths(truth: &serde_json::Value) -> Vec<(String, Vec<DVec3>)> {
    let paths = truth["distances"].as_array().expect("paths");
    paths.iter().map(|path| (path["id"].to_string(), serde_json::from_value(path["polyline"].clone()).expect("corners"))).collect()
}

#[test]
fn every_scanned_path_of_the_ground_truth_can_be_walked() {
    let (tiles, origin_m, truth) = &*DEMO;
    let floor = |position: DVec2, foot_height_m: f64| floor_in(|| tiles.iter(), position, foot_height_m, HeightRange::STEP);
    let (mut faults, mut unscanned) = (Vec::new(), Vec::new());
    let paths = paths(truth);
    for (id, corners) in &paths {
        let corners: Vec<DVec3> = corners.iter().map(|corner| corner - origin_m).collect();
        let Some(mut foot_height_m) = floor(corners[0].truncate(), corners[0].z) else {
            let mut near = Vec::new();
            for tile in tiles {
                tile.heights(corners[0].truncate(), 0.6, &mut near);
            }
            if near.is_empty() {
                unscanned.push(id.clone());
            } else {
                faults.push(format!("{id}: no floor at its start"));
            }
            continue;
        };
        let mut position = corners[0].truncate();
        'path: for corner in &corners[1..] {
            while position.distance(corner.truncate()) > STEP_M {
                let step = (corner.truncate() - position).clamp_length_max(STEP_M);
                let walked = walk(floor, position, foot_height_m, step);
                if walked.stopped {
                    let at = position.extend(foot_height_m) + *origin_m;
                    faults.push(format!("{id}: stopped at {at:.2} on the way to {:.2}", *corner + *origin_m));
                    break 'path;
                }
                (position, foot_height_m) = (walked.position, walked.foot_height_m);
            }
            if (foot_height_m - corner.z).abs() > HEIGHT_TOLERANCE_M {
                faults.push(format!("{id}: {foot_height_m:.2} where the floor is at {:.2}", corner.z));
            }
        }
    }
    // The escape stairs outside were not scanned.
    assert_eq!((paths.len(), unscanned.len()), (PATHS, 2), "unscanned: {unscanned:?}");
    assert!(faults.is_empty(), "{} of {} paths:\n{}", faults.len(), paths.len(), faults.join("\n"));
}

/// Walkers pushed in any direction, for example at railings and between rows of seats, end on a floor of the ground truth.
#[test]
fn a_pushed_walker_stays_on_the_floors() {
    let (tiles, origin_m, truth) = &*DEMO;
    let floor = |position: DVec2, foot_height_m: f64| floor_in(|| tiles.iter(), position, foot_height_m, HeightRange::STEP);
    let rooms: Vec<([f64; 4], [f64; 2])> = truth["rooms"]
        .as_array()
        .expect("rooms")
        .iter()
        .map(|room| {
            let read = |field: &str| room[field].clone();
            (serde_json::from_value(read("rectangle")).expect("numbers"), serde_json::from_value(read("floor_z")).expect("numbers"))
        })
        .collect();
    let flights: Vec<[DVec3; 2]> = truth["stairs"]
        .as_array()
        .expect("stairs")
        .iter()
        .flat_map(|stair| stair["flights"].as_array().expect("flights"))
        .map(|flight| ["start", "end"].map(|end| serde_json::from_value(flight[end].clone()).expect("a position")))
        .collect();
    let (mut faults, mut pushed) = (Vec::new(), 0);
    for (id, corners) in paths(truth) {
        for corner in corners.into_iter().map(|corner| corner - origin_m) {
            let Some(foot_height_m) = floor(corner.truncate(), corner.z) else { continue };
            for push in 0..PUSHES {
                let direction = DVec2::from_angle(std::f64::consts::TAU * f64::from(push) / f64::from(PUSHES));
                let mut current = (corner.truncate(), foot_height_m);
                for _ in 0..(PUSH_M / STEP_M) as u32 {
                    let walked = walk(floor, current.0, current.1, direction * STEP_M);
                    if walked.stopped {
                        break;
                    }
                    current = (walked.position, walked.foot_height_m);
                }
                pushed += 1;
                let position = current.0.extend(current.1) + *origin_m;
                let foot_height_m = position.z;
                // Rows of seats lie between a room's lowest and highest floor. Close to its border the adjacent room counts.
                let here = rooms.iter().filter(|([x0, y0, x1, y1], _)| {
                    (x0 + 0.3..x1 - 0.3).contains(&position.x) && (y0 + 0.3..y1 - 0.3).contains(&position.y)
                });
                let floors: Vec<[f64; 2]> = here.map(|(_, floors)| *floors).collect();
                let is_floor = floors.iter().any(|[low, high]| (low - FALL_TOLERANCE_M..high + FALL_TOLERANCE_M).contains(&foot_height_m));
                let fell = corner.z + origin_m.z - foot_height_m > FALL_TOLERANCE_M;
                let on_stairs = flights.iter().any(|[start, end]| {
                    let along =
                        (position.truncate() - start.truncate()).dot((end - start).truncate()) / (end - start).truncate().length_squared();
                    start.lerp(*end, along.clamp(0.0, 1.0)).truncate().distance(position.truncate()) < STAIRS_HALF_WIDTH_M
                });
                if fell && !floors.is_empty() && !is_floor && !on_stairs {
                    faults.push(format!("{id}: pushed from {:.2} to {:.2}, floors {floors:?}", corner + *origin_m, position));
                }
            }
        }
    }
    assert!(pushed > 400, "only {pushed} were pushed");
    assert!(faults.is_empty(), "{} of {pushed}:\n{}", faults.len(), faults.join("\n"));
}
