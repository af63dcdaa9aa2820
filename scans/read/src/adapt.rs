//! Axes, units and coordinate reference systems of a file, after the user's overrides: one wrapper around the readers of all
//! formats.
//!
//! In this order: the axis that points up becomes Z; the unit is the user's, else that of the CRS that the user gives, else the
//! file's; geographic coordinates (degrees) and geocentric ones are projected to the UTM zone (WGS 84) of the scan's middle,
//! point by point. All other coordinates stay as they are, so that COPC has the file's own: tiles are in metres
//! by [`parterre_crs::Placement`]. Each step adds a warning. An axis or a unit that looks wrong is only reported, never changed.
//!
//! Limits: heights are not changed, and refer to whatever the file's heights refer to; the middle is that of the header's bounds, so
//! files of one scan on both sides of a zone's border must be opened by [`crate::open_all`], which uses the first one's zone.

mod axis;
mod turn;
mod unit;

use glam::{DQuat, DVec3};
use rayon::prelude::*;

use self::turn::Turn;
use crate::overrides::{Override, check_crs};
use crate::precision::Precision;
use crate::source::{PointSource, SourceInfo};
use parterre_crs::epsg::code;
use parterre_crs::project::{Coordinates, Projector, coordinates};
use parterre_crs::wkt;
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::PointChunk;
use parterre_model::record::{AttributeLayout, Grid, RecordChunk, Wanted};
use parterre_model::{Result, Warning};

/// Step of coordinates that were projected, metres.
const PROJECTED_STEP_M: f64 = 0.0001;
/// Points that one thread projects at a time.
const BATCH: usize = 4096;

/// Wraps a format's reader.
///
/// # Errors
/// `crs_invalid`.
pub(super) fn adapt(inner: Box<dyn PointSource>, overrides: &Override) -> Result<Box<dyn PointSource>> {
    adapt_to_zone(inner, overrides, None)
}

/// As [`adapt`]; what has to be projected is projected to the UTM zone of that EPSG code.
pub(super) fn adapt_to_zone(inner: Box<dyn PointSource>, overrides: &Override, zone: Option<u16>) -> Result<Box<dyn PointSource>> {
    let wanted_crs = overrides.crs.as_deref().map(check_crs).transpose()?;
    let mut adapted = Adapted {
        info: inner.info().clone(),
        inner,
        own_warnings: Vec::new(),
        turn: overrides.up.and_then(Turn::of),
        mirrored: [false; 3],
        projector: None,
        keeps_wkt: wanted_crs.is_none(),
        unprojected: 0,
        warnings: Vec::new(),
    };
    adapted.turn_to_z_up();
    adapted.make_scales_positive();
    adapted.apply_crs(wanted_crs);
    adapted.apply_unit(overrides);
    adapted.project(zone);
    let info = &adapted.info;
    if info.unit_source == UnitSource::Assumed {
        adapted.own_warnings.extend(unit::implausible(info).map(|message| Warning::new("unit_suspect", message)));
    }
    if overrides.up.is_none() && adapted.info.crs.is_none() {
        let unit_m = adapted.info.unit.and_then(Unit::metres);
        // A file whose points cannot be read gives no sample here, and the error when its points are read.
        let sample = || adapted.inner.sample().unwrap_or_default();
        let doubt = axis::doubt(sample, &adapted.info.setups, unit_m);
        adapted.own_warnings.extend(doubt.map(|message| Warning::new("axis_suspect", message)));
    }
    adapted.inner.drop_sample();
    adapted.update_info();
    Ok(Box::new(adapted))
}

struct Adapted {
    inner: Box<dyn PointSource>,
    info: SourceInfo,
    /// Warnings of this wrapper, beside those of the reader.
    own_warnings: Vec<Warning>,
    /// Takes the axis that points up to Z, where it is another one.
    turn: Option<Turn>,
    /// Axes on which whole numbers are negated.
    mirrored: [bool; 3],
    projector: Option<Projector>,
    keeps_wkt: bool,
    /// Points of this pass that could not be projected.
    unprojected: u64,
    /// Warnings about points of this pass, the reader's and this wrapper's.
    warnings: Vec<Warning>,
}

