//! COPC files read back by other people's reader: whole, by resolution and by place.

#![expect(clippy::float_cmp, reason = "the header has the exact values")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use glam::DVec3;
use las::copc::VoxelKey;
use las::{BoundsSelection, CopcReader, LodSelection};
use parterre_encode::copc::{Header, NodeEncoder, Totals, Writer};
use parterre_model::frame::Unit;
use parterre_model::record::{AttributeLayout, ExtraField, Grid, RecordChunk, Wanted};
use parterre_read as read;
use parterre_read::Override;
use parterre_tile::id::NodeKey;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const GRID: Grid = Grid { scale: DVec3::new(0.001, 0.001, 0.001), offset: DVec3::new(652_000.0, 6_862_000.0, 30.0) };
/// The cube's edge is 2 to this power in steps, 131 m, and its lowest corner has these steps.
const EDGE_BITS: u32 = 17;
const CORNER: [i32; 3] = [-20_000, 300_000, -5_000];
const SPACING: f64 = 0.8;

/// Seeded records: points on a floor, the rest of the bytes at random but for a finite time.
fn records(layout: &AttributeLayout, count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| {
            let mut record = vec![0; layout.record_len()];
            rng.fill(&mut record[..]);
            let place = [rng.random_range(0..1 << EDGE_BITS), rng.random_range(0..1 << EDGE_BITS), rng.random_range(0..900)];
            for axis in 0..3 {
                record[4 * axis..4 * axis + 4].copy_from_slice(&(CORNER[axis] + place[axis]).to_le_bytes());
            }
            record[14] = 0x51;
            record[16] = rng.random_range(0..8);
            record[22..30].copy_from_slice(&rng.random_range(0.0..1e6_f64).to_le_bytes());
            record
        })
        .collect()
}

fn steps(record: &[u8]) -> [i32; 3] {
    std::array::from_fn(|axis| i32::from_le_bytes(std::array::from_fn(|i| record[4 * axis + i])))
}

/// An octree with at most `room` points a node, those that come first on top.
fn octree(records: &[Vec<u8>], room: usize) -> BTreeMap<NodeKey, Vec<Vec<u8>>> {
    let mut nodes: BTreeMap<NodeKey, Vec<Vec<u8>>> = BTreeMap::new();
    for record in records {
        let steps = steps(record);
        let mut level = 0;
        loop {
            let cell = std::array::from_fn(|axis| (steps[axis] - CORNER[axis]) as u32 >> (EDGE_BITS - level));
            let node = nodes.entry(NodeKey { level, cell }).or_default();
            // Nothing but branches at level 1: its nodes have no points of their own.
            if node.len() < room && level != 1 {
                node.push(record.clone());
                break;
            }
            level += 1;
        }
    }
    nodes.retain(|_, records| !records.is_empty());
    nodes
}

fn header(layout: &AttributeLayout, crs: Option<&str>) -> Header {
    let half = 0.5 * f64::from(1 << EDGE_BITS) * GRID.scale.x;
    Header {
        layout: layout.clone(),
        grid: GRID,
        center: GRID.position(CORNER) + half,
        half_size: half,
        spacing: SPACING,
        crs: crs.map(str::to_owned),
        unit: Unit::Metre,
        vertical_unit: None,
        gps_standard_time: true,
    }
}

fn write(layout: &AttributeLayout, crs: Option<&str>, nodes: &BTreeMap<NodeKey, Vec<Vec<u8>>>) -> Vec<u8> {
    let encoder = NodeEncoder::new(layout).expect("an encoder");
    let mut out = Cursor::new(Vec::new());
    let mut writer = Writer::create(&mut out, "made/here.copc.laz", header(layout, crs)).expect("a writer");
    let mut totals = Totals::default();
    for (&key, records) in nodes {
        let bytes = records.concat();
        let mut own = Totals::default();
        own.add(layout, &bytes);
        totals.merge(&own);
        writer.node(key, records.len() as u32, &encoder.encode(&bytes).expect("a chunk")).expect("a node");
    }
    let length = writer.finish(&totals).expect("a whole file");
    let file = out.into_inner();
    assert_eq!(length, file.len() as u64);
    file
}

fn sorted(mut records: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    records.sort_unstable();
    records
}

fn raw(points: &las::PointData) -> Vec<Vec<u8>> {
    points.raw_bytes().chunks_exact(points.record_len()).map(<[u8]>::to_vec).collect()
}

fn layouts() -> Vec<AttributeLayout> {
    let mut named = ExtraField::undocumented(0);
    named.descriptor[2] = 4;
    named.descriptor[4..14].copy_from_slice(b"reflection");
    let mut bytes = ExtraField::undocumented(5);
    bytes.descriptor[4..8].copy_from_slice(b"rest");
    vec![
        AttributeLayout::default(),
        AttributeLayout { color: true, ..AttributeLayout::default() },
        AttributeLayout { color: true, nir: true, extra: vec![] },
        AttributeLayout { color: true, nir: false, extra: vec![named, bytes] },
    ]
}

