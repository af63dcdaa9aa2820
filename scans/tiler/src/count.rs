//! The first pass over the sources, for positions alone: how far the points reach, which of them lie too far away from the
//! others, and how many there are where.
//!
//! Nothing that follows from it depends on the order of the points but the window of the cells, which only decides how
//! the work is divided.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::cells::{Cells, Window};
use super::context::Context;
use super::feed::feed;
use super::lattice::Lattice;
use parterre_model::frame::{self, Frame, Unit};
use parterre_model::points::Bounds;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, Result};
use parterre_read::PointSource;

/// Edge of the regions that are kept or left out as wholes, in metres.
const REGION_M: f64 = 10_000.0;
/// Regions on either side of the middle one that are kept.
const REACH: i64 = 5;
/// One point in so many may be far away: these are stragglers; more are a part of the scan, which is not to be halved.
const STRAGGLERS: u64 = 20;
/// Regions that are told apart; positions all over are no scan.
const MAX_REGIONS: usize = 10_000;
/// Threads that count; reading is slower.
const MAX_WORKERS: usize = 4;

/// What the pass found.
pub(super) struct Counted {
    pub(super) points_in: u64,
    pub(super) not_finite: u64,
    pub(super) far_away: u64,
    /// Extremes of the places kept.
    pub(super) min: [i64; 3],
    pub(super) max: [i64; 3],
    pub(super) cells: Cells,
}

/// Points of a region.
#[derive(Clone, Copy)]
struct Region {
    /// Its first place, and the first one beyond it.
    from: [i64; 3],
    to: [i64; 3],
    count: u64,
    min: [i64; 3],
    max: [i64; 3],
}

/// What one worker has seen.
struct Tally {
    points: u64,
    not_finite: u64,
    beyond: u64,
    regions: HashMap<[i64; 3], Region>,
    /// The region of the last point, taken out of the map.
    current: Option<([i64; 3], Region)>,
    cells: Option<Cells>,
}

/// Counts all points of the sources.
pub(super) fn count(
    sources: &mut [Box<dyn PointSource>],
    lattice: &Lattice,
    frame: &Frame,
    workers: usize,
    context: &Context<'_>,
) -> Result<Counted> {
    let announced = sources.iter().map(|source| source.info().bounds).filter(|bounds| is_box(*bounds)).reduce(Bounds::union);
    let region = lattice.places_in(REGION_M, frame);
    let window = OnceLock::new();
    let progress = |share| context.report("count", share);
    let start = || Tally { points: 0, not_finite: 0, beyond: 0, regions: HashMap::new(), current: None, cells: None };
    let work = |tally: &mut Tally, _, chunk: &RecordChunk| {
        if tally.cells.is_none() {
            tally.cells = Some(Cells::new(*window.get_or_init(|| window_of(lattice, announced, chunk))));
        }
        tally.take(lattice, region, chunk)
    };
    let tallies = feed(sources, Wanted::Positions, workers.min(MAX_WORKERS), context, &progress, &start, &work)?;
    conclude(tallies, lattice, frame)
}

fn is_box(bounds: Bounds) -> bool {
    bounds.min.is_finite() && bounds.max.is_finite() && !bounds.is_empty()
}

/// The window over what the headers announce, or else over the chunk at hand.
fn window_of(lattice: &Lattice, announced: Option<Bounds>, chunk: &RecordChunk) -> Window {
    let corners = announced.and_then(|bounds| Some([lattice.place(bounds.min)?, lattice.place(bounds.max)?]));
    let extremes = |places: &mut dyn Iterator<Item = [i64; 3]>| {
        let mut found: Option<[[i64; 3]; 2]> = None;
        for place in places {
            let [min, max] = found.get_or_insert([place; 2]);
            *min = [0, 1, 2].map(|axis| min[axis].min(place[axis]));
            *max = [0, 1, 2].map(|axis| max[axis].max(place[axis]));
        }
        found
    };
    let [min, max] = corners
        .or_else(|| {
            if lattice.is_shared && !chunk.steps.is_empty() {
                extremes(&mut chunk.steps.iter().map(|steps| steps.map(i64::from)))
            } else {
                extremes(&mut chunk.positions.iter().filter_map(|&position| lattice.place(position)))
            }
        })
        .unwrap_or_default();
    Window::holding(lattice.tree(min), lattice.tree(max))
}

