//! Both encodings hold the same points, in the same bytes whatever the order of the input, and the archive holds them exactly.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod tiler_support;

use std::path::Path;

use glam::DVec3;
use parterre_model::record::{Grid, RecordChunk, Wanted};
use parterre_read as read;
use parterre_tiler::{Options, Outputs, read_back};
use tiler_support::{Integers, Random, files_of, integers, room, run, tile_all};

fn options() -> Options {
    Options { memory_bytes: 1 << 22, tile_points: 400, ..Options::default() }
}

/// Steps and attribute bytes of every point, sorted, and the grid.
fn records(path: &Path) -> (Grid, Vec<Vec<u8>>) {
    let mut source = read::open(path).unwrap();
    let mut chunk = RecordChunk::default();
    let mut records = Vec::new();
    while source.read_records(&mut chunk, Wanted::Records, 5000).unwrap() > 0 {
        let len = source.attribute_layout().len();
        for (steps, attributes) in chunk.steps.iter().zip(chunk.attribute_bytes.chunks_exact(len)) {
            records.push(steps.iter().flat_map(|step| step.to_le_bytes()).chain(attributes.iter().copied()).collect());
        }
    }
    records.sort_unstable();
    (source.info().grid.unwrap(), records)
}

#[test]
fn the_archive_has_every_integer_and_every_attribute_of_the_input() {
    let source = integers(30_000, DVec3::new(652_000.0, 6_862_000.0, 30.0), 1);
    let mut wanted = source.records();
    wanted.sort_unstable();
    let dir = tempfile::tempdir().unwrap();
    let grid = source.grid;
    let report = tile_all(vec![Box::new(source)], dir.path(), &options()).unwrap();
    assert_eq!((report.points_in, report.points_out, report.point_format), (30_000, 30_000, 7));
    let (found_grid, found) = records(&dir.path().join("points.copc.laz"));
    assert_eq!(found_grid, grid);
    assert!(found == wanted, "records differ");
    assert!(report.quantization_error_m <= 1e-6, "{}", report.quantization_error_m);
    let tiles = read_back(&dir.path().join("tiles.3tz")).unwrap();
    let points: usize = tiles.map(|tile| tile.unwrap().parts.iter().map(|part| part.vertices.len()).sum::<usize>()).sum();
    assert_eq!(points, 30_000);
}

#[test]
fn both_encodings_have_the_same_points_under_the_same_keys() {
    let dir = tempfile::tempdir().unwrap();
    run(room(40_000, DVec3::new(20.0, 10.0, 4.0), DVec3::new(1e5, 5.8e6, 0.0), 2), dir.path(), &options()).unwrap();
    let file = std::fs::File::open(dir.path().join("points.copc.laz")).unwrap();
    let reader = las::CopcReader::new(std::io::BufReader::new(file)).unwrap();
    let mut copc: Vec<(String, usize)> = reader
        .hierarchy_entries()
        .filter(|entry| entry.point_count > 0)
        .map(|entry| {
            let key = entry.key;
            (format!("t/{}-{}-{}-{}.glb", key.l, key.x, key.y, key.z), entry.point_count as usize)
        })
        .collect();
    let tiles = read_back(&dir.path().join("tiles.3tz")).unwrap().map(|tile| tile.unwrap());
    let mut tiles: Vec<(String, usize)> =
        tiles.map(|tile| (tile.path.clone(), tile.parts.iter().map(|part| part.vertices.len()).sum())).collect();
    copc.sort_unstable();
    tiles.sort_unstable();
    assert!(tiles.len() > 20);
    assert_eq!(copc, tiles);
}

