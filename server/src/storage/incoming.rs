//! Uploads that are not accepted yet: the objects under `incoming/`.
//!
//! | file in `incoming/` | content |
//! | --- | --- |
//! | `{id}` and what the object store writes beside it, `{id}#…` | the bytes |
//! | `{id}.lock` | locked by the process that receives the upload, as long as it does |
//!
//! The system releases the lock when the process ends, however it ends. So a lock that is free belongs to an upload that
//! nobody will finish, and [`sweep`] removes its files at once; an upload in progress is never touched, however slow it is.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};

use crate::db::new_id;

/// Folder of the objects, and first part of their keys.
pub(super) const FOLDER: &str = "incoming";
/// Bytes handed to the file at once. Several buffers of this size are in use at a time, and malloc keeps some for each thread that writes.
const PART_BYTES: usize = 1 << 20;
/// Parts in flight before the sender has to wait.
const PARTS_IN_FLIGHT: usize = 4;
/// Ends the name of a lock file.
const LOCK_SUFFIX: &str = ".lock";
/// Files that have no lock file (the file system has no locks, or a process ended between two steps) are removed when
/// nothing was written to them for so long.
const AGE_WITHOUT_LOCK: Duration = Duration::from_hours(1);

/// The locked file beside an upload. Dropping it removes the file.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    /// Holds the lock until it is dropped.
    _file: File,
}

