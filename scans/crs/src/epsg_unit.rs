//! Units of the systems in the EPSG list.

use crate::definition;
use parterre_model::frame::Unit;

/// Unit of a system's horizontal axes: by the table below for common systems, else by the list of definitions.
///
/// The ranges are the EPSG blocks of UTM zones on WGS 84, NAD83 and ETRS89, and national grids in wide use.
pub fn unit_of_epsg(code: u32) -> Option<Unit> {
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
        _ => definition::unit_of(&format!("EPSG:{code}")),
    }
}
