//! How a run behaves: units, attributes, bad points, sources that disagree, progress, stopping, unpacking.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod tiler_support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use glam::{DQuat, DVec3};
use parterre_crs::Placement;
use parterre_encode::archive::Writer;
use parterre_model::frame::Unit;
use parterre_model::points::{Attributes, Bounds};
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::setup::Setup;
use parterre_read::PointSource;
use parterre_test_support::codes::code_of;
use parterre_tile::archive::{INDEX_PATH, Index};
use parterre_tile::glb;
use parterre_tiler::{Options, Progress, Report, read_back, tile, unpack};
use tiler_support::{Integers, Memory, Random, integers, memory, room, run, tile_all};

fn options() -> Options {
    Options { memory_bytes: 1 << 22, tile_points: 500, ..Options::default() }
}

fn run_sources(sources: Vec<Memory>, dir: &std::path::Path) -> parterre_model::Result<Report> {
    let mut sources: Vec<Box<dyn PointSource>> = sources.into_iter().map(|source| Box::new(source) as _).collect();
    tile(&mut sources, dir, &options(), &|_| ())
}

#[test]
fn millimetres_are_exact_and_finer_steps_are_within_half_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let report = run(room(2000, DVec3::new(9.0, 8.0, 3.0), DVec3::new(5e5, 5.8e6, 12.0), 1), dir.path(), &options()).unwrap();
    assert!(report.quantization_error_m < 1e-8, "{}", report.quantization_error_m);
    assert!((report.frame.origin_m - report.frame.origin_m.round()).abs().max_element() < 1e-12);

    let mut points = room(2000, DVec3::new(9.0, 8.0, 3.0), DVec3::ZERO, 2);
    for point in &mut points {
        point.position += DVec3::new(0.000_31, -0.000_2, 0.000_5);
    }
    let dir = tempfile::tempdir().unwrap();
    let report = run(points.clone(), dir.path(), &options()).unwrap();
    // Without whole numbers of its own the source's positions are kept to 0.1 mm, half of which adds up.
    assert!(report.quantization_error_m > 3e-4 && report.quantization_error_m <= 5.5e-4 + 1e-9, "{}", report.quantization_error_m);
    let reader = read_back(&dir.path().join("tiles.3tz")).unwrap();
    let origin = reader.extras().frame.origin_m;
    let mut found: Vec<DVec3> = reader
        .flat_map(|tile| tile.unwrap().parts)
        .flat_map(|part| part.vertices.iter().map(|vertex| origin + part.position_m(vertex)).collect::<Vec<_>>())
        .collect();
    let order = |a: &DVec3, b: &DVec3| a.x.total_cmp(&b.x);
    found.sort_by(order);
    let mut wanted: Vec<DVec3> = points.iter().map(|point| point.position).collect();
    wanted.sort_by(order);
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found.x - wanted.x).abs() <= report.quantization_error_m + 1e-9);
    }
}

#[test]
fn feet_become_metres() {
    let mut source = memory(vec![Random(1).point(DVec3::new(10.0, 20.0, 30.0)), Random(2).point(DVec3::new(110.0, 20.0, 30.0))]);
    source.info.unit = Some(Unit::Foot);
    let dir = tempfile::tempdir().unwrap();
    let report = run_sources(vec![source], dir.path()).unwrap();
    assert_eq!(report.frame.unit, Unit::Foot);
    for (found, wanted) in report.bounds.into_iter().zip([3.048, 6.096, 9.144, 33.528, 6.096, 9.144]) {
        assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
    }
}

#[test]
fn a_scan_with_a_projection_is_put_on_the_earth() {
    let points = room(3000, DVec3::new(120.0, 80.0, 20.0), DVec3::new(280_000.0, 5_420_000.0, 50.0), 5);
    let mut source = memory(points.clone());
    source.info.crs = Some("EPSG:32631".into());
    let dir = tempfile::tempdir().unwrap();
    let report = run_sources(vec![source], dir.path()).unwrap();
    assert!(report.frame.ecef_from_tile.is_some());
    assert!(report.warnings.iter().any(|warning| warning.code == "vertical_datum_not_applied"), "{:?}", report.warnings);

    let placement = Placement::restore(&report.frame).unwrap();
    assert_eq!(placement.frame(), &report.frame);
    let mut wanted: Vec<DVec3> = points.iter().map(|point| point.position).collect();
    placement.tile_from_file(&mut wanted);
    let mut found: Vec<DVec3> = read_back(&dir.path().join("tiles.3tz"))
        .unwrap()
        .flat_map(|tile| tile.unwrap().parts)
        .flat_map(|part| part.vertices.iter().map(|vertex| part.position_m(vertex)).collect::<Vec<_>>())
        .collect();
    for positions in [&mut found, &mut wanted] {
        positions.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!((found.x - wanted.x).abs() < 0.7e-3, "{found} {wanted}");
    }
    // Turned by two degrees, the hall is wider than in the file; the bounds hold just that.
    let mut tight = Bounds::EMPTY;
    for position in &wanted {
        tight.include(report.frame.scan_from_tile(*position));
    }
    for (found, wanted) in report.bounds.into_iter().zip(tight.to_array()) {
        assert!((found - wanted).abs() < 2e-3, "{:?} {tight:?}", report.bounds);
    }
    assert!(report.bounds[3] - report.bounds[0] > 121.0);
}

