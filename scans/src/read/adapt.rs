//! What every format's reader gives, brought into the file frame that the person who imports wants: one place for axes,
//! units and coordinate reference systems.
//!
//! In this order: what points up is turned to Z; the unit is the person's, else the CRS' that the person names, else the
//! file's; coordinates in degrees, and those from the Earth's centre, go to the UTM zone (WGS 84) of the scan's middle,
//! point by point. Everything else keeps its coordinates, so that COPC holds what the file held: tiles are in metres
//! by [`crate::geo`]. Each step leaves a warning; doubts about axis and unit are told, never acted upon.
//!
//! Limits: heights stay as they are, as heights above what the file says; the middle is that of the header's bounds, so
//! files of one scan on both sides of a zone's edge go through [`super::open_all`], which takes the first one's zone.

mod axis;
mod turn;
mod unit;

use glam::{DQuat, DVec3};
use rayon::prelude::*;

use self::turn::Turn;
use super::crs::project::{Coordinates, Projector, code, coordinates};
use super::crs::{self, wkt};
use super::wishes::check_crs;
use super::{Grid, Override, PointSource, Precision, RecordChunk, SourceInfo, TailFormat, Wanted, Warning};
use crate::error::Result;
use crate::frame::{Unit, UnitSource};
use crate::points::PointChunk;

/// Step of coordinates that were projected, metres.
const PROJECTED_STEP_M: f64 = 0.0001;
/// Points that one thread projects at a time.
const BATCH: usize = 4096;

/// Wraps a format's reader.
///
/// # Errors
/// `crs_invalid`, and those of reading a sample.
pub(super) fn adapt(inner: Box<dyn PointSource>, wishes: &Override) -> Result<Box<dyn PointSource>> {
    adapt_to(inner, wishes, None)
}

/// As [`adapt`]; what has to be projected goes to the UTM zone of that code.
pub(super) fn adapt_to(mut inner: Box<dyn PointSource>, wishes: &Override, zone: Option<u16>) -> Result<Box<dyn PointSource>> {
    let wanted_crs = wishes.crs.as_deref().map(check_crs).transpose()?;
    let sample = inner.sample()?;
    let mut adapted = Adapted {
        info: inner.info().clone(),
        inner,
        own: Vec::new(),
        turn: wishes.up.and_then(Turn::of),
        mirrored: [false; 3],
        projector: None,
        keeps_wkt: wanted_crs.is_none(),
        lost: 0,
        warnings: Vec::new(),
    };
    adapted.turn();
    adapted.count_upwards();
    adapted.name_crs(wanted_crs);
    adapted.name_unit(wishes);
    adapted.project(zone);
    let info = &adapted.info;
    if info.unit_source == UnitSource::Assumed {
        adapted.own.extend(unit::doubt(info).map(|message| Warning { code: "unit_suspect", message }));
    }
    if wishes.up.is_none() && adapted.info.crs.is_none() {
        let unit_m = adapted.info.unit.and_then(Unit::metres);
        let doubt = axis::doubt(&sample, &adapted.info.setups, unit_m);
        adapted.own.extend(doubt.map(|message| Warning { code: "axis_suspect", message }));
    }
    adapted.collect();
    Ok(Box::new(adapted))
}

struct Adapted {
    inner: Box<dyn PointSource>,
    info: SourceInfo,
    /// Of this layer, beside what the reader says.
    own: Vec<Warning>,
    /// Takes the axis that points up to Z, where it is another one.
    turn: Option<Turn>,
    /// Axes on which whole numbers are negated.
    mirrored: [bool; 3],
    projector: Option<Projector>,
    keeps_wkt: bool,
    /// Points of this pass that have no place on the map.
    lost: u64,
    /// The reader's own of this pass, and this layer's.
    warnings: Vec<Warning>,
}

impl Adapted {
    fn warn(&mut self, code: &'static str, message: impl Into<String>) {
        self.own.push(Warning { code, message: message.into() });
    }

