//! Points as the tiler takes them: where they are, and everything else as the end of a LAS 1.4 record.
//!
//! A **tail** is what follows the coordinates in a record of point format 6, 7 or 8, at its own offsets:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0-1 | intensity |
//! | 2 | return number (low four bits), number of returns (high four) |
//! | 3 | classification flags (bits 0-3), scanner channel (4-5), scan direction (6), edge of flight line (7) |
//! | 4 | class |
//! | 5 | user data |
//! | 6-7 | scan angle, i16, steps of 0.006 degrees |
//! | 8-9 | point source; of a scan with setups, 1 + the setup's place in the list |
//! | 10-17 | GPS time, f64 |
//! | 18-23 | red, green, blue, u16 each, over their full range (with colour) |
//! | 24-25 | near infrared (with colour and near infrared) |
//! | then | extra bytes |
//!
//! A colour of 0, 0, 0 counts as none: nothing else says that a point of a coloured scan has no colour.

use glam::DVec3;
use serde::Serialize;

use crate::points::{Attributes, PointChunk};

/// Bytes of a tail without colour.
pub const BASE_BYTES: usize = 18;
/// Extra bytes that a record may have. LAS allows 65,000; decoding LAZ takes about 12 KiB for each.
pub const MAX_EXTRA_BYTES: u16 = 1024;
/// Offset of the colour in a tail that has one.
pub const COLOR_AT: usize = 18;
/// Bytes of the coordinates before the tail in a record.
pub const COORDINATES_BYTES: usize = 12;

/// Steps and origin of positions stored as whole numbers: position = step count x scale + offset, in the file's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// Length of a step on each axis.
    pub scale: DVec3,
    /// Position of step 0.
    pub offset: DVec3,
}

impl Grid {
    /// The position of a number of steps.
    pub fn position(&self, steps: [i32; 3]) -> DVec3 {
        DVec3::from_array(steps.map(f64::from)) * self.scale + self.offset
    }

    /// The nearest steps of a position; `None` where it is no number or out of reach.
    pub fn steps(&self, position: DVec3) -> Option<[i32; 3]> {
        let steps = ((position - self.offset) / self.scale).round();
        let within = steps.cmpge(DVec3::splat(f64::from(i32::MIN))).all() && steps.cmple(DVec3::splat(f64::from(i32::MAX))).all();
        within.then(|| steps.to_array().map(|value| value as i32))
    }
}

/// One field of the extra bytes: the 192 bytes that describe it in the record `LASF_Spec` 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtraField {
    /// As LAS lays it out: data type at byte 2, options at 3, name at 4 to 35.
    pub descriptor: [u8; 192],
}

impl ExtraField {
    /// A field that nothing describes: `bytes` undocumented bytes, 1 to 255.
    pub fn undocumented(bytes: u8) -> Self {
        let mut descriptor = [0; 192];
        descriptor[3] = bytes;
        Self { descriptor }
    }

    /// Bytes of the field in a record.
    pub fn len(&self) -> usize {
        match self.descriptor[2] {
            0 => usize::from(self.descriptor[3]),
            kind @ 1..=10 => Self::SCALARS[usize::from(kind) - 1],
            kind @ 11..=20 => 2 * Self::SCALARS[usize::from(kind) - 11],
            kind @ 21..=30 => 3 * Self::SCALARS[usize::from(kind) - 21],
            _ => 0,
        }
    }

    /// Whether the field takes no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name, as far as it is UTF-8.
    pub fn name(&self) -> String {
        let name = &self.descriptor[4..36];
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        String::from_utf8_lossy(&name[..end]).into_owned()
    }

    const SCALARS: [usize; 10] = [1, 1, 2, 2, 4, 4, 8, 8, 4, 8];
}

/// Which fields a tail has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailFormat {
    /// Red, green, blue.
    pub color: bool,
    /// Near infrared; only with colour.
    pub nir: bool,
    /// Extra bytes, in their order.
    pub extra: Vec<ExtraField>,
}

impl TailFormat {
    /// 6, 7 or 8.
    pub fn point_format(&self) -> u8 {
        match (self.color, self.nir) {
            (false, _) => 6,
            (true, false) => 7,
            (true, true) => 8,
        }
    }

    /// Bytes of a tail before its extra bytes.
    pub fn standard_len(&self) -> usize {
        BASE_BYTES + if self.color { 6 } else { 0 } + if self.color && self.nir { 2 } else { 0 }
    }

