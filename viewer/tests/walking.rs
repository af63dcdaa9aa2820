//! Walking in the demo venue's scan along the ways that its ground truth knows: aisles, corridors and stairs.
//!
//! The walker is given only the points. At every corner of a way the feet must be at the truth's height.

mod common;

use std::fs::File;

use bevy::math::{DVec2, DVec3};
use parterre_scans::tile::archive::Index;
use parterre_scans::tile::glb;
use parterre_scans::tile::tileset::{Tile, Tileset};
use parterre_scans::{read, tiler, venue};
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

#[test]
fn every_scanned_way_of_the_truth_can_be_walked() {
    let (tiles, origin_m, truth) = full_demo();
    let floor = |place: DVec2, foot_m: f64| floor_in(|| tiles.iter(), place, foot_m, Reach::STEP);
    let (mut faults, mut unscanned) = (Vec::new(), Vec::new());
    let ways = truth["distances"].as_array().expect("ways");
    for way in ways {
        let corners: Vec<DVec3> = serde_json::from_value(way["polyline"].clone()).expect("corners");
        let corners: Vec<DVec3> = corners.into_iter().map(|corner| corner - origin_m).collect();
        let Some(mut foot_m) = floor(corners[0].truncate(), corners[0].z) else {
            let mut near = Vec::new();
            for tile in &tiles {
                tile.heights(corners[0].truncate(), 0.6, &mut near);
            }
            if near.is_empty() {
                unscanned.push(way["id"].to_string());
            } else {
                faults.push(format!("{}: no floor at its start", way["id"]));
            }
            continue;
        };
        let mut place = corners[0].truncate();
        'way: for corner in &corners[1..] {
            while place.distance(corner.truncate()) > STEP_M {
                let step = (corner.truncate() - place).clamp_length_max(STEP_M);
                let walked = walk(floor, place, foot_m, step);
                if walked.stopped {
                    let at = place.extend(foot_m) + origin_m;
                    faults.push(format!("{}: stopped at {at:.2} on the way to {:.2}", way["id"], *corner + origin_m));
                    break 'way;
                }
                (place, foot_m) = (walked.place, walked.foot_m);
            }
            if (foot_m - corner.z).abs() > HEIGHT_TOLERANCE_M {
                faults.push(format!("{}: {foot_m:.2} where the floor is at {:.2}", way["id"], corner.z));
            }
        }
    }
    // The scanner sees nothing of the escape stairs outside.
    assert!(unscanned.len() <= 2, "unscanned: {unscanned:?}");
    assert!(faults.is_empty(), "{} of {} ways:\n{}", faults.len(), ways.len(), faults.join("\n"));
}