#[test]
fn every_point_comes_back_once_in_every_format() {
    for layout in layouts() {
        let records = records(&layout, 30_000, 1);
        let nodes = octree(&records, 900);
        let file = write(&layout, Some("EPSG:2154"), &nodes);
        let mut reader = CopcReader::new(Cursor::new(&file)).expect("a COPC file");
        let all = reader.query(LodSelection::All, BoundsSelection::All).expect("points");
        assert_eq!(sorted(raw(&all)), sorted(records.clone()), "format {}", layout.point_format());

        // Node by node, and each node's points within its box.
        for (key, wanted) in &nodes {
            let [x, y, z] = key.cell.map(|cell| cell as i32);
            let key = VoxelKey { l: key.level as i32, x, y, z };
            let entry = reader.hierarchy_entry(&key).expect("an entry");
            assert_eq!(entry.point_count as usize, wanted.len());
            let points = reader.read_entry(&entry).expect("points");
            assert_eq!(&raw(&points), wanted, "{key:?}");
            let info = reader.header().copc_info_vlr().expect("an info record");
            let cell = key.bounds(&info);
            for point in points.points().map(|point| point.expect("a point")) {
                let within = |value: f64, low: f64, high: f64| value > low - 1e-6 && value < high + 1e-6;
                assert!(within(point.x, cell.min.x, cell.max.x) && within(point.y, cell.min.y, cell.max.y), "{key:?}");
                assert!(within(point.z, cell.min.z, cell.max.z), "{key:?}");
            }
        }
        for entry in reader.hierarchy_entries() {
            assert!(entry.key.l == 0 || reader.hierarchy_entry(&entry.key.parent()).is_some(), "{:?} hangs in the air", entry.key);
        }
    }
}

#[test]
fn our_own_reader_takes_it_as_any_laz() {
    for layout in layouts() {
        let records = records(&layout, 5_000, 2);
        let file = write(&layout, None, &octree(&records, 300));
        let len = file.len() as u64;
        let mut source = read::las::from_source(Box::new(Cursor::new(file)), len, Path::new("made/here.copc.laz"), &Override::default())
            .expect("a file");
        assert_eq!(source.attribute_layout(), layout);
        assert_eq!(source.info().unit, Some(Unit::Metre));
        assert!(source.gps_standard_time());
        assert!(source.info().warnings.is_empty(), "{:?}", source.info().warnings);
        let (mut chunk, mut found) = (RecordChunk::default(), Vec::new());
        while source.read_records(&mut chunk, Wanted::Records, 999).expect("records") > 0 {
            for (steps, attributes) in chunk.steps.iter().zip(chunk.attribute_bytes.chunks_exact(layout.len())) {
                found.push([&steps.map(i32::to_le_bytes).concat()[..], attributes].concat());
            }
        }
        assert_eq!(sorted(found), sorted(records));
    }
}

#[test]
fn queries_by_resolution_and_place_get_their_part() {
    let layout = AttributeLayout { color: true, ..AttributeLayout::default() };
    let records = records(&layout, 60_000, 3);
    // Small nodes make many of them, in several pages of the hierarchy.
    let nodes = octree(&records, 20);
    assert!(nodes.len() > 3000, "{}", nodes.len());
    let file = write(&layout, None, &nodes);
    let mut reader = CopcReader::new(Cursor::new(&file)).expect("a COPC file");
    let root_page = u64::from_le_bytes(std::array::from_fn(|i| file[375 + 54 + 48 + i]));
    assert!(root_page < 20_000, "{root_page} bytes");
    let up_to = |level: u32| nodes.iter().filter(|(key, _)| key.level <= level).map(|(_, records)| records.len()).sum::<usize>();
    for level in 0..6 {
        // A level's spacing is that of the root, halved as often.
        let resolution = SPACING / f64::from(1 << level);
        let points = reader.query(LodSelection::Resolution(resolution), BoundsSelection::All).expect("points");
        assert_eq!(points.len(), up_to(level), "level {level}");
    }
    let low = GRID.position([CORNER[0] + 30_000, CORNER[1] + 41_000, CORNER[2]]);
    let high = GRID.position([CORNER[0] + 52_000, CORNER[1] + 47_500, CORNER[2] + 500]);
    let place = las::Bounds { min: las::Vector { x: low.x, y: low.y, z: low.z }, max: las::Vector { x: high.x, y: high.y, z: high.z } };
    let within: Vec<_> = records
        .iter()
        .filter(|record| {
            let position = GRID.position(steps(record));
            position.cmpge(low).all() && position.cmple(high).all()
        })
        .cloned()
        .collect();
    assert!(within.len() > 100);
    let found = reader.query(LodSelection::All, BoundsSelection::Within(place)).expect("points");
    assert_eq!(sorted(raw(&found)), sorted(within));
}

