//! Which properties of a vertex are its position, its colour and so on, and how their numbers are converted to columns.
//!
//! Names are compared without regard to case and to a leading `scalar_`, `diffuse_` or `vertex_`. The first property of a
//! role wins. Properties without a role are not read; a warning lists them.

use super::header::{Coding, Element, Kind, Property, Shape};
use glam::DVec3;
use parterre_model::points::{Attributes, PointChunk};

/// Roles of a vertex' numbers, in the order of a [`Row`].
const NAMES: [&[&str]; ROLES] = [
    &["x"],
    &["y"],
    &["z"],
    &["red", "r"],
    &["green", "g"],
    &["blue", "b"],
    &["intensity", "i", "reflectance", "remission", "amplitude"],
    &["classification", "class"],
    &["gps_time", "gpstime"],
];
pub(super) const ROLES: usize = 9;
pub(super) const RED: usize = 3;
pub(super) const INTENSITY: usize = 6;
pub(super) const CLASS: usize = 7;
pub(super) const TIME: usize = 8;

/// The numbers of a vertex by role; 0 where it has none.
pub(super) type Row = [f64; ROLES];

/// The role that a property's name stands for.
fn role(name: &str) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    let bare = ["scalar_", "diffuse_", "vertex_"].iter().find_map(|prefix| lower.strip_prefix(prefix)).unwrap_or(&lower);
    // A scalar field named X is not the position.
    NAMES.iter().position(|names| names.contains(&bare)).filter(|&role| role >= RED || bare == lower)
}

/// Where the numbers of a vertex are.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) coding: Coding,
    /// Place among the properties, byte in a row of fixed length, and type of each role.
    pub(super) fields: [Option<Field>; ROLES],
    /// Bytes of a row, where all have as many.
    pub(super) stride: usize,
    /// Names of the properties without a role.
    pub(super) unused: Vec<String>,
}

/// One number of a vertex.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) property: usize,
    pub(super) at: usize,
    pub(super) kind: Kind,
}

impl Layout {
    pub(super) fn new(vertex: &Element, coding: Coding) -> Self {
        let mut layout = Self { coding, fields: [None; ROLES], stride: 0, unused: Vec::new() };
        for (index, Property { name, shape }) in vertex.properties.iter().enumerate() {
            let (Shape::Scalar(kind) | Shape::List { count: kind, .. }) = *shape;
            match role(name).filter(|&role| matches!(shape, Shape::Scalar(_)) && layout.fields[role].is_none()) {
                Some(role) => layout.fields[role] = Some(Field { property: index, at: layout.stride, kind }),
                None => layout.unused.push(name.clone()),
            }
            layout.stride += kind.len();
        }
        layout
    }

    pub(super) fn has(&self, roles: std::ops::Range<usize>) -> bool {
        self.fields[roles].iter().all(Option::is_some)
    }

    /// The numbers of a row of fixed length.
    pub(super) fn row(&self, bytes: &[u8]) -> Row {
        self.fields.map(|field| field.map_or(0.0, |field| field.kind.number(&bytes[field.at..], self.coding)))
    }
}

/// Conversion of a number of the file to 16 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaling {
    pub(super) factor: f64,
    pub(super) from: f64,
    /// Whether signed bytes have unsigned values.
    wrap: bool,
}

impl Scaling {
    pub(super) fn apply(self, value: f64) -> u16 {
        let value = if self.wrap && value < 0.0 { value + 256.0 } else { value };
        ((value - self.from) * self.factor).round() as u16
    }

    /// Whether the number is outside of the range of the sample.
    pub(super) fn is_outside(self, value: f64) -> bool {
        let scaled = (value - self.from) * self.factor;
        !self.wrap && !scaled.is_nan() && !(-1.0..=65_536.0).contains(&scaled)
    }

    fn new(factor: f64) -> Self {
        Self { factor, from: 0.0, wrap: false }
    }

