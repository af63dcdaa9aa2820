//! E57 files made in memory, byte by byte or by another library's writer, for tests of the reader.

use std::io::Cursor;
use std::path::Path;

use e57::{E57Writer, Quaternion, Record, RecordDataType, RecordName, RecordValue, Transform, Translation};
use parterre_model::Error;
use parterre_read::{Override, PointSource, e57 as reader};

/// Bytes of a page with its checksum.
pub const PAGE: usize = 1024;

/// The bitwise definition of the checksum.
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 })
    })
}

/// Makes every page's checksum right again.
pub fn reseal(file: &mut [u8]) {
    for page in file.chunks_exact_mut(PAGE) {
        let sum = crc32c(&page[..PAGE - 4]);
        page[PAGE - 4..].copy_from_slice(&sum.to_be_bytes());
    }
}

/// The physical offset of a logical one.
pub fn physical(logical: usize) -> usize {
    logical / (PAGE - 4) * PAGE + logical % (PAGE - 4)
}

/// A file of the given data, which begin at byte 48, and XML.
pub fn file(data: &[u8], xml: &str) -> Vec<u8> {
    let mut logical = vec![0; 48];
    logical.extend_from_slice(data);
    let xml_at = physical(logical.len());
    logical.extend_from_slice(xml.as_bytes());
    logical.resize(logical.len().next_multiple_of(PAGE - 4), 0);
    let len = logical.len() / (PAGE - 4) * PAGE;
    logical[..8].copy_from_slice(b"ASTM-E57");
    logical[8..12].copy_from_slice(&1_u32.to_le_bytes());
    for (at, value) in [(16, len), (24, xml_at), (32, xml.len()), (40, PAGE)] {
        logical[at..at + 8].copy_from_slice(&(value as u64).to_le_bytes());
    }
    let mut file: Vec<u8> = logical.chunks(PAGE - 4).flat_map(|data| [data, &[0; 4]].concat()).collect();
    reseal(&mut file);
    file
}

/// A section of points that begins at byte 48, of the given packets.
pub fn section(packets: &[Vec<u8>]) -> Vec<u8> {
    let data = packets.concat();
    let mut section = vec![0; 32];
    section[0] = 1;
    section[8..16].copy_from_slice(&(32 + data.len() as u64).to_le_bytes());
    section[16..24].copy_from_slice(&80_u64.to_le_bytes());
    [section, data].concat()
}

/// A packet of data with the given streams.
pub fn packet(streams: &[&[u8]]) -> Vec<u8> {
    let mut packet = vec![1, 0, 0, 0];
    packet.extend_from_slice(&(streams.len() as u16).to_le_bytes());
    packet.extend(streams.iter().flat_map(|stream| (stream.len() as u16).to_le_bytes()));
    packet.extend(streams.concat());
    packet.resize(packet.len().next_multiple_of(4), 0);
    let len = packet.len() as u16 - 1;
    packet[2..4].copy_from_slice(&len.to_le_bytes());
    packet
}

/// A document with one scan whose section begins at byte 48.
pub fn document(points: u64, prototype: &str, more: &str) -> String {
    root(&format!("<data3D type=\"Vector\">{}</data3D>", scan(points, prototype, more)))
}

/// A scan whose points section begins at byte 48.
pub fn scan(points: u64, prototype: &str, more: &str) -> String {
    format!(
        "<vectorChild type=\"Structure\">{more}<points type=\"CompressedVector\" fileOffset=\"48\" recordCount=\"{points}\">\
         <prototype type=\"Structure\">{prototype}</prototype></points></vectorChild>"
    )
}

/// A whole XML document around `content`.
pub fn root(content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<e57Root type=\"Structure\" xmlns=\"http://www.astm.org/COMMIT/E57/2010-e57-v1.0\">{content}</e57Root>"
    )
}

/// The prototype of x, y and z as 32-bit floats.
pub const FLOATS: &str = "<cartesianX type=\"Float\" precision=\"single\"/><cartesianY type=\"Float\" precision=\"single\"/><cartesianZ type=\"Float\" precision=\"single\"/>";

/// Values as a byte stream.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A file with one packet of points at (n, 2n, 3n), and the given parts of the scan.
pub fn simple(points: u16, more: &str) -> Vec<u8> {
    let axis = |factor: f32| floats(&(0..points).map(|n| f32::from(n) * factor).collect::<Vec<_>>());
    file(&section(&[packet(&[&axis(1.0), &axis(2.0), &axis(3.0)])]), &document(u64::from(points), FLOATS, more))
}

