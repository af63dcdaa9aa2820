//! Settings that the user can change while viewing: number, size and colour of the points.

use bevy::prelude::Resource;

/// What the colour of a point shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorBy {
    /// The scan's own colour.
    #[default]
    Rgb,
    /// Strength of the returned pulse, grey.
    Intensity,
    /// Height above the scan's lowest point, as a colour scale from blue to red.
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

    /// All, in the order of the panel.
    pub const ALL: [Self; 3] = [Self::Rgb, Self::Intensity, Self::Height];

    /// What is called so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|color| color.name() == name)
    }
}

/// Settings of the view.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct Settings {
    /// Maximum number of points in one frame as set by the user; see [`Settings::points_max`].
    pub budget_points: u64,
    /// Whether fewer points are drawn where the device is too slow for the budget.
    pub adapt: bool,
    /// Tiles are refined until the gaps between their points are smaller than this many pixels.
    pub error_px: f64,
    /// Factor on the size of points; at 1, the points of a surface just touch.
    pub point_size: f32,
    /// What the colour shows.
    pub color_by: ColorBy,
    /// Eye-dome lighting: darkens edges, so that shapes can be recognized without a light source.
    pub edl: bool,
    /// Points above this height (scan frame, metres) are hidden, to look into a building from above.
    pub cut_above_m: Option<f64>,
    /// Whether one sees into closed rooms from outside, in orbit and fly mode; see [`inside`](crate::inside).
    pub see_inside: bool,
    /// Limit of the memory for tiles, main memory and graphics memory together.
    pub cache_bytes: u64,
}

/// Bytes per point: its position and normal in main memory (8) and its texel in graphics memory (16).
const POINT_BYTES: u64 = 24;

impl Settings {
    /// Maximum number of points drawn: the budget, or fewer where memory is short, because drawn tiles cannot be evicted.
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
            see_inside: true,
            cache_bytes: if web { 256 << 20 } else { 768 << 20 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_points_is_limited_by_memory() {
        let settings = Settings { budget_points: 20_000_000, cache_bytes: 256 << 20, ..Settings::default() };
        assert_eq!(settings.points_max(), (256 << 20) / 24);
        assert_eq!(Settings { budget_points: 1000, ..settings }.points_max(), 1000);
        let defaults = Settings::default();
        assert_eq!(defaults.points_max(), defaults.budget_points);
    }
}
