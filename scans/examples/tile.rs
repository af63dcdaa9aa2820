//! Tiles scan files and prints the report, for measuring: `tile DIR MEMORY_MIB INPUT…`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use parterre_scans::{read, tiler};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: tile DIR MEMORY_MIB INPUT…";
    let dir = arguments.next().ok_or(usage)?;
    let memory: u64 = arguments.next().and_then(|value| value.to_str()?.parse().ok()).ok_or(usage)?;
    let mut sources = arguments.map(|path| read::open(&path)).collect::<Result<Vec<_>, _>>()?;

    let started = Instant::now();
    let stages: Mutex<Vec<(&str, f64)>> = Mutex::default();
    let progress = |progress: tiler::Progress| {
        if let Ok(mut stages) = stages.lock()
            && stages.last().is_none_or(|(stage, _)| *stage != progress.stage)
        {
            stages.push((progress.stage, started.elapsed().as_secs_f64()));
        }
    };
    let options = tiler::Options { memory_bytes: memory << 20, ..tiler::Options::default() };
    let report = tiler::tile(&mut sources, &dir, &options, &progress)?;

    let mut out = std::io::stdout().lock();
    for (stage, second) in stages.into_inner()? {
        writeln!(out, "{second:7.2} s  {stage}")?;
    }
    writeln!(out, "{:7.2} s  end, {:.2} M points/s", report.seconds, report.points_in as f64 / report.seconds / 1e6)?;
    writeln!(out, "{} tiles, {:.2} bytes a point", report.tiles, report.bytes as f64 / report.points_out as f64)?;
    writeln!(out, "{} in, {} out, {} dropped", report.points_in, report.points_out, report.points_dropped)?;
    for warning in &report.warnings {
        writeln!(out, "{}: {}", warning.code, warning.message)?;
    }
    Ok(())
}
