//! Coordinate reference systems: declarations in files, units of length, projection, and positions on the Earth.
//!
//! - [`declared`]: a system's name and units as a file states them, from [`wkt`] or [`geokeys`].
//! - [`epsg`]: codes of the EPSG list.
//! - [`project`]: projection of geographic and geocentric coordinates to a UTM zone.
//! - [`Placement`]: transformation from a file's coordinates to the tile frame, and to the Earth.

pub mod declared;
mod definition;
pub mod epsg;
mod epsg_unit;
pub mod geokeys;
mod placement;
pub mod project;
pub mod unit;
pub mod wkt;

pub use definition::unit_of as unit_of_crs;
pub use epsg_unit::unit_of_epsg;
pub use placement::Placement;
