//! Why a job failed: the codes, and what people are told.

use parterre_model::catalog::Fault;

use crate::error::{FileFault, fault_of_file};

/// Codes of failures that are not the input's, with message and hint. The job is tried again; see [`super::attempt`].
const SERVICE_CODES: [(&str, &str, &str); 7] = [
    (
        "storage_failed",
        "the storage could not be read or written",
        "Check that the service's disk is there and not full, then try the job again; the service's log has the cause.",
    ),
    (
        "disk_full",
        "the service's disk has too little free space to tile this file",
        "Free space on the service's disk, then try the job again; the service's log says how much is needed.",
    ),
    ("database_failed", "the database could not be used", "Try the job again; the service's log has the cause."),
    (
        "out_of_memory",
        "tiling this file needs more memory than the service may use",
        "Start the service with a larger --memory, or split the scan, then try the job again.",
    ),
    (
        "job_killed",
        "the process that tiled this file was killed from outside, perhaps because the machine ran out of memory",
        "Check the memory of the machine against --memory, then try the job again; the service's log has the signal.",
    ),
    (
        "job_crashed",
        "the process that tiled this file ended unexpectedly; the file may be damaged",
        "Check the file in other software or export it again, and upload it anew. If it is intact, report it with the service's log.",
    ),
    ("internal", "something went wrong in the service", "Try the job again; the service's log has the cause."),
];

/// Why a job failed, and whether trying again can help.
#[derive(Debug)]
pub enum JobError {
    /// The input is at fault: trying again changes nothing. Told to the person as it is.
    BadInput(Fault),
    /// The work was stopped from outside.
    Cancelled,
    /// The machine, the storage, the database or the program is at fault. The cause goes to the log; the person gets the code.
    Service {
        /// Stable code, one of those in docs/api.md.
        code: &'static str,
        /// For the log.
        cause: anyhow::Error,
    },
}

impl JobError {
    /// A failure of that code; `internal` where the code is unknown.
    pub fn service(code: &str, cause: impl Into<anyhow::Error>) -> Self {
        let known = SERVICE_CODES.iter().map(|(known, ..)| *known).find(|known| *known == code);
        Self::Service { code: known.unwrap_or("internal"), cause: cause.into() }
    }

    /// The storage failed.
    pub fn storage(cause: impl Into<anyhow::Error>) -> Self {
        Self::service("storage_failed", cause)
    }

    /// The database failed.
    pub fn database(cause: impl Into<anyhow::Error>) -> Self {
        Self::service("database_failed", cause)
    }

    /// The program is at fault.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::service("internal", cause)
    }

    /// An error of working on a file that was uploaded under the name `file_name`.
    pub fn of_file(error: parterre_model::Error, file_name: &str) -> Self {
        match fault_of_file(error, file_name) {
            FileFault::Input(fault) => Self::BadInput(fault),
            FileFault::Storage(parterre_model::Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::OutOfMemory => {
                Self::service("out_of_memory", source)
            }
            FileFault::Storage(error) if error.code() == "disk_full" => Self::service("disk_full", error),
            FileFault::Storage(error) => Self::storage(error),
            FileFault::Cancelled(_) => Self::Cancelled,
            FileFault::Ours(error) => Self::internal(error),
        }
    }

    /// What the job's row says.
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadInput(fault) => fault.clone(),
            Self::Cancelled => Fault::new("cancelled", "the work was stopped before it was done", "Start it again when it is wanted."),
            Self::Service { code, .. } => {
                let (_, message, hint) = SERVICE_CODES.into_iter().find(|(known, ..)| known == code).unwrap_or(SERVICE_CODES[6]);
                Fault::new(*code, message, hint)
            }
        }
    }
}

impl From<diesel::result::Error> for JobError {
    fn from(error: diesel::result::Error) -> Self {
        Self::database(error)
    }
}

impl From<diesel::r2d2::PoolError> for JobError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::database(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_job_does_not_show_where_files_are_stored() {
        use std::io::{Error as IoError, ErrorKind};
        for (action, kind) in [("open", ErrorKind::NotFound), ("open", ErrorKind::PermissionDenied), ("read", ErrorKind::Other)] {
            let error = parterre_model::Error::io(action, "/srv/parterre/objects/x", IoError::from(kind));
            let job = JobError::of_file(error, "hall.las");
            assert!(matches!(job, JobError::Service { code: "storage_failed", .. }), "tried again: {job:?}");
            assert!(!job.fault().message.contains("/srv"), "{job:?}");
        }
    }

    #[test]
    fn a_full_disk_and_denied_memory_have_codes_of_their_own_and_name_no_path() {
        let full = parterre_model::Error::storage("disk_full", "12 MiB in /srv/work, and 1 MiB are free", "Free space.");
        let denied = parterre_model::Error::io("map", "/srv/work/x", std::io::ErrorKind::OutOfMemory.into());
        for (error, code) in [(full, "disk_full"), (denied, "out_of_memory")] {
            let fault = JobError::of_file(error, "hall.las").fault();
            assert_eq!(fault.code, code);
            assert!(!fault.message.contains("/srv"), "{fault:?}");
        }
        assert_eq!(JobError::service("unheard_of", anyhow::anyhow!("x")).fault().code, "internal");
    }
}
