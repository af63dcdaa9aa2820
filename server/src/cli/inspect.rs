//! `parterre inspect`.

use std::path::PathBuf;

use clap::Args;
use parterre_scans::frame::{Unit, UnitSource};
use parterre_scans::read::{self, SourceInfo, Warning};
use serde::Serialize;

use super::{Outcome, output};
use crate::pages::format;

/// Say what a scan file holds.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The file.
    file: PathBuf,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    format: &'a str,
    points: u64,
    /// In the file's unit.
    bounds: [f64; 6],
    crs: Option<&'a str>,
    unit: Option<Unit>,
    unit_source: UnitSource,
    attributes: Vec<&'static str>,
    scale: Option<[f64; 3]>,
    warnings: &'a [Warning],
}

impl Inspect {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let source = read::open(&self.file)?;
        let info = source.info();
        if as_json {
            return output::json(&document(info));
        }
        let unit = info.unit.map_or_else(|| "not given, read as metres".to_owned(), |unit| format!("{unit:?}"));
        let attributes = info.attributes.names();
        let [minx, miny, minz, maxx, maxy, maxz] = info.bounds.to_array();
        output::line(&format!(
            "{}\npoints      {}\nbounds      {minx} {miny} {minz}  to  {maxx} {maxy} {maxz}\nunit        {unit}\ncrs         {}\nattributes  {}",
            info.format,
            format::grouped(info.points),
            info.crs.as_deref().unwrap_or("none"),
            if attributes.is_empty() { "none".to_owned() } else { attributes.join(", ") },
        ))?;
        for warning in &info.warnings {
            output::warning(&format!("{} [{}]", warning.message, warning.code));
        }
        Ok(())
    }
}

fn document(info: &SourceInfo) -> Document<'_> {
    Document {
        format: &info.format,
        points: info.points,
        bounds: info.bounds.to_array(),
        crs: info.crs.as_deref(),
        unit: info.unit,
        unit_source: info.unit_source,
        attributes: info.attributes.names(),
        scale: info.scale.map(|scale| scale.to_array()),
        warnings: &info.warnings,
    }
}