    /// By the type and the numbers of a sample: bytes and numbers up to 255 are 8-bit values, floats up to 1 are fractions of
    /// the full range.
    fn of_color(kind: Kind, range: Range) -> Self {
        let factor = match kind {
            Kind::I8 | Kind::U8 => 257.0,
            Kind::F32 | Kind::F64 if range.max <= 1.0 => 65_535.0,
            _ if range.max <= 255.0 => 257.0,
            _ => 65_535.0 / range.max.max(65_535.0),
        };
        Self { wrap: kind == Kind::I8, ..Self::new(factor) }
    }

    /// By the type and the numbers of a sample: bytes and floats from 0 to 1 are scaled to the full range, integers that fit are kept,
    /// and all others are scaled from the smallest to the largest number of the sample.
    fn of_intensity(kind: Kind, range: Range) -> Self {
        let fits = range.min >= 0.0 && range.max <= 65_535.0;
        match kind {
            Kind::I8 | Kind::U8 => Self { wrap: kind == Kind::I8, ..Self::new(257.0) },
            Kind::F32 | Kind::F64 if fits && range.max <= 1.0 => Self::new(65_535.0),
            _ if fits && range.whole => Self::new(1.0),
            _ => Self { from: range.min, ..Self::new(65_535.0 / (range.max - range.min).max(f64::MIN_POSITIVE)) },
        }
    }
}

/// The finite numbers of a role in a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) min: f64,
    pub(super) max: f64,
    whole: bool,
}

impl Range {
    pub(super) const EMPTY: Self = Self { min: f64::INFINITY, max: f64::NEG_INFINITY, whole: true };

    pub(super) fn include(&mut self, value: f64) {
        if value.is_finite() {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            self.whole &= value.fract() == 0.0;
        }
    }

    /// Whether there is a number other than 0.
    pub(super) fn has_values(&self) -> bool {
        self.min <= self.max && (self.min, self.max) != (0.0, 0.0)
    }
}

/// Which columns are filled, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) color: Option<Scaling>,
    pub(super) intensity: Option<Scaling>,
    pub(super) classification: bool,
    pub(super) gps_time: bool,
}

impl Columns {
    /// The columns of the vertices, by the ranges of a sample.
    pub(super) fn new(layout: &Layout, ranges: &[Range; ROLES]) -> Self {
        let color = layout.fields[RED].filter(|_| layout.has(RED..INTENSITY)).and_then(|field| {
            let range = ranges[RED..INTENSITY].iter().fold(Range::EMPTY, |all, one| Range {
                min: all.min.min(one.min),
                max: all.max.max(one.max),
                whole: all.whole && one.whole,
            });
            range.has_values().then(|| Scaling::of_color(field.kind, range))
        });
        let range = ranges[INTENSITY];
        let intensity = layout.fields[INTENSITY].filter(|_| range.has_values());
        Self {
            color,
            intensity: intensity.map(|field| Scaling::of_intensity(field.kind, range)),
            classification: layout.fields[CLASS].is_some(),
            gps_time: layout.fields[TIME].is_some(),
        }
    }

    pub(super) fn attributes(self) -> Attributes {
        Attributes {
            color: self.color.is_some(),
            intensity: self.intensity.is_some(),
            classification: self.classification,
            returns: false,
            gps_time: self.gps_time,
        }
    }

    /// Appends a vertex. Returns how many of its numbers had to be clamped.
    pub(super) fn push(self, row: &Row, chunk: &mut PointChunk) -> u64 {
        let mut clamped = 0;
        chunk.positions.push(DVec3::new(row[0], row[1], row[2]));
        if let Some(scaling) = self.color {
            let color = [row[RED], row[RED + 1], row[RED + 2]];
            clamped += u64::from(color.iter().any(|&value| scaling.is_outside(value)));
            chunk.colors.push(color.map(|value| scaling.apply(value)));
        }
        if let Some(scaling) = self.intensity {
            clamped += u64::from(scaling.is_outside(row[INTENSITY]));
            chunk.intensities.push(scaling.apply(row[INTENSITY]));
        }
        if self.classification {
            chunk.classifications.push(row[CLASS] as u8);
        }
        if self.gps_time {
            chunk.gps_times.push(row[TIME]);
        }
        clamped
    }
}

