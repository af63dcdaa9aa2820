//! The options that say where the catalogue is.

use std::path::PathBuf;

use clap::Args;

use crate::db::DatabaseUrl;

/// Where the catalogue is.
#[derive(Clone, Debug, Args)]
pub(super) struct DataArgs {
    /// Folder of the catalogue: database and objects.
    #[arg(long, value_name = "DIR", default_value = "data", env = "PARTERRE_DATA")]
    pub(super) data: PathBuf,
    /// SQLite file or postgres:// address, if not DIR/parterre.sqlite.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true, value_parser = DatabaseUrl::parse)]
    database: Option<DatabaseUrl>,
}

impl DataArgs {
    pub(super) fn database(&self) -> DatabaseUrl {
        self.database.clone().unwrap_or_else(|| DatabaseUrl::in_dir(&self.data))
    }
}
