//! Makes a version's tiles, pictures and report out of its file, and publishes them.
//!
//! Everything is made in the work folder or stored under keys of this attempt; the last step is one transaction that
//! ends the job and makes the version ready. Until then nobody sees anything, and an attempt that dies leaves nothing
//! that another would find.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use parterre_scans::{read, tiler};
use serde::{Deserialize, Serialize};

use crate::db::{new_id, now_ms, settle, wait_shortly, write};
use crate::jobs::{Context, JobError, pictures};
use crate::models::jobs::Job;
use crate::models::versions::{Published, Version};

/// The kind under which the job is entered.
pub const KIND: &str = "tile_scan";

/// Share of the whole that tiling takes; the rest are the pictures.
const TILING_SHARE: f64 = 0.9;

/// What the job works on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The scan.
    pub scan: String,
    /// Its version.
    pub version: i32,
}

impl Payload {
    /// As the job's row holds it.
    pub fn to_json(&self) -> String {
        serde_json::json!({ "scan": self.scan, "version": self.version }).to_string()
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
    let mut stored = Stored { context, keys: Vec::new() };
    let made = make(context, &version, work.path(), &prefix, &mut stored, cancel, report_progress)?;
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
    context: &Context,
    version: &Version,
    work: &std::path::Path,
    prefix: &str,
    stored: &mut Stored<'_>,
    cancel: &Arc<AtomicBool>,
    report_progress: &(dyn Fn(&str, f64) + Sync),
) -> Result<Published, JobError> {
    let of_file = |error| JobError::of_file(error, &version.file_name);
    let stop_if_asked = || if cancel.load(Ordering::SeqCst) { Err(JobError::Cancelled) } else { Ok(()) };

    report_progress("read", 0.0);
    let source_path = context.storage.path(&version.source_key).map_err(JobError::storage)?;
    if !source_path.is_file() {
        return Err(JobError::storage(anyhow::anyhow!("{} is gone", source_path.display())));
    }
    let source = read::open(&source_path).map_err(of_file)?;
    let options = tiler::Options {
        memory_bytes: context.config.memory_bytes,
        tile_points: context.config.tile_points,
        outputs: tiler::Outputs { copc: false, tiles: true },
        cancel: Some(Arc::clone(cancel)),
        ..tiler::Options::default()
    };
    let report = tiler::tile(&mut [source], work, &options, &|progress| {
        report_progress(progress.stage, progress.fraction * TILING_SHARE);
    })
    .map_err(of_file)?;
    stop_if_asked()?;

    report_progress("pictures", TILING_SHARE);
    let archive = work.join("tiles.3tz");
    let points = pictures::coarse_points(&archive).map_err(JobError::internal)?;
    let pictures = pictures::draw(&points).map_err(JobError::internal)?;
    drop(points);
    stop_if_asked()?;

    report_progress("publish", 0.99);
    let report_json = serde_json::to_string(&report).map_err(JobError::internal)?;
    let mut put = |name: &str, bytes: Vec<u8>| {
        let key = format!("{prefix}/{name}");
        stored.keys.push(key.clone());
        context.runtime.block_on(context.storage.put(&key, bytes)).map_err(JobError::storage)?;
        Ok::<_, JobError>(key)
    };
    let thumbnail_key = put("thumbnail.png", pictures.thumbnail)?;
    let plan_key = put("plan.png", pictures.plan)?;
    let report_key = put("report.json", report_json.clone().into_bytes())?;
    let tiles_key = format!("{prefix}/tiles.3tz");
    stored.keys.push(tiles_key.clone());
    context.storage.take_file(&tiles_key, &archive).map_err(JobError::storage)?;

    Ok(Published {
        state: "ready".into(),
        tiles_key,
        thumbnail_key,
        plan_key,
        report_key,
        report: report_json,
        frame: serde_json::to_string(&report.frame).map_err(JobError::internal)?,
        points: report.points_out as i64,
        tiles_bytes: report.bytes as i64,
        published_at: now_ms(),
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