/// Opens a file in memory.
pub fn open(file: Vec<u8>) -> Result<Box<dyn PointSource>, Error> {
    let len = file.len() as u64;
    reader::from_source(Box::new(Cursor::new(file)), len, Path::new("test.e57"), &Override::default())
}

/// A pose from a quaternion (w, x, y, z) and a translation.
pub fn pose(rotation: [f64; 4], translation: [f64; 3]) -> Transform {
    let [w, x, y, z] = rotation;
    let rotation = Quaternion { w, x, y, z };
    let [x, y, z] = translation;
    Transform { rotation, translation: Translation { x, y, z } }
}

/// A field of a prototype.
pub fn record(name: RecordName, data_type: RecordDataType) -> Record {
    Record { name, data_type }
}

/// A file by the other library: two scans of all kinds of fields, `points` points each.
///
/// # Panics
/// Where the library cannot write it.
pub fn varied(points: i64) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = E57Writer::new(&mut bytes, "file").expect("a writer");
    writer.set_coordinate_metadata(Some("EPSG:25832".to_owned()));
    let prototype = vec![
        Record::CARTESIAN_X_F64,
        Record::CARTESIAN_Y_F32,
        record(RecordName::CartesianZ, RecordDataType::ScaledInteger { min: -100_000, max: 2_000_000, scale: 0.001, offset: 2.0 }),
        Record::CARTESIAN_INVALID_STATE,
        record(RecordName::Intensity, RecordDataType::Integer { min: -2048, max: 2047 }),
        record(RecordName::IsIntensityInvalid, RecordDataType::Integer { min: 0, max: 1 }),
        Record::COLOR_RED_U8,
        Record::COLOR_GREEN_U8,
        Record::COLOR_BLUE_U8,
        record(RecordName::IsColorInvalid, RecordDataType::Integer { min: 0, max: 1 }),
        record(RecordName::ReturnIndex, RecordDataType::Integer { min: 0, max: 6 }),
        record(RecordName::ReturnCount, RecordDataType::Integer { min: 1, max: 7 }),
        record(RecordName::TimeStamp, RecordDataType::F64),
    ];
    let mut scan = writer.add_pointcloud("one", prototype).expect("a scan");
    scan.set_name(Some("Gallery <1> & \"2\"".to_owned()));
    scan.set_transform(Some(pose([0.5_f64.sqrt(), 0.0, 0.0, 0.5_f64.sqrt()], [100.0, 200.0, 5.0])));
    for n in 0..points {
        let values = vec![
            RecordValue::Double(n as f64),
            RecordValue::Single(n as f32 * 0.5),
            RecordValue::ScaledInteger(n * 3),
            RecordValue::Integer(if n % 10 == 3 { 1 + n / 10 % 2 } else { 0 }),
            RecordValue::Integer(n % 4096 - 2048),
            RecordValue::Integer(i64::from(n % 10 == 7)),
            RecordValue::Integer(n % 256),
            RecordValue::Integer(255 - n % 256),
            RecordValue::Integer(128),
            RecordValue::Integer(i64::from(n % 10 == 5)),
            RecordValue::Integer(n % 3),
            RecordValue::Integer(3),
            RecordValue::Double(1000.0 + n as f64),
        ];
        scan.add_point(values).expect("a point");
    }
    scan.finalize().expect("a scan");
    let prototype = vec![
        Record::SPHERICAL_RANGE_F64,
        Record::SPHERICAL_AZIMUTH_F64,
        Record::SPHERICAL_ELEVATION_F64,
        Record::SPHERICAL_INVALID_STATE,
        record(RecordName::RowIndex, RecordDataType::Integer { min: 0, max: 1023 }),
        record(RecordName::ColumnIndex, RecordDataType::Integer { min: 7, max: 7 }),
    ];
    let mut scan = writer.add_pointcloud("two", prototype).expect("a scan");
    scan.set_name(Some("Gallery <1> & \"2\"".to_owned()));
    for n in 0..points {
        let values = vec![
            RecordValue::Double(10.0),
            RecordValue::Double(n as f64 * 0.001),
            RecordValue::Double(0.25),
            RecordValue::Integer(if n % 5 == 0 { 2 } else { 0 }),
            RecordValue::Integer(n % 1024),
            RecordValue::Integer(7),
        ];
        scan.add_point(values).expect("a point");
    }
    scan.finalize().expect("a scan");
    writer.finalize().expect("a file");
    drop(writer);
    bytes.into_inner()
}
