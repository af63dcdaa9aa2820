//! Positions as whole numbers and the cells of the octree.

pub(crate) mod common_grid;
pub(crate) mod cube;
pub(crate) mod morton;
