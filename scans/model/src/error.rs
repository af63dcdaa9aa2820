//! The error type of all crates: a stable code, what happened, and what to do about it.
//!
//! `code()` is part of the public contract: it appears in HTTP answers and in `--json` output and never changes its
//! meaning.

use std::fmt;
use std::path::{Path, PathBuf};

/// A `Result` whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who has to act on an error; the command line's exit codes and HTTP's status classes follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is at fault: exit code 3, HTTP 4xx.
    BadInput,
    /// Reading or writing storage failed, or the storage has no room or is in use: exit code 4, HTTP 5xx.
    Storage,
    /// The work was asked to stop.
    Cancelled,
    /// A fault of the program: exit code 1, HTTP 500.
    Internal,
}

/// What went wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or its content cannot be used.
    #[error("{}{message}", Named(file.as_deref()))]
    Input {
        /// Stable code, in snake case, for example `las_truncated`.
        code: &'static str,
        /// What is wrong, with the values found.
        message: String,
        /// What the reader of the message can do.
        hint: &'static str,
        /// The file at fault, where one is known.
        file: Option<PathBuf>,
    },
    /// The storage has no room for the work, or another run is using it. The input is not at fault.
    #[error("{message}")]
    Storage {
        /// Stable code, in snake case, for example `disk_full`.
        code: &'static str,
        /// What is wrong, with the values found.
        message: String,
        /// What the reader of the message can do.
        hint: &'static str,
    },
    /// The operating system refused to read or write.
    #[error("failed to {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "open", "read", "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The caller asked for the work to stop.
    #[error("the work was stopped before it was done")]
    Cancelled,
    /// A fault of the program.
    #[error("internal fault: {0}")]
    Internal(String),
}

struct Named<'a>(Option<&'a Path>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, "{}: ", path.display()),
            None => Ok(()),
        }
    }
}

impl Error {
    /// An input fault that does not know its file yet; see [`Error::in_file`].
    pub fn input(code: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self::Input { code, message: message.into(), hint, file: None }
    }

    /// A fault of the storage that the operating system did not report: see [`Error::Storage`].
    pub fn storage(code: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self::Storage { code, message: message.into(), hint }
    }

    /// An I/O fault.
    pub fn io(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.into(), source }
    }

    /// The caller's own file cannot be opened: a missing one is the caller's fault (`file_not_found`), all else is `io`.
    pub fn opening(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            return Self::input(
                "file_not_found",
                "there is no such file",
                "Check the spelling of the path and that the file is still there.",
            )
            .in_file(path);
        }
        Self::io("open", path, source)
    }

    /// Names the file at fault, unless one is named already.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        if let Self::Input { file: file @ None, .. } = &mut self {
            *file = Some(path.to_path_buf());
        }
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Input { code, .. } | Self::Storage { code, .. } => code,
            Self::Io { .. } => "io",
            Self::Cancelled => "cancelled",
            Self::Internal(_) => "internal",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Input { hint, .. } | Self::Storage { hint, .. } => hint,
            Self::Io { .. } => "Check that the path exists, that it may be read and written, and that the disk is not full.",
            Self::Cancelled => "Start it again when it is wanted.",
            Self::Internal(_) => "Please report this with the file that led to it.",
        }
    }

    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Input { .. } => ErrorKind::BadInput,
            Self::Io { .. } | Self::Storage { .. } => ErrorKind::Storage,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_is_not_the_input() {
        let full = Error::storage("disk_full", "no room", "Free space.");
        assert_eq!((full.code(), full.kind(), full.hint()), ("disk_full", ErrorKind::Storage, "Free space."));
        assert_eq!(full.to_string(), "no room");
        assert_eq!(Error::input("no_points", "none", "Check it.").kind(), ErrorKind::BadInput);
        assert_eq!(Error::io("write", "x", std::io::ErrorKind::StorageFull.into()).kind(), ErrorKind::Storage);
    }
}
