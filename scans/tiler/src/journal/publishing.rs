//! Moving the results to their places. Renaming several files is not one step, so a list of them is written first; a later run completes what a
//! killed run had begun.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::report::Report;
use parterre_model::{Error, Result};

/// Name of the report.
pub(crate) const REPORT: &str = "report.json";
/// Name of the list in the work folder.
pub(crate) const PUBLISHING: &str = "publish.json";

/// The list of files that are moved to their places.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Publishing {
    /// Of the job.
    pub(crate) fingerprint: Option<String>,
    /// Paths below the destination, the report last: it says that a scan is complete.
    names: Vec<String>,
    /// Paths below the destination of files of the previous scan that the new one does not have.
    outdated: Vec<String>,
}

impl Publishing {
    /// The list for the files of a report and the report itself; `dir` is the destination.
    pub(crate) fn new(fingerprint: Option<String>, report: &Report, dir: &Path) -> Self {
        let names: Vec<String> = report.files.iter().map(|file| file.name.clone()).chain([REPORT.to_owned()]).collect();
        Self { fingerprint, outdated: outdated(dir, &names), names }
    }

    /// Writes the list into the work folder, in one step.
    pub(crate) fn write(&self, work: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|error| Error::Internal(error.to_string()))?;
        let (draft, path) = (work.join("publish.draft"), work.join(PUBLISHING));
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        std::fs::rename(&draft, &path).map_err(|error| Error::io("write", &path, error))
    }

    /// The list in a work folder; `None` where there is none, or none that can be read.
    pub(crate) fn read(work: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(work.join(PUBLISHING)).ok()?).ok()
    }

    /// Moves the files that are still in the work folder to `dir` and removes the outdated ones; returns whether all are in their places.
    pub(crate) fn move_files(&self, work: &Path, dir: &Path) -> Result<bool> {
        let mut is_complete = true;
        for name in &self.names {
            let (from, to) = (work.join(name), dir.join(name));
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder).map_err(|error| Error::io("write", folder, error))?;
            }
            match std::fs::rename(&from, &to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => is_complete &= to.exists(),
                result => result.map_err(|error| Error::io("write", to, error))?,
            }
        }
        for name in &self.outdated {
            let _ = std::fs::remove_file(dir.join(name));
        }
        Ok(is_complete)
    }
}

/// The report in a folder; `None` where there is none, or none that can be read.
pub(crate) fn read_report(dir: &Path) -> Option<Report> {
    serde_json::from_slice(&std::fs::read(dir.join(REPORT)).ok()?).ok()
}

/// Files that the report in `dir` names and that are not among the new ones.
fn outdated(dir: &Path, names: &[String]) -> Vec<String> {
    let files = read_report(dir).map(|report| report.files).unwrap_or_default();
    // A name that leads out of the folder was not written by this program.
    let is_plain = |name: &String| Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    files.into_iter().map(|file| file.name).filter(|name| is_plain(name) && !names.contains(name)).collect()
}
