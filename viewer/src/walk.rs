//! Where one can stand: the floor under a place, found in the points that are in memory.

pub mod columns;
pub mod floor;
