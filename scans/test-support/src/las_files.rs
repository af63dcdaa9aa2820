//! LAS and LAZ files made in memory, for tests of the reader.

use std::io::Cursor;
use std::path::Path;

use parterre_model::Error;
use parterre_read::{Override, PointSource, las as reader};

/// Name of the files in messages.
pub const NAME: &str = "made/here.las";

/// A LAS 1.2 file of `points` points of format 3, written byte by byte.
pub fn las(points: u32) -> Vec<u8> {
    let mut file = vec![0_u8; 227];
    file[..4].copy_from_slice(b"LASF");
    (file[24], file[25]) = (1, 2);
    put(&mut file, 94, &227_u16.to_le_bytes());
    put(&mut file, 96, &227_u32.to_le_bytes());
    file[104] = 3;
    put(&mut file, 105, &34_u16.to_le_bytes());
    put(&mut file, 107, &points.to_le_bytes());
    for axis in 0..3 {
        put(&mut file, 131 + 8 * axis, &0.001_f64.to_le_bytes());
        put(&mut file, 155 + 8 * axis, &(1000.0 * axis as f64).to_le_bytes());
        put(&mut file, 179 + 16 * axis, &5000.0_f64.to_le_bytes());
    }
    for i in 0..points as i32 {
        let mut record = [0_u8; 34];
        for axis in 0..3 {
            put(&mut record, 4 * axis, &(i * 10 + axis as i32).to_le_bytes());
        }
        put(&mut record, 12, &(i as u16 + 1).to_le_bytes());
        record[14] = 0b0001_1010;
        record[15] = 0b1110_0110;
        put(&mut record, 20, &(f64::from(i) * 0.5).to_le_bytes());
        put(&mut record, 28, &[10, 0, 20, 0, 255, 0]);
        file.extend_from_slice(&record);
    }
    file
}

/// A LAS 1.4 file, written byte by byte: `points` points of a format from 6 on, its colours 8-bit ones but for the last.
pub fn las14(points: u32, format: u8) -> Vec<u8> {
    let len = 30 + if format > 6 { 6 } else { 0 };
    let mut file = las(0);
    file.resize(375, 0);
    (file[25], file[104]) = (4, format);
    put(&mut file, 94, &375_u16.to_le_bytes());
    put(&mut file, 96, &375_u32.to_le_bytes());
    put(&mut file, 105, &(len as u16).to_le_bytes());
    put(&mut file, 247, &u64::from(points).to_le_bytes());
    for i in 0..points as i32 {
        let mut record = vec![0_u8; len];
        put(&mut record, 0, &(i * 10).to_le_bytes());
        record[14] = 0x11;
        if format > 6 {
            put(&mut record, 30, &[if i + 1 == points as i32 { 1000_u16 } else { 200 }.to_le_bytes(), [9, 0], [8, 0]].concat());
        }
        file.extend_from_slice(&record);
    }
    file
}

/// Replaces the bytes at an offset.
pub fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A LAZ file of the given point format, by the writer of another crate.
///
/// # Panics
/// For a format that it does not know.
pub fn laz(format: u8, points: u32) -> Vec<u8> {
    let mut builder = las::Builder::from((1, 4));
    builder.point_format = las::point::Format::new(format).expect("a known format");
    builder.point_format.is_compressed = true;
    let header = builder.into_header().expect("a header");
    let mut writer = las::Writer::new(Cursor::new(Vec::new()), header).expect("a writer");
    for i in 0..points {
        let mut point = las::Point {
            x: f64::from(i) * 0.01,
            y: f64::from(i % 17),
            z: f64::from(i % 5),
            intensity: i as u16,
            return_number: 1,
            number_of_returns: 1,
            ..las::Point::default()
        };
        if header_has(format, &[1, 3, 6, 7, 8]) {
            point.gps_time = Some(f64::from(i));
        }
        if header_has(format, &[2, 3, 7, 8]) {
            point.color = Some(las::Color::new(i as u16, 300, 65_535));
        }
        if format == 8 {
            point.nir = Some(1);
        }
        writer.write_point(point).expect("a point");
    }
    writer.close().expect("a whole file");
    writer.into_inner().expect("the bytes").into_inner()
}

fn header_has(format: u8, formats: &[u8]) -> bool {
    formats.contains(&format)
}

/// Opens a file in memory.
///
/// # Errors
/// Those of the reader.
pub fn open(file: Vec<u8>) -> Result<Box<dyn PointSource>, Error> {
    let len = file.len() as u64;
    reader::from_source(Box::new(Cursor::new(file)), len, Path::new(NAME), &Override::default())
}

/// Offset of the points.
pub fn data_offset(file: &[u8]) -> usize {
    u32::from_le_bytes([file[96], file[97], file[98], file[99]]) as usize
}

/// Offset of the data of the `LASzip` record.
///
/// # Panics
/// Where the file is not compressed.
pub fn laszip_record(file: &[u8]) -> usize {
    let user = file.windows(14).position(|window| window == b"laszip encoded").expect("a LASzip record");
    user - 2 + 54
}