impl Tally {
    fn take(&mut self, lattice: &Lattice, region: [i64; 3], chunk: &RecordChunk) -> Result<()> {
        if lattice.is_shared && chunk.steps.len() >= chunk.positions.len() {
            self.points += chunk.steps.len() as u64;
            for steps in &chunk.steps {
                self.add(lattice, region, steps.map(i64::from))?;
            }
            return Ok(());
        }
        self.points += chunk.positions.len() as u64;
        for &position in &chunk.positions {
            match lattice.place(position) {
                Some(place) => self.add(lattice, region, place)?,
                None if position.is_finite() => self.beyond += 1,
                None => self.not_finite += 1,
            }
        }
        Ok(())
    }

    fn add(&mut self, lattice: &Lattice, edge: [i64; 3], place: [i64; 3]) -> Result<()> {
        let is_in = |region: &Region| (0..3).all(|axis| place[axis] >= region.from[axis] && place[axis] < region.to[axis]);
        if !self.current.as_ref().is_some_and(|(_, region)| is_in(region)) {
            let key = [0, 1, 2].map(|axis| place[axis].div_euclid(edge[axis]));
            let from = [0, 1, 2].map(|axis| key[axis] * edge[axis]);
            let fresh =
                Region { from, to: [0, 1, 2].map(|axis| from[axis] + edge[axis]), count: 0, min: [i64::MAX; 3], max: [i64::MIN; 3] };
            let next = self.regions.remove(&key).unwrap_or(fresh);
            if let Some((key, region)) = self.current.replace((key, next)) {
                self.regions.insert(key, region);
            }
            if self.regions.len() > MAX_REGIONS {
                return Err(all_over());
            }
        }
        if let Some((_, region)) = &mut self.current {
            region.count += 1;
            region.min = [0, 1, 2].map(|axis| region.min[axis].min(place[axis]));
            region.max = [0, 1, 2].map(|axis| region.max[axis].max(place[axis]));
        }
        if let Some(cells) = &mut self.cells {
            cells.add(lattice.tree(place));
        }
        Ok(())
    }
}

fn all_over() -> Error {
    frame::implausible(format!("the points lie in more than {MAX_REGIONS} places that are 10 km apart"))
}

fn conclude(tallies: Vec<Tally>, lattice: &Lattice, frame: &Frame) -> Result<Counted> {
    let (mut points_in, mut not_finite, mut far_away) = (0, 0, 0);
    let mut regions: HashMap<[i64; 3], Region> = HashMap::new();
    let mut cells: Option<Cells> = None;
    for tally in tallies {
        points_in += tally.points;
        not_finite += tally.not_finite;
        far_away += tally.beyond;
        for (key, region) in tally.regions.into_iter().chain(tally.current) {
            let sum = regions.entry(key).or_insert(Region { count: 0, ..region });
            sum.count += region.count;
            sum.min = [0, 1, 2].map(|axis| sum.min[axis].min(region.min[axis]));
            sum.max = [0, 1, 2].map(|axis| sum.max[axis].max(region.max[axis]));
        }
        match (&mut cells, tally.cells) {
            (Some(all), Some(more)) => all.merge(more),
            (all @ None, more) => *all = more,
            (Some(_), None) => {}
        }
    }
    let middle = [0, 1, 2].map(|axis| median(regions.iter().map(|(key, region)| (key[axis], region.count)).collect()));
    let (mut kept, mut min, mut max) = (0, [i64::MAX; 3], [i64::MIN; 3]);
    for (key, region) in &regions {
        if (0..3).any(|axis| key[axis].abs_diff(middle[axis]) > REACH as u64) {
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
    if far_away > (kept + far_away) / STRAGGLERS {
        return Err(frame::implausible(format!("{far_away} of {points_in} points lie more than 50 km from the others")));
    }
    let mut bounds = Bounds::EMPTY;
    for place in [min, max] {
        bounds.include(frame.scan_from_file(lattice.position(place)));
    }
    frame::check_size(bounds, Unit::Metre)?;
    Ok(Counted { points_in, not_finite, far_away, min, max, cells })
}

/// The value in the middle of weighted ones, 0 of none.
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
