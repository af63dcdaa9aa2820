//! Wishes as people write them.

use super::crs::wkt::shorten;
use super::crs::{project, wkt};
use super::{Override, Up};
use crate::error::{Error, Result};
use crate::frame::Unit;

/// Longest WKT taken.
const MAX_WKT: usize = 1 << 16;

impl Override {
    /// Reads wishes: `up` is `x`, `y`, `z`, `-x`, `-y` or `-z`, `unit` a name of [`Unit::by_name`], `crs` is `EPSG:n` or WKT.
    ///
    /// # Errors
    /// `up_invalid`, `unit_invalid`, `crs_invalid`.
    pub fn parse(up: Option<&str>, unit: Option<&str>, crs: Option<&str>) -> Result<Self> {
        let up = up.map(|text| match text.trim().to_ascii_lowercase().as_str() {
            "x" => Ok(Up::X),
            "y" => Ok(Up::Y),
            "z" => Ok(Up::Z),
            "-x" => Ok(Up::MinusX),
            "-y" => Ok(Up::MinusY),
            "-z" => Ok(Up::MinusZ),
            _ => Err(Error::input("up_invalid", format!("\"{}\" is no axis that points up", shorten(text)), "Name x, y, z, -x, -y or -z.")),
        });
        let unit = unit.map(|text| {
            let invalid = || Error::input("unit_invalid", format!("\"{}\" is no unit that is known", shorten(text)), UNIT_HINT);
            Unit::by_name(text).ok_or_else(invalid)
        });
        Ok(Self { up: up.transpose()?, unit: unit.transpose()?, crs: crs.map(check_crs).transpose()? })
    }

    /// Whether nothing is wished for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const UNIT_HINT: &str = "Name metre, foot, us-survey-foot, centimetre, millimetre, inch or degree.";
const CRS_HINT: &str = "Name it as EPSG:n, for example EPSG:25832, or give its WKT.";

/// The system's `EPSG:n` where it has a known one, else its WKT.
pub(super) fn check_crs(text: &str) -> Result<String> {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let invalid = |what: &str| Error::input("crs_invalid", format!("\"{}\" {what}", shorten(text)), CRS_HINT);
    let number = if text.bytes().all(|byte| byte.is_ascii_digit()) { Some(text) } else { text.split_once(':').map(|(_, code)| code) };
    if let Some(number) = number.filter(|_| !text.contains(['[', '('])) {
        let is_epsg = !text.contains(':') || text.get(..5).is_some_and(|authority| authority.eq_ignore_ascii_case("EPSG:"));
        let code = number.trim().parse().ok().filter(|&code| is_epsg && project::is_known(code));
        return code.map(|code| format!("EPSG:{code}")).ok_or_else(|| invalid("is not in the list of coordinate reference systems"));
    }
    if text.is_empty() || text.len() > MAX_WKT {
        return Err(invalid("is no coordinate reference system"));
    }
    let found = wkt::read(text);
    let name = found.name.ok_or_else(|| invalid("is not readable as WKT of a coordinate reference system"))?;
    // A code that is not in the list says less than the text.
    Ok(if project::code(&name).is_some_and(project::is_known) { name } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let wishes = Override::parse(Some("Y"), Some("us_survey_foot"), Some("epsg:2154")).expect("good wishes");
        assert_eq!(wishes, Override { up: Some(Up::Y), unit: Some(Unit::UsSurveyFoot), crs: Some("EPSG:2154".into()) });
        assert!(Override::parse(None, None, None).expect("none").is_empty());
        let local = r#"LOCAL_CS["site",UNIT["metre",1]]"#;
        assert_eq!(check_crs(local).expect("a site's own"), local);
        assert_eq!(check_crs("25832").expect("a number"), "EPSG:25832");
        let coded = r#"PROJCS["x",UNIT["metre",1],AUTHORITY["EPSG","25832"]]"#;
        assert_eq!(check_crs(coded).expect("one with a code"), "EPSG:25832");
    }

    #[test]
    fn nonsense_is_refused() {
        let code = |up, unit, crs| Override::parse(up, unit, crs).map_err(|error| error.code());
        assert_eq!(code(Some("w"), None, None), Err("up_invalid"));
        assert_eq!(code(None, Some("parsec"), None), Err("unit_invalid"));
        for crs in ["", "EPSG:0", "EPSG:99999", "EPSG:1e3", "ESRI:102100", "Lambert", "PROJCS[", "urn:ogc:def:crs:EPSG::4326"] {
            assert_eq!(code(None, None, Some(crs)), Err("crs_invalid"), "{crs}");
        }
    }
}
