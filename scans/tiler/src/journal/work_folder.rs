//! The work folder: `.tiling` in the destination, with temporary files that outlive a run that was killed.
//!
//! A lock keeps a second run out. The journal `work.json` identifies the work by a fingerprint of sources and options. It is written
//! when the records are distributed; from then on every chunk with a complete node file is done. Everything that is found is checked before
//! it is used, and what does not fit is made again.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::distributed_scan::DistributedScan;
use super::publishing::{PUBLISHING, Publishing, REPORT, read_report};
use crate::build::node_file_path;
use crate::report::Report;
use crate::sources::fingerprint;
use parterre_model::{Error, ErrorKind, Result};

/// Name of the folder.
const NAME: &str = ".tiling";
/// Name of a folder that is being removed: its content is not used any more.
const TRASH: &str = ".tiling-trash";
/// Name of the journal.
const JOURNAL: &str = "work.json";
/// Version of the journal and of all files in the folder.
const VERSION: u32 = 4;
/// Bytes that the disk must have free for each byte of all records: for temporary files, and for the outputs beside them.
const DISK_BYTES_PER_BYTE: f64 = 1.5 + 1.25;

/// The journal.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    version: u32,
    /// Of the job, and of the scan that is added to.
    fingerprint: String,
    scan: DistributedScan,
}

/// Number of steps that the journal of a run in `dir` has recorded, 0 where there is no journal: one for the distributed records, one for each
/// complete node file, one for the list of files that are being published.
///
/// A run that is resumed never does a recorded step again, so a number that has grown means that the run before made progress. It falls to 0
/// where the journal turns out to be damaged or the run ends.
pub fn recorded_steps(dir: &Path) -> u64 {
    let is_step = |name: &str| {
        let is_node_file = name.starts_with("nodes-") && Path::new(name).extension().is_some_and(|ending| ending == "json");
        is_node_file || name == JOURNAL || name == PUBLISHING
    };
    let entries = std::fs::read_dir(dir.join(NAME)).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_str().is_some_and(is_step)).count() as u64
}

/// The folder, locked for this run.
pub(crate) struct WorkFolder {
    path: PathBuf,
    /// Of the job; without one nothing is resumed.
    fingerprint: Option<String>,
    /// The fingerprint of the job together with that of the scan that is added to.
    scan_fingerprint: Option<String>,
    /// The report of a run of the same job that was killed after it had published everything.
    published: Option<Report>,
    /// The lock lasts as long as the file is open.
    _lock: File,
}