/// Roles that a sample of the vertices did not decide.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Undecided {
    color: bool,
    intensity: bool,
}

impl Undecided {
    /// What these ranges, of a part of the vertices, do not decide: whether there are any values, and whether colours, which
    /// are not scaled to their range, have 8 bits. The scaling of intensities is always decided by the sample, so that
    /// a single large value cannot make all others dark.
    pub(super) fn of(layout: &Layout, ranges: &[Range; ROLES]) -> Self {
        let is_narrow = |role: usize, field: Field| {
            !ranges[role].has_values() || (!matches!(field.kind, Kind::I8 | Kind::U8) && ranges[role].max <= 255.0)
        };
        let colors = RED..INTENSITY;
        Self {
            color: layout.has(colors.clone())
                && colors.into_iter().all(|role| layout.fields[role].is_some_and(|field| is_narrow(role, field))),
            intensity: layout.fields[INTENSITY].is_some() && !ranges[INTENSITY].has_values(),
        }
    }

    pub(super) fn roles(self) -> impl Iterator<Item = usize> {
        let color = if self.color { RED..INTENSITY } else { 0..0 };
        let intensity = if self.intensity { INTENSITY..CLASS } else { 0..0 };
        color.chain(intensity)
    }

    /// Includes the values of undecided roles in rows of fixed length.
    pub(super) fn include_rows(self, layout: &Layout, rows: &[u8], seen: &mut [Range; ROLES]) {
        for role in self.roles() {
            if let Some(field) = layout.fields[role] {
                rows.chunks_exact(layout.stride).for_each(|row| seen[role].include(field.kind.number(&row[field.at..], layout.coding)));
            }
        }
    }

    /// Includes the values of undecided roles in a row.
    pub(super) fn include_row(self, row: &Row, seen: &mut [Range; ROLES]) {
        for role in self.roles() {
            seen[role].include(row[role]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(values: &[f64]) -> Range {
        let mut range = Range::EMPTY;
        for &value in values {
            range.include(value);
        }
        range
    }

    #[test]
    fn names_are_recognized_in_many_forms() {
        for (name, expected) in [("x", Some(0)), ("Z", Some(2)), ("diffuse_green", Some(4)), ("scalar_Intensity", Some(6)), ("r", Some(3))]
        {
            assert_eq!(role(name), expected, "{name}");
        }
        for name in ["nx", "scalar_x", "alpha", "redness", "vertex_indices"] {
            assert_eq!(role(name), None, "{name}");
        }
    }

    #[test]
    fn numbers_fill_sixteen_bits() {
        let color = |kind, values: &[f64], value| Scaling::of_color(kind, range(values)).apply(value);
        assert_eq!(color(Kind::U8, &[0.0, 3.0], 255.0), 65_535);
        assert_eq!(color(Kind::I8, &[-1.0, 3.0], -1.0), 65_535);
        assert_eq!(color(Kind::U16, &[0.0, 255.0], 255.0), 65_535);
        assert_eq!(color(Kind::U16, &[0.0, 256.0], 256.0), 256);
        assert_eq!(color(Kind::F32, &[0.0, 1.0], 0.5), 32_768);
        assert_eq!(color(Kind::F32, &[0.0, 200.0], 255.0), 65_535);
        assert_eq!(color(Kind::F32, &[0.0, 1.0], f64::NAN), 0);
        let intensity = |kind, values: &[f64], value| Scaling::of_intensity(kind, range(values)).apply(value);
        assert_eq!(intensity(Kind::U8, &[0.0, 3.0], 255.0), 65_535);
        assert_eq!(intensity(Kind::F32, &[0.25, 1.0], 0.5), 32_768);
        assert_eq!(intensity(Kind::F32, &[12.0, 4_000.0], 4_000.0), 4_000);
        assert_eq!(intensity(Kind::F64, &[-20.0, 0.0], 0.0), 65_535);
        assert_eq!(intensity(Kind::F64, &[-20.0, 0.0], -30.0), 0);
        assert_eq!(intensity(Kind::I32, &[0.0, 100_000.0], 50_000.0), 32_768);
    }
}
