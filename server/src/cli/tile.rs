//! `parterre tile`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use parterre_read as read;
use parterre_tiler as tiler;

use super::failure::{Failure, Outcome};
use super::memory::MemoryArgs;
use super::overrides::Overrides;
use super::progress::Progress;
use super::{check, output, stop};
use crate::config::WorkerConfig;
use crate::pages::format;

/// Make points.copc.laz, tiles.3tz and report.json from scan files.
#[derive(Debug, Args)]
pub(super) struct Tile {
    /// Scan files; several become one scan.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Output folder; created if missing. A run that was killed resumes where it stopped.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Make one encoding of the points and not both.
    #[arg(long, value_name = "ENCODING")]
    only: Option<Encoding>,
    /// Add the files to the scan that is in the folder, as if all had been tiled together; its points keep their coordinate steps.
    #[arg(long)]
    add: bool,
    #[command(flatten)]
    memory: MemoryArgs,
    /// Points wanted in a tile.
    #[arg(long = "tile-points", value_name = "POINTS", default_value_t = 50_000, value_parser = tile_points)]
    points: usize,
    #[command(flatten)]
    overrides: Overrides,
}

/// An encoding of the octree.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Encoding {
    /// points.copc.laz, the archive.
    Copc,
    /// tiles.3tz, for viewers.
    Tiles,
}

fn tile_points(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(points @ 1000..=1_000_000) => Ok(points),
        _ => Err("between 1000 and 1000000".into()),
    }
}

impl Tile {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let memory_bytes = self.memory.bytes()?;
        let overrides = self.overrides.read()?;
        check::files(&self.inputs, &overrides, &WorkerConfig { memory_bytes, ..WorkerConfig::default() })?;
        let mut sources = read::open_all(&self.inputs, &overrides)?;
        std::fs::create_dir_all(&self.output).map_err(|error| parterre_model::Error::io("make", &self.output, error))?;
        let stop = stop::on_signals();
        let options = tiler::Options {
            memory_bytes,
            tile_points: self.points,
            outputs: tiler::Outputs {
                copc: !matches!(self.only, Some(Encoding::Tiles)),
                tiles: !matches!(self.only, Some(Encoding::Copc)),
            },
            cancel: Some(Arc::clone(&stop)),
            job_fingerprint: Some(tiler::job_fingerprint(&self.inputs, &overrides)?),
            source_fingerprints: tiler::source_fingerprints(&self.inputs)?,
        };
        let progress = Progress::new();
        let report_progress = |now: tiler::Progress| progress.set(now.stage, now.fraction);
        let report = if self.add {
            tiler::add(sources, &self.output, &options, &report_progress)
        } else {
            tiler::tile(&mut sources, &self.output, &options, &report_progress)
        };
        let report = report.map_err(Failure::from)?;
        progress.done();
        if as_json {
            return output::json(&report);
        }
        for warning in &report.warnings {
            output::warning(&format!("{} [{}]", warning.message, warning.code));
        }
        let dropped =
            if report.points_dropped > 0 { format!(", {} dropped", format::grouped(report.points_dropped)) } else { String::new() };
        output::line(&format!(
            "{}: {} in {} tiles{dropped}, {}, {:.1} s",
            self.output.display(),
            format::points(report.points_out),
            report.tiles,
            format::bytes(report.files.iter().map(|file| file.bytes).sum()),
            report.seconds,
        ))
    }
}
