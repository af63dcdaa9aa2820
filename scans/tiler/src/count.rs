//! Stage 1: the first pass over the sources, for positions alone. It finds the bounds of the points, which points lie too far away from the
//! others, and how many points there are in each cell.
//!
//! Only the window of the cells depends on the order of the points, and it decides only how the work is divided.

pub(crate) mod cells;

use std::collections::HashMap;
use std::sync::OnceLock;

use self::cells::{Cells, Window};
use crate::context::Context;
use crate::octree::common_grid::CommonGrid;
use crate::sources::parallel::process_chunks;
use parterre_model::frame::{self, Frame, Unit};
use parterre_model::points::Bounds;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, Result};
use parterre_read::PointSource;

/// Edge of a region, in metres. The points of a region are kept or left out together.
const REGION_M: f64 = 10_000.0;
/// Regions on either side of the median one that are kept: a scan spans at most 100 km.
const KEPT_REGIONS: i64 = 5;
/// At most one point in this many may be left out because it is far away. More are a part of the scan, and a scan must not be cut in two.
const POINTS_PER_FAR_POINT: u64 = 20;
/// Most regions with points; positions in more of them are not a scan.
const MAX_REGIONS: usize = 10_000;
/// Most threads that count: reading is slower than counting.
const MAX_WORKERS: usize = 4;

/// What the pass found.
pub(crate) struct Counted {
    pub(crate) points_in: u64,
    pub(crate) not_finite: u64,
    pub(crate) far_away: u64,
    /// Smallest and largest grid coordinates of the points kept.
    pub(crate) min: [i64; 3],
    pub(crate) max: [i64; 3],
    pub(crate) cells: Cells,
}

/// Points of a region.
#[derive(Clone, Copy)]
struct Region {
    /// Its first grid coordinates, and the first beyond it.
    from: [i64; 3],
    to: [i64; 3],
    count: u64,
    min: [i64; 3],
    max: [i64; 3],
}

/// What one worker has counted.
struct WorkerCounts {
    points: u64,
    not_finite: u64,
    beyond: u64,
    regions: HashMap<[i64; 3], Region>,
    /// The region of the last point; it is not in the map meanwhile.
    current: Option<([i64; 3], Region)>,
    cells: Option<Cells>,
}

/// Counts all points of the sources.
pub(crate) fn count(
    sources: &mut [Box<dyn PointSource>],
    common_grid: &CommonGrid,
    frame: &Frame,
    workers: usize,
    context: &Context<'_>,
) -> Result<Counted> {
    let announced = sources.iter().map(|source| source.info().bounds).filter(|bounds| is_box(*bounds)).reduce(Bounds::union);
    let region = common_grid.steps_in(REGION_M, frame);
    let window = OnceLock::new();
    let progress = |share| context.report("count", share);
    let start = || WorkerCounts { points: 0, not_finite: 0, beyond: 0, regions: HashMap::new(), current: None, cells: None };
    let work = |counts: &mut WorkerCounts, _, chunk: &RecordChunk| {
        if counts.cells.is_none() {
            counts.cells = Some(Cells::new(*window.get_or_init(|| window_of(common_grid, announced, chunk))));
        }
        counts.take(common_grid, region, chunk)
    };
    let counts = process_chunks(sources, Wanted::Positions, workers.min(MAX_WORKERS), context, &progress, &start, &work)?;
    merge_counts(counts, common_grid, frame)
}

fn is_box(bounds: Bounds) -> bool {
    bounds.min.is_finite() && bounds.max.is_finite() && !bounds.is_empty()
}

/// The window over the bounds that the headers announce, or else over those of the first chunk.
fn window_of(common_grid: &CommonGrid, announced: Option<Bounds>, chunk: &RecordChunk) -> Window {
    let corners = announced.and_then(|bounds| Some([common_grid.coordinates(bounds.min)?, common_grid.coordinates(bounds.max)?]));
    let extremes = |all: &mut dyn Iterator<Item = [i64; 3]>| {
        let mut found: Option<[[i64; 3]; 2]> = None;
        for coordinates in all {
            let [min, max] = found.get_or_insert([coordinates; 2]);
            *min = [0, 1, 2].map(|axis| min[axis].min(coordinates[axis]));
            *max = [0, 1, 2].map(|axis| max[axis].max(coordinates[axis]));
        }
        found
    };
    let [min, max] = corners
        .or_else(|| {
            if common_grid.is_shared && !chunk.steps.is_empty() {
                extremes(&mut chunk.steps.iter().map(|steps| steps.map(i64::from)))
            } else {
                extremes(&mut chunk.positions.iter().filter_map(|&position| common_grid.coordinates(position)))
            }
        })
        .unwrap_or_default();
    Window::holding(common_grid.tree_steps(min), common_grid.tree_steps(max))
}

