//! Scaling of intensity and colour values of a scan to 16 bits.
//!
//! Limits say which values become 0 and 65,535. Some programs write the limits of the measured values instead of those of the
//! sensor, different for each scan: scans whose limits have a similar width get the same scaling, and limits that lie within a usual
//! range and fill most of it are replaced by that range. Where there are no limits, the first points of some scans are used.

use super::scan::{Coding, Role, Scan};
use parterre_model::Warning;
use parterre_model::points::Bounds;

/// Usual ranges, which begin at 0: their end, and the value that the upper limit must exceed.
const INTENSITY_RANGES: &[[f64; 2]] = &[[1.0, 0.1], [255.0, 127.0], [4095.0, 2047.0], [65_535.0, 32_767.0]];
const COLOR_RANGES: &[[f64; 2]] = &[[1.0, 0.5], [255.0, 127.0], [65_535.0, 32_767.0]];
/// Scans get the same scaling where the widths of their limits differ by at most this factor.
const MAX_WIDTH_RATIO: f64 = 8.0;

/// Ranges of the values of a scan's first points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Smallest and largest value; infinity and minus infinity where there is none.
    pub(super) intensity: [f64; 2],
    pub(super) color: [f64; 2],
    /// In the scanner's frame.
    pub(super) bounds: Bounds,
}

impl Sample {
    pub(super) const EMPTY: Self =
        Self { intensity: [f64::INFINITY, f64::NEG_INFINITY], color: [f64::INFINITY, f64::NEG_INFINITY], bounds: Bounds::EMPTY };
}

/// The values that become 0 and 65,535.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    low: f64,
    high: f64,
    factor: f64,
}

impl Range {
    fn new([low, high]: [f64; 2]) -> Self {
        Self { low, high, factor: 65_535.0 / (high - low) }
    }

    /// The value scaled to the 16-bit range; NaN becomes 0.
    pub(super) fn scale(self, value: f64) -> u16 {
        ((value - self.low) * self.factor + 0.5) as u16
    }

    /// Whether a value is outside of the range, by more than half of a 16-bit step.
    pub(super) fn is_outside(self, value: f64) -> bool {
        let slack = 0.5 / self.factor;
        value < self.low - slack || value > self.high + slack
    }
}

/// How a scan's values are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ranges {
    pub(super) intensity: Range,
    pub(super) color: Range,
}

/// Whether ranges or bounds must be taken from the first points because the XML does not give them.
pub(super) fn needs_sample(scan: &Scan) -> bool {
    let color_is_wide = || scan.color.is_none_or(|limits| may_be_narrow(scan, limits));
    scan.points > 0
        && scan.fields.is_ok()
        && (scan.bounds.is_none() || (scan.has(Role::Intensity) && scan.intensity.is_none()) || (scan.has_color() && color_is_wide()))
}

fn may_be_narrow(scan: &Scan, limits: [f64; 2]) -> bool {
    limits[1] > 255.0 && scan.field(Role::Red).is_some_and(|field| matches!(field.coding, Coding::Integer { .. }))
}

/// The ranges of each scan; `samples` has one for each, where there is one.
pub(super) fn resolve(scans: &[Scan], samples: &[Option<Sample>], warnings: &mut Vec<Warning>) -> Vec<Ranges> {
    let intensities = intensities(scans, samples, warnings);
    let colors = colors(scans, samples, warnings);
    intensities.into_iter().zip(colors).map(|(intensity, color)| Ranges { intensity, color }).collect()
}

fn intensities(scans: &[Scan], samples: &[Option<Sample>], warnings: &mut Vec<Warning>) -> Vec<Range> {
    let mut ranges = vec![Range::new([0.0, 1.0]); scans.len()];
    let mut declared: Vec<_> = scans.iter().enumerate().filter_map(|(place, scan)| Some((place, scan.intensity?))).collect();
    declared.sort_by(|(_, a), (_, b)| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
    for group in declared.chunk_by(|(_, a), (_, b)| b[1] - b[0] <= MAX_WIDTH_RATIO * (a[1] - a[0])) {
        let union = group.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |union, (_, limits)| join(union, *limits));
        for (place, _) in group {
            ranges[*place] = Range::new(usual_range(union, INTENSITY_RANGES));
        }
    }
    let without_limits = |scan: &Scan| scan.has(Role::Intensity) && scan.intensity.is_none() && scan.points > 0;
    let count = scans.iter().filter(|scan| without_limits(scan)).count();
    if count > 0 {
        let measured = measured(scans, samples, without_limits, |sample| sample.intensity);
        let limits = usual_range(measured, INTENSITY_RANGES);
        for (range, _) in ranges.iter_mut().zip(scans).filter(|(_, scan)| without_limits(scan)) {
            *range = Range::new(limits);
        }
        let message =
            format!("{count} scans declare no limits of intensity: {} to {} is assumed from their first points", limits[0], limits[1]);
        warnings.push(Warning::new("e57_intensity_limits", message));
    }
    ranges
}

