//! Pictures of the demo venue, drawn without a window and compared with reference pictures.
//!
//! A pixel differs where one channel differs by more than [`CHANNEL_TOLERANCE`]; a picture fails where more than
//! [`SHARE_TOLERANCE`] of its pixels differ. This tolerates that software drivers
//! round the rims of points differently, but not a missing tile, a wrong colour or a moved camera.
//!
//! A missing reference is a failure. `PARTERRE_BLESS=1` writes the references instead; check them before committing.

mod common;

use std::path::Path;

use common::{DEMO, state, text, viewer, without_facts};

/// Largest difference of a colour channel, of 255.
const CHANNEL_TOLERANCE: u8 = 24;
/// Largest share of differing pixels.
const SHARE_TOLERANCE: f64 = 0.02;

fn assert_picture(name: &str, arguments: &[&str]) -> serde_json::Value {
    assert_picture_of(&DEMO.archive(), name, arguments)
}

/// Returns the state.
fn assert_picture_of(archive: &Path, name: &str, arguments: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let drawn = folder.path().join("drawn.png");
    let mut all = vec![text(archive), "--screenshot", text(&drawn), "--size", "640x360", "--json"];
    all.extend(arguments);
    let state = state(&viewer(&all));
    assert_eq!(state["failed"], serde_json::json!([]));
    assert!(state["drawn_points"].as_u64().is_some_and(|points| points > 50_000), "{state}");

    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.png"));
    if std::env::var_os("PARTERRE_BLESS").is_some_and(|bless| bless == "1") {
        std::fs::copy(&drawn, &reference).expect("the reference is written");
        return state;
    }
    let expected = image::open(&reference)
        .unwrap_or_else(|error| panic!("no reference {}: {error}. PARTERRE_BLESS=1 writes it.", reference.display()))
        .to_rgb8();
    let drawn_picture = image::open(&drawn).expect("the picture is a PNG").to_rgb8();
    assert_eq!(drawn_picture.dimensions(), expected.dimensions());
    let differing = drawn_picture
        .pixels()
        .zip(expected.pixels())
        .filter(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > CHANNEL_TOLERANCE))
        .count();
    let share = differing as f64 / f64::from(expected.width() * expected.height());
    if share > SHARE_TOLERANCE {
        let kept = std::env::temp_dir().join(format!("parterre-{name}-drawn.png"));
        let _ = std::fs::copy(&drawn, &kept);
        panic!("{name}: {:.2} % of the pixels differ from {}; drawn: {}", share * 100.0, reference.display(), kept.display());
    }
    state
}

#[test]
fn the_hall_from_the_stalls() {
    let state = assert_picture("stalls", &["--camera", "16,15,2.2,36,15,1.2"]);
    assert_eq!(state["see_inside"], false, "in a room all surfaces are drawn");
}

#[test]
fn the_venue_without_its_roof() {
    let state = assert_picture("overview", &["--cut-above", "6", "--see-inside", "off"]);
    assert_eq!((&state["see_inside"], &state["cut_above"]), (&serde_json::json!(false), &serde_json::json!(6.0)));
}

#[test]
fn the_rooms_of_the_closed_venue_from_outside() {
    let state = assert_picture("rooms", &[]);
    assert_eq!((&state["see_inside"], &state["cut_above"]), (&serde_json::json!(true), &serde_json::Value::Null));
}

#[test]
fn without_normals_the_roof_is_cut() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = folder.path().join("older.3tz");
    without_facts(&DEMO.archive(), &archive, &["start", "roofed_share", "normals"]);
    let state = assert_picture_of(&archive, "roof-cut", &[]);
    assert_eq!(state["see_inside"], true);
    // Between the balcony and the underside of the roof deck.
    let cut_m = state["cut_above"].as_f64().expect("a height");
    assert!(cut_m > 7.0 && cut_m < 12.5, "{cut_m}");
}

#[test]
fn the_foyer_by_height_without_shaded_edges() {
    assert_picture("foyer-height", &["--camera", "2,6,1.7,8,22,1.5", "--color", "height", "--no-edl"]);
}

#[test]
fn a_walker_stands_on_the_floor_of_the_foyer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (archive, drawn) = (DEMO.archive(), folder.path().join("drawn.png"));
    let arguments = ["--screenshot", text(&drawn), "--size", "320x180", "--json", "--mode", "walk", "--camera", "4,12,1.2,8,20,1.2"];
    let state = state(&viewer(&[&[text(&archive)], arguments.as_slice()].concat()));
    let floor_m = state["level"].as_f64().expect("a floor");
    assert!(floor_m.abs() < 0.05, "the foyer's floor is at 0, not {floor_m}");
    assert!((state["camera"][2].as_f64().expect("a height") - floor_m - 1.7).abs() < 0.01, "{state}");
}
