//! Units by their length or their EPSG code.

use parterre_model::frame::Unit;

/// The unit whose length is `metres`. The two feet differ by 6e-7: the tolerance keeps them apart.
pub fn unit_of_length(metres: f64) -> Option<Unit> {
    Unit::ALL.into_iter().find(|unit| unit.metres().is_some_and(|length| (length - metres).abs() < 5e-8))
}

/// Unit of the EPSG unit-of-measure code.
pub fn unit_of_measure(code: u16) -> Option<Unit> {
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
