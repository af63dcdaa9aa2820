//! How many points a spacing in the picture needs, and the smallest spacing for a number of points.

/// Steps in which the spacing is searched for; each halves the range.
const SEARCH_STEPS: u32 = 48;

/// The share of a block's points that are wanted for a spacing of `spacing_px`, where without them the spacing is `priority` pixels.
pub fn share(priority: f64, spacing_px: f64) -> f64 {
    (((priority / spacing_px).powi(2) - 1.0) / 3.0).clamp(0.0, 1.0)
}

/// How many points the blocks found so far need at least for a spacing that falls, in steps of an eighth of each power of two. Rounded down, which only
/// lets the walk go on for a little longer than needed: what it finds then is not wanted.
pub(crate) struct NeededPoints {
    /// Points, and points times the square of the priority, by step; of the steps below `lowest`.
    by_step: Vec<(u64, f64)>,
    /// Bits of the smallest priority that counts.
    first_bits: u64,
    smallest: f64,
    lowest: usize,
    /// Points of the steps from `lowest`, all of which are needed.
    complete: u64,
    last_px: f64,
}

impl NeededPoints {
    /// Bits of a positive number that do not belong to its step.
    const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - 3;
    /// Steps for priorities up to `2^32` times the smallest; what is above belongs to the last one.
    const STEPS: usize = 32 * 8 + 1;

    /// Priorities up to `smallest` do not count: no spacing is finer.
    pub(crate) fn new(smallest: f64) -> Self {
        let first_bits = smallest.max(f64::MIN_POSITIVE).to_bits() >> Self::SHIFT;
        Self { by_step: vec![(0, 0.0); Self::STEPS], first_bits, smallest, lowest: Self::STEPS, complete: 0, last_px: f64::INFINITY }
    }

    fn step(&self, priority: f64) -> usize {
        ((priority.to_bits() >> Self::SHIFT).saturating_sub(self.first_bits) as usize).min(Self::STEPS - 1)
    }

    /// The lowest priority of a step.
    fn start(&self, step: usize) -> f64 {
        f64::from_bits((self.first_bits + step as u64) << Self::SHIFT)
    }

    pub(crate) fn add(&mut self, priority: f64, points: u32) {
        if priority <= self.smallest {
            return;
        }
        let step = self.step(priority);
        if step >= self.lowest || priority == f64::INFINITY {
            self.complete += u64::from(points);
        } else {
            let (all, weighted) = &mut self.by_step[step];
            *all += u64::from(points);
            *weighted += f64::from(points) * priority.powi(2);
        }
    }

    /// The points that a spacing needs; 0 for a larger one than in an earlier call, where this is not known any more.
    pub(crate) fn at_least(&mut self, spacing_px: f64) -> f64 {
        if spacing_px > self.last_px || spacing_px == f64::INFINITY {
            return 0.0;
        }
        self.last_px = spacing_px;
        // The first step that is needed as a whole, and the first of which all blocks are needed in part.
        let (complete, partly) = (self.step(2.0 * spacing_px) + 1, self.step(spacing_px) + 1);
        while self.lowest > complete {
            self.lowest -= 1;
            self.complete += self.by_step[self.lowest].0;
        }
        let in_part = (partly..self.lowest).map(|step| {
            let (points, weighted) = self.by_step[step];
            if step + 1 < complete {
                (weighted / spacing_px.powi(2) - points as f64) / 3.0
            } else {
                // Some of these are needed completely, so that their squares say too much.
                points as f64 * share(self.start(step), spacing_px)
            }
        });
        self.complete as f64 + in_part.sum::<f64>()
    }
}

/// How many points a spacing needs: sums over the blocks, so that each spacing costs two binary searches.
pub(crate) struct Counts {
    /// Priorities, falling.
    priorities: Vec<f64>,
    /// At `i`: points of the first `i` blocks.
    points: Vec<f64>,
    /// At `i`: points times the square of the priority, of the first `i` blocks. Infinite priorities count as 0.
    weighted: Vec<f64>,
}

impl Counts {
    /// Counts priorities and points of blocks, for spacings from `smallest_px`.
    pub(crate) fn new(blocks: impl Iterator<Item = (f64, u32)>, smallest_px: f64) -> Self {
        // Positive numbers have the order of their bits.
        let mut blocks: Vec<(u64, u32)> =
            blocks.filter(|(priority, _)| *priority > smallest_px).map(|(priority, points)| (priority.to_bits(), points)).collect();
        blocks.sort_unstable_by(|a, b| b.cmp(a));
        let mut counts = Self {
            priorities: Vec::with_capacity(blocks.len()),
            points: Vec::with_capacity(blocks.len() + 1),
            weighted: Vec::with_capacity(blocks.len() + 1),
        };
        counts.points.push(0.0);
        counts.weighted.push(0.0);
        let (mut points, mut weighted) = (0.0, 0.0);
        for (priority, own) in blocks {
            let (priority, own) = (f64::from_bits(priority), f64::from(own));
            points += own;
            if priority.is_finite() {
                weighted += own * priority.powi(2);
            }
            counts.priorities.push(priority);
            counts.points.push(points);
            counts.weighted.push(weighted);
        }
        counts
    }

    /// The points that a spacing needs.
    pub(crate) fn points(&self, spacing_px: f64) -> f64 {
        let complete = self.priorities.partition_point(|priority| *priority >= 2.0 * spacing_px);
        let partly = self.priorities.partition_point(|priority| *priority > spacing_px);
        let (points, weighted) = (self.points[partly] - self.points[complete], self.weighted[partly] - self.weighted[complete]);
        self.points[complete] + (weighted / spacing_px.powi(2) - points) / 3.0
    }

    /// The smallest spacing from `smallest_px` that needs at most so many points.
    pub(crate) fn spacing_px(&self, smallest_px: f64, points: u64) -> f64 {
        // At the largest finite priority only the roots are left.
        let largest = self.priorities.iter().copied().find(|priority| priority.is_finite()).unwrap_or(smallest_px);
        smallest(smallest_px, largest, |spacing_px| self.points(spacing_px) <= points as f64)
    }
}

/// The smallest spacing between two that `fits`; the larger one where none does.
pub(crate) fn smallest(low: f64, high: f64, fits: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high.max(low));
    for _ in 0..SEARCH_STEPS {
        let middle = (low * high).sqrt();
        if fits(middle) { high = middle } else { low = middle }
    }
    high
}
