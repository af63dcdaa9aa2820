//! A scan divided into columns: floors, roofs above rooms, walls.
//!
//! Space is divided into square columns, each column into bins of height. A column's bins are either occupied or empty; an empty stretch of a
//! person's height above an occupied bin, under another occupied bin, is a room ([`parterre_model::rooms`]).

use glam::DVec3;

use super::point::ColoredPoint;
use parterre_model::points::Bounds;
use parterre_model::rooms::{ROOM_M, stretches, under_roof};

/// Height of a bin.
pub(crate) const BIN_M: f64 = 0.25;
const MAX_BINS: usize = 2048;
/// An unknown height.
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
    /// Top of the lowest occupied stretch that is shown, and its length in bins: a long one is a wall.
    pub(crate) top: u16,
    pub(crate) run: u16,
}

impl Columns {
    /// Wide columns and high bins, to find roofs and walls.
    pub(crate) fn new(points: &[ColoredPoint], bounds: Bounds) -> Self {
        Self::of(points, bounds, 60.0, 0.2, BIN_M)
    }

    /// Narrow columns and low bins, to distinguish floors from steps.
    pub(crate) fn fine(points: &[ColoredPoint], bounds: Bounds) -> Self {
        Self::of(points, bounds, 10.0, 0.25, 0.1)
    }

    /// Columns at least `cell` metres wide with `each` points on average, and bins at least `bin` metres high.
    fn of(points: &[ColoredPoint], bounds: Bounds, each: f64, cell: f64, bin: f64) -> Self {
        let extent = bounds.size();
        let plan = (extent.x * extent.y).max(1e-6);
        let cell = (plan / points.len() as f64 * each).sqrt().max(cell).max(extent.x.max(extent.y) / 1200.0);
        let bin = bin.max(extent.z / MAX_BINS as f64);
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

    /// Column and bin of a point; a point outside counts for the nearest column and bin.
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

    pub(crate) fn is_occupied(&self, column: usize, bin: usize) -> bool {
        self.occupied[column * self.words + bin / 64] >> (bin % 64) & 1 == 1
    }

    /// Whether any point lies in a column.
    pub(crate) fn is_seen(&self, column: usize) -> bool {
        self.occupied[column * self.words..][..self.words].iter().any(|&word| word != 0)
    }

    /// Columns along x and y.
    pub(crate) fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Number of columns.
    pub(crate) fn count(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Edge of a column in metres.
    pub(crate) fn cell(&self) -> f64 {
        self.cell
    }

    /// Height of a bin in metres.
    pub(crate) fn bin(&self) -> f64 {
        self.bin
    }

    /// Bins of a column.
    pub(crate) fn bins(&self) -> usize {
        self.bins
    }

    /// The columns at most `reach` away along x and y, the middle one among them, row by row.
    pub(crate) fn square(&self, column: usize, reach: usize) -> impl Iterator<Item = usize> + use<> {
        let [width, height] = self.size;
        let (x, y) = (column % width, column / width);
        let xs = x.saturating_sub(reach)..(x + reach + 1).min(width);
        (y.saturating_sub(reach)..(y + reach + 1).min(height)).flat_map(move |y| xs.clone().map(move |x| y * width + x))
    }

    fn gap(&self) -> u16 {
        (ROOM_M / self.bin).floor().max(1.0) as u16
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

    /// Occupied stretches, lowest first, as first and last bin; stretches less than a room apart count as one.
    pub(crate) fn runs(&self, column: usize) -> Option<Vec<[u16; 2]>> {
        let occupied = (0..self.bins).filter(|&bin| self.is_occupied(column, bin));
        let runs = stretches(occupied.map(|bin| bin as u16), self.gap());
        (!runs.is_empty()).then_some(runs)
    }

    /// What to leave out of each column so that the highest rooms can be seen from above.
    pub(crate) fn cuts(&self) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = (0..self.size[0] * self.size[1])
            .map(|column| match self.runs(column) {
                None => Cut { roof: 0, top: NONE, run: 0 },
                Some(runs) => {
                    let index = under_roof(&runs);
                    let [first, top] = runs[index.unwrap_or(0)];
                    let roof = index.map_or(NONE, |i| runs[i + 1][0]);
                    Cut { roof, top, run: top - first + 1 }
                }
            })
            .collect();
        // Where the floor was hidden, installations below the roof look like a floor, but they are higher than nearly all floors.
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
}
