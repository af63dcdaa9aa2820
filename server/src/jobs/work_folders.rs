//! Removal of work folders that no attempt will use again.

use super::context::Context;
use crate::db::now_ms;
use crate::models::jobs::Job;
use crate::storage::remove_work;

/// Removes the work folders of jobs that are done or failed, and those of a single attempt whose lease has expired.
pub fn sweep(context: &Context) {
    let swept = || -> anyhow::Result<()> {
        // The folders first: one that is made after this is not in the list, and one in the list was claimed before the
        // rows are read.
        let dirs = context.storage.work_dirs()?;
        if dirs.is_empty() {
            return Ok(());
        }
        let mut conn = context.database.get()?;
        let rows = Job::open(&mut conn)?;
        let now = now_ms();
        for folder in dirs {
            let is_used = |row: &Job| folder.is_lasting || (row.state == "running" && row.lease_until.is_some_and(|until| until >= now));
            if rows.iter().any(|row| row.id == folder.job && is_used(row)) {
                continue;
            }
            let mut lock = None;
            if folder.is_lasting {
                // Meanwhile somebody may have started the job again: while the lock is held, the row tells for certain.
                lock = folder.try_lock();
                let is_open = Job::find(&mut conn, &folder.job)?.is_some_and(|row| matches!(row.state.as_str(), "queued" | "running"));
                if lock.is_none() || is_open {
                    continue;
                }
            }
            tracing::info!(work = %folder.path.display(), "a work folder that no attempt will use again is removed");
            remove_work(&folder.path);
            drop(lock);
        }
        Ok(())
    };
    if let Err(error) = swept() {
        tracing::warn!("old work folders could not be looked for: {error:#}");
    }
}
