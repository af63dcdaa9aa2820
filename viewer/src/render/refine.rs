//! Which points a frame draws, and into which target.

use std::collections::HashMap;

use bevy::prelude::*;
use parterre_decode::runs::{self, RUN_POINTS};

use super::data::{DrawBlock, DrawMode, DrawTile};

/// A range of a block's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Index of the tile in the list.
    pub tile: usize,
    /// Index of the block in the tile.
    pub block: u32,
    /// First run in the block.
    pub first: u32,
    /// One past the last run.
    pub end: u32,
    /// Number of points.
    pub points: u32,
}

/// What a frame draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Points.
    pub ranges: Vec<Range>,
    /// Whether the target is cleared first.
    pub clear: bool,
    /// Whether all points of the picture have been drawn after this frame.
    pub complete: bool,
}

/// The state of the second target: which points it has.
#[derive(Resource, Default)]
pub struct Refinement {
    picture: Option<u64>,
    /// Number of runs drawn of each tile's blocks.
    drawn: HashMap<(u64, u32), u32>,
    points: u64,
}

impl Refinement {
    /// The points that the next frame draws. `count` gives the number of points in a block of a tile.
    ///
    /// In [`DrawMode::Whole`], all of them. In [`DrawMode::Refine`], those that are not drawn yet, in the order of the tiles, until the
    /// number of points for a frame is exceeded: at least one run, so that every frame makes progress.
    pub fn next(&mut self, mode: &DrawMode, tiles: &[DrawTile], count: impl Fn(&DrawTile, u32) -> u32) -> Slice {
        let all = tiles.iter().enumerate().flat_map(|(index, tile)| tile.blocks.iter().map(move |block| (index, tile, *block)));
        let DrawMode::Refine { picture, points, .. } = *mode else {
            self.picture = None;
            self.drawn.clear();
            let ranges: Vec<Range> =
                all.filter_map(|(index, tile, block)| range(index, block.block, count(tile, block.block), 0, block.runs)).collect();
            self.points = points_of(&ranges);
            return Slice { ranges, clear: true, complete: true };
        };
        let clear = self.picture != Some(picture);
        if clear {
            self.picture = Some(picture);
            self.drawn.clear();
            self.points = 0;
        }
        let mut slice = Slice { clear, complete: true, ..Slice::default() };
        let mut left = points;
        for (index, tile, DrawBlock { block, runs: wanted }) in all {
            let count = count(tile, block);
            let wanted = wanted.min(runs::runs(count));
            let drawn = self.drawn.entry((tile.key, block)).or_insert(0);
            if *drawn >= wanted {
                continue;
            }
            if left == 0 {
                slice.complete = false;
                break;
            }
            let take = left.div_ceil(u64::from(RUN_POINTS)).min(u64::from(wanted - *drawn)) as u32;
            if let Some(range) = range(index, block, count, *drawn, *drawn + take) {
                let points = u64::from(range.points);
                left = left.saturating_sub(points);
                self.points += points;
                slice.ranges.push(range);
            }
            *drawn += take;
            if *drawn < wanted {
                slice.complete = false;
            }
        }
        slice
    }

    /// Begins the picture anew, because a frame was not drawn.
    pub fn reset(&mut self) {
        self.picture = None;
    }

    /// Number of points in the target.
    pub fn points(&self) -> u64 {
        self.points
    }
}

/// The runs from `first` to before `end` of a block of `count` points. `None` where these have no points.
fn range(tile: usize, block: u32, count: u32, first: u32, end: u32) -> Option<Range> {
    let points = runs::points(count, end) - runs::points(count, first);
    (points > 0).then_some(Range { tile, block, first, end: end.min(runs::runs(count)), points })
}

fn points_of(ranges: &[Range]) -> u64 {
    ranges.iter().map(|range| u64::from(range.points)).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bevy::math::DVec3;

    use super::*;
    use crate::render::data::TileSpacing;
    use crate::render::gpu_tile::GpuTile;

    /// A tile of which so many runs are drawn: tile 1 has blocks of 3,200 and 320 points, every other tile one block of 1 point.
    fn tile(key: u64, runs: u32) -> DrawTile {
        let spacing = TileSpacing { split_m: DVec3::ZERO, below_m: [1.0; 8], own_m: 1.0, largest_m: 1.0 };
        let blocks = (0..if key == 1 { 2 } else { 1 }).map(|block| DrawBlock { block, runs }).collect();
        DrawTile { key, scan: 0, gpu: Arc::new(GpuTile { parts: Vec::new(), blocks: Vec::new() }), spacing, blocks }
    }

    fn count(tile: &DrawTile, block: u32) -> u32 {
        if tile.key == 1 { [3200, 320][block as usize] } else { 1 }
    }

    fn refine(picture: u64, points: u64) -> DrawMode {
        DrawMode::Refine { picture, points, all_loaded: true }
    }

    #[test]
    fn every_point_is_drawn_once_and_in_bounded_slices() {
        let tiles = [tile(1, 200), tile(2, 1)];
        let mut refinement = Refinement::default();
        let mut seen = vec![0; 3200 + 320 + 1];
        let mut frames = 0;
        loop {
            let slice = refinement.next(&refine(7, 500), &tiles, count);
            assert_eq!(slice.clear, frames == 0);
            assert!(points_of(&slice.ranges) <= 500 + 16, "a run has 16 points");
            for range in &slice.ranges {
                let base = [0, 3200, 3520][range.tile * 2 + range.block as usize];
                let first = range.first * RUN_POINTS;
                (first..first + range.points).for_each(|point| seen[base + point as usize] += 1);
            }
            frames += 1;
            assert_eq!(refinement.points(), seen.iter().sum::<u64>());
            if slice.complete {
                break;
            }
        }
        assert!(seen.iter().all(|times| *times == 1));
        assert!((7..=8).contains(&frames), "{frames}");
        let after = refinement.next(&refine(7, 500), &tiles, count);
        assert_eq!(after, Slice { complete: true, ..Slice::default() });
    }

    #[test]
    fn tiles_that_arrive_later_and_further_runs_are_added() {
        let mut refinement = Refinement::default();
        let mode = refine(1, 1_000_000);
        assert!(refinement.next(&mode, &[tile(1, 8)], count).complete);
        assert_eq!(refinement.points(), 256);
        let slice = refinement.next(&mode, &[tile(1, 16), tile(2, 1)], count);
        assert!(!slice.clear && slice.complete);
        assert_eq!(refinement.points(), 513);
    }

    #[test]
    fn another_picture_and_a_moving_camera_begin_anew() {
        let mut refinement = Refinement::default();
        let tiles = [tile(1, 200)];
        refinement.next(&refine(1, 1_000_000), &tiles, count);
        assert!(refinement.next(&refine(2, 100), &tiles, count).clear);
        let whole = refinement.next(&DrawMode::Whole { scale: 1.0 }, &tiles, count);
        assert!(whole.clear && whole.complete && points_of(&whole.ranges) == 3520);
        assert!(refinement.next(&refine(2, 100), &tiles, count).clear, "the second target is cleared after a movement");
    }

    #[test]
    fn a_frame_makes_progress_however_few_points_it_may_draw() {
        let mut refinement = Refinement::default();
        let slice = refinement.next(&refine(1, 1), &[tile(1, 200)], count);
        assert!(points_of(&slice.ranges) > 0 && !slice.complete);
    }
}
