//! Decoding raw point records into columns.

use super::header::Header;
use parterre_model::points::{Attributes, PointChunk};
use parterre_model::record::{ExtraField, Grid};

/// Offsets of the fields in a record, and the scale of its coordinates.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) record_len: usize,
    pub(super) grid: Grid,
    /// Whether the point format is 6 to 10, whose flags and offsets differ from those of 0 to 5.
    pub(super) extended: bool,
    pub(super) gps_time: Option<usize>,
    pub(super) color: Option<usize>,
    pub(super) nir: Option<usize>,
    /// Where the extra bytes begin, and what they are.
    pub(super) extra_at: usize,
    pub(super) extra: Vec<ExtraField>,
    /// Attributes to decode.
    pub(super) attributes: Attributes,
    /// Whether the 16-bit fields of colours have 8-bit values.
    pub(super) narrow_color: bool,
    /// Whether the attribute bytes have colours.
    pub(super) attribute_color: bool,
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
        let nir = matches!(header.point_format, 8 | 10).then_some(36);
        Self {
            record_len: header.record_len,
            grid: Grid { scale: header.scale, offset: header.offset },
            extended: header.point_format >= 6,
            gps_time,
            color,
            nir,
            extra_at: header.standard_len(),
            extra: Vec::new(),
            attributes: Attributes {
                color: color.is_some(),
                intensity: true,
                classification: true,
                returns: true,
                gps_time: gps_time.is_some(),
            },
            narrow_color: false,
            attribute_color: color.is_some(),
        }
    }

    /// Appends the records to the columns of the wanted attributes. Returns how many colours did not fit into 8 bits
    /// although [`Layout::narrow_color`] is set; they are clamped.
    pub(super) fn decode(&self, records: &[u8], chunk: &mut PointChunk) -> u64 {
        let records = || records.chunks_exact(self.record_len);
        chunk.positions.extend(records().map(|record| self.grid.position(steps_at(record))));
        if self.attributes.intensity {
            chunk.intensities.extend(records().map(|record| u16_at(record, 12)));
        }
        if self.attributes.classification {
            if self.extended {
                chunk.classifications.extend(records().map(|record| record[16]));
            } else {
                // The high three bits are flags.
                chunk.classifications.extend(records().map(|record| record[15] & 0x1f));
            }
        }
        if self.attributes.returns {
            if self.extended {
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

/// The steps on three axes, with which every record begins.
#[inline]
pub(super) fn steps_at(record: &[u8]) -> [i32; 3] {
    [i32_at(record, 0), i32_at(record, 4), i32_at(record, 8)]
}

pub(super) fn u16_at(record: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([record[at], record[at + 1]])
}

fn i32_at(record: &[u8], at: usize) -> i32 {
    i32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
}
