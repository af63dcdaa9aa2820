//! What the user can change while looking: how many points, how large, in which colours.

use bevy::prelude::Resource;

/// What a point's colour shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorBy {
    /// The scan's own colour.
    #[default]
    Rgb,
    /// Strength of the returned pulse, grey.
    Intensity,
    /// Height over the scan's lowest point, as a ramp from blue to red.
    Height,
}

impl ColorBy {
    /// Name on the command line and in the state given to web pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Intensity => "intensity",
            Self::Height => "height",
        }
    }
}

/// Settings of the picture.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct Settings {
    /// Points that are asked for at most in one frame; see [`Settings::points_max`].
    pub budget_points: u64,
    /// Draw fewer where the device is too slow for the budget.
    pub adapt: bool,
    /// Gaps between points smaller than this many pixels are not refined further.
    pub error_px: f64,
    /// Factor on the size of points; 1 just closes a surface.
    pub point_size: f32,
    /// What the colour shows.
    pub color_by: ColorBy,
    /// Eye-dome lighting: darkens edges, so that surfaces without shading keep their shape.
    pub edl: bool,
    /// Points above this height (scan frame, metres) are left out, to look into a building from above.
    pub cut_above_m: Option<f64>,
    /// Memory for tiles, on the processor's and the graphics card's side together.
    pub cache_bytes: u64,
}

/// Bytes of a point in memory and on the graphics card together: its vertex on both sides, and an attribute.
const POINT_BYTES: u64 = 28;

impl Settings {
    /// Points drawn at most, as far as there is memory for them: tiles that are drawn cannot leave it.
    pub fn points_max(&self) -> u64 {
        self.budget_points.min(self.cache_bytes / POINT_BYTES)
    }
}

impl Default for Settings {
    fn default() -> Self {
        let web = cfg!(target_arch = "wasm32");
        Self {
            budget_points: if web { 1_000_000 } else { 3_000_000 },
            adapt: true,
            error_px: 1.0,
            point_size: 1.0,
            color_by: ColorBy::Rgb,
            edl: true,
            cut_above_m: None,
            cache_bytes: if web { 256 << 20 } else { 768 << 20 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_points_are_drawn_than_there_is_memory_for() {
        let settings = Settings { budget_points: 20_000_000, cache_bytes: 256 << 20, ..Settings::default() };
        assert_eq!(settings.points_max(), (256 << 20) / 28);
        assert_eq!(Settings { budget_points: 1000, ..settings }.points_max(), 1000);
        let defaults = Settings::default();
        assert_eq!(defaults.points_max(), defaults.budget_points);
    }
}
