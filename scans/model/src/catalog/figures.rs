//! What is measured of a scan, and what was odd about its file.

use serde::{Deserialize, Serialize};

/// A problem of a file that did not stop the work.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Stable code in snake case.
    pub code: String,
    /// What was found, and what was done about it.
    pub message: String,
}

/// Measures of the quality of a scan. `docs/formats.md` says how each figure is computed.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Area seen from above, square metres.
    pub coverage_m2: f64,
    /// Distance of neighbouring points on a surface, metres.
    #[serde(default)]
    pub point_spacing_m: Option<f64>,
    /// Points on a square metre of surface: the 5th, 50th and 95th percentile.
    #[serde(default)]
    pub density_per_m2: Option<[f64; 3]>,
    /// Standard deviation of the points from the surface around them, metres: the median.
    #[serde(default)]
    pub noise_m: Option<f64>,
}
