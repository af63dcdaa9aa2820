//! Several scans in one picture: the same picture as that of one scan, wherever they lie and however they are turned.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use bevy::math::{DVec2, DVec3};
use common::{DEMO, state, text, viewer};
use parterre_read as read;
use parterre_tiler as tiler;

/// Largest difference of a colour channel, of 255; as in `picture.rs`.
const CHANNEL_TOLERANCE: u8 = 24;
/// Largest share of differing pixels between a whole scan and its halves: along the cut, points have fewer neighbours, so that their normals and spacings
/// differ, and tiles have other points.
const HALVES_TOLERANCE: f64 = 0.005;
/// The same for a scan at another place. Matrices and positions relative to the eye are rounded differently.
const PLACE_TOLERANCE: f64 = 0.002;
const SIZE: &str = "640x360";

fn draw(sources: &[&Path], picture: &Path, arguments: &[&str]) -> serde_json::Value {
    let mut all: Vec<&str> = sources.iter().map(|source| text(source)).collect();
    all.extend(["--screenshot", text(picture), "--size", SIZE, "--json"]);
    all.extend(arguments);
    state(&viewer(&all))
}

/// Share of the pixels that differ.
fn difference(a: &Path, b: &Path) -> f64 {
    let [a, b] = [a, b].map(|path| image::open(path).expect("a PNG").to_rgb8());
    assert_eq!(a.dimensions(), b.dimensions());
    let differs = |a: &image::Rgb<u8>, b: &image::Rgb<u8>| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > CHANNEL_TOLERANCE);
    let differing = a.pixels().zip(b.pixels()).filter(|(a, b)| differs(a, b)).count();
    differing as f64 / f64::from(a.width() * a.height())
}

/// Like the position from which the stalls are seen, moved and turned.
fn camera(place: impl Fn(DVec3) -> DVec3) -> String {
    let [eye, target] = [DVec3::new(16.0, 15.0, 2.2), DVec3::new(36.0, 15.0, 1.2)].map(place);
    format!("{},{},{},{},{},{}", eye.x, eye.y, eye.z, target.x, target.y, target.z)
}

/// Coloured points of the floor and the walls of a room of 20 m x 12 m, for which `is_there`, tiled into `folder`.
fn room(folder: &Path, is_there: impl Fn(f64) -> bool) {
    let mut points = Vec::new();
    let mut add = |x: f64, y: f64, z: f64| {
        if is_there(x) {
            // Fields of 1 m in two colours, a little noise.
            let field = (x.floor() + y.floor() + z.floor()).rem_euclid(2.0) as u8;
            let noise = ((x * 37.0 + y * 11.0 + z * 5.0).sin()) * 0.002;
            points.push(([x + noise, y + noise, z + noise], [60 + 120 * field, 120, 200 - 100 * field]));
        }
    };
    let steps = |from: f64, to: f64| (0..=((to - from) / 0.04) as u32).map(move |step| from + f64::from(step) * 0.04);
    for x in steps(-10.0, 10.0) {
        steps(0.0, 12.0).for_each(|y| add(x, y, 0.0));
        steps(0.0, 4.0).for_each(|z| add(x, 12.0, z));
    }
    for y in steps(0.0, 12.0) {
        steps(0.0, 4.0).for_each(|z| [-10.0, 10.0].into_iter().for_each(|x| add(x, y, z)));
    }
    let mut ply = format!("ply\nformat ascii 1.0\nelement vertex {}\n", points.len());
    for axis in ["x", "y", "z"] {
        writeln!(ply, "property double {axis}").expect("text");
    }
    for channel in ["red", "green", "blue"] {
        writeln!(ply, "property uchar {channel}").expect("text");
    }
    ply.push_str("end_header\n");
    for ([x, y, z], [r, g, b]) in points {
        writeln!(ply, "{x} {y} {z} {r} {g} {b}").expect("text");
    }
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join("scan.ply");
    std::fs::write(&path, ply).expect("a file is written");
    let mut sources = [read::open(&path).expect("the scan is read")];
    tiler::tile(&mut sources, folder, &tiler::Options { tile_points: 20_000, ..tiler::Options::default() }, &|_| {}).expect("tiles");
}

