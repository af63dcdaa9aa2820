//! The floor under a position, found in the points that are in memory.

pub mod floor;
pub mod tile_points;
