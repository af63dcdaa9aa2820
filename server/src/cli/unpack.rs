//! `parterre unpack`.

use std::path::PathBuf;

use clap::Args;
use parterre_tiler as tiler;
use serde_json::json;

use super::failure::Outcome;
use super::output;

/// Write a tiles.3tz as loose files.
#[derive(Debug, Args)]
pub(super) struct Unpack {
    /// The archive.
    archive: PathBuf,
    /// Output folder; created if missing.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Write tiles without meshopt compression, for validators.
    #[arg(long)]
    plain: bool,
}

impl Unpack {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let files = tiler::unpack(&self.archive, &self.output, self.plain)?;
        if as_json {
            return output::json(&json!({ "files": files }));
        }
        output::line(&format!("{}: {files} files", self.output.display()))
    }
}
