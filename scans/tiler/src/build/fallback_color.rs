//! Colours for points that have none, so that every viewer shows them: grey by intensity, or a colour scale by height.

use crate::distribute::histograms::{Histograms, height_of, percentiles};
use crate::octree::cube::Cube;
use parterre_model::points::Attributes;
use parterre_raster::height_color;

/// From intensity or height to colour, between the 2nd and the 98th percentile.
pub(crate) struct FallbackColor {
    intensity: Option<[f64; 2]>,
    /// In record steps.
    height: [f64; 2],
}

impl FallbackColor {
    pub(crate) fn new(histograms: &Histograms, cube: &Cube, attributes: Attributes) -> Self {
        let intensity = percentiles(&histograms.intensities).map(|bin| bin as f64);
        let height = percentiles(&histograms.heights).map(|bin| height_of(cube, bin));
        Self { intensity: Some(intensity).filter(|[low, high]| attributes.intensity && low < high), height }
    }

    /// The colour of a point of this intensity at this height in record steps.
    pub(crate) fn color(&self, intensity: u16, step: i32) -> [u8; 3] {
        let share = |value: f64, [low, high]: [f64; 2]| ((value - low) / (high - low).max(1.0)).clamp(0.0, 1.0);
        if let Some(range) = self.intensity {
            // The square root brightens the many dark returns.
            return [(32.0 + 208.0 * share(f64::from(intensity), range).sqrt()) as u8; 3];
        }
        height_color(share(f64::from(step), self.height))
    }
}
