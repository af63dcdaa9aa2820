//! What a 3D scan of a venue is: how it is read, cut into tiles and chosen from.
//!
//! The crate knows no user interface, web framework or database. Without the feature `build` it holds what a viewer
//! needs (frames, tiles, level of detail) and compiles to WebAssembly; with it, also the readers, the tiler, the demo
//! venue and the pictures.

pub mod catalog;
pub mod error;
pub mod frame;
pub mod lod;
pub mod points;
pub mod tile;

#[cfg(feature = "build")]
pub mod geo;
#[cfg(feature = "build")]
pub mod raster;
#[cfg(feature = "build")]
pub mod read;
#[cfg(feature = "build")]
pub mod tiler;
#[cfg(feature = "build")]
pub mod venue;

pub use crate::error::{Error, ErrorKind, Result};
