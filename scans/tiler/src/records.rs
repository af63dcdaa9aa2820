//! Records on their way through the stages: coordinates, hashes, compressed blocks in temporary files.

pub(crate) mod blocks;
pub(crate) mod disk_use;
pub(crate) mod hash;
pub(crate) mod steps;
