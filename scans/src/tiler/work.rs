//! The work folder: temporary files that outlive a run which was killed, so that the next one goes on from there.
//!
//! It is `.tiling` in the destination. A lock keeps a second run out. `work.json` says what the work is, by a
//! fingerprint of sources and options, and appears when the records are distributed; from then on every chunk whose part is whole is done.
//! Everything that is found is checked before it is used, and what does not fit is made again.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::distribute::Distributed;
use super::lattice::Cube;
use super::mark;
use super::report::Report;
use crate::error::{Error, ErrorKind, Result};
use crate::points::Attributes;
use crate::read::record::ExtraField;
use crate::read::{Setup, TailFormat, Warning};

/// Name of the folder.
const NAME: &str = ".tiling";
/// Name of a folder that is being removed: nothing in it counts any more.
const TRASH: &str = ".tiling-trash";
/// Name of the report.
const REPORT: &str = "report.json";
/// Name of the list of files that are being moved to their places.
const PUBLISHING: &str = "publish.json";
/// Changes when what lies in the folder does.
const VERSION: u32 = 1;
/// Times the bytes of all records that the disk must have free: for temporary files, and for the outputs beside them.
const SPACE: f64 = 1.5 + 1.25;

/// What is known of the scan when its records are distributed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Survey {
    version: u32,
    fingerprint: String,
    pub(super) cube: Cube,
    /// Points wanted in a tile.
    pub(super) tile_points: usize,
    format: Format,
    pub(super) attributes: Attributes,
    pub(super) points_in: u64,
    pub(super) not_finite: u64,
    pub(super) far_away: u64,
    pub(super) distributed: Distributed,
    pub(super) warnings: Vec<Warning>,
    pub(super) setups: Vec<Setup>,
    pub(super) wkt: Option<String>,
    pub(super) gps_standard_time: bool,
}

/// A [`TailFormat`] as JSON knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Format {
    color: bool,
    nir: bool,
    extra: Vec<Vec<u8>>,
}

/// The parts of a survey that are not told by the others.
pub(super) struct Findings {
    pub(super) cube: Cube,
    pub(super) tile_points: usize,
    pub(super) format: TailFormat,
    pub(super) attributes: Attributes,
    pub(super) points_in: u64,
    pub(super) not_finite: u64,
    pub(super) far_away: u64,
    pub(super) distributed: Distributed,
    pub(super) warnings: Vec<Warning>,
    pub(super) setups: Vec<Setup>,
    pub(super) wkt: Option<String>,
    pub(super) gps_standard_time: bool,
}

impl Survey {
    pub(super) fn new(fingerprint: &str, findings: Findings) -> Self {
        let format = findings.format;
        Self {
            version: VERSION,
            fingerprint: fingerprint.to_owned(),
            cube: findings.cube,
            tile_points: findings.tile_points,
            format: Format {
                color: format.color,
                nir: format.nir,
                extra: format.extra.iter().map(|field| field.descriptor.to_vec()).collect(),
            },
            attributes: findings.attributes,
            points_in: findings.points_in,
            not_finite: findings.not_finite,
            far_away: findings.far_away,
            distributed: findings.distributed,
            warnings: findings.warnings,
            setups: findings.setups,
            wkt: findings.wkt,
            gps_standard_time: findings.gps_standard_time,
        }
    }

    pub(super) fn format(&self) -> TailFormat {
        let field = |bytes: &Vec<u8>| Some(ExtraField { descriptor: bytes.as_slice().try_into().ok()? });
        TailFormat { color: self.format.color, nir: self.format.nir, extra: self.format.extra.iter().filter_map(field).collect() }
    }
}

/// What is being moved to its place.
#[derive(Debug, Serialize, Deserialize)]
struct Publishing {
    fingerprint: Option<String>,
    /// Paths below the folder, the report last: it says that a scan is complete.
    names: Vec<String>,
    /// Files of the scan before.
    stale: Vec<String>,
}

