//! Axes, units and coordinate reference systems: as files declare them, as users override them, and warnings about implausible ones.

use std::io::{Cursor, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use glam::DVec3;
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::record::{Grid, RecordChunk, Wanted};
use parterre_read as read;
use parterre_read::{Inspection, Override, PointSource, Up};
use parterre_test_support::data::data_file;
use parterre_test_support::points;
use parterre_tiler as tiler;
use parterre_venue as venue;

fn overrides(up: &str, unit: &str, crs: &str) -> Override {
    let given = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    let leak = |text: &str| given(Box::leak(text.to_owned().into_boxed_str()));
    Override::parse(leak(up), leak(unit), leak(crs)).expect("valid overrides")
}

fn codes(source: &dyn PointSource) -> Vec<&'static str> {
    points::codes(&source.info().warnings)
}

fn positions(source: &mut dyn PointSource) -> Vec<DVec3> {
    points::read_all(source).expect("points").positions
}

/// A LAS 1.2 of point format 0.
fn las(points: &[[i32; 3]], scale: f64, offset: DVec3, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let vlrs: usize = records.iter().map(|(_, body)| 54 + body.len()).sum();
    let mut bytes = vec![0; 227];
    bytes[..4].copy_from_slice(b"LASF");
    bytes[24..26].copy_from_slice(&[1, 2]);
    bytes[94..96].copy_from_slice(&227_u16.to_le_bytes());
    bytes[96..100].copy_from_slice(&((227 + vlrs) as u32).to_le_bytes());
    bytes[100..104].copy_from_slice(&(records.len() as u32).to_le_bytes());
    bytes[105..107].copy_from_slice(&20_u16.to_le_bytes());
    bytes[107..111].copy_from_slice(&(points.len() as u32).to_le_bytes());
    let grid = Grid { scale: DVec3::splat(scale), offset };
    for axis in 0..3 {
        bytes[131 + 8 * axis..139 + 8 * axis].copy_from_slice(&scale.to_le_bytes());
        bytes[155 + 8 * axis..163 + 8 * axis].copy_from_slice(&offset[axis].to_le_bytes());
        let values = points.iter().map(|&steps| grid.position(steps)[axis]);
        let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| (min.min(value), max.max(value)));
        bytes[179 + 16 * axis..187 + 16 * axis].copy_from_slice(&max.to_le_bytes());
        bytes[187 + 16 * axis..195 + 16 * axis].copy_from_slice(&min.to_le_bytes());
    }
    for (id, body) in records {
        bytes.extend([0; 2]);
        bytes.extend(b"LASF_Projection\0");
        bytes.extend(id.to_le_bytes());
        bytes.extend((body.len() as u16).to_le_bytes());
        bytes.extend([0; 32]);
        bytes.extend(body);
    }
    for point in points {
        bytes.extend(point.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend([0; 8]);
    }
    bytes
}

fn geokeys(keys: &[[u16; 4]]) -> (u16, Vec<u8>) {
    let head = [1, 1, 0, keys.len() as u16];
    (34735, head.iter().chain(keys.iter().flatten()).flat_map(|word| word.to_le_bytes()).collect())
}

fn open(bytes: Vec<u8>, overrides: &Override) -> Box<dyn PointSource> {
    let len = bytes.len() as u64;
    read::from_source(Box::new(Cursor::new(bytes)), len, Path::new("made/here.las"), overrides).unwrap_or_else(|error| panic!("{error}"))
}

const CORNERS: [[i32; 3]; 3] = [[0, 0, 0], [30_000, 20_000, 5_000], [1_000, 2_000, 3_000]];

#[test]
fn y_up_is_turned_where_it_is_requested() {
    let offset = DVec3::new(100.0, 200.0, 300.0);
    let mut source = open(las(&CORNERS, 0.001, offset, &[]), &overrides("y", "", ""));
    assert!(codes(source.as_ref()).contains(&"axis_turned"));
    let expected: Vec<DVec3> = [(100.0, -300.0, 200.0), (130.0, -305.0, 220.0), (101.0, -303.0, 202.0)].map(DVec3::from).to_vec();
    for (found, expected) in positions(source.as_mut()).iter().zip(&expected) {
        assert!((*found - *expected).length() < 1e-9, "{found}");
    }
    let bounds = source.info().bounds;
    assert!(
        (bounds.min - DVec3::new(100.0, -305.0, 200.0)).length() < 1e-9 && (bounds.max - DVec3::new(130.0, -300.0, 220.0)).length() < 1e-9
    );
    // The whole numbers of the file stay whole numbers.
    let grid = source.info().grid.expect("a grid");
    source.rewind().expect("the first point");
    let mut records = RecordChunk::default();
    assert_eq!(source.read_records(&mut records, Wanted::Records, 10).expect("records"), 3);
    assert!(records.steps.is_empty() || records.steps.len() == 3);
    for (position, steps) in records.positions.iter().zip(CORNERS) {
        let found = grid.steps(*position).expect("on the grid");
        assert!(records.steps.is_empty() || records.steps.contains(&found));
        assert_eq!(found, [steps[0], -steps[2], steps[1]], "{grid:?}");
        assert!((grid.position(found) - *position).length() < 1e-9);
    }
    let kept = open(las(&CORNERS, 0.001, offset, &[]), &overrides("z", "", ""));
    assert_eq!(codes(kept.as_ref()), ["unit_assumed"]);
}

