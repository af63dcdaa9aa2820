//! What a source gives into records of the output: its steps on the common grid, its tail with the fields of all sources.

use super::lattice::{Cube, Lattice};
use parterre_model::record::{BASE_BYTES, COLOR_AT, COORDINATES_BYTES, ExtraField, MAX_EXTRA_BYTES, RecordChunk, TailFormat};
use parterre_model::{Error, Result, Warning};
use parterre_read::PointSource;

/// Place of the point source in a tail.
const SOURCE_AT: usize = 8;

/// The tails' format of the scan that sources of these formats make. It does not depend on their order unless they are all
/// the same.
///
/// # Errors
/// `extra_bytes_too_many`: the points file could not be read again, nor added to.
pub(super) fn merge(formats: &[TailFormat]) -> Result<TailFormat> {
    let merged = join(formats);
    let extra: usize = merged.extra.iter().map(ExtraField::len).sum();
    if extra > usize::from(MAX_EXTRA_BYTES) {
        return Err(Error::input(
            "extra_bytes_too_many",
            format!(
                "the files have {} extra fields between them, {extra} bytes a point; {MAX_EXTRA_BYTES} is the most",
                merged.extra.len()
            ),
            "Export them with fewer extra attributes, or tile them as scans of their own.",
        ));
    }
    Ok(merged)
}

fn join(formats: &[TailFormat]) -> TailFormat {
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
    numbers: Numbers,
}

/// How point sources are numbered on: those that are setups by the setups of all sources, others beyond them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Numbers {
    /// Setups of the sources before this one, of this one, and of all.
    before: usize,
    own: usize,
    all: usize,
}

impl Numbers {
    /// The number of a point source in the output; 0, which is none, where there is no room for it.
    fn renumbered(self, source: u16) -> u16 {
        let number = match usize::from(source) {
            0 => 0,
            setup if setup <= self.own => self.before + setup,
            other => other - self.own + self.all,
        };
        u16::try_from(number).unwrap_or(0)
    }

    fn keeps_all(self) -> bool {
        self.all == self.own && self.before == 0
    }
}

/// What is to be said where point sources of files without setups are not to be taken for setups.
pub(super) fn renumbered(sources: &[Box<dyn PointSource>]) -> Option<Warning> {
    let has_setups: Vec<bool> = sources.iter().map(|source| !source.info().setups.is_empty()).collect();
    let message = "some of the files have setups: the point sources of the others are counted on from the last setup, and are 0 where that is too many";
    (has_setups.contains(&true) && has_setups.contains(&false)).then(|| Warning::new("point_source_renumbered", message))
}

impl Converter {
    /// For sources of these formats, which are final.
    pub(super) fn of(sources: &[Box<dyn PointSource>], format: &TailFormat, lattice: Lattice, cube: Cube) -> Vec<Self> {
        let all = sources.iter().map(|source| source.info().setups.len()).sum();
        let mut before = 0;
        let mut one = |source: &dyn PointSource| {
            let tail = source.tail_format();
            let numbers = Numbers { before, own: source.info().setups.len(), all };
            before += numbers.own;
            Self { lattice, cube, source_len: tail.len(), len: format.record_len(), copies: copies(&tail, format), numbers }
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
            if !self.numbers.keeps_all() {
                let at = COORDINATES_BYTES + SOURCE_AT;
                let source = u16::from_le_bytes([record[at], record[at + 1]]);
                record[at..at + 2].copy_from_slice(&self.numbers.renumbered(source).to_le_bytes());
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
#[allow(clippy::unwrap_used, reason = "a test may panic")]
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
        let merged = merge(&[one.clone(), other.clone()]).unwrap();
        assert_eq!(merged, merge(&[other.clone(), one.clone()]).unwrap());
        assert_eq!(merged, merge(&[merged.clone(), other.clone()]).unwrap(), "as when a file is added");
        assert_eq!(merged.extra.iter().map(ExtraField::name).collect::<Vec<_>>(), ["a", "b", "z"]);
        assert_eq!((merged.extra[2].descriptor[3], merged.extra[2].descriptor[88]), (0, 0));
        assert_eq!(copies(&one, &merged), [(0, 12, 18), (18, 12 + 26 + 9, 2), (20, 12 + 26, 1)]);
        assert_eq!(copies(&other, &merged), [(0, 12, 18), (18, 30, 8), (26, 12 + 27, 8), (34, 12 + 35, 2)]);
        assert_eq!(merge(&[one.clone(), one.clone()]).unwrap(), one, "nothing is turned around without need");
    }

    #[test]
    fn what_could_not_be_read_again_is_refused() {
        let of = |names: std::ops::Range<usize>| TailFormat {
            extra: names.map(|n| field(&format!("f{n}"), 10, 0)).collect(),
            ..TailFormat::default()
        };
        assert_eq!(merge(&[of(0..64), of(64..128)]).unwrap().extra.len(), 128);
        assert_eq!(merge(&[of(0..64), of(64..129)]).unwrap_err().code(), "extra_bytes_too_many");
    }

    #[test]
    fn point_sources_are_setups_or_beyond_them() {
        // Setups 2 and 3, a file without, and again 2 setups; then the first two files' scan with the third added.
        let [first, plain, last] = [(0, 2), (2, 0), (2, 3)].map(|(before, own)| Numbers { before, own, all: 5 });
        assert_eq!([0, 1, 2].map(|n| first.renumbered(n)), [0, 1, 2]);
        assert_eq!([0, 1, 7, 65_530, 65_531].map(|n| plain.renumbered(n)), [0, 6, 12, 65_535, 0]);
        assert_eq!([0, 1, 3].map(|n| last.renumbered(n)), [0, 3, 5]);
        let together = Numbers { before: 2, own: 0, all: 2 };
        let added_to = Numbers { before: 0, own: 2, all: 5 };
        for source in [0, 1, 9] {
            assert_eq!(added_to.renumbered(together.renumbered(source)), plain.renumbered(source));
        }
        assert!(together.renumbered(1) == 3 && !together.keeps_all() && Numbers { before: 0, own: 2, all: 2 }.keeps_all());
    }
}
