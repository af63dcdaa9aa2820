//! The floor under a position, found in the points that are in memory; the roof above, and the largest floor.

pub mod columns;
pub mod floor;
pub mod tile_points;
