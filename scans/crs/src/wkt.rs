//! Well-known text (WKT), versions 1 and 2, as far as it is needed for a name and units.

use crate::declared::Crs;
use crate::unit::unit_of_length;
use parterre_model::frame::Unit;

/// Deeper trees than this are not read; real ones have about six levels.
const MAX_DEPTH: usize = 32;

#[derive(Debug)]
struct Node {
    keyword: String,
    args: Vec<Arg>,
}

#[derive(Debug)]
enum Arg {
    /// A quoted text, a number or a bare word.
    Value(String),
    Node(Node),
}

impl Node {
    fn children(&self) -> impl Iterator<Item = &Node> {
        self.args.iter().filter_map(|arg| match arg {
            Arg::Node(node) => Some(node),
            Arg::Value(_) => None,
        })
    }

    fn child(&self, keywords: &[&str]) -> Option<&Node> {
        self.children().find(|node| keywords.contains(&node.keyword.as_str()))
    }

    fn value(&self, index: usize) -> Option<&str> {
        match self.args.get(index)? {
            Arg::Value(value) => Some(value),
            Arg::Node(_) => None,
        }
    }

    fn epsg(&self) -> Option<u32> {
        let authority = self.child(&["AUTHORITY", "ID"])?;
        if !authority.value(0)?.eq_ignore_ascii_case("EPSG") {
            return None;
        }
        authority.value(1)?.trim().parse().ok().filter(|&code| code != 0 && code != 32767 && code != 65535)
    }
}

const HORIZONTAL: &[&str] = &[
    "PROJCS",
    "PROJCRS",
    "PROJECTEDCRS",
    "GEOGCS",
    "GEOGCRS",
    "GEOGRAPHICCRS",
    "GEODCRS",
    "GEODETICCRS",
    "GEOCCS",
    "LOCAL_CS",
    "ENGCRS",
    "ENGINEERINGCRS",
    "DERIVEDPROJCRS",
];
const VERTICAL: &[&str] = &["VERT_CS", "VERTCS", "VERTCRS", "VERTICALCRS"];
const UNITS: &[&str] = &["UNIT", "LENGTHUNIT", "ANGLEUNIT"];

/// Reads a system; the result is empty where the text is not one.
pub fn read(text: &str) -> Crs {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let mut crs = Crs::default();
    if text.is_empty() {
        return crs;
    }
    let Some(root) = parse(text) else {
        crs.warn("crs_unreadable", format!("the coordinate reference system cannot be read as WKT: \"{}\"", shorten(text)));
        return crs;
    };
    let bound = root.child(&["SOURCECRS"]).and_then(|source| source.children().next());
    let system = bound.unwrap_or(&root);
    let horizontal = if HORIZONTAL.contains(&system.keyword.as_str()) {
        Some(system)
    } else {
        system.child(HORIZONTAL).or_else(|| first_horizontal(system, 0))
    };
    let Some(horizontal) = horizontal else {
        crs.warn("crs_unreadable", format!("the WKT has no horizontal coordinate reference system: \"{}\"", shorten(text)));
        return crs;
    };
    let code = root.epsg().or_else(|| system.epsg()).or_else(|| horizontal.epsg());
    crs.name = Some(code.map_or_else(|| text.to_owned(), |code| format!("EPSG:{code}")));
    crs.unit = unit(horizontal, &mut crs);
    if let Some(vertical) = system.child(VERTICAL) {
        crs.vertical_unit = unit(vertical, &mut crs);
    }
    crs
}

fn first_horizontal(node: &Node, depth: usize) -> Option<&Node> {
    if depth > MAX_DEPTH {
        return None;
    }
    node.children().find_map(
        |child| {
            if HORIZONTAL.contains(&child.keyword.as_str()) { Some(child) } else { first_horizontal(child, depth + 1) }
        },
    )
}

fn unit(system: &Node, crs: &mut Crs) -> Option<Unit> {
    let written =
        system.child(UNITS).or_else(|| system.children().filter(|child| child.keyword == "AXIS").find_map(|axis| axis.child(UNITS)));
    let angular = match system.keyword.as_str() {
        "GEOGCS" | "GEOGCRS" | "GEOGRAPHICCRS" => true,
        // WKT 2 uses one keyword for latitude and longitude and for geocentric coordinates; the unit tells them apart.
        "GEODCRS" | "GEODETICCRS" => written.is_none_or(|unit| unit.keyword == "ANGLEUNIT"),
        _ => written.is_some_and(|unit| unit.keyword == "ANGLEUNIT"),
    };
    if angular {
        return Some(Unit::Degree);
    }
    let written = written?;
    let metres: Option<f64> = written.value(1).and_then(|factor| factor.trim().parse().ok());
    let unit = metres.and_then(unit_of_length);
    if unit.is_none() {
        let name = written.value(0).unwrap_or("");
        crs.warn("unit_unknown", format!("the unit \"{}\" of {} m is not known", shorten(name), written.value(1).unwrap_or("?")));
    }
    unit
}

/// The beginning of a text from a file, without control characters, for a message.
pub fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

fn parse(text: &str) -> Option<Node> {
    let mut rest = text;
    let node = parse_node(&mut rest, 0)?;
    Some(node)
}

