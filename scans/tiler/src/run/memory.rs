//! How the memory limit is divided.
//!
//! [`OWN_BYTES`] are for the process, its threads and the readers; of the rest, half is for building chunks, a quarter for the buffers of records on
//! their way into chunk files and an eighth for the tables of grid cells. These stages do not overlap with the pictures, which may take the limit
//! less [`KEPT_BYTES`]. Found by reading the resident memory once a second during runs (`/proc/PID/status`) and checked by the peak that
//! `/usr/bin/time -v` prints for `cargo run --release -p parterre-tiler --example tile -- DIR MIB both FILE`.

use crate::build::builder::LARGEST_LEAF;

/// Bytes that the process takes before there is a point.
const OWN_BYTES: u64 = 64 << 20;
/// Tiles get no smaller for less memory than this.
const LEAST_BYTES: u64 = 128 << 20;
/// Bytes that the process still has when the pictures begin: itself, the list of nodes, and freed memory that the allocator has not given back. Measured on
/// a scan of 18 million points and a limit of 200 MiB: 110 MiB.
const KEPT_BYTES: u64 = 112 << 20;
/// Points that a chunk may have, whatever the memory.
const MAX_CHUNK_POINTS: u64 = 2_000_000;
/// Chunks for each core at least, so that all cores are busy until the end.
const CHUNKS_PER_CORE: u64 = 8;

/// The memory of a run and the threads that share it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryPlan {
    /// The limit.
    limit: u64,
    workers: usize,
}

impl MemoryPlan {
    pub(crate) fn new(limit: u64, workers: usize) -> Self {
        Self { limit, workers }
    }

    /// Bytes for points and what is made of them.
    fn points_bytes(&self) -> u64 {
        self.limit.saturating_sub(OWN_BYTES).max(self.limit / 4)
    }

    /// Points wanted in a tile, with records of `stride` bytes: as many as asked for, unless a chunk of a few leaves would take too much memory.
    pub(crate) fn tile_points(&self, wanted: usize, stride: usize) -> usize {
        let memory = self.points_bytes().max(LEAST_BYTES - OWN_BYTES);
        let affordable = memory / 2 / Self::build_bytes(stride) / (2 * LARGEST_LEAF as u64);
        wanted.min(affordable as usize).clamp(16, 1 << 20)
    }

    /// Bytes that building a chunk takes for each of its points: records as they come and sorted, keys and codes, contents; normals (2), and what they
    /// are estimated with, for the points of at most half a chunk (20 for each of its own, 90 for each cell of at least four points).
    fn build_bytes(stride: usize) -> u64 {
        2 * stride as u64 + 40 + 24
    }

    /// Points that a chunk may have, in a scan of `points` points.
    pub(crate) fn chunk_points(&self, tile_points: usize, stride: usize, points: u64) -> u64 {
        let least = 2 * (LARGEST_LEAF * tile_points) as u64;
        let affordable = self.points_bytes() / 2 / Self::build_bytes(stride) / self.workers as u64;
        affordable.min(MAX_CHUNK_POINTS).min(points / (CHUNKS_PER_CORE * self.workers as u64)).max(least)
    }

    /// Chunks that are built at a time.
    pub(crate) fn builders(&self, tile_points: usize, stride: usize) -> usize {
        let least = 2 * (LARGEST_LEAF * tile_points) as u64 * Self::build_bytes(stride);
        (self.points_bytes() / 2 / least).clamp(1, self.workers as u64) as usize
    }

    /// Bytes for the buffers of records on their way into chunk files.
    pub(crate) fn buffer_bytes(&self) -> u64 {
        self.points_bytes() / 4
    }

    /// Bytes for the grid cells' table of each builder.
    pub(crate) fn table_bytes(&self, builders: usize) -> u64 {
        self.points_bytes() / 8 / builders as u64
    }

    /// Bytes for pictures: what is left beside the memory that the allocator keeps from the stages before.
    pub(crate) fn picture_bytes(&self) -> u64 {
        self.limit.saturating_sub(KEPT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn chunks_fit_the_memory_whatever_is_asked_for() {
        for limit in [128_u64 << 20, 512 << 20, 4 << 30] {
            for wanted in [16, 50_000, 1_000_000, usize::MAX] {
                for stride in [30, 38, 150, 1062] {
                    for workers in [1, 2, 16] {
                        let plan = MemoryPlan::new(limit, workers);
                        let tile_points = plan.tile_points(wanted, stride);
                        let points = plan.chunk_points(tile_points, stride, 10_000_000_000);
                        let bytes = points * MemoryPlan::build_bytes(stride) * plan.builders(tile_points, stride) as u64;
                        assert!(bytes <= limit / 2, "{bytes} of {limit}: {tile_points} {stride}");
                        assert!(tile_points >= 1000.min(wanted));
                    }
                }
            }
        }
        let default = Options::default();
        assert_eq!(MemoryPlan::new(default.memory_bytes, 2).tile_points(default.tile_points, 62), default.tile_points);
    }
}
