//! `parterre inspect`.

use std::path::PathBuf;

use clap::Args;
use parterre_scans::read::inspect::inspect;

use super::{Outcome, output};
use crate::pages::format;

/// Say what a scan file holds.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The file.
    file: PathBuf,
}

impl Inspect {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let found = inspect(&self.file)?;
        if as_json {
            return output::json(&found);
        }
        let unit = found.unit.map_or_else(|| "not given, read as metres".to_owned(), |unit| format!("{unit:?}"));
        let [west, south, low, east, north, high] = found.bounds;
        output::line(&format!(
            "{}, {}\npoints      {}\nbounds      {west} {south} {low}  to  {east} {north} {high}\nunit        {unit}\ncrs         {}\nattributes  {}",
            found.format,
            format::bytes(found.bytes),
            format::grouped(found.points),
            found.crs.as_deref().unwrap_or("none"),
            if found.attributes.is_empty() { "none".to_owned() } else { found.attributes.join(", ") },
        ))?;
        for warning in &found.warnings {
            output::warning(&format!("{} [{}]", warning.message, warning.code));
        }
        Ok(())
    }
}
