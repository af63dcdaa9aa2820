//! Settings of a run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parterre_model::{Error, Result};

/// The smallest memory limit that a run keeps, in bytes: see [`check_memory`].
pub const LEAST_MEMORY_BYTES: u64 = 192 << 20;

/// Refuses a memory limit below [`LEAST_MEMORY_BYTES`], which a run could not keep. Programs call it before [`tile`](crate::tile), which itself takes any
/// limit and uses as little memory as it can.
///
/// # Errors
/// `memory_too_small`.
pub fn check_memory(bytes: u64) -> Result<()> {
    if bytes >= LEAST_MEMORY_BYTES {
        return Ok(());
    }
    let least = LEAST_MEMORY_BYTES >> 20;
    let message = format!("tiling takes at least {least} MiB of memory; the limit is {} MiB", bytes >> 20);
    Err(Error::input("memory_too_small", message, "Allow at least that much memory."))
}

/// Which encodings of the octree are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// `points.copc.laz`.
    pub copc: bool,
    /// `tiles.3tz`.
    pub tiles: bool,
}

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory that the process may take, in bytes. It takes more than that below [`LEAST_MEMORY_BYTES`].
    pub memory_bytes: u64,
    /// Points wanted in a tile; fewer where the memory does not hold so many records as that takes.
    pub tile_points: usize,
    /// What to make.
    pub outputs: Outputs,
    /// Set by the caller to stop the run.
    pub cancel: Option<Arc<AtomicBool>>,
    /// Identifies the job, see [`job_fingerprint`](crate::job_fingerprint): a run that was killed or stopped is resumed by one with the same
    /// fingerprint in the same folder. Without one nothing is resumed, and a run that is stopped leaves nothing.
    pub job_fingerprint: Option<String>,
    /// Identifies the sources, in their order, see [`source_fingerprints`](crate::source_fingerprints). The report keeps them, so that no file is added twice.
    pub source_fingerprints: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            tile_points: 50_000,
            outputs: Outputs { copc: true, tiles: true },
            cancel: None,
            job_fingerprint: None,
            source_fingerprints: Vec::new(),
        }
    }
}