/// Files that the report in `dir` names and that are not among the new ones.
fn stale(dir: &Path, names: &[String]) -> Vec<String> {
    let report = std::fs::read(dir.join(REPORT)).ok();
    let report: Option<Report> = report.and_then(|text| serde_json::from_slice(&text).ok());
    let files = report.map(|report| report.files).unwrap_or_default();
    // A name that leads elsewhere was not made here.
    let is_plain = |name: &String| Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    files.into_iter().map(|file| file.name).filter(|name| is_plain(name) && !names.contains(name)).collect()
}

/// Number of steps that the journal in `dir` records: one for the distributed records, one for each part that is whole, one for the
/// list of files that are being published. 0 where there is no journal.
pub(super) fn recorded_steps(dir: &Path) -> u64 {
    let is_step = |name: &str| {
        let is_part = name.starts_with("part-") && Path::new(name).extension().is_some_and(|ending| ending == "json");
        is_part || name == "work.json" || name == PUBLISHING
    };
    let entries = std::fs::read_dir(dir.join(NAME)).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_str().is_some_and(is_step)).count() as u64
}

/// The folder, locked for this run.
pub(super) struct Work {
    path: PathBuf,
    fingerprint: Option<String>,
    /// The fingerprint, and that of the scan that is added to.
    survey_fingerprint: Option<String>,
    /// What a run of the same work had published when it was killed.
    published: Option<Report>,
    /// The lock lasts as long as the file is open.
    _lock: File,
}

impl Work {
    /// Opens the folder in `dir`. Without a fingerprint nothing of an earlier run is used.
    ///
    /// Of work that adds to the scan in `dir`, what was distributed counts as long as that scan is the same.
    pub(super) fn open(dir: &Path, fingerprint: Option<String>, is_added_to: bool) -> Result<Self> {
        let path = dir.join(NAME);
        // Left by a run that was killed while it removed it, or by one that is just doing so.
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
        let mut work = Self { path, fingerprint, survey_fingerprint: None, published: None, _lock: lock };
        work.complete(dir)?;
        // Only now: completing an earlier run puts another report there.
        let scan =
            if is_added_to { std::fs::read(dir.join(REPORT)).map(|report| mark::of(&report)).unwrap_or_default() } else { String::new() };
        work.survey_fingerprint = work.fingerprint.as_ref().map(|own| format!("{own}\n{scan}"));
        Ok(work)
    }

    /// What a run of the same work had published when it was killed: nothing is left to do.
    pub(super) fn published(&self) -> Option<Report> {
        self.published.clone()
    }

    /// Moves the report's files and the report to their places in `dir`, and removes files of an earlier scan that has
    /// others.
    pub(super) fn publish(&self, report: &Report, dir: &Path) -> Result<()> {
        let names: Vec<String> = report.files.iter().map(|file| file.name.clone()).chain([REPORT.to_owned()]).collect();
        let list = Publishing { fingerprint: self.fingerprint.clone(), stale: stale(dir, &names), names };
        let text = serde_json::to_vec(&list).map_err(|error| Error::Internal(error.to_string()))?;
        let (draft, path) = (self.path.join("publish.draft"), self.path.join(PUBLISHING));
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        std::fs::rename(&draft, &path).map_err(|error| Error::io("write", &path, error))?;
        if self.put(&list, dir)? { Ok(()) } else { Err(Error::Internal("files that were made are gone before they were published".into())) }
    }

    /// Completes what a run that was killed had begun to publish.
    fn complete(&mut self, dir: &Path) -> Result<()> {
        let Ok(text) = std::fs::read(self.path.join(PUBLISHING)) else { return Ok(()) };
        if let Ok(list) = serde_json::from_slice::<Publishing>(&text) {
            // What somebody has removed meanwhile has to be made again.
            let is_whole = self.put(&list, dir)?;
            if is_whole && self.fingerprint.is_some() && self.fingerprint == list.fingerprint {
                self.published = std::fs::read(dir.join(REPORT)).ok().and_then(|text| serde_json::from_slice(&text).ok());
            }
        }
        self.clear()
    }

