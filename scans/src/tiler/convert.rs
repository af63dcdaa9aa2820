//! What a source gives into records of the output: its steps on the common grid, its tail with the fields of all sources.

use super::lattice::{Cube, Lattice};
use crate::error::{Error, Result};
use crate::read::record::{BASE_BYTES, COLOR_AT, COORDINATES_BYTES, ExtraField};
use crate::read::{PointSource, RecordChunk, TailFormat};

/// Place of the point source in a tail.
const SOURCE_AT: usize = 8;

/// The tails' format of the scan that sources of these formats make. It does not depend on their order unless they are all
/// the same.
pub(super) fn merge(formats: &[TailFormat]) -> TailFormat {
    let Some((first, rest)) = formats.split_first() else { return TailFormat::default() };
    if rest.iter().all(|format| format == first) {
        return first.clone();
    }
    let color = formats.iter().any(|format| format.color);
    let nir = formats.iter().any(|format| format.color && format.nir);
    let mut extra: Vec<ExtraField> = Vec::new();
    for field in formats.iter().flat_map(|format| &format.extra) {
        match extra.iter_mut().find(|known| meaning(known) == meaning(field)) {
            Some(known) if known != field => without_range(known),
            Some(_) => {}
            None => extra.push(*field),
        }
    }
    extra.sort_by_key(meaning);
    TailFormat { color, nir, extra }
}

/// What of a field's description says that another field is the same: type, name, scale and offset.
fn meaning(field: &ExtraField) -> ([u8; 34], [u8; 48]) {
    let d = &field.descriptor;
    let mut head: [u8; 34] = std::array::from_fn(|at| d[2 + at]);
    if head[0] != 0 {
        // Not whether the least and the greatest value are known.
        head[1] &= !RANGE_BITS;
    }
    // The name first, for the order.
    head.rotate_left(2);
    (head, std::array::from_fn(|at| d[112 + at]))
}

/// Options: the description has the least and the greatest value.
const RANGE_BITS: u8 = 0b110;

/// The values of one file are not those of all.
fn without_range(field: &mut ExtraField) {
    if field.descriptor[2] != 0 {
        field.descriptor[3] &= !RANGE_BITS;
        field.descriptor[64..112].fill(0);
    }
    field.descriptor[160..].fill(0);
}

/// Makes records of one source's chunks.
#[derive(Clone, Debug)]
pub(super) struct Converter {
    lattice: Lattice,
    cube: Cube,
    source_len: usize,
    len: usize,
    /// Runs of bytes: from the source's tail, to the record, how many.
    copies: Vec<(usize, usize, usize)>,
    /// Added to the point source, where there is one.
    setups_before: u16,
}

impl Converter {
    /// For sources of these formats, which are final.
    pub(super) fn of(sources: &[Box<dyn PointSource>], format: &TailFormat, lattice: Lattice, cube: Cube) -> Vec<Self> {
        let mut setups_before = 0_usize;
        let mut one = |source: &dyn PointSource| {
            let own = source.tail_format();
            let setups = source.info().setups.len();
            let before = if setups > 0 { u16::try_from(setups_before).unwrap_or(u16::MAX) } else { 0 };
            setups_before += setups;
            Self { lattice, cube, source_len: own.len(), len: format.record_len(), copies: copies(&own, format), setups_before: before }
        };
        sources.iter().map(|source| one(source.as_ref())).collect()
    }

