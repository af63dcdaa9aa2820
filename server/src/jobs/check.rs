//! The check of a file: can it be opened? Headers and a sample of the points are read, in a process of their own.
//!
//! Most invalid files give an error with a code. Against a decoder that overflows its stack or aborts there is no such protection inside a
//! program, and it would end the service; here it ends the check, and the file is refused.

use std::path::Path;
use std::time::{Duration, Instant};

use parterre_model::catalog::Fault;
use parterre_read::Override;

use super::memory_limit;
use super::process::{self, End, ProcessError};
use super::protocol::{CheckTask, Failure, Task};
use crate::config::WorkerConfig;

/// Why a file did not pass.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file is at fault: it is invalid, ends the reader's process, or takes too long.
    #[error("{}", .0.message)]
    File(Fault),
    /// Reading it takes more memory than the process is allowed.
    #[error("{}", .0.message)]
    OutOfMemory(Fault),
    /// The process was killed from outside: it can be tried again.
    #[error("{}", .0.message)]
    Killed(Fault, #[source] anyhow::Error),
    /// The file could not be read from its place.
    #[error("the file could not be read")]
    Storage(#[source] anyhow::Error),
    /// The process could not be started, or the program is at fault.
    #[error("the file could not be checked")]
    Internal(#[source] anyhow::Error),
}

/// Checks a file, which messages call `file_name`. Blocks. Without `time_limit` it waits as long as it takes.
///
/// # Errors
/// See [`CheckError`]. Codes that are not the reader's: `file_crashes_reader`, `file_check_timeout`, `out_of_memory`, `check_killed`.
pub fn run(
    config: &WorkerConfig,
    source: &Path,
    file_name: &str,
    overrides: &Override,
    time_limit: Option<Duration>,
) -> Result<(), CheckError> {
    let task = Task::Check(CheckTask {
        source: source.to_path_buf(),
        file_name: file_name.to_owned(),
        overrides: overrides.clone(),
        memory_limit_bytes: memory_limit::of_config(config),
    });
    let started = Instant::now();
    let shall_stop = || time_limit.is_some_and(|limit| started.elapsed() >= limit);
    let name = format!("check of {}", source.display());
    match process::run(&config.program, &name, &task, &shall_stop, config.stop_time, &|_, _| ()) {
        Ok(_) => Ok(()),
        Err(error) => Err(of_process(error, file_name, time_limit.unwrap_or_default())),
    }
}

fn of_process(error: ProcessError, file_name: &str, time_limit: Duration) -> CheckError {
    let out_of_memory = || {
        CheckError::OutOfMemory(Fault::new(
            "out_of_memory",
            format!("{file_name}: reading the headers and a sample of the points needs more memory than a process may use"),
            "The file may be damaged: check it in other software or export it again. If it is intact, give more memory with --memory.",
        ))
    };
    match error {
        ProcessError::Failed(Failure::BadInput(fault)) => CheckError::File(fault),
        ProcessError::Failed(Failure::Service { code, cause }) => match code.as_str() {
            "out_of_memory" => out_of_memory(),
            "storage_failed" | "disk_full" => CheckError::Storage(anyhow::anyhow!(cause)),
            _ => CheckError::Internal(anyhow::anyhow!(cause)),
        },
        ProcessError::Failed(Failure::Cancelled) => CheckError::Internal(anyhow::anyhow!("the check was cancelled")),
        ProcessError::Ended(End::OutOfMemory, _) => out_of_memory(),
        ProcessError::Ended(End::Crashed, cause) => {
            tracing::warn!(file_name, "{cause:#}");
            CheckError::File(Fault::new(
                "file_crashes_reader",
                format!("{file_name}: the program that reads the headers and a sample of the points crashed; the file may be damaged"),
                "Check the file in other software or export it again. If it is intact, please report it and attach the file.",
            ))
        }
        ProcessError::Stopped => CheckError::File(Fault::new(
            "file_check_timeout",
            format!("{file_name}: reading the headers and a sample of the points took longer than {} s", time_limit.as_secs_f64()),
            "The file may be damaged: check it in other software or export it again. If it is intact, try again when the machine is less busy.",
        )),
        ProcessError::Ended(End::Killed, cause) => CheckError::Killed(
            Fault::new(
                "check_killed",
                format!(
                    "{file_name}: the process that checked the file was killed from outside, perhaps because the machine ran out of memory"
                ),
                "Try again; if it happens again, check the memory of the machine.",
            ),
            cause,
        ),
        ProcessError::Ended(End::WithoutResult, cause) | ProcessError::NotRun(cause) => CheckError::Internal(cause),
    }
}
