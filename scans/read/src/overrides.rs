//! Axis, unit and coordinate reference system as the user gives them: they replace what the file says.

use serde::{Deserialize, Serialize};

use parterre_crs::wkt::shorten;
use parterre_crs::{epsg, wkt};
use parterre_model::frame::Unit;
use parterre_model::{Error, Result};

/// Bytes of the longest WKT that is accepted.
const MAX_WKT: usize = 1 << 16;

/// Which axis of a file points up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Up {
    /// X up: (x, y, z) is taken as (-z, y, x).
    X,
    /// Y up: (x, y, z) is taken as (x, -z, y).
    Y,
    /// Z up.
    Z,
    /// The opposite of X: (x, y, z) is taken as (z, y, -x).
    #[serde(rename = "-x")]
    MinusX,
    /// The opposite of Y: (x, y, z) is taken as (x, z, -y).
    #[serde(rename = "-y")]
    MinusY,
    /// The opposite of Z, a scan that is upside down: (x, y, z) is taken as (x, -y, -z).
    #[serde(rename = "-z")]
    MinusZ,
}

/// What the user states about a file; replaces what the file says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Axis that points up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<Up>,
    /// Unit of the coordinates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// `EPSG:n` or WKT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<String>,
}

impl Override {
    /// Parses overrides: `up` is `x`, `y`, `z`, `-x`, `-y` or `-z`, `unit` a name of [`Unit::by_name`], `crs` is `EPSG:n` or WKT.
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
            _ => Err(Error::input(
                "up_invalid",
                format!("\"{}\" is not an axis that can point up", shorten(text)),
                "Give x, y, z, -x, -y or -z.",
            )),
        });
        let unit = unit.map(|text| {
            let invalid = || Error::input("unit_invalid", format!("\"{}\" is not a known unit", shorten(text)), UNIT_HINT);
            Unit::by_name(text).ok_or_else(invalid)
        });
        Ok(Self { up: up.transpose()?, unit: unit.transpose()?, crs: crs.map(check_crs).transpose()? })
    }

    /// Whether nothing is overridden.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const UNIT_HINT: &str = "Give metre, foot, us-survey-foot, centimetre, millimetre, inch or degree.";
const CRS_HINT: &str = "Give it as EPSG:n, for example EPSG:25832, or give its WKT.";

/// The system's `EPSG:n` where it has a known one, else its WKT.
pub(crate) fn check_crs(text: &str) -> Result<String> {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let invalid = |what: &str| Error::input("crs_invalid", format!("\"{}\" {what}", shorten(text)), CRS_HINT);
    let number = if text.bytes().all(|byte| byte.is_ascii_digit()) { Some(text) } else { text.split_once(':').map(|(_, code)| code) };
    if let Some(number) = number.filter(|_| !text.contains(['[', '('])) {
        let is_epsg = !text.contains(':') || text.get(..5).is_some_and(|authority| authority.eq_ignore_ascii_case("EPSG:"));
        let code = number.trim().parse().ok().filter(|&code| is_epsg && epsg::is_known(code));
        return code.map(|code| format!("EPSG:{code}")).ok_or_else(|| invalid("is not in the list of coordinate reference systems"));
    }
    if text.is_empty() || text.len() > MAX_WKT {
        return Err(invalid("is not a coordinate reference system"));
    }
    let found = wkt::read(text);
    let name = found.name.ok_or_else(|| invalid("cannot be read as the WKT of a coordinate reference system"))?;
    // A code that is not in the list cannot be used; the text can.
    Ok(if epsg::code(&name).is_some_and(epsg::is_known) { name } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_parsed() {
        let overrides = Override::parse(Some("Y"), Some("us_survey_foot"), Some("epsg:2154")).expect("valid overrides");
        assert_eq!(overrides, Override { up: Some(Up::Y), unit: Some(Unit::UsSurveyFoot), crs: Some("EPSG:2154".into()) });
        assert!(Override::parse(None, None, None).expect("none").is_empty());
        let local = r#"LOCAL_CS["site",UNIT["metre",1]]"#;
        assert_eq!(check_crs(local).expect("a local system"), local);
        assert_eq!(check_crs("25832").expect("a number"), "EPSG:25832");
        let coded = r#"PROJCS["x",UNIT["metre",1],AUTHORITY["EPSG","25832"]]"#;
        assert_eq!(check_crs(coded).expect("one with a code"), "EPSG:25832");
    }

    #[test]
    fn invalid_values_are_refused() {
        let code = |up, unit, crs| Override::parse(up, unit, crs).map_err(|error| error.code());
        assert_eq!(code(Some("w"), None, None), Err("up_invalid"));
        assert_eq!(code(None, Some("parsec"), None), Err("unit_invalid"));
        for crs in ["", "EPSG:0", "EPSG:99999", "EPSG:1e3", "ESRI:102100", "Lambert", "PROJCS[", "urn:ogc:def:crs:EPSG::4326"] {
            assert_eq!(code(None, None, Some(crs)), Err("crs_invalid"), "{crs}");
        }
    }
}