fn colors(scans: &[Scan], samples: &[Option<Sample>], warnings: &mut Vec<Warning>) -> Vec<Range> {
    let without_limits = |scan: &Scan| scan.has_color() && scan.color.is_none() && scan.points > 0;
    let wide = |scan: &Scan| scan.has_color() && scan.color.is_some_and(|limits| may_be_narrow(scan, limits));
    let fallback = usual_range(measured(scans, samples, without_limits, |sample| sample.color), COLOR_RANGES);
    let largest = scans.iter().zip(samples).filter(|(scan, _)| wide(scan));
    let largest = largest.filter_map(|(_, sample)| Some((*sample)?.color[1])).fold(0.0, f64::max);
    let narrow = (1.0..=255.0).contains(&largest);
    for (code, count, message) in [
        (
            "e57_color_limits",
            scans.iter().filter(|scan| without_limits(scan)).count(),
            format!("declare no limits of colour: 0 to {} is assumed", fallback[1]),
        ),
        (
            "color_depth",
            if narrow { scans.iter().filter(|scan| wide(scan)).count() } else { 0 },
            format!("declare colours of more than 8 bits, but none of their first points has one above {largest}: they are read as 8-bit"),
        ),
    ] {
        if count > 0 {
            warnings.push(Warning::new(code, format!("{count} scans {message}")));
        }
    }
    let range = |scan: &Scan| match scan.color {
        Some(_) if narrow && wide(scan) => Range::new([0.0, 255.0]),
        Some(limits) => Range::new(usual_range(limits, COLOR_RANGES)),
        None => Range::new(fallback),
    };
    scans.iter().map(range).collect()
}

/// Range of the samples of some scans, 0 included; never empty.
fn measured(scans: &[Scan], samples: &[Option<Sample>], of: impl Fn(&Scan) -> bool, what: impl Fn(&Sample) -> [f64; 2]) -> [f64; 2] {
    let samples = scans.iter().zip(samples).filter(|(scan, _)| of(scan)).filter_map(|(_, sample)| sample.as_ref());
    let union = samples.map(what).filter(|span| span[0] <= span[1]).fold([0.0, 0.0], join);
    if union[1] > union[0] && (union[1] - union[0]).is_finite() { union } else { [0.0, 1.0] }
}

fn join(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0].min(b[0]), a[1].max(b[1])]
}

/// The usual range that the limits lie in and mostly fill, or the limits themselves.
fn usual_range(limits: [f64; 2], ranges: &[[f64; 2]]) -> [f64; 2] {
    let top = ranges.iter().find(|[top, least]| limits[0] >= 0.0 && limits[1] > *least && limits[1] <= *top);
    top.map_or(limits, |[top, _]| [0.0, *top])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fill_sixteen_bits() {
        let eight = Range::new([0.0, 255.0]);
        assert_eq!([0.0, 1.0, 128.0, 255.0].map(|value| eight.scale(value)), [0, 257, 128 * 257, 65_535]);
        assert_eq!(Range::new([-2048.0, 2047.0]).scale(2047.0), 65_535);
        assert_eq!([f64::NAN, -3.0, 300.0].map(|value| eight.scale(value)), [0, 0, 65_535]);
        assert!(eight.is_outside(256.0) && eight.is_outside(-1.0) && !eight.is_outside(255.0) && !eight.is_outside(f64::NAN));
    }

    #[test]
    fn measured_limits_count_as_the_usual_range() {
        let range = |limits: [f64; 2], ranges: &[[f64; 2]]| usual_range(limits, ranges).map(|limit| limit as i32);
        assert_eq!(range([0.016, 0.55], INTENSITY_RANGES), [0, 1]);
        assert_eq!(range([3.0, 250.0], COLOR_RANGES), [0, 255]);
        assert_eq!(range([0.0, 1023.0], INTENSITY_RANGES), [0, 1023]);
        assert_eq!(range([-2048.0, 2047.0], INTENSITY_RANGES), [-2048, 2047]);
    }
}
