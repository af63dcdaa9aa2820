//! Points at one place cannot be sorted apart: the memory must hold all the same.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::Ordering;

use glam::DVec3;
use parterre_scans::Result;
use parterre_scans::points::PointChunk;
use parterre_scans::read::{PointSource, SourceInfo, Warning};
use parterre_scans::tiler::{self, Options};

mod counting;
mod tiler_support;

/// The same point over and over.
struct Same {
    info: SourceInfo,
    left: u64,
}

impl PointSource for Same {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        chunk.clear();
        let count = self.left.min(max as u64);
        chunk.positions.resize(count as usize, DVec3::new(1.0, 2.0, 3.0));
        self.left -= count;
        Ok(count as usize)
    }

    fn rewind(&mut self) -> Result<()> {
        self.left = self.info.points;
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &[]
    }
}

#[test]
fn identical_points_do_not_fill_the_memory() {
    let mut info = tiler_support::memory(Vec::new()).info;
    info.points = 4_000_000;
    info.attributes = parterre_scans::points::Attributes::default();
    let mut sources: Vec<Box<dyn PointSource>> = vec![Box::new(Same { info, left: 0 })];
    let dir = tempfile::tempdir().unwrap();
    let options = Options { memory_bytes: 8 << 20, tile_points: 10_000, ..Options::default() };
    let report = tiler::tile(&mut sources, dir.path(), &options, &|_| ()).unwrap();
    assert_eq!((report.points_in, report.points_out, report.points_dropped), (4_000_000, 4_000_000, 0));
    assert!(report.tiles >= 25);
    // All of the records at once would be 80 MB, and sorting them as much again.
    let peak = counting::PEAK.load(Ordering::Relaxed);
    assert!(peak < 48 << 20, "{peak} bytes were held");
}