impl Lock {
    /// Makes and locks `{id}.lock`. It appears under its name only once it is locked: nobody can take it for a free one.
    fn acquire(folder: &Path, id: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{id}{LOCK_SUFFIX}"));
        let new = folder.join(format!("{id}{LOCK_SUFFIX}.new"));
        let lock = File::create(&new).and_then(|file| {
            file.try_lock().map_err(io::Error::from)?;
            fs::rename(&new, &path)?;
            Ok(Self { path, _file: file })
        });
        lock.inspect_err(|_| {
            // It may not be there; the sweep would find it.
            let _ = fs::remove_file(&new);
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// An upload in progress. Dropping it before its end removes what was written.
#[derive(Debug)]
pub struct Incoming {
    key: String,
    writer: WriteMultipart,
    sha256: Sha256,
    bytes: u64,
    lock: Option<Lock>,
}

/// A stored upload that is not accepted yet. Its lock is held until this is dropped.
#[derive(Debug)]
pub struct Stored {
    /// Key under `incoming/`.
    pub key: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    _lock: Option<Lock>,
}

impl Stored {
    /// Identifier of the upload.
    pub fn id(&self) -> &str {
        self.key.trim_start_matches(FOLDER).trim_start_matches('/')
    }
}

impl Incoming {
    /// Starts an upload into the store whose files are below `root`.
    pub(super) async fn begin(store: &LocalFileSystem, root: &Path) -> object_store::Result<Self> {
        let id = new_id();
        let key = format!("{FOLDER}/{id}");
        let lock = Lock::acquire(&root.join(FOLDER), &id)
            .inspect_err(|error| tracing::warn!(key, %error, "an upload could not be locked; it is removed late if it is cut off"))
            .ok();
        let upload = store.put_multipart(&Key::from(key.as_str())).await?;
        Ok(Self { key, writer: WriteMultipart::new_with_chunk_size(upload, PART_BYTES), sha256: Sha256::new(), bytes: 0, lock })
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a piece; waits while the disk is behind.
    pub async fn write(&mut self, piece: Bytes) -> object_store::Result<()> {
        self.bytes += piece.len() as u64;
        self.sha256.update(&piece);
        self.writer.wait_for_capacity(PARTS_IN_FLIGHT).await?;
        self.writer.write(&piece);
        Ok(())
    }

    /// Ends the upload: the object exists, under its key in `incoming/`.
    pub async fn finish(self) -> object_store::Result<Stored> {
        self.writer.finish().await?;
        let sha256 = self.sha256.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write as _;
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Stored { key: self.key, bytes: self.bytes, sha256, _lock: self.lock })
    }

    /// Cancels the upload and removes what was written.
    pub async fn abort(self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(key = self.key, %error, "a cancelled upload could not be removed");
        }
    }
}

/// Removes the files of uploads that nobody receives any more; returns how many files. Blocks.
pub(super) fn sweep(root: &Path) -> usize {
    let folder = root.join(FOLDER);
    let Ok(entries) = fs::read_dir(&folder) else { return 0 };
    let mut uploads: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Identifiers have neither of these characters.
        let id = name.split(['#', '.']).next().unwrap_or_default();
        uploads.entry(id.to_owned()).or_default().push(entry.path());
    }
    let mut removed = 0;
    for (id, files) in uploads {
        let lock = folder.join(format!("{id}{LOCK_SUFFIX}"));
        // Held until the files are removed.
        let held = match File::open(&lock).map(|file| file.try_lock().map(|()| file)) {
            Ok(Ok(file)) => Some(file),
            Ok(Err(TryLockError::WouldBlock)) => continue,
            // No lock file, or a file system without locks.
            Err(_) | Ok(Err(TryLockError::Error(_))) => None,
        };
        if held.is_none() && !files.iter().all(|file| is_old(file)) {
            continue;
        }
        let (locks, bytes): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| *file == lock);
        // The lock file last: as long as bytes are there, so is the sign that nobody owns them.
        removed += bytes.iter().chain(&locks).filter(|file| remove(file)).count();
    }
    removed
}

fn is_old(file: &Path) -> bool {
    let modified = fs::metadata(file).and_then(|metadata| metadata.modified()).unwrap_or_else(|_| SystemTime::now());
    modified.elapsed().unwrap_or_default() > AGE_WITHOUT_LOCK
}

/// Removes a file; whether it was there.
fn remove(file: &Path) -> bool {
    match fs::remove_file(file) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            tracing::warn!(path = %file.display(), %error, "a file of an upload could not be removed");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let entries = fs::read_dir(root.join(FOLDER)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn make(root: &Path, name: &str, age: Duration) -> io::Result<()> {
        fs::create_dir_all(root.join(FOLDER))?;
        let file = File::create(root.join(FOLDER).join(name))?;
        file.set_modified(SystemTime::now() - age)
    }

    #[tokio::test]
    async fn an_upload_in_progress_is_never_swept_however_old_its_files() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let store = LocalFileSystem::new_with_prefix(dir.path())?;
        let mut incoming = Incoming::begin(&store, dir.path()).await?;
        incoming.write(Bytes::from_static(b"abc")).await?;
        for entry in fs::read_dir(dir.path().join(FOLDER))?.flatten() {
            File::options().write(true).open(entry.path())?.set_modified(SystemTime::now() - 100 * AGE_WITHOUT_LOCK)?;
        }
        assert_eq!(sweep(dir.path()), 0);
        let stored = incoming.finish().await?;
        assert_eq!(sweep(dir.path()), 0, "stored, and not accepted yet");
        assert!(names(dir.path()).iter().any(|name| stored.key.ends_with(name)));
        let key = stored.key.clone();
        drop(stored);
        assert_eq!(names(dir.path()), [key.trim_start_matches("incoming/")], "the lock went with its owner");
        Ok(())
    }

    #[test]
    fn files_with_a_free_lock_go_at_once_and_those_without_one_when_they_are_old() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let second = Duration::from_secs(1);
        let young = AGE_WITHOUT_LOCK.saturating_sub(60 * second);
        for name in ["0190-dead.lock", "0190-dead#1", "0190-half.lock"] {
            make(dir.path(), name, second)?;
        }
        make(dir.path(), "0190-old#1", AGE_WITHOUT_LOCK + 60 * second)?;
        make(dir.path(), "0190-young#1", young)?;
        make(dir.path(), "0190-starting.lock.new", second)?;
        assert_eq!(sweep(dir.path()), 4);
        assert_eq!(names(dir.path()), ["0190-starting.lock.new", "0190-young#1"]);
        assert_eq!(sweep(dir.path()), 0);
        Ok(())
    }

    #[test]
    fn a_folder_that_is_not_there_has_nothing_to_sweep() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        assert_eq!(sweep(dir.path()), 0);
        Ok(())
    }
}
