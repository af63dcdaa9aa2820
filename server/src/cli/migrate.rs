//! `parterre migrate`.

use clap::Args;
use serde_json::json;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::output;
use crate::db::Database;

/// Bring the database up to date.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    data: DataArgs,
}

impl Migrate {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let url = self.data.database();
        let database = Database::connect(&url).map_err(|error| Failure::catalogue(&error))?;
        let ran = database.migrate().map_err(|error| Failure::catalogue(&error))?;
        if as_json {
            return output::json(&json!({ "database": url.to_string(), "migrations": ran }));
        }
        match ran.len() {
            0 => output::line(&format!("{url} is up to date")),
            count => output::line(&format!("{url}: {count} migrations done")),
        }
    }
}
