//! Fewer points where a device is slow, up to the user's budget where it is fast.
//!
//! The budget in use is a share of the one that is set. It falls at once when frames take too long and rises slowly
//! while they are short, so that it comes to rest.

use bevy::prelude::*;

use super::status::StreamStatus;
use crate::settings::Settings;

/// Frames longer than this cost points. Milliseconds.
const SLOW_MS: f64 = 70.0;
/// Frames shorter than this allow more. Milliseconds.
const FAST_MS: f64 = 34.0;
/// Frames of one kind in a row before the share changes.
const STREAK: u32 = 3;
/// Points that are always allowed.
const POINTS_MIN: f64 = 200_000.0;

/// The share of the budget in use.
#[derive(Resource, Clone, Debug)]
pub struct Adapted {
    share: f64,
    slow: u32,
    fast: u32,
}

impl Default for Adapted {
    fn default() -> Self {
        // A slow device must not have to draw a full frame before it is known to be slow.
        Self { share: 0.15, slow: 0, fast: 0 }
    }
}

impl Adapted {
    /// Points to draw at most.
    pub fn budget_points(&self, settings: &Settings) -> u64 {
        if !settings.adapt {
            return settings.points_max();
        }
        ((settings.points_max() as f64 * self.share).max(POINTS_MIN) as u64).min(settings.points_max())
    }

    /// Takes in a frame's time. `at_budget`: the budget kept points away in it.
    fn frame(&mut self, frame_ms: f64, at_budget: bool) {
        self.slow = if frame_ms > SLOW_MS { self.slow + 1 } else { 0 };
        self.fast = if frame_ms < FAST_MS { self.fast + 1 } else { 0 };
        if self.slow >= STREAK {
            self.share = (self.share * (SLOW_MS * 0.8 / frame_ms).clamp(0.4, 0.9)).max(0.001);
            self.slow = 0;
        } else if self.fast >= STREAK && at_budget {
            self.share = (self.share * 1.12).min(1.0);
            self.fast = 0;
        }
    }
}

pub(super) fn adapt(mut adapted: ResMut<Adapted>, status: Res<StreamStatus>, time: Res<Time<Real>>) {
    // More is only asked for once what was asked for is there: loading takes time of its own.
    adapted.frame(time.delta_secs_f64() * 1e3, status.budget_reached && status.loading == 0);
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_fast_device_comes_to_the_full_budget_and_a_slow_one_to_rest() {
        let settings = Settings { budget_points: 2_000_000, adapt: true, ..Settings::default() };
        // Milliseconds a frame on a device that draws `speed` points a millisecond.
        let settle = |speed: f64| {
            let mut adapted = Adapted::default();
            let mut last = Vec::new();
            for _ in 0..400 {
                let points = adapted.budget_points(&settings) as f64;
                adapted.frame(points / speed, true);
                last.push(points);
            }
            last.split_off(350)
        };
        assert_eq!(settle(200_000.0).last(), Some(&2_000_000.0));
        let slow = settle(8_000.0);
        let (low, high) = (slow.iter().copied().fold(f64::INFINITY, f64::min), slow.iter().copied().fold(0.0, f64::max));
        assert!(low == high && low > 200_000.0 && high < 600_000.0, "{low} {high}");
        assert_eq!(settle(1.0).last(), Some(&POINTS_MIN), "never below what shows a place at all");
    }

    #[test]
    fn without_adapting_the_budget_is_as_set() {
        let settings = Settings { budget_points: 5_000_000, adapt: false, ..Settings::default() };
        assert_eq!(Adapted::default().budget_points(&settings), 5_000_000);
    }
}
