//! `GeoTIFF` keys: a directory of 16-bit entries (record 34735), with doubles (34736) and text (34737) beside it.

use crate::declared::Crs;
use crate::epsg_unit::unit_of_epsg;
use crate::unit::{unit_of_length, unit_of_measure};
use parterre_model::frame::Unit;

const MODEL_TYPE: u16 = 1024;
const GEOGRAPHIC_TYPE: u16 = 2048;
const PROJECTED_TYPE: u16 = 3072;
const LINEAR_UNITS: u16 = 3076;
const LINEAR_UNIT_SIZE: u16 = 3077;
const VERTICAL_UNITS: u16 = 4099;
const DOUBLES: u16 = 34736;
/// The value of a key whose meaning is given by other keys.
const USER_DEFINED: u16 = 32767;

/// Reads a directory; the result is empty where it has no system and no unit. `doubles` is the raw record 34736.
pub fn read(directory: &[u8], doubles: &[u8]) -> Crs {
    let mut crs = Crs::default();
    let words: Vec<u16> = directory.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let Some((_, keys)) = words.split_at_checked(4) else { return crs };
    let announced = usize::from(words[3]);
    let entries = || keys.chunks_exact(4).take(announced);
    let short = |id: u16| entries().find(|key| key[0] == id && key[1] == 0).map(|key| key[3]);
    let double = |id: u16| {
        let key = entries().find(|key| key[0] == id && key[1] == DOUBLES)?;
        let bytes = doubles.chunks_exact(8).nth(usize::from(key[3]))?;
        Some(f64::from_le_bytes(bytes.try_into().ok()?))
    };
    let code = |id: u16| short(id).filter(|&code| code != 0 && code != USER_DEFINED && code != u16::MAX);

    let model = short(MODEL_TYPE);
    let projected = code(PROJECTED_TYPE);
    let geographic = code(GEOGRAPHIC_TYPE);
    let is_projected = projected.is_some() || model == Some(1) || short(PROJECTED_TYPE).is_some();
    if is_projected {
        crs.name = projected.map(|code| format!("EPSG:{code}"));
        crs.unit = match (short(LINEAR_UNITS), double(LINEAR_UNIT_SIZE)) {
            (Some(USER_DEFINED), Some(metres)) => unit_of_length(metres),
            (Some(USER_DEFINED) | None, _) => None,
            (Some(measure), _) => unit_of_measure(measure),
        };
        if let (None, Some(measure)) = (crs.unit, short(LINEAR_UNITS)) {
            crs.warn("unit_unknown", format!("the linear unit {measure} of the GeoTIFF keys is not known"));
        }
        if crs.unit.is_none() {
            crs.unit = projected.and_then(|code| unit_of_epsg(code.into()));
        }
        if projected.is_none() && short(PROJECTED_TYPE) == Some(USER_DEFINED) {
            crs.warn("crs_user_defined", "the GeoTIFF keys describe a user-defined projection, which has no code: it is not kept");
        }
    } else if model == Some(3) {
        crs.name = geographic.map(|code| format!("EPSG:{code}"));
        crs.unit = Some(Unit::Metre);
    } else if geographic.is_some() || model == Some(2) {
        crs.name = geographic.map(|code| format!("EPSG:{code}"));
        crs.unit = Some(Unit::Degree);
    }
    crs.vertical_unit = short(VERTICAL_UNITS).and_then(unit_of_measure);
    crs
}

#[cfg(test)]
mod tests {
    use super::read;
    use parterre_model::frame::Unit;

    fn directory(keys: &[[u16; 4]]) -> Vec<u8> {
        let head = [1, 1, 0, keys.len() as u16];
        head.iter().chain(keys.iter().flatten()).flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn projected_wins_over_geographic() {
        let crs = read(&directory(&[[1024, 0, 1, 1], [2048, 0, 1, 4269], [3072, 0, 1, 26917], [3076, 0, 1, 9001]]), &[]);
        assert_eq!((crs.name.as_deref(), crs.unit), (Some("EPSG:26917"), Some(Unit::Metre)));
        assert!(crs.warnings.is_empty());
    }

    #[test]
    fn geographic_is_in_degrees() {
        let crs = read(&directory(&[[1024, 0, 1, 2], [2048, 0, 1, 4326]]), &[]);
        assert_eq!((crs.name.as_deref(), crs.unit), (Some("EPSG:4326"), Some(Unit::Degree)));
    }

    #[test]
    fn user_defined_is_no_code_and_keeps_its_unit() {
        let crs = read(&directory(&[[1024, 0, 1, 1], [3072, 0, 1, 32767], [3076, 0, 1, 9003], [4099, 0, 1, 9001]]), &[]);
        assert_eq!((crs.name, crs.unit, crs.vertical_unit), (None, Some(Unit::UsSurveyFoot), Some(Unit::Metre)));
        assert_eq!(crs.warnings[0].code, "crs_user_defined");
    }

    #[test]
    fn a_user_defined_unit_is_found_by_its_length() {
        let doubles: Vec<u8> = [1.0_f64, 0.3048].iter().flat_map(|value| value.to_le_bytes()).collect();
        let keys = directory(&[[3072, 0, 1, 20000], [3076, 0, 1, 32767], [3077, 34736, 1, 1]]);
        assert_eq!(read(&keys, &doubles).unit, Some(Unit::Foot));
        let lost = read(&keys, &doubles[..8]);
        assert_eq!(lost.unit, None);
        assert_eq!(lost.warnings[0].code, "unit_unknown");
    }

    #[test]
    fn a_known_code_gives_the_unit() {
        assert_eq!(read(&directory(&[[3072, 0, 1, 2154]]), &[]).unit, Some(Unit::Metre));
        assert_eq!(read(&directory(&[[3072, 0, 1, 2994]]), &[]).unit, Some(Unit::Foot));
        assert_eq!(read(&directory(&[[3072, 0, 1, 2229]]), &[]).unit, Some(Unit::UsSurveyFoot));
        assert_eq!(read(&directory(&[[3072, 0, 1, 2269]]), &[]).unit, Some(Unit::Foot));
        assert_eq!(read(&directory(&[[3072, 0, 1, u16::MAX]]), &[]).name, None);
        assert_eq!(read(&directory(&[[3072, 0, 1, 20000]]), &[]).unit, None);
    }

    #[test]
    fn short_and_empty_directories_give_nothing() {
        assert!(read(&[], &[]).is_empty());
        assert!(read(&[1, 0, 1], &[]).is_empty());
        assert!(read(&directory(&[[3072, 0, 1, 0]])[..10], &[]).is_empty());
        let mut announced_too_many = directory(&[[1024, 0, 1, 2]]);
        announced_too_many[6] = 200;
        assert_eq!(read(&announced_too_many, &[]).unit, Some(Unit::Degree));
    }
}
