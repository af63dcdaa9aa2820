//! Out-of-core octree tiler: scan files in, one octree in two encodings and a report out.
//!
//! Points are whole LAS 1.4 records on the sources' own grid from end to end. A run goes through five stages; each is a module:
//!
//! 1. `count` reads positions and finds their bounds.
//! 2. `distribute` writes all records into chunks that fit the memory, in temporary files compressed with LZ4.
//! 3. `build` (stage `sample` in progress and reports) builds each chunk's octree bottom-up, then the nodes above the chunks, and encodes each node when
//!    it is final.
//! 4. `write` puts the nodes in order into `points.copc.laz` and `tiles.3tz`, which name them by the same keys.
//! 5. `pictures` draws `thumbnail.png` and a plan of each level and takes the survey's figures, while `write` is at work.
//!
//! Below the stages are `options`, `report` and `context` (progress, cancelling), `octree` (positions as whole numbers, cells), `records` (temporary files)
//! and `sources` (several files as one scan). `journal` (work folder, resuming, publishing) knows the results of `distribute` and `build`. `run` is at the
//! top and calls the stages in their order. A module imports only from those before it.
//!
//! Refinement is additive: every point is in exactly one node.
//!
//! The same points give the same bytes of both encodings, whatever their order, the files they come in, the number of cores and the
//! memory, as long as it is enough for the points wanted in a tile: with less tiles are smaller, which the warning `tile_points_capped` says.
//! Pictures and figures, too, but below about 404 MiB: they are taken from fewer points then.
//!
//! Limits: a scan spans at most 100 km; tiles keep positions to 0.5 mm. Temporary files take less than 1.5 times the
//! bytes of all records, and the outputs beside them less than 1.25 times; that much must be free before anything is written.
//! Records of noise, which cannot be compressed, may take 2.5 and 1.5 times their bytes.

mod build;
mod context;
mod count;
mod distribute;
mod journal;
mod octree;
mod options;
mod pictures;
mod read_back;
mod records;
mod report;
mod run;
mod sources;
mod unpack;
mod write;

pub use self::context::Progress;
pub use self::journal::work_folder::recorded_steps;
pub use self::options::{LEAST_MEMORY_BYTES, Options, Outputs, check_memory};
pub use self::read_back::{ReadBack, TileRead, read_back};
pub use self::report::{Dropped, FileEntry, REPORT_VERSION, Report, Timing};
pub use self::run::{add, tile};
pub use self::sources::fingerprint::{job_fingerprint, source_fingerprints};
pub use self::unpack::unpack;
