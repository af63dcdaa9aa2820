//! Out-of-core octree tiler: scan files in, one octree in two encodings and a report out.
//!
//! Points are whole LAS 1.4 records on the sources' own grid from end to end. Five stages: `count` reads positions and learns
//! how far they reach; `distribute` sorts all records into chunks that fit the memory, in temporary files of LZ4;
//! `sample` builds each chunk's octree bottom-up, then what lies above them, and encodes each node when it is final;
//! `write` puts the nodes in order into `points.copc.laz` and `tiles.3tz`, which name them by the same keys; `pictures` draws
//! `thumbnail.png` and a plan of each level, and takes the survey's figures. Refinement is additive: every point is in exactly one node of each.
//!
//! The same points give the same bytes, whatever their order, the files they come in, the memory and the number of cores.
//!
//! Limits: a scan spans at most 100 km; tiles keep positions to 0.5 mm. Temporary files take less than 1.5 times the
//! bytes of all records.

mod agree;
mod blocks;
mod build;
mod cells;
#[cfg_attr(not(test), expect(dead_code, reason = "the last stage has yet to call it"))]
mod companions;
mod context;
mod convert;
mod count;
mod distribute;
mod documents;
mod encode;
mod feed;
mod lattice;
mod order;
mod part;
mod pictures;
mod plan;
mod ramp;
mod read_back;
mod report;
mod sample;
mod unpack;
mod work;
mod write;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use glam::DVec3;

use self::build::{Builder, LARGEST_LEAF, Plans, Tools, TopOnDisk};
use self::context::Context;
use self::convert::Converter;
use self::distribute::{Chunk, Limits};
use self::encode::{Encoder, Tiles};
use self::lattice::{Cube, Lattice, morton};
use self::order::Sorted;
use self::part::Part;
use self::pictures::{Encoding, Pictures};
use self::plan::Plan;
use self::ramp::{Ramp, percentiles};
use self::work::{Findings, Survey, Work};
use self::write::Nodes;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geo::Placement;
use crate::points::{Attributes, Bounds};
use crate::read::{PointSource, Warning};
use crate::tile::copc::{self, NodeEncoder};
use crate::tile::tileset::{FORMAT_VERSION, ScanExtras};

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
    /// Memory that the process may take, in bytes. Below about 64 MiB it takes more than that.
    pub memory_bytes: u64,
    /// Points wanted in a tile.
    pub tile_points: usize,
    /// What to make.
    pub outputs: Outputs,
    /// Raised by the caller to stop the run.
    pub cancel: Option<Arc<AtomicBool>>,
    /// Tells this work from others: a run that was killed is continued by one of the same fingerprint in the same
    /// folder. Without one nothing is continued, and a run that was stopped leaves nothing.
    pub fingerprint: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_bytes: 512 << 20, tile_points: 50_000, outputs: Outputs { copc: true, tiles: true }, cancel: None, fingerprint: None }
    }
}

/// Bytes that the process takes before there is a point.
const OWN_BYTES: u64 = 48 << 20;
/// Points that a chunk may have, whatever the memory.
const MAX_CHUNK_POINTS: u64 = 2_000_000;
/// Chunks for each core at least: the last ones are to keep all cores busy.
const CHUNKS_A_CORE: u64 = 8;

