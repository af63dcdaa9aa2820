//! Where walking starts: in scans whose middle was not scanned, and in scans without any floor.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use common::{state, text, viewer, with_tileset, without_facts};
use parterre_read as read;
use parterre_tiler as tiler;

/// Half the length of the yard, and the radius of its part that was not scanned. Metres.
const HALF_M: f64 = 25.0;
const HOLE_M: f64 = 12.0;
/// Height of its ground. Metres.
const GROUND_M: f64 = 3.0;

/// Tiles points into a folder of their own.
fn tiled(points: &[[f64; 3]]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut ply = format!(
        "ply\nformat ascii 1.0\nelement vertex {}\nproperty double x\nproperty double y\nproperty double z\nend_header\n",
        points.len()
    );
    for [x, y, z] in points {
        writeln!(ply, "{x} {y} {z}").expect("text");
    }
    let path = folder.path().join("scan.ply");
    std::fs::write(&path, ply).expect("a file is written");
    let mut sources = [read::open(&path).expect("the scan is read")];
    tiler::tile(&mut sources, folder.path(), &tiler::Options::default(), &|_| {}).expect("the scan is tiled");
    folder
}

/// A yard with walls of 12 m around it; nothing was scanned in its middle.
fn yard() -> Vec<[f64; 3]> {
    let steps = |step_m: f64| (0..=(2.0 * HALF_M / step_m) as i32).map(move |step| f64::from(step) * step_m - HALF_M);
    let mut points = Vec::new();
    for (x, y) in steps(0.15).flat_map(|x| steps(0.15).map(move |y| (x, y))).filter(|(x, y)| x.hypot(*y) > HOLE_M) {
        points.push([x, y, GROUND_M + ((x * 37.0 + y * 11.0).sin()) * 0.005]);
    }
    for (along, up) in steps(0.3).flat_map(|along| (0..40).map(move |up| (along, GROUND_M + f64::from(up) * 0.3))) {
        points.extend([[along, -HALF_M, up], [along, HALF_M, up], [-HALF_M, along, up], [HALF_M, along, up]]);
    }
    points
}

fn walk(archive: &Path, folder: &Path) -> serde_json::Value {
    let picture = folder.join("drawn.png");
    state(&viewer(&[text(archive), "--screenshot", text(&picture), "--size", "320x200", "--json", "--mode", "walk"]))
}

fn assert_on_the_ground(state: &serde_json::Value) {
    let floor_m = state["level"].as_f64().unwrap_or_else(|| panic!("a floor: {state}"));
    assert!((floor_m - GROUND_M).abs() < 0.05, "{state}");
    let eye: Vec<f64> = serde_json::from_value(state["camera"].clone()).expect("six numbers");
    assert!((eye[2] - floor_m - 1.7).abs() < 0.01, "{state}");
    let away_m = eye[0].hypot(eye[1]);
    assert!(away_m > HOLE_M - 0.7 && eye[0].abs() < HALF_M && eye[1].abs() < HALF_M, "on the scanned ground: {state}");
    assert_eq!(state["mode"], "walk");
    assert_eq!(state["see_inside"], false);
}

#[test]
fn walking_started_over_a_hole_ends_on_the_floor() {
    let folder = tiled(&yard());
    let archive = folder.path().join("tiles.3tz");
    assert_on_the_ground(&walk(&archive, folder.path()));
    // The tiles of earlier versions do not say where walking starts.
    let older = folder.path().join("older.3tz");
    without_facts(&archive, &older, &["start", "roofed_share", "normals"]);
    assert_on_the_ground(&walk(&older, folder.path()));
    // A start place that is nowhere is of no use, and does no harm.
    let wrong = folder.path().join("wrong.3tz");
    with_tileset(&archive, &wrong, |scan| scan["start"] = serde_json::json!({"eye": [1e9, -1e9, 1e9], "target": [0, 0, 0]}));
    assert_eq!(walk(&wrong, folder.path())["level"], serde_json::Value::Null);
}

#[test]
fn without_any_floor_the_search_ends() {
    // A wall alone, 50 m long and 12 m high.
    let wall = (0..500).flat_map(|along| (0..120).map(move |up| [f64::from(along) * 0.1, f64::from(up % 3) * 0.002, f64::from(up) * 0.1]));
    let folder = tiled(&wall.collect::<Vec<_>>());
    let state = walk(&folder.path().join("tiles.3tz"), folder.path());
    assert_eq!(state["level"], serde_json::Value::Null, "{state}");
    // The view is still the overview, which shows the wall.
    assert!(state["drawn_points"].as_u64().is_some_and(|points| points > 10_000), "{state}");
}
