//! From a file's coordinates to the tiles' frame, and to the Earth.
//!
//! A scan whose coordinate reference system says where on the Earth it lies is **georeferenced**: every point is transformed from
//! the projection to the Earth and to a frame in metres that points east, north and up at the scan's middle, because a
//! projection has another scale and rotation (UTM alone differs by 0.2 m over 500 m). The root tile's matrix puts that frame on the Earth. Any
//! other scan keeps its own axes, in metres, and its root tile has only a translation.
//!
//! Limits. Heights are used as heights above the ellipsoid: there is no model of the geoid here, and a scan whose heights
//! are above sea level is up to 100 m too high or too low on the globe. Shifts between datums have seven parameters at most.
//! Warnings report both. Geographic systems, whose coordinates are angles, have to be projected before.

mod earth;
mod patch;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use glam::{DMat3, DQuat, DVec3};

use self::earth::Earth;
use self::patch::{EDGE_M, Patch};
use crate::definition::{Definition, Found, find};
use parterre_model::frame::{Frame, check_unit};
use parterre_model::points::Bounds;
use parterre_model::{Result, Warning};

/// Cells from the origin, on each side, that are approximated: farther than a scan can reach.
const REACH_CELLS: f64 = 128.0;
/// Radius of the Earth, approximately.
const EARTH_RADIUS_M: f64 = 6.4e6;
/// Cells that one call keeps without a look-up in the shared table.
const MAX_RECENT: usize = 8;

/// Transformation from the file frame to the tile frame. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Placement {
    frame: Frame,
    /// Length of the unit of each axis, in metres.
    metres: DVec3,
    earth: Option<Arc<Table>>,
    warnings: Vec<Warning>,
}

impl Placement {
    /// The placement of a scan whose points lie around `middle`, in the file frame. `frame` says unit and CRS; its origin, on
    /// whole metres of the scan frame, and its matrix are set here.
    ///
    /// # Errors
    /// `unit_degrees`.
    pub fn new(frame: &Frame, middle: DVec3) -> Result<Self> {
        check_unit(frame.unit)?;
        let metres = frame.scan_from_file(DVec3::ONE);
        Self::restore(&Frame { origin_m: (middle * metres).floor(), ..frame.clone() })
    }

    /// The placement with the origin that `frame` has, as [`Placement::new`] once made it.
    ///
    /// # Errors
    /// `unit_degrees`.
    pub fn restore(frame: &Frame) -> Result<Self> {
        check_unit(frame.unit)?;
        check_unit(frame.vertical_unit.unwrap_or(frame.unit))?;
        let metres = frame.scan_from_file(DVec3::ONE);
        let mut warnings = Vec::new();
        let earth = frame.crs.as_deref().and_then(|crs| georeferenced(crs, frame.origin_m, &mut warnings));
        let frame = Frame { ecef_from_tile: earth.as_ref().map(Earth::matrix), ..frame.clone() };
        let earth = earth.map(|earth| Arc::new(Table { origin_m: frame.origin_m, earth, cells: RwLock::default() }));
        Ok(Self { frame, metres, earth, warnings })
    }

    /// Replaces positions of the file frame by those of the tile frame, in metres. NaN stays NaN.
    ///
    /// The result for a point depends on nothing but the point: not on its neighbours, nor on the thread.
    pub fn tile_from_file(&self, positions: &mut [DVec3]) {
        let Some(table) = &self.earth else {
            for position in positions {
                *position = *position * self.metres - self.frame.origin_m;
            }
            return;
        };
        let mut recent = RecentCells { table, cells: Vec::new(), next: 0 };
        for position in positions {
            *position = recent.tile(*position * self.metres);
        }
    }

    /// A box of the scan frame that contains a box of the file frame. For a georeferenced scan, whose frame is
    /// rotated against the file's, it is larger than the points need.
    pub fn scan_bounds(&self, file: Bounds) -> Bounds {
        let at = |share: DVec3| file.min + file.size() * share;
        if self.earth.is_none() {
            return Bounds { min: file.min * self.metres, max: file.max * self.metres };
        }
        let steps = [0.0, 0.25, 0.5, 0.75, 1.0];
        let mut places: Vec<DVec3> = Vec::new();
        for x in steps {
            for y in steps {
                places.extend([at(DVec3::new(x, y, 0.0)), at(DVec3::new(x, y, 1.0))]);
            }
        }
        self.tile_from_file(&mut places);
        let mut bounds = Bounds::EMPTY;
        for place in places {
            bounds.include(self.frame.scan_from_tile(place));
        }
        // Between these points the Earth deviates from the chord by at most this.
        let chord_m = bounds.size().max_element() / 4.0;
        let bend_m = DVec3::splat(chord_m * chord_m / EARTH_RADIUS_M);
        Bounds { min: bounds.min - bend_m, max: bounds.max + bend_m }
    }

    /// Rotation from the file's axes to the tile frame at a position of the file frame.
    pub fn rotation_at(&self, file: DVec3) -> DQuat {
        let axes = self.earth.as_ref().and_then(|table| table.earth.axes(file * self.metres));
        axes.map_or(DQuat::IDENTITY, |[x, _, z]| {
            let up = z.normalize();
            let east = x.reject_from_normalized(up).normalize();
            DQuat::from_mat3(&DMat3::from_cols(east, up.cross(east), up))
        })
    }

