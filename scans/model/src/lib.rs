//! What the crates of Parterre share: points and records, frames, errors and warnings, the catalogue's types, and what makes a room.
//!
//! Nothing here reads or writes files, starts threads or knows a file format.

pub mod catalog;
pub mod eigen;
pub mod error;
pub mod frame;
pub mod panics;
pub mod points;
pub mod record;
pub mod rooms;
pub mod setup;
mod warning;

pub use error::{Error, ErrorKind, Result};
pub use warning::Warning;