impl Adapted {
    fn warn(&mut self, code: &'static str, message: impl Into<String>) {
        self.own_warnings.push(Warning::new(code, message));
    }

    fn turn_to_z_up(&mut self) {
        let Some(turn) = self.turn else { return };
        let info = &mut self.info;
        info.bounds = turn.bounds(info.bounds);
        info.grid = info.grid.map(|grid| turn.grid(grid));
        let rotation = turn.rotation();
        for setup in &mut info.setups {
            setup.position = turn.position(setup.position);
            setup.rotation = rotation * setup.rotation;
        }
        for image in &mut info.images {
            image.position = image.position.map(|position| turn.position(position));
            image.rotation = image.rotation.map(|own| rotation * own);
        }
        if !turn.keeps_z() && info.vertical_unit.take().is_some() {
            self.warn(
                "unit_vertical_dropped",
                "the file gives a unit of heights for its z axis, which does not point up: that unit is not used",
            );
        }
        self.warn(
            "axis_turned",
            format!("{} is taken as the axis that points up, as requested: x, y, z became {}", turn.up(), turn.name()),
        );
    }

    /// Makes the grid's scales positive. Stored integers of an axis with a negative scale, as a turned axis has, are negated, so that positions stay exact.
    fn make_scales_positive(&mut self) {
        if let Some(grid) = &mut self.info.grid {
            self.mirrored = [0, 1, 2].map(|axis| grid.scale[axis] < 0.0);
            grid.scale = grid.scale.abs();
        }
    }

    /// Turns and negates stored integers to fit the grid; `false` where one of them is [`i32::MIN`], which cannot be negated.
    fn turn_steps(&self, steps: &mut [[i32; 3]]) -> bool {
        for steps in steps {
            if let Some(turn) = self.turn {
                *steps = turn.steps(*steps);
            }
            for (step, _) in steps.iter_mut().zip(self.mirrored).filter(|(_, mirrored)| *mirrored) {
                let Some(negative) = step.checked_neg() else { return false };
                *step = negative;
            }
        }
        true
    }

    fn apply_crs(&mut self, wanted: Option<String>) {
        let Some(wanted) = wanted else { return };
        if let Some(declared) = self.info.crs.as_deref().filter(|declared| *declared != wanted) {
            let message = format!("the file gives {}: {} is used instead, as requested", name(declared), name(&wanted));
            self.warn("crs_overridden", message);
        }
        self.info.crs = Some(wanted);
        self.info.vertical_unit = None;
        self.info.unit = None;
    }