    /// Where the scan lies, with the origin and, where it is georeferenced, the matrix to the Earth.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Problems with the scan's position on the Earth: `crs_unknown`, `crs_out_of_area`, `datum_shift_not_applied`,
    /// `vertical_datum_not_applied`.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Column-major matrix of the root tile: to the Earth where the scan is georeferenced, else to the scan frame.
    pub fn root_transform(&self) -> [f64; 16] {
        let DVec3 { x, y, z } = self.frame.origin_m;
        self.frame.ecef_from_tile.unwrap_or([1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, x, y, z, 1.0])
    }
}

/// End of the messages about scans that cannot be georeferenced.
const LOCAL: &str = "the scan has no position on the Earth and keeps its own coordinates, in metres";

/// The frame on the Earth at `origin_m`, in metres of the system; `None`, with a warning, where the scan cannot be georeferenced.
fn georeferenced(crs: &str, origin_m: DVec3, warnings: &mut Vec<Warning>) -> Option<Earth> {
    let mut warn = |code: &'static str, message: String| warnings.push(Warning::new(code, message));
    let definition = match find(crs) {
        Found::Projected(definition) => definition,
        Found::Local => return None,
        Found::Unknown(why) => {
            warn("crs_unknown", format!("the coordinate reference system cannot be used, {why}: {LOCAL}"));
            return None;
        }
    };
    let earth = match Earth::new(&definition, origin_m) {
        Ok(earth) => earth,
        Err(why) => {
            warn("crs_out_of_area", format!("the coordinates of the scan do not fit its coordinate reference system, {why}: {LOCAL}"));
            return None;
        }
    };
    warnings.extend(uncertainties(&definition, &earth));
    Some(earth)
}

/// Warnings about the accuracy of a position on the Earth.
fn uncertainties(definition: &Definition, earth: &Earth) -> Vec<Warning> {
    let mut warnings = definition.warnings.clone();
    let (a, b) = earth.ellipsoid();
    let is_wgs84 = (a - 6_378_137.0).abs() < 0.01 && (b - 6_356_752.314).abs() < 0.01;
    if definition.shift_unknown && !is_wgs84 {
        let message =
            "the shift of the datum to WGS 84 is not known: the position of the scan on the Earth may be wrong by some hundred metres";
        warnings.push(Warning::new("datum_shift_not_applied", message));
    }
    if !definition.ellipsoidal_heights {
        let message = "heights were used as heights above the ellipsoid: if they are above sea level, the scan is too high or too low on the \
                       Earth by the height of the geoid there, up to 100 m";
        warnings.push(Warning::new("vertical_datum_not_applied", message));
    }
    warnings
}

/// A cell of the ground: from the origin, in edges.
type Cell = [i32; 2];

/// The exact transformation, and approximations of the cells used so far. A cell of `None` needs the exact transformation.
#[derive(Debug)]
struct Table {
    /// Middle of the first cell.
    origin_m: DVec3,
    earth: Earth,
    cells: RwLock<HashMap<Cell, Option<Arc<Patch>>>>,
}

impl Table {
    /// The cell that contains a position; `None` beyond the reach of the table.
    #[inline]
    fn cell(&self, position_m: DVec3) -> Option<Cell> {
        let x = ((position_m.x - self.origin_m.x) * (1.0 / EDGE_M)).round();
        let y = ((position_m.y - self.origin_m.y) * (1.0 / EDGE_M)).round();
        (x.abs() <= REACH_CELLS && y.abs() <= REACH_CELLS).then_some([x as i32, y as i32])
    }

    fn patch(&self, cell: Cell) -> Option<Arc<Patch>> {
        let known = self.cells.read().unwrap_or_else(PoisonError::into_inner).get(&cell).cloned();
        known.unwrap_or_else(|| {
            let middle = self.origin_m + DVec3::new(f64::from(cell[0]), f64::from(cell[1]), 0.0) * EDGE_M;
            let patch = Patch::new(&self.earth, middle).map(Arc::new);
            self.cells.write().unwrap_or_else(PoisonError::into_inner).entry(cell).or_insert(patch).clone()
        })
    }

    /// The exact transformation. Positions that the system cannot transform, which are far from the scan, are only translated.
    #[cold]
    fn exact(&self, position_m: DVec3) -> DVec3 {
        if !position_m.is_finite() {
            return position_m;
        }
        self.earth.tile(position_m).unwrap_or(position_m - self.origin_m)
    }
}

/// The cells that one call used last.
struct RecentCells<'a> {
    table: &'a Table,
    cells: Vec<(Cell, Option<Arc<Patch>>)>,
    /// The next to be replaced.
    next: usize,
}

impl RecentCells<'_> {
    #[inline]
    fn tile(&mut self, position_m: DVec3) -> DVec3 {
        let Some(cell) = self.table.cell(position_m) else { return self.table.exact(position_m) };
        let index = match self.cells.iter().position(|(known, _)| *known == cell) {
            Some(index) => index,
            None => self.fetch(cell),
        };
        match &self.cells[index].1 {
            Some(patch) => patch.tile(position_m),
            None => self.table.exact(position_m),
        }
    }

    #[cold]
    fn fetch(&mut self, cell: Cell) -> usize {
        let entry = (cell, self.table.patch(cell));
        if self.cells.len() < MAX_RECENT {
            self.cells.push(entry);
            return self.cells.len() - 1;
        }
        let index = self.next;
        self.next = (index + 1) % MAX_RECENT;
        self.cells[index] = entry;
        index
    }
}
