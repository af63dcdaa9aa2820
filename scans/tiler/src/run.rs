//! A run through all stages.

mod memory;
mod report;

use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use glam::DVec3;

use self::memory::MemoryPlan;
use self::report::Made;
use crate::build::BuildPlan;
use crate::build::encoder::Encoder;
use crate::build::fallback_color::FallbackColor;
use crate::build::node_writer::BuildSettings;
use crate::build::surfaces::SurfaceSettings;
use crate::build::surfaces::sides::Sides;
use crate::context::{Context, Progress};
use crate::count::count;
use crate::distribute::chunk_plan::ChunkPlan;
use crate::distribute::occupancy::Occupancy;
use crate::distribute::{ChunkLimits, distribute};
use crate::journal::distributed_scan::DistributedScan;
use crate::journal::publishing::REPORT;
use crate::journal::work_folder::WorkFolder;
use crate::octree::common_grid::CommonGrid;
use crate::octree::cube::Cube;
use crate::options::{Options, Outputs};
use crate::pictures::{self, setups_and_images};
use crate::records::disk_use::DiskUse;
use crate::report::Report;
use crate::sources::convert::{Converter, renumbering_warning};
use crate::sources::previous_scan::{PreviousReport, PreviousScan};
use crate::sources::{combine, layout};
use crate::write::nodes::Nodes;
use crate::write::placed_scan::{PlacedScan, scan_bounds};
use crate::write::write;

use parterre_crs::Placement;
use parterre_encode::copc::NodeEncoder;
use parterre_model::frame::Frame;
use parterre_model::points::Attributes;
use parterre_model::{Error, Result, Warning};
use parterre_read::PointSource;

