//! Procedural demo venues with their ground truth, and a simulated scanner that scans them.

use std::path::Path;

use crate::error::{Error, Result};

/// Settings of a demo venue.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of the scanner's noise and of the furnishing.
    pub seed: u64,
    /// Points wanted, about.
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

/// Writes `scan.laz` and `truth.json` into `dir`. Same options, same bytes.
pub fn demo(dir: &Path, options: &Options, progress: &(dyn Fn(f64) + Sync)) -> Result<Made> {
    let _ = (dir, options, progress);
    Err(Error::Internal("the demo venue is not here yet".into()))
}
