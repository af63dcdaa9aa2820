//! PLY files: those of the test data against another reader's values, files made here in every encoding, and damaged ones.

#![expect(clippy::unreadable_literal, reason = "values as the other reader prints them")]
#![expect(clippy::float_cmp, reason = "numbers that went through unchanged")]

use std::io::{Cursor, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use glam::DVec3;
use parterre_model::points::{Bounds, PointChunk};
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, Result};
use parterre_read as read;
use parterre_read::{Override, PointSource};
use parterre_test_support::data::data;
use parterre_test_support::points::{codes, each_chunk};

/// Results of reading a file: points, finite points, bounds, sums of the finite coordinates, sums of their colours.
#[derive(Debug)]
struct Found {
    points: usize,
    finite: usize,
    bounds: Bounds,
    sum: DVec3,
    colors: [f64; 3],
}

fn read_all(source: &mut dyn PointSource, at_a_time: usize) -> Result<Found> {
    let mut found = Found { points: 0, finite: 0, bounds: Bounds::EMPTY, sum: DVec3::ZERO, colors: [0.0; 3] };
    each_chunk(source, at_a_time, |chunk| {
        found.points += chunk.len();
        for (index, &position) in chunk.positions.iter().enumerate().filter(|(_, position)| position.is_finite()) {
            found.finite += 1;
            found.bounds.include(position);
            found.sum += position;
            if let Some(color) = chunk.colors.get(index) {
                (0..3).for_each(|channel| found.colors[channel] += f64::from(color[channel]));
            }
        }
        true
    })?;
    assert_eq!(found.points as u64, source.info().points);
    Ok(found)
}

