//! One scan as the XML describes it: its pose, where its points are, and how their fields are encoded.

use std::sync::Arc;

use glam::{DQuat, DVec3};

use super::xml::{Element, clip, invalid};
use parterre_model::Result;
use parterre_model::points::Bounds;

/// Bytes that are kept of a name.
pub(super) const MAX_NAME: usize = 128;

/// A field of the points that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    X,
    Y,
    Z,
    CartesianState,
    Range,
    Azimuth,
    Elevation,
    SphericalState,
    Intensity,
    IntensityState,
    Red,
    Green,
    Blue,
    ColorState,
    ReturnIndex,
    ReturnCount,
    Time,
    TimeState,
    Class,
}

/// Number of [`Role`]s.
pub(super) const ROLES: usize = 19;

impl Role {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "cartesianX" => Self::X,
            "cartesianY" => Self::Y,
            "cartesianZ" => Self::Z,
            "cartesianInvalidState" => Self::CartesianState,
            "sphericalRange" => Self::Range,
            "sphericalAzimuth" => Self::Azimuth,
            "sphericalElevation" => Self::Elevation,
            "sphericalInvalidState" => Self::SphericalState,
            "intensity" => Self::Intensity,
            "isIntensityInvalid" => Self::IntensityState,
            "colorRed" => Self::Red,
            "colorGreen" => Self::Green,
            "colorBlue" => Self::Blue,
            "isColorInvalid" => Self::ColorState,
            "returnIndex" => Self::ReturnIndex,
            "returnCount" => Self::ReturnCount,
            "timeStamp" => Self::Time,
            "isTimeStampInvalid" => Self::TimeState,
            // Not a field of the standard, but of the extension for LAS attributes.
            "classification" | "las:classification" => Self::Class,
            _ => return None,
        })
    }
}

/// How a field's values are encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Coding {
    Single,
    Double,
    /// An integer of `width` bits plus `min`; the value is that times `scale` plus `offset`.
    Integer {
        min: i64,
        width: u32,
        scale: f64,
        offset: f64,
    },
}

impl Coding {
    /// Bits of a value.
    pub(super) fn width(self) -> u32 {
        match self {
            Self::Single => 32,
            Self::Double => 64,
            Self::Integer { width, .. } => width,
        }
    }
}

/// One of the byte streams that points are stored in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) role: Role,
    /// Number of the stream.
    pub(super) stream: u32,
    pub(super) coding: Coding,
}

/// A field with the limits of its values, where it declares them.
type Declared = (Field, Option<[f64; 2]>);

/// Transformation from the frame of the scanner to the file frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pose {
    /// Of length 1.
    pub(super) rotation: DQuat,
    pub(super) translation: DVec3,
    /// The numbers of the rotation or translation are invalid and are not used.
    pub(super) refused: bool,
    /// The quaternion was not of length 1.
    pub(super) normalized: bool,
}

/// A scan of the file.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) name: String,
    pub(super) guid: Option<String>,
    pub(super) pose: Option<Pose>,
    /// Physical offset of its section of points.
    pub(super) offset: u64,
    pub(super) points: u64,
    /// Streams of a packet, those of fields that are not read included.
    pub(super) streams: u32,
    /// Fields that are read; why there are none, where they cannot be used.
    pub(super) fields: std::result::Result<Arc<[Field]>, String>,
    pub(super) intensity: Option<[f64; 2]>,
    pub(super) color: Option<[f64; 2]>,
    /// Bounds in the scanner's frame, as far as the file has them.
    pub(super) bounds: Option<Bounds>,
    /// What times count from, in seconds.
    pub(super) start_time: f64,
}