    fn apply_unit(&mut self, overrides: &Override) {
        let of_crs = self.info.crs.as_deref().and_then(unit_of);
        let declared = self.info.unit.or(of_crs);
        (self.info.unit, self.info.unit_source) = match (overrides.unit, declared) {
            (Some(unit), _) => (Some(unit), UnitSource::User),
            (None, Some(unit)) if overrides.crs.is_some() => (Some(unit), UnitSource::User),
            (None, Some(unit)) => (Some(unit), self.info.unit_source_or_file()),
            (None, None) => {
                let what = self.info.crs.as_deref().map_or("no coordinate reference system", name);
                let message = format!("the file gives {what} and no known unit of length: coordinates are taken as metres");
                self.warn("unit_assumed", message);
                (None, UnitSource::Assumed)
            }
        };
        if let (Some(unit), Some(declared)) = (overrides.unit, declared.filter(|declared| overrides.unit != Some(*declared))) {
            self.warn(
                "unit_overridden",
                format!("the file gives the unit {}: coordinates are taken as {}, as requested", declared.name(), unit.name()),
            );
            // Angles cannot be lengths: a user who gives a unit of length means that the system is wrong.
            if declared == Unit::Degree && overrides.crs.is_none() {
                self.info.crs = None;
                self.keeps_wkt = false;
                self.warn(
                    "crs_dropped",
                    "a coordinate reference system of angles cannot be right for coordinates that are lengths: it is not kept",
                );
            }
        }
        let differs =
            overrides.unit.zip(self.info.crs.as_deref()).and_then(|(unit, crs)| Some((crs, unit, unit_of(crs).filter(|&of| of != unit)?)));
        if let Some((crs, unit, of)) = differs {
            let message = format!(
                "{} is in {}, and the coordinates, as requested, are in {}: tiles are placed by the ratio of the two; the points file, whose \
                 coordinates are not converted, gets a local system in the latter unit instead",
                name(crs),
                of.name(),
                unit.name()
            );
            self.keeps_wkt = false;
            self.warn("crs_unit_differs", message);
        }
        let Some(unit) = self.info.unit else { return };
        // A unit that the user gave applies to all axes.
        let vertical = self.info.vertical_unit.take().filter(|&vertical| vertical != unit && unit != Unit::Degree);
        if let Some(vertical) = vertical {
            self.info.vertical_unit = Some(vertical).filter(|vertical| overrides.unit.is_none() && vertical.metres().is_some());
            let done =
                if self.info.vertical_unit.is_some() { "each is read in its own unit" } else { "all axes are read in the latter unit" };
            let message =
                format!("the file gives another unit for heights ({}) than for x and y ({}): {done}", vertical.name(), unit.name());
            self.warn("unit_vertical_differs", message);
        }
        if !matches!(unit, Unit::Metre | Unit::Degree) {
            let length = unit.metres().unwrap_or(1.0);
            let message = format!("coordinates are in {} ({length} m): tiles are in metres; the points file keeps this unit", unit.name());
            self.warn("unit_converted", message);
        }
    }

    /// Projects geographic and geocentric coordinates.
    fn project(&mut self, zone: Option<u16>) {
        let Some(crs) = self.info.crs.clone() else { return };
        let kind = coordinates(&crs);
        let is_asked = kind == Coordinates::Geocentric || (kind == Coordinates::Geographic && self.info.unit == Some(Unit::Degree));
        if !is_asked {
            return;
        }
        let vertical_m =
            self.inner.info().vertical_unit.filter(|_| self.turn.is_none_or(Turn::keeps_z)).and_then(Unit::metres).unwrap_or(1.0);
        let precision = self.precision();
        let projector = match Projector::new(&crs, self.info.bounds, vertical_m, zone, |position| precision.position(position)) {
            Ok(projector) => projector,
            Err(why) => {
                let what = if kind == Coordinates::Geographic { "angles" } else { "lengths from the Earth's centre" };
                self.warn(
                    "crs_does_not_fit",
                    format!("{} is a system of {what}, and the scan cannot be projected with it: {why}", name(&crs)),
                );
                if kind == Coordinates::Geocentric {
                    self.info.crs = None;
                    self.keeps_wkt = false;
                }
                return;
            }
        };
        let info = &mut self.info;
        for setup in &mut info.setups {
            setup.rotation = projector.rotation(setup.position).unwrap_or(DQuat::IDENTITY) * setup.rotation;
            setup.position = projector.project(setup.position).unwrap_or(DVec3::NAN);
        }
        for image in &mut info.images {
            let turn = image.position.and_then(|position| projector.rotation(position)).unwrap_or(DQuat::IDENTITY);
            image.rotation = image.rotation.map(|rotation| turn * rotation);
            image.position = image.position.and_then(|position| projector.project(position));
        }
        info.bounds = projector.bounds(info.bounds);
        info.grid = info.grid.map(|_| Grid { scale: DVec3::splat(PROJECTED_STEP_M), offset: info.bounds.center().floor() });
        (info.unit, info.vertical_unit) = (Some(Unit::Metre), None);
        info.crs = Some(format!("EPSG:{}", projector.code));
        self.keeps_wkt = false;
        let message = format!(
            "coordinates in {} were projected to EPSG:{} (UTM on WGS 84, metres), also in the points file; heights were not changed",
            name(&crs),
            projector.code
        );
        self.projector = Some(projector);
        self.warn("crs_projected", message);
    }

