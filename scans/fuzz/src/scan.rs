//! Scan files.

use glam::DVec3;
use parterre_model::points::PointChunk;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_read::{Override, PointSource};

use super::common::{check_error, open};

/// Most points that are read. Damaged counts announce many more, all of which are decoded alike.
const MAX_POINTS: usize = 1_500;
/// Points read at a time: few, so that small files have several chunks. No divisor of usual numbers of points.
const CHUNK: usize = 67;

/// A scan file of any format: opened, read twice in two ways, then its pictures.
pub fn scan(bytes: &[u8]) {
    let Some(mut source) = open(bytes, &Override::default()) else { return };
    let info = source.info().clone();
    let mut chunk = PointChunk::default();
    let mut positions: Vec<DVec3> = Vec::new();
    let whole = loop {
        match source.read_chunk(&mut chunk, CHUNK) {
            Ok(count) => {
                assert!(count <= CHUNK && count == chunk.len(), "{count} points in a chunk of {}", chunk.len());
                let columns = [
                    (info.attributes.color, chunk.colors.len()),
                    (info.attributes.intensity, chunk.intensities.len()),
                    (info.attributes.classification, chunk.classifications.len()),
                    (info.attributes.returns, chunk.returns.len()),
                    (info.attributes.gps_time, chunk.gps_times.len()),
                ];
                for (present, len) in columns {
                    assert_eq!(len, if present { count } else { 0 });
                }
                positions.extend_from_slice(&chunk.positions);
                if count == 0 || positions.len() > MAX_POINTS {
                    break count == 0;
                }
            }
            Err(error) => {
                check_error(&error);
                break false;
            }
        }
    };
    if whole {
        assert!(positions.len() as u64 <= info.points, "{} points where {} are announced", positions.len(), info.points);
    }
    read_records_again(source.as_mut(), &positions, whole);
    for index in 0..info.images.len().min(4) {
        if let Err(error) = source.read_image(index) {
            check_error(&error);
        }
    }
}

/// An E57 file as it is, and with correct checksums: otherwise the check of these would refuse almost all inputs.
pub fn e57(bytes: &[u8]) {
    scan(bytes);
    let mut resealed = bytes.to_vec();
    for page in resealed.chunks_exact_mut(1024) {
        let (data, sum) = page.split_at_mut(1020);
        sum.copy_from_slice(&crc32c(data).to_be_bytes());
    }
    if resealed != bytes {
        scan(&resealed);
    }
}

/// CRC-32 with Castagnoli's polynomial, a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0x82F6_3B78 } else { sum >> 1 })
    })
}

/// A second pass gives the same positions as the first one, as far as that went, and records of the declared length.
fn read_records_again(source: &mut dyn PointSource, positions: &[DVec3], whole: bool) {
    if let Err(error) = source.rewind() {
        return check_error(&error);
    }
    let mut records = RecordChunk::default();
    let mut done = 0;
    loop {
        let count = match source.read_records(&mut records, Wanted::Records, CHUNK) {
            Ok(count) => count,
            // Records have fields that columns lack: damage of these is found here.
            Err(error) => return check_error(&error),
        };
        assert_eq!(count, records.positions.len());
        assert_eq!(records.attribute_bytes.len(), count * source.attribute_layout().len());
        assert!(records.steps.is_empty() || records.steps.len() == count);
        let bits = |position: &DVec3| position.to_array().map(f64::to_bits);
        let known = positions.len().saturating_sub(done).min(count);
        if known > 0 {
            assert!(positions[done..done + known].iter().map(bits).eq(records.positions[..known].iter().map(bits)));
        }
        done += count;
        if count == 0 || done > MAX_POINTS {
            break;
        }
    }
    if whole {
        assert_eq!(done, positions.len());
    }
}
