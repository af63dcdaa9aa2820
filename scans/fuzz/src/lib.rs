//! Conditions that must hold for any input: one function for each kind of input, which panics where they do not hold.
//!
//! An input may be refused with an error. A panic, an internal error, or too much memory or time is a fault. The programs in `fuzz_targets`
//! call these functions with the inputs of libFuzzer; the test `fuzz_regressions` of `parterre-tiler` calls them with
//! inputs that once showed a fault.

mod archive;
mod common;
mod crs;
mod glb;
mod packed;
mod scan;
mod tiler;
mod tileset;

pub use archive::archive;
pub use common::decode_on_this_thread;
pub use crs::crs;
pub use glb::glb;
pub use packed::packed;
pub use scan::{e57, scan};
pub use tiler::tiler;
pub use tileset::tileset;
