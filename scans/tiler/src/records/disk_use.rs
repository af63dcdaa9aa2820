//! How many bytes the temporary files take.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of temporary files; counted on any thread.
#[derive(Default)]
pub(crate) struct DiskUse {
    now: AtomicU64,
    most: AtomicU64,
}

impl DiskUse {
    pub(crate) fn add(&self, bytes: u64) {
        let now = self.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    pub(crate) fn remove(&self, bytes: u64) {
        self.now.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Starts again from an empty folder; the largest value so far is kept.
    pub(crate) fn clear(&self) {
        self.now.store(0, Ordering::Relaxed);
    }

    /// The largest number of bytes at any time.
    pub(crate) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}
