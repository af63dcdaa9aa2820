//! Codes of the EPSG list, and the units of its systems.

use crs_definitions::Def;

use crate::definition;
use parterre_model::frame::Unit;

/// The number of `EPSG:n`; of a compound `EPSG:horizontal+vertical` that of the horizontal system.
///
/// Codes have up to 32 bits: those above 65,535 are in use, although neither `GeoTIFF` keys nor the list of definitions have them.
pub fn code(crs: &str) -> Option<u32> {
    let (authority, code) = crs.split_once(':')?;
    let horizontal = code.split('+').next().unwrap_or(code);
    authority.trim().eq_ignore_ascii_case("EPSG").then(|| horizontal.trim().parse().ok())?
}

/// The definition of a code, where it is in the list of definitions.
pub(crate) fn definition_of(code: u32) -> Option<Def> {
    crs_definitions::from_code(u16::try_from(code).ok()?)
}

/// Whether the code is in the list of definitions.
pub fn is_known(code: u32) -> bool {
    definition_of(code).is_some()
}

/// The WKT of a code, where it is in the list of definitions.
pub fn wkt_of(code: u32) -> Option<&'static str> {
    definition_of(code).map(|definition| definition.wkt)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_any_length_are_read() {
        for (crs, expected) in [
            ("EPSG:2154", Some(2154)),
            ("epsg: 25832 ", Some(25_832)),
            ("EPSG:25832+5941", Some(25_832)),
            ("EPSG:65536", Some(65_536)),
            ("EPSG:102100", Some(102_100)),
            ("EPSG:4294967296", None),
            ("EPSG:", None),
            ("ESRI:102100", None),
            ("2154", None),
        ] {
            assert_eq!(code(crs), expected, "{crs}");
        }
    }

    #[test]
    fn codes_beyond_the_list_are_unknown() {
        // 67,690 is 2154 + 65,536: it must not be taken for 2154.
        for code in [65_536, 67_690, 102_100, u32::MAX] {
            assert!(!is_known(code) && wkt_of(code).is_none() && unit_of_epsg(code).is_none(), "{code}");
        }
        assert!(is_known(2154) && wkt_of(2154).is_some_and(|wkt| wkt.starts_with("PROJCS")));
    }
}
