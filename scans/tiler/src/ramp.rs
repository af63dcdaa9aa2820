//! Colour for points that have none, so that they can be seen everywhere: grey by intensity, or a ramp by height.

use super::distribute::{Distributed, height_of};
use super::lattice::Cube;
use parterre_model::points::Attributes;
use parterre_raster::height_color;

/// From intensity or height to colour, between the 2nd and the 98th percentile.
pub(super) struct Ramp {
    intensity: Option<[f64; 2]>,
    /// In steps.
    height: [f64; 2],
}

impl Ramp {
    pub(super) fn new(distributed: &Distributed, cube: &Cube, attributes: Attributes) -> Self {
        let intensity = percentiles(&distributed.intensities).map(|bin| bin as f64);
        let height = percentiles(&distributed.heights).map(|bin| height_of(cube, bin));
        Self { intensity: Some(intensity).filter(|[low, high]| attributes.intensity && low < high), height }
    }

    /// The colour of a point of this intensity at this height in steps.
    pub(super) fn color(&self, intensity: u16, step: i32) -> [u8; 3] {
        let share = |value: f64, [low, high]: [f64; 2]| ((value - low) / (high - low).max(1.0)).clamp(0.0, 1.0);
        if let Some(range) = self.intensity {
            // The square root lifts the many dark returns.
            return [(32.0 + 208.0 * share(f64::from(intensity), range).sqrt()) as u8; 3];
        }
        height_color(share(f64::from(step), self.height))
    }
}

/// The bins of the 2nd and the 98th percentile.
pub(super) fn percentiles(bins: &[u64]) -> [usize; 2] {
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
