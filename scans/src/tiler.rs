//! Out-of-core octree tiler: scan files in, one octree in two encodings and a report out.
//!
//! Points are whole LAS 1.4 records on the sources' own grid from end to end. Five stages: `count` reads positions and learns
//! how far they reach; `distribute` sorts all records into chunks that fit the memory, in temporary files of LZ4;
//! `sample` builds each chunk's octree bottom-up, then what lies above them, and encodes each node when it is final;
//! `write` puts the nodes in order into `points.copc.laz` and `tiles.3tz`, which name them by the same keys; `pictures` draws
//! `thumbnail.png` and a plan of each level, and takes the survey's figures, while `write` is at work.
//! Refinement is additive: every point is in exactly one node of each.
//!
//! The same points give the same bytes of both encodings, whatever their order, the files they come in, the number of cores and the
//! memory, as long as it is enough for the points wanted in a tile: with less tiles are smaller, which the note `tile_points_capped` says.
//! Pictures and figures, too, but below about 320 MiB: they are taken from fewer points then.
//!
//! Limits: a scan spans at most 100 km; tiles keep positions to 0.5 mm. Temporary files take less than 1.5 times the
//! bytes of all records, and the outputs beside them less than 1.25 times; that much must be free before anything is written.
//! Records of noise, which nothing packs, may take 2.5 and 1.5 times their bytes.

mod agree;
mod blocks;
mod build;
mod cells;
mod chunks;
mod companions;
mod context;
mod convert;
mod count;
mod distribute;
mod documents;
mod earlier;
mod encode;
mod feed;
mod lattice;
mod mark;
mod order;
mod part;
mod pictures;
mod pile;
mod plan;
mod publish;
mod ramp;
mod read_back;
mod report;
mod run;
mod sample;
mod sketch;
mod unpack;
mod work;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::UNIX_EPOCH;

use self::earlier::Earlier;
use self::run::Run;
use self::work::Work;
use crate::error::{Error, Result};
use crate::read::{Override, PointSource};

pub use self::context::Progress;
pub use self::read_back::{ReadBack, TileRead, read_back};
pub use self::report::{Dropped, FileEntry, REPORT_VERSION, Report, Timing};
pub use self::unpack::unpack;

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
    /// Memory that the process may take, in bytes. Below about 128 MiB it takes more than that.
    pub memory_bytes: u64,
    /// Points wanted in a tile; fewer where the memory does not hold so many records as that takes.
    pub tile_points: usize,
    /// What to make.
    pub outputs: Outputs,
    /// Raised by the caller to stop the run.
    pub cancel: Option<Arc<AtomicBool>>,
    /// Tells this work from others, see [`fingerprint`]: a run that was killed or stopped is continued by one of the same
    /// fingerprint in the same folder. Without one nothing is continued, and a run that was stopped leaves nothing.
    pub fingerprint: Option<String>,
    /// What tells each source from others, see [`marks`]. The report keeps them, so that no file is added twice.
    pub marks: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            tile_points: 50_000,
            outputs: Outputs { copc: true, tiles: true },
            cancel: None,
            fingerprint: None,
            marks: Vec::new(),
        }
    }
}

/// Tiles the sources as one scan into `dir`.
///
/// All files appear at the end, by renaming; a failed run leaves none of them. Temporary files live in `dir/.tiling`. Files of
/// a scan that was there before are replaced or removed.
///
/// The scan has every attribute that one of the sources has, and the frame of the first. Points without colour get grey
/// by intensity in the tiles where their sources have it, else a ramp by height, so that they can be seen everywhere;
/// [`ScanExtras::attributes`](crate::tile::tileset::ScanExtras::attributes) says what was measured.
///
/// # Errors
/// Those of the sources; `no_sources`, `sources_disagree`, `extra_bytes_too_many`, `unit_degrees`, `no_points`, `size_implausible`, also where
/// more than one point in twenty lies too far away from the others; `source_changed`; `disk_full`; `tiling_in_progress`;
/// `io`; `cancelled`.
pub fn tile(sources: &mut [Box<dyn PointSource>], dir: &Path, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report> {
    let run = Run::new(options, progress);
    let (frame, _) = agree::agree(sources)?;
    std::fs::create_dir_all(dir).map_err(|error| Error::io("write", dir, error))?;
    let work = Work::open(dir, run.fingerprint("tile"), false)?;
    // A run that was killed while it published has been completed by opening the folder.
    let result = work.published().map_or_else(|| run.on(&work, sources, &frame, dir, false), Ok);
    work.end(result.as_ref().err());
    result
}

/// Adds the sources to the scan that an earlier run has left in `dir`: the result is as if all files had been tiled together, those of
/// the earlier run first. Its own sources are not needed, `points.copc.laz` has all that they had.
///
/// The result takes the scan's place when it is whole. Options should be those of the earlier run. One thing differs: points of the earlier
/// run have the steps that it gave them, so where a file with finer steps is added (warning `add_coarser`), and its sources had finer
/// positions than those steps, tiling all together keeps more of them. A run that was killed goes on, or is found published.
///
/// # Errors
/// As [`tile`]; `already_added` where a mark of [`Options::marks`] is one of the scan's; `nothing_to_add_to` where `dir` lacks `points.copc.laz` or a report, and where COPC is not wanted: such a scan could not be added to.
pub fn add(sources: Vec<Box<dyn PointSource>>, dir: &Path, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report> {
    let mut run = Run::new(options, progress);
    if !options.outputs.copc {
        return Err(Error::input(
            "nothing_to_add_to",
            "without COPC the scan would lose the points that it has",
            "Make COPC too, or tile all files together.",
        ));
    }
    agree::agree(&sources)?;
    let work = Work::open(dir, run.fingerprint("add"), true)?;
    let add = || {
        let mut earlier = Earlier::open(dir)?;
        run.before = earlier.before(&sources, &options.marks)?;
        let mut all: Vec<Box<dyn PointSource>> = vec![Box::new(earlier)];
        all.extend(sources);
        let (frame, _) = agree::agree(&all)?;
        run.on(&work, &mut all, &frame, dir, true)
    };
    let result = work.published().map_or_else(add, Ok);
    work.end(result.as_ref().err());
    result
}

/// Number of steps that the journal of a run in `dir` has recorded, 0 where there is no journal. A step is recorded once all records are
/// distributed, for each chunk whose part is whole, for the part above the chunks, and when publishing begins. A run that is
/// resumed never does a recorded step again, so a number that has grown means that the run before made progress. It falls to 0 where
/// the journal turns out to be damaged or the run ends.
pub fn recorded_steps(dir: &Path) -> u64 {
    work::recorded_steps(dir)
}

/// What tells each file from others wherever it lies: its length and a hash of pieces of it.
///
/// # Errors
/// `file_not_found`, `io`.
pub fn marks(files: &[PathBuf]) -> Result<Vec<String>> {
    files.iter().map(|file| mark::of_file(file)).collect()
}

/// A fingerprint of files and of what was said about them: paths, lengths and times of change.
///
/// # Errors
/// `file_not_found`, `io`.
pub fn fingerprint(files: &[PathBuf], wishes: &Override) -> Result<String> {
    let mut parts = vec![serde_json::to_string(wishes).map_err(|error| Error::Internal(error.to_string()))?];
    for file in files {
        let failed = |error| Error::opening(file, error);
        let path = file.canonicalize().map_err(failed)?;
        let metadata = path.metadata().map_err(failed)?;
        let changed = metadata.modified().map_err(failed)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        parts.push(format!("{} {} {}", path.display(), metadata.len(), changed.as_nanos()));
    }
    Ok(parts.join("\n"))
}
