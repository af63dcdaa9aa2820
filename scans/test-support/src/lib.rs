//! What tests of several crates share.

pub mod codes;
pub mod counting;
pub mod data;
pub mod e57_files;
pub mod las_files;
pub mod points;
