//! Tiles that the tiler would not write: with few points, with very many, without what others have, and at fault. They are drawn or named; nothing else is affected.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{state, text, viewer};
use parterre_encode::archive::Writer;
use parterre_encode::glb::encode;
use parterre_tile::glb::surface::{Extent, Spacing};
use parterre_tile::glb::{Normal, Part, Surface, Vertex};
use serde_json::{Value, json};

/// Half the edge of the box of every tile. Metres.
const HALF_M: f64 = 8.0;

/// An archive of a root and its children, whose boxes are all the same.
fn archive(path: &Path, root: Vec<u8>, children: &[Vec<u8>]) {
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = Writer::new(file);
    let tile = |at: usize, error: f64| {
        json!({
            "boundingVolume": {"box": [HALF_M, HALF_M, 1, HALF_M, 0, 0, 0, HALF_M, 0, 0, 0, 1]}, "geometricError": error,
            "content": {"uri": format!("t/{at}.glb")}, "extras": {"points": 1}, "refine": "ADD",
        })
    };
    let mut tree = tile(0, 0.5);
    tree["children"] = (1..=children.len()).map(|at| tile(at, 0.0)).collect();
    let tileset = json!({
        "asset": {"version": "1.1", "extras": {"parterre": {
            "format_version": 1, "points": 1 + children.len(), "bounds": [0, 0, 0, 2.0 * HALF_M, 2.0 * HALF_M, 2],
            "frame": {"origin_m": [0.0, 0.0, 0.0], "unit": "metre", "unit_source": "file", "crs": null},
            "attributes": {"color": true, "intensity": false, "classification": false, "returns": false, "gps_time": false},
        }}},
        "geometricError": 8.0, "root": tree,
    });
    writer.add("tileset.json", serde_json::to_vec(&tileset).expect("JSON")).expect("an entry");
    for (at, tile) in std::iter::once(&root).chain(children).enumerate() {
        writer.add(format!("t/{at}.glb"), tile.clone()).expect("an entry");
    }
    writer.finish().expect("the archive is written");
}

const LOOK: &str = "8,-6,9,8,8,1";

/// Draws an archive; returns the viewer's state.
fn draw(folder: &Path, archive: &Path) -> Value {
    let picture = folder.join("drawn.png");
    state(&viewer(&[text(archive), "--screenshot", text(&picture), "--size", "320x200", "--json", "--camera", LOOK]))
}

fn drawn(state: &Value) -> u64 {
    state["drawn_points"].as_u64().unwrap_or_else(|| panic!("a number of points: {state}"))
}

/// A square floor of `side` times `side` points, `step_mm` apart, 1 m above the ground.
fn floor(side: u16, step_mm: u16) -> Part {
    let vertex = |x: u16, y: u16| Vertex { position: [x * step_mm, y * step_mm, 1000], color: [200, 90, (x % 251) as u8, 255], pad: 0 };
    Part { vertices: (0..side).flat_map(|y| (0..side).map(move |x| vertex(x, y))).collect(), ..Part::default() }
}

/// The same with what is known of its surface.
fn with_surfaces(part: Part, surface: Surface) -> Part {
    Part { surfaces: vec![surface; part.vertices.len()], ..part }
}

/// Changes the JSON of a tile; its binary chunk stays.
fn with_json(glb: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let length = u32::from_le_bytes(glb[12..16].try_into().expect("four bytes")) as usize;
    let mut document: Value = serde_json::from_slice(&glb[20..20 + length]).expect("JSON");
    change(&mut document);
    let mut json = serde_json::to_vec(&document).expect("JSON");
    json.resize(json.len().next_multiple_of(4), b' ');
    let rest = &glb[20 + length..];
    let total = 20 + json.len() + rest.len();
    [b"glTF".as_slice(), &2u32.to_le_bytes(), &(total as u32).to_le_bytes(), &(json.len() as u32).to_le_bytes(), b"JSON", &json, rest]
        .concat()
}

/// Changes the accessor of an attribute.
fn with_accessor(glb: &[u8], attribute: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    with_json(glb, |document| {
        let index = document["meshes"][0]["primitives"][0]["attributes"][attribute].as_u64().expect("an accessor") as usize;
        change(&mut document["accessors"][index]);
    })
}

#[test]
fn tiles_without_what_others_have_are_drawn() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let up = Surface { normal: Normal([0, 0]), spacing: Spacing::from_m(0.1), extent: Extent::default() };
    let whole = with_surfaces(floor(100, 100), up);
    let encoded = |part: &Part| encode(std::slice::from_ref(part), true).expect("a tile");
    let without = |attribute: &'static str| {
        with_json(&encoded(&whole), |document| {
            let attributes = document["meshes"][0]["primitives"][0]["attributes"].as_object_mut().expect("attributes");
            assert!(attributes.remove(attribute).is_some(), "{attribute}");
        })
    };
    let rows = [
        ("everything", encoded(&whole)),
        ("no surfaces", encoded(&floor(100, 100))),
        ("no normals, so that extents and spacings mean nothing", without("NORMAL")),
        ("no extents", without("_EXTENT")),
        ("no spacings", without("_SPACING")),
        ("no colours", without("COLOR_0")),
        ("spacing 0", encoded(&with_surfaces(floor(100, 100), Surface { spacing: Spacing(0), ..up }))),
        (
            "codes beyond the largest",
            encoded(&with_surfaces(floor(100, 100), Surface { spacing: Spacing(255), extent: Extent([255; 4]), ..up })),
        ),
        ("coordinates of no normal", encoded(&with_surfaces(floor(100, 100), Surface { normal: Normal([i8::MIN; 2]), ..up }))),
        ("all points at one position", encoded(&Part { vertices: vec![Vertex::default(); 10_000], ..Part::default() })),
    ];
    for (what, tile) in rows {
        let path = folder.path().join("tiles.3tz");
        archive(&path, tile, &[]);
        let state = draw(folder.path(), &path);
        assert_eq!((drawn(&state), &state["failed"]), (10_000, &json!([])), "{what}: {state}");
    }
}

