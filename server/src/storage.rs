//! Where files lie: a folder of objects under `DIR/objects`, reached through `object_store`, and `DIR/work` for what is
//! being made.
//!
//! | key | what |
//! | --- | --- |
//! | `incoming/{id}` | an upload that is not accepted yet; whatever is old here is swept at the start |
//! | `uploads/{id}/source.bin` | an accepted upload, never changed; its name is in the database alone |
//! | `scans/{scan}/{version}/{attempt}/…` | tiles, pictures and report of one version, never changed |
//!
//! An object appears whole or not at all: it is written beside its place and renamed into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};

/// Bytes handed to the file at once. Several buffers of this size are in use at a time, and malloc keeps some for each thread that writes.
const PART_BYTES: usize = 1 << 20;
/// Ends the name of a job's lasting work folder.
const LASTING: &str = "lasting";
/// Held in a lasting work folder by whoever works in it.
const LOCK: &str = "attempt.lock";
/// Parts in flight before the sender has to wait.
const PARTS_IN_FLIGHT: usize = 4;

/// The storage of a data folder.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Arc<LocalFileSystem>,
    root: PathBuf,
    work: PathBuf,
}

/// A stored upload that is not accepted yet.
#[derive(Debug)]
pub struct Stored {
    /// Key under `incoming/`.
    pub key: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

impl Storage {
    /// Opens or makes the folders.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        let root = dir.join("objects");
        let work = dir.join("work");
        for folder in [&root, &work] {
            std::fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {}", folder.display()))?;
        }
        let root = root.canonicalize().with_context(|| format!("failed to open the folder {}", root.display()))?;
        let store = LocalFileSystem::new_with_prefix(&root)
            .with_context(|| format!("failed to open the folder {}", root.display()))?
            .with_fsync(true);
        Ok(Self { store: Arc::new(store), root, work })
    }

    /// Starts an upload. Dropping it half-way removes what was written.
    pub async fn begin(&self) -> object_store::Result<Incoming> {
        let key = format!("incoming/{}", crate::db::new_id());
        let upload = self.store.put_multipart(&Key::from(key.as_str())).await?;
        Ok(Incoming { key, writer: WriteMultipart::new_with_chunk_size(upload, PART_BYTES), sha256: Sha256::new(), bytes: 0 })
    }

    /// Gives an upload its lasting key. The file's name is no part of it: names in many scripts grow beyond what file
    /// systems take once they are encoded.
    pub async fn accept(&self, stored: &Stored) -> object_store::Result<String> {
        let id = stored.key.trim_start_matches("incoming/");
        let key: Key = ["uploads", id, "source.bin"].into_iter().collect();
        self.store.rename(&Key::from(stored.key.as_str()), &key).await?;
        Ok(key.to_string())
    }

    /// Stores bytes.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> object_store::Result<()> {
        self.store.put(&key_of(key)?, bytes.into()).await.map(drop)
    }

    /// Moves a finished file of the work folder into the storage.
    pub fn take_file(&self, key: &str, file: &Path) -> anyhow::Result<()> {
        let to = self.path(key)?;
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {}", folder.display()))?;
        }
        std::fs::File::open(file).and_then(|file| file.sync_all()).with_context(|| format!("failed to write {}", file.display()))?;
        std::fs::rename(file, &to).and_then(|()| self.sync_folders(&to)).with_context(|| format!("failed to store {}", to.display()))
    }

    /// Makes the names on the way to an object last: a folder that is not synced may forget a file after a power cut,
    /// while the database remembers it. What the store writes by itself, it syncs by itself.
    fn sync_folders(&self, object: &Path) -> std::io::Result<()> {
        if cfg!(unix) {
            for folder in object.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)) {
                std::fs::File::open(folder)?.sync_all()?;
            }
        }
        Ok(())
    }

    /// Reads a small object whole.
    pub async fn get(&self, key: &str) -> object_store::Result<Bytes> {
        self.store.get(&key_of(key)?).await?.bytes().await
    }

    /// Removes an object; one that is not there is removed already.
    pub async fn remove(&self, key: &str) -> object_store::Result<()> {
        match self.store.delete(&key_of(key)?).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            other => other,
        }
    }

    /// Where an object lies, for readers that seek.
    pub fn path(&self, key: &str) -> object_store::Result<PathBuf> {
        self.store.path_to_filesystem(&key_of(key)?)
    }

    /// A folder for the work of one attempt at a job, which no other attempt uses at the same time: the job's lasting one, with what
    /// attempts before have left in it; while another attempt still holds that, an empty one.
    pub fn work_dir(&self, job: &str) -> std::io::Result<WorkDir> {
        let lasting = self.work_path(job);
        std::fs::create_dir_all(&lasting)?;
        let lock = std::fs::File::options().create(true).truncate(false).write(true).open(lasting.join(LOCK))?;
        // Of an attempt that died the system has let go.
        if lock.try_lock().is_ok() {
            return Ok(WorkDir { path: lasting, lock: Some(lock) });
        }
        let path = self.work.join(format!("{job}-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path)?;
        Ok(WorkDir { path, lock: None })
    }

    /// Path of the folder in which the job's attempts resume one another; it may not exist.
    pub fn work_path(&self, job: &str) -> PathBuf {
        self.work.join(format!("{job}-{LASTING}"))
    }

    /// The work folders that there are.
    pub fn work_dirs(&self) -> std::io::Result<Vec<WorkFolder>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.work)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let (job, attempt) = name.rsplit_once('-').unwrap_or((name.as_str(), ""));
            found.push(WorkFolder { job: job.to_owned(), path: entry.path(), is_lasting: attempt == LASTING });
        }
        Ok(found)
    }

    /// Removes uploads that were cut off by the end of the process: nothing was written to them for an hour.
    pub fn sweep_incoming(&self) {
        let Ok(entries) = std::fs::read_dir(self.root.join("incoming")) else { return };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or_else(|_| SystemTime::now());
            if modified.elapsed().unwrap_or_default() > Duration::from_hours(1)
                && let Err(error) = std::fs::remove_file(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "a cut-off upload could not be removed");
            }
        }
    }
}

