//! The floor search: which of the heights over a spot one stands on.
//!
//! Heights are counted in bins of 5 cm. A level surface fills one or two bins with many points; walls, railings and
//! noise spread theirs thinly over many. A floor is a bin with clearly more points than the column's walls would give.
//! Of the floors within reach of the feet the highest is taken, so that stairs lead up step by step; what is above
//! knee height (a seat, a table, the floor above) is not climbed, and the floor below the feet is never passed through.
//! A surface with another one close above it (the space under a stage) is not stood on where the head would hit it.

/// Height of a bin. Metres.
const BIN_M: f64 = 0.05;
/// A floor has at least this many points in the disc.
const POINTS_MIN: u32 = 4;
/// And at least this share of the fullest bin within reach.
const SHARE_OF_FULLEST: f64 = 0.35;
/// Points above the floor from here up to [`HEAD_M`] that form a surface of their own leave no headroom. Metres.
const SHOULDER_M: f64 = 0.9;
const HEAD_M: f64 = 1.6;
/// Most of the bins in this range above a floor hold far fewer points than it does. Metres.
const CLEAR_M: [f64; 2] = [0.15, 0.8];

/// How far a step may lead. Metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Upwards: knee height.
    pub up_m: f64,
    /// Downwards.
    pub down_m: f64,
}

impl Reach {
    /// A step while walking. What cannot be climbed again is not stepped down either: a surface deeper than this may be
    /// the underside of the slab that one stands on.
    pub const STEP: Self = Self { up_m: 0.35, down_m: 0.35 };
}

/// The floor among `heights_m` (the points over a small disc, in any order) for feet at `foot_m`.
///
/// `None` where no height within reach is a floor: nothing was scanned here, or it is a drop or a wall.
pub fn find_floor(heights_m: &[f64], foot_m: f64, reach: Reach) -> Option<f64> {
    let (low_m, high_m) = (foot_m - reach.down_m, foot_m + reach.up_m);
    let bins = ((high_m + HEAD_M - low_m) / BIN_M).ceil().clamp(1.0, 1e6) as usize;
    let mut counts = vec![0u32; bins + 1];
    for height_m in heights_m {
        let at = (height_m - low_m) / BIN_M;
        if at >= 0.0 && at < bins as f64 {
            counts[at as usize] += 1;
        }
    }
    // A surface may lie on the border of two bins.
    let mass = |bin: usize| counts[bin] + counts[bin + 1];
    let reachable = ((high_m - low_m) / BIN_M).ceil().max(1.0) as usize;
    let fullest = (0..reachable.min(bins)).map(mass).max().unwrap_or(0);
    let enough = POINTS_MIN.max((f64::from(fullest) * SHARE_OF_FULLEST).ceil() as u32);
    let head = |bin: usize| {
        let from = bin + (SHOULDER_M / BIN_M) as usize;
        let to = (bin + (HEAD_M / BIN_M) as usize).min(bins);
        (from.min(to)..to).map(mass).max().unwrap_or(0)
    };
    // A wall goes on above the feet, a level surface does not.
    let typical_above = |bin: usize| {
        let from = (bin + (CLEAR_M[0] / BIN_M) as usize).min(bins);
        let to = (bin + (CLEAR_M[1] / BIN_M) as usize).min(bins);
        let mut above: Vec<u32> = (from..to).map(mass).collect();
        above.sort_unstable();
        above.get(above.len() / 2).copied().unwrap_or(0)
    };
    let floor = (0..reachable.min(bins)).rev().find(|bin| {
        let here = mass(*bin);
        let is_peak = here >= enough && here >= bin.checked_sub(1).map_or(0, mass);
        is_peak && here >= 2 * typical_above(*bin) && head(*bin) < here.max(POINTS_MIN)
    })?;
    // The mean of the two bins' points, not their middle: steps of 5 cm would show.
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

    /// Points of a level surface over the disc, with 1 cm of noise.
    fn surface(height_m: f64, points: usize) -> Vec<f64> {
        (0..points).map(|at| height_m + ((at % 5) as f64 - 2.0) * 0.005).collect()
    }

    /// Points of a wall that touches the disc.
    fn wall(from_m: f64, to_m: f64) -> Vec<f64> {
        let steps = ((to_m - from_m) / 0.02) as usize;
        (0..steps).map(|at| from_m + at as f64 * 0.02).collect()
    }

    fn assert_floor(heights: &[f64], foot_m: f64, expected_m: f64) {
        let found = find_floor(heights, foot_m, Reach::STEP);
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
    fn the_floor_above_and_the_floor_below_are_other_floors() {
        let mut levels = surface(0.0, 50);
        levels.extend(surface(4.0, 50));
        levels.extend(surface(3.7, 50));
        assert_floor(&levels, 0.0, 0.0);
        assert_floor(&levels, 4.0, 4.0);
    }

    #[test]
    fn one_never_falls_through_or_over_an_edge() {
        // Nothing but the floor 4 m below: a balcony's edge.
        assert_eq!(find_floor(&surface(0.0, 50), 4.0, Reach::STEP), None);
        assert_eq!(find_floor(&[], 0.0, Reach::STEP), None);
    }

    #[test]
    fn a_wall_beside_the_feet_is_neither_floor_nor_obstacle() {
        let mut corner = surface(0.0, 60);
        corner.extend(wall(0.0, 3.0));
        assert_floor(&corner, 0.0, 0.0);
    }

    #[test]
    fn a_wall_is_not_climbed() {
        assert_eq!(find_floor(&wall(0.0, 3.0), 0.0, Reach::STEP), None);
    }

    #[test]
    fn a_few_stray_points_are_no_floor() {
        assert_eq!(find_floor(&[0.0, 0.01, 0.02], 0.0, Reach::STEP), None);
        let mut floor = surface(0.0, 60);
        floor.extend([0.2, 0.21, 0.22, 0.2, 0.21]);
        assert_floor(&floor, 0.0, 0.0);
    }

    #[test]
    fn one_does_not_stand_where_the_head_would_hit() {
        let mut under_stage = surface(0.0, 40);
        under_stage.extend(surface(1.1, 60));
        assert_eq!(find_floor(&under_stage, 0.0, Reach::STEP), None);
    }

    #[test]
    fn a_long_reach_finds_the_first_floor_below() {
        let mut levels = surface(0.0, 50);
        levels.extend(surface(4.0, 50));
        let below = Reach { up_m: 0.0, down_m: 10.0 };
        let found = find_floor(&levels, 7.0, below);
        assert!(found.is_some_and(|floor| (floor - 4.0).abs() < 0.03));
        let found = find_floor(&levels, 3.0, below);
        assert!(found.is_some_and(|floor| floor.abs() < 0.03));
    }
}
