//! The coordinate reference system that a file declares: a name and the units of its axes.
//!
//! Nothing is transformed here. WKT gives a code by the `AUTHORITY` or `ID` of the outermost system that has one: of a
//! compound system without a code of its own, the code of its horizontal part is used. `GeoTIFF` keys give the code of the projected,
//! else of the geographic system. Where a code is known but no unit is written, [`crate::unit_of_epsg`] is asked.

use parterre_model::Warning;
use parterre_model::frame::Unit;

/// A declared system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crs {
    /// `EPSG:n`, else the WKT, else nothing.
    pub name: Option<String>,
    /// Unit of x and y.
    pub unit: Option<Unit>,
    /// Unit of z, where one is named apart.
    pub vertical_unit: Option<Unit>,
    /// Warnings about it.
    pub warnings: Vec<Warning>,
}

impl Crs {
    /// Whether neither a system nor a unit was found.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.unit.is_none()
    }

    pub(crate) fn warn(&mut self, code: &'static str, message: impl Into<String>) {
        self.warnings.push(Warning::new(code, message));
    }
}
