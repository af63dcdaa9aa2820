//! The clock that the points file names for GPS times: that of all sources that have times, and of no others.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::float_cmp, reason = "times that went through unchanged")]

use std::path::{Path, PathBuf};

use parterre_model::points::PointChunk;
use parterre_read as read;
use parterre_read::Override;
use parterre_test_support::codes::code_of;
use parterre_test_support::e57_files;
use parterre_tiler as tiler;
use parterre_tiler::Options;

const POINTS: u16 = 40;

/// A LAS 1.2 of point format 1, or of 0, which has no times.
fn las(with_times: bool, standard: bool) -> Vec<u8> {
    let record = if with_times { 28_u16 } else { 20 };
    let mut bytes = vec![0; 227];
    bytes[..4].copy_from_slice(b"LASF");
    bytes[6] = u8::from(standard);
    bytes[24..26].copy_from_slice(&[1, 2]);
    bytes[94..96].copy_from_slice(&227_u16.to_le_bytes());
    bytes[96..100].copy_from_slice(&227_u32.to_le_bytes());
    bytes[104] = u8::from(with_times);
    bytes[105..107].copy_from_slice(&record.to_le_bytes());
    bytes[107..111].copy_from_slice(&u32::from(POINTS).to_le_bytes());
    for axis in 0..3 {
        bytes[131 + 8 * axis..139 + 8 * axis].copy_from_slice(&0.001_f64.to_le_bytes());
        bytes[179 + 16 * axis..187 + 16 * axis].copy_from_slice(&40.0_f64.to_le_bytes());
    }
    for n in 0..i32::from(POINTS) {
        (0..3).for_each(|axis| bytes.extend((n * (axis + 1) * 300).to_le_bytes()));
        bytes.extend([0; 8]);
        if with_times {
            bytes.extend((123_456.0 + f64::from(n)).to_le_bytes());
        }
    }
    bytes
}

/// An E57 with a scan for each start, of which its points' times count.
fn e57(starts: &[Option<f64>]) -> Vec<u8> {
    let axis = |factor: f32| e57_files::floats(&(0..POINTS).map(|n| f32::from(n) * factor).collect::<Vec<_>>());
    let times: Vec<u8> = (0..POINTS).flat_map(|n| f64::from(n).to_le_bytes()).collect();
    let prototype = format!("{}<timeStamp type=\"Float\"/>", e57_files::FLOATS);
    let scans: String = starts
        .iter()
        .map(|start| {
            let start = start.map_or(String::new(), |start| {
                format!("<acquisitionStart type=\"Structure\"><dateTimeValue type=\"Float\">{start}</dateTimeValue></acquisitionStart>")
            });
            e57_files::scan(u64::from(POINTS), &prototype, &start)
        })
        .collect();
    let section = e57_files::section(&[e57_files::packet(&[&axis(0.3), &axis(0.6), &axis(0.9), &times])]);
    e57_files::file(&section, &e57_files::root(&format!("<data3D type=\"Vector\">{scans}</data3D>")))
}

/// Whether the points file made of the sources says standard time, its GPS times from first to last, and the report's codes.
fn tiled(files: &[Vec<u8>]) -> (bool, [f64; 2], Vec<&'static str>) {
    let dir = tempfile::tempdir().unwrap();
    let write = |(index, bytes): (usize, &Vec<u8>)| -> PathBuf {
        let path = dir.path().join(format!("source-{index}"));
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let paths: Vec<PathBuf> = files.iter().enumerate().map(write).collect();
    let overrides = Override::parse(None, Some("metre"), None).unwrap();
    let mut sources = read::open_all(&paths, &overrides).unwrap();
    let out = dir.path().join("out");
    let report = tiler::tile(&mut sources, &out, &Options::default(), &|_| ()).unwrap();
    let (standard, times) = times(&out.join("points.copc.laz"));
    (standard, times, report.warnings.iter().map(code_of).collect())
}

fn times(copc: &Path) -> (bool, [f64; 2]) {
    let mut source = read::open(copc).unwrap();
    let mut chunk = PointChunk::default();
    source.read_chunk(&mut chunk, 10_000).unwrap();
    let times = chunk.gps_times.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[min, max], &time| [min.min(time), max.max(time)]);
    (source.gps_standard_time(), times)
}

#[test]
fn sources_without_times_are_not_counted() {
    let (standard, _, codes) = tiled(&[las(true, true), las(false, false)]);
    assert!(standard && !codes.contains(&"gps_time_mixed"), "{codes:?}");
    let (standard, [first, last], codes) = tiled(&[las(false, true), las(true, false)]);
    assert!(!standard && !codes.contains(&"gps_time_mixed"), "{codes:?}");
    assert_eq!([first, last], [0.0, 123_456.0 + 39.0]);
}

#[test]
fn mixed_clocks_give_a_warning() {
    let (standard, _, codes) = tiled(&[las(true, true), las(true, false)]);
    assert!(!standard && codes.contains(&"gps_time_mixed"), "{codes:?}");
}

#[test]
fn times_of_an_e57_become_standard_time() {
    let (standard, times, codes) = tiled(&[e57(&[Some(1.3e9), Some(1.3e9 + 500.0)])]);
    assert_eq!((standard, times), (true, [3e8, 3e8 + 539.0]));
    assert!(!codes.contains(&"gps_time_mixed"));
    let (standard, times, _) = tiled(&[e57(&[None])]);
    assert_eq!((standard, times), (false, [0.0, 39.0]));
    let (standard, times, codes) = tiled(&[e57(&[Some(1.3e9), None])]);
    assert_eq!((standard, times), (false, [0.0, 1.3e9 + 39.0]));
    assert!(codes.contains(&"gps_time_mixed"));
    assert!(tiled(&[e57(&[Some(1.3e9)]), las(true, true)]).0);
}
