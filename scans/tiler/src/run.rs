//! A run through all its stages.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use glam::DVec3;

use super::build::{LARGEST_LEAF, Plans};
use super::context::{Context, Progress};
use super::convert::{self, Converter};
use super::distribute::{self, Limits};
use super::earlier::Before;
use super::encode::Encoder;
use super::lattice::{Cube, Lattice};
use super::plan::Plan;
use super::ramp::Ramp;
use super::report::Report;
use super::work::{Findings, Survey, Work};
use super::write::Nodes;
use super::{Options, Outputs, agree, count};
use parterre_crs::Placement;
use parterre_encode::copc::NodeEncoder;
use parterre_model::frame::Frame;
use parterre_model::points::{Attributes, Bounds};
use parterre_model::{Error, Result, Warning};
use parterre_read::PointSource;

/// Bytes that the process takes before there is a point.
const OWN_BYTES: u64 = 64 << 20;
/// Tiles get no smaller for less memory than this.
const LEAST_BYTES: u64 = 128 << 20;
/// Points that a chunk may have, whatever the memory.
const MAX_CHUNK_POINTS: u64 = 2_000_000;
/// Chunks for each core at least: the last ones are to keep all cores busy.
const CHUNKS_A_CORE: u64 = 8;

/// Bytes of temporary files.
#[derive(Default)]
pub(super) struct Temporary {
    now: AtomicU64,
    most: AtomicU64,
}

impl Temporary {
    pub(super) fn add(&self, bytes: u64) {
        let now = self.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    pub(super) fn remove(&self, bytes: u64) {
        self.now.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Forgets what was there; the folder is empty.
    fn clear(&self) {
        self.now.store(0, Ordering::Relaxed);
    }

    pub(super) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// What a run is asked for, and what it takes.
pub(super) struct Run<'a> {
    pub(super) started: Instant,
    pub(super) options: &'a Options,
    pub(super) context: Context<'a>,
    pub(super) workers: usize,
    pub(super) temporary: Temporary,
    /// Of the scan that is added to.
    pub(super) before: Before,
}

/// What is known of the scan when its records are in chunks.
pub(super) struct Scan<'a> {
    pub(super) survey: &'a Survey,
    pub(super) file_frame: &'a Frame,
    pub(super) placement: Placement,
    /// Attributes of the tiles.
    pub(super) attributes: Attributes,
    /// Of the points in the scan frame.
    pub(super) bounds: [f64; 6],
}

impl<'a> Run<'a> {
    pub(super) fn new(options: &'a Options, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Self {
            started: Instant::now(),
            options,
            context: Context::new(options.cancel.as_deref(), progress),
            workers: rayon::current_num_threads().max(1),
            temporary: Temporary::default(),
            before: Before::default(),
        }
    }

    /// Of sources, options and this program.
    pub(super) fn fingerprint(&self, verb: &str) -> Option<String> {
        let Options { tile_points, outputs, fingerprint, .. } = self.options;
        let own = fingerprint.as_ref()?;
        Some(format!("{verb} {} {tile_points} {} {} {own}", env!("CARGO_PKG_VERSION"), outputs.copc, outputs.tiles))
    }

    /// Points wanted in a tile of so long records: as many as asked for, unless a chunk of a few leaves would take too much memory.
    fn tile_points(&self, stride: usize) -> usize {
        let memory = self.memory().max(LEAST_BYTES - OWN_BYTES);
        let affordable = memory / 2 / Self::build_bytes(stride) / (2 * LARGEST_LEAF as u64);
        self.options.tile_points.min(affordable as usize).clamp(16, 1 << 20)
    }

    /// Bytes for points and what is made of them.
    fn memory(&self) -> u64 {
        self.options.memory_bytes.saturating_sub(OWN_BYTES).max(self.options.memory_bytes / 4)
    }