#[test]
fn heights_have_a_unit_of_their_own() {
    let mut source = memory(vec![Random(1).point(DVec3::new(10.0, 20.0, 30.0)), Random(2).point(DVec3::new(110.0, 20.0, 40.0))]);
    source.info.vertical_unit = Some(Unit::Foot);
    let dir = tempfile::tempdir().unwrap();
    let report = run_sources(vec![source], dir.path()).unwrap();
    assert_eq!((report.frame.unit, report.frame.vertical_unit), (Unit::Metre, Some(Unit::Foot)));
    for (found, wanted) in report.bounds.into_iter().zip([10.0, 20.0, 9.144, 110.0, 20.0, 12.192]) {
        assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
    }
    let reader = read_back(&dir.path().join("tiles.3tz")).unwrap();
    assert_eq!(reader.extras().frame, report.frame);
    assert!(report.frame.scan_from_file(DVec3::ONE).abs_diff_eq(DVec3::new(1.0, 1.0, 0.3048), 1e-12));

    let same = memory(vec![Random(1).point(DVec3::ONE)]);
    let dir = tempfile::tempdir().unwrap();
    let report = run_sources(vec![same], dir.path()).unwrap();
    assert!(!serde_json::to_string(&report).unwrap().contains("vertical_unit"));
}

#[test]
fn bad_points_are_counted_and_named() {
    let mut points = room(1000, DVec3::splat(10.0), DVec3::ZERO, 3);
    points[0].position.x = f64::NAN;
    points[17].position.y = f64::INFINITY;
    points[18].position.z = 1e300;
    points[999].position.x = -60_000.0;
    let dir = tempfile::tempdir().unwrap();
    let report = run(points, dir.path(), &options()).unwrap();
    assert_eq!((report.points_in, report.points_out, report.points_dropped), (1000, 996, 4));
    let codes: Vec<&str> = report.warnings.iter().map(code_of).collect();
    assert_eq!(codes, ["points_not_finite", "points_far_away"]);
    assert!(report.warnings[0].message.starts_with("2 points"));
}

#[test]
fn sources_that_are_not_a_scan_are_refused_and_leave_nothing() {
    let code = |sources: Vec<Memory>| {
        let dir = tempfile::tempdir().unwrap();
        let code = run_sources(sources, dir.path()).unwrap_err().code();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{code}");
        code
    };
    let mut random = Random(4);
    let mut scan = |unit| {
        let mut source = memory(vec![random.point(DVec3::ONE)]);
        source.info.unit = unit;
        source
    };
    assert_eq!(code(vec![]), "no_sources");
    assert_eq!(code(vec![memory(vec![])]), "no_points");
    assert_eq!(code(vec![scan(Some(Unit::Degree))]), "unit_degrees");
    assert_eq!(code(vec![scan(None), scan(Some(Unit::Foot))]), "sources_disagree");
    let mut elsewhere = scan(None);
    elsewhere.info.crs = Some("EPSG:25832".into());
    assert_eq!(code(vec![scan(None), elsewhere]), "sources_disagree");
    let mut random = Random(5);
    assert_eq!(code(vec![memory(vec![random.point(DVec3::NAN)])]), "no_points");
    let spread = (0..1000).map(|n| random.point(DVec3::new(f64::from(n) * 1e6, 0.0, 0.0))).collect();
    assert_eq!(code(vec![memory(spread)]), "size_implausible");
    let halves = (0..1000).map(|n| random.point(DVec3::new(f64::from(n), 0.0, if n < 800 { 0.0 } else { 90_000.0 }))).collect();
    assert_eq!(code(vec![memory(halves)]), "size_implausible");
    let tiny = (0..1000).map(|n| random.point(DVec3::new(f64::from(n) * 4e-7, 0.0, 0.0))).collect();
    assert_eq!(code(vec![memory(tiny)]), "size_implausible");
    let mut heights = scan(None);
    heights.info.vertical_unit = Some(Unit::Foot);
    assert_eq!(code(vec![scan(None), heights]), "sources_disagree");
}