#[test]
fn the_head_says_what_is_there() {
    let layout = AttributeLayout { color: true, ..AttributeLayout::default() };
    let mut records = records(&layout, 3_000, 4);
    for (index, record) in records.iter_mut().enumerate() {
        // Return numbers 0 to 15, of which 0 counts for none.
        record[14] = (index % 16) as u8 | 0xf0;
    }
    let file = write(&layout, Some("EPSG:25832"), &octree(&records, 500));
    let reader = CopcReader::new(Cursor::new(&file)).expect("a COPC file");
    let header = reader.header();
    assert_eq!(header.number_of_points(), 3_000);
    for number in 1..=15_u8 {
        let wanted = records.iter().filter(|record| record[14] & 0x0f == number).count() as u64;
        assert_eq!(header.number_of_points_by_return(number), Some(wanted), "{number}");
    }
    assert_eq!(header.generating_software(), concat!("Parterre ", env!("CARGO_PKG_VERSION")));
    assert_eq!((header.guid().is_nil(), header.date()), (true, None));
    assert_eq!(header.gps_time_type(), las::GpsTimeType::Standard);
    let bounds = header.bounds();
    let positions = || records.iter().map(|record| GRID.position(steps(record)));
    let (min, max) = positions().fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(min, max), p| (min.min(p), max.max(p)));
    assert_eq!([bounds.min.x, bounds.min.y, bounds.min.z], min.to_array());
    assert_eq!([bounds.max.x, bounds.max.y, bounds.max.z], max.to_array());

    // As the COPC standard has it: the record at byte 375, 160 bytes long, what is reserved 0.
    assert_eq!(&file[375 + 2..375 + 6], b"copc");
    assert_eq!(u16::from_le_bytes([file[375 + 18], file[375 + 19]]), 1);
    assert_eq!(u16::from_le_bytes([file[375 + 20], file[375 + 21]]), 160);
    let content = &file[375 + 54..375 + 54 + 160];
    assert!(content[72..].iter().all(|&byte| byte == 0));
    let number = |at: usize| f64::from_le_bytes(std::array::from_fn(|i| content[at + i]));
    let times = records.iter().map(|record| f64::from_le_bytes(std::array::from_fn(|i| record[22 + i])));
    let (first, last) = times.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), time| (first.min(time), last.max(time)));
    assert_eq!([number(32), number(56), number(64)], [SPACING, first, last]);
    // Counts for old readers are 0 in these point formats.
    assert!(file[107..131].iter().all(|&byte| byte == 0));
    let wkt = header.get_wkt_crs_bytes().expect("WKT");
    assert!(wkt.starts_with(b"PROJCS[") && wkt.ends_with(b"\0"), "{}", String::from_utf8_lossy(wkt));
}

#[test]
fn the_same_nodes_make_the_same_bytes() {
    let layout = AttributeLayout { color: true, nir: true, extra: vec![ExtraField::undocumented(2)] };
    let nodes = octree(&records(&layout, 4_000, 5), 200);
    assert_eq!(write(&layout, None, &nodes), write(&layout, None, &nodes));
}

#[test]
fn faults_of_the_caller_are_named() {
    let layout = AttributeLayout::default();
    let encoder = NodeEncoder::new(&layout).expect("an encoder");
    for wrong in [&[][..], &[0; 29], &[0; 31]] {
        assert_eq!(encoder.encode(wrong).err().map(|error| error.code()), Some("internal"), "{} bytes", wrong.len());
    }
    let chunk = encoder.encode(&records(&layout, 3, 6).concat()).expect("a chunk");
    let mut writer = Writer::create(Cursor::new(Vec::new()), "here", header(&layout, None)).expect("a writer");
    assert!(writer.node(NodeKey { level: 1, cell: [2, 0, 0] }, 3, &chunk).is_err());
    assert!(writer.node(NodeKey::ROOT, 0, &chunk).is_err());
    assert!(writer.node(NodeKey::ROOT, 3, &[]).is_err());
    writer.node(NodeKey::ROOT, 3, &chunk).expect("a node");
    // Totals of other points.
    assert_eq!(writer.finish(&Totals::default()).err().map(|error| error.code()), Some("internal"));

    let fat = AttributeLayout { extra: vec![ExtraField::undocumented(255); 300], ..AttributeLayout::default() };
    assert_eq!(NodeEncoder::new(&fat).err().map(|error| error.code()), Some("copc_record_too_long"));
}
