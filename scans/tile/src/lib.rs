//! The published format of a scan that viewers read: 3D Tiles 1.1 in one `.3tz` archive. Contains reading, and what reading and
//! writing share.
//!
//! Needs neither files nor threads nor a C++ compiler, so that it runs in a browser; writing is in `parterre-encode`.

pub mod archive;
pub mod glb;
pub mod id;
pub mod tileset;