/// Tiles the sources as one scan into `dir`.
///
/// All files appear at the end, by renaming; a failed run leaves none of them. Temporary files live in `dir/.tiling`. Files of
/// a scan that was there before are replaced or removed.
///
/// The scan has every attribute that one of the sources has, and the frame of the first. Points without colour get grey
/// by intensity in the tiles where their sources have it, else a colour by height, so that every viewer shows them;
/// [`ScanExtras::attributes`](parterre_tile::tileset::ScanExtras::attributes) says what was measured.
///
/// # Errors
/// Those of the sources; `no_sources`, `sources_disagree`, `extra_bytes_too_many`, `unit_degrees`, `no_points`, `size_implausible`, also where
/// more than one point in twenty lies too far away from the others; `source_changed`; `disk_full`; `tiling_in_progress`;
/// `io`; `cancelled`.
pub fn tile(sources: &mut [Box<dyn PointSource>], dir: &Path, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report> {
    let run = Run::new(options, progress);
    let (frame, _) = combine::combined_frame(sources)?;
    std::fs::create_dir_all(dir).map_err(|error| Error::io("write", dir, error))?;
    let work = WorkFolder::open(dir, run.fingerprint("tile"), false)?;
    // Opening the folder completes a run that was killed while it published.
    let job = Job { work: &work, frame: &frame, dir, is_added_to: false };
    let result = work.published().map_or_else(|| run.resume_or_start(&job, sources), Ok);
    work.close(result.as_ref().err());
    result
}

/// Adds the sources to the scan that an earlier run has left in `dir`: the result is as if all files had been tiled together, those of
/// the earlier run first. The sources of the earlier run are not needed: `points.copc.laz` has all their attributes.
///
/// The result replaces the scan when it is complete. Options should be those of the earlier run. One thing differs: points of the earlier
/// run have the steps that it gave them. Where a file with finer steps is added (warning `add_coarser`) and the sources of the earlier run had finer
/// positions than those steps, tiling all files together keeps more of them. A run that was killed is resumed, or its publishing is completed.
///
/// # Errors
/// As [`tile`]; `already_added` where one of [`Options::source_fingerprints`] is one of the scan's; `nothing_to_add_to` where `dir` lacks
/// `points.copc.laz` or a report, and where COPC is not wanted: nothing could be added to such a scan.
pub fn add(sources: Vec<Box<dyn PointSource>>, dir: &Path, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report> {
    let mut run = Run::new(options, progress);
    if !options.outputs.copc {
        return Err(Error::input(
            "nothing_to_add_to",
            "without COPC the scan would lose the points that it has",
            "Make COPC too, or tile all files together.",
        ));
    }
    combine::combined_frame(&sources)?;
    let work = WorkFolder::open(dir, run.fingerprint("add"), true)?;
    let add = || {
        let mut previous = PreviousScan::open(dir)?;
        run.previous = previous.check_new(&sources, &options.source_fingerprints)?;
        let mut all: Vec<Box<dyn PointSource>> = vec![Box::new(previous)];
        all.extend(sources);
        let (frame, _) = combine::combined_frame(&all)?;
        run.resume_or_start(&Job { work: &work, frame: &frame, dir, is_added_to: true }, &mut all)
    };
    let result = work.published().map_or_else(add, Ok);
    work.close(result.as_ref().err());
    result
}

/// Settings and state of a run.
struct Run<'a> {
    started: Instant,
    options: &'a Options,
    context: Context<'a>,
    workers: usize,
    memory: MemoryPlan,
    disk_use: DiskUse,
    /// From the report of the scan that is added to.
    previous: PreviousReport,
}

/// Where a run works.
struct Job<'a> {
    work: &'a WorkFolder,
    /// Frame of the files.
    frame: &'a Frame,
    /// The destination.
    dir: &'a Path,
    /// Whether the first source is the scan that is in the destination.
    is_added_to: bool,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        let workers = rayon::current_num_threads().max(1);
        Self {
            started: Instant::now(),
            options,
            context: Context::new(options.cancel.as_deref(), progress),
            workers,
            memory: MemoryPlan::new(options.memory_bytes, workers),
            disk_use: DiskUse::default(),
            previous: PreviousReport::default(),
        }
    }

    /// The fingerprint of the job together with the options and the version of this program.
    fn fingerprint(&self, verb: &str) -> Option<String> {
        let Options { tile_points, outputs, job_fingerprint, .. } = self.options;
        let own = job_fingerprint.as_ref()?;
        Some(format!("{verb} {} {tile_points} {} {} {own}", env!("CARGO_PKG_VERSION"), outputs.copc, outputs.tiles))
    }

    /// Resumes the job where an earlier run has left it, or starts it.
    fn resume_or_start(&self, job: &Job<'_>, sources: &mut [Box<dyn PointSource>]) -> Result<Report> {
        if let Some(scan) = job.work.resume() {
            let chunks = scan.distributed.chunks.iter().filter(|chunk| job.work.path().join(&chunk.file).is_file());
            self.disk_use.add(chunks.map(|chunk| chunk.bytes).sum());
            match self.build_and_publish(job, &scan, sources) {
                // The files of the earlier run are damaged: start again.
                Err(Error::Io { source, .. }) if matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::NotFound) => {}
                result => return result,
            }
        }
        job.work.clear()?;
        self.disk_use.clear();
        let scan = self.count_and_distribute(job, sources)?;
        self.build_and_publish(job, &scan, sources)
    }

    /// The first two stages.
    fn count_and_distribute(&self, job: &Job<'_>, sources: &mut [Box<dyn PointSource>]) -> Result<DistributedScan> {
        let (context, work, frame) = (&self.context, job.work, job.frame);
        let mut common_grid = CommonGrid::of(sources, frame);
        let mut coarsened = Vec::new();
        let (counted, cube) = loop {
            let counted = context.stage("count", || count(sources, &common_grid, frame, self.workers, context))?;
            if let Some(cube) = Cube::new(&common_grid, counted.min, counted.max) {
                break (counted, cube);
            }
            common_grid = common_grid.coarser();
            let message = "the finest step of the files does not reach over all of them: coordinates are kept to a coarser one";
            coarsened = vec![Warning::new("step_coarsened", message)];
        };
        // Some attributes are only known after all points were read.
        let (_, attributes) = combine::combined_frame(sources)?;
        let layouts: Vec<_> = sources.iter().map(|source| source.attribute_layout()).collect();
        let layout = layout::merge(&layouts)?;
        let stride = layout.record_len();
        let kept = counted.points_in - counted.not_finite - counted.far_away;
        work.check_space(kept, stride)?;

        let tile_points = self.memory.tile_points(self.options.tile_points, stride);
        let chunk_points = self.memory.chunk_points(tile_points, stride, kept);
        let limits = ChunkLimits { cube, stride, chunk_points, buffer_bytes: self.memory.buffer_bytes(), workers: self.workers };
        let plan = ChunkPlan::of_cells(counted.cells, &cube, limits.chunk_points);
        let occupancy = self.options.outputs.tiles.then(|| Occupancy::new(&cube, frame.scan_from_file(DVec3::ONE)));
        let converters = Converter::of(sources, &layout, common_grid, cube);
        let distributed = context
            .stage("distribute", || distribute(sources, &converters, plan, limits, occupancy, work.path(), &self.disk_use, context))?;
        let points: u64 = distributed.chunks.iter().map(|chunk| chunk.points).sum();
        if distributed.dropped != counted.not_finite + counted.far_away || points != kept {
            return Err(Error::input(
                "source_changed",
                format!("{kept} points were counted and {points} read: a file has changed meanwhile"),
                "Start again when the files are complete.",
            ));
        }
        let mut warnings = combine::warnings(sources);
        warnings.append(&mut coarsened);
        warnings.extend(renumbering_warning(sources).filter(|warning| !warnings.contains(warning)));
        if tile_points < self.options.tile_points.min(1 << 20) {
            let message = format!(
                "tiles of {} points, {stride} bytes each, do not fit into {} MiB of memory: tiles have about {tile_points}",
                self.options.tile_points,
                self.options.memory_bytes >> 20
            );
            warnings.push(Warning::new("tile_points_capped", message));
        }
        let common = combine::crs_and_clock(sources);
        work.write_journal(DistributedScan {
            cube,
            tile_points,
            layout,
            attributes,
            points_in: counted.points_in,
            not_finite: counted.not_finite,
            far_away: counted.far_away,
            distributed,
            warnings,
            setups: combine::setups(sources),
            wkt: common.wkt,
            gps_standard_time: common.gps_standard_time,
        })
    }

    /// The other stages, from chunks to the published scan.
    fn build_and_publish(&self, job: &Job<'_>, distributed: &DistributedScan, sources: &mut [Box<dyn PointSource>]) -> Result<Report> {
        let (context, work) = (&self.context, job.work.path());
        let DistributedScan { cube, tile_points, .. } = *distributed;
        let layout = distributed.layout.clone();
        let middle = (cube.grid().position(cube.min) + cube.grid().position(cube.max)) / 2.0;
        let placement = Placement::new(job.frame, middle)?;
        // Tiles hold neither returns nor times; COPC does.
        let attributes = Attributes { returns: false, gps_time: false, ..distributed.attributes };
        let Outputs { copc, tiles } = self.options.outputs;
        let stride = layout.record_len();
        let encoder = Encoder {
            copc: if copc { Some(NodeEncoder::new(&layout)?) } else { None },
            layout,
            cube,
            with_tiles: tiles,
            placement: placement.clone(),
            attributes,
            fallback_color: FallbackColor::new(&distributed.distributed.histograms, &cube, distributed.attributes),
        };
        let metres = job.frame.scan_from_file(DVec3::ONE);
        let surfaces = tiles.then(|| SurfaceSettings {
            cube,
            placement,
            metres,
            sides: Sides::new(&distributed.setups, distributed.distributed.occupancy.as_ref(), &cube, metres),
        });
        let builders = self.memory.builders(tile_points, stride);
        let settings = BuildSettings {
            encoder: &encoder,
            surfaces: surfaces.as_ref(),
            tile_points,
            table_bytes: self.memory.table_bytes(builders),
            unit_m: job.frame.unit.metres().unwrap_or(1.0),
            context,
        };
        let plan = BuildPlan {
            settings: &settings,
            dir: work,
            builders,
            most_points: self.memory.chunk_points(tile_points, stride, u64::MAX),
            resumes: job.work.resumes(),
            disk_use: &self.disk_use,
        };
        let files = context.stage("sample", || plan.build(&distributed.distributed.chunks))?;
        let nodes = Nodes::new(files);
        let points_dropped = distributed.not_finite + distributed.far_away;
        if nodes.points() + points_dropped != distributed.points_in {
            let (out, points_in) = (nodes.points(), distributed.points_in);
            return Err(Error::Internal(format!("{points_in} points went in, {out} came out and {points_dropped} were dropped")));
        }
        let placement = encoder.placement.clone();
        let bounds = scan_bounds(&cube, &placement, &nodes);
        let scan = PlacedScan { distributed, file_frame: job.frame, placement, attributes, bounds };
        // Both only read the node files; writing leaves the processor free.
        context.report("write", 0.0);
        let (encodings, drawn) = rayon::join(
            || context.stage("write", || write(self.options.outputs, &nodes, &settings, &scan, work)),
            || {
                context.stage("pictures", || {
                    let pictures = pictures::draw(&nodes, &encoder, work, self.memory.picture_bytes(), &|| context.check())?;
                    // The scan that is added to is the first source; its images are in the destination.
                    let (previous, own) = if job.is_added_to { (Some(job.dir), &mut sources[1..]) } else { (None, sources) };
                    Ok((pictures, setups_and_images::extract(own, &encoder.placement, previous, work)?))
                })
            },
        );
        let (encodings, (pictures, setups)) = (encodings?, drawn?);
        let made = Made { encodings, pictures, setups };
        let report = Report {
            seconds: self.started.elapsed().as_secs_f64(),
            timings: context.timings(),
            temporary_bytes: self.disk_use.most(),
            ..report::report(self.options, &self.previous, &nodes, &settings, &scan, made)
        };
        let draft = work.join(REPORT);
        let text = serde_json::to_vec_pretty(&report).map_err(|error| Error::Internal(error.to_string()))?;
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        context.check()?;
        job.work.publish(&report, job.dir)?;
        context.report("pictures", 1.0);
        Ok(report)
    }
}