impl Scan {
    /// The scan of an element; `place` is its number in the file, from 0.
    pub(super) fn of(element: &Element, place: usize) -> Result<Self> {
        let name = element.text_of("name").unwrap_or_else(|| format!("scan {}", place + 1));
        let points = element.child("points");
        let whole = |attribute: &str| {
            points
                .and_then(|points| points.attribute(attribute))
                .and_then(|text| text.trim().parse::<u64>().ok())
                .ok_or_else(|| invalid(format!("scan {} ({name:?}) has no valid attribute {attribute} of its points", place + 1)))
        };
        let (offset, count) = if points.is_some() { (whole("fileOffset")?, whole("recordCount")?) } else { (0, 0) };
        let prototype = points.and_then(|points| points.child("prototype")).map_or(&[][..], |prototype| &prototype.children);
        let fields = fields_of(prototype);
        let limits = |parent: &str, low: &[&str], high: &[&str], role: Role| {
            let declared = element.child(parent).and_then(|limits| {
                let scaling = fields.as_ref().ok().and_then(|fields| fields.iter().find(|(field, _)| field.role == role));
                let values = |names: &[&str]| {
                    names.iter().map(|name| limit(limits.child(name)?, scaling.map(|(field, _)| field))).collect::<Option<Vec<_>>>()
                };
                let low = values(low)?.into_iter().fold(f64::INFINITY, f64::min);
                let high = values(high)?.into_iter().fold(f64::NEG_INFINITY, f64::max);
                usable([low, high])
            });
            // What the field itself declares, unless it is the whole range of its type.
            let of_fields = || {
                let fields = fields.as_ref().ok()?;
                let (_, limits) = fields.iter().find(|(field, _)| field.role == role)?;
                limits.and_then(usable).filter(|[low, high]| high - low <= f64::from(u32::MAX))
            };
            declared.or_else(of_fields)
        };
        let red =
            (["colorRedMinimum", "colorGreenMinimum", "colorBlueMinimum"], ["colorRedMaximum", "colorGreenMaximum", "colorBlueMaximum"]);
        Ok(Self {
            guid: element.text_of("guid").map(|guid| clip(&guid, MAX_NAME).to_owned()),
            pose: element.child("pose").map(Pose::of),
            offset,
            points: count,
            streams: prototype.len() as u32,
            intensity: limits("intensityLimits", &["intensityMinimum"], &["intensityMaximum"], Role::Intensity),
            color: limits("colorLimits", &red.0, &red.1, Role::Red),
            bounds: bounds_of(element, fields.as_deref().unwrap_or_default()),
            start_time: element
                .child("acquisitionStart")
                .and_then(|start| start.number_of("dateTimeValue"))
                .filter(|time| time.is_finite())
                .unwrap_or_default(),
            fields: fields.map(|fields| fields.into_iter().map(|(field, _)| field).collect()),
            name: clip(&name, MAX_NAME).to_owned(),
        })
    }

    /// Whether a field is there.
    pub(super) fn has(&self, role: Role) -> bool {
        self.field(role).is_some()
    }

    pub(super) fn field(&self, role: Role) -> Option<&Field> {
        self.fields.as_ref().ok()?.iter().find(|field| field.role == role)
    }

    pub(super) fn has_color(&self) -> bool {
        self.has(Role::Red) && self.has(Role::Green) && self.has(Role::Blue)
    }
}

impl Pose {
    /// The pose of an element with `rotation` and `translation`, either of which may be missing.
    pub(super) fn of(element: &Element) -> Self {
        let number = |part: &Element, name: &str| part.number_of(name).unwrap_or(f64::NAN);
        let mut pose = Self { rotation: DQuat::IDENTITY, translation: DVec3::ZERO, refused: false, normalized: false };
        if let Some(part) = element.child("rotation") {
            let [w, x, y, z] = ["w", "x", "y", "z"].map(|name| number(part, name));
            let rotation = DQuat::from_xyzw(x, y, z, w);
            let length = rotation.length();
            if length.is_finite() && length > 1e-6 {
                pose.rotation = rotation.normalize();
                pose.normalized = (length - 1.0).abs() > 1e-3;
            } else {
                pose.refused = true;
            }
        }
        if let Some(part) = element.child("translation") {
            let translation = DVec3::from_array(["x", "y", "z"].map(|name| number(part, name)));
            if translation.is_finite() {
                pose.translation = translation;
            } else {
                pose.refused = true;
            }
        }
        pose
    }
}

fn fields_of(prototype: &[Element]) -> std::result::Result<Vec<Declared>, String> {
    let mut fields: Vec<Declared> = Vec::new();
    for (stream, element) in prototype.iter().enumerate() {
        let Some(role) = Role::of(&element.name).filter(|role| !fields.iter().any(|(field, _)| field.role == *role)) else {
            continue;
        };
        match coding_of(element) {
            Some((coding, limits)) => fields.push((Field { role, stream: stream as u32, coding }, limits)),
            None if role == Role::Class => {}
            None => return Err(format!("the field {} is of the unknown type {:?}", element.name, element.attribute("type"))),
        }
    }
    let has = |roles: &[Role]| roles.iter().all(|role| fields.iter().any(|(field, _)| field.role == *role));
    if has(&[Role::X, Role::Y, Role::Z]) || has(&[Role::Range, Role::Azimuth, Role::Elevation]) {
        Ok(fields)
    } else {
        Err("its points have neither cartesian nor spherical coordinates".to_owned())
    }
}