/// Tiles the sources as one scan into `dir`.
///
/// All files appear at the end, by renaming; a failed run leaves none of them. Temporary files live in `dir/.tiling`.
///
/// The scan has every attribute that one of the sources has, and the frame of the first. Points without colour get grey
/// by intensity in the tiles where their sources have it, else a ramp by height, so that they can be seen everywhere;
/// [`ScanExtras::attributes`] says what was measured.
///
/// # Errors
/// Those of the sources; `no_sources`, `sources_disagree`, `unit_degrees`, `no_points`, `size_implausible`, also where
/// more than one point in twenty lies too far away from the others; `source_changed`; `disk_full`; `tiling_in_progress`;
/// `io`; `cancelled`.
pub fn tile(sources: &mut [Box<dyn PointSource>], dir: &Path, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report> {
    let run = Run {
        started: Instant::now(),
        options,
        context: Context::new(options.cancel.as_deref(), progress),
        workers: rayon::current_num_threads().max(1),
        temporary: Temporary::default(),
        words: agree::words(sources),
    };
    let (frame, _) = agree::agree(sources)?;
    std::fs::create_dir_all(dir).map_err(|error| Error::io("write", dir, error))?;
    let work = Work::open(dir, options.fingerprint.as_ref().map(|own| run.fingerprint(own)))?;
    let result = run.all(sources, frame, dir, &work);
    work.end(result.as_ref().err());
    result
}

/// Bytes of temporary files.
#[derive(Default)]
struct Temporary {
    now: AtomicU64,
    most: AtomicU64,
}

impl Temporary {
    fn add(&self, bytes: u64) {
        let now = self.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    fn remove(&self, bytes: u64) {
        self.now.fetch_sub(bytes, Ordering::Relaxed);
    }
}

struct Run<'a> {
    started: Instant,
    options: &'a Options,
    context: Context<'a>,
    workers: usize,
    temporary: Temporary,
    words: agree::Words,
}

impl Run<'_> {
    /// Of sources, options and this program.
    fn fingerprint(&self, own: &str) -> String {
        let Options { tile_points, outputs, .. } = self.options;
        format!("{} {tile_points} {} {} {own}", env!("CARGO_PKG_VERSION"), outputs.copc, outputs.tiles)
    }

    fn tile_points(&self) -> usize {
        self.options.tile_points.clamp(16, 1 << 20)
    }

    /// Bytes for points and what is made of them.
    fn memory(&self) -> u64 {
        self.options.memory_bytes.saturating_sub(OWN_BYTES).max(self.options.memory_bytes / 4)
    }

    fn all(&self, sources: &mut [Box<dyn PointSource>], frame: Frame, dir: &Path, work: &Work) -> Result<Report> {
        let survey = match work.resume() {
            Some(survey) => survey,
            None => {
                work.clear()?;
                self.survey(sources, &frame, work)?
            }
        };
        let file_frame = frame;
        let cube = survey.cube;
        let middle = (cube.grid().position(cube.min) + cube.grid().position(cube.max)) / 2.0;
        let placement = Placement::new(&file_frame, middle)?;
        let format = survey.format();
        let mut tile_attributes = survey.attributes;
        // Tiles hold neither; COPC does.
        tile_attributes.returns = false;
        tile_attributes.gps_time = false;
        let Outputs { copc, tiles } = self.options.outputs;
        let ramp = Ramp::new(&survey.distributed, &cube, survey.attributes);
        let encoder = Encoder {
            copc: if copc { Some(NodeEncoder::new(&format)?) } else { None },
            format,
            cube,
            tiles: tiles.then(|| Tiles { placement: placement.clone(), attributes: tile_attributes, ramp }),
        };
        let builders = self.builders(encoder.format.record_len());
        let plans = Plans {
            encoder: &encoder,
            tile_points: self.tile_points(),
            table_bytes: self.memory() / 8 / builders as u64,
            unit_m: file_frame.unit.metres().unwrap_or(1.0),
            context: &self.context,
        };
        let parts = self.context.stage("sample", || self.sample(&plans, &survey, builders, work))?;
        let nodes = Nodes::of(parts);

        let points_dropped = survey.not_finite + survey.far_away;
        if nodes.points() + points_dropped != survey.points_in {
            let (out, points_in) = (nodes.points(), survey.points_in);
            return Err(Error::Internal(format!("{points_in} points went in, {out} came out and {points_dropped} were dropped")));
        }
        let bounds = scan_bounds(&cube, &placement, &nodes);
        let made =
            self.context.stage("write", || self.write(&nodes, &plans, &survey, &placement, &file_frame, tile_attributes, bounds, work))?;
        let drawn = self.context.stage("pictures", || self.pictures(&file_frame, work))?;
        self.publish(&nodes, &plans, &survey, &placement, bounds, &made, drawn, work, dir)
    }

    /// Counts and distributes.
    fn survey(&self, sources: &mut [Box<dyn PointSource>], frame: &Frame, work: &Work) -> Result<Survey> {
        let context = &self.context;
        let mut lattice = Lattice::of(sources, frame);
        let mut coarsened = Vec::new();
        let (counted, cube) = loop {
            let counted = context.stage("count", || count::count(sources, &lattice, frame, self.workers, context))?;
            if let Some(cube) = Cube::new(&lattice, counted.min, counted.max) {
                break (counted, cube);
            }
            lattice = lattice.coarser();
            let message = "the finest step of the files does not reach over all of them: coordinates are kept to a coarser one".into();
            coarsened = vec![Warning { code: "step_coarsened", message }];
        };
        // Some is only known when all points were seen.
        let (_, attributes) = agree::agree(sources)?;
        let formats: Vec<_> = sources.iter().map(|source| source.tail_format()).collect();
        let format = convert::merge(&formats);
        let stride = format.record_len();
        let kept = counted.points_in - counted.not_finite - counted.far_away;
        work.check_space(kept, stride)?;

        let limits =
            Limits { cube, stride, chunk_points: self.chunk_points(stride, kept), bytes: self.memory() / 4, workers: self.workers };
        let plan = Plan::of_cells(counted.cells, &cube, limits.chunk_points);
        let converters = Converter::of(sources, &format, lattice, cube);
        let distributed =
            context.stage("distribute", || distribute::distribute(sources, &converters, plan, limits, work.path(), context))?;
        let points: u64 = distributed.chunks.iter().map(|chunk| chunk.points).sum();
        if distributed.dropped != counted.not_finite + counted.far_away || points != kept {
            return Err(Error::input(
                "source_changed",
                format!("{kept} points were counted and {points} read: a file has changed meanwhile"),
                "Start again when the files are complete.",
            ));
        }
        let mut warnings = agree::warnings(sources);
        warnings.append(&mut coarsened);
        let setups = agree::setups(sources);
        let (points_in, not_finite, far_away) = (counted.points_in, counted.not_finite, counted.far_away);
        work.keep(Findings { cube, format, attributes, points_in, not_finite, far_away, distributed, warnings, setups })
    }

    /// Bytes that building a chunk takes for each of its points: records as they come and sorted, keys and codes, contents.
    fn build_bytes(stride: usize) -> u64 {
        2 * stride as u64 + 40
    }

    /// Points that a chunk may have.
    fn chunk_points(&self, stride: usize, points: u64) -> u64 {
        let least = 2 * (LARGEST_LEAF * self.tile_points()) as u64;
        let affordable = self.memory() / 2 / Self::build_bytes(stride) / self.workers as u64;
        affordable.min(MAX_CHUNK_POINTS).min(points / (CHUNKS_A_CORE * self.workers as u64)).max(least)
    }

    /// Chunks that are built at a time.
    fn builders(&self, stride: usize) -> usize {
        let least = 2 * (LARGEST_LEAF * self.tile_points()) as u64 * Self::build_bytes(stride);
        (self.memory() / 2 / least).clamp(1, self.workers as u64) as usize
    }

    /// Builds every chunk, then the cells above them.
    fn sample(&self, plans: &Plans<'_>, survey: &Survey, builders: usize, work: &Work) -> Result<Vec<(Part, std::path::PathBuf)>> {
        let chunks = &survey.distributed.chunks;
        let total: u64 = chunks.iter().map(|chunk| chunk.points).sum();
        let mut order: Vec<usize> = (0..chunks.len()).collect();
        // The largest ones first: what is left at the end is small.
        order.sort_by_key(|&number| (std::cmp::Reverse(chunks[number].points), number));
        self.temporary.add(chunks.iter().map(|chunk| chunk.bytes).sum());
        let parts: Vec<Mutex<Option<Part>>> = chunks.iter().map(|_| Mutex::default()).collect();
        let (next, done, failed) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..builders)
                .map(|_| {
                    scope.spawn(|| -> Result<()> {
                        let mut tools = (Tools::default(), Sorted::default(), Vec::new());
                        while let Some(&number) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                            if failed.load(Ordering::Relaxed) {
                                break;
                            }
                            let part = self.chunk(plans, &chunks[number], &work.part_path(number), work, &mut tools);
                            failed.fetch_or(part.is_err(), Ordering::Relaxed);
                            *parts[number].lock().map_err(|_| Error::Internal("a part's lock is poisoned".into()))? = Some(part?);
                            let done = done.fetch_add(chunks[number].points, Ordering::Relaxed) + chunks[number].points;
                            self.context.report("sample", 0.97 * done as f64 / total as f64);
                        }
                        Ok(())
                    })
                })
                .collect();
            let results: Vec<Result<()>> =
                workers.into_iter().map(|worker| worker.join().map_err(|_| Error::Internal("a builder panicked".into()))?).collect();
            results.into_iter().collect::<Result<()>>()
        })?;
        let mut parts: Vec<(Part, std::path::PathBuf)> =
            parts.into_iter().enumerate().filter_map(|(number, part)| Some((part.into_inner().ok()??, work.part_path(number)))).collect();
        let mut tops: Vec<TopOnDisk<'_>> =
            parts.iter().filter_map(|(part, path)| Some(TopOnDisk { top: part.top?.0, part, path: path.clone() })).collect();
        // In Morton order; no cell is an ancestor of another.
        tops.sort_by_cached_key(|top| {
            let cell = top.top.key.cell.map(|cell| cell << (plans.encoder.cube.bits - top.top.key.level));
            (morton(cell.map(|cell| cell >> 21)), morton(cell.map(|cell| cell & 0x1f_ffff)))
        });
        let path = work.path().join("part-above.bin");
        let above = build::above(plans, tops, &path, &mut Tools::default())?;
        self.temporary.add(above.bytes);
        parts.push((above, path));
        Ok(parts)
    }

    /// Builds one chunk, unless an earlier run has.
    fn chunk(
        &self,
        plans: &Plans<'_>,
        chunk: &Chunk,
        path: &Path,
        work: &Work,
        (tools, sorted, records): &mut (Tools, Sorted, Vec<u8>),
    ) -> Result<Part> {
        let from = work.path().join(&chunk.file);
        let found = self.options.fingerprint.as_ref().and_then(|_| Part::find(path));
        let part = if let Some(part) = found {
            part
        } else {
            let stride = plans.encoder.format.record_len();
            records.clear();
            records.reserve(chunk.points as usize * stride);
            let mut blocks = blocks::Blocks::open(&from, stride)?;
            while blocks.next(records)? {}
            if records.len() as u64 != chunk.points * stride as u64 {
                return Err(Error::Internal(format!("{} bytes of records in the chunk {}", records.len(), chunk.key)));
            }
            let digits = sorted.fill(records, stride, chunk.key, &plans.encoder.cube);
            Builder::new(plans, path, tools)?.chunk(chunk.key, sorted, digits)?
        };
        self.temporary.add(part.bytes);
        match std::fs::remove_file(&from) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", from, error)),
            _ => self.temporary.remove(chunk.bytes),
        }
        Ok(part)
    }

    /// Writes the encodings into the work folder; returns their names and lengths.
    #[expect(clippy::too_many_arguments, reason = "what a run has found, each thing once")]
    fn write(
        &self,
        nodes: &Nodes,
        plans: &Plans<'_>,
        survey: &Survey,
        placement: &Placement,
        file_frame: &Frame,
        attributes: Attributes,
        bounds: [f64; 6],
        work: &Work,
    ) -> Result<Vec<(&'static str, u64)>> {
        let Encoder { cube, format, .. } = plans.encoder;
        let copc = || {
            let header = copc::Header {
                format: format.clone(),
                grid: cube.grid(),
                center: cube.corner + DVec3::splat(cube.edge / 2.0),
                half_size: cube.edge / 2.0,
                spacing: plans.root_spacing(),
                crs: self.words.wkt.clone().or_else(|| file_frame.crs.clone()),
                unit: file_frame.unit,
                vertical_unit: file_frame.vertical_unit,
                gps_standard_time: self.words.gps_standard_time,
            };
            write::copc(nodes, header, &work.path().join("points.copc.laz"), &self.context)
        };
        let tiles = || {
            let range = percentiles(&survey.distributed.intensities).map(|bin| bin as u16);
            let scan = ScanExtras {
                format_version: FORMAT_VERSION,
                frame: placement.frame().clone(),
                attributes,
                points: nodes.points(),
                bounds,
                intensity_range: attributes.intensity.then_some(range),
            };
            let documents = documents::documents(&nodes.finals, placement.root_transform(), scan)?;
            write::tiles(nodes, documents, &work.path().join("tiles.3tz"), &self.context)
        };
        let Outputs { copc: with_copc, tiles: with_tiles } = self.options.outputs;
        let (copc, tiles) = rayon::join(|| with_copc.then(copc).transpose(), || with_tiles.then(tiles).transpose());
        Ok([copc?.map(|bytes| ("points.copc.laz", bytes)), tiles?.map(|bytes| ("tiles.3tz", bytes))].into_iter().flatten().collect())
    }

    /// Draws into the work folder, from whichever encoding is there.
    fn pictures(&self, file_frame: &Frame, work: &Work) -> Result<Pictures> {
        let [tiles, copc] = ["tiles.3tz", "points.copc.laz"].map(|name| work.path().join(name));
        let encoding = if self.options.outputs.tiles { Encoding::Tiles(&tiles) } else { Encoding::Copc(&copc, file_frame) };
        pictures::draw(&encoding, work.path(), self.options.memory_bytes, &|| self.context.check())
    }

    /// Moves everything to its place, the report last.
    #[expect(clippy::too_many_arguments, reason = "what a run has found, each thing once")]
    fn publish(
        &self,
        nodes: &Nodes,
        plans: &Plans<'_>,
        survey: &Survey,
        placement: &Placement,
        bounds: [f64; 6],
        made: &[(&'static str, u64)],
        drawn: Pictures,
        work: &Work,
        dir: &Path,
    ) -> Result<Report> {
        let encodings = made.iter().map(|&(name, bytes)| (name.to_owned(), bytes));
        let mut files: Vec<FileEntry> = encodings.chain(drawn.files).map(|(name, bytes)| FileEntry { name, bytes }).collect();
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut warnings = survey.warnings();
        warnings.extend_from_slice(placement.warnings());
        let mut dropped = Vec::new();
        for (reason, points, what) in [
            ("points_not_finite", survey.not_finite, "whose position is not a number"),
            ("points_far_away", survey.far_away, "more than 50 km from the others"),
        ] {
            if points > 0 {
                warnings.push(Warning { code: reason, message: format!("{points} points {what} were left out") });
                dropped.push(Dropped { reason, points });
            }
        }
        let metres = placement.frame().scan_from_file(DVec3::ONE).max_element();
        let report = Report {
            report_version: REPORT_VERSION,
            points_in: survey.points_in,
            points_out: nodes.points(),
            points_dropped: survey.not_finite + survey.far_away,
            dropped,
            warnings,
            tiles: nodes.finals.len() as u64,
            bytes: made.iter().find(|(name, _)| *name == "tiles.3tz").map_or(0, |&(_, bytes)| bytes),
            files,
            seconds: self.started.elapsed().as_secs_f64(),
            timings: self.context.timings(),
            temporary_bytes: self.temporary.most.load(Ordering::Relaxed),
            bounds,
            frame: placement.frame().clone(),
            attributes: survey.attributes,
            point_format: plans.encoder.format.point_format(),
            spacing_m: plans.root_spacing() * plans.unit_m,
            quantization_error_m: nodes.error_mm / 1000.0 + survey.distributed.error * metres,
            setups: survey.setups.clone(),
            levels: drawn.levels,
            survey: drawn.survey,
        };
        let draft = work.path().join("report.json");
        let text = serde_json::to_vec_pretty(&report).map_err(|error| Error::Internal(error.to_string()))?;
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        let rename = |name: &str| {
            let to = dir.join(name);
            std::fs::rename(work.path().join(name), &to).map_err(|error| Error::io("write", to, error))
        };
        // The report says that a run is complete: it comes last.
        for file in &report.files {
            rename(&file.name)?;
        }
        rename("report.json")?;
        self.context.report("pictures", 1.0);
        Ok(report)
    }
}

/// Bounds of all points in the scan frame. On the Earth that is turned against the file's, and what the tiles have is
/// nearer to the points than a turned box.
fn scan_bounds(cube: &Cube, placement: &Placement, nodes: &Nodes) -> [f64; 6] {
    let in_tiles = placement.frame().ecef_from_tile.and_then(|_| nodes.bounds_m());
    let in_scan = |bounds: Bounds| {
        let corner = |position: DVec3| placement.frame().scan_from_tile(position);
        Bounds { min: corner(bounds.min), max: corner(bounds.max) }
    };
    let in_file = || {
        let mut bounds = Bounds::EMPTY;
        bounds.include(cube.grid().position(cube.min));
        bounds.include(cube.grid().position(cube.max));
        placement.scan_bounds(bounds)
    };
    in_tiles.map_or_else(in_file, in_scan).to_array()
}