#[test]
fn two_halves_are_the_same_picture_as_the_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [whole, west, east] = ["whole", "west", "east"].map(|name| folder.path().join(name));
    room(&whole, |_| true);
    room(&west, |x| x < 0.5);
    room(&east, |x| x >= 0.5);
    let [of_whole, of_halves] = ["whole.png", "halves.png"].map(|name| folder.path().join(name));
    let views: [&[&str]; 2] = [&["--camera", "-8,1,1.7,6,12,1"], &["--color", "height"]];
    for view in views {
        let one = draw(&[&whole], &of_whole, view);
        let two = draw(&[&west, &east], &of_halves, view);
        assert_eq!(two["total_points"], one["total_points"]);
        assert_eq!(two["scans"].as_array().map(Vec::len), Some(2), "{two}");
        let (points, of_one) = (two["drawn_points"].as_f64().unwrap_or(0.0), one["drawn_points"].as_f64().unwrap_or(0.0));
        assert!((points - of_one).abs() < of_one * 0.15, "{points} of the halves, {of_one} of the whole");
        let share = difference(&of_whole, &of_halves);
        eprintln!("{view:?}: {:.2} % of the pixels differ", share * 100.0);
        assert!(share < HALVES_TOLERANCE, "{view:?}: {:.2} % of the pixels differ", share * 100.0);
    }
    // Both share one budget.
    let scarce = draw(&[&west, &east], &of_halves, &["--budget", "30000"]);
    assert!(scarce["drawn_points"].as_u64().is_some_and(|points| points <= 33_000 && points > 20_000), "{scarce}");
}

#[test]
fn a_scan_hundreds_of_kilometres_away_is_drawn_as_exactly_and_can_be_walked_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = DEMO.archive();
    let [near, far] = ["near.png", "far.png"].map(|name| folder.path().join(name));
    draw(&[&archive], &near, &["--camera", &camera(|at| at)]);
    let away = DVec3::new(600_000.0, 530_000.0, 120.0);
    let moved = format!("2:{},{},{}", away.x, away.y, away.z);
    let there = draw(&[&archive, &archive], &far, &["--move", &moved, "--camera", &camera(|at| at + away)]);
    let share = difference(&near, &far);
    eprintln!("far away: {:.3} % of the pixels differ", share * 100.0);
    assert!(share < PLACE_TOLERANCE, "{:.3} %: {there}", share * 100.0);

    let foyer = [DVec3::new(4.0, 12.0, 1.2), DVec3::new(8.0, 20.0, 1.2)].map(|at| at + away);
    let foyer = foyer.map(|at| format!("{},{},{}", at.x, at.y, at.z)).join(",");
    let walker = draw(&[&archive, &archive], &far, &["--move", &moved, "--camera", &foyer, "--mode", "walk"]);
    let floor_m = walker["level"].as_f64().unwrap_or_else(|| panic!("a floor: {walker}"));
    assert!((floor_m - away.z).abs() < 0.05, "the floor of the scan under the eye is at 120 m, not {floor_m}");

    // The overview shows the first, because of both nothing would be seen.
    let overview = draw(&[&archive, &archive], &far, &["--move", &moved]);
    assert!(overview["camera"][0].as_f64().is_some_and(|x| x.abs() < 1000.0), "{overview}");
}

#[test]
fn a_turned_scan_is_the_same_picture_from_a_turned_camera() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = DEMO.archive();
    let [straight, turned] = ["straight.png", "turned.png"].map(|name| folder.path().join(name));
    let before = draw(&[&archive], &straight, &["--camera", &camera(|at| at), "--color", "height"]);
    let origin: DVec3 = serde_json::from_value(before["scans"][0]["origin"].clone()).expect("three numbers");
    let turn = DVec2::from_angle(140_f64.to_radians());
    let place = |at: DVec3| origin + turn.rotate((at - origin).truncate()).extend(at.z - origin.z);
    let after = draw(&[&archive], &turned, &["--move", "1:0,0,0,140", "--camera", &camera(place), "--color", "height"]);
    assert!((after["scans"][0]["turn"].as_f64().unwrap_or(0.0) - 140.0).abs() < 1e-9, "{after}");
    let share = difference(&straight, &turned);
    eprintln!("turned: {:.3} % of the pixels differ", share * 100.0);
    assert!(share < PLACE_TOLERANCE, "{:.3} %", share * 100.0);
}

#[test]
fn a_scan_that_cannot_be_opened_is_named_and_the_others_are_drawn() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (archive, picture) = (DEMO.archive(), folder.path().join("drawn.png"));
    let missing = folder.path().join("none.3tz");
    let output = viewer(&[text(&missing), text(&archive), "--screenshot", text(&picture), "--size", "320x180", "--json"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let drawn = state(&output);
    assert!(drawn["drawn_points"].as_u64().is_some_and(|points| points > 50_000), "{drawn}");
    assert_eq!((&drawn["unopened"][0]["code"], drawn["scans"].as_array().map(Vec::len)), (&"file_not_found".into(), Some(1)), "{drawn}");
    assert!(stderr.contains("none.3tz") && stderr.contains("file_not_found"), "{stderr}");
    let none = viewer(&[text(&missing), text(&missing), "--screenshot", text(&picture), "--json"]);
    assert_eq!(none.status.code(), Some(3), "{}", String::from_utf8_lossy(&none.stderr));
    let wrong = viewer(&[text(&archive), "--move", "2:1,2,3", "--screenshot", text(&picture), "--json"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
}
