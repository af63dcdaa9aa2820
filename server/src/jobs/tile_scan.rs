//! Makes everything that the tiler makes out of a version's file, and publishes it: both encodings, pictures, report.
//!
//! A process of its own tiles in the job's work folder, where the next attempt resumes an attempt that was stopped or killed. The service
//! then stores the files under keys of this attempt; the last step is one transaction that ends the job and makes the version
//! ready. Nothing of the version can be seen before that, and an attempt that fails leaves no objects.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use parterre_model::frame::Frame;
use parterre_raster::{Level, largest_level};
use parterre_read as read;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::error::JobError;
use super::protocol::{Task, TileTask};
use super::{memory_limit, process};
use crate::db::{new_id, now_ms, settle, wait_shortly, write};
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
    /// Unit, axis and coordinate system as the uploader gave them.
    #[serde(rename = "wishes", default, skip_serializing_if = "read::Override::is_empty")]
    pub overrides: read::Override,
}

impl Payload {
    /// As the job's row holds it.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// The part of the tiler's report that the version's row needs.
#[derive(Debug, Deserialize)]
struct Report {
    files: Vec<MadeFile>,
    levels: Vec<Level>,
    frame: Frame,
    points_out: u64,
}

/// Runs the job.
pub fn run(
    context: &Context,
    owner: &str,
    job: &Job,
    cancel: &AtomicBool,
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
    let made = match make(&job.id, &version, payload.overrides, work.path(), &mut stored, cancel, report_progress) {
        Ok(made) => made,
        Err(error) => {
            // The next attempt resumes from the journal in it. Where there is no next attempt, the folder is swept.
            if !matches!(error, JobError::BadInput(_)) {
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
    job: &str,
    version: &Version,
    overrides: read::Override,
    work: &Path,
    stored: &mut Stored<'_>,
    cancel: &AtomicBool,
    report_progress: &(dyn Fn(&str, f64) + Sync),
) -> Result<Published, JobError> {
    let context = stored.context;
    let config = &context.config;
    let prefix = stored.prefix.clone();

    report_progress("read", 0.0);
    let source = context.storage.path(&version.source_key).map_err(JobError::storage)?;
    if !source.is_file() {
        return Err(JobError::storage(anyhow::anyhow!("{} is gone", source.display())));
    }
    let task = TileTask {
        source,
        // The process may have another working directory one day; the service's own paths stay valid.
        work_dir: std::path::absolute(work).map_err(JobError::storage)?,
        file_name: version.file_name.clone(),
        // The file never changes, and its content and the overrides say all that the tiles depend on.
        fingerprint: format!("{} {}", version.sha256, serde_json::json!(overrides)),
        overrides,
        memory_bytes: config.memory_bytes,
        memory_limit_bytes: memory_limit::of_config(config),
        tile_points: config.tile_points,
    };
    let shall_stop = || cancel.load(Ordering::SeqCst);
    let text = process::run(&config.program, job, &Task::Tile(task), &shall_stop, config.stop_time, &|stage, fraction| {
        report_progress(stage, fraction * TILING_SHARE);
    })
    .map_err(JobError::from)?;
    if cancel.load(Ordering::SeqCst) {
        return Err(JobError::Cancelled);
    }

    report_progress("publish", TILING_SHARE);
    let report: Report = serde_json::from_str(&text).map_err(JobError::internal)?;
    let key_of = |name: &str| format!("{prefix}/{name}");
    for name in report.files.iter().map(|file| file.name.as_str()).chain(["report.json"]) {
        let key = key_of(name);
        stored.keys.push(key.clone());
        context.storage.take_file(&key, &work.join(name)).map_err(JobError::storage)?;
    }
    let main_level = largest_level(&report.levels).map_or(1, |main| report.levels[main].number);
    let bytes_of = |name: &str| report.files.iter().find(|file| file.name == name).map(|file| file.bytes as i64);
    let tiles_bytes = bytes_of("tiles.3tz").ok_or_else(|| JobError::internal(anyhow::anyhow!("the tiler made no tiles")))?;

    Ok(Published {
        state: "ready".into(),
        tiles_key: key_of("tiles.3tz"),
        thumbnail_key: key_of("thumbnail.png"),
        plan_key: key_of(&format!("plan-{main_level}.png")),
        report_key: key_of("report.json"),
        report: text,
        frame: serde_json::to_string(&report.frame).map_err(JobError::internal)?,
        points: report.points_out as i64,
        tiles_bytes,
        published_at: now_ms(),
        files: serde_json::to_string(&report.files).map_err(JobError::internal)?,
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
