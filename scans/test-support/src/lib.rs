//! What tests of several crates share.

pub mod codes;
pub mod counting;
pub mod e57_files;
