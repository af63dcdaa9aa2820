//! Procedural demo venues with their ground truth, and a simulated scanner that scans them.
//!
//! [`demo`] builds a concert hall out of solids ([`hall`]), scans it from many positions by ray casting ([`scanner`])
//! and writes `scan.laz` and `truth.json`. The truth is computed from the same measures as the solids, so that what is read,
//! measured or proposed from the scan can be checked against it.
//!
//! [`picture`] draws the concert hall exactly, as a reference for pictures of its scan.
//!
//! [`stadium`] writes scans of any size without a venue behind them, for measuring speed and memory.

mod bvh;
pub mod hall;
pub mod material;
pub mod passage;
pub mod picture;
pub mod scanner;
pub mod scene;
pub mod solid;
pub mod stadium;
pub mod truth;
mod write;

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Number, Value};

use hall::Venue;
use parterre_model::{Error, Result};
use truth::{TRUTH_VERSION, Truth};

/// Fewest points that make a scan of the whole venue.
pub const MIN_POINTS: u64 = 10_000;
/// Most points: the scan is held in memory, about 60 bytes a point.
pub const MAX_POINTS: u64 = 50_000_000;

/// Settings of a demo venue.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of the scanner's noise and of the furnishing.
    pub seed: u64,
    /// Points wanted, about; from [`MIN_POINTS`] to [`MAX_POINTS`].
    pub points: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, points: 4_000_000 }
    }
}

/// What was made.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Made {
    /// Points written to `scan.laz`.
    pub points: u64,
    /// Scanner positions.
    pub setups: u32,
    /// Wall time.
    pub seconds: f64,
}

/// Writes `scan.laz` and `truth.json` into `dir`, which is made if it is missing. Same options, same bytes.
///
/// `progress` is called from any thread with 0 to 1. Each file appears only when it is whole. Errors: `demo_points` for a
/// number of points out of range, `io`.
pub fn demo(dir: &Path, options: &Options, progress: &(dyn Fn(f64) + Sync)) -> Result<Made> {
    let started = Instant::now();
    if !(MIN_POINTS..=MAX_POINTS).contains(&options.points) {
        return Err(Error::input(
            "demo_points",
            format!("a demo venue of {} points was requested", options.points),
            "Request 10,000 to 50,000,000 points.",
        ));
    }
    fs::create_dir_all(dir).map_err(|source| Error::io("create", dir, source))?;
    let venue = Venue::concert_hall(options.seed);
    let samples = scanner::scan(&venue, options.seed, options.points, &|done| progress(done * 0.75));
    let setups = venue.setups.len() as u32;
    let truth = truth(venue, options.seed, samples.len() as u64);
    let faulty = |error: serde_json::Error| Error::Internal(format!("truth.json: {error}"));
    let mut value = serde_json::to_value(&truth).map_err(faulty)?;
    round_numbers(&mut value);
    let json = serde_json::to_vec_pretty(&value).map_err(faulty)?;
    replace(&dir.join("scan.laz"), |path| write::laz(path, &samples, &|done| progress(0.75 + 0.25 * done)))?;
    replace(&dir.join("truth.json"), |path| fs::write(path, &json).map_err(|source| Error::io("write", path, source)))?;
    progress(1.0);
    Ok(Made { points: samples.len() as u64, setups, seconds: started.elapsed().as_secs_f64() })
}

/// The ground truth of a venue that was scanned with `points` points.
pub fn truth(venue: Venue, seed: u64, points: u64) -> Truth {
    Truth {
        truth_version: TRUTH_VERSION,
        name: "Parterre demo hall".into(),
        unit: "metre".into(),
        seed,
        points,
        bounds: venue.scene.bounds().to_array(),
        seats: venue.seats,
        levels: venue.levels,
        exits: venue.exits,
        stairs: venue.stairs,
        rooms: venue.rooms,
        doors: venue.doors,
        setups: venue.setups,
        distances: venue.distances,
        viewpoints: venue.viewpoints,
        scanner: scanner::SCANNER,
    }
}

/// Rounds fractions to a millionth, so that sums of measures read as the measures do.
fn round_numbers(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(round_numbers),
        Value::Object(fields) => fields.values_mut().for_each(round_numbers),
        Value::Number(number) if number.is_f64() => {
            if let Some(rounded) = number.as_f64().map(|x| (x * 1e6).round() / 1e6 + 0.0).and_then(Number::from_f64) {
                *number = rounded;
            }
        }
        _ => {}
    }
}

/// Lets `write` fill a file beside `path`, then puts it in the place of `path` at once.
fn replace(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let part = path.with_extension("part");
    let written = write(&part).and_then(|()| fs::rename(&part, path).map_err(|source| Error::io("write", path, source)));
    if written.is_err() {
        // The partial file is useless; the first error is the one to report.
        let _ = fs::remove_file(&part);
    }
    written
}
