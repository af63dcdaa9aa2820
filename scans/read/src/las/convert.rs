//! Converting raw records of any point format to those of point formats 6, 7 and 8 ([`parterre_model::record`]).
//!
//! Fields that formats 0 to 5 encode differently are converted to the encoding of LAS 1.4; `docs/formats.md` has the table. Extra bytes stay
//! at the end, with their descriptions.

use rayon::prelude::*;

use super::header::Header;
use super::records::{Layout, steps_at, u16_at};
use super::vlr::VariableRecords;
use parterre_model::Warning;
use parterre_model::record::{AttributeLayout, BASE_BYTES, COLOR_AT, COORDINATES_BYTES, ExtraField, RecordChunk};

/// Offset of the GPS time in the attribute bytes.
const TIME_AT: usize = 10;
/// Offset of the near infrared in the attribute bytes, where it is there.
const NIR_AT: usize = 24;
/// Points that a thread takes at a time.
const BLOCK: usize = 16_384;
/// The class of formats 0 to 5 that is a flag since LAS 1.4, and the class that such points get instead.
const OVERLAP_CLASS: u8 = 12;
const UNCLASSIFIED: u8 = 1;
const OVERLAP_FLAG: u8 = 1 << 3;

/// Numbers of values that could not be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ChangedValues {
    /// Points whose colours do not fit into 8 bits although those of the sample do; clamped.
    pub(super) colors: u64,
    /// GPS times that are not finite; set to 0.
    pub(super) times: u64,
}

impl ChangedValues {
    fn plus(self, other: Self) -> Self {
        Self { colors: self.colors + other.colors, times: self.times + other.times }
    }
}

/// The descriptions of a record's extra bytes, as far as the record has bytes for them; other bytes are kept as undocumented.
pub(super) fn extra_fields(header: &Header, vlrs: &VariableRecords, warnings: &mut Vec<Warning>) -> Vec<ExtraField> {
    let bytes = header.record_len - header.standard_len();
    let mut fields = Vec::new();
    let mut room = bytes;
    for descriptor in vlrs.extra_bytes.chunks_exact(192) {
        let field = ExtraField { descriptor: std::array::from_fn(|i| descriptor[i]) };
        if field.is_empty() || field.len() > room {
            break;
        }
        room -= field.len();
        fields.push(field);
    }
    let described = vlrs.extra_bytes.len() / 192;
    if described > fields.len() {
        warnings.push(Warning::new("las_extra_bytes_mismatch", format!(
                "the file describes {described} fields of extra bytes, which do not fit the {bytes} extra bytes of a record: {} fields are read as described, {room} bytes as undocumented",
                fields.len()
            )));
    }
    for index in 0..room.div_ceil(255) {
        let mut field = ExtraField::undocumented((room - 255 * index).min(255) as u8);
        // Readers find fields by their names, which must differ.
        let name = format!("undocumented {}", index + 1);
        field.descriptor[4..4 + name.len()].copy_from_slice(name.as_bytes());
        fields.push(field);
    }
    fields
}

impl Layout {
    /// The layout of the attribute bytes that [`Layout::decode_records`] makes.
    pub(super) fn attribute_layout(&self) -> AttributeLayout {
        let color = self.attribute_color;
        AttributeLayout { color, nir: color && self.nir.is_some(), extra: self.extra.clone() }
    }

    /// Puts raw records into `chunk` from its point `at` on, which grows as needed; other points stay.
    pub(super) fn decode_records(&self, records: &[u8], with_attributes: bool, at: usize, chunk: &mut RecordChunk) -> ChangedValues {
        let count = records.len() / self.record_len;
        let format = self.attribute_layout();
        let attributes_len = if with_attributes { format.len() } else { 0 };
        let end = at + count;
        if chunk.positions.len() < end {
            chunk.positions.resize(end, glam::DVec3::ZERO);
        }
        if chunk.steps.len() < end {
            chunk.steps.resize(end, [0; 3]);
        }
        if chunk.attribute_bytes.len() < end * attributes_len {
            chunk.attribute_bytes.resize(end * attributes_len, 0);
        }
        let raw = || records.par_chunks(BLOCK * self.record_len);
        let places = chunk.positions[at..end].par_chunks_mut(BLOCK).zip(chunk.steps[at..end].par_chunks_mut(BLOCK));
        raw().zip(places).for_each(|(records, (positions, all_steps))| {
            for (record, (position, steps)) in records.chunks_exact(self.record_len).zip(positions.iter_mut().zip(all_steps)) {
                *steps = steps_at(record);
                *position = self.grid.position(*steps);
            }
        });
        if !with_attributes {
            return ChangedValues::default();
        }
        raw()
            .zip(chunk.attribute_bytes[at * attributes_len..end * attributes_len].par_chunks_mut(BLOCK * attributes_len))
            .map(|(records, attribute_bytes)| self.convert_attributes(&format, records, attribute_bytes))
            .reduce(ChangedValues::default, ChangedValues::plus)
    }