fn parse_node(rest: &mut &str, depth: usize) -> Option<Node> {
    if depth > MAX_DEPTH {
        return None;
    }
    *rest = rest.trim_start();
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let keyword = rest[..end].to_ascii_uppercase();
    *rest = rest[end..].trim_start();
    if keyword.is_empty() || !rest.starts_with(['[', '(']) {
        return None;
    }
    *rest = &rest[1..];
    let mut args = Vec::new();
    loop {
        *rest = rest.trim_start();
        match rest.chars().next()? {
            ']' | ')' => {
                *rest = &rest[1..];
                return Some(Node { keyword, args });
            }
            ',' => *rest = &rest[1..],
            '"' => args.push(Arg::Value(parse_quoted(rest)?)),
            _ => {
                let end = rest.find([',', ']', ')', '[', '('])?;
                if rest[end..].starts_with(['[', '(']) {
                    args.push(Arg::Node(parse_node(rest, depth + 1)?));
                } else {
                    args.push(Arg::Value(rest[..end].trim_end().to_owned()));
                    *rest = &rest[end..];
                }
            }
        }
    }
}

/// A quote inside a text is written twice.
fn parse_quoted(rest: &mut &str) -> Option<String> {
    let mut value = String::new();
    *rest = &rest[1..];
    loop {
        let end = rest.find('"')?;
        value.push_str(&rest[..end]);
        *rest = &rest[end + 1..];
        if !rest.starts_with('"') {
            return Some(value);
        }
        value.push('"');
        *rest = &rest[1..];
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use parterre_model::frame::Unit;

    const UTM: &str = r#"PROJCS["WGS 84 / UTM zone 12N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]],PROJECTION["Transverse_Mercator"],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AUTHORITY["EPSG","32612"]]"#;

    #[test]
    fn the_outermost_code_wins() {
        let crs = read(UTM);
        assert_eq!(crs.name.as_deref(), Some("EPSG:32612"));
        assert_eq!(crs.unit, Some(Unit::Metre));
        assert_eq!(crs.vertical_unit, None);
        assert!(crs.warnings.is_empty());
    }

    #[test]
    fn a_projected_system_without_a_code_is_not_named_by_its_base() {
        let text = UTM.replace(r#",AUTHORITY["EPSG","32612"]"#, "");
        let crs = read(&text);
        assert_eq!(crs.name.as_deref(), Some(text.as_str()));
        assert_eq!(crs.unit, Some(Unit::Metre));
    }

    #[test]
    fn a_compound_system_goes_by_its_horizontal_part() {
        let text = format!(r#"COMPD_CS["both",{UTM},VERT_CS["NAVD88",VERT_DATUM["x",2005],UNIT["US survey foot",0.304800609601219]]]"#);
        let crs = read(&text);
        assert_eq!(crs.name.as_deref(), Some("EPSG:32612"));
        assert_eq!((crs.unit, crs.vertical_unit), (Some(Unit::Metre), Some(Unit::UsSurveyFoot)));
    }

    #[test]
    fn the_two_feet_are_kept_apart() {
        for (factor, unit) in [
            ("0.3048", Unit::Foot),
            ("0.3048006096012192", Unit::UsSurveyFoot),
            ("0.304800609601219", Unit::UsSurveyFoot),
            ("1.0", Unit::Metre),
        ] {
            assert_eq!(read(&format!(r#"LOCAL_CS["site",UNIT["u",{factor}]]"#)).unit, Some(unit), "{factor}");
        }
        let odd = read(r#"PROJCS["site",UNIT["link",0.201168]]"#);
        assert_eq!(odd.unit, None);
        assert_eq!(odd.warnings[0].code, "unit_unknown");
    }

    #[test]
    fn version_two_is_read() {
        let text = r#"PROJCRS["RGF93 / Lambert-93",BASEGEOGCRS["RGF93",DATUM["d",ELLIPSOID["GRS 1980",6378137,298.257222101,LENGTHUNIT["metre",1]]],ID["EPSG",4171]],CS[Cartesian,2],AXIS["easting (X)",east,ORDER[1],LENGTHUNIT["metre",1]],AXIS["northing (Y)",north,ORDER[2],LENGTHUNIT["metre",1]],ID["EPSG",2154]]"#;
        let crs = read(text);
        assert_eq!((crs.name.as_deref(), crs.unit), (Some("EPSG:2154"), Some(Unit::Metre)));
        let geographic = read(r#"GEOGCRS["WGS 84",CS[ellipsoidal,2],ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",4326]]"#);
        assert_eq!((geographic.name.as_deref(), geographic.unit), (Some("EPSG:4326"), Some(Unit::Degree)));
        let geocentric = read(r#"GEODCRS["WGS 84",CS[Cartesian,3],LENGTHUNIT["metre",1],ID["EPSG",4978]]"#);
        assert_eq!(geocentric.unit, Some(Unit::Metre));
    }

    #[test]
    fn a_user_defined_code_is_no_code() {
        let crs = read(r#"PROJCS["mine",UNIT["metre",1],AUTHORITY["EPSG","32767"]]"#);
        assert!(crs.name.is_some_and(|name| name.starts_with("PROJCS")));
        let other = read(r#"PROJCS["esri",UNIT["metre",1],AUTHORITY["ESRI","102039"]]"#);
        assert!(other.name.is_some_and(|name| name.starts_with("PROJCS")));
    }

    #[test]
    fn invalid_text_is_reported() {
        assert!(read("\n\n\0").warnings.is_empty());
        for text in ["PROJCS", "PROJCS[", "PROJCS[\"a", "[]", "é[", "A[\"\"\"\"", "VERT_CS[\"only height\",UNIT[\"m\",1]]"] {
            let crs = read(text);
            assert!(crs.is_empty(), "{text}");
            assert_eq!(crs.warnings[0].code, "crs_unreadable", "{text}");
        }
        assert!(read(&"A[".repeat(100_000)).is_empty());
    }
}