fn coding_of(element: &Element) -> Option<(Coding, Option<[f64; 2]>)> {
    let real = |name: &str| element.attribute(name).and_then(|text| text.trim().parse::<f64>().ok());
    match element.attribute("type")? {
        "Float" => {
            let single = element.attribute("precision") == Some("single");
            let limits = real("minimum").zip(real("maximum")).map(|(low, high)| [low, high]);
            // Limits of the type itself are no limits of the values. Those of a 32-bit float may be written with few digits.
            let limits = limits.filter(|limits| limits.iter().all(|limit| limit.abs() < 1e30));
            let limits = limits.map(|limits| if single { limits.map(|limit| f64::from(limit as f32)) } else { limits });
            Some((if single { Coding::Single } else { Coding::Double }, limits))
        }
        kind @ ("Integer" | "ScaledInteger") => {
            let whole = |name: &str, default: i64| {
                let text = element.attribute(name).map(str::trim);
                text.map_or(Some(default), |text| text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|value| value as i64)))
            };
            let (min, max) = (whole("minimum", i64::MIN)?, whole("maximum", i64::MAX)?);
            if max < min {
                return None;
            }
            let (scale, offset) =
                if kind == "Integer" { (1.0, 0.0) } else { (real("scale").unwrap_or(1.0), real("offset").unwrap_or(0.0)) };
            let width = u64::BITS - max.wrapping_sub(min).cast_unsigned().leading_zeros();
            let [a, b] = [min, max].map(|limit| limit as f64 * scale + offset);
            Some((Coding::Integer { min, width, scale, offset }, Some([a.min(b), a.max(b)])))
        }
        _ => None,
    }
}

/// The value of a limit, which has its own type: a scaled integer has its own scale and offset or those of the field.
fn limit(element: &Element, field: Option<&Field>) -> Option<f64> {
    let text = element.text.trim();
    let value: f64 = if text.is_empty() { 0.0 } else { text.parse().ok()? };
    if element.attribute("type") != Some("ScaledInteger") {
        return Some(value);
    }
    let own = |name: &str| element.attribute(name).and_then(|text| text.parse::<f64>().ok());
    let (scale, offset) = match field.map(|field| field.coding) {
        Some(Coding::Integer { scale, offset, .. }) => (scale, offset),
        _ => (1.0, 0.0),
    };
    Some(value * own("scale").unwrap_or(scale) + own("offset").unwrap_or(offset))
}

/// The limits, where values can be scaled by them.
fn usable(limits: [f64; 2]) -> Option<[f64; 2]> {
    (limits[0].is_finite() && limits[1].is_finite() && limits[1] > limits[0]).then_some(limits)
}

/// Bounds in the scanner's frame. Some programs write `cartesianBounds` in the file's frame: limits that the fields
/// themselves declare go first, where they are of floats; those of integers are often the whole range.
fn bounds_of(element: &Element, fields: &[Declared]) -> Option<Bounds> {
    let of_fields = |float: bool| {
        let axes = [Role::X, Role::Y, Role::Z].map(|role| {
            let (field, limits) = fields.iter().find(|(field, _)| field.role == role)?;
            limits.filter(|_| matches!(field.coding, Coding::Integer { .. }) != float)
        });
        let [Some(x), Some(y), Some(z)] = axes else { return None };
        Some(Bounds { min: DVec3::new(x[0], y[0], z[0]), max: DVec3::new(x[1], y[1], z[1]) })
    };
    let declared = || {
        let bounds = element.child("cartesianBounds")?;
        let corner = |names: [&str; 3]| {
            let [x, y, z] = names.map(|name| bounds.number_of(name));
            Some(DVec3::new(x?, y?, z?))
        };
        Some(Bounds { min: corner(["xMinimum", "yMinimum", "zMinimum"])?, max: corner(["xMaximum", "yMaximum", "zMaximum"])? })
    };
    let spherical = || {
        let range = element.child("sphericalBounds")?.number_of("rangeMaximum")?;
        Some(Bounds { min: DVec3::splat(-range), max: DVec3::splat(range) })
    };
    let plausible =
        |bounds: &Bounds| bounds.min.is_finite() && bounds.max.is_finite() && !bounds.is_empty() && bounds.size().max_element() < 1e7;
    let found = of_fields(true).filter(plausible).or_else(|| declared().filter(plausible));
    found.or_else(|| of_fields(false).filter(plausible)).or_else(|| spherical().filter(plausible))
}
