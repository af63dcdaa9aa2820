//! Points at one place cannot be sorted apart: the memory must hold all the same.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::Ordering;

use glam::DVec3;
use parterre_model::points::PointChunk;
use parterre_model::{Result, Warning};
use parterre_read::{PointSource, SourceInfo};
use parterre_test_support::counting;
use parterre_tiler as tiler;
use parterre_tiler::Options;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

mod tiler_support;

/// The same point over and over, after another one.
struct Same {
    info: SourceInfo,
    first: DVec3,
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
        if self.left == self.info.points && count > 0 {
            chunk.positions[0] = self.first;
        }
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

/// Tiles so many points in little memory; returns the number of tiles, their largest and the most bytes that were held so far.
fn tile_same(points: u64, first: DVec3) -> (u64, usize, usize) {
    let mut info = tiler_support::memory(Vec::new()).info;
    info.points = points;
    info.attributes = parterre_model::points::Attributes::default();
    let mut sources: Vec<Box<dyn PointSource>> = vec![Box::new(Same { info, first, left: 0 })];
    let dir = tempfile::tempdir().unwrap();
    let options = Options { memory_bytes: 8 << 20, tile_points: 10_000, ..Options::default() };
    let report = tiler::tile(&mut sources, dir.path(), &options, &|_| ()).unwrap();
    assert_eq!((report.points_in, report.points_out, report.points_dropped), (points, points, 0));
    let peak = counting::PEAK.load(Ordering::Relaxed);
    let tiles = tiler::read_back(&dir.path().join("tiles.3tz")).unwrap();
    let largest = tiles.map(|tile| tile.unwrap().parts.iter().map(|part| part.vertices.len()).sum()).max();
    (report.tiles, largest.unwrap(), peak)
}

#[test]
fn identical_points_do_not_fill_the_memory() {
    let place = DVec3::new(1.0, 2.0, 3.0);
    let (tiles, largest, peak) = tile_same(4_000_000, place);
    // One on each level from 4 to 30, and one of a point above them.
    assert_eq!(tiles, 28);
    assert!(largest <= 4_000_000_usize.div_ceil(27), "{largest}");
    // All of the records at once would be 120 MB, and sorting them as much again.
    assert!(peak < 48 << 20, "{peak} bytes were held");

    // A stray makes the tree as deep as keys go; eleven levels are kept all the same.
    let (tiles, largest, peak) = tile_same(4_000_000, DVec3::new(40_000.0, 50_000.0, 3.0));
    assert!(tiles >= 11, "{tiles}");
    assert!(largest <= 4_000_000_usize.div_ceil(11), "{largest}");
    assert!(peak < 96 << 20, "{peak} bytes were held");
}
