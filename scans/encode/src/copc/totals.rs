//! Totals over all points for the header, gathered node by node on any thread.

use serde::{Deserialize, Serialize};

use parterre_model::record::{AttributeLayout, COORDINATES_BYTES};

/// Numbers of points, and the ranges of their coordinates and times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Points.
    pub points: u64,
    /// Points by return number, from the first; other numbers than 1 to 15 are not counted.
    pub by_return: [u64; 15],
    /// Smallest and largest steps on each axis; without points, the smallest is larger than the largest.
    pub steps: [[i32; 3]; 2],
    /// Smallest and largest GPS time; without points, the smallest is larger than the largest.
    pub gps_time: [f64; 2],
}

impl Default for Totals {
    fn default() -> Self {
        Self { points: 0, by_return: [0; 15], steps: [[i32::MAX; 3], [i32::MIN; 3]], gps_time: [f64::INFINITY, f64::NEG_INFINITY] }
    }
}

impl Totals {
    /// Adds whole records.
    pub fn add(&mut self, layout: &AttributeLayout, records: &[u8]) {
        const RETURNS_AT: usize = COORDINATES_BYTES + 2;
        const TIME_AT: usize = COORDINATES_BYTES + 10;
        let mut returns = [0_u64; 16];
        let [mut min, mut max] = self.steps;
        let [mut first, mut last] = self.gps_time;
        for record in records.chunks_exact(layout.record_len()) {
            for axis in 0..3 {
                let at = 4 * axis;
                let step = i32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
                min[axis] = min[axis].min(step);
                max[axis] = max[axis].max(step);
            }
            returns[usize::from(record[RETURNS_AT] & 0x0f)] += 1;
            let time = f64::from_le_bytes(std::array::from_fn(|i| record[TIME_AT + i]));
            first = first.min(time);
            last = last.max(time);
        }
        self.points += returns.iter().sum::<u64>();
        for (sum, count) in self.by_return.iter_mut().zip(&returns[1..]) {
            *sum += count;
        }
        self.steps = [min, max];
        self.gps_time = [first, last];
    }

    /// Adds the totals of other points.
    pub fn merge(&mut self, other: &Self) {
        self.points += other.points;
        for (sum, count) in self.by_return.iter_mut().zip(other.by_return) {
            *sum += count;
        }
        for axis in 0..3 {
            self.steps[0][axis] = self.steps[0][axis].min(other.steps[0][axis]);
            self.steps[1][axis] = self.steps[1][axis].max(other.steps[1][axis]);
        }
        self.gps_time = [self.gps_time[0].min(other.gps_time[0]), self.gps_time[1].max(other.gps_time[1])];
    }
}