    fn turn(&mut self) {
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
            self.warn("unit_vertical_dropped", "the file names a unit of heights for its z axis, which does not point up: it is not used");
        }
        self.warn("axis_turned", format!("{} is taken as pointing up, as wished: x, y, z became {}", turn.up(), turn.name()));
    }

    /// Makes the grid's scales positive: what counts downwards, as a turned axis does, has its whole numbers negated, and stays exact.
    fn count_upwards(&mut self) {
        if let Some(grid) = &mut self.info.grid {
            self.mirrored = [0, 1, 2].map(|axis| grid.scale[axis] < 0.0);
            grid.scale = grid.scale.abs();
        }
    }

    /// Brings whole numbers into the grid; `false` where one has no negative.
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

    fn name_crs(&mut self, wanted: Option<String>) {
        let Some(wanted) = wanted else { return };
        if let Some(said) = self.info.crs.as_deref().filter(|said| *said != wanted) {
            let message = format!("the file names {}: {} was named instead", name(said), name(&wanted));
            self.warn("crs_overridden", message);
        }
        self.info.crs = Some(wanted);
        self.info.vertical_unit = None;
        self.info.unit = None;
    }

    fn name_unit(&mut self, wishes: &Override) {
        let of_crs = self.info.crs.as_deref().and_then(unit_of);
        let said = self.info.unit.or(of_crs);
        (self.info.unit, self.info.unit_source) = match (wishes.unit, said) {
            (Some(unit), _) => (Some(unit), UnitSource::User),
            (None, Some(unit)) if wishes.crs.is_some() => (Some(unit), UnitSource::User),
            (None, Some(unit)) => (Some(unit), self.info.unit_source_or_file()),
            (None, None) => {
                let what = self.info.crs.as_deref().map_or("no coordinate reference system", name);
                let message = format!("the file names {what} and no known unit of length: coordinates are taken as metres");
                self.warn("unit_assumed", message);
                (None, UnitSource::Assumed)
            }
        };
        if let (Some(unit), Some(said)) = (wishes.unit, said.filter(|said| wishes.unit != Some(*said))) {
            self.warn(
                "unit_overridden",
                format!("the unit is said to be {}: coordinates are taken as {}, as wished", said.name(), unit.name()),
            );
            // Angles cannot be lengths: whoever names a length says that the system is wrong.
            if said == Unit::Degree && wishes.crs.is_none() {
                self.info.crs = None;
                self.keeps_wkt = false;
                self.warn("crs_dropped", "a system of angles does not hold for coordinates that are lengths: it is not kept");
            }
        }
        let differs =
            wishes.unit.zip(self.info.crs.as_deref()).and_then(|(unit, crs)| Some((crs, unit, unit_of(crs).filter(|&of| of != unit)?)));
        if let Some((crs, unit, of)) = differs {
            let message = format!(
                "{} counts in {} and the coordinates, as wished, in {}: tiles take it by the ratio of the two; the points file, whose \
                 numbers stay, names a local system in the latter instead",
                name(crs),
                of.name(),
                unit.name()
            );
            self.keeps_wkt = false;
            self.warn("crs_unit_differs", message);
        }
        let Some(unit) = self.info.unit else { return };
        // A unit that a person named holds for all axes.
        let vertical = self.info.vertical_unit.take().filter(|&vertical| vertical != unit && unit != Unit::Degree);
        if let Some(vertical) = vertical {
            self.info.vertical_unit = Some(vertical).filter(|vertical| wishes.unit.is_none() && vertical.metres().is_some());
            let done = if self.info.vertical_unit.is_some() { "each is read in its own" } else { "all axes are read in the latter" };
            let message = format!("heights are said to be in another unit ({}) than x and y ({}): {done}", vertical.name(), unit.name());
            self.warn("unit_vertical_differs", message);
        }
        if !matches!(unit, Unit::Metre | Unit::Degree) {
            let length = unit.metres().unwrap_or(1.0);
            let message = format!("coordinates are in {} ({length} m): tiles are in metres, the points file keeps the unit", unit.name());
            self.warn("unit_converted", message);
        }
    }

    /// Takes what is no map to one.
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
                self.warn("crs_does_not_fit", format!("{} is a system of {what}, and the scan cannot be projected: {why}", name(&crs)));
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
            "coordinates in {} were projected to EPSG:{} (UTM on WGS 84, metres), in which the points file is, too; heights are as they were",
            name(&crs),
            projector.code
        );
        self.projector = Some(projector);
        self.warn("crs_projected", message);
    }

    /// Brings up to date what reading may have changed.
    fn collect(&mut self) {
        let inner = self.inner.info();
        self.info.points = inner.points;
        self.info.attributes = inner.attributes;
        self.info.warnings = inner.warnings.iter().chain(&self.own).cloned().collect();
        self.warnings = self.inner.warnings().to_vec();
        if self.lost > 0 {
            let message = format!("{} points have no place on the map that the scan was projected to", self.lost);
            self.warnings.push(Warning { code: "points_not_projected", message });
        }
    }

    fn place(&mut self, positions: &mut [DVec3]) {
        if let Some(turn) = self.turn {
            for position in positions.iter_mut() {
                *position = turn.position(*position);
            }
        }
        let Some(projector) = &self.projector else { return };
        let lost = positions.par_chunks_mut(BATCH).map(|batch| {
            let mut lost = 0;
            for position in batch {
                let is_place = position.is_finite();
                *position = projector.project(*position).unwrap_or(DVec3::NAN);
                lost += u64::from(is_place && position.is_nan());
            }
            lost
        });
        self.lost += lost.sum::<u64>();
    }
}

impl PointSource for Adapted {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        let read = self.inner.read_chunk(chunk, max);
        self.place(&mut chunk.positions);
        self.collect();
        read
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let read = self.inner.read_records(chunk, wanted, max);
        let is_new = self.turn.is_some() || self.mirrored != [false; 3] || self.projector.is_some();
        if let (true, true, Some(grid)) = (is_new, chunk.positions.is_empty(), self.inner.info().grid) {
            chunk.positions.extend(chunk.steps.iter().map(|&steps| grid.position(steps)));
        }
        // Those of angles say nothing of the map; where one cannot be negated the positions say it all.
        if self.projector.is_some() || !self.turn_steps(&mut chunk.steps) {
            chunk.steps.clear();
        }
        self.place(&mut chunk.positions);
        self.collect();
        read
    }

    fn rewind(&mut self) -> Result<()> {
        self.lost = 0;
        let done = self.inner.rewind();
        self.collect();
        done
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn tail_format(&self) -> TailFormat {
        self.inner.tail_format()
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
    /// A unit that is known comes from the file at least.
    fn unit_source_or_file(&self) -> UnitSource {
        if self.unit_source == UnitSource::User { UnitSource::User } else { UnitSource::File }
    }
}

fn unit_of(crs: &str) -> Option<Unit> {
    if coordinates(crs) == Coordinates::Geographic {
        return Some(Unit::Degree);
    }
    match code(crs) {
        Some(code) => crs::unit_of_epsg(code.into()),
        None => wkt::read(crs).unit,
    }
}

/// How a system is called in a sentence.
fn name(crs: &str) -> &str {
    if crs.starts_with("EPSG") { crs } else { "a coordinate reference system" }
}
