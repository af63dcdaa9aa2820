//! Why records of a LAS or LAZ file could not be read.

use std::io;

use super::header::{DAMAGED_HINT, TRUNCATED_HINT};
use parterre_model::Error;

const UNSUPPORTED_HINT: &str = "Decompress it with the program that wrote it, or export the scan as LAS or as LAZ with a current LASzip.";

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

pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::input("laz_corrupt", format!("the compressed points cannot be read: {}", message.into()), DAMAGED_HINT)
}

pub(super) fn truncated(message: impl Into<String>) -> Error {
    Error::input("laz_truncated", message, TRUNCATED_HINT)
}

pub(super) fn unsupported(message: String) -> Error {
    Error::input("laz_unsupported", format!("the compression cannot be read: {message}"), UNSUPPORTED_HINT)
}