#[test]
fn tiles_of_one_point_are_drawn() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let point = |x: u16, surfaces: Vec<Surface>| {
        let vertices = vec![Vertex { position: [x, 5000, 1000], color: [255; 4], pad: 0 }];
        encode(&[Part { vertices, surfaces, ..Part::default() }], true).expect("a tile")
    };
    let children: Vec<Vec<u8>> =
        (1..8).map(|at| point(at * 2000, if at % 2 == 0 { Vec::new() } else { vec![Surface::default()] })).collect();
    let path = folder.path().join("tiles.3tz");
    archive(&path, point(0, Vec::new()), &children);
    let state = draw(folder.path(), &path);
    assert_eq!((drawn(&state), &state["failed"]), (8, &json!([])), "{state}");
}

#[test]
fn tiles_at_fault_are_named_and_the_others_are_drawn() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let good = floor(100, 100);
    let tile = encode(&[with_surfaces(good.clone(), Surface::default())], true).expect("a tile");
    let float = |accessor: &mut Value| accessor["componentType"] = json!(5126);
    let rows = [
        // Only numbers of that kind can be NaN.
        ("normals as floating-point numbers", with_accessor(&tile, "NORMAL", float), "tile_unsupported"),
        ("spacings as floating-point numbers", with_accessor(&tile, "_SPACING", float), "tile_unsupported"),
        ("fewer normals than points", with_accessor(&tile, "NORMAL", |accessor| accessor["count"] = json!(9_999)), "tile_corrupt"),
        ("fewer extents than points", with_accessor(&tile, "_EXTENT", |accessor| accessor["count"] = json!(1)), "tile_corrupt"),
        (
            "more points than it can contain",
            with_accessor(&tile, "POSITION", |accessor| accessor["count"] = json!(2_000_000_000)),
            "tile_corrupt",
        ),
        ("cut off", tile[..tile.len() / 2].to_vec(), "tile_corrupt"),
        ("no tile", b"<html>".to_vec(), "tile_corrupt"),
        ("empty", Vec::new(), "tile_corrupt"),
    ];
    for (what, bad, code) in rows {
        let path = folder.path().join("tiles.3tz");
        archive(&path, encode(std::slice::from_ref(&good), true).expect("a tile"), &[bad]);
        let state = draw(folder.path(), &path);
        assert_eq!((drawn(&state), &state["failed"]), (10_000, &json!(["t/1.glb"])), "{what}: {state}");
        assert_eq!(state["failures"][0]["code"], code, "{what}: {state}");
    }
}

/// Runs the viewer and returns its state and the most memory that it used, in bytes.
#[cfg(target_os = "linux")]
fn draw_measured(folder: &Path, archive: &Path) -> (Value, u64) {
    let picture = folder.join("drawn.png");
    let mut child = Command::new(env!("CARGO_BIN_EXE_parterre-viewer"))
        .args([text(archive), "--screenshot", text(&picture), "--size", "320x200", "--json", "--camera", LOOK, "--budget", "300000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the viewer starts");
    let mut most_kb = 0;
    while child.try_wait().expect("its state").is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        most_kb = line.trim().trim_end_matches(" kB").parse().unwrap_or(0).max(most_kb);
        std::thread::sleep(Duration::from_millis(20));
    }
    (state(&child.wait_with_output().expect("its output")), most_kb << 10)
}

#[cfg(target_os = "linux")]
#[test]
fn a_tile_of_ten_million_points_is_drawn_and_its_memory_is_bounded() {
    /// Memory for a point, at most: as it is in the streams and as it is decoded (32 bytes each), packed (16), on the graphics card, which here is main memory too, and on
    /// the way there (32), and for queries (8).
    const POINT_BYTES: u64 = 120;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("tiles.3tz");
    let draw = |side: u16, step_mm: u16| {
        let part = with_surfaces(floor(side, step_mm), Surface { spacing: Spacing::from_m(0.005), ..Surface::default() });
        archive(&path, encode(&[part], true).expect("a tile"), &[]);
        draw_measured(folder.path(), &path)
    };
    let (small, small_bytes) = draw(100, 160);
    assert_eq!(drawn(&small), 10_000);
    let (large, large_bytes) = draw(3163, 5);
    assert_eq!(large["failed"], json!([]), "{large}");
    // As many points as the budget allows, rounded up to whole runs in each of its blocks.
    assert!((150_000..=300_000 + 256 * 16).contains(&drawn(&large)), "{large}");
    let grown = large_bytes.saturating_sub(small_bytes);
    eprintln!("{} MB for 10 M points, {} MB for 10,000", large_bytes >> 20, small_bytes >> 20);
    assert!(grown <= 3163 * 3163 * POINT_BYTES, "{} MB more than for a small tile", grown >> 20);
}
