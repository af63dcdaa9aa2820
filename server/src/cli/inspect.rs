//! `parterre inspect`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use parterre_model::frame::Unit;
use parterre_read::inspect::{Estimate, Inspection, inspect_all, inspect_with};

use super::failure::Outcome;
use super::overrides::Overrides;
use super::{check, output};
use crate::config::WorkerConfig;
use crate::pages::format;

/// Show the contents of scan files, and time and space that tiling them needs.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// Scan files; several count as one scan.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
}

impl Inspect {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let overrides = self.overrides.read()?;
        check::files(&self.files, &overrides, &WorkerConfig::default())?;
        if let [file] = &self.files[..] {
            let found = inspect_with(file, &overrides)?;
            if as_json {
                return output::json(&found);
            }
            return print(&found, "", true);
        }
        let found = inspect_all(&self.files, &overrides)?;
        if as_json {
            return output::json(&found);
        }
        for (file, path) in found.files.iter().zip(&self.files) {
            print(file, &format!("{}: ", path.display()), false)?;
        }
        output::line(&format!(
            "total       {}, {} points\n{}",
            format::bytes(found.bytes),
            format::grouped(found.points),
            estimate(&found.estimate)
        ))
    }
}

fn print(found: &Inspection, name: &str, with_estimate: bool) -> Outcome {
    let unit = found.unit.map_or("not given, read as metres", Unit::name);
    let [west, south, low, east, north, high] = [0, 1, 2, 3, 4, 5].map(|index| found.precision.number(index % 3, found.bounds[index]));
    let mut text = format!(
        "{name}{}, {}\npoints      {}\nbounds      {west} {south} {low}  to  {east} {north} {high}\n",
        found.format,
        format::bytes(found.bytes),
        format::grouped(found.points),
    );
    if let Some([x, y, z]) = found.size_m {
        let _ = writeln!(text, "size        {x:.2} x {y:.2} x {z:.2} m");
    }
    let _ = write!(
        text,
        "unit        {unit}\ncrs         {}\nattributes  {}",
        found.crs.as_deref().unwrap_or("none"),
        if found.attributes.is_empty() { "none".to_owned() } else { found.attributes.join(", ") },
    );
    if !found.setups.is_empty() {
        let _ = write!(text, "\nsetups      {}", found.setups.len());
    }
    if !found.images.is_empty() {
        let bytes = found.images.iter().map(|image| image.bytes).sum();
        let _ = write!(text, "\nimages      {}, {}", found.images.len(), format::bytes(bytes));
    }
    if with_estimate {
        let _ = write!(text, "\n{}", estimate(&found.estimate));
    }
    output::line(&text)?;
    for warning in &found.warnings {
        output::warning(&format!("{} [{}]", warning.message, warning.code));
    }
    Ok(())
}

fn estimate(estimate: &Estimate) -> String {
    let time = match estimate.seconds {
        0..=90 => format!("{} s", estimate.seconds),
        seconds => format!("{} min", seconds.div_ceil(60)),
    };
    format!(
        "tiling      about {time}; about {} of COPC and {} of tiles; up to {} of temporary files",
        format::bytes(estimate.copc_bytes),
        format::bytes(estimate.tiles_bytes),
        format::bytes(estimate.temporary_bytes),
    )
}
