//! What went wrong, for a person: a stable code, what happened and what to do.

use parterre_model::{Error, ErrorKind};
use serde::Serialize;

/// A failure to open or to load something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct Fault {
    /// Who has to act.
    #[serde(skip)]
    pub kind: FaultKind,
    /// Stable code in snake case.
    pub code: String,
    /// What happened and where.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Who has to act; the exit codes follow from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultKind {
    /// The source is at fault: exit code 3.
    BadInput,
    /// Reading or the network failed: exit code 4.
    Storage,
    /// A fault of ours: exit code 1.
    #[default]
    Internal,
}

impl Fault {
    /// The source is at fault.
    pub fn input(code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { kind: FaultKind::BadInput, code: code.into(), message: message.into(), hint: hint.into() }
    }

    /// Reading, writing or the network failed.
    pub fn storage(code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { kind: FaultKind::Storage, code: code.into(), message: message.into(), hint: hint.into() }
    }

    /// A fault of ours, or of the graphics driver under us.
    pub fn internal(code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { kind: FaultKind::Internal, code: code.into(), message: message.into(), hint: hint.into() }
    }

    /// The process' exit code: 3 bad input, 4 storage or network, 1 internal. (2, usage, is clap's.)
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            FaultKind::BadInput => 3,
            FaultKind::Storage => 4,
            FaultKind::Internal => 1,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::BadInput => FaultKind::BadInput,
            ErrorKind::Storage => FaultKind::Storage,
            ErrorKind::Cancelled | ErrorKind::Internal => FaultKind::Internal,
        };
        Self { kind, code: error.code().into(), message: error.to_string(), hint: error.hint().into() }
    }
}
