//! The published forms of a scan: 3D Tiles 1.1 in one `.3tz` archive, and COPC. Reading tiles works everywhere; writing
//! needs `build`.

pub mod archive;
#[cfg(feature = "build")]
pub mod copc;
pub mod glb;
pub mod id;
pub mod tileset;