#[test]
fn setups_and_pictures_turn_with_the_points() {
    let Some(path) = data_file("sim/duplex-sim.e57") else { return };
    let before = read::open(&path).expect("an E57");
    let after = read::open_with(&path, &overrides("y", "", "")).expect("an E57");
    let turn = |p: DVec3| DVec3::new(p.x, -p.z, p.y);
    assert!(!before.info().setups.is_empty());
    for (before, after) in before.info().setups.iter().zip(&after.info().setups) {
        assert!((turn(before.position) - after.position).length() < 1e-9);
        for axis in DVec3::AXES {
            assert!((turn(before.rotation * axis) - after.rotation * axis).length() < 1e-9);
        }
    }
}

#[test]
fn units_are_the_users_then_the_systems_then_the_files() {
    let feet = [geokeys(&[[1024, 0, 1, 1], [3072, 0, 1, 2992], [3076, 0, 1, 9002]])];
    let info = |overrides: &Override| {
        let source = open(las(&CORNERS, 0.001, DVec3::ZERO, &feet), overrides);
        (source.info().unit, source.info().unit_source, source.info().crs.clone(), codes(source.as_ref()))
    };
    let oregon = Some("EPSG:2992".to_owned());
    assert_eq!(info(&Override::default()), (Some(Unit::Foot), UnitSource::File, oregon.clone(), vec!["unit_converted"]));
    assert_eq!(
        info(&overrides("", "metre", "")),
        (Some(Unit::Metre), UnitSource::User, oregon, vec!["unit_overridden", "crs_unit_differs"])
    );
    assert_eq!(
        info(&overrides("", "", "EPSG:25832")),
        (Some(Unit::Metre), UnitSource::User, Some("EPSG:25832".into()), vec!["crs_overridden"])
    );
    let (unit, source, crs, codes) = info(&overrides("", "mm", "EPSG:25832"));
    assert_eq!((unit, source, crs), (Some(Unit::Millimetre), UnitSource::User, Some("EPSG:25832".into())));
    assert!(codes.contains(&"crs_unit_differs"), "{codes:?}");
}

#[test]
fn without_a_unit_metres_are_assumed_and_implausible_sizes_reported() {
    for (scale, hint) in [(0.001, None), (1.0, Some("millimetre")), (0.000_01, Some("no known unit"))] {
        let source = open(las(&CORNERS, scale, DVec3::ZERO, &[]), &Override::default());
        let warning = source.info().warnings.iter().find(|warning| warning.code == "unit_suspect");
        assert_eq!(warning.is_some(), hint.is_some(), "{scale}");
        assert!(warning.is_none_or(|warning| warning.message.contains(hint.unwrap_or_default())), "{warning:?}");
        assert_eq!((source.info().unit, source.info().unit_source), (None, UnitSource::Assumed));
    }
    let degrees = open(las(&[[0, 0, 0], [40_000, 30_000, 300_000_000]], 1e-7, DVec3::new(11.5, 48.1, 500.0), &[]), &Override::default());
    assert!(degrees.info().warnings.iter().any(|warning| warning.code == "unit_suspect" && warning.message.contains("EPSG:4326")));
}

