//! Codes of the EPSG list and their definitions.

use crs_definitions::Def;

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
            assert!(!is_known(code) && wkt_of(code).is_none() && crate::unit_of_epsg(code).is_none(), "{code}");
        }
        assert!(is_known(2154) && wkt_of(2154).is_some_and(|wkt| wkt.starts_with("PROJCS")));
    }
}
