//! Removal of work folders that no attempt will use again.

use super::context::Context;
use crate::db::now_ms;
use crate::models::jobs::Job;
use crate::storage::{WorkFolder, remove_work};

/// Removes the work folders of jobs that are done or failed, and those of a single attempt whose lease has expired.
pub fn sweep(context: &Context) {
    let swept = || -> anyhow::Result<()> {
        // The folders first: one that is made after this is not in the list, and one in the list was claimed before the
        // rows are read.
        let dirs = context.storage.work_dirs()?;
        if dirs.is_empty() {
            return Ok(());
        }
        let rows = Job::open(&mut *context.database.get()?)?;
        let now = now_ms();
        for WorkFolder { job, path, is_lasting } in dirs {
            let is_used = |row: &&Job| is_lasting || (row.state == "running" && row.lease_until.is_some_and(|until| until >= now));
            if rows.iter().filter(|row| row.id == job).find(is_used).is_none() {
                tracing::info!(work = %path.display(), "a work folder that no attempt will use again is removed");
                remove_work(&path);
            }
        }
        Ok(())
    };
    if let Err(error) = swept() {
        tracing::warn!("old work folders could not be looked for: {error:#}");
    }
}