fn key_of(key: &str) -> object_store::Result<Key> {
    Key::parse(key).map_err(Into::into)
}

/// A work folder that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkFolder {
    /// The job that it says it belongs to.
    pub job: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it waits for the job's next attempt, rather than belong to one alone.
    pub is_lasting: bool,
}

/// The folder of one attempt at a job. Removed when it is dropped, so also where the attempt panics, unless it was
/// [left](WorkDir::leave).
#[derive(Debug)]
pub struct WorkDir {
    path: PathBuf,
    /// Of the lasting folder. Held as long as the folder is used.
    lock: Option<std::fs::File>,
}

impl WorkDir {
    /// Leaves the folder to the job's next attempt, if it is the one that the next attempt will look for.
    pub fn leave(mut self) {
        if self.lock.take().is_some() {
            self.path.clear();
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            remove_work(&self.path);
        }
    }
}

/// Removes a work folder; one that is not there is removed already.
pub fn remove_work(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(work = %path.display(), %error, "a work folder could not be removed");
        }
        _ => {}
    }
}

/// An upload on its way.
#[derive(Debug)]
pub struct Incoming {
    key: String,
    writer: WriteMultipart,
    sha256: Sha256,
    bytes: u64,
}

impl Incoming {
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

    /// Ends it: the object is there, under its key in `incoming/`.
    pub async fn finish(self) -> object_store::Result<Stored> {
        self.writer.finish().await?;
        let sha256 = self.sha256.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write as _;
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Stored { key: self.key, bytes: self.bytes, sha256 })
    }

    /// Gives it up and removes what was written.
    pub async fn abort(self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(%error, "a given-up upload could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(dir: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![dir.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
            }
        }
        found
    }

    #[tokio::test]
    async fn an_upload_appears_whole_or_not_at_all() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let storage = Storage::open(dir.path())?;
        let mut incoming = storage.begin().await?;
        for _ in 0..5 {
            incoming.write(Bytes::from(vec![7; 3 << 20])).await?;
        }
        incoming.abort().await;
        assert_eq!(files(dir.path()), Vec::<PathBuf>::new());

        let mut incoming = storage.begin().await?;
        incoming.write(Bytes::from_static(b"abc")).await?;
        let stored = incoming.finish().await?;
        assert_eq!(stored.bytes, 3);
        assert_eq!(stored.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let key = storage.accept(&stored).await?;
        assert_eq!(storage.get(&key).await?, Bytes::from_static(b"abc"));
        assert!(storage.path(&key)?.starts_with(dir.path().canonicalize()?));
        storage.remove(&key).await?;
        storage.remove(&key).await?;
        assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
        Ok(())
    }

    #[test]
    fn attempts_at_one_job_do_not_share_a_folder() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let storage = Storage::open(dir.path())?;
        let (first, second) = (storage.work_dir("0190-job")?, storage.work_dir("0190-job")?);
        std::fs::write(second.path().join("points"), "1")?;
        drop(first);
        assert!(second.path().join("points").is_file(), "the other attempt's work stays");
        let left = WorkFolder { job: "0190-job".to_owned(), path: second.path().to_owned(), is_lasting: false };
        assert_eq!(storage.work_dirs()?, [left]);
        second.leave();
        assert!(storage.work_dirs()?.is_empty(), "nobody would find that folder again");
        Ok(())
    }

    #[test]
    fn what_an_attempt_leaves_the_next_one_finds() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let storage = Storage::open(dir.path())?;
        let first = storage.work_dir("0190-job")?;
        std::fs::write(first.path().join("points"), "1")?;
        first.leave();
        assert!(storage.work_dirs()?.iter().all(|folder| folder.is_lasting && folder.job == "0190-job"));
        let second = storage.work_dir("0190-job")?;
        assert_eq!(std::fs::read_to_string(second.path().join("points"))?, "1");
        drop(second);
        assert!(storage.work_dirs()?.is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn a_dropped_upload_leaves_nothing() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let storage = Storage::open(dir.path())?;
        let mut incoming = storage.begin().await?;
        incoming.write(Bytes::from(vec![7; 9 << 20])).await?;
        drop(incoming);
        // The file is removed by a thread of the runtime.
        for _ in 0..200 {
            if files(dir.path()).is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("left behind: {:?}", files(dir.path()))
    }
}
