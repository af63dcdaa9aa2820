//! Errors as they are shown to users: a stable code, what happened and what to do.

use parterre_model::{Error, ErrorKind};
use serde::Serialize;

/// An error while opening, loading or drawing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct Fault {
    /// Cause of the error.
    #[serde(skip)]
    pub kind: FaultKind,
    /// Stable code in snake case.
    pub code: String,
    /// What happened and where.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Cause of an error; it decides the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultKind {
    /// The source is wrong or damaged: exit code 3.
    BadInput,
    /// Reading or the network failed: exit code 4.
    Storage,
    /// An error in the program or the graphics driver: exit code 1.
    #[default]
    Internal,
}

impl Fault {
    /// An error in the source.
    pub fn input(code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { kind: FaultKind::BadInput, code: code.into(), message: message.into(), hint: hint.into() }
    }

    /// An error in reading, writing or the network.
    pub fn storage(code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { kind: FaultKind::Storage, code: code.into(), message: message.into(), hint: hint.into() }
    }

    /// An error in the program or the graphics driver.
    pub fn internal(code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { kind: FaultKind::Internal, code: code.into(), message: message.into(), hint: hint.into() }
    }

    /// Exit code of the process: 3 bad input, 4 storage or network, 1 internal. (clap exits with 2 on wrong usage.)
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
