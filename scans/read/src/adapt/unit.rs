//! Whether coordinates without a unit can be metres, by the size that the scan would have.

use crate::source::SourceInfo;
use parterre_model::frame::Unit;

/// Longest edges of rooms and stadiums with their grounds, metres.
const PLAUSIBLE_M: std::ops::RangeInclusive<f64> = 2.0..=3000.0;

/// Why metres are not plausible, and which units are; `None` where metres are plausible.
pub(super) fn implausible(info: &SourceInfo) -> Option<String> {
    let size = info.bounds.size();
    let longest = size.max_element();
    if !longest.is_finite() || longest <= 0.0 {
        return None;
    }
    let (min, max) = (info.bounds.min, info.bounds.max);
    let edges = format!("{:.4} x {:.4} x {:.4}", size.x, size.y, size.z);
    if size.x.max(size.y) < 0.2
        && size.z > 10.0 * size.x.max(size.y)
        && min.abs().max(max.abs()).x <= 180.0
        && min.abs().max(max.abs()).y <= 90.0
    {
        return Some(format!(
            "as metres the scan would be {edges} m large; its coordinates look like longitude and latitude in degrees: \
             if they are, import with --crs EPSG:4326"
        ));
    }
    if PLAUSIBLE_M.contains(&longest) {
        return None;
    }
    let plausible: Vec<&str> = Unit::ALL
        .into_iter()
        .filter(|unit| unit.metres().is_some_and(|length| length < 1.0 && PLAUSIBLE_M.contains(&(longest * length))))
        .map(Unit::name)
        .collect();
    let advice = if plausible.is_empty() {
        "no known unit gives it the size of a venue".to_owned()
    } else {
        format!("in {} it would have the size of a venue: give the unit with --unit if metres are wrong", plausible.join(" or "))
    };
    Some(format!("as metres the scan would be {edges} m large; {advice}"))
}
