//! The floor search: which of the points' heights at a position is the floor.
//!
//! Heights are counted in a histogram with bins of 5 cm. A level surface fills one or two bins with many points; the points
//! of walls, railings and noise are spread over many bins. A floor is a bin with clearly more points than walls would give.
//! Of the floors within the range around the feet the highest is taken, so that stairs are climbed step by step. Surfaces
//! above knee height (a seat, a table, the next storey) are not climbed, and the walker does not pass through the floor.
//! A surface without headroom (for example under a stage) is no floor.

/// Height of a bin of the histogram. Metres.
const BIN_M: f64 = 0.05;
/// A floor has at least this many points in the disc.
const POINTS_MIN: u32 = 4;
/// A floor has at least this share of the points of the fullest bin within the range.
const SHARE_OF_FULLEST: f64 = 0.35;
/// Surfaces from this height above the floor up to [`HEADROOM_TO_M`] leave no headroom. Metres.
const HEADROOM_FROM_M: f64 = 0.9;
/// See [`HEADROOM_FROM_M`]. Metres.
const HEADROOM_TO_M: f64 = 1.6;
/// Range of heights above a floor in which most bins have far fewer points than the floor; a wall has as many. Metres.
const WALL_TEST_M: [f64; 2] = [0.15, 0.8];

/// Range of heights around the feet in which a floor is searched for. Metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeightRange {
    /// Upwards from the feet.
    pub up_m: f64,
    /// Downwards from the feet.
    pub down_m: f64,
}

impl HeightRange {
    /// A step while walking: up to knee height. Both directions are equal, so that every step can be reversed; a surface
    /// lower than this may be the underside of the slab that the walker stands on.
    pub const STEP: Self = Self { up_m: 0.35, down_m: 0.35 };
}

