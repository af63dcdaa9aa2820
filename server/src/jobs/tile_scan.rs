//! Makes everything that the tiler makes out of a version's file, and publishes it: both encodings, pictures, report.
//!
//! All is made in the job's work folder, where an attempt that was stopped is continued by the next, and stored under keys of this attempt; the last step is one transaction that
//! ends the job and makes the version ready. Until then nobody sees anything, and an attempt that dies leaves nothing
//! that another would find.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use parterre_raster::largest_level;
use parterre_read as read;
use parterre_tiler as tiler;
use serde::{Deserialize, Serialize};

use crate::db::{new_id, now_ms, settle, wait_shortly, write};
use crate::jobs::{Context, JobError};
use crate::models::jobs::Job;
use crate::models::versions::{MadeFile, Published, Version};

/// The kind under which the job is entered.
pub const KIND: &str = "tile_scan";

/// Share of the whole that tiling takes; the rest is storing what was made.
const TILING_SHARE: f64 = 0.99;

/// What the job works on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The scan.
    pub scan: String,
    /// Its version.
    pub version: i32,
    /// What goes before what the file says of itself.
    #[serde(default, skip_serializing_if = "read::Override::is_empty")]
    pub wishes: read::Override,
}

impl Payload {
    /// As the job's row holds it.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// Runs the job.
pub fn run(
    context: &Context,
    owner: &str,
    job: &Job,
    cancel: &Arc<AtomicBool>,
    report_progress: &(dyn Fn(&str, f64) + Sync),
) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload).map_err(JobError::internal)?;
    let version = {
        let mut conn = context.database.get()?;
        Version::find(&mut conn, &payload.scan, payload.version)?
            .with_context(|| format!("scan {} has no version {}", payload.scan, payload.version))
            .map_err(JobError::internal)?
    };
    let work = context.storage.work_dir(&job.id).map_err(JobError::storage)?;
    let prefix = format!("scans/{}/{}/{}", version.scan_id, version.version, new_id());
    let mut stored = Stored { context, prefix, keys: Vec::new() };
    let made = match make(&version, &payload.wishes, work.path(), &mut stored, cancel, report_progress) {
        Ok(made) => made,
        Err(error) => {
            // The next attempt goes on from there. Where there is none, the folder is swept.
            if matches!(error, JobError::Cancelled | JobError::Ours { code: "storage_failed", .. }) {
                work.leave();
            }
            return Err(error);
        }
    };
    drop(work);
    let written = publish(context, owner, job, &version, &made);
    match settle(written, || find_published(context, &version, &made.tiles_key)) {
        Ok(()) => {
            stored.keep();
            Ok(())
        }
        Err((error, certain)) => {
            if !certain {
                stored.keep();
            }
            Err(error)
        }
    }
}

/// The objects of this attempt. Removed when this is dropped, so also where the attempt panics.
struct Stored<'a> {
    context: &'a Context,
    /// What their keys begin with.
    prefix: String,
    keys: Vec<String>,
}

impl Stored<'_> {
    fn keep(&mut self) {
        self.keys.clear();
    }
}

impl Drop for Stored<'_> {
    fn drop(&mut self) {
        for key in &self.keys {
            if let Err(error) = self.context.runtime.block_on(self.context.storage.remove(key)) {
                tracing::warn!(key, %error, "an object that nobody needs could not be removed");
            }
        }
    }
}

/// Makes and stores everything; gives what the version's row will name.
fn make(
    version: &Version,
    wishes: &read::Override,
    work: &std::path::Path,
    stored: &mut Stored<'_>,
    cancel: &Arc<AtomicBool>,
    report_progress: &(dyn Fn(&str, f64) + Sync),
) -> Result<Published, JobError> {
    let context = stored.context;
    let prefix = stored.prefix.clone();
    let of_file = |error| JobError::of_file(error, &version.file_name);
    let stop_if_asked = || if cancel.load(Ordering::SeqCst) { Err(JobError::Cancelled) } else { Ok(()) };

    report_progress("read", 0.0);
    let source_path = context.storage.path(&version.source_key).map_err(JobError::storage)?;
    if !source_path.is_file() {
        return Err(JobError::storage(anyhow::anyhow!("{} is gone", source_path.display())));
    }
    let source = read::open_with(&source_path, wishes).map_err(of_file)?;
    let options = tiler::Options {
        memory_bytes: context.config.memory_bytes,
        tile_points: context.config.tile_points,
        cancel: Some(Arc::clone(cancel)),
        // The file never changes, and its content and the wishes say all that the tiles depend on.
        fingerprint: Some(format!("{} {}", version.sha256, serde_json::json!(wishes))),
        ..tiler::Options::default()
    };
    let report = tiler::tile(&mut [source], work, &options, &|progress| {
        report_progress(progress.stage, progress.fraction * TILING_SHARE);
    })
    .map_err(of_file)?;
    stop_if_asked()?;

    report_progress("publish", TILING_SHARE);
    let files: Vec<MadeFile> = report.files.iter().map(|file| MadeFile { name: file.name.clone(), bytes: file.bytes }).collect();
    let key_of = |name: &str| format!("{prefix}/{name}");
    for name in files.iter().map(|file| file.name.as_str()).chain(["report.json"]) {
        let key = key_of(name);
        stored.keys.push(key.clone());
        context.storage.take_file(&key, &work.join(name)).map_err(JobError::storage)?;
    }
    let main_level = largest_level(&report.levels).map_or(1, |main| report.levels[main].number);
    let bytes_of = |name: &str| files.iter().find(|file| file.name == name).map(|file| file.bytes as i64);
    let tiles_bytes = bytes_of("tiles.3tz").ok_or_else(|| JobError::internal(anyhow::anyhow!("the tiler made no tiles")))?;

    Ok(Published {
        state: "ready".into(),
        tiles_key: key_of("tiles.3tz"),
        thumbnail_key: key_of("thumbnail.png"),
        plan_key: key_of(&format!("plan-{main_level}.png")),
        report_key: key_of("report.json"),
        report: serde_json::to_string(&report).map_err(JobError::internal)?,
        frame: serde_json::to_string(&report.frame).map_err(JobError::internal)?,
        points: report.points_out as i64,
        tiles_bytes,
        published_at: now_ms(),
        files: serde_json::to_string(&files).map_err(JobError::internal)?,
        prefix,
    })
}

fn publish(context: &Context, owner: &str, job: &Job, version: &Version, published: &Published) -> Result<(), JobError> {
    let mut conn = context.database.get()?;
    write(&mut conn, |conn| {
        if !Job::finish(conn, &job.id, owner)? || !Version::publish(conn, &version.scan_id, version.version, published)? {
            // Someone else holds the job: what they make counts, and this transaction is undone.
            return Err(JobError::Cancelled);
        }
        Ok(())
    })
}

/// Whether [`publish`] was written: the version names these tiles, which are of this attempt alone.
fn find_published(context: &Context, version: &Version, tiles_key: &str) -> anyhow::Result<Option<()>> {
    let row = write(&mut *context.database.get()?, |conn| {
        wait_shortly(conn)?;
        Version::find_held(conn, &version.scan_id, version.version)
    })?;
    Ok(row.filter(|row| row.tiles_key.as_deref() == Some(tiles_key)).map(drop))
}