#[test]
fn several_files_become_one_scan() {
    let first = memory(room(1500, DVec3::splat(10.0), DVec3::ZERO, 6));
    let mut second = memory(room(700, DVec3::splat(10.0), DVec3::new(20.0, 0.0, 0.0), 7));
    second.info.attributes = Attributes { returns: true, ..Attributes::default() };
    let dir = tempfile::tempdir().unwrap();
    let report = run_sources(vec![first, second], dir.path()).unwrap();
    assert_eq!(report.points_out, 2200);
    let reader = read_back(&dir.path().join("tiles.3tz")).unwrap();
    assert_eq!(reader.extras().attributes.names(), ["color", "intensity", "classification"]);
    assert_eq!(reader.extras().points, 2200);
}

#[test]
fn points_without_colour_get_a_visible_one() {
    let grey = |vertex: &glb::Vertex| vertex.color[0] == vertex.color[1] && vertex.color[1] == vertex.color[2];
    let vertices = |attributes: Attributes| -> Vec<glb::Vertex> {
        let mut source = memory(room(3000, DVec3::splat(10.0), DVec3::ZERO, 8));
        source.info.attributes = attributes;
        let dir = tempfile::tempdir().unwrap();
        run_sources(vec![source], dir.path()).unwrap();
        let reader = read_back(&dir.path().join("tiles.3tz")).unwrap();
        assert_eq!(reader.extras().attributes, attributes);
        let parts = reader.flat_map(|tile| tile.unwrap().parts);
        parts.flat_map(|part| part.vertices).collect()
    };
    let by_intensity = vertices(Attributes { intensity: true, ..Attributes::default() });
    assert!(by_intensity.iter().all(grey));
    let by_height = vertices(Attributes::default());
    assert!(!by_height.iter().all(grey));
    for vertices in [by_intensity, by_height] {
        let light: Vec<u8> = vertices.iter().map(|vertex| vertex.color[1]).collect();
        assert!(light.iter().min() < Some(&90) && light.iter().max() > Some(&200));
    }
}

#[test]
fn progress_goes_up_through_every_stage_to_the_end() {
    let seen: Mutex<Vec<Progress>> = Mutex::default();
    let dir = tempfile::tempdir().unwrap();
    let mut sources: Vec<Box<dyn PointSource>> = vec![Box::new(memory(room(300_000, DVec3::splat(20.0), DVec3::ZERO, 9)))];
    tile(&mut sources, dir.path(), &options(), &|progress| seen.lock().unwrap().push(progress)).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.is_sorted_by(|a, b| a.fraction <= b.fraction));
    assert_eq!(seen.last().unwrap(), &Progress { stage: "pictures", fraction: 1.0 });
    let mut stages: Vec<&str> = seen.iter().map(|progress| progress.stage).collect();
    stages.dedup();
    assert_eq!(stages, ["count", "distribute", "sample", "write", "pictures"]);
}

#[test]
fn a_stopped_run_leaves_nothing_at_any_stage() {
    for stop_at in ["count", "distribute", "sample", "write"] {
        let cancel = Arc::new(AtomicBool::new(false));
        let options = Options { cancel: Some(Arc::clone(&cancel)), ..options() };
        let dir = tempfile::tempdir().unwrap();
        let mut sources: Vec<Box<dyn PointSource>> = vec![Box::new(memory(room(200_000, DVec3::splat(20.0), DVec3::ZERO, 10)))];
        let result = tile(&mut sources, dir.path(), &options, &|progress| {
            if progress.stage == stop_at {
                cancel.store(true, Ordering::Relaxed);
            }
        });
        assert_eq!(result.unwrap_err().code(), "cancelled", "{stop_at}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{stop_at}");
    }
}

#[test]
fn unpacking_gives_every_file_and_plain_needs_no_meshopt() {
    let dir = tempfile::tempdir().unwrap();
    run(room(20_000, DVec3::splat(20.0), DVec3::ZERO, 11), dir.path(), &options()).unwrap();
    let archive = dir.path().join("tiles.3tz");
    for plain in [false, true] {
        let out = dir.path().join(format!("out-{plain}"));
        let files = unpack(&archive, &out, plain).unwrap();
        let document = std::fs::read_to_string(out.join("tileset.json")).unwrap();
        assert_eq!(document.contains("EXT_meshopt_compression"), !plain);
        let mut points = 0;
        let mut tiles = 0;
        for entry in std::fs::read_dir(out.join("t")).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert_eq!(String::from_utf8_lossy(&bytes).contains("EXT_meshopt_compression"), !plain);
            points += glb::decode(&bytes).unwrap().iter().map(|part| part.vertices.len()).sum::<usize>();
            tiles += 1;
        }
        assert_eq!(points, 20_000);
        assert!(files > tiles);
    }
}

