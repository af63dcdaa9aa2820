//! Why a PLY file could not be read.

use std::path::Path;

use super::header::DAMAGED_HINT;
use parterre_model::Error;

const TRUNCATED_HINT: &str = "The file is truncated, often by an incomplete copy or upload: copy it again from its source.";

/// Why reading failed.
pub(super) enum Fault {
    /// The content of the file.
    Input(Error),
    /// The system.
    Io(std::io::Error),
}

impl Fault {
    /// The error, with the name of the file.
    pub(super) fn named(self, name: &Path) -> Error {
        match self {
            Self::Input(error) => error.in_file(name),
            Self::Io(error) => Error::io("read", name, error),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Input(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Input(truncated("the file ended while it was read")),
            std::io::ErrorKind::InvalidData => Self::Input(Error::input("ply_row", error.to_string(), DAMAGED_HINT)),
            _ => Self::Io(error),
        }
    }
}

/// `ply_truncated`.
pub(super) fn truncated(message: impl Into<String>) -> Error {
    Error::input("ply_truncated", message, TRUNCATED_HINT)
}
