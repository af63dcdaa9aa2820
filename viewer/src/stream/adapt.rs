//! Adaptive point budget: fewer points on a slow device, up to the user's budget on a fast one.
//!
//! The budget in use is a share of the user's budget. It is reduced quickly when frames take too long and raised slowly while
//! they are short, so that it settles.

use bevy::prelude::*;

use super::status::StreamStatus;
use crate::settings::Settings;

/// Frames longer than this reduce the budget. Milliseconds.
const SLOW_MS: f64 = 70.0;
/// Frames shorter than this raise the budget. Milliseconds.
const FAST_MS: f64 = 34.0;
/// Number of successive slow or fast frames before the share changes.
const FRAMES_IN_A_ROW: u32 = 3;
/// Lower limit of the budget in points, below which a place cannot be recognized.
const POINTS_MIN: f64 = 200_000.0;

/// The share of the user's budget that is in use.
#[derive(Resource, Clone, Debug)]
pub struct AdaptiveBudget {
    share: f64,
    slow_frames: u32,
    fast_frames: u32,
}

impl Default for AdaptiveBudget {
    fn default() -> Self {
        // Starts low, so that a slow device need not draw a frame with the full budget first.
        Self { share: 0.15, slow_frames: 0, fast_frames: 0 }
    }
}

impl AdaptiveBudget {
    /// Maximum number of points in the current frame.
    pub fn budget_points(&self, settings: &Settings) -> u64 {
        if !settings.adapt {
            return settings.points_max();
        }
        ((settings.points_max() as f64 * self.share).max(POINTS_MIN) as u64).min(settings.points_max())
    }

    /// Records the time of a frame. `at_budget`: finer tiles were not selected because of the budget.
    fn record_frame(&mut self, frame_ms: f64, at_budget: bool) {
        self.slow_frames = if frame_ms > SLOW_MS { self.slow_frames + 1 } else { 0 };
        self.fast_frames = if frame_ms < FAST_MS { self.fast_frames + 1 } else { 0 };
        if self.slow_frames >= FRAMES_IN_A_ROW {
            self.share = (self.share * (SLOW_MS * 0.8 / frame_ms).clamp(0.4, 0.9)).max(0.001);
            self.slow_frames = 0;
        } else if self.fast_frames >= FRAMES_IN_A_ROW && at_budget {
            self.share = (self.share * 1.12).min(1.0);
            self.fast_frames = 0;
        }
    }
}

pub(super) fn adapt(mut budget: ResMut<AdaptiveBudget>, status: Res<StreamStatus>, time: Res<Time<Real>>) {
    // The budget is raised only while nothing is loading, because loading lengthens frames too.
    budget.record_frame(time.delta_secs_f64() * 1e3, status.budget_reached && status.loading == 0);
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_fast_device_reaches_the_full_budget_and_a_slow_one_settles_below_it() {
        let settings = Settings { budget_points: 2_000_000, adapt: true, ..Settings::default() };
        // The last budgets on a device that draws `speed` points per millisecond.
        let settle = |speed: f64| {
            let mut budget = AdaptiveBudget::default();
            let mut last = Vec::new();
            for _ in 0..400 {
                let points = budget.budget_points(&settings) as f64;
                budget.record_frame(points / speed, true);
                last.push(points);
            }
            last.split_off(350)
        };
        assert_eq!(settle(200_000.0).last(), Some(&2_000_000.0));
        let slow = settle(8_000.0);
        let (low, high) = (slow.iter().copied().fold(f64::INFINITY, f64::min), slow.iter().copied().fold(0.0, f64::max));
        assert!(low == high && low > 200_000.0 && high < 600_000.0, "{low} {high}");
        assert_eq!(settle(1.0).last(), Some(&POINTS_MIN), "not below the lower limit");
    }

    #[test]
    fn without_adapting_the_users_budget_is_used() {
        let settings = Settings { budget_points: 5_000_000, adapt: false, ..Settings::default() };
        assert_eq!(AdaptiveBudget::default().budget_points(&settings), 5_000_000);
    }
}
