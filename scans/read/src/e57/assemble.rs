//! From decoded values to points in the file frame.

use glam::{DMat3, DVec3};

use super::ranges::{Ranges, Sample};
use super::scan::{Role, Scan};
use super::vector::Columns;
use parterre_model::points::{Attributes, PointChunk};

/// Problems found in points.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Problems {
    /// Points without a position.
    pub(super) invalid: u64,
    /// Values outside of the declared limits.
    pub(super) clamped: u64,
}

/// Appends `count` points of a scan whose values are in `columns`; `source` is their point source id.
///
/// A point whose state says that it has no position gets the position NaN.
pub(super) fn append(
    scan: &Scan,
    ranges: Ranges,
    attributes: Attributes,
    source: u16,
    count: usize,
    columns: &Columns,
    chunk: &mut PointChunk,
) -> Problems {
    let mut problems = Problems::default();
    let start = chunk.len();
    local_positions(scan, count, columns, &mut chunk.positions);
    let (rotation, translation) =
        scan.pose.map_or((DMat3::IDENTITY, DVec3::ZERO), |pose| (DMat3::from_quat(pose.rotation), pose.translation));
    for position in &mut chunk.positions[start..] {
        *position = rotation * *position + translation;
        if !position.is_finite() {
            *position = DVec3::NAN;
            problems.invalid += 1;
        }
    }
    let column = |role: Role| Some(&columns[role as usize]).filter(|column| column.len() == count);
    let is_valid = |state: Role| {
        let column = column(state);
        move |index: usize| column.is_none_or(|column| column[index] == 0.0)
    };
    if attributes.color {
        let valid = is_valid(Role::ColorState);
        match (column(Role::Red), column(Role::Green), column(Role::Blue)) {
            (Some(red), Some(green), Some(blue)) => chunk.colors.extend((0..count).map(|index| {
                let color = [red[index], green[index], blue[index]];
                if !valid(index) {
                    return [0; 3];
                }
                problems.clamped += u64::from(color.iter().any(|&value| ranges.color.is_outside(value)));
                color.map(|value| ranges.color.scale(value))
            })),
            _ => chunk.colors.resize(start + count, [0; 3]),
        }
    }
    if attributes.intensity {
        let valid = is_valid(Role::IntensityState);
        match column(Role::Intensity) {
            Some(values) => chunk.intensities.extend(values.iter().enumerate().map(|(index, &value)| {
                if !valid(index) {
                    return 0;
                }
                problems.clamped += u64::from(ranges.intensity.is_outside(value));
                ranges.intensity.scale(value)
            })),
            None => chunk.intensities.resize(start + count, 0),
        }
    }
    if attributes.classification {
        match column(Role::Class) {
            Some(values) => chunk.classifications.extend(values.iter().map(|&value| value as u8)),
            None => chunk.classifications.resize(start + count, 0),
        }
    }
    if attributes.returns {
        let (numbers, counts) = (column(Role::ReturnIndex), column(Role::ReturnCount));
        chunk.returns.extend((0..count).map(|index| {
            let of = counts.map_or(1, |counts| counts[index] as u8).clamp(1, 15);
            // Counted from 0 in E57, from 1 in LAS.
            let number = numbers.map_or(0, |numbers| numbers[index] as u8).saturating_add(1).clamp(1, of);
            number | (of << 4)
        }));
    }
    if attributes.gps_time {
        let valid = is_valid(Role::TimeState);
        match column(Role::Time) {
            Some(values) => {
                let times = values.iter().enumerate();
                chunk.gps_times.extend(times.map(|(index, &time)| if valid(index) { scan.start_time + time } else { 0.0 }));
            }
            None => chunk.gps_times.resize(start + count, 0.0),
        }
    }
    chunk.sources.resize(start + count, source);
    problems
}

/// Appends positions in the scanner's frame.
fn local_positions(scan: &Scan, count: usize, columns: &Columns, out: &mut Vec<DVec3>) {
    let all = |roles: [Role; 3]| roles.iter().all(|&role| scan.has(role));
    let get = |role: Role, index: usize| columns[role as usize].get(index).copied().unwrap_or_default();
    let cartesian = all([Role::X, Role::Y, Role::Z]);
    let spherical = all([Role::Range, Role::Azimuth, Role::Elevation]);
    out.extend((0..count).map(|index| {
        if cartesian && get(Role::CartesianState, index) == 0.0 {
            DVec3::new(get(Role::X, index), get(Role::Y, index), get(Role::Z, index))
        } else if spherical && get(Role::SphericalState, index) == 0.0 {
            let (sin_azimuth, cos_azimuth) = get(Role::Azimuth, index).sin_cos();
            let (sin_elevation, cos_elevation) = get(Role::Elevation, index).sin_cos();
            get(Role::Range, index) * DVec3::new(cos_elevation * cos_azimuth, cos_elevation * sin_azimuth, sin_elevation)
        } else {
            DVec3::NAN
        }
    }));
}

/// Adds the values of `count` points to a sample.
pub(super) fn measure(scan: &Scan, count: usize, columns: &Columns, sample: &mut Sample) {
    let mut positions = Vec::with_capacity(count);
    local_positions(scan, count, columns, &mut positions);
    positions.into_iter().filter(|position| position.is_finite()).for_each(|position| sample.bounds.include(position));
    let mut add = |of: fn(&mut Sample) -> &mut [f64; 2], role: Role, state: Role| {
        let states = &columns[state as usize];
        let values = columns[role as usize].iter().take(count).enumerate();
        for (_, &value) in values.filter(|(index, value)| value.is_finite() && states.get(*index).is_none_or(|&state| state == 0.0)) {
            let found = of(sample);
            *found = [found[0].min(value), found[1].max(value)];
        }
    };
    add(|sample| &mut sample.intensity, Role::Intensity, Role::IntensityState);
    for role in [Role::Red, Role::Green, Role::Blue] {
        add(|sample| &mut sample.color, role, Role::ColorState);
    }
}

/// Whether values of a role are needed for positions and these attributes.
pub(super) fn is_wanted(role: Role, attributes: Attributes) -> bool {
    match role {
        Role::Intensity | Role::IntensityState => attributes.intensity,
        Role::Red | Role::Green | Role::Blue | Role::ColorState => attributes.color,
        Role::ReturnIndex | Role::ReturnCount => attributes.returns,
        Role::Time | Role::TimeState => attributes.gps_time,
        Role::Class => attributes.classification,
        // Positions.
        _ => true,
    }
}