    /// Replaces `records` by those of the chunk that lie in the cube's grid; `dropped` counts the others. Gives the largest distance
    /// between a position and its record's, on one axis and in the file's unit.
    pub(super) fn convert(&self, chunk: &RecordChunk, records: &mut Vec<u8>, dropped: &mut u64) -> Result<f64> {
        let count = chunk.positions.len().max(chunk.steps.len());
        if chunk.tails.len() != count * self.source_len {
            return Err(Error::Internal(format!("{} bytes of tails for {count} points of {}", chunk.tails.len(), self.source_len)));
        }
        records.clear();
        records.resize(count * self.len, 0);
        let mut end = 0;
        let mut error: f64 = 0.0;
        let mut put = |steps: [i32; 3], tail: &[u8]| {
            let record = &mut records[end..end + self.len];
            for (bytes, value) in record[..COORDINATES_BYTES].chunks_exact_mut(4).zip(steps) {
                bytes.copy_from_slice(&value.to_le_bytes());
            }
            for &(from, to, len) in &self.copies {
                record[to..to + len].copy_from_slice(&tail[from..from + len]);
            }
            if self.setups_before > 0 {
                let at = COORDINATES_BYTES + SOURCE_AT;
                let source = u16::from_le_bytes([record[at], record[at + 1]]);
                if source > 0 {
                    record[at..at + 2].copy_from_slice(&source.saturating_add(self.setups_before).to_le_bytes());
                }
            }
            end += self.len;
        };
        let tails = chunk.tails.chunks_exact(self.source_len);
        if self.lattice.is_shared && chunk.steps.len() == count {
            for (&steps, tail) in chunk.steps.iter().zip(tails) {
                if self.cube.holds(steps) {
                    put(steps, tail);
                } else {
                    *dropped += 1;
                }
            }
        } else {
            for (&position, tail) in chunk.positions.iter().zip(tails) {
                let place = self.lattice.place(position);
                match place.and_then(|place| Some((place, self.cube.steps(place)?))) {
                    Some((place, steps)) if self.cube.holds(steps) => {
                        error = error.max((position - self.lattice.position(place)).abs().max_element());
                        put(steps, tail);
                    }
                    _ => *dropped += 1,
                }
            }
        }
        records.truncate(end);
        Ok(error)
    }
}

fn copies(from: &TailFormat, to: &TailFormat) -> Vec<(usize, usize, usize)> {
    if from == to {
        return vec![(0, COORDINATES_BYTES, from.len())];
    }
    let mut copies = vec![(0, COORDINATES_BYTES, BASE_BYTES)];
    if from.color && to.color {
        let len = if from.nir && to.nir { 8 } else { 6 };
        copies.push((COLOR_AT, COORDINATES_BYTES + COLOR_AT, len));
    }
    let places = |format: &TailFormat| {
        let mut at = format.standard_len();
        let place = |field: &ExtraField| {
            at += field.len();
            (meaning(field), at - field.len(), field.len())
        };
        format.extra.iter().map(place).collect::<Vec<_>>()
    };
    let targets = places(to);
    for (wanted, at, len) in places(from) {
        if let Some((_, target, _)) = targets.iter().find(|(meaning, ..)| *meaning == wanted) {
            copies.push((at, COORDINATES_BYTES + target, len));
        }
    }
    copies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: u8, max: u8) -> ExtraField {
        let mut descriptor = [0; 192];
        descriptor[2] = kind;
        descriptor[3] = if max > 0 { 0b100 } else { 0 };
        descriptor[4..4 + name.len()].copy_from_slice(name.as_bytes());
        descriptor[88] = max;
        ExtraField { descriptor }
    }

    #[test]
    fn fields_of_all_sources_are_there_once_whatever_their_order() {
        let one = TailFormat { color: false, nir: false, extra: vec![field("z", 3, 7), field("a", 1, 0)] };
        let other = TailFormat { color: true, nir: true, extra: vec![field("b", 10, 0), field("z", 3, 9)] };
        let merged = merge(&[one.clone(), other.clone()]);
        assert_eq!(merged, merge(&[other.clone(), one.clone()]));
        assert_eq!(merged, merge(&[merged.clone(), other.clone()]), "as when a file is added");
        assert_eq!(merged.extra.iter().map(ExtraField::name).collect::<Vec<_>>(), ["a", "b", "z"]);
        assert_eq!((merged.extra[2].descriptor[3], merged.extra[2].descriptor[88]), (0, 0));
        assert_eq!(copies(&one, &merged), [(0, 12, 18), (18, 12 + 26 + 9, 2), (20, 12 + 26, 1)]);
        assert_eq!(copies(&other, &merged), [(0, 12, 18), (18, 30, 8), (26, 12 + 27, 8), (34, 12 + 35, 2)]);
        assert_eq!(merge(&[one.clone(), one.clone()]), one, "nothing is turned around without need");
    }
}