/// The height of the floor, given the heights of the points within a small disc (in any order) and the height of the feet.
///
/// `None` where there is no floor within the range: nothing was scanned here, or there is a drop or a wall.
pub fn find_floor(heights_m: &[f64], foot_height_m: f64, range: HeightRange) -> Option<f64> {
    let (low_m, high_m) = (foot_height_m - range.down_m, foot_height_m + range.up_m);
    let bins = ((high_m + HEADROOM_TO_M - low_m) / BIN_M).ceil().clamp(1.0, 1e6) as usize;
    let mut counts = vec![0u32; bins + 1];
    for height_m in heights_m {
        let bin = (height_m - low_m) / BIN_M;
        if bin >= 0.0 && bin < bins as f64 {
            counts[bin as usize] += 1;
        }
    }
    // A surface may lie on the boundary of two bins, so that two are counted together.
    let count_at = |bin: usize| counts[bin] + counts[bin + 1];
    let range_bins = ((high_m - low_m) / BIN_M).ceil().max(1.0) as usize;
    let fullest = (0..range_bins.min(bins)).map(count_at).max().unwrap_or(0);
    let count_min = POINTS_MIN.max((f64::from(fullest) * SHARE_OF_FULLEST).ceil() as u32);
    let count_at_head = |bin: usize| {
        let from = bin + (HEADROOM_FROM_M / BIN_M) as usize;
        let to = (bin + (HEADROOM_TO_M / BIN_M) as usize).min(bins);
        (from.min(to)..to).map(count_at).max().unwrap_or(0)
    };
    // The median of the bins above: a wall continues above the feet, a level surface does not.
    let median_above = |bin: usize| {
        let from = (bin + (WALL_TEST_M[0] / BIN_M) as usize).min(bins);
        let to = (bin + (WALL_TEST_M[1] / BIN_M) as usize).min(bins);
        let mut above: Vec<u32> = (from..to).map(count_at).collect();
        above.sort_unstable();
        above.get(above.len() / 2).copied().unwrap_or(0)
    };
    let floor = (0..range_bins.min(bins)).rev().find(|bin| {
        let count = count_at(*bin);
        let is_peak = count >= count_min && count >= bin.checked_sub(1).map_or(0, count_at);
        is_peak && count >= 2 * median_above(*bin) && count_at_head(*bin) < count.max(POINTS_MIN)
    })?;
    // The mean of the points in the two bins; their middle would change in steps of 5 cm.
    let (from_m, to_m) = (low_m + floor as f64 * BIN_M, low_m + (floor + 2) as f64 * BIN_M);
    let (sum, count) = heights_m
        .iter()
        .filter(|height| **height >= from_m && **height < to_m)
        .fold((0.0, 0u32), |(sum, count), height| (sum + height, count + 1));
    let floor_m = sum / f64::from(count.max(1));
    (floor_m <= high_m).then_some(floor_m)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a level surface within the disc, with 1 cm of noise.
    fn surface(height_m: f64, points: usize) -> Vec<f64> {
        (0..points).map(|at| height_m + ((at % 5) as f64 - 2.0) * 0.005).collect()
    }

    /// Points of a wall that touches the disc.
    fn wall(from_m: f64, to_m: f64) -> Vec<f64> {
        let steps = ((to_m - from_m) / 0.02) as usize;
        (0..steps).map(|at| from_m + at as f64 * 0.02).collect()
    }

    fn assert_floor(heights: &[f64], foot_height_m: f64, expected_m: f64) {
        let found = find_floor(heights, foot_height_m, HeightRange::STEP);
        assert!(found.is_some_and(|floor| (floor - expected_m).abs() < 0.03), "{found:?} is not {expected_m}");
    }

    #[test]
    fn a_level_floor() {
        assert_floor(&surface(3.0, 60), 3.0, 3.0);
        assert_floor(&surface(3.0, 60), 3.2, 3.0);
    }

    #[test]
    fn stairs_lead_up_and_down() {
        let mut steps = surface(0.0, 30);
        steps.extend(surface(0.17, 30));
        assert_floor(&steps, 0.0, 0.17);
        assert_floor(&surface(-0.17, 30), 0.0, -0.17);
    }

    #[test]
    fn a_seat_is_not_climbed() {
        let mut row = surface(0.0, 40);
        row.extend(surface(0.45, 40));
        assert_floor(&row, 0.0, 0.0);
    }

    #[test]
    fn the_next_storey_and_the_one_below_are_not_the_floor() {
        let mut levels = surface(0.0, 50);
        levels.extend(surface(4.0, 50));
        levels.extend(surface(3.7, 50));
        assert_floor(&levels, 0.0, 0.0);
        assert_floor(&levels, 4.0, 4.0);
    }

    #[test]
    fn there_is_no_floor_beyond_an_edge() {
        // Only the floor 4 m below: the edge of a balcony.
        assert_eq!(find_floor(&surface(0.0, 50), 4.0, HeightRange::STEP), None);
        assert_eq!(find_floor(&[], 0.0, HeightRange::STEP), None);
    }

    #[test]
    fn a_wall_beside_the_feet_does_not_hide_the_floor() {
        let mut corner = surface(0.0, 60);
        corner.extend(wall(0.0, 3.0));
        assert_floor(&corner, 0.0, 0.0);
    }

    #[test]
    fn a_wall_is_not_climbed() {
        assert_eq!(find_floor(&wall(0.0, 3.0), 0.0, HeightRange::STEP), None);
    }

    #[test]
    fn a_few_stray_points_are_no_floor() {
        assert_eq!(find_floor(&[0.0, 0.01, 0.02], 0.0, HeightRange::STEP), None);
        let mut floor = surface(0.0, 60);
        floor.extend([0.2, 0.21, 0.22, 0.2, 0.21]);
        assert_floor(&floor, 0.0, 0.0);
    }

    #[test]
    fn a_surface_without_headroom_is_no_floor() {
        let mut under_stage = surface(0.0, 40);
        under_stage.extend(surface(1.1, 60));
        assert_eq!(find_floor(&under_stage, 0.0, HeightRange::STEP), None);
    }

    #[test]
    fn a_large_range_finds_the_first_floor_below() {
        let mut levels = surface(0.0, 50);
        levels.extend(surface(4.0, 50));
        let below = HeightRange { up_m: 0.0, down_m: 10.0 };
        let found = find_floor(&levels, 7.0, below);
        assert!(found.is_some_and(|floor| (floor - 4.0).abs() < 0.03));
        let found = find_floor(&levels, 3.0, below);
        assert!(found.is_some_and(|floor| floor.abs() < 0.03));
    }
}
