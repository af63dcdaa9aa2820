//! Definitions of coordinate reference systems: from `EPSG:n`, WKT or a PROJ string to parameters of `proj4rs`.
//!
//! Codes are looked up in `crs-definitions`, WKT goes through `proj4wkt`. Parameters are changed where that makes the
//! result possible or more accurate: coordinates are in metres whatever the system's unit, transverse Mercator uses
//! the series of Poder and Engsager as UTM does, and shifts between datums that need a grid of corrections, which is
//! not available here, are replaced by the mean shift of the area where one is known, else by none, with a warning.

use std::ops::Range;

use proj4rs::units::find_units;

use crate::epsg;
use parterre_model::Warning;
use parterre_model::frame::Unit;

/// Deepest nesting of brackets that is accepted, more than any real system has.
const MAX_DEPTH: usize = 32;
/// Longest WKT that is accepted, more than any real system has.
const MAX_BYTES: usize = 1 << 16;

/// The result of looking up a system.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// A local system of a site, without relation to the Earth.
    Local,
    /// A system that cannot be used, with the reason.
    Unknown(String),
    /// A projected system.
    Projected(Definition),
}

/// A projected system.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    /// Parameters for `proj4rs`, best first; coordinates in metres.
    pub(crate) parameters: Vec<String>,
    /// Length of its unit of x and y in metres.
    pub(crate) unit_m: f64,
    /// Whether its geodetic coordinates may be off those of WGS 84 because no shift between the datums is known.
    pub(crate) shift_unknown: bool,
    /// Whether heights are said to be above the ellipsoid.
    pub(crate) ellipsoidal_heights: bool,
    /// Warnings about it.
    pub(crate) warnings: Vec<Warning>,
}

/// Finds a system by `EPSG:n`, WKT or PROJ string.
pub(crate) fn find(crs: &str) -> Found {
    let crs = crs.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    if crs.starts_with('+') {
        return by_parameters(crs, "");
    }
    match crs.split_once(':') {
        Some((authority, code)) if authority.eq_ignore_ascii_case("EPSG") => {
            let Some(definition) = epsg::code(crs).and_then(epsg::definition_of) else {
                return Found::Unknown(format!("the code EPSG:{} is not in the list of systems", code.trim()));
            };
            by_parameters(definition.proj4, definition.wkt)
        }
        _ => by_wkt(crs),
    }
}

/// Unit of x and y of a system.
pub fn unit_of(crs: &str) -> Option<Unit> {
    match find(crs) {
        Found::Projected(definition) => crate::unit::unit_of_length(definition.unit_m),
        Found::Unknown(_) | Found::Local => None,
    }
}

fn by_wkt(wkt: &str) -> Found {
    let keyword: String = wkt.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>().to_ascii_uppercase();
    if matches!(keyword.as_str(), "LOCAL_CS" | "ENGCRS" | "ENGINEERINGCRS") {
        return Found::Local;
    }
    if wkt.len() > MAX_BYTES || depth(wkt) > MAX_DEPTH {
        return Found::Unknown("its WKT is longer or more deeply nested than is accepted".into());
    }
    if keyword == "BOUNDCRS" {
        let Some(source) = inside(wkt, "SOURCECRS") else { return Found::Unknown("its BOUNDCRS has no source system".into()) };
        return by_wkt(source);
    }
    // A second system may follow, that of heights.
    let first = span(wkt, &keyword).map_or(wkt, |content| &wkt[..=content.end]);
    match proj4wkt::wkt_to_projstring(first) {
        Ok(parameters) => {
            let found = by_parameters(&parameters, wkt);
            let datum = matches!(&found, Found::Projected(definition) if definition.shift_unknown).then(|| shift_of_base(wkt)).flatten();
            datum.map_or(found, |shift| by_parameters(&format!("{parameters} {shift}"), wkt))
        }
        Err(error) => Found::Unknown(format!("its WKT cannot be used: {error}")),
    }
}

/// The shift to WGS 84 of the geographic system below a projected one, by its code.
fn shift_of_base(wkt: &str) -> Option<&'static str> {
    let base = ["BASEGEOGCRS", "BASEGEODCRS", "GEOGCS"].iter().find_map(|keyword| inside(wkt, keyword))?;
    let code: String = base.strip_suffix(']')?.trim_end_matches('"').chars().rev().take_while(char::is_ascii_digit).collect();
    let code = code.chars().rev().collect::<String>().parse().ok()?;
    let base = crs_definitions::from_code(code)?.proj4;
    base.contains("+proj=longlat").then(|| base.split_ascii_whitespace().find(|token| token.starts_with("+towgs84=")))?
}