    /// Does the work, or what an earlier run has left of it. `is_added_to` says that the first source is the scan that is in `dir`.
    pub(super) fn on(
        &self,
        work: &Work,
        sources: &mut [Box<dyn PointSource>],
        frame: &Frame,
        dir: &Path,
        is_added_to: bool,
    ) -> Result<Report> {
        if let Some(survey) = work.resume() {
            let chunks = survey.distributed.chunks.iter().filter(|chunk| work.path().join(&chunk.file).is_file());
            self.temporary.add(chunks.map(|chunk| chunk.bytes).sum());
            match self.build(work, &survey, sources, frame, dir, is_added_to) {
                // What was left is damaged: all is made again.
                Err(Error::Io { source, .. }) if matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::NotFound) => {}
                result => return result,
            }
        }
        work.clear()?;
        self.temporary.clear();
        let survey = self.survey(sources, frame, work)?;
        self.build(work, &survey, sources, frame, dir, is_added_to)
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
            let message = "the finest step of the files does not reach over all of them: coordinates are kept to a coarser one";
            coarsened = vec![Warning::new("step_coarsened", message)];
        };
        // Some is only known when all points were seen.
        let (_, attributes) = agree::agree(sources)?;
        let formats: Vec<_> = sources.iter().map(|source| source.tail_format()).collect();
        let format = convert::merge(&formats)?;
        let stride = format.record_len();
        let kept = counted.points_in - counted.not_finite - counted.far_away;
        work.check_space(kept, stride)?;

        let tile_points = self.tile_points(stride);
        let chunk_points = self.chunk_points(tile_points, stride, kept);
        let limits = Limits { cube, stride, chunk_points, bytes: self.memory() / 4, workers: self.workers };
        let plan = Plan::of_cells(counted.cells, &cube, limits.chunk_points);
        let converters = Converter::of(sources, &format, lattice, cube);
        let distributed = context
            .stage("distribute", || distribute::distribute(sources, &converters, plan, limits, work.path(), &self.temporary, context))?;
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
        warnings.extend(convert::renumbered(sources).filter(|warning| !warnings.contains(warning)));
        if tile_points < self.options.tile_points.min(1 << 20) {
            let message = format!(
                "tiles of {} points, {stride} bytes each, do not fit into {} MiB of memory: tiles have about {tile_points}",
                self.options.tile_points,
                self.options.memory_bytes >> 20
            );
            warnings.push(Warning::new("tile_points_capped", message));
        }
        let words = agree::words(sources);
        work.keep(Findings {
            cube,
            tile_points,
            format,
            attributes,
            points_in: counted.points_in,
            not_finite: counted.not_finite,
            far_away: counted.far_away,
            distributed,
            warnings,
            setups: agree::setups(sources),
            wkt: words.wkt,
            gps_standard_time: words.gps_standard_time,
        })
    }

    /// Bytes that building a chunk takes for each of its points: records as they come and sorted, keys and codes, contents.
    fn build_bytes(stride: usize) -> u64 {
        2 * stride as u64 + 40
    }

    /// Points that a chunk may have.
    pub(super) fn chunk_points(&self, tile_points: usize, stride: usize, points: u64) -> u64 {
        let least = 2 * (LARGEST_LEAF * tile_points) as u64;
        let affordable = self.memory() / 2 / Self::build_bytes(stride) / self.workers as u64;
        affordable.min(MAX_CHUNK_POINTS).min(points / (CHUNKS_A_CORE * self.workers as u64)).max(least)
    }

    /// Chunks that are built at a time.
    fn builders(&self, tile_points: usize, stride: usize) -> usize {
        let least = 2 * (LARGEST_LEAF * tile_points) as u64 * Self::build_bytes(stride);
        (self.memory() / 2 / least).clamp(1, self.workers as u64) as usize
    }

    /// From chunks to the published scan.
    fn build(
        &self,
        work: &Work,
        survey: &Survey,
        sources: &mut [Box<dyn PointSource>],
        file_frame: &Frame,
        dir: &Path,
        is_added_to: bool,
    ) -> Result<Report> {
        let cube = survey.cube;
        let middle = (cube.grid().position(cube.min) + cube.grid().position(cube.max)) / 2.0;
        let placement = Placement::new(file_frame, middle)?;
        let format = survey.format();
        // Tiles hold neither returns nor times; COPC does.
        let attributes = Attributes { returns: false, gps_time: false, ..survey.attributes };
        let Outputs { copc, tiles } = self.options.outputs;
        let ramp = Ramp::new(&survey.distributed, &cube, survey.attributes);
        let encoder = Encoder {
            copc: if copc { Some(NodeEncoder::new(&format)?) } else { None },
            format,
            cube,
            with_tiles: tiles,
            placement: placement.clone(),
            attributes,
            ramp,
        };
        let builders = self.builders(survey.tile_points, encoder.format.record_len());
        let plans = Plans {
            encoder: &encoder,
            tile_points: survey.tile_points,
            table_bytes: self.memory() / 8 / builders as u64,
            unit_m: file_frame.unit.metres().unwrap_or(1.0),
            context: &self.context,
        };
        let parts = self.context.stage("sample", || self.sample(&plans, survey, builders, work))?;
        let nodes = Nodes::of(parts);
        let points_dropped = survey.not_finite + survey.far_away;
        if nodes.points() + points_dropped != survey.points_in {
            let (out, points_in) = (nodes.points(), survey.points_in);
            return Err(Error::Internal(format!("{points_in} points went in, {out} came out and {points_dropped} were dropped")));
        }
        let bounds = scan_bounds(&cube, &placement, &nodes);
        let scan = Scan { survey, file_frame, placement, attributes, bounds };
        // Both take the nodes from the parts; writing leaves the processor free.
        self.context.report("write", 0.0);
        let (made, beside) = rayon::join(
            || self.context.stage("write", || self.write(&nodes, &plans, &scan, work)),
            || self.context.stage("pictures", || self.beside(sources, &nodes, &plans, work, dir, is_added_to)),
        );
        self.publish(&nodes, &plans, &scan, made?, beside?, work, dir)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_fit_the_memory_whatever_is_asked_for() {
        for memory_bytes in [128_u64 << 20, 512 << 20, 4 << 30] {
            for tile_points in [16, 50_000, 1_000_000, usize::MAX] {
                for stride in [30, 38, 150, 1062] {
                    let options = Options { memory_bytes, tile_points, ..Options::default() };
                    let run = Run::new(&options, &|_| ());
                    let tile_points = run.tile_points(stride);
                    let points = run.chunk_points(tile_points, stride, 10_000_000_000);
                    let bytes = points * Run::build_bytes(stride) * run.builders(tile_points, stride) as u64;
                    assert!(bytes <= memory_bytes / 2, "{bytes} of {memory_bytes}: {tile_points} {stride}");
                    assert!(tile_points >= 1000.min(options.tile_points));
                }
            }
        }
        let default = Options::default();
        assert_eq!(Run::new(&default, &|_| ()).tile_points(62), default.tile_points);
    }
}
