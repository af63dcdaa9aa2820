//! Why a command failed, and the exit code that says so.

use parterre_model::ErrorKind;
use parterre_model::catalog::Fault;

/// A failed command.
#[derive(Debug)]
pub(super) struct Failure {
    /// Exit code of the process.
    pub(super) exit: u8,
    /// Code, message and hint.
    pub(super) fault: Fault,
    /// Causes, printed for people only.
    pub(super) causes: Vec<String>,
}

/// Result of a command.
pub(super) type Outcome = Result<(), Failure>;

impl Failure {
    pub(super) fn new(exit: u8, code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { exit, fault: Fault::new(code, message, hint), causes: Vec::new() }
    }

    pub(super) fn usage(message: impl Into<String>, hint: &str) -> Self {
        Self::new(2, "usage", message, hint)
    }

    pub(super) fn stopped() -> Self {
        Self::from(parterre_model::Error::Cancelled)
    }

    /// A failure of database or storage.
    pub(super) fn catalogue(error: &anyhow::Error) -> Self {
        let message = format!("{error}");
        let hint = "Check the folder given with --data and the address given with --database, and that the disk is not full.";
        let causes = error.chain().skip(1).map(ToString::to_string).collect();
        Self { exit: 4, fault: Fault::new("catalogue_failed", message, hint), causes }
    }

    pub(super) fn internal(error: &anyhow::Error) -> Self {
        let hint = "Please report this with the command that led to it.";
        Self { exit: 1, fault: Fault::new("internal", format!("{error:#}"), hint), causes: Vec::new() }
    }
}

impl From<parterre_model::Error> for Failure {
    fn from(error: parterre_model::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::BadInput => 3,
            ErrorKind::Storage => 4,
            ErrorKind::Cancelled => 130,
            ErrorKind::Internal => 1,
        };
        Self { exit, fault: Fault::from(&error), causes: Vec::new() }
    }
}