    /// Bytes of a tail.
    pub fn len(&self) -> usize {
        self.standard_len() + self.extra.iter().map(ExtraField::len).sum::<usize>()
    }

    /// Never: a tail has its base.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Bytes of a whole record, coordinates included.
    pub fn record_len(&self) -> usize {
        COORDINATES_BYTES + self.len()
    }
}

/// What of the points the caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Positions alone: readers that can skip the rest do.
    Positions,
    /// All.
    Records,
}

/// Points for the tiler; reused from chunk to chunk.
#[derive(Clone, Debug, Default)]
pub struct RecordChunk {
    /// Positions in the file frame; may be no numbers.
    pub positions: Vec<DVec3>,
    /// The same as steps of the source's [`Grid`]; empty where it has none.
    pub steps: Vec<[i32; 3]>,
    /// One tail a point, of the source's [`TailFormat`]; empty where only positions were wanted.
    pub tails: Vec<u8>,
}

impl RecordChunk {
    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.positions.clear();
        self.steps.clear();
        self.tails.clear();
    }
}

/// The tails' format of a source that gives columns.
pub fn format_of(attributes: Attributes) -> TailFormat {
    TailFormat { color: attributes.color, nir: false, extra: Vec::new() }
}

/// Appends a tail of `format_of(…)` for each point of the columns.
pub fn pack(columns: &PointChunk, color: bool, tails: &mut Vec<u8>) {
    let len = BASE_BYTES + if color { 6 } else { 0 };
    let start = tails.len();
    tails.resize(start + columns.len() * len, 0);
    for (index, tail) in tails[start..].chunks_exact_mut(len).enumerate() {
        let intensity = columns.intensities.get(index).copied().unwrap_or_default();
        tail[0..2].copy_from_slice(&intensity.to_le_bytes());
        // The first return of one, where the source has no returns.
        tail[2] = columns.returns.get(index).copied().unwrap_or(0x11);
        tail[4] = columns.classifications.get(index).copied().unwrap_or_default();
        let source = columns.sources.get(index).copied().unwrap_or_default();
        tail[8..10].copy_from_slice(&source.to_le_bytes());
        let time = columns.gps_times.get(index).copied().filter(|time| time.is_finite()).unwrap_or_default();
        tail[10..18].copy_from_slice(&time.to_le_bytes());
        if let (true, Some(color)) = (color, columns.colors.get(index)) {
            for (bytes, value) in tail[COLOR_AT..COLOR_AT + 6].chunks_exact_mut(2).zip(color) {
                bytes.copy_from_slice(&value.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_positions_go_both_ways() {
        let grid = Grid { scale: DVec3::splat(0.001), offset: DVec3::new(652_000.0, 6_862_000.0, 30.0) };
        for steps in [[0, 0, 0], [1, -1, i32::MAX], [i32::MIN, 123_456_789, -987_654_321]] {
            assert_eq!(grid.steps(grid.position(steps)), Some(steps));
        }
        assert_eq!(grid.steps(DVec3::new(f64::NAN, 0.0, 0.0)), None);
        assert_eq!(grid.steps(DVec3::splat(1e9)), None);
    }

    #[test]
    fn columns_become_tails() {
        let columns = PointChunk {
            positions: vec![DVec3::ZERO; 2],
            colors: vec![[1, 2, 3], [0xabcd, 0, 0xffff]],
            intensities: vec![7, 0x1234],
            sources: vec![1, 2],
            ..PointChunk::default()
        };
        let mut tails = Vec::new();
        pack(&columns, true, &mut tails);
        assert_eq!(tails.len(), 2 * 24);
        assert_eq!(tails[24..34], [0x34, 0x12, 0x11, 0, 0, 0, 0, 0, 2, 0]);
        assert_eq!(tails[42..48], [0xcd, 0xab, 0, 0, 0xff, 0xff]);
    }

    #[test]
    fn extra_fields_know_their_length() {
        let of = |kind: u8, options: u8| {
            let mut descriptor = [0; 192];
            (descriptor[2], descriptor[3]) = (kind, options);
            ExtraField { descriptor }.len()
        };
        assert_eq!([of(0, 7), of(1, 0), of(10, 0), of(13, 0), of(30, 0), of(99, 0)], [7, 1, 8, 4, 24, 0]);
        assert_eq!(TailFormat { color: true, nir: true, extra: vec![ExtraField::undocumented(3)] }.record_len(), 41);
    }
}
