//! Turns what a source gives into records of the output: steps on the common grid, attribute bytes in the merged layout.

use super::layout::identity;
use crate::octree::common_grid::CommonGrid;
use crate::octree::cube::Cube;
use parterre_model::record::{AttributeLayout, BASE_BYTES, COLOR_AT, COORDINATES_BYTES, ExtraField, RecordChunk};
use parterre_model::{Error, Result, Warning};
use parterre_read::PointSource;

/// Offset of the point source in the attribute bytes.
const POINT_SOURCE_AT: usize = 8;

/// Makes the scan's records from the chunks of one source.
#[derive(Clone, Debug)]
pub(crate) struct Converter {
    common_grid: CommonGrid,
    cube: Cube,
    source_len: usize,
    len: usize,
    /// Byte ranges to copy: offset in the source's attribute bytes, offset in the record, length.
    copies: Vec<(usize, usize, usize)>,
    numbers: SetupNumbers,
}

/// How point source numbers change: numbers of setups count through the setups of all sources, other numbers come after those.
#[derive(Clone, Copy, Debug, PartialEq)]
struct SetupNumbers {
    /// Number of setups of the sources before this one.
    before: usize,
    /// Number of setups of this source, and of all sources.
    own: usize,
    all: usize,
}

impl SetupNumbers {
    /// The number of a point source in the output; 0, which means none, where it does not fit into 16 bits.
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

/// The warning for sources of which only some have setups: the point source numbers of the others change, so that they are not taken for
/// setups.
pub(crate) fn renumbering_warning(sources: &[Box<dyn PointSource>]) -> Option<Warning> {
    let has_setups: Vec<bool> = sources.iter().map(|source| !source.info().setups.is_empty()).collect();
    let message = "some of the files have setups: the point sources of the others are counted on from the last setup, and are 0 where that is too many";
    (has_setups.contains(&true) && has_setups.contains(&false)).then(|| Warning::new("point_source_renumbered", message))
}

impl Converter {
    /// One for each source; `layout` is the merged one of all.
    pub(crate) fn of(sources: &[Box<dyn PointSource>], layout: &AttributeLayout, common_grid: CommonGrid, cube: Cube) -> Vec<Self> {
        let all = sources.iter().map(|source| source.info().setups.len()).sum();
        let mut before = 0;
        let mut one = |source: &dyn PointSource| {
            let own = source.attribute_layout();
            let numbers = SetupNumbers { before, own: source.info().setups.len(), all };
            before += numbers.own;
            Self { common_grid, cube, source_len: own.len(), len: layout.record_len(), copies: copies(&own, layout), numbers }
        };
        sources.iter().map(|source| one(source.as_ref())).collect()
    }

