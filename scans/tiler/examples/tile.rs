//! Tiles scan files and prints the report, for measuring: `tile DIR MEMORY_MIB both|copc|tiles INPUT…`.

use std::io::Write as _;
use std::path::PathBuf;

use parterre_read as read;
use parterre_tiler as tiler;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: tile DIR MEMORY_MIB both|copc|tiles INPUT…";
    let dir = arguments.next().ok_or(usage)?;
    let memory: u64 = arguments.next().and_then(|value| value.to_str()?.parse().ok()).ok_or(usage)?;
    let outputs = match arguments.next().as_deref().and_then(std::path::Path::to_str) {
        Some("both") => tiler::Outputs { copc: true, tiles: true },
        Some("copc") => tiler::Outputs { copc: true, tiles: false },
        Some("tiles") => tiler::Outputs { copc: false, tiles: true },
        _ => return Err(usage.into()),
    };
    let mut sources = arguments.map(|path| read::open(&path)).collect::<Result<Vec<_>, _>>()?;

    let options = tiler::Options { memory_bytes: memory << 20, outputs, ..tiler::Options::default() };
    let report = tiler::tile(&mut sources, &dir, &options, &|_| ())?;

    let mut out = std::io::stdout().lock();
    for timing in &report.timings {
        writeln!(out, "{:7.2} s  {}", timing.seconds, timing.stage)?;
    }
    writeln!(out, "{:7.2} s  end, {:.2} M points/s", report.seconds, report.points_in as f64 / report.seconds / 1e6)?;
    writeln!(out, "{} tiles, {:.2} bytes a point", report.tiles, report.bytes as f64 / report.points_out as f64)?;
    writeln!(out, "{} in, {} out, {} dropped", report.points_in, report.points_out, report.points_dropped)?;
    writeln!(out, "{} MiB of temporary files, spacing {:.4} m", report.temporary_bytes >> 20, report.spacing_m)?;
    for file in &report.files {
        writeln!(out, "{}: {} bytes, {:.2} a point", file.name, file.bytes, file.bytes as f64 / report.points_out as f64)?;
    }
    for warning in &report.warnings {
        writeln!(out, "{}: {}", warning.code, warning.message)?;
    }
    Ok(())
}
