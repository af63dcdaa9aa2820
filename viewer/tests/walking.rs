//! Walking in the demo venue's scan along the ways that its ground truth knows: aisles, corridors and stairs.
//!
//! The walker is given only the points. At every corner of a way the feet must be at the truth's height.

mod common;

use std::fs::File;
use std::sync::LazyLock;

use bevy::math::{DVec2, DVec3};
use parterre_read as read;
use parterre_tile::archive::Index;
use parterre_tile::glb;
use parterre_tile::tileset::{Tile, Tileset};
use parterre_tiler as tiler;
use parterre_venue as venue;
use parterre_viewer::camera::walk::{floor_in, walk};
use parterre_viewer::walk::columns::TilePoints;
use parterre_viewer::walk::floor::Reach;

/// A step of the walker. Metres.
const STEP_M: f64 = 0.1;
/// Range noise and the slope of a row of stairs over the disc under the feet. Metres.
const HEIGHT_TOLERANCE_M: f64 = 0.2;

/// All the points of a full demo venue, and its truth.
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
            let parts = glb::decode(&entry(&content.uri)).expect("a tile");
            tiles.push(TilePoints::new(parts, 0.05).0);
        }
    }
    let truth = std::fs::read(folder.path().join("truth.json")).expect("the truth is read");
    (tiles, report.frame.origin_m, serde_json::from_slice(&truth).expect("the truth is JSON"))
}

/// Ways that the demo's truth knows.
const WAYS: usize = 14;
/// A walker never ends lower than this below every floor. Metres.
const LOWER_M: f64 = 0.4;
/// Half the width of a flight of stairs with its landings. Metres.
const STAIRS_M: f64 = 2.0;
/// How far walkers are pushed, and into how many directions from each corner of a way. Metres.
const PUSH_M: f64 = 8.0;
const PUSHES: u32 = 16;

static DEMO: LazyLock<(Vec<TilePoints>, DVec3, serde_json::Value)> = LazyLock::new(full_demo);

fn ways(truth: &serde_json::Value) -> Vec<(String, Vec<DVec3>)> {
    let ways = truth["distances"].as_array().expect("ways");
    ways.iter().map(|way| (way["id"].to_string(), serde_json::from_value(way["polyline"].clone()).expect("corners"))).collect()
}

#[test]
fn every_scanned_way_of_the_truth_can_be_walked() {
    let (tiles, origin_m, truth) = &*DEMO;
    let floor = |place: DVec2, foot_m: f64| floor_in(|| tiles.iter(), place, foot_m, Reach::STEP);
    let (mut faults, mut unscanned) = (Vec::new(), Vec::new());
    let ways = ways(truth);
    for (id, corners) in &ways {
        let corners: Vec<DVec3> = corners.iter().map(|corner| corner - origin_m).collect();
        let Some(mut foot_m) = floor(corners[0].truncate(), corners[0].z) else {
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
        let mut place = corners[0].truncate();
        'way: for corner in &corners[1..] {
            while place.distance(corner.truncate()) > STEP_M {
                let step = (corner.truncate() - place).clamp_length_max(STEP_M);
                let walked = walk(floor, place, foot_m, step);
                if walked.stopped {
                    let at = place.extend(foot_m) + *origin_m;
                    faults.push(format!("{id}: stopped at {at:.2} on the way to {:.2}", *corner + *origin_m));
                    break 'way;
                }
                (place, foot_m) = (walked.place, walked.foot_m);
            }
            if (foot_m - corner.z).abs() > HEIGHT_TOLERANCE_M {
                faults.push(format!("{id}: {foot_m:.2} where the floor is at {:.2}", corner.z));
            }
        }
    }
    // The scanner sees nothing of the escape stairs outside.
    assert_eq!((ways.len(), unscanned.len()), (WAYS, 2), "unscanned: {unscanned:?}");
    assert!(faults.is_empty(), "{} of {} ways:\n{}", faults.len(), ways.len(), faults.join("\n"));
}

/// Over railings, between rows of seats, wherever: one ends on a floor that the truth has there.
#[test]
fn pushed_anywhere_one_stays_on_the_floors() {
    let (tiles, origin_m, truth) = &*DEMO;
    let floor = |place: DVec2, foot_m: f64| floor_in(|| tiles.iter(), place, foot_m, Reach::STEP);
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
        .map(|flight| ["start", "end"].map(|end| serde_json::from_value(flight[end].clone()).expect("a place")))
        .collect();
    let (mut faults, mut pushed) = (Vec::new(), 0);
    for (id, corners) in ways(truth) {
        for corner in corners.into_iter().map(|corner| corner - origin_m) {
            let Some(foot_m) = floor(corner.truncate(), corner.z) else { continue };
            for push in 0..PUSHES {
                let direction = DVec2::from_angle(std::f64::consts::TAU * f64::from(push) / f64::from(PUSHES));
                let mut at = (corner.truncate(), foot_m);
                for _ in 0..(PUSH_M / STEP_M) as u32 {
                    let walked = walk(floor, at.0, at.1, direction * STEP_M);
                    if walked.stopped {
                        break;
                    }
                    at = (walked.place, walked.foot_m);
                }
                pushed += 1;
                let place = at.0.extend(at.1) + *origin_m;
                let foot_m = place.z;
                // A room's lowest and highest floor hold rows of seats between them; at its border another one begins.
                let here = rooms
                    .iter()
                    .filter(|([x0, y0, x1, y1], _)| (x0 + 0.3..x1 - 0.3).contains(&place.x) && (y0 + 0.3..y1 - 0.3).contains(&place.y));
                let floors: Vec<[f64; 2]> = here.map(|(_, floors)| *floors).collect();
                let is_floor = floors.iter().any(|[low, high]| (low - LOWER_M..high + LOWER_M).contains(&foot_m));
                let fell = corner.z + origin_m.z - foot_m > LOWER_M;
                let on_stairs = flights.iter().any(|[start, end]| {
                    let along =
                        (place.truncate() - start.truncate()).dot((end - start).truncate()) / (end - start).truncate().length_squared();
                    start.lerp(*end, along.clamp(0.0, 1.0)).truncate().distance(place.truncate()) < STAIRS_M
                });
                if fell && !floors.is_empty() && !is_floor && !on_stairs {
                    faults.push(format!("{id}: pushed from {:.2} to {:.2}, floors {floors:?}", corner + *origin_m, place));
                }
            }
        }
    }
    assert!(pushed > 400, "only {pushed} were pushed");
    assert!(faults.is_empty(), "{} of {pushed}:\n{}", faults.len(), faults.join("\n"));
}
