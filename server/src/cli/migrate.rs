//! `parterre migrate`.

use clap::Args;
use serde_json::json;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::output;
use crate::db::Database;

/// Bring the database up to date, or undo the last migrations.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Undo this many migrations instead, the last first. What only they can hold is lost: make a copy of the database before.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    down: Option<u16>,
    #[command(flatten)]
    data: DataArgs,
}

impl Migrate {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let url = self.data.database();
        let database = Database::connect(&url).map_err(|error| Failure::catalogue(&error))?;
        let ran = match self.down {
            None => database.migrate(),
            Some(count) => database.migrate_down(count),
        };
        let ran = ran.map_err(|error| Failure::catalogue(&error))?;
        if as_json {
            let key = if self.down.is_some() { "undone" } else { "migrations" };
            return output::json(&json!({ "database": url.to_string(), key: ran }));
        }
        match (ran.len(), self.down.is_some()) {
            (0, false) => output::line(&format!("{url} is up to date")),
            (count, false) => output::line(&format!("{url}: {count} migrations done")),
            (count, true) => output::line(&format!("{url}: {count} migrations undone")),
        }
    }
}