    /// Renames what is still here; tells whether all is in its place.
    fn put(&self, list: &Publishing, dir: &Path) -> Result<bool> {
        let mut is_whole = true;
        for name in &list.names {
            let (from, to) = (self.path.join(name), dir.join(name));
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder).map_err(|error| Error::io("write", folder, error))?;
            }
            match std::fs::rename(&from, &to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => is_whole &= to.exists(),
                result => result.map_err(|error| Error::io("write", to, error))?,
            }
        }
        for name in &list.stale {
            let _ = std::fs::remove_file(dir.join(name));
        }
        Ok(is_whole)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier run of the same work has found.
    pub(super) fn resume(&self) -> Option<Survey> {
        let fingerprint = self.survey_fingerprint.as_ref()?;
        let survey: Survey = serde_json::from_slice(&std::fs::read(self.path.join("work.json")).ok()?).ok()?;
        let is_same = survey.version == VERSION && survey.fingerprint == *fingerprint;
        let is_there = |name: &str, bytes: u64| std::fs::metadata(self.path.join(name)).is_ok_and(|metadata| metadata.len() == bytes);
        let is_whole = survey
            .distributed
            .chunks
            .iter()
            .enumerate()
            .all(|(number, chunk)| is_there(&chunk.file, chunk.bytes) || self.part_path(number).with_extension("json").is_file());
        (is_same && is_whole).then_some(survey)
    }

    /// Removes what earlier runs have left; last what says that it was published, else it would look like work to be done again.
    pub(super) fn clear(&self) -> Result<()> {
        let entries = std::fs::read_dir(&self.path).map_err(|error| Error::io("read", &self.path, error))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| !path.ends_with("lock")).collect();
        paths.sort_by_key(|path| path.ends_with(PUBLISHING));
        for path in paths {
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(|error| Error::io("remove", path, error))?;
        }
        Ok(())
    }

    /// Writes down what the run has found, so that another goes on from here.
    pub(super) fn keep(&self, findings: Findings) -> Result<Survey> {
        let survey = Survey::new(self.survey_fingerprint.as_deref().unwrap_or_default(), findings);
        if self.fingerprint.is_some() {
            let text = serde_json::to_vec(&survey).map_err(|error| Error::Internal(error.to_string()))?;
            let (draft, path) = (self.path.join("work.draft"), self.path.join("work.json"));
            std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
            std::fs::rename(&draft, &path).map_err(|error| Error::io("write", &path, error))?;
        }
        Ok(survey)
    }

    /// The file of a chunk's part.
    pub(super) fn part_path(&self, number: usize) -> PathBuf {
        self.path.join(format!("part-{number}.bin"))
    }

    /// Refuses work that the disk has no room for.
    pub(super) fn check_space(&self, points: u64, record_len: usize) -> Result<()> {
        let wanted = (points as f64 * record_len as f64 * SPACE) as u64;
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

    /// Removes the folder, unless what is in it is worth keeping after this error.
    pub(super) fn end(self, error: Option<&Error>) {
        let worth_keeping = error.is_some_and(|error| matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Storage));
        if !(worth_keeping && self.fingerprint.is_some() && self.path.join("work.json").is_file()) {
            // All at once, so that nobody finds a part of it.
            let trash = self.path.with_file_name(TRASH);
            let _ = std::fs::remove_dir_all(&trash);
            let gone = if std::fs::rename(&self.path, &trash).is_ok() { &trash } else { &self.path };
            let _ = std::fs::remove_dir_all(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_folder_in_use_are_faults_of_the_storage() -> Result<()> {
        let dir = tempfile::tempdir().map_err(|error| Error::io("make", "a folder", error))?;
        let work = Work::open(dir.path(), None, false)?;
        work.check_space(1, 30)?;
        // 2^55 bytes: no disk has them.
        let full = work.check_space(1 << 50, 32).err();
        assert_eq!(full.map(|error| (error.code(), error.kind())), Some(("disk_full", ErrorKind::Storage)));
        let second = Work::open(dir.path(), None, false).err();
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
            [("chunk-0.lz4", 0), ("work.draft", 0), ("work.json", 1), ("part-0.bin", 1), ("part-0.json", 2), ("part-above.json", 3)]
        {
            std::fs::write(work.join(name), "{}")?;
            assert_eq!(recorded_steps(dir.path()), steps, "{name}");
        }
        std::fs::write(work.join(PUBLISHING), "{}")?;
        assert_eq!(recorded_steps(dir.path()), 4);
        Ok(())
    }
}