#[test]
fn paths_that_lead_out_of_the_folder_are_not_unpacked() {
    let mut writer = Writer::new(Vec::new());
    writer.add("aa/evil.txt", b"x".to_vec()).unwrap();
    let (mut bytes, _) = writer.finish().unwrap();
    let (from, to) = (b"aa/evil.txt", b"../evil.txt");
    for at in 0..bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.3tz");
    std::fs::write(&path, &bytes).unwrap();
    let index = Index::read(&mut std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(index.len(), 1);
    assert!(bytes.windows(INDEX_PATH.len()).any(|window| window == INDEX_PATH.as_bytes()));
    assert_eq!(unpack(&path, &dir.path().join("out"), false).unwrap_err().code(), "archive_corrupt");
    assert!(!dir.path().join("evil.txt").exists());
}

#[test]
fn temporary_files_stay_within_the_documented_limit() {
    let mut source = integers(150_000, DVec3::ZERO, 21);
    let mut random = Random(22);
    for (steps, attributes) in &mut source.points {
        *steps = [0; 3].map(|_| (random.next() % 40_000) as i32);
        for bytes in attributes.chunks_exact_mut(8) {
            bytes.copy_from_slice(&random.next().to_le_bytes());
        }
        // Times are numbers, too.
        attributes[10..18].copy_from_slice(&(random.share() * 1e9).to_le_bytes());
    }
    let measured = |source: &Integers, options: &Options| {
        let dir = tempfile::tempdir().unwrap();
        let report = tile_all(vec![Box::new(source.clone())], dir.path(), options).unwrap();
        let records = source.points.len() as f64 * 36.0;
        let outputs: u64 = report
            .files
            .iter()
            .filter(|file| file.name.starts_with("points") || file.name.starts_with("tiles"))
            .map(|file| file.bytes)
            .sum();
        (report.temporary_bytes as f64 / records, outputs as f64 / records)
    };
    for options in [options(), Options { memory_bytes: 64 << 20, tile_points: 5000, ..Options::default() }] {
        // All chunks are there at once before one is built: nothing is left out.
        let (temporary, outputs) = measured(&source, &options);
        assert!(temporary > 1.0 && temporary <= 2.5 && outputs <= 1.6, "noise: {temporary} and {outputs}");
        let (temporary, outputs) = measured(&integers(150_000, DVec3::ZERO, 21), &options);
        assert!(temporary > 0.5 && temporary <= 1.6 && outputs <= 1.25, "a room: {temporary} and {outputs}");
    }
}

#[test]
fn tiles_are_smaller_where_the_memory_is_small_and_the_report_says_so() {
    let points = room(400_000, DVec3::new(30.0, 20.0, 8.0), DVec3::ZERO, 23);
    let made = |tile_points: usize, memory_bytes: u64| {
        let dir = tempfile::tempdir().unwrap();
        let report = run(points.clone(), dir.path(), &Options { tile_points, memory_bytes, ..Options::default() }).unwrap();
        (report.tiles, report.warnings.iter().any(|warning| warning.code == "tile_points_capped"))
    };
    assert_eq!(made(1_000_000, 4 << 30), (1, false));
    let (tiles, is_said) = made(1_000_000, 128 << 20);
    assert!(tiles > 4 && is_said, "{tiles}");
    assert!(!made(50_000, 128 << 20).1);
}

#[test]
fn point_sources_of_files_without_setups_are_not_setups() {
    let setup = |name: &str| Setup { name: name.into(), position: DVec3::ZERO, rotation: DQuat::IDENTITY, points: 1, posed: true };
    let numbered = |number: u16, seed: u64| {
        let mut source = integers(100, DVec3::ZERO, seed);
        source.points.iter_mut().for_each(|(_, attributes)| attributes[8..10].copy_from_slice(&number.to_le_bytes()));
        source
    };
    let mut scanned = numbered(2, 31);
    scanned.info.setups = vec![setup("a"), setup("b")];
    let sources = || vec![Box::new(numbered(1, 32)) as Box<dyn PointSource>, Box::new(scanned.clone()), Box::new(numbered(65_535, 33))];
    let dir = tempfile::tempdir().unwrap();
    let report = tile_all(sources(), dir.path(), &options()).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.code == "point_source_renumbered"));
    let mut source = parterre_read::open(&dir.path().join("points.copc.laz")).unwrap();
    let mut chunk = RecordChunk::default();
    source.read_records(&mut chunk, Wanted::Records, 1000).unwrap();
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for attributes in chunk.attribute_bytes.chunks_exact(source.attribute_layout().len()) {
        *counts.entry(u16::from_le_bytes([attributes[8], attributes[9]])).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([(0, 100), (2, 100), (3, 100)]));
    let report = tile_all(vec![Box::new(numbered(1, 32))], dir.path(), &options()).unwrap();
    assert!(report.warnings.iter().all(|warning| warning.code != "point_source_renumbered"));
}