impl WorkFolder {
    /// Opens the folder in `dir`. Without a fingerprint nothing of an earlier run is used.
    ///
    /// A job that adds to the scan in `dir` (`is_added_to`) resumes only where that scan is still the same.
    ///
    /// # Errors
    /// `tiling_in_progress`, `io`.
    pub(crate) fn open(dir: &Path, fingerprint: Option<String>, is_added_to: bool) -> Result<Self> {
        let path = dir.join(NAME);
        // Left by a run that was killed while it removed it, or by one that is removing it now.
        let _ = std::fs::remove_dir_all(dir.join(TRASH));
        std::fs::create_dir_all(&path).map_err(|error| Error::io("write", &path, error))?;
        let lock_path = path.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(|error| Error::io("write", &lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::storage(
                    "tiling_in_progress",
                    format!("another run is working in {}", path.display()),
                    "Wait until it is done, or choose another folder.",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", lock_path, error)),
        }
        let mut work = Self { path, fingerprint, scan_fingerprint: None, published: None, _lock: lock };
        work.complete_publishing(dir)?;
        // Only now: completing an earlier run puts another report there.
        let scan = if is_added_to {
            std::fs::read(dir.join(REPORT)).map(|report| fingerprint::of_bytes(&report)).unwrap_or_default()
        } else {
            String::new()
        };
        work.scan_fingerprint = work.fingerprint.as_ref().map(|own| format!("{own}\n{scan}"));
        Ok(work)
    }

    /// The report of a run of the same job that was killed after it had published everything: nothing is left to do.
    pub(crate) fn published(&self) -> Option<Report> {
        self.published.clone()
    }

    /// Moves the report's files and the report to their places in `dir`, and removes files of an earlier scan that the new one does not have.
    pub(crate) fn publish(&self, report: &Report, dir: &Path) -> Result<()> {
        let list = Publishing::new(self.fingerprint.clone(), report, dir);
        list.write(&self.path)?;
        if list.move_files(&self.path, dir)? {
            Ok(())
        } else {
            Err(Error::Internal("files that were made are gone before they were published".into()))
        }
    }

    /// Completes the publishing that a killed run had begun.
    fn complete_publishing(&mut self, dir: &Path) -> Result<()> {
        if !self.path.join(PUBLISHING).is_file() {
            return Ok(());
        }
        if let Some(list) = Publishing::read(&self.path) {
            // Files that somebody has removed meanwhile have to be made again.
            let is_complete = list.move_files(&self.path, dir)?;
            if is_complete && self.fingerprint.is_some() && self.fingerprint == list.fingerprint {
                self.published = read_report(dir);
            }
        }
        self.clear()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether node files of an earlier run may be used.
    pub(crate) fn resumes(&self) -> bool {
        self.fingerprint.is_some()
    }

    /// The scan as an earlier run of the same job has distributed it, where all files that are needed are there.
    pub(crate) fn resume(&self) -> Option<DistributedScan> {
        let fingerprint = self.scan_fingerprint.as_ref()?;
        let journal: Journal = serde_json::from_slice(&std::fs::read(self.path.join(JOURNAL)).ok()?).ok()?;
        let is_same = journal.version == VERSION && journal.fingerprint == *fingerprint;
        let exists = |name: &str, bytes: u64| std::fs::metadata(self.path.join(name)).is_ok_and(|metadata| metadata.len() == bytes);
        let is_complete =
            journal.scan.distributed.chunks.iter().enumerate().all(|(index, chunk)| {
                exists(&chunk.file, chunk.bytes) || node_file_path(&self.path, index).with_extension("json").is_file()
            });
        (is_same && is_complete).then_some(journal.scan)
    }

    /// Removes the files of earlier runs. The list of published files goes last: without it a published job would look like one to do again.
    pub(crate) fn clear(&self) -> Result<()> {
        let entries = std::fs::read_dir(&self.path).map_err(|error| Error::io("read", &self.path, error))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| !path.ends_with("lock")).collect();
        paths.sort_by_key(|path| path.ends_with(PUBLISHING));
        for path in paths {
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(|error| Error::io("remove", path, error))?;
        }
        Ok(())
    }

    /// Writes the journal, so that a later run resumes here. Nothing where the job has no fingerprint.
    pub(crate) fn write_journal(&self, scan: DistributedScan) -> Result<DistributedScan> {
        let Some(fingerprint) = self.scan_fingerprint.clone() else { return Ok(scan) };
        let journal = Journal { version: VERSION, fingerprint, scan };
        let text = serde_json::to_vec(&journal).map_err(|error| Error::Internal(error.to_string()))?;
        let (draft, path) = (self.path.join("work.draft"), self.path.join(JOURNAL));
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        std::fs::rename(&draft, &path).map_err(|error| Error::io("write", &path, error))?;
        Ok(journal.scan)
    }

    /// Refuses a job that the disk has no room for.
    ///
    /// # Errors
    /// `disk_full`.
    pub(crate) fn check_space(&self, points: u64, record_len: usize) -> Result<()> {
        let wanted = (points as f64 * record_len as f64 * DISK_BYTES_PER_BYTE) as u64;
        let Ok(free) = fs4::available_space(&self.path) else { return Ok(()) };
        if free < wanted {
            return Err(Error::storage(
                "disk_full",
                format!(
                    "tiling {points} points takes up to {} MiB in {}, and {} MiB are free",
                    wanted >> 20,
                    self.path.display(),
                    free >> 20
                ),
                "Free space, or choose a folder on another disk.",
            ));
        }
        Ok(())
    }

    /// Removes the folder, unless a later run can resume after this error.
    pub(crate) fn close(self, error: Option<&Error>) {
        let can_resume = error.is_some_and(|error| matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Storage));
        if !(can_resume && self.fingerprint.is_some() && self.path.join(JOURNAL).is_file()) {
            // Renamed first, so that no other run finds a part of it.
            let trash = self.path.with_file_name(TRASH);
            let _ = std::fs::remove_dir_all(&trash);
            let removed = if std::fs::rename(&self.path, &trash).is_ok() { &trash } else { &self.path };
            let _ = std::fs::remove_dir_all(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_folder_in_use_are_faults_of_the_storage() -> Result<()> {
        let dir = tempfile::tempdir().map_err(|error| Error::io("make", "a folder", error))?;
        let work = WorkFolder::open(dir.path(), None, false)?;
        work.check_space(1, 30)?;
        // 2^55 bytes: no disk has them.
        let full = work.check_space(1 << 50, 32).err();
        assert_eq!(full.map(|error| (error.code(), error.kind())), Some(("disk_full", ErrorKind::Storage)));
        let second = WorkFolder::open(dir.path(), None, false).err();
        assert_eq!(second.map(|error| (error.code(), error.kind())), Some(("tiling_in_progress", ErrorKind::Storage)));
        Ok(())
    }

    #[test]
    fn steps_are_counted_as_they_are_recorded() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        assert_eq!(recorded_steps(dir.path()), 0);
        let work = dir.path().join(NAME);
        std::fs::create_dir(&work)?;
        for (name, steps) in
            [("chunk-0.lz4", 0), ("work.draft", 0), ("work.json", 1), ("nodes-0.bin", 1), ("nodes-0.json", 2), ("nodes-upper.json", 3)]
        {
            std::fs::write(work.join(name), "{}")?;
            assert_eq!(recorded_steps(dir.path()), steps, "{name}");
        }
        std::fs::write(work.join(PUBLISHING), "{}")?;
        assert_eq!(recorded_steps(dir.path()), 4);
        Ok(())
    }
}
