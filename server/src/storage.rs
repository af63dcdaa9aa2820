//! Storage of files: objects under `DIR/objects`, accessed through `object_store`, and `DIR/work` for the temporary files
//! of jobs.
//!
//! | key | what |
//! | --- | --- |
//! | `incoming/{id}` | an upload that is not accepted yet; what interrupted uploads leave here is removed |
//! | `uploads/{id}/source.bin` | an accepted upload, never changed; its name is in the database alone |
//! | `scans/{scan}/{version}/{attempt}/…` | tiles, pictures and report of one version, never changed |
//! | `pictures/{id}.jpg`, `.png` | a picture of a venue, never changed |
//!
//! An object appears whole or not at all: it is written beside its place and renamed into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

pub use self::incoming::{Incoming, Stored};

mod incoming;

/// Ends the name of a job's lasting work folder.
const LASTING: &str = "lasting";
/// Held in a lasting work folder by whoever works in it.
const LOCK: &str = "attempt.lock";

/// The storage of a data folder.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Arc<LocalFileSystem>,
    root: PathBuf,
    work: PathBuf,
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

    /// Starts an upload. Dropping it before its end removes what was written.
    pub async fn begin(&self) -> object_store::Result<Incoming> {
        Incoming::begin(&self.store, &self.root).await
    }

    /// Gives an upload its lasting key. The file's name is no part of it: names in many scripts grow beyond what file
    /// systems take once they are encoded.
    pub async fn accept(&self, stored: &Stored) -> object_store::Result<String> {
        self.keep(stored, &format!("uploads/{}/source.bin", stored.id())).await
    }

    /// Gives an upload this lasting key.
    pub async fn keep(&self, stored: &Stored, key: &str) -> object_store::Result<String> {
        let key = key_of(key)?;
        self.store.rename(&Key::from(stored.key.as_str()), &key).await?;
        Ok(key.to_string())
    }

    /// Length of an object, if it is there.
    pub async fn bytes_of(&self, key: &str) -> object_store::Result<Option<u64>> {
        match self.store.head(&key_of(key)?).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every object, without those of uploads that are not accepted yet.
    pub async fn list(&self) -> object_store::Result<Vec<Listed>> {
        let mut found = Vec::new();
        let mut listing = self.store.list(None);
        while let Some(object) = listing.next().await.transpose()? {
            if object.location.parts().next().is_none_or(|part| part.as_ref() != incoming::FOLDER) {
                let age = std::time::SystemTime::from(object.last_modified).elapsed().unwrap_or_default();
                found.push(Listed { key: object.location.to_string(), bytes: object.size, age });
            }
        }
        Ok(found)
    }

    /// Removes the folders above a removed object that belonged to it alone and are empty now: those of an upload, or of a version and its
    /// attempts. Folders that others may be using at this moment stay.
    pub fn tidy(&self, key: &str) {
        let own = match key.split('/').next() {
            Some("scans") => 3,
            Some("uploads") => 2,
            _ => return,
        };
        let parts: Vec<&str> = key.split('/').collect();
        for end in (own..parts.len()).rev() {
            if std::fs::remove_dir(self.root.join(parts[..end].join("/"))).is_err() {
                return;
            }
        }
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

    /// Syncs the folders above an object: without it, a file may be missing after a power cut although the database names
    /// it. The object store syncs what it writes itself.
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

    /// Path of an object, for readers that seek.
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

    /// Removes what is left of uploads that nobody receives any more; those in progress, in any process, are not touched.
    /// Blocks.
    pub fn sweep_incoming(&self) {
        let files = incoming::sweep(&self.root);
        if files > 0 {
            tracing::info!(files, "what was left of interrupted uploads is removed");
        }
    }
}

/// An object that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Key.
    pub key: String,
    /// Bytes.
    pub bytes: u64,
    /// Time since it was written.
    pub age: std::time::Duration,
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

impl WorkFolder {
    /// The lock of a lasting folder; `None` while an attempt holds it. No attempt uses the folder as long as the file is open.
    pub fn try_lock(&self) -> Option<std::fs::File> {
        let lock = std::fs::File::options().create(true).truncate(false).write(true).open(self.path.join(LOCK)).ok()?;
        lock.try_lock().is_ok().then_some(lock)
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        drop(stored);
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