/// Where the content of the first node of that name stands, its brackets excluded.
fn span(wkt: &str, keyword: &str) -> Option<Range<usize>> {
    let at = wkt.find(keyword)? + keyword.len();
    let start = at + wkt[at..].find(['[', '('])? + 1;
    let mut depth = 1_usize;
    let mut quoted = false;
    for (at, c) in wkt[start..].char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' | ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(start..start + at);
        }
    }
    None
}

fn inside<'a>(wkt: &'a str, keyword: &str) -> Option<&'a str> {
    Some(wkt[span(wkt, keyword)?].trim())
}

fn depth(wkt: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for c in wkt.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Ellipsoid and mean shift of the North American datum of 1927, whose exact shift is a set of grids.
const NAD27: [&str; 2] = ["+ellps=clrk66", "+towgs84=-8,160,176"];

fn by_parameters(parameters: &str, wkt: &str) -> Found {
    let mut kept: Vec<String> = Vec::new();
    let mut warnings = Vec::new();
    let mut unit_m = 1.0;
    let (mut kind, mut grid, mut is_shift_known) = ("", None, false);
    for token in parameters.split_ascii_whitespace() {
        let (name, value) = token.strip_prefix('+').unwrap_or(token).split_once('=').unwrap_or((token, ""));
        match name {
            "proj" => kind = value,
            "units" => match find_units(value) {
                Some(unit) => unit_m = unit.to_meter,
                None => return Found::Unknown(format!("its unit \"{value}\" is not known")),
            },
            "to_meter" => match value.parse::<f64>() {
                Ok(metres) if metres.is_finite() && metres > 0.0 => unit_m = metres,
                _ => return Found::Unknown(format!("its unit has the invalid length \"{value}\" metres")),
            },
            // Heights are in metres; there are no models of the geoid.
            "vunits" | "vto_meter" | "geoidgrids" | "+no_defs" | "+wktext" | "type" => {}
            "nadgrids" if value.starts_with("@null") => is_shift_known = true,
            "nadgrids" => grid = Some(value),
            "datum" if value == "NAD27" => {
                grid = Some(value);
                is_shift_known = true;
                kept.extend(NAD27.map(str::to_owned));
            }
            "datum" | "towgs84" => {
                is_shift_known = true;
                kept.push(token.to_owned());
            }
            _ => kept.push(token.to_owned()),
        }
    }
    match kind {
        "longlat" | "latlong" => return Found::Unknown("it is geographic: its coordinates are angles".into()),
        "geocent" | "cart" => return Found::Unknown("it is geocentric: its z axis does not point up".into()),
        "" => return Found::Unknown("it names no projection".into()),
        _ => {}
    }
    if let Some(grid) = grid {
        let applied = if is_shift_known {
            "its mean was applied, which is accurate to some ten metres"
        } else {
            "none was applied, and the position of the scan may be wrong by some hundred metres"
        };
        let message = format!("the shift of the datum to WGS 84 is a grid of corrections ({grid}) that is not available: {applied}");
        warnings.push(Warning::new("datum_shift_not_applied", message));
    }
    // The parameters of the list are more recent than those that belong to a datum's name.
    let names = |name: &str| kept.iter().any(|token| token.starts_with(name));
    if let Some(shift) = inside(wkt, "TOWGS84").filter(|_| names("+datum=") && !names("+towgs84=")) {
        kept.push(format!("+towgs84={shift}"));
    }
    let tail = kept.join(" ");
    let mut variants = vec![format!("+proj={kind} {tail}")];
    if kind == "tmerc" {
        variants.insert(0, format!("+proj=etmerc {tail}"));
    }
    Found::Projected(Definition {
        parameters: variants,
        unit_m,
        shift_unknown: !is_shift_known && grid.is_none(),
        ellipsoidal_heights: has_ellipsoidal_heights(wkt),
        warnings,
    })
}

/// Whether WKT says that heights are above the ellipsoid: a datum of that name, or type 2002 of version 1, or three axes
/// of which one is that height.
fn has_ellipsoidal_heights(wkt: &str) -> bool {
    let wkt = wkt.to_ascii_lowercase();
    let vertical = inside(&wkt, "vert_datum");
    let version_1 = vertical.is_some_and(|datum| {
        let mut parts = datum.split(',');
        parts.next().is_some_and(|name| name.contains("ellipsoid")) || parts.next().is_some_and(|kind| kind.trim() == "2002")
    });
    version_1 || wkt.contains("ellipsoidal height")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projected(crs: &str) -> Definition {
        match find(crs) {
            Found::Projected(definition) => definition,
            other => panic!("{crs}: {other:?}"),
        }
    }

    #[test]
    fn codes_become_parameters_in_metres() {
        let utm = projected("EPSG:32631");
        assert_eq!(utm.parameters, ["+proj=utm +zone=31 +datum=WGS84"]);
        assert!(!utm.shift_unknown && utm.warnings.is_empty());
        let feet = projected("epsg:2992");
        assert!((feet.unit_m - 0.3048).abs() < 1e-12);
        assert!(!feet.parameters[0].contains("units"));
        let britain = projected("EPSG:27700");
        assert!(britain.parameters[0].starts_with("+proj=etmerc ") && britain.parameters[1].starts_with("+proj=tmerc "));
        assert_eq!(projected("EPSG:5972"), projected("EPSG:25832"));
        assert_eq!(projected("EPSG:25832+5941"), projected("EPSG:25832"));
    }

    #[test]
    fn units_of_systems_are_known() {
        assert_eq!(unit_of("EPSG:2154"), Some(Unit::Metre));
        assert_eq!(unit_of("EPSG:2992"), Some(Unit::Foot));
        assert_eq!(unit_of("EPSG:6557"), Some(Unit::Foot));
        assert_eq!(unit_of("EPSG:6543"), Some(Unit::UsSurveyFoot));
        assert_eq!(unit_of("EPSG:1"), None);
    }

    #[test]
    fn missing_grids_are_reported() {
        let old = projected("EPSG:26717");
        assert_eq!(old.warnings[0].code, "datum_shift_not_applied");
        assert!(old.parameters[0].ends_with("+ellps=clrk66 +towgs84=-8,160,176"), "{:?}", old.parameters);
        let mercator = projected("EPSG:3857");
        assert!(mercator.warnings.is_empty() && !mercator.shift_unknown);
        let unknown = projected("+proj=tmerc +ellps=bessel +nadgrids=somewhere.gsb +units=m");
        assert_eq!(unknown.warnings[0].code, "datum_shift_not_applied");
    }

    #[test]
    fn local_and_unknown_systems_are_distinguished() {
        assert_eq!(find(r#"LOCAL_CS["site",UNIT["metre",1]]"#), Found::Local);
        assert_eq!(find(r#"ENGCRS["site",EDATUM["d"],CS[Cartesian,3],LENGTHUNIT["metre",1]]"#), Found::Local);
        for crs in [
            "",
            "EPSG:",
            "EPSG:x",
            "EPSG:999999",
            "EPSG:4326",
            "EPSG:4978",
            "unknown",
            "PROJCS[",
            "+proj=",
            "+zone=3",
            "+proj=utm +units=x",
        ] {
            assert!(matches!(find(crs), Found::Unknown(_)), "{crs}");
        }
        assert!(matches!(find(&"A[".repeat(30_000)), Found::Unknown(_)));
        assert!(matches!(find(&format!("PROJCS[{}]", "\"x\",".repeat(30_000))), Found::Unknown(_)));
    }

    #[test]
    fn heights_above_the_ellipsoid_are_seen() {
        let with = |vertical: &str| {
            let horizontal = crs_definitions::from_code(32631).expect("a known code").wkt;
            projected(&format!(r#"COMPD_CS["both",{horizontal},{vertical}]"#))
        };
        let sea = with(r#"VERT_CS["EGM96",VERT_DATUM["EGM96 geoid",2005],UNIT["metre",1],AXIS["Up",UP]]"#);
        let ellipsoid = with(r#"VERT_CS["height",VERT_DATUM["Ellipsoid",2002],UNIT["metre",1],AXIS["Up",UP]]"#);
        assert_eq!((sea.ellipsoidal_heights, ellipsoid.ellipsoidal_heights), (false, true));
        assert_eq!(sea.parameters[0].split(' ').next(), Some("+proj=etmerc"));
    }

    #[test]
    fn bound_systems_are_their_source_systems() {
        let horizontal = crs_definitions::from_code(2154).expect("a known code").wkt;
        let bound = format!(r#"BOUNDCRS[SOURCECRS[{horizontal}],TARGETCRS[GEOGCRS["WGS 84"]],ABRIDGEDTRANSFORMATION["x"]]"#);
        assert_eq!(projected(&bound), projected(horizontal));
    }
}