/// File, points, finite points, bounds, sums of coordinates and, in the file's own 8 bits, of colours, as plyfile 1.1.5 reads them.
type Expected = (&'static str, usize, usize, [f64; 3], [f64; 3], [f64; 3], [f64; 3]);

#[rustfmt::skip]
const FILES: &[Expected] = &[
    ("ply/cube_binary.ply", 8, 8, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [4.0, 4.0, 4.0], [0.0; 3]),
    ("ply/cube_binary_header_with_RN_newline.ply", 8, 8, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [4.0, 4.0, 4.0], [0.0; 3]),
    ("ply/cube_binary_starts_with_nl.ply", 8, 8, [5.967534065246582, 0.0, 0.0], [6.967534065246582, 1.0, 1.0], [51.740272521972656, 4.0, 4.0], [0.0; 3]),
    ("ply/cycloidal.ply", 21384, 21384, [0.239546000957489, -0.33862999081611633, 0.8106470108032227], [2.11454701423645, 1.5359569787979126, 1.9175610542297363], [25293.7687599957, 12604.439338912889, 25088.735232949257], [5452920.0, 5452920.0, 5452920.0]),
    ("ply/float-color.ply", 3, 3, [0.0, 0.0, 0.0], [200.0, 200.0, 0.0], [300.0, 200.0, 0.0], [0.0, 0.0, 765.0]),
    ("ply/mesh.ply", 4, 4, [1.0, 1.0, 0.0], [2.0, 2.0, 2.0], [6.0, 6.0, 2.0], [0.0; 3]),
    ("ply/office1-rgb-with-nan.ply", 307200, 254456, [-2.6454761028289795, -2.1964290142059326, 1.8329999446868896], [1.5043599605560303, 1.581246018409729, 5.363999843597412], [-46326.294224539306, -30577.450752738398, 1020420.6150166988], [41931403.0, 38790376.0, 38497635.0]),
    ("ply/office1-rgb.ply", 254456, 254456, [-2.6454761028289795, -2.1964290142059326, 1.8329999446868896], [1.5043599605560303, 1.581246018409729, 5.363999843597412], [-46326.294224539306, -30577.450752738398, 1020420.6150166988], [41931403.0, 38790376.0, 38497635.0]),
    ("ply/points.ply", 4, 4, [0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 2.0, 2.0], [765.0, 765.0, 765.0]),
    ("ply/points_ascii.ply", 5, 5, [-0.06449999660253525, 0.03597930073738098, 0.04043620079755783], [-0.06274999678134918, 0.03672889992594719, 0.042594898492097855], [-0.3179999962449074, 0.18187209963798523, 0.20903580263257027], [0.0; 3]),
    ("ply/points_ascii_with_lists.ply", 5, 5, [-0.06449999660253525, 0.03597930073738098, 0.04043620079755783], [-0.06274999678134918, 0.03672889992594719, 0.042594898492097855], [-0.3179999962449074, 0.18187209963798523, 0.20903580263257027], [0.0; 3]),
    ("ply/points_bin.ply", 5, 5, [-0.06449999660253525, 0.03597930073738098, 0.04043620079755783], [-0.06274999678134918, 0.03672889992594719, 0.042594898492097855], [-0.3179999962449074, 0.18187209963798523, 0.20903580263257027], [0.0; 3]),
    ("ply/pond.0.ply", 70051, 70051, [-1.502060055732727, 0.5713670253753662, -2.6316800117492676], [1.9764699935913086, 1.0915600061416626, 0.5099449753761292], [44422.11577393378, 58455.817561388016, -65047.56637275209], [10666689.0, 9073947.0, 7736107.0]),
    ("ply/ripple_ascii.ply", 10201, 10201, [-5.0, -5.0, -0.6664100289344788], [5.0, 5.0, 1.100000023841858], [0.0, 0.0, -2005.5810769979798], [302999.0, 1370248.0, 565336.0]),
    ("ply/ripple_bin.ply", 10201, 10201, [-5.0, -5.0, -0.6664100289344788], [5.0, 5.0, 1.100000023841858], [0.0, 0.0, -2005.5810769979798], [302999.0, 1370248.0, 565336.0]),
    ("ply/room_scan1.ply", 112586, 112586, [-13.799779891967773, -6.492819786071777, -1.3517049551010132], [15.447110176086426, 7.979565143585205, 1.7090929746627808], [26047.641804889077, 15075.899807551286, 46427.95474377833], [0.0; 3]),
    ("ply/simple_binary.ply", 3, 3, [-1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0; 3]),
    // Refused by that reader for the blank after "ply"; by the text itself.
    ("ply/simple_text.ply", 3, 3, [-1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0; 3]),
    ("ply/text_extradim.ply", 1, 1, [-2.649440050125122, -13.095499992370605, 0.006401150021702051], [-2.649440050125122, -13.095499992370605, 0.006401150021702051], [-2.649440050125122, -13.095499992370605, 0.006401150021702051], [63.0, 200.0, 64.0]),
    ("broken/suite/issue_2421.ply", 1, 1, [1.23457, 12345.6789, 1234567890.12345], [1.23457, 12345.6789, 1234567890.12345], [1.23457, 12345.6789, 1234567890.12345], [0.0; 3]),
    ("broken/suite/trimesh-points_emptyface.ply", 1024, 1024, [-138.55677795410156, -107.85254669189453, -42.19145965576172], [126.95053100585938, 101.5431900024414, 125.6260757446289], [2253.1081026233733, 4035.7919974327087, 192.6106403209269], [0.0; 3]),
];

const REFUSED: &[(&str, &str)] = &[
    ("broken/derived/ply-count-huge.ply", "ply_point_count"),
    ("broken/derived/ply-short.ply", "ply_truncated"),
    ("broken/suite/assimp-crash-30d6d0f7c529b3b66b4131700b7a4580cd7082df.ply", "ply_header"),
    ("broken/suite/assimp-empty.ply", "file_empty"),
    ("broken/suite/no_vertex.ply", "ply_no_vertices"),
    ("broken/suite/payload_JVN42386607.ply", "ply_header"),
    ("broken/suite/trimesh-empty.ply", "ply_no_vertices"),
    ("broken/suite/trimesh-ply_empty_ascii.ply", "ply_no_vertices"),
    ("broken/suite/trimesh-ply_empty_header.ply", "ply_no_vertices"),
    ("broken/suite/unsized_dims.ply", "ply_no_positions"),
    ("ply/sized_dims.ply", "ply_no_positions"),
];

#[test]
fn files_are_read_as_another_reader_reads_them() {
    let Some(data) = data() else { return };
    for &(name, points, finite, min, max, sum, colors) in FILES {
        let mut source = read::open(&data.join(name)).unwrap_or_else(|error| panic!("{error}"));
        let found = read_all(source.as_mut(), 1013).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((found.points, found.finite), (points, finite), "{name}");
        // Numbers written as text were rounded to 32 bits by the other reader where that is their type.
        let close = |a: DVec3, b: [f64; 3], slack: f64| (a - DVec3::from_array(b)).abs().max_element() <= slack;
        assert!(close(found.bounds.min, min, 1e-6) && close(found.bounds.max, max, 1e-6), "{name}: {:?}", found.bounds);
        assert!(close(found.sum, sum, 1e-7 * points as f64), "{name}: {}", found.sum);
        assert!(close(DVec3::from_array(found.colors) / 257.0, colors, 1e-9), "{name}: {:?}", found.colors);
        let again = source.rewind().and_then(|()| read_all(source.as_mut(), 100_000)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((again.points, again.bounds, again.colors), (points, found.bounds, found.colors), "{name}");
    }
    let mut odd = read::open(&data.join("broken/derived/ply-nan-inf.ply")).expect("a file with NaN");
    let found = read_all(odd.as_mut(), 2).expect("every point");
    // 1e300 fits the numbers that text is read as.
    assert_eq!((found.points, found.finite), (5, 3));
}

#[test]
fn unusable_files_are_refused_by_name() {
    let Some(data) = data() else { return };
    for &(name, code) in REFUSED {
        let result = read::open(&data.join(name)).and_then(|mut source| read_all(source.as_mut(), 1000));
        let error = result.expect_err(name);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

fn open(bytes: Vec<u8>) -> Result<Box<dyn PointSource>> {
    let len = bytes.len() as u64;
    read::from_source(Box::new(Cursor::new(bytes)), len, Path::new("made/here.ply"), &Override::default())
}

fn refusal(bytes: Vec<u8>) -> Error {
    open(bytes).and_then(|mut source| read_all(source.as_mut(), 1000).map(drop)).expect_err("a file that is refused")
}

/// A property's value as a file of that type holds it.
fn put(bytes: &mut Vec<u8>, kind: &str, value: f64, big: bool) {
    let mut own = match kind {
        "char" => (value as i8).to_le_bytes().to_vec(),
        "uchar" => (value as u8).to_le_bytes().to_vec(),
        "short" => (value as i16).to_le_bytes().to_vec(),
        "ushort" => (value as u16).to_le_bytes().to_vec(),
        "int" => (value as i32).to_le_bytes().to_vec(),
        "uint" => (value as u32).to_le_bytes().to_vec(),
        "float" => (value as f32).to_le_bytes().to_vec(),
        _ => value.to_le_bytes().to_vec(),
    };
    if big {
        own.reverse();
    }
    bytes.extend(own);
}

/// Cameras with lists, then vertices with all roles in an odd order, then faces; `with_list` puts a list into the vertices.
fn made(coding: &str, kind: &str, color: &str, with_list: bool) -> Vec<u8> {
    let list = if with_list { "property list uchar short seen_by\n" } else { "" };
    let mut bytes = format!(
        "ply\nformat {coding} 1.0\ncomment made\nelement camera 2\nproperty list uchar float pose\nproperty int id\nelement vertex 300\n\
         property {color} Blue\nproperty {kind} z\n{list}property float nx\nproperty {kind} X\nproperty uchar scalar_Classification\nproperty {color} green\n\
         property {color} red\nproperty {kind} y\nproperty ushort intensity\nproperty double GpsTime\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    )
    .into_bytes();
    let text = coding == "ascii";
    let big = coding.contains("big");
    let mut row = |values: &[(&str, f64)]| {
        for (kind, value) in values {
            if text {
                bytes.extend(format!("{value} ").bytes());
            } else {
                put(&mut bytes, kind, *value, big);
            }
        }
        if text {
            bytes.push(b'\n');
        }
    };
    row(&[("uchar", 2.0), ("float", 0.5), ("float", 1.5), ("int", 7.0)]);
    row(&[("uchar", 0.0), ("int", 8.0)]);
    let top = if color == "float" { 1.0 } else { 255.0 };
    for i in 0..300 {
        let i_f = f64::from(i);
        let mut values = vec![(color, top), (kind, 3.0 * (i_f % 10.0))];
        if with_list {
            values.push(("uchar", f64::from(i % 3)));
            values.extend((0..i % 3).map(|_| ("short", -1.0)));
        }
        values.extend([("float", 0.25), (kind, i_f % 100.0), ("uchar", f64::from(i % 7)), (color, 0.0)]);
        values.extend([(color, if i == 0 { top } else { 0.0 }), (kind, i_f % 50.0), ("ushort", 40.0 * i_f), ("double", i_f)]);
        row(&values);
    }
    row(&[("uchar", 3.0), ("int", 0.0), ("int", 1.0), ("int", 2.0)]);
    bytes
}

#[test]
fn every_coding_and_type_gives_the_same_points() {
    for coding in ["ascii", "binary_little_endian", "binary_big_endian"] {
        for kind in ["char", "uchar", "short", "ushort", "int", "uint", "float", "double"] {
            for color in ["uchar", "ushort", "float", "int", "double"] {
                for with_list in [false, true] {
                    let what = format!("{coding}, {kind}, {color}, list {with_list}");
                    let mut source = open(made(coding, kind, color, with_list)).unwrap_or_else(|error| panic!("{what}: {error}"));
                    let info = source.info();
                    assert_eq!(info.attributes.names(), ["color", "intensity", "classification", "gps_time"], "{what}");
                    let codes = codes(&info.warnings);
                    assert!(codes.contains(&"ply_mesh_as_points") && codes.contains(&"ply_elements_skipped"), "{what}: {codes:?}");
                    assert!(!codes.contains(&"ply_trailing_bytes"), "{what}");
                    let mut chunk = PointChunk::default();
                    assert_eq!(source.read_chunk(&mut chunk, 1000).expect("all"), 300, "{what}");
                    for (i, position) in chunk.positions.iter().enumerate() {
                        assert_eq!(*position, DVec3::new((i % 100) as f64, (i % 50) as f64, 3.0 * (i % 10) as f64), "{what}");
                        assert_eq!(chunk.colors[i], [if i == 0 { u16::MAX } else { 0 }, 0, u16::MAX], "{what}");
                        assert_eq!(usize::from(chunk.intensities[i]), 40 * i, "{what}");
                        assert_eq!((chunk.classifications[i], chunk.gps_times[i]), ((i % 7) as u8, i as f64), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn text_is_read_as_programs_write_it() {
    let head = "ply\r\nformat ascii 1.0\r\nobj_info a b\r\nelement vertex 6\r\nproperty float x\r\nproperty float y\r\nproperty float z\r\nend_header\r\n";
    let rows = "1. .5 -3e2\r\n\r\n  nan NaN -nan(ind)\r\n1 2 inf\r\n1\t2\t3\r\n+1 2.5E-1 3 99\r\n-1.#IND 0 0";
    let mut source = open(format!("{head}{rows}").into_bytes()).expect("text");
    let mut chunk = PointChunk::default();
    assert_eq!(source.read_chunk(&mut chunk, 10).expect("rows"), 6);
    assert_eq!(chunk.positions[0], DVec3::new(1.0, 0.5, -300.0));
    assert!(chunk.positions[1].is_nan() && !chunk.positions[2].is_finite() && chunk.positions[5].is_nan());
    assert_eq!(chunk.positions[4], DVec3::new(1.0, 0.25, 3.0));

    for (rows, code) in [
        ("1.00 2.00 3.00\n1 2\n1 2 3\n1 2 3\n1 2 3\n1 2 3\n", "ply_row"),
        ("1 2 3\n1 2 x\n1 2 3\n1 2 3\n1 2 3\n1 2 3\n", "ply_row"),
        ("1 2 3\n1 2 3\n1.00000 2.0000 3.0000000000000\n1 2 3\n1 2 3", "ply_truncated"),
        ("1 2 3\n", "ply_truncated"),
    ] {
        let error = refusal(format!("{head}{rows}").into_bytes());
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn truncated_files_are_refused_and_longer_ones_reported() {
    for (coding, with_list) in [("binary_little_endian", false), ("binary_big_endian", true), ("ascii", true)] {
        let whole = made(coding, "float", "uchar", with_list);
        let points = whole.len() - whole.windows(11).position(|at| at == b"end_header\n").expect("a header") - 11;
        for keep in [0, 1, points / 3, points / 2] {
            let error = refusal(whole[..whole.len() - points + keep].to_vec());
            let cut_text = coding == "ascii" && error.code() == "ply_row";
            assert!(cut_text || error.code() == "ply_truncated", "{coding} {keep}: {error}");
        }
    }
    let mut plain =
        b"ply\nformat binary_little_endian 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
            .to_vec();
    plain.extend([0; 24 + 5]);
    let source = open(plain).expect("two points");
    assert!(source.info().warnings.iter().any(|warning| warning.code == "ply_trailing_bytes" && warning.message.contains("5 bytes")));
}

#[test]
fn impossible_lists_are_refused() {
    let head = |count: &str| {
        format!(
            "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty double x\nproperty double y\nproperty double z\nproperty list {count} double many\nend_header\n"
        )
    };
    let mut huge = head("uint").into_bytes();
    huge.extend([0; 24]);
    huge.extend(u32::MAX.to_le_bytes());
    huge.extend([0; 200]);
    assert_eq!(refusal(huge).code(), "ply_truncated");
    let mut negative = head("int").into_bytes();
    negative.extend([0; 24]);
    negative.extend((-5_i32).to_le_bytes());
    negative.extend([0; 200]);
    assert_eq!(refusal(negative).code(), "ply_row");
    let before = "ply\nformat binary_big_endian 1.0\nelement big 4000000000\nproperty uchar a\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
    assert_eq!(refusal([before.as_bytes(), &[0; 64]].concat()).code(), "ply_truncated");
    let empty = before.replace("property uchar a\n", "").replace("4000000000", "18446744073709551615");
    assert_eq!(read_all(open([empty.as_bytes(), &[0; 12]].concat()).expect("rows of nothing").as_mut(), 9).expect("one").points, 1);
}

#[test]
fn a_large_file_is_opened_by_a_few_of_its_points() {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let head = "ply\nformat binary_little_endian 1.0\nelement vertex 500000000\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n";
    file.write_all(head.as_bytes()).expect("a header");
    let len = head.len() as u64 + 500_000_000 * 15;
    // The last vertex has a colour; all before are a hole in the file.
    file.seek(SeekFrom::Start(len - 1)).and_then(|_| file.write_all(&[200])).expect("a sparse file");
    let source = read::from_source(Box::new(file), len, Path::new("sparse.ply"), &Override::default()).expect("a large file");
    assert_eq!((source.info().points, source.info().attributes.color), (500_000_000, true));
}

/// A vertex between the blocks that the sample takes of 60,000, or behind it in a text.
fn unseen(coding: &str) -> u32 {
    if coding == "ascii" { 51_000 } else { 11_000 }
}

/// 60,000 vertices of which the sample sees no colour and no intensity; one has both.
fn hidden(coding: &str, color: &str, values: [f64; 2]) -> Vec<u8> {
    let mut bytes = format!(
        "ply\nformat {coding} 1.0\nelement vertex 60000\nproperty float x\nproperty float y\nproperty float z\n\
         property {color} red\nproperty {color} green\nproperty {color} blue\nproperty ushort intensity\nend_header\n"
    )
    .into_bytes();
    for i in 0..60_000 {
        let [red, intensity] = if i == unseen(coding) { values } else { [0.0; 2] };
        let row =
            [("float", f64::from(i)), ("float", 1.0), ("float", 2.0), (color, red), (color, 0.0), (color, 0.0), ("ushort", intensity)];
        match coding {
            "ascii" => bytes.extend(row.iter().flat_map(|(_, value)| format!("{value} ").into_bytes()).chain([b'\n'])),
            _ => row.iter().for_each(|(kind, value)| put(&mut bytes, kind, *value, false)),
        }
    }
    bytes
}

#[test]
fn what_a_sample_does_not_decide_all_points_decide() {
    let codes = |source: &dyn PointSource| codes(&source.info().warnings);
    for coding in ["ascii", "binary_little_endian"] {
        for (color, wanted) in [("uchar", Wanted::Positions), ("ushort", Wanted::Records), ("float", Wanted::Positions)] {
            let mut source = open(hidden(coding, color, [200.0, 7.0])).expect("a file");
            assert!(!source.info().attributes.color && !source.info().attributes.intensity && !source.attribute_layout().color);
            assert!(codes(source.as_ref()).contains(&"color_empty") && codes(source.as_ref()).contains(&"intensity_empty"));
            let mut chunk = RecordChunk::default();
            let mut first = 0;
            while source.read_records(&mut chunk, wanted, 7_000).expect("points") > 0 {
                // The layout holds for the whole pass.
                assert_eq!(chunk.attribute_bytes.len(), if wanted == Wanted::Records { chunk.positions.len() * 18 } else { 0 });
                first += chunk.positions.len();
            }
            assert_eq!(first, 60_000);
            assert!(
                source.info().attributes.color && source.info().attributes.intensity && source.attribute_layout().color,
                "{coding} {color}"
            );
            assert!(!codes(source.as_ref()).iter().any(|code| code.ends_with("_empty")), "{:?}", codes(source.as_ref()));
            for _ in 0..2 {
                source.rewind().expect("the first vertex again");
                let mut at = 0;
                while source.read_records(&mut chunk, Wanted::Records, 7_000).expect("points") > 0 {
                    for (position, tail) in chunk.positions.iter().zip(chunk.attribute_bytes.chunks_exact(24)) {
                        let (red, intensity) = (u16::from_le_bytes([tail[18], tail[19]]), u16::from_le_bytes([tail[0], tail[1]]));
                        assert_eq!(
                            (red, intensity),
                            if position.x == f64::from(unseen(coding)) { (200 * 257, 7) } else { (0, 0) },
                            "{coding} {color}"
                        );
                        at += 1;
                    }
                }
                assert_eq!(at, 60_000);
            }
            assert!(source.warnings().is_empty(), "{:?}", source.warnings());
        }
        let mut empty = open(hidden(coding, "uchar", [0.0; 2])).expect("a file");
        assert_eq!(read_all(empty.as_mut(), 10_000).expect("points").points, 60_000);
        assert!(!empty.info().attributes.color && codes(empty.as_ref()).contains(&"color_empty"));
    }
    // Colours that look narrow in the sample and are not.
    let mut deep = hidden("ascii", "ushort", [60_000.0, 7.0]);
    let row = deep.windows(9).position(|bytes| bytes == b"\n1 1 2 0 ").expect("the second vertex");
    deep[row + 7] = b'9';
    let mut source = open(deep).expect("a file");
    let mut chunk = PointChunk::default();
    while source.read_chunk(&mut chunk, 10_000).expect("points") > 0 {}
    assert!(source.warnings().iter().any(|warning| warning.code == "color_depth_mixed"));
    source.rewind().expect("the first vertex again");
    assert_eq!(source.read_chunk(&mut chunk, 60_000).expect("points"), 60_000);
    assert_eq!((chunk.colors[1][0], chunk.colors[51_000][0]), (9, 60_000));
    assert!(source.warnings().is_empty());
}

#[test]
fn coordinates_are_shown_with_the_digits_of_their_type() {
    // 16,777,217 is the first whole number that a 32-bit float does not hold.
    for (kinds, expected) in [
        (["int"; 3], "16777217 -16777217 3"),
        (["int", "int", "float"], "16777217 -16777217 3"),
        (["double"; 3], "16777217 -16777217 3"),
        (["float"; 3], "16777216 -16777216 3"),
    ] {
        let properties: String =
            kinds.iter().zip(["x", "y", "z"]).map(|(kind, name)| format!("property {kind} {name}\n")).collect::<Vec<_>>().concat();
        let mut bytes = format!("ply\nformat binary_little_endian 1.0\nelement vertex 1\n{properties}end_header\n").into_bytes();
        kinds.iter().zip([16_777_217.0, -16_777_217.0, 3.0]).for_each(|(kind, value)| put(&mut bytes, kind, value, false));
        let mut source = open(bytes).unwrap_or_else(|error| panic!("{error}"));
        let mut chunk = PointChunk::default();
        source.read_chunk(&mut chunk, 10).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(source.precision().position(chunk.positions[0]), expected, "{kinds:?}");
    }
}
