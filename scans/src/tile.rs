//! The published form of a scan: 3D Tiles 1.1 in one `.3tz` archive. Reading works everywhere; writing needs `build`.

pub mod archive;
pub mod glb;
pub mod tileset;
