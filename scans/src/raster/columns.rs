//! What a scan looks like column by column: where floors are, what is a roof above a room, what is a wall.
//!
//! Space is cut into square columns, each column into bins of height. A column's bins are either occupied or empty; an empty stretch of a
//! person's height above an occupied bin, under another occupied bin, is taken for a room.

use glam::DVec3;

use super::ColoredPoint;
use crate::points::Bounds;

/// Height of a bin.
pub(crate) const BIN_M: f64 = 0.25;
/// An empty stretch of this height is a room.
const ROOM_M: f64 = 1.9;
/// Share of a column's greatest gap from which another counts as a room too.
const GREAT_GAP: f64 = 0.6;
const MAX_BINS: usize = 2048;
/// Stands for a height that is not known.
const NONE: u16 = u16::MAX;

/// The columns of a scan.
pub(crate) struct Columns {
    origin: DVec3,
    cell: f64,
    bin: f64,
    size: [usize; 2],
    bins: usize,
    occupied: Vec<u64>,
    words: usize,
}

/// The upper part of a column that a picture from above leaves out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Bins from this one on are roof.
    pub(crate) roof: u16,
    /// Top of what stands here without a gap, and its length in bins: a long one is a wall.
    pub(crate) top: u16,
    pub(crate) run: u16,
}

impl Columns {
    pub(crate) fn new(points: &[ColoredPoint], bounds: Bounds) -> Self {
        let extent = bounds.size();
        // Columns that hold a few points each: wider where points are few.
        let plan = (extent.x * extent.y).max(1e-6);
        let cell = (plan / points.len() as f64 * 60.0).sqrt().max(0.2).max(extent.x.max(extent.y) / 1200.0);
        let bin = BIN_M.max(extent.z / MAX_BINS as f64);
        let size = [(extent.x / cell) as usize + 1, (extent.y / cell) as usize + 1];
        let bins = (extent.z / bin) as usize + 1;
        let words = bins.div_ceil(64);
        let mut columns = Self { origin: bounds.min, cell, bin, size, bins, occupied: vec![0; size[0] * size[1] * words], words };
        for point in points {
            let (column, bin) = columns.place(point.position);
            columns.occupied[column * words + bin / 64] |= 1 << (bin % 64);
        }
        columns
    }

    /// Column and bin of a point; one beyond the border counts to the border's.
    pub(crate) fn place(&self, point: DVec3) -> (usize, usize) {
        let at = point - self.origin;
        let x = ((at.x / self.cell) as usize).min(self.size[0] - 1);
        let y = ((at.y / self.cell) as usize).min(self.size[1] - 1);
        (y * self.size[0] + x, ((at.z / self.bin) as usize).min(self.bins - 1))
    }

    /// Height of a bin's lower side.
    pub(crate) fn height(&self, bin: f64) -> f64 {
        self.origin.z + bin * self.bin
    }

    fn is_occupied(&self, column: usize, bin: usize) -> bool {
        self.occupied[column * self.words + bin / 64] >> (bin % 64) & 1 == 1
    }

    /// Whether any point lies in a column.
    pub(crate) fn is_seen(&self, column: usize) -> bool {
        self.occupied[column * self.words..][..self.words].iter().any(|&word| word != 0)
    }

    fn gap(&self) -> usize {
        (ROOM_M / self.bin).floor().max(1.0) as usize
    }

    /// Share of the columns with points that have a roof over a room.
    pub(crate) fn roofed_share(&self) -> f64 {
        let (mut some, mut roofed) = (0_usize, 0_usize);
        for column in 0..self.size[0] * self.size[1] {
            let Some(runs) = self.runs(column) else { continue };
            some += 1;
            roofed += usize::from(runs.len() > 1);
        }
        roofed as f64 / some.max(1) as f64
    }

    /// Occupied stretches, lowest first, as (first bin, last bin); stretches less than a room apart count as one.
    fn runs(&self, column: usize) -> Option<Vec<(usize, usize)>> {
        let gap = self.gap();
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for bin in (0..self.bins).filter(|&bin| self.is_occupied(column, bin)) {
            match runs.last_mut() {
                Some(last) if bin - last.1 <= gap => last.1 = bin,
                _ => runs.push((bin, bin)),
            }
        }
        (!runs.is_empty()).then_some(runs)
    }