#[test]
fn neither_order_nor_files_nor_memory_change_a_byte() {
    let whole = || integers(20_000, DVec3::new(1000.0, 2000.0, 3.0), 3);
    let made = |sources: Vec<Integers>, memory_bytes: u64| {
        let dir = tempfile::tempdir().unwrap();
        let sources = sources.into_iter().map(|source| Box::new(source) as _).collect();
        tile_all(sources, dir.path(), &Options { memory_bytes, ..options() }).unwrap();
        files_of(dir.path())
    };
    let first = made(vec![whole()], 1 << 30);
    assert!(first.contains_key("points.copc.laz") && first.contains_key("tiles.3tz") && first.contains_key("plan-1.png"));
    let mut shuffled = whole();
    let mut random = Random(4);
    for at in (1..shuffled.points.len()).rev() {
        shuffled.points.swap(at, random.next() as usize % (at + 1));
    }
    assert!(made(vec![shuffled.clone()], 1 << 30) == first, "the order of points shows");
    // Pictures are drawn from fewer points where there is little memory.
    let little = made(vec![shuffled.clone()], 1 << 20);
    for name in ["points.copc.laz", "tiles.3tz"] {
        assert!(little[name] == first[name], "the memory shows in {name}");
    }
    let beyond = shuffled.points.split_off(7000);
    let mut other = shuffled.clone();
    other.points = beyond;
    assert!(made(vec![other.clone(), shuffled.clone()], 1 << 30) == first, "the files show");
    assert!(made(vec![shuffled, other], 1 << 30) == first, "the order of files shows");
}

#[test]
fn one_encoding_alone_is_as_with_the_other() {
    let made = |outputs: Outputs| {
        let dir = tempfile::tempdir().unwrap();
        let report = tile_all(vec![Box::new(integers(9000, DVec3::ZERO, 5))], dir.path(), &Options { outputs, ..options() }).unwrap();
        let files = files_of(dir.path());
        assert_eq!(report.files.len() + 1, files.len());
        files
    };
    let both = made(Outputs { copc: true, tiles: true });
    let copc = made(Outputs { copc: true, tiles: false });
    let tiles = made(Outputs { copc: false, tiles: true });
    assert!(!copc.contains_key("tiles.3tz") && !tiles.contains_key("points.copc.laz"));
    assert!(copc["points.copc.laz"] == both["points.copc.laz"]);
    assert!(tiles["tiles.3tz"] == both["tiles.3tz"]);
    for picture in ["thumbnail.png", "plan-1.png"] {
        assert!(copc[picture] == both[picture] && tiles[picture] == both[picture], "{picture}");
    }
}

#[test]
fn large_coordinates_keep_a_millimetre_without_integers_of_their_own() {
    let points = room(3000, DVec3::new(9.0, 8.0, 3.0), DVec3::new(652_000.0, 6_862_000.0, 30.0), 6);
    let mut wanted: Vec<[i64; 3]> = points.iter().map(|point| (point.position * 1000.0).round().as_i64vec3().to_array()).collect();
    wanted.sort_unstable();
    let dir = tempfile::tempdir().unwrap();
    run(points, dir.path(), &options()).unwrap();
    let mut source = read::open(&dir.path().join("points.copc.laz")).unwrap();
    let grid = source.info().grid.unwrap();
    assert_eq!((grid.scale, grid.offset), (DVec3::splat(1e-4), DVec3::new(652_000.0, 6_862_000.0, 0.0)));
    let mut chunk = RecordChunk::default();
    let mut found = Vec::new();
    while source.read_records(&mut chunk, Wanted::Positions, 1000).unwrap() > 0 {
        for position in &chunk.positions {
            let mm = *position * 1000.0;
            assert!((mm - mm.round()).abs().max_element() < 1e-5);
            found.push(mm.round().as_i64vec3().to_array());
        }
    }
    found.sort_unstable();
    assert!(found == wanted);
}

