//! `parterre inspect`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use parterre_scans::frame::Unit;
use parterre_scans::read::inspect::{Estimate, Inspection, inspect_all, inspect_with};

use super::wishes::Wishes;
use super::{Outcome, output};
use crate::pages::format;

/// Say what scan files hold and what tiling them takes.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// Scan files; several are looked at as one scan.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    wishes: Wishes,
}

impl Inspect {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let wishes = self.wishes.read()?;
        if let [file] = &self.files[..] {
            let found = inspect_with(file, &wishes)?;
            if as_json {
                return output::json(&found);
            }
            return tell(&found, "", true);
        }
        let found = inspect_all(&self.files, &wishes)?;
        if as_json {
            return output::json(&found);
        }
        for (file, path) in found.files.iter().zip(&self.files) {
            tell(file, &format!("{}: ", path.display()), false)?;
        }
        output::line(&format!(
            "together    {}, {} points\n{}",
            format::bytes(found.bytes),
            format::grouped(found.points),
            takes(&found.estimate)
        ))
    }
}

fn tell(found: &Inspection, name: &str, with_estimate: bool) -> Outcome {
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
        let _ = write!(text, "\n{}", takes(&found.estimate));
    }
    output::line(&text)?;
    for warning in &found.warnings {
        output::warning(&format!("{} [{}]", warning.message, warning.code));
    }
    Ok(())
}

fn takes(estimate: &Estimate) -> String {
    let time = match estimate.seconds {
        0..=90 => format!("{} s", estimate.seconds),
        seconds => format!("{} min", seconds.div_ceil(60)),
    };
    format!(
        "tiling      about {time}; makes about {} of COPC and {} of tiles; needs up to {} meanwhile",
        format::bytes(estimate.copc_bytes),
        format::bytes(estimate.tiles_bytes),
        format::bytes(estimate.temporary_bytes),
    )
}
