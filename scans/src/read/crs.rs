//! What a file says of its coordinate reference system: a name and the units of its axes.
//!
//! Nothing is transformed here. WKT gives a code by the `AUTHORITY` or `ID` of the outermost system that has one: a
//! compound system without a code of its own goes by its horizontal part. `GeoTIFF` keys give the code of the projected,
//! else of the geographic system. Where a code is known but no unit is written, [`unit_of_epsg`] is asked.

pub(crate) mod geokeys;
pub(crate) mod project;
pub(crate) mod wkt;

use crate::frame::Unit;
use crate::read::Warning;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Crs {
    /// `EPSG:n`, else the WKT, else nothing.
    pub(crate) name: Option<String>,
    /// Unit of x and y.
    pub(crate) unit: Option<Unit>,
    /// Unit of z, where one is named apart.
    pub(crate) vertical_unit: Option<Unit>,
    /// What is odd about it.
    pub(crate) warnings: Vec<Warning>,
}

impl Crs {
    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_none() && self.unit.is_none()
    }

    fn warn(&mut self, code: &'static str, message: impl Into<String>) {
        self.warnings.push(Warning { code, message: message.into() });
    }
}

/// The unit whose length is `metres`. The two feet differ by 6e-7: the tolerance keeps them apart.
pub(crate) fn unit_of_length(metres: f64) -> Option<Unit> {
    Unit::ALL.into_iter().find(|unit| unit.metres().is_some_and(|length| (length - metres).abs() < 5e-8))
}

/// Unit of the EPSG unit-of-measure code.
pub(crate) fn unit_of_measure(code: u16) -> Option<Unit> {
    match code {
        9001 => Some(Unit::Metre),
        9002 => Some(Unit::Foot),
        9003 => Some(Unit::UsSurveyFoot),
        1025 => Some(Unit::Millimetre),
        1033 => Some(Unit::Centimetre),
        9101..=9122 => Some(Unit::Degree),
        _ => None,
    }
}

/// Unit of a system's horizontal axes; for all but the systems met most, what the list of definitions says.
///
/// The ranges are the EPSG blocks of UTM zones on WGS 84, NAD83 and ETRS89, and national grids in wide use.
pub(crate) fn unit_of_epsg(code: u32) -> Option<Unit> {
    match code {
        4326 | 4258 | 4269 | 4267 | 4283 | 4979 | 7844 => Some(Unit::Degree),
        // UTM on WGS 84 north and south, ETRS89, NAD83, NAD83(2011); GDA94 and GDA2020 / MGA; Web Mercator; then France,
        // Switzerland, Britain, the Netherlands, Belgium, Austria, Poland, Sweden, Finland, Estonia, New Zealand, Japan.
        #[rustfmt::skip]
        32601..=32660 | 32701..=32760 | 25828..=25838 | 26901..=26923 | 6328..=6348 | 28348..=28358 | 7846..=7859 | 3857
        | 2154 | 3942..=3950 | 2056 | 21781 | 27700 | 28992 | 31370 | 31254..=31259 | 2180 | 3006 | 3067 | 3301 | 2193
        | 6669..=6687 => Some(Unit::Metre),
        // Oregon Lambert, and state planes on NAD83 whose state counts in international feet: Arizona, Michigan, Montana,
        // North Dakota, Oregon, South Carolina, Utah.
        2992 | 2994 | 2222..=2224 | 2251..=2253 | 2256 | 2265 | 2266 | 2269 | 2270 | 2273 | 2280..=2282 => Some(Unit::Foot),
        // The other state planes of that block.
        2225..=2289 => Some(Unit::UsSurveyFoot),
        _ => crate::geo::unit_of_crs(&format!("EPSG:{code}")),
    }
}