#[test]
fn degrees_with_a_system_are_projected() {
    // 0.001 degrees of latitude are 111.2 m, of longitude at 48 degrees 74.5 m.
    let points = [[0, 0, 0], [10_000, 0, 0], [0, 10_000, 0], [0, 0, 50_000_000]];
    let place = DVec3::new(11.5, 48.15, 500.0);
    for overrides in [overrides("", "", "EPSG:4326"), Override::default()] {
        let keys = [geokeys(&[[1024, 0, 1, 2], [2048, 0, 1, 4326]])];
        let records: &[(u16, Vec<u8>)] = if overrides.is_empty() { &keys } else { &[] };
        let mut source = open(las(&points, 1e-7, place, records), &overrides);
        assert_eq!((source.info().crs.as_deref(), source.info().unit), (Some("EPSG:32632"), Some(Unit::Metre)));
        assert!(codes(source.as_ref()).contains(&"crs_projected"));
        let found = positions(source.as_mut());
        let (east, north, up) = (found[1] - found[0], found[2] - found[0], found[3] - found[0]);
        assert!((east.length() - 74.4).abs() < 0.2 && (north.length() - 111.2).abs() < 0.1, "{east} {north}");
        assert!((up - DVec3::Z * 5.0).length() < 1e-6, "{up}");
        let bounds = source.info().bounds;
        assert!(
            found
                .iter()
                .all(|&position| bounds.contains_box(parterre_model::points::Bounds { min: position, max: position }, DVec3::splat(0.01)))
        );
        let grid = source.info().grid.expect("a grid");
        assert!(found.iter().all(|&position| grid.steps(position).is_some()));
        // The same again, and no less.
        source.rewind().expect("the first point");
        assert_eq!(positions(source.as_mut()), found);
    }
    let south = open(las(&points, 1e-7, DVec3::new(144.97, -37.8, 30.0), &[]), &overrides("", "", "EPSG:4326"));
    assert_eq!(south.info().crs.as_deref(), Some("EPSG:32755"));
}

#[test]
fn degrees_out_of_range_are_kept_and_reported() {
    let keys = [geokeys(&[[1024, 0, 1, 2], [2048, 0, 1, 4326]])];
    let file = las(&CORNERS, 0.001, DVec3::new(600_000.0, 5_000_000.0, 0.0), &keys);
    let source = open(file.clone(), &Override::default());
    assert_eq!(source.info().unit, Some(Unit::Degree), "the tiler refuses it");
    assert!(codes(source.as_ref()).contains(&"crs_does_not_fit"));
    let helped = open(file, &overrides("", "metre", ""));
    assert_eq!((helped.info().unit, helped.info().crs.clone()), (Some(Unit::Metre), None));
    assert!(codes(helped.as_ref()).contains(&"crs_dropped"));
}

#[test]
fn geocentric_coordinates_are_projected() {
    let keys = [geokeys(&[[1024, 0, 1, 3], [2048, 0, 1, 4978]])];
    let place = DVec3::new(4_177_500.0, 854_000.0, 4_728_000.0);
    let mut source = open(las(&CORNERS, 0.001, place, &keys), &Override::default());
    assert_eq!((source.info().crs.as_deref(), source.info().unit), (Some("EPSG:32632"), Some(Unit::Metre)));
    let found = positions(source.as_mut());
    // UTM shrinks by up to 0.04 % there.
    for (index, corner) in CORNERS.iter().enumerate() {
        let length = DVec3::from_array(corner.map(f64::from)).length() * 0.001;
        assert!(((found[index] - found[0]).length() - length).abs() <= 5e-4 * length, "{found:?}");
    }
    let local = open(las(&CORNERS, 0.001, DVec3::ZERO, &keys), &Override::default());
    assert_eq!(local.info().crs, None);
    assert!(codes(local.as_ref()).contains(&"crs_does_not_fit"));
}