    /// Updates what reading may have changed.
    fn update_info(&mut self) {
        let inner = self.inner.info();
        self.info.points = inner.points;
        self.info.attributes = inner.attributes;
        self.info.warnings = inner.warnings.iter().chain(&self.own_warnings).cloned().collect();
        self.warnings = self.inner.warnings().to_vec();
        if self.unprojected > 0 {
            let message = format!("{} points cannot be projected to the map of the scan: they have no position", self.unprojected);
            self.warnings.push(Warning::new("points_not_projected", message));
        }
    }

    fn transform(&mut self, positions: &mut [DVec3]) {
        if let Some(turn) = self.turn {
            for position in positions.iter_mut() {
                *position = turn.position(*position);
            }
        }
        let Some(projector) = &self.projector else { return };
        let unprojected = positions.par_chunks_mut(BATCH).map(|batch| {
            let mut unprojected = 0;
            for position in batch {
                let is_place = position.is_finite();
                *position = projector.project(*position).unwrap_or(DVec3::NAN);
                unprojected += u64::from(is_place && position.is_nan());
            }
            unprojected
        });
        self.unprojected += unprojected.sum::<u64>();
    }
}

impl PointSource for Adapted {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        let read = self.inner.read_chunk(chunk, max);
        self.transform(&mut chunk.positions);
        self.update_info();
        read
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let read = self.inner.read_records(chunk, wanted, max);
        let is_new = self.turn.is_some() || self.mirrored != [false; 3] || self.projector.is_some();
        if let (true, true, Some(grid)) = (is_new, chunk.positions.is_empty(), self.inner.info().grid) {
            chunk.positions.extend(chunk.steps.iter().map(|&steps| grid.position(steps)));
        }
        // Integers of projected coordinates do not fit the new grid; where one cannot be negated, positions are enough.
        if self.projector.is_some() || !self.turn_steps(&mut chunk.steps) {
            chunk.steps.clear();
        }
        self.transform(&mut chunk.positions);
        self.update_info();
        read
    }

    fn rewind(&mut self) -> Result<()> {
        self.unprojected = 0;
        let done = self.inner.rewind();
        self.update_info();
        done
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn attribute_layout(&self) -> AttributeLayout {
        self.inner.attribute_layout()
    }

    fn wkt(&self) -> Option<&str> {
        self.inner.wkt().filter(|_| self.keeps_wkt)
    }

    fn precision(&self) -> Precision {
        match self.inner.precision() {
            _ if self.projector.is_some() => Precision::Steps(DVec3::splat(PROJECTED_STEP_M)),
            Precision::Steps(steps) => Precision::Steps(self.turn.map_or(steps, |turn| turn.position(steps).abs())),
            float => float,
        }
    }

    fn gps_standard_time(&self) -> bool {
        self.inner.gps_standard_time()
    }

    fn read_image(&mut self, index: usize) -> Result<Vec<u8>> {
        self.inner.read_image(index)
    }
}

impl SourceInfo {
    /// The source of a known unit: the user, else the file.
    fn unit_source_or_file(&self) -> UnitSource {
        if self.unit_source == UnitSource::User { UnitSource::User } else { UnitSource::File }
    }
}

fn unit_of(crs: &str) -> Option<Unit> {
    if coordinates(crs) == Coordinates::Geographic {
        return Some(Unit::Degree);
    }
    match code(crs) {
        Some(code) => parterre_crs::unit_of_epsg(code),
        None => wkt::read(crs).unit,
    }
}

/// A system's name in a message.
fn name(crs: &str) -> &str {
    if crs.starts_with("EPSG") { crs } else { "a coordinate reference system" }
}
