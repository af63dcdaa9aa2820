//! The order of a block's points, so that a part of them can be drawn.
//!
//! A block's points come in Morton order. In bit-reversed order, the first points are spread evenly over the block, however many are taken. They are drawn
//! in runs of [`RUN_POINTS`]; a block's last run is filled up with [`Texel::EMPTY`](crate::Texel::EMPTY).

/// Points in a run.
pub const RUN_POINTS: u32 = 16;

/// The indices, in Morton order, of `count` points in the order in which they are drawn.
pub fn order(count: usize) -> impl Iterator<Item = usize> {
    let bits = usize::BITS - count.saturating_sub(1).leading_zeros();
    (0..if count == 0 { 0 } else { 1usize << bits })
        .map(move |at| if bits == 0 { 0 } else { at.reverse_bits() >> (usize::BITS - bits) })
        .filter(move |index| *index < count)
}

/// Number of runs of `count` points.
pub fn runs(count: u32) -> u32 {
    count.div_ceil(RUN_POINTS)
}

/// Number of runs for a share of `count` points; at least 1.
pub fn runs_of_share(count: u32, share: f64) -> u32 {
    ((f64::from(runs(count)) * share).ceil() as u32).clamp(1, runs(count).max(1))
}

/// Number of points in the first `runs` runs of `count` points.
pub fn points(count: u32, runs: u32) -> u32 {
    count.min(runs.saturating_mul(RUN_POINTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_drawn_once() {
        for count in [0, 1, 2, 3, 31, 32, 33, 512, 1000] {
            let mut all: Vec<usize> = order(count).collect();
            all.sort_unstable();
            assert!(all.len() == count && all.iter().enumerate().all(|(at, index)| at == *index), "{count}");
            assert_eq!(points(count as u32, runs(count as u32)), count as u32);
        }
    }

    #[test]
    fn the_first_points_are_spread_evenly() {
        let all: Vec<usize> = order(512).collect();
        for taken in [16, 32, 64, 128, 256] {
            let mut drawn = all[..taken].to_vec();
            drawn.sort_unstable();
            assert!(drawn.windows(2).all(|pair| pair[1] - pair[0] == 512 / taken), "{taken}");
        }
        // Between powers of two, no gap is larger than those of the power below.
        let mut drawn = all[..100].to_vec();
        drawn.sort_unstable();
        assert!(drawn.windows(2).all(|pair| pair[1] - pair[0] <= 8));
    }

    #[test]
    fn a_share_takes_at_least_a_run_and_at_most_all() {
        assert_eq!((runs_of_share(512, 0.001), runs_of_share(512, 0.5), runs_of_share(512, 1.0)), (1, 16, 32));
        assert_eq!((runs_of_share(5, 1.0), points(5, 1), points(40, 2)), (1, 5, 32));
    }
}
