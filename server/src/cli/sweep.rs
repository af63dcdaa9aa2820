//! `parterre sweep`: compares database and storage.

use clap::Args;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::{follow, output};
use crate::db::Database;
use crate::pages::format;
use crate::storage::Storage;
use crate::{purge, sweep};

/// Find files that nothing in the catalogue names, and what the catalogue names that is missing.
#[derive(Debug, Args)]
pub(super) struct Sweep {
    /// Remove the files that nothing names, those younger than an hour excepted.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    data: DataArgs,
}

impl Sweep {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let runtime = follow::runtime()?;
        let work = || -> anyhow::Result<sweep::Report> {
            let storage = Storage::open(&self.data.data)?;
            let database = Database::open(&self.data.database())?;
            if self.remove {
                purge::remove_listed(&database, &storage, runtime.handle())?;
            }
            sweep::run(&database, &storage, runtime.handle(), sweep::YOUNG, self.remove)
        };
        let report = work().map_err(|error| Failure::catalogue(&error))?;
        if as_json {
            return output::json(&serde_json::json!(report));
        }
        output::line(&format!("{} files, {}", format::grouped(report.objects), format::bytes(report.bytes)))?;
        for object in &report.unnamed {
            let what = if self.remove { "removed" } else { "nothing names" };
            output::line(&format!("{what}  {}  {}", object.key, format::bytes(object.bytes)))?;
        }
        for object in &report.missing {
            output::line(&format!("missing  {}  named by {}", object.key, object.named_by))?;
        }
        if report.listed_for_removal > 0 {
            output::line(&format!(
                "{} files of what was deleted are still to be removed; a running service does so",
                report.listed_for_removal
            ))?;
        }
        Ok(())
    }
}
