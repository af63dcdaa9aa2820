//! The interface of readers of uncompressed and compressed records: raw point records, a block at a time.

use std::io::BufReader;

use laz::DecompressionSelection;

use super::fault::Fault;
use crate::source::Source;

/// The file behind every way of reading.
pub(super) type Input = BufReader<Box<dyn Source>>;

/// A source of raw point records.
pub(super) trait RawRecords: Send {
    /// Appends the next records, about `wanted` of them; none at the end.
    fn read(&mut self, out: &mut Vec<u8>, wanted: u64) -> Result<(), Fault>;

    /// Seeks a point, or one shortly before it; `false` where only the first point can be reached.
    fn go_to(&mut self, point: u64) -> bool;

    /// Which fields are wanted from now on; others may come as zeros or as those of the first point of a chunk. To be
    /// followed by [`RawRecords::go_to`].
    fn select(&mut self, _selection: DecompressionSelection) {}

    /// Why there are fewer records than announced; `None` where there are not.
    fn truncation(&self) -> Option<&str> {
        None
    }
}
