//! The option that limits the memory of tiling.

use clap::Args;

use super::failure::Failure;

/// Memory for tiling.
#[derive(Clone, Debug, Args)]
pub(super) struct MemoryArgs {
    /// Memory that tiling may use, in MiB; at least 192.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    memory: u64,
}

impl MemoryArgs {
    /// The limit in bytes.
    ///
    /// # Errors
    /// `memory_too_small`, a usage error, for less than a run can keep to.
    pub(super) fn bytes(&self) -> Result<u64, Failure> {
        let bytes = self.memory << 20;
        parterre_tiler::check_memory(bytes).map_err(|error| Failure::new(2, error.code(), error.to_string(), error.hint()))?;
        Ok(bytes)
    }
}