    /// Replaces `records` by those of the chunk that lie within the cube's bounds; `dropped` counts the others. Returns the largest distance
    /// between a position and that of its record, along one axis and in the file's unit.
    pub(crate) fn convert(&self, chunk: &RecordChunk, records: &mut Vec<u8>, dropped: &mut u64) -> Result<f64> {
        let count = chunk.positions.len().max(chunk.steps.len());
        if chunk.attribute_bytes.len() != count * self.source_len {
            return Err(Error::Internal(format!(
                "{} attribute bytes for {count} points of {}",
                chunk.attribute_bytes.len(),
                self.source_len
            )));
        }
        records.clear();
        records.resize(count * self.len, 0);
        let mut end = 0;
        let mut error: f64 = 0.0;
        let mut append = |steps: [i32; 3], attributes: &[u8]| {
            let record = &mut records[end..end + self.len];
            for (bytes, value) in record[..COORDINATES_BYTES].chunks_exact_mut(4).zip(steps) {
                bytes.copy_from_slice(&value.to_le_bytes());
            }
            for &(from, to, len) in &self.copies {
                record[to..to + len].copy_from_slice(&attributes[from..from + len]);
            }
            if !self.numbers.keeps_all() {
                let at = COORDINATES_BYTES + POINT_SOURCE_AT;
                let source = u16::from_le_bytes([record[at], record[at + 1]]);
                record[at..at + 2].copy_from_slice(&self.numbers.renumbered(source).to_le_bytes());
            }
            end += self.len;
        };
        let attributes = chunk.attribute_bytes.chunks_exact(self.source_len);
        if self.common_grid.is_shared && chunk.steps.len() == count {
            for (&steps, attributes) in chunk.steps.iter().zip(attributes) {
                if self.cube.holds(steps) {
                    append(steps, attributes);
                } else {
                    *dropped += 1;
                }
            }
        } else {
            for (&position, attributes) in chunk.positions.iter().zip(attributes) {
                let coordinates = self.common_grid.coordinates(position);
                match coordinates.and_then(|coordinates| Some((coordinates, self.cube.steps(coordinates)?))) {
                    Some((coordinates, steps)) if self.cube.holds(steps) => {
                        error = error.max((position - self.common_grid.position(coordinates)).abs().max_element());
                        append(steps, attributes);
                    }
                    _ => *dropped += 1,
                }
            }
        }
        records.truncate(end);
        Ok(error)
    }
}

/// Byte ranges to copy from attribute bytes in one layout into records of another.
fn copies(from: &AttributeLayout, to: &AttributeLayout) -> Vec<(usize, usize, usize)> {
    if from == to {
        return vec![(0, COORDINATES_BYTES, from.len())];
    }
    let mut copies = vec![(0, COORDINATES_BYTES, BASE_BYTES)];
    if from.color && to.color {
        let len = if from.nir && to.nir { 8 } else { 6 };
        copies.push((COLOR_AT, COORDINATES_BYTES + COLOR_AT, len));
    }
    let offsets = |layout: &AttributeLayout| {
        let mut at = layout.standard_len();
        let offset = |field: &ExtraField| {
            at += field.len();
            (identity(field), at - field.len(), field.len())
        };
        layout.extra.iter().map(offset).collect::<Vec<_>>()
    };
    let targets = offsets(to);
    for (wanted, at, len) in offsets(from) {
        if let Some((_, target, _)) = targets.iter().find(|(identity, ..)| *identity == wanted) {
            copies.push((at, COORDINATES_BYTES + target, len));
        }
    }
    copies
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sources::layout::merge;

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
        let one = AttributeLayout { color: false, nir: false, extra: vec![field("z", 3, 7), field("a", 1, 0)] };
        let other = AttributeLayout { color: true, nir: true, extra: vec![field("b", 10, 0), field("z", 3, 9)] };
        let merged = merge(&[one.clone(), other.clone()]).unwrap();
        assert_eq!(merged, merge(&[other.clone(), one.clone()]).unwrap());
        assert_eq!(merged, merge(&[merged.clone(), other.clone()]).unwrap(), "as when a file is added");
        assert_eq!(merged.extra.iter().map(ExtraField::name).collect::<Vec<_>>(), ["a", "b", "z"]);
        assert_eq!((merged.extra[2].descriptor[3], merged.extra[2].descriptor[88]), (0, 0));
        assert_eq!(copies(&one, &merged), [(0, 12, 18), (18, 12 + 26 + 9, 2), (20, 12 + 26, 1)]);
        assert_eq!(copies(&other, &merged), [(0, 12, 18), (18, 30, 8), (26, 12 + 27, 8), (34, 12 + 35, 2)]);
        assert_eq!(merge(&[one.clone(), one.clone()]).unwrap(), one, "the order of fields only changes where layouts differ");
    }

    #[test]
    fn more_extra_bytes_than_can_be_read_back_are_refused() {
        let of = |names: std::ops::Range<usize>| AttributeLayout {
            extra: names.map(|n| field(&format!("f{n}"), 10, 0)).collect(),
            ..AttributeLayout::default()
        };
        assert_eq!(merge(&[of(0..64), of(64..128)]).unwrap().extra.len(), 128);
        assert_eq!(merge(&[of(0..64), of(64..129)]).unwrap_err().code(), "extra_bytes_too_many");
    }

    #[test]
    fn point_sources_are_setups_or_beyond_them() {
        // Setups 2 and 3, a file without, and again 2 setups; then the first two files' scan with the third added.
        let [first, plain, last] = [(0, 2), (2, 0), (2, 3)].map(|(before, own)| SetupNumbers { before, own, all: 5 });
        assert_eq!([0, 1, 2].map(|n| first.renumbered(n)), [0, 1, 2]);
        assert_eq!([0, 1, 7, 65_530, 65_531].map(|n| plain.renumbered(n)), [0, 6, 12, 65_535, 0]);
        assert_eq!([0, 1, 3].map(|n| last.renumbered(n)), [0, 3, 5]);
        let together = SetupNumbers { before: 2, own: 0, all: 2 };
        let added_to = SetupNumbers { before: 0, own: 2, all: 5 };
        for source in [0, 1, 9] {
            assert_eq!(added_to.renumbered(together.renumbered(source)), plain.renumbered(source));
        }
        assert!(together.renumbered(1) == 3 && !together.keeps_all() && SetupNumbers { before: 0, own: 2, all: 2 }.keeps_all());
    }
}