    fn convert_attributes(&self, format: &AttributeLayout, records: &[u8], attribute_bytes: &mut [u8]) -> ChangedValues {
        let mut changed = ChangedValues::default();
        let pairs = records.chunks_exact(self.record_len).zip(attribute_bytes.chunks_exact_mut(format.len()));
        // Where the colours lie in the record, if the output has them.
        let color = self.color.filter(|_| format.color);
        let nir = self.nir.filter(|_| format.nir);
        let standard = format.standard_len();
        // Records that need no conversion.
        let same = self.extended && !self.narrow_color && self.record_len == COORDINATES_BYTES + format.len();
        for (record, point) in pairs {
            if same {
                point.copy_from_slice(&record[COORDINATES_BYTES..]);
            } else {
                if self.extended {
                    point[..BASE_BYTES].copy_from_slice(&record[COORDINATES_BYTES..COORDINATES_BYTES + BASE_BYTES]);
                } else {
                    point[..BASE_BYTES].copy_from_slice(&self.extended_base(record));
                }
                if let Some(at) = color {
                    point[COLOR_AT..COLOR_AT + 6].copy_from_slice(&record[at..at + 6]);
                    if self.narrow_color {
                        changed.colors += u64::from(widen(&mut point[COLOR_AT..COLOR_AT + 6]));
                    }
                }
                if let Some(at) = nir {
                    point[NIR_AT..NIR_AT + 2].copy_from_slice(&record[at..at + 2]);
                }
                point[standard..].copy_from_slice(&record[self.extra_at..]);
            }
            let time = f64::from_le_bytes(std::array::from_fn(|i| point[TIME_AT + i]));
            if !time.is_finite() {
                point[TIME_AT..TIME_AT + 8].fill(0);
                changed.times += 1;
            }
        }
        changed
    }

    /// The 18 bytes of a tail before its colour, from a record of format 0 to 5.
    fn extended_base(&self, record: &[u8]) -> [u8; BASE_BYTES] {
        let (returns, class) = (record[14], record[15]);
        let mut base = [0; BASE_BYTES];
        base[0..2].copy_from_slice(&record[12..14]);
        base[2] = (returns & 0x07) | ((returns & 0x38) << 1);
        // Synthetic, key point and withheld; scan direction and edge of flight line are where they were.
        base[3] = (class >> 5) | (returns & 0xc0);
        base[4] = class & 0x1f;
        if base[4] == OVERLAP_CLASS {
            base[4] = UNCLASSIFIED;
            base[3] |= OVERLAP_FLAG;
        }
        base[5] = record[17];
        base[6..8].copy_from_slice(&scan_angle(record[16] as i8).to_le_bytes());
        base[8..10].copy_from_slice(&record[18..20]);
        if let Some(at) = self.gps_time {
            base[TIME_AT..TIME_AT + 8].copy_from_slice(&record[at..at + 8]);
        }
        base
    }
}

/// Degrees as steps of 0.006 degrees.
fn scan_angle(degrees: i8) -> i16 {
    (f64::from(degrees) / 0.006).round() as i16
}

/// Scales three 8-bit values in 16-bit fields to 16 bits. Returns whether one had to be clamped.
fn widen(color: &mut [u8]) -> bool {
    let mut clamped = false;
    for channel in color.chunks_exact_mut(2) {
        let value = u16_at(channel, 0);
        clamped |= value > 255;
        channel.copy_from_slice(&(value.min(255) * 257).to_le_bytes());
    }
    clamped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_become_the_nearest_steps() {
        for degrees in i8::MIN..=i8::MAX {
            let back = f64::from(scan_angle(degrees)) * 0.006;
            assert!((back - f64::from(degrees)).abs() <= 0.003, "{degrees}: {back}");
        }
        assert_eq!([scan_angle(-90), scan_angle(0), scan_angle(30)], [-15_000, 0, 5_000]);
    }

    #[test]
    fn narrow_colours_reach_white() {
        let mut color = [255, 0, 1, 0, 0, 1];
        assert!(widen(&mut color));
        assert_eq!(color, [255, 255, 1, 1, 255, 255]);
    }
}
