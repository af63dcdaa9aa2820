//! Files are checked in a process of their own before a command opens them: a decoder that crashes gives an error and not an abort.

use std::path::Path;

use parterre_read::Override;

use super::failure::{Failure, Outcome};
use crate::config::WorkerConfig;
use crate::jobs::check::{self, CheckError};

/// Checks each file. Without a limit on the time: whoever waits can stop the command.
///
/// # Errors
/// What is wrong with a file, as the reader says it, or the code of [`check::run`]. A file that cannot be found or read passes, so that
/// the command's own attempt says why, with the path.
pub(super) fn files<P: AsRef<Path>>(paths: &[P], overrides: &Override, config: &WorkerConfig) -> Outcome {
    for path in paths {
        let path = path.as_ref();
        match check::run(config, path, &path.display().to_string(), overrides, None) {
            Ok(()) | Err(CheckError::Storage(_)) => {}
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(())
}

/// The failure of a command whose file did not pass.
pub(super) fn failure(error: CheckError) -> Failure {
    match error {
        CheckError::File(fault) => Failure { exit: 3, fault, causes: Vec::new() },
        CheckError::OutOfMemory(fault) => Failure { exit: 4, fault, causes: Vec::new() },
        CheckError::Killed(fault, cause) => Failure { exit: 4, fault, causes: vec![format!("{cause:#}")] },
        CheckError::Storage(cause) => Failure::catalogue(&cause),
        CheckError::Internal(cause) => Failure::internal(&cause.context("the file could not be checked")),
    }
}
