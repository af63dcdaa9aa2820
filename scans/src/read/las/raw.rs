//! What plain and compressed files have in common: raw point records, a block at a time.

use std::io;

use laz::DecompressionSelection;

use crate::error::Error;

/// Why records could not be read.
pub(super) enum Fault {
    /// The file's content.
    Input(Error),
    /// The system.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Input(error)
    }
}

/// A source of raw point records.
pub(super) trait RawRecords: Send {
    /// Appends the next records, about `wanted` of them; none at the end.
    fn read(&mut self, out: &mut Vec<u8>, wanted: u64) -> Result<(), Fault>;

    /// Goes to a point, or to one a little before it; `false` where only the first can be reached.
    fn go_to(&mut self, point: u64) -> bool;

    /// Which fields are wanted from now on; others may come as zeros or as those of the first point of a chunk. To be
    /// followed by [`RawRecords::go_to`].
    fn select(&mut self, _selection: DecompressionSelection) {}

    /// Why the records ended before their announced number, where they did.
    fn cut_short(&self) -> Option<&str> {
        None
    }
}
