//! Raw point records into columns.

use glam::DVec3;

use super::header::Header;
use crate::points::{Attributes, PointChunk};

/// Where the fields lie in a record, and what the stored integers mean.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    record_len: usize,
    scale: DVec3,
    offset: DVec3,
    /// Point formats 6 to 10 have other bits and places than 0 to 5.
    modern: bool,
    gps_time: Option<usize>,
    color: Option<usize>,
    /// Attributes to decode.
    pub(super) attributes: Attributes,
    /// Colours hold 8 bits in their 16.
    pub(super) narrow_color: bool,
}

impl Layout {
    pub(super) fn new(header: &Header) -> Self {
        let (gps_time, color) = match header.point_format {
            1 | 4 => (Some(20), None),
            2 => (None, Some(20)),
            3 | 5 => (Some(20), Some(28)),
            6 | 9 => (Some(22), None),
            7 | 8 | 10 => (Some(22), Some(30)),
            _ => (None, None),
        };
        Self {
            record_len: header.record_len,
            scale: header.scale,
            offset: header.offset,
            modern: header.point_format >= 6,
            gps_time,
            color,
            attributes: Attributes {
                color: color.is_some(),
                intensity: true,
                classification: true,
                returns: true,
                gps_time: gps_time.is_some(),
            },
            narrow_color: false,
        }
    }

    /// Appends the records to the columns of the wanted attributes. Returns how many colours did not fit into 8 bits
    /// although [`Layout::narrow_color`] is set; they are clamped.
    pub(super) fn decode(&self, records: &[u8], chunk: &mut PointChunk) -> u64 {
        let records = || records.chunks_exact(self.record_len);
        let (scale, offset) = (self.scale, self.offset);
        chunk.positions.extend(records().map(|record| {
            let stored = DVec3::new(f64::from(i32_at(record, 0)), f64::from(i32_at(record, 4)), f64::from(i32_at(record, 8)));
            stored * scale + offset
        }));
        if self.attributes.intensity {
            chunk.intensities.extend(records().map(|record| u16_at(record, 12)));
        }
        if self.attributes.classification {
            if self.modern {
                chunk.classifications.extend(records().map(|record| record[16]));
            } else {
                // The high three bits are flags.
                chunk.classifications.extend(records().map(|record| record[15] & 0x1f));
            }
        }
        if self.attributes.returns {
            if self.modern {
                chunk.returns.extend(records().map(|record| record[14]));
            } else {
                chunk.returns.extend(records().map(|record| (record[14] & 0x07) | ((record[14] & 0x38) << 1)));
            }
        }
        if let (true, Some(at)) = (self.attributes.gps_time, self.gps_time) {
            chunk.gps_times.extend(records().map(|record| f64::from_le_bytes(std::array::from_fn(|i| record[at + i]))));
        }
        let mut clamped = 0;
        if let (true, Some(at)) = (self.attributes.color, self.color) {
            let stored = records().map(|record| [u16_at(record, at), u16_at(record, at + 2), u16_at(record, at + 4)]);
            if self.narrow_color {
                chunk.colors.extend(stored.map(|color| {
                    clamped += u64::from(color.iter().any(|&value| value > 255));
                    // 255 becomes 65,535.
                    color.map(|value| value.min(255) * 257)
                }));
            } else {
                chunk.colors.extend(stored);
            }
        }
        clamped
    }
}

fn u16_at(record: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([record[at], record[at + 1]])
}

fn i32_at(record: &[u8], at: usize) -> i32 {
    i32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
}
