//! The frame of a scan: its unit, its coordinate reference system and the f64 origin that its tiles are relative to.
//!
//! Three frames are in use.
//! - **File frame**: the coordinates as the file gives them, in the file's unit.
//! - **Scan frame**: metres, Z up, right-handed; the file's coordinates times the length of its unit. Cameras,
//!   measurements and annotations use it.
//! - **Tile frame**: metres, relative to [`Frame::origin_m`]; f32 is precise enough here only relative to one tile.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::points::Bounds;

/// The longest edge that a scan may have, in metres.
pub const MAX_EXTENT_M: f64 = 100_000.0;
/// The longest edge has at least this length, in metres, unless it has none.
pub const MIN_EXTENT_M: f64 = 0.001;

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
    /// Centimetre.
    Centimetre,
    /// Millimetre.
    Millimetre,
    /// International inch, 0.0254 m.
    Inch,
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
            Self::Centimetre => Some(0.01),
            Self::Millimetre => Some(0.001),
            Self::Inch => Some(0.0254),
            Self::Degree => None,
        }
    }
}

impl Unit {
    /// All units.
    pub const ALL: [Self; 7] = [Self::Metre, Self::Foot, Self::UsSurveyFoot, Self::Centimetre, Self::Millimetre, Self::Inch, Self::Degree];

    /// The name in words, as the command line takes it: "us-survey-foot".
    pub fn name(self) -> &'static str {
        match self {
            Self::Metre => "metre",
            Self::Foot => "foot",
            Self::UsSurveyFoot => "us-survey-foot",
            Self::Centimetre => "centimetre",
            Self::Millimetre => "millimetre",
            Self::Inch => "inch",
            Self::Degree => "degree",
        }
    }

    /// The unit of a name, as [`Unit::name`] gives it or with underscores, or of its usual short form.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace('_', "-");
        let known = Self::ALL.into_iter().find(|unit| unit.name() == name);
        known.or(match name.as_str() {
            "m" | "meter" | "metres" | "meters" => Some(Self::Metre),
            "ft" | "feet" => Some(Self::Foot),
            "us-ft" | "ft-us" | "us-foot" => Some(Self::UsSurveyFoot),
            "cm" | "centimeter" => Some(Self::Centimetre),
            "mm" | "millimeter" => Some(Self::Millimetre),
            "in" => Some(Self::Inch),
            "deg" | "degrees" => Some(Self::Degree),
            _ => None,
        })
    }
}

/// Where the unit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitSource {
    /// The file's CRS (WKT or `GeoTIFF` keys).
    File,
    /// The user.
    User,
    /// No unit was given: metres are assumed.
    Assumed,
}

/// The frame of a scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Origin of the tile frame, in the scan frame (metres). On whole millimetres, near the scan.
    pub origin_m: DVec3,
    /// Unit of the file's coordinates; of x and y alone where `vertical_unit` is there.
    pub unit: Unit,
    /// Unit of the file's heights, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertical_unit: Option<Unit>,
    /// Where the unit comes from.
    pub unit_source: UnitSource,
    /// `EPSG:n`, or WKT, or nothing.
    pub crs: Option<String>,
    /// Earth-centred, earth-fixed metres from the tile frame, column-major, where the scan is georeferenced. Then the tile
    /// frame is east, north, up at its origin, and the scan frame agrees with the file's coordinates exactly there, and only approximately
    /// elsewhere, because a projection has another scale and rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecef_from_tile: Option<[f64; 16]>,
}

impl Frame {
    /// The scan frame's position of a point in the file frame.
    pub fn scan_from_file(&self, file: DVec3) -> DVec3 {
        let horizontal = self.unit.metres().unwrap_or(1.0);
        let vertical = self.vertical_unit.and_then(Unit::metres).unwrap_or(horizontal);
        file * DVec3::new(horizontal, horizontal, vertical)
    }

    /// The scan frame's position of a point in the tile frame.
    pub fn scan_from_tile(&self, tile: DVec3) -> DVec3 {
        self.origin_m + tile
    }
}

/// Length of the unit of coordinates in metres.
///
/// # Errors
/// `unit_degrees` where coordinates are angles.
pub fn check_unit(unit: Unit) -> Result<f64> {
    unit.metres().ok_or_else(|| {
        Error::input(
            "unit_degrees",
            "the coordinates are longitude and latitude in degrees, which have no length",
            "Reproject the scan to a system in metres, for example the UTM zone of the place, and import that.",
        )
    })
}

/// The error about a size that no scan can have.
pub fn implausible(message: String) -> Error {
    const HINT: &str = "The unit or the scale of the coordinates is wrong: give the unit when you import, or export the scan in metres.";
    Error::input("size_implausible", message, HINT)
}

/// Refuses sizes that no scan can have, `bounds` being those of the points in the file's unit.
///
/// `unit_degrees` where coordinates are angles; `size_implausible` where the longest edge is above [`MAX_EXTENT_M`] or
/// below [`MIN_EXTENT_M`], or is no number. Points that all lie at one place are allowed: a single point is the smallest
/// scan there is.
pub fn check_size(bounds: Bounds, unit: Unit) -> Result<()> {
    let edge = bounds.size() * check_unit(unit)?;
    let (longest, finite) = (edge.max_element(), edge.is_finite());
    // Differences of large coordinates come out a little too small or too large.
    let slack = 1e-3 * MIN_EXTENT_M;
    if !finite || longest > MAX_EXTENT_M + slack || (longest > slack && longest < MIN_EXTENT_M - slack) {
        return Err(implausible(format!("the scan would be {} m x {} m x {} m large", metres(edge.x), metres(edge.y), metres(edge.z))));
    }
    Ok(())
}

/// A length in words: to a millimetre, shorter ones to three digits, those that no scan has as powers of ten.
fn metres(length: f64) -> String {
    match length.abs() {
        0.001..1e9 => format!("{length:.3}"),
        0.0 => "0".to_owned(),
        _ => format!("{length:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(edge: f64) -> Bounds {
        Bounds { min: DVec3::splat(500.0), max: DVec3::splat(500.0 + edge) }
    }

    #[test]
    fn sizes_are_judged_in_metres() {
        let code = |edge: f64, unit: Unit| check_size(cube(edge), unit).err().map(|error| error.code());
        assert_eq!(code(60.0, Unit::Metre), None);
        assert_eq!(code(100_001.0, Unit::Metre), Some("size_implausible"));
        assert_eq!(code(100_001.0, Unit::Foot), None);
        assert_eq!(code(330_000.0, Unit::UsSurveyFoot), Some("size_implausible"));
        assert_eq!(code(0.0005, Unit::Metre), Some("size_implausible"));
        assert_eq!(code(0.0, Unit::Metre), None);
        assert_eq!(code(f64::NAN, Unit::Metre), Some("size_implausible"));
        assert_eq!(code(f64::INFINITY, Unit::Metre), Some("size_implausible"));
        assert_eq!(code(0.1, Unit::Degree), Some("unit_degrees"));
        assert!(check_size(Bounds::EMPTY, Unit::Metre).is_err());
    }
}