#[test]
fn grids_that_differ_are_joined_on_the_finest() {
    let coarse = integers(500, DVec3::new(10.0, 20.0, 0.0), 7);
    let mut fine = integers(500, DVec3::new(10.5, 20.0, 0.0), 8);
    fine.grid.scale = DVec3::splat(1e-4);
    fine.info.grid = Some(fine.grid);
    let wanted = |source: &Integers| source.points.iter().map(|(steps, _)| source.grid.position(*steps)).collect::<Vec<_>>();
    let mut wanted: Vec<DVec3> = wanted(&coarse).into_iter().chain(wanted(&fine)).collect();
    let dir = tempfile::tempdir().unwrap();
    tile_all(vec![Box::new(coarse), Box::new(fine)], dir.path(), &options()).unwrap();
    let mut source = read::open(&dir.path().join("points.copc.laz")).unwrap();
    assert_eq!(source.info().grid.unwrap(), Grid { scale: DVec3::splat(1e-4), offset: DVec3::ZERO });
    let mut chunk = RecordChunk::default();
    source.read_records(&mut chunk, Wanted::Positions, 2000).unwrap();
    let order = |a: &DVec3, b: &DVec3| a.to_array().map(|v| (v * 1e4).round() as i64).cmp(&b.to_array().map(|v| (v * 1e4).round() as i64));
    chunk.positions.sort_by(order);
    wanted.sort_by(order);
    assert!(chunk.positions.iter().zip(&wanted).all(|(found, wanted)| found.distance(*wanted) < 1e-6));
    assert_eq!(chunk.positions.len(), wanted.len());
}

#[test]
fn a_system_in_another_unit_holds_for_the_tiles_alone() {
    // A hall of 20 m in UTM coordinates, as millimetres and as metres.
    let place = DVec3::new(691_000.0, 5_334_000.0, 520.0);
    let tiled = |unit: f64, name: &str| {
        let rows = room(500, DVec3::new(20.0, 10.0, 4.0), place, 7)
            .iter()
            .map(|point| point.position * unit)
            .map(|position| format!("{} {} {}", position.x, position.y, position.z))
            .collect::<Vec<_>>()
            .join("\n");
        let ply = format!(
            "ply\nformat ascii 1.0\nelement vertex 500\nproperty double x\nproperty double y\nproperty double z\nend_header\n{rows}\n"
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hall.ply");
        std::fs::write(&path, ply).unwrap();
        let overrides = read::Override::parse(None, Some(name), Some("EPSG:25832")).unwrap();
        let source = read::open_with(&path, &overrides).unwrap();
        let report = tile_all(vec![source], dir.path(), &options()).unwrap();
        let copc = read::open(&dir.path().join("points.copc.laz")).unwrap();
        (report, copc.info().clone())
    };
    let (metres, plain) = tiled(1.0, "metre");
    let (millimetres, scaled) = tiled(1000.0, "millimetre");
    assert_eq!((plain.crs.as_deref(), plain.unit), (Some("EPSG:25832"), Some(parterre_model::frame::Unit::Metre)));
    assert!(!metres.warnings.iter().any(|warning| warning.code == "crs_unit_differs"));
    assert!(millimetres.warnings.iter().any(|warning| warning.code == "crs_unit_differs"));
    assert_eq!(scaled.unit, Some(parterre_model::frame::Unit::Millimetre));
    assert!(scaled.crs.as_deref().is_some_and(|crs| crs.starts_with("LOCAL_CS") && !crs.contains("AUTHORITY")), "{:?}", scaled.crs);
    // The tiles are where they would be.
    let [earth, scaled_earth] = [&metres, &millimetres].map(|report| report.frame.ecef_from_tile.unwrap());
    let origins = metres.frame.origin_m - millimetres.frame.origin_m;
    assert!(earth[..12].iter().zip(&scaled_earth[..12]).all(|(a, b)| (a - b).abs() < 1e-5), "{earth:?} {scaled_earth:?}");
    let gap = DVec3::new(earth[12] - scaled_earth[12], earth[13] - scaled_earth[13], earth[14] - scaled_earth[14]);
    assert!((gap.length() - origins.length()).abs() < 0.01, "{gap} {origins}");
    let size = |bounds: [f64; 6]| [0, 1, 2].map(|axis| bounds[axis + 3] - bounds[axis]);
    let sizes = [&metres, &millimetres].map(|report| size(report.bounds));
    assert!(sizes[0].iter().zip(sizes[1]).all(|(a, b)| (a - b).abs() < 0.01), "{sizes:?}");
}
