//! The CRS as WKT. Every file has one: some readers refuse files without.

use std::fmt::Write as _;

use parterre_crs as crs;
use parterre_model::frame::Unit;

/// WKT of a CRS: that of the code for `EPSG:n`, WKT unchanged, and else a local system in the
/// given unit.
///
/// Where the unit of the system differs from that of the coordinates, a local system replaces it, named
/// after it and without its code. Heights in a unit of their own make the system of a code a compound one, since horizontal systems have no heights.
pub fn of(crs: Option<&str>, unit: Unit, vertical_unit: Option<Unit>) -> String {
    let crs = crs.map(|crs| crs.trim_matches(|c: char| c == '\0' || c.is_whitespace()));
    if let Some(wkt) = crs.filter(|crs| is_wkt(crs)) {
        return if fits(wkt, unit, vertical_unit) { wkt.to_owned() } else { with_heights(scaled(wkt, unit), unit, vertical_unit) };
    }
    let horizontal = match crs.and_then(crs::epsg::code) {
        Some(code) => crs::epsg::wkt_of(code).filter(|wkt| is_wkt(wkt)).map(str::to_owned).map_or_else(
            || local(&format!("EPSG:{code}"), unit, &format!(",AUTHORITY[\"EPSG\",\"{code}\"]")),
            |wkt| if fits(&wkt, unit, None) { wkt } else { scaled(&wkt, unit) },
        ),
        None => local("Local", unit, ""),
    };
    with_heights(horizontal, unit, vertical_unit)
}

/// Whether the units that a system names are those of the coordinates; units that it does not name fit always.
fn fits(wkt: &str, unit: Unit, vertical_unit: Option<Unit>) -> bool {
    let own = crs::wkt::read(wkt);
    let vertical = vertical_unit.unwrap_or(unit);
    own.unit.is_none_or(|own| own == unit) && own.vertical_unit.is_none_or(|own| own == vertical)
}

/// A local system that replaces one with other units.
fn scaled(wkt: &str, unit: Unit) -> String {
    local(&format!("{} in another unit ({})", name(wkt), unit.name()), unit, "")
}

fn with_heights(horizontal: String, unit: Unit, vertical_unit: Option<Unit>) -> String {
    match vertical_unit.filter(|&vertical| vertical != unit) {
        Some(vertical) => format!(
            "COMPD_CS[\"{} with heights\",{horizontal},VERT_CS[\"Local height\",VERT_DATUM[\"Local height\",2005],{},AXIS[\"Up\",UP]]]",
            name(&horizontal),
            unit_node(vertical)
        ),
        None => horizontal,
    }
}

/// Whether a text has the look of WKT: a keyword, a bracket and all brackets closed.
fn is_wkt(text: &str) -> bool {
    let Some((keyword, _)) = text.split_once(['[', '(']) else { return false };
    let (mut depth, mut quoted) = (0_i64, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' | ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !quoted && keyword.len() >= 6 && keyword.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

/// The name in quotes that follows the keyword.
fn name(wkt: &str) -> &str {
    wkt.split('"').nth(1).unwrap_or("Local")
}

fn local(name: &str, unit: Unit, authority: &str) -> String {
    format!("LOCAL_CS[\"{name}\",LOCAL_DATUM[\"{name}\",32767],{},AXIS[\"X\",EAST],AXIS[\"Y\",NORTH]{authority}]", unit_node(unit))
}

fn unit_node(unit: Unit) -> String {
    let Some(metres) = unit.metres() else {
        return "UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]]".into();
    };
    // Other units have no name, only a length.
    let known = [(Unit::Metre, "metre", 9001), (Unit::Foot, "foot", 9002), (Unit::UsSurveyFoot, "US survey foot", 9003)];
    let known = known.into_iter().find(|&(of, ..)| of == unit);
    let (name, code) = known.map_or(("unit", None), |(_, name, code)| (name, Some(code)));
    let mut node = format!("UNIT[\"{name}\",{metres}");
    if let Some(code) = code {
        // Writing to a string cannot fail.
        let _ = write!(node, ",AUTHORITY[\"EPSG\",\"{code}\"]");
    }
    node.push(']');
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_local_systems_read_back_as_what_they_were() {
        let back = |crs: Option<&str>, unit, vertical| {
            let wkt = of(crs, unit, vertical);
            assert!(is_wkt(&wkt), "{wkt}");
            let read = crs::wkt::read(&wkt);
            (read.name, read.unit, read.vertical_unit)
        };
        assert_eq!(back(Some("EPSG:2154"), Unit::Metre, None), (Some("EPSG:2154".into()), Some(Unit::Metre), None));
        assert_eq!(back(Some("epsg:2992"), Unit::Foot, None).0, Some("EPSG:2992".into()));
        assert_eq!(
            back(Some("EPSG:25832"), Unit::Metre, Some(Unit::Foot)),
            (Some("EPSG:25832".into()), Some(Unit::Metre), Some(Unit::Foot))
        );
        // An unknown code is kept.
        assert_eq!(back(Some("EPSG:999999"), Unit::Metre, None), (Some("EPSG:999999".into()), Some(Unit::Metre), None));
        for unit in [Unit::Metre, Unit::Foot, Unit::UsSurveyFoot] {
            assert_eq!(back(None, unit, None).1, Some(unit));
        }
        assert_eq!(back(None, Unit::Metre, Some(Unit::UsSurveyFoot)).2, Some(Unit::UsSurveyFoot));
    }

    #[test]
    fn wkt_is_kept_as_it_is() {
        let wkt = "ENGCRS[\"Hall (east) [old]\",EDATUM[\"Hall\"],CS[Cartesian,3],AXIS[\"x\",east],LENGTHUNIT[\"metre\",1]]";
        assert_eq!(of(Some(&format!("{wkt}\0 ")), Unit::Metre, None), wkt);
        assert!(of(Some("PROJCS[\"cut"), Unit::Metre, None).starts_with("LOCAL_CS"));
        assert!(of(Some("Zone 32"), Unit::Metre, None).starts_with("LOCAL_CS"));
    }

    #[test]
    fn systems_in_another_unit_are_not_kept() {
        let compound = "COMPD_CS[\"a\",PROJCS[\"b\",UNIT[\"metre\",1],AUTHORITY[\"EPSG\",\"25832\"]],VERT_CS[\"c\",UNIT[\"metre\",1]]]";
        assert_eq!(of(Some(compound), Unit::Metre, None), compound);
        for (system, unit, vertical) in [
            ("EPSG:25832", Unit::Millimetre, None),
            ("EPSG:2992", Unit::Metre, None),
            ("EPSG:25832", Unit::Foot, Some(Unit::Metre)),
            (compound, Unit::Millimetre, None),
            (compound, Unit::Metre, Some(Unit::Foot)),
        ] {
            let wkt = of(Some(system), unit, vertical);
            assert!(is_wkt(&wkt) && !wkt.contains("PROJ") && wkt.contains("LOCAL_CS"), "{wkt}");
            let read = crs::wkt::read(&wkt);
            assert_eq!((read.unit, read.vertical_unit), (Some(unit), vertical), "{wkt}");
            assert!(!read.name.is_some_and(|name| name.starts_with("EPSG")), "{wkt}");
        }
    }
}