impl WorkerCounts {
    fn take(&mut self, common_grid: &CommonGrid, region: [i64; 3], chunk: &RecordChunk) -> Result<()> {
        if common_grid.is_shared && chunk.steps.len() >= chunk.positions.len() {
            self.points += chunk.steps.len() as u64;
            for steps in &chunk.steps {
                self.add(common_grid, region, steps.map(i64::from))?;
            }
            return Ok(());
        }
        self.points += chunk.positions.len() as u64;
        for &position in &chunk.positions {
            match common_grid.coordinates(position) {
                Some(coordinates) => self.add(common_grid, region, coordinates)?,
                None if position.is_finite() => self.beyond += 1,
                None => self.not_finite += 1,
            }
        }
        Ok(())
    }

    fn add(&mut self, common_grid: &CommonGrid, edge: [i64; 3], coordinates: [i64; 3]) -> Result<()> {
        let is_in = |region: &Region| (0..3).all(|axis| coordinates[axis] >= region.from[axis] && coordinates[axis] < region.to[axis]);
        if !self.current.as_ref().is_some_and(|(_, region)| is_in(region)) {
            let key = [0, 1, 2].map(|axis| coordinates[axis].div_euclid(edge[axis]));
            let from = [0, 1, 2].map(|axis| key[axis] * edge[axis]);
            let fresh =
                Region { from, to: [0, 1, 2].map(|axis| from[axis] + edge[axis]), count: 0, min: [i64::MAX; 3], max: [i64::MIN; 3] };
            let next = self.regions.remove(&key).unwrap_or(fresh);
            if let Some((key, region)) = self.current.replace((key, next)) {
                self.regions.insert(key, region);
            }
            if self.regions.len() > MAX_REGIONS {
                return Err(too_many_regions());
            }
        }
        if let Some((_, region)) = &mut self.current {
            region.count += 1;
            region.min = [0, 1, 2].map(|axis| region.min[axis].min(coordinates[axis]));
            region.max = [0, 1, 2].map(|axis| region.max[axis].max(coordinates[axis]));
        }
        if let Some(cells) = &mut self.cells {
            cells.add(common_grid.tree_steps(coordinates));
        }
        Ok(())
    }
}

fn too_many_regions() -> Error {
    frame::implausible(format!("the points lie in more than {MAX_REGIONS} places that are 10 km apart"))
}

fn merge_counts(counts: Vec<WorkerCounts>, common_grid: &CommonGrid, frame: &Frame) -> Result<Counted> {
    let (mut points_in, mut not_finite, mut far_away) = (0, 0, 0);
    let mut regions: HashMap<[i64; 3], Region> = HashMap::new();
    let mut cells: Option<Cells> = None;
    for counts in counts {
        points_in += counts.points;
        not_finite += counts.not_finite;
        far_away += counts.beyond;
        for (key, region) in counts.regions.into_iter().chain(counts.current) {
            let sum = regions.entry(key).or_insert(Region { count: 0, ..region });
            sum.count += region.count;
            sum.min = [0, 1, 2].map(|axis| sum.min[axis].min(region.min[axis]));
            sum.max = [0, 1, 2].map(|axis| sum.max[axis].max(region.max[axis]));
        }
        match (&mut cells, counts.cells) {
            (Some(all), Some(more)) => all.merge(more),
            (all @ None, more) => *all = more,
            (Some(_), None) => {}
        }
    }
    let middle = [0, 1, 2].map(|axis| median(regions.iter().map(|(key, region)| (key[axis], region.count)).collect()));
    let (mut kept, mut min, mut max) = (0, [i64::MAX; 3], [i64::MIN; 3]);
    for (key, region) in &regions {
        if (0..3).any(|axis| key[axis].abs_diff(middle[axis]) > KEPT_REGIONS as u64) {
            far_away += region.count;
            continue;
        }
        kept += region.count;
        min = [0, 1, 2].map(|axis| min[axis].min(region.min[axis]));
        max = [0, 1, 2].map(|axis| max[axis].max(region.max[axis]));
    }
    let Some(cells) = cells.filter(|_| kept > 0) else {
        return Err(Error::input(
            "no_points",
            format!("none of the {points_in} points has a usable position"),
            "Check that the file holds points and that its scale and offset are right.",
        ));
    };
    if far_away > (kept + far_away) / POINTS_PER_FAR_POINT {
        return Err(frame::implausible(format!("{far_away} of {points_in} points lie more than 50 km from the others")));
    }
    let mut bounds = Bounds::EMPTY;
    for coordinates in [min, max] {
        bounds.include(frame.scan_from_file(common_grid.position(coordinates)));
    }
    frame::check_size(bounds, Unit::Metre)?;
    Ok(Counted { points_in, not_finite, far_away, min, max, cells })
}

/// The median of weighted values; 0 where there are none.
fn median(mut values: Vec<(i64, u64)>) -> i64 {
    values.sort_unstable();
    let half = values.iter().map(|(_, weight)| weight).sum::<u64>() / 2;
    let mut seen = 0;
    let found = values.iter().find(|(_, weight)| {
        seen += weight;
        seen > half
    });
    found.map_or(0, |&(value, _)| value)
}
