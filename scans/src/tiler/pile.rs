//! Points of a single tree coordinate that the memory does not hold: they cannot be cut apart by place.
//!
//! They come in the order of their hashes, which is also that of records of one place elsewhere. The file is read once for
//! each range of hashes whose different records the memory holds; equal records are counted, not kept.

use std::collections::HashMap;
use std::path::Path;

use super::blocks::Blocks;
use super::build::Builder;
use super::part::{Part, Top};
use crate::error::{Error, Result};
use crate::tile::id::NodeKey;

/// A record's hash, its bytes, and how often it is there.
type Counted = (u64, Vec<u8>, u64);

/// A number that depends on all bytes of a record, the same on every machine.
pub(super) fn hash(record: &[u8]) -> u64 {
    let mut hash = record.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 29
}

impl Builder<'_> {
    /// Builds the nodes of so many records at one tree coordinate, `most` of them in memory.
    pub(super) fn pile_chunk(mut self, key: NodeKey, path: &Path, points: u64, most: usize) -> Result<Part> {
        let stride = self.stride();
        let share = self.pile_share(key, points);
        let mut top = None;
        let mut below = key;
        let mut waiting: Vec<u8> = Vec::new();
        // Ranges of hashes, the next one last.
        let mut ranges = vec![(0_u64, u64::MAX)];
        while let Some((from, to)) = ranges.pop() {
            let Some(records) = self.different(path, from, to, most)? else {
                let middle = from.midpoint(to);
                ranges.push((middle + 1, to));
                ranges.push((from, middle));
                continue;
            };
            for (_, record, count) in records {
                for _ in 0..count {
                    waiting.extend_from_slice(&record);
                    if waiting.len() == share * stride {
                        self.pile_node(&mut top, &mut below, key, &mut waiting)?;
                    }
                }
            }
        }
        if !waiting.is_empty() {
            self.pile_node(&mut top, &mut below, key, &mut waiting)?;
        }
        let records = top.ok_or_else(|| Error::Internal("a chunk without points".into()))?;
        let top = Top { key, points: (records.len() / stride) as u32, spacing_m: 0.0, has_children: below != key };
        self.end_chunk(top, &records)
    }

    /// The first records become the topmost content, others a node below the last one.
    fn pile_node(&mut self, top: &mut Option<Vec<u8>>, below: &mut NodeKey, key: NodeKey, waiting: &mut Vec<u8>) -> Result<()> {
        self.count_in(waiting);
        if top.is_none() {
            *top = Some(std::mem::take(waiting));
            return Ok(());
        }
        debug_assert!(below.level >= key.level);
        *below = below.child(0);
        self.encode_node(*below, 0.0, waiting)?;
        waiting.clear();
        Ok(())
    }

    /// The different records with hashes from `from` to `to`, in order, and how often each is there; `None` where they are more than
    /// `most` and can be told apart.
    fn different(&self, path: &Path, from: u64, to: u64, most: usize) -> Result<Option<Vec<Counted>>> {
        let stride = self.stride();
        let mut found: HashMap<Vec<u8>, u64> = HashMap::new();
        let mut blocks = Blocks::open(path, stride)?;
        let mut records = Vec::new();
        while blocks.next(&mut records)? {
            self.check()?;
            for record in records.chunks_exact(stride) {
                if !(from..=to).contains(&hash(record)) {
                    continue;
                }
                if let Some(count) = found.get_mut(record) {
                    *count += 1;
                } else {
                    found.insert(record.to_vec(), 1);
                }
            }
            if found.len() > most && from < to {
                return Ok(None);
            }
            records.clear();
        }
        let mut found: Vec<Counted> = found.into_iter().map(|(record, count)| (hash(&record), record, count)).collect();
        found.sort_unstable();
        Ok(Some(found))
    }
}
