//! Which axis points up, of large files in the order of an instrument: column by column, so that the first points of a file are a narrow sector.

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use e57::{E57Writer, Record, RecordValue};
use glam::{DVec3, dvec3};
use parterre_read as read;
use parterre_read::Override;

/// A hall 15 m high whose walls are 8 m from the scanner: upright, and as high as it is wide.
const TALL: DVec3 = dvec3(16.0, 16.0, 15.0);
/// One that is clearly wider than high.
const WIDE: DVec3 = dvec3(40.0, 26.0, 9.0);
const TRIPOD_M: f64 = 1.6;
/// The lowest elevation of the instrument, degrees.
const LOWEST: f64 = -62.0;

/// What an instrument in the middle of a hall measures, in its order, of `columns` with `rows` each.
fn hall(size: DVec3, columns: u32, rows: u32) -> impl Iterator<Item = DVec3> {
    (0..columns).flat_map(move |column| {
        let azimuth = TAU * f64::from(column) / f64::from(columns);
        (0..rows).map(move |row| {
            let elevation = (LOWEST + (90.0 - LOWEST) * (f64::from(row) + 0.5) / f64::from(rows)).to_radians();
            let ray = dvec3(elevation.cos() * azimuth.cos(), elevation.cos() * azimuth.sin(), elevation.sin());
            let high = if ray.z > 0.0 { size.z - TRIPOD_M } else { TRIPOD_M };
            let walls = dvec3(0.5 * size.x, 0.5 * size.y, high) / ray.abs();
            let noise = 0.002 * f64::from((column * 7 + row * 13) % 5);
            ray * (walls.min_element() + noise)
        })
    })
}

/// The vertical becomes Y.
fn on_its_side(point: DVec3) -> DVec3 {
    dvec3(point.x, point.z, -point.y)
}

/// A file of one scan.
fn e57(points: impl Iterator<Item = DVec3>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = E57Writer::new(&mut bytes, "hall").expect("a writer");
    let prototype = vec![Record::CARTESIAN_X_F32, Record::CARTESIAN_Y_F32, Record::CARTESIAN_Z_F32];
    let mut scan = writer.add_pointcloud("one", prototype).expect("a scan");
    for point in points {
        scan.add_point(point.to_array().map(|value| RecordValue::Single(value as f32)).to_vec()).expect("a point");
    }
    scan.finalize().expect("a scan");
    writer.finalize().expect("a file");
    drop(writer);
    bytes.into_inner()
}

fn text_ply(points: impl Iterator<Item = DVec3>, faces: bool) -> Vec<u8> {
    let (mut rows, mut count) = (String::new(), 0_u32);
    for point in points {
        let _ = writeln!(rows, "{:.3} {:.3} {:.3}", point.x, point.y, point.z);
        count += 1;
    }
    let mut header = format!("ply\nformat ascii 1.0\nelement vertex {count}\nproperty float x\nproperty float y\nproperty float z\n");
    if faces {
        let _ = writeln!(header, "element face {count}\nproperty list uchar int vertex_indices");
        rows.extend((0..count).map(|index| format!("3 {index} {index} 0\n")));
    }
    format!("{header}end_header\n{rows}").into_bytes()
}

/// The message of `axis_suspect`; the file is then read from its first point on, whatever the sample was.
fn doubt(bytes: Vec<u8>) -> Option<String> {
    let len = bytes.len() as u64;
    let source = read::from_source(Box::new(Cursor::new(bytes)), len, Path::new("order"), &Override::default());
    let mut source = source.unwrap_or_else(|error| panic!("{error}"));
    let mut chunk = parterre_model::points::PointChunk::default();
    let mut total = 0;
    while source.read_chunk(&mut chunk, 65_536).unwrap_or_else(|error| panic!("{error}")) > 0 {
        total += chunk.len() as u64;
    }
    assert_eq!(total, source.info().points);
    source.info().warnings.iter().find(|warning| warning.code == "axis_suspect").map(|warning| warning.message.clone())
}

#[test]
fn a_large_e57_in_scanner_order_is_sampled_all_over() {
    // The first 400,000 points are 36 degrees.
    assert_eq!(doubt(e57(hall(TALL, 2000, 2000))), None);
    assert_eq!(doubt(e57(hall(WIDE, 2000, 1000))), None);
    let message = doubt(e57(hall(WIDE, 2000, 1000).map(on_its_side)));
    assert!(message.as_ref().is_some_and(|message| message.starts_with("Y seems")), "{message:?}");
}

#[test]
fn a_large_text_in_scanner_order_is_sampled_all_over() {
    // The first 50,000 points are 36 degrees.
    for faces in [false, true] {
        assert_eq!(doubt(text_ply(hall(TALL, 1000, 500), faces)), None);
        let message = doubt(text_ply(hall(WIDE, 1000, 500).map(on_its_side), faces));
        assert!(message.as_ref().is_some_and(|message| message.starts_with("Y seems")), "{message:?}");
    }
}
