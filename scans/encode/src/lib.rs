//! Writing the published forms of a scan: tiles as binary glTF, the `.3tz` archive, and COPC with its hierarchy.
//!
//! Apart from `parterre-tile`, because it needs a C++ compiler and the LAZ codec, which a browser has no use for.

pub mod archive;
pub mod copc;
pub mod glb;
