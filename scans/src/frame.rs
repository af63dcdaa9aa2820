//! Where a scan lies: its unit, its coordinate reference system and the f64 origin that its tiles are relative to.
//!
//! Three frames are in use.
//! - **File frame**: the coordinates as the file gives them, in the file's unit.
//! - **Scan frame**: metres, Z up, right-handed; the file's coordinates times the length of its unit. Cameras,
//!   measurements and annotations use it.
//! - **Tile frame**: metres, relative to [`Frame::origin_m`]; f32 is precise enough here only relative to one tile.

use glam::DVec3;
use serde::{Deserialize, Serialize};

/// A unit of length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Metre.
    #[default]
    Metre,
    /// International foot, 0.3048 m.
    Foot,
    /// US survey foot, 1200/3937 m.
    UsSurveyFoot,
    /// Degree of arc: an angle, which has no length; scans in degrees are refused.
    Degree,
}

impl Unit {
    /// Length of one unit in metres; `None` for an angle.
    pub fn metres(self) -> Option<f64> {
        match self {
            Self::Metre => Some(1.0),
            Self::Foot => Some(0.3048),
            Self::UsSurveyFoot => Some(1200.0 / 3937.0),
            Self::Degree => None,
        }
    }
}

/// Where the unit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitSource {
    /// The file's CRS (WKT or GeoKeys) says so.
    File,
    /// The person who imports said so.
    User,
    /// Nobody said anything: metres are assumed.
    Assumed,
}

/// Where a scan lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Origin of the tile frame, in the scan frame (metres). On whole millimetres, near the scan.
    pub origin_m: DVec3,
    /// Unit of the file's horizontal and vertical coordinates.
    pub unit: Unit,
    /// Where the unit comes from.
    pub unit_source: UnitSource,
    /// `EPSG:n`, or WKT, or nothing.
    pub crs: Option<String>,
}

impl Frame {
    /// The scan frame's position of a point in the file frame.
    pub fn scan_from_file(&self, file: DVec3) -> DVec3 {
        file * self.unit.metres().unwrap_or(1.0)
    }

    /// The scan frame's position of a point in the tile frame.
    pub fn scan_from_tile(&self, tile: DVec3) -> DVec3 {
        self.origin_m + tile
    }
}
