//! From a file's coordinates to the tiles' frame, and to the Earth.

use glam::DVec3;

use crate::error::Result;
use crate::frame::{Frame, check_unit};

/// How positions of the file frame become positions of the tile frame.
#[derive(Clone, Debug)]
pub struct Placement {
    frame: Frame,
    /// Metres in a unit of each axis.
    metres: DVec3,
}

impl Placement {
    /// The placement of a scan whose points lie around `middle`, in the file frame. `frame` says unit and CRS; its origin and
    /// its matrix are set here.
    ///
    /// # Errors
    /// `unit_degrees`.
    pub fn new(frame: &Frame, middle: DVec3) -> Result<Self> {
        check_unit(frame.unit)?;
        check_unit(frame.vertical_unit.unwrap_or(frame.unit))?;
        let metres = frame.scan_from_file(DVec3::ONE);
        // On whole metres.
        let origin_m = (middle * metres).floor();
        Ok(Self { frame: Frame { origin_m, ..frame.clone() }, metres })
    }

    /// Replaces positions of the file frame by those of the tile frame, in metres.
    pub fn tile_from_file(&self, positions: &mut [DVec3]) {
        for position in positions {
            *position = *position * self.metres - self.frame.origin_m;
        }
    }

    /// Where the scan lies, with the origin and, where it is georeferenced, the matrix to the Earth.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Column-major matrix of the root tile: to the Earth where the scan is georeferenced, else to the scan frame.
    pub fn root_transform(&self) -> [f64; 16] {
        let DVec3 { x, y, z } = self.frame.origin_m;
        self.frame.ecef_from_tile.unwrap_or([1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, x, y, z, 1.0])
    }
}
