//! Work that outlives a request. One job a file; [`worker`] claims and runs them, each in a [`process`] of its own. The [`check`] of a file
//! runs in such a process too.

pub mod attempt;
pub mod check;
pub mod child;
pub mod context;
pub mod error;
pub mod heartbeat;
pub mod lease;
pub mod memory_limit;
pub mod process;
pub mod protocol;
pub mod retry;
pub mod signal;
pub mod tile_scan;
pub mod work_folders;
pub mod worker;

pub use self::context::Context;
