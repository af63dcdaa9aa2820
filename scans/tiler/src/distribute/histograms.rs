//! How intensities and heights are distributed over the points: needed for the colours of points that have none.

use serde::{Deserialize, Serialize};

use crate::octree::cube::Cube;

/// Bins that heights are counted in, from the lowest to the highest point.
const HEIGHT_BINS: usize = 4096;

/// Numbers of points by intensity and by height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Histograms {
    /// One bin for each of the 65,536 intensities.
    pub(crate) intensities: Vec<u64>,
    /// [`HEIGHT_BINS`] bins.
    pub(crate) heights: Vec<u64>,
}

impl Histograms {
    /// Of no points.
    pub(crate) fn new() -> Self {
        Self { intensities: vec![0; 1 << 16], heights: vec![0; HEIGHT_BINS] }
    }

    /// Counts a point of this intensity, at a height in record steps.
    #[inline]
    pub(crate) fn add(&mut self, cube: &Cube, intensity: u16, height: i32) {
        self.intensities[usize::from(intensity)] += 1;
        self.heights[height_bin(cube, height)] += 1;
    }

    /// Adds the counts of other points.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (sum, counts) in [(&mut self.intensities, &other.intensities), (&mut self.heights, &other.heights)] {
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
}

fn height_bin(cube: &Cube, step: i32) -> usize {
    let height = i64::from(cube.max[2]) - i64::from(cube.min[2]) + 1;
    ((i64::from(step) - i64::from(cube.min[2])) * HEIGHT_BINS as i64 / height) as usize
}

/// The height in record steps at the middle of a bin.
pub(crate) fn height_of(cube: &Cube, bin: usize) -> f64 {
    let height = f64::from(cube.max[2]) - f64::from(cube.min[2]) + 1.0;
    f64::from(cube.min[2]) + (bin as f64 + 0.5) * height / HEIGHT_BINS as f64
}

/// The bins of the 2nd and the 98th percentile.
pub(crate) fn percentiles(bins: &[u64]) -> [usize; 2] {
    let total: u64 = bins.iter().sum();
    [total / 50, total - total / 50].map(|wanted| {
        let mut seen = 0;
        let bin = bins.iter().position(|&count| {
            seen += count;
            seen >= wanted.max(1)
        });
        bin.unwrap_or(0)
    })
}