    /// What to leave out of each column so that the topmost rooms can be seen from above.
    pub(crate) fn cuts(&self) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = (0..self.size[0] * self.size[1])
            .map(|column| match self.runs(column) {
                None => Cut { roof: 0, top: NONE, run: 0 },
                Some(runs) => {
                    // The topmost of the great gaps: small ones lie within a roof, between its structure and what hangs from it.
                    let gap = |i: usize| runs[i + 1].0 - runs[i].1;
                    let great = (0..runs.len() - 1).map(gap).max().unwrap_or(0) as f64 * GREAT_GAP;
                    let index = (0..runs.len() - 1).rev().find(|&i| gap(i) as f64 >= great);
                    let seen = runs[index.unwrap_or(0)];
                    let roof = index.map_or(NONE, |i| runs[i + 1].0 as u16);
                    Cut { roof, top: seen.1 as u16, run: (seen.1 - seen.0 + 1) as u16 }
                }
            })
            .collect();
        // Where the floor was hidden, what hangs from the roof looks like a floor: it lies higher than nearly all floors do.
        let mut bottoms: Vec<u16> = cuts.iter().filter(|cut| cut.top != NONE).map(|cut| cut.top + 1 - cut.run).collect();
        bottoms.sort_unstable();
        let highest = bottoms.get(bottoms.len() * 93 / 100).copied().unwrap_or(0) + (1.0 / self.bin).ceil() as u16;
        for cut in &mut cuts {
            if cut.top != NONE && cut.top + 1 - cut.run > highest {
                cut.roof = 0;
            }
        }
        cuts
    }

    fn square(&self, x: usize, y: usize, reach: usize) -> impl Iterator<Item = usize> {
        let width = self.size[0];
        let xs = x.saturating_sub(reach)..(x + reach + 1).min(self.size[0]);
        (y.saturating_sub(reach)..(y + reach + 1).min(self.size[1])).flat_map(move |y| xs.clone().map(move |x| y * width + x))
    }

    /// The height of the main level's floor, and for each column the height of its own: known, or taken from a
    /// neighbour that knows; NaN where none does. `roofed` asks for floors under a roof only.
    pub(crate) fn main_floor(&self, points: &[ColoredPoint], roofed: bool) -> (f64, Vec<f32>) {
        const STEP_M: f64 = 0.05;
        const STEPS: usize = 40;
        let (main, map) = self.main_run(roofed);
        // Where the most points lie in the run's first two metres: a slab is often scanned from below too, and furniture stands on it.
        let low = |bin: u16| self.height(f64::from(bin)) - STEP_M;
        let step_of = |z: f64, bin: u16| {
            let step = (z - low(bin)) / STEP_M;
            (step >= 0.0 && step < STEPS as f64).then_some(step as usize)
        };
        let mut counts = vec![0_u32; map.len() * STEPS];
        let mut all = vec![0_u32; STEPS * 2];
        for point in points {
            let (column, _) = self.place(point.position);
            if map[column] == NONE {
                continue;
            }
            if let Some(step) = step_of(point.position.z, map[column]) {
                counts[column * STEPS + step] += 1;
            }
            if let Some(step) = step_of(point.position.z, main as u16) {
                all[step] += 1;
            }
        }
        let fullest = |counts: &[u32]| counts.iter().enumerate().max_by_key(|&(i, &n)| (n, i)).map_or(0, |(i, _)| i);
        let at = |bin: u16, step: usize| low(bin) + (step as f64 + 0.5) * STEP_M;
        let main_z = at(main as u16, fullest(&all));
        let floor_of = |bin: u16, counts: &[u32]| {
            let best = fullest(counts);
            // What lies at the main floor's height is floor, even if the ceiling below it gave more points.
            let level = (0..STEPS).filter(|&step| (at(bin, step) - main_z).abs() < 0.3).max_by_key(|&step| (counts[step], step));
            let step = level.filter(|&step| counts[step] * 3 > counts[best]).unwrap_or(best);
            at(bin, step) as f32
        };
        let rough: Vec<f32> = map
            .iter()
            .enumerate()
            .map(|(column, &bin)| if bin == NONE { f32::NAN } else { floor_of(bin, &counts[column * STEPS..][..STEPS]) })
            .collect();
        // The lower half of the neighbours, since seats and tables hide the floor under them.
        let mut smooth = rough.clone();
        let mut around: Vec<f32> = Vec::new();
        for y in 0..self.size[1] {
            for x in 0..self.size[0] {
                around.clear();
                around.extend(self.square(x, y, 3).map(|n| rough[n]).filter(|z| !z.is_nan()));
                around.sort_unstable_by(f32::total_cmp);
                if let Some(&z) = around.get(around.len() * 2 / 5)
                    && !rough[y * self.size[0] + x].is_nan()
                {
                    smooth[y * self.size[0] + x] = z;
                }
            }
        }
        (main_z, smooth)
    }

    fn main_run(&self, roofed: bool) -> (usize, Vec<u16>) {
        let floors: Vec<Vec<u16>> = (0..self.size[0] * self.size[1])
            .map(|column| {
                let runs = self.runs(column).unwrap_or_default();
                let count = if roofed { runs.len().saturating_sub(1) } else { runs.len() };
                runs[..count].iter().map(|&(first, _)| first as u16).collect()
            })
            .collect();
        let mut votes = vec![0_u32; self.bins + 2];
        for &floor in floors.iter().flatten() {
            votes[usize::from(floor)] += 1;
        }
        // Two bins together, since a level floor may lie on the border of two.
        let main = (0..self.bins).max_by_key(|&bin| votes[bin] + votes[bin + 1]).unwrap_or(0);
        let near = (1.6 / self.bin).ceil() as u16;
        let mut map: Vec<u16> = floors
            .iter()
            .map(|floors| {
                floors
                    .iter()
                    .copied()
                    .min_by_key(|floor| floor.abs_diff(main as u16))
                    .filter(|f| f.abs_diff(main as u16) <= near)
                    .unwrap_or(NONE)
            })
            .collect();
        self.spread(&mut map);
        (main, map)
    }

    /// Hands known heights on to neighbours that know none, ring by ring, as far as a wall is thick and a little more.
    fn spread(&self, map: &mut [u16]) {
        let rings = (1.5 / self.cell).ceil().clamp(1.0, 12.0) as usize;
        for _ in 0..rings {
            let before = map.to_vec();
            for y in 0..self.size[1] {
                for x in 0..self.size[0] {
                    let column = y * self.size[0] + x;
                    if before[column] == NONE {
                        map[column] = self.square(x, y, 1).map(|n| before[n]).min().unwrap_or(NONE);
                    }
                }
            }
        }
    }
}