#[test]
fn systems_that_disagree_are_reported() {
    let wkt =
        r#"PROJCS["WGS 84 / UTM zone 33N",GEOGCS["WGS 84"],PROJECTION["Transverse_Mercator"],UNIT["metre",1],AUTHORITY["EPSG","32633"]]"#;
    let records = [geokeys(&[[1024, 0, 1, 1], [3072, 0, 1, 32632], [3076, 0, 1, 9001]]), (2112, wkt.as_bytes().to_vec())];
    let mut file = las(&CORNERS, 0.001, DVec3::new(500_000.0, 5_300_000.0, 0.0), &records);
    let of = |file: Vec<u8>| {
        let source = open(file, &Override::default());
        (source.info().crs.clone(), codes(source.as_ref()).contains(&"crs_disagree"))
    };
    assert_eq!(of(file.clone()), (Some("EPSG:32632".into()), true));
    file[6] |= 0x10;
    assert_eq!(of(file), (Some("EPSG:32633".into()), true));
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

#[test]
fn files_of_one_scan_have_one_frame() {
    let dir = tempfile::tempdir().expect("a folder");
    let local = write(dir.path(), "a.las", &las(&CORNERS, 0.001, DVec3::ZERO, &[]));
    let rows = "1 2 3\n4 5 6\n7 8 9\n";
    let ply = format!("ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nend_header\n{rows}");
    let ply = write(dir.path(), "b.ply", ply.as_bytes());
    let keys = [geokeys(&[[1024, 0, 1, 1], [3072, 0, 1, 2992], [3076, 0, 1, 9002]])];
    let feet = write(dir.path(), "c.las", &las(&CORNERS, 0.001, DVec3::ZERO, &keys));

    let sources = read::open_all(&[&local, &ply], &Override::default()).expect("one frame");
    assert_eq!(sources.iter().map(|source| source.info().points).sum::<u64>(), 6);
    let error = read::open_all(&[&local, &ply, &feet], &Override::default()).map(drop).expect_err("two frames");
    assert_eq!(error.code(), "sources_disagree");
    assert!(
        error.to_string().contains("c.las") && error.to_string().contains("foot, EPSG:2992") && error.hint().contains("--unit"),
        "{error}"
    );
    let sources = read::open_all(&[&local, &ply, &feet], &overrides("", "foot", "EPSG:2992")).expect("overrides for all");
    assert!(sources.iter().all(|source| source.info().unit == Some(Unit::Foot)));

    // Both sides of the edge between two zones.
    let degrees = |name: &str, longitude: f64| {
        write(dir.path(), name, &las(&[[0, 0, 0], [10_000, 10_000, 0]], 1e-7, DVec3::new(longitude, 48.0, 0.0), &[]))
    };
    let pair = [degrees("west.las", 11.998), degrees("east.las", 12.001)];
    let sources = read::open_all(&pair, &overrides("", "", "EPSG:4326")).expect("one zone");
    assert!(sources.iter().all(|source| source.info().crs.as_deref() == Some("EPSG:32632")));
    let gap = sources[1].info().bounds.min.x - sources[0].info().bounds.min.x;
    assert!((gap - 223.7).abs() < 1.0, "{gap}");

    let (Some(e57), Some(laz)) = (data_file("sim/duplex-sim.e57"), data_file("sim/duplex-sim.laz")) else { return };
    let metres = overrides("", "metre", "");
    assert_eq!(read::open_all(&[&e57, &laz, &ply], &metres).map(|all| all.len()).expect("one frame"), 3);
}

/// The demo hall's points, in millimetres.
fn hall() -> Vec<[i32; 3]> {
    let dir = tempfile::tempdir().expect("a folder");
    let options = venue::Options { points: 60_000, ..venue::Options::default() };
    venue::demo(dir.path(), &options, &|_| ()).expect("a demo venue");
    let mut source = read::open(&dir.path().join("scan.laz")).expect("its scan");
    positions(source.as_mut()).iter().map(|position| (*position * 1000.0).round().to_array().map(|value| value as i32)).collect()
}

#[test]
fn a_hall_on_its_side_is_doubted_and_real_scans_are_not() {
    let hall = hall();
    let suspected = |file: Vec<u8>, overrides: &Override| codes(open(file, overrides).as_ref()).contains(&"axis_suspect");
    assert!(!suspected(las(&hall, 0.001, DVec3::ZERO, &[]), &Override::default()));
    let turned: Vec<[i32; 3]> = hall.iter().map(|&[x, y, z]| [x, z, -y]).collect();
    assert!(suspected(las(&turned, 0.001, DVec3::ZERO, &[]), &Override::default()));
    // Whatever the user states is not questioned.
    for up in ["y", "z"] {
        assert!(!suspected(las(&turned, 0.001, DVec3::ZERO, &[]), &overrides(up, "", "")), "{up}");
    }
    let back = open(las(&turned, 0.001, DVec3::ZERO, &[]), &Override { up: Some(Up::Y), ..Override::default() });
    assert!(
        (back.info().bounds.size() - open(las(&hall, 0.001, DVec3::ZERO, &[]), &Override::default()).info().bounds.size()).length() < 1e-6
    );

    for (name, expected) in [
        ("venue/royal-exhibition-building-1M.laz", false),
        ("venue/royal-exhibition-building-200k-utmlike.laz", false),
        ("sim/duplex-sim.laz", false),
        ("sim/duplex-sim.e57", false),
        ("ply/room_scan1.ply", false),
        ("ply/ripple_bin.ply", false),
        ("ply/cycloidal.ply", false),
        ("e57/bunnyFloat.e57", false),
        // A pond and its plants, Y up.
        ("ply/pond.0.ply", true),
    ] {
        let Some(path) = data_file(name) else { continue };
        let source = read::open(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(codes(source.as_ref()).contains(&"axis_suspect"), expected, "{name}: {:?}", source.info().warnings);
    }
}

/// The grid and all steps of a source, sorted.
fn integers(source: &mut dyn PointSource) -> (Grid, Vec<[i32; 3]>) {
    let mut all = Vec::new();
    let mut chunk = RecordChunk::default();
    while source.read_records(&mut chunk, Wanted::Records, 10_000).expect("records") > 0 {
        all.append(&mut chunk.steps);
    }
    all.sort_unstable();
    (source.info().grid.expect("a grid"), all)
}

#[test]
fn turned_and_negative_axes_keep_their_integers() {
    let steps: Vec<[i32; 3]> = (0..5000).map(|n| [n * 7919 % 30_011, n * 31 % 9973 - 500, n * 104_729 % 20_021 - 7000]).collect();
    let offset = DVec3::new(512_000.25, 100.5, 5_403_000.125);
    let tiled = |file: Vec<u8>, overrides: &Override| {
        let dir = tempfile::tempdir().expect("a folder");
        tiler::tile(&mut [open(file, overrides)], dir.path(), &tiler::Options::default(), &|_| ()).expect("a scan");
        integers(read::open(&dir.path().join("points.copc.laz")).expect("points").as_mut())
    };
    let mut wanted: Vec<[i32; 3]> = steps.iter().map(|&[x, y, z]| [x, -z, y]).collect();
    wanted.sort_unstable();
    let turned = DVec3::new(offset.x, -offset.z, offset.y);
    let found = tiled(las(&steps, 0.001, offset, &[]), &overrides("y", "", ""));
    assert!(found == (Grid { scale: DVec3::splat(0.001), offset: turned }, wanted), "{:?}", found.0);

    // Steps of a negative length are those of a positive one, negated.
    let mut mirrored = las(&steps, 0.001, offset, &[]);
    let mut wanted: Vec<[i32; 3]> = steps.iter().map(|&[x, y, z]| [x, -y, z]).collect();
    wanted.sort_unstable();
    mirrored[139..147].copy_from_slice(&(-0.001_f64).to_le_bytes());
    let found = tiled(mirrored, &Override::default());
    assert!(found == (Grid { scale: DVec3::splat(0.001), offset }, wanted), "{:?}", found.0);

    // The lowest integer has no negative: positions stand in for it.
    let extreme = las(&[[0, 0, i32::MIN], [0, 0, 5]], 1e-6, DVec3::ZERO, &[]);
    let mut source = open(extreme, &overrides("y", "", ""));
    let mut chunk = RecordChunk::default();
    source.read_records(&mut chunk, Wanted::Records, 10).expect("records");
    assert!(chunk.steps.is_empty());
    assert!((chunk.positions[0].y - 2_147.483_648).abs() < 1e-9 && (chunk.positions[1].y + 5e-6).abs() < 1e-12, "{:?}", chunk.positions);
}

/// Counts the bytes that are read.
struct Counted<S>(S, Arc<AtomicU64>);

impl<S: Read> Read for Counted<S> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(bytes)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<S: Seek> Seek for Counted<S> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn inspecting_reads_less_than_a_hundredth() {
    const LEN: u64 = 10_000_000_000;
    for name in ["large.las", "large.ply"] {
        let mut file = tempfile::tempfile().expect("a temporary file");
        let points = if name == "large.las" {
            let mut head = las(&[[0; 3]], 0.001, DVec3::ZERO, &[]);
            let points = (LEN - 227) / 20;
            head.truncate(227);
            head[107..111].copy_from_slice(&(points as u32).to_le_bytes());
            head[179..187].copy_from_slice(&50.0_f64.to_le_bytes());
            file.write_all(&head).expect("a header");
            points
        } else {
            let points = LEN / 15;
            let head = format!(
                "ply\nformat binary_little_endian 1.0\nelement vertex {points}\nproperty float x\nproperty float y\nproperty float z\n\
                 property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
            );
            file.write_all(head.as_bytes()).expect("a header");
            points
        };
        // The rest is a hole.
        let len = file.stream_position().expect("a place") + points * if name == "large.las" { 20 } else { 15 };
        file.set_len(len).expect("a sparse file");
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted(file, Arc::clone(&read));
        let source = read::from_source(Box::new(counted), len, Path::new(name), &Override::default()).expect("a large file");
        let found = Inspection::of(source.as_ref(), LEN);
        assert_eq!((found.points, found.bytes), (points, LEN));
        let estimate = found.estimate;
        assert!(estimate.seconds >= points / 2_000_000 && estimate.temporary_bytes > estimate.copc_bytes, "{estimate:?}");
        let read = read.load(Ordering::Relaxed);
        assert!(read < LEN / 1000, "{name}: {read} bytes");
    }
}
