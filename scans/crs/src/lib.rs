//! Coordinate reference systems: what a file says of its own, units of length, and places on the Earth.
//!
//! - [`declared`]: a system's name and units as a file states them, from [`wkt`] or [`geokeys`].
//! - [`project`]: coordinates in degrees, and those from the Earth's centre, to a UTM zone.
//! - [`Placement`]: from a file's coordinates to the tiles' frame, and to the Earth.

pub mod declared;
mod definition;
pub mod epsg;
pub mod geokeys;
mod placement;
pub mod project;
pub mod unit;
pub mod wkt;

pub use definition::unit_of as unit_of_crs;
pub use placement::Placement;
