//! The memory that the system grants to the process of a task.
//!
//! The tiler plans with `--memory` and is trusted to stay near it; a decoder that believes a broken file is not. So the process
//! sets `RLIMIT_DATA` for itself before it reads anything: the system then refuses memory beyond the limit, and the process ends with
//! `out_of_memory` instead of taking the machine's memory.
//!
//! `RLIMIT_DATA` counts what the process may write to and nobody else sees: heap, anonymous mappings, thread stacks. `RLIMIT_AS` would
//! count addresses too that take no memory: the program itself, files mapped for reading, and 64 MiB of addresses that malloc reserves for
//! each thread; a limit on it would have to grow with the number of cores and would say little about memory.
//!
//! `RLIMIT_DATA` does not count the stack of the main thread, so the process limits that too (`RLIMIT_STACK`): where the system sets no limit,
//! a decoder that calls itself without end would take all memory.

use std::io;

use crate::config::WorkerConfig;

/// Added for the program's own data, libraries and pipes.
const OWN_BYTES: u64 = 64 << 20;
/// Below this budget the tiler takes more than it is given.
const LEAST_BUDGET_BYTES: u64 = parterre_tiler::LEAST_MEMORY_BYTES;
/// Added for each core: two threads with a stack of 2 MiB each, and what malloc keeps for them (64 KiB to 4 MiB were seen).
const BYTES_A_CORE: u64 = 8 << 20;

/// The limit in bytes for the processes of a service with these settings, on this machine.
pub fn of_config(config: &WorkerConfig) -> u64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    config.memory_limit_bytes.unwrap_or_else(|| limit_bytes(config.memory_bytes, cores))
}

/// The limit in bytes for a process that plans with `memory_bytes` on so many cores.
///
/// One and a half times the budget: memory that was freed and is kept by malloc counts until it is returned. To that come 64 MiB for the program
/// itself and 8 MiB for the threads of each core.
pub fn limit_bytes(memory_bytes: u64, cores: usize) -> u64 {
    let budget = memory_bytes.max(LEAST_BUDGET_BYTES);
    budget.saturating_add(budget / 2).saturating_add(OWN_BYTES).saturating_add(BYTES_A_CORE.saturating_mul(cores as u64))
}

/// Stack of the main thread: what Linux gives a program by default.
#[cfg(target_os = "linux")]
const STACK_BYTES: u64 = 8 << 20;

/// Limits the memory of this process. Where the system has no such limit, nothing happens.
///
/// # Errors
/// The system's refusal.
#[cfg(target_os = "linux")]
pub fn apply(limit_bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let lower = |resource: Resource, bytes: u64| {
        let Rlimit { maximum, .. } = getrlimit(resource);
        let current = maximum.map_or(bytes, |maximum| maximum.min(bytes));
        setrlimit(resource, Rlimit { current: Some(current), maximum })
    };
    let stack = getrlimit(Resource::Stack).current;
    lower(Resource::Stack, stack.map_or(STACK_BYTES, |bytes| bytes.min(STACK_BYTES)))?;
    Ok(lower(Resource::Data, limit_bytes)?)
}

/// Limits the memory of this process. Where the system has no such limit, nothing happens.
///
/// # Errors
/// None: other systems do not enforce one.
#[cfg(not(target_os = "linux"))]
pub fn apply(_limit_bytes: u64) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_leaves_room_above_every_budget() {
        assert_eq!(limit_bytes(512 << 20, 2), (768 + 64 + 16) << 20);
        assert_eq!(limit_bytes(64 << 20, 2), limit_bytes(128 << 20, 2));
        assert_eq!(limit_bytes(u64::MAX, 64), u64::MAX);
    }
}
