//! How much a frame draws: fewer points and pixels while the camera moves on a slow device, and finer and finer pictures while it stands still.
//!
//! **Moving.** Each frame is drawn anew. Points and resolution follow one number, the quality, which is adjusted by the measured time of the
//! frames so that a frame takes about [`FRAME_MS`].
//!
//! **Still.** When the view has not changed for a moment, all points of the user's budget are wanted, and drawn a few at a time: the points of a frame
//! follow the measured time as well. When all are drawn, no frame is needed until something changes.

use bevy::prelude::*;

use crate::render::data::DrawMode;

/// Time that a frame should take while the camera moves. Milliseconds.
const FRAME_MS: f64 = 33.0;
/// Frames that take longer reduce the quality, shorter ones raise it: a range, so that the quality settles. Milliseconds.
const SLOW_MS: f64 = 42.0;
const FAST_MS: f64 = 26.0;
/// Number of successive slow or fast frames before the quality changes.
const FRAMES_IN_A_ROW: u32 = 2;
/// Fewest points while moving, below which a place cannot be recognized.
const POINTS_MIN: f64 = 100_000.0;
/// Lowest quality: the share of the user's points.
const QUALITY_MIN: f64 = 0.005;
/// Resolutions relative to the window, and the quality below which the next one is used. A few steps, because each needs targets of its own.
const SCALES: [(f64, f64); 3] = [(1.0, 0.35), (0.75, 0.12), (0.5, 0.0)];
/// The quality must exceed a step by this factor before the resolution rises again.
const SCALE_HYSTERESIS: f64 = 1.5;
/// Time without changes after which the view counts as still. Seconds.
const STILL_S: f64 = 0.15;
/// Time that a frame should take while points are added to a still picture: the panel still reacts. Milliseconds.
const REFINE_MS: f64 = 50.0;
/// Points added in the first frame of a still picture, and the least and most in any.
const SLICE_POINTS: [f64; 3] = [60_000.0, 10_000.0, 4_000_000.0];
/// A longer frame says nothing about drawing: the page was in the background, or the app was idle. Milliseconds.
const PAUSE_MS: f64 = 6000.0;

/// How the current frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The view changes.
    Moving,
    /// The view stands still, and points are added.
    Refining,
    /// The picture is complete.
    Complete,
}

/// What a frame may cost.
#[derive(Resource, Clone, Debug)]
pub struct Pace {
    /// How the current frame is drawn.
    pub phase: Phase,
    /// Whether every frame draws all points anew.
    always_whole: bool,
    /// Number of the picture; changes with the view.
    picture: u64,
    quality: f64,
    /// Index of the resolution in [`SCALES`].
    scale: usize,
    slow_frames: u32,
    fast_frames: u32,
    still_s: f64,
    slice_points: f64,
    /// Whether the frame before was drawn right before this one, so that its time is known.
    is_measuring: bool,
}

impl Default for Pace {
    fn default() -> Self {
        // Starts low, so that a slow device need not draw a frame with all points first.
        Self {
            phase: Phase::Moving,
            always_whole: false,
            picture: 0,
            quality: 0.15,
            scale: 1,
            slow_frames: 0,
            fast_frames: 0,
            still_s: 0.0,
            slice_points: SLICE_POINTS[0],
            is_measuring: false,
        }
    }
}

/// What happened since the last frame.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct FrameFacts {
    /// Time since the last frame began. Milliseconds.
    pub frame_ms: f64,
    /// Whether the view changed: the camera, the size of the picture, or the style.
    pub has_changed: bool,
    /// Whether the points were limited by the budget.
    pub budget_reached: bool,
    /// Whether tiles are still loading.
    pub is_loading: bool,
    /// Whether all points of the still picture have been drawn.
    pub is_complete: bool,
    /// Whether fewer points may be drawn than the user's budget.
    pub may_adapt: bool,
}

impl Pace {
    /// The pace for pictures of one frame: every frame draws all points anew.
    pub fn whole() -> Self {
        Self { always_whole: true, ..Self::default() }
    }

    /// Maximum number of points of the current frame's selection, of at most `points_max`.
    pub fn budget_points(&self, points_max: u64, may_adapt: bool) -> u64 {
        if self.phase != Phase::Moving || self.always_whole || !may_adapt {
            return points_max;
        }
        ((points_max as f64 * self.quality).max(POINTS_MIN) as u64).min(points_max)
    }

    /// How the current frame is drawn; `all_loaded`: no further tiles will come.
    pub fn draw_mode(&self, all_loaded: bool, may_adapt: bool) -> DrawMode {
        if self.always_whole {
            return DrawMode::Whole { scale: 1.0 };
        }
        match self.phase {
            Phase::Moving => DrawMode::Whole { scale: if may_adapt { SCALES[self.scale].0 } else { 1.0 } },
            Phase::Refining | Phase::Complete => DrawMode::Refine { picture: self.picture, points: self.slice_points as u64, all_loaded },
        }
    }

    /// Whether the points of the frames before stay in the picture.
    pub fn adds_points(&self) -> bool {
        self.phase != Phase::Moving && !self.always_whole
    }

    /// Number of the still picture.
    pub fn picture(&self) -> u64 {
        self.picture
    }

    /// Records what happened since the last frame and decides how this one is drawn.
    pub fn advance(&mut self, facts: &FrameFacts) {
        let frame_ms = Some(facts.frame_ms).filter(|ms| self.is_measuring && *ms < PAUSE_MS);
        if let Some(frame_ms) = frame_ms {
            match self.phase {
                Phase::Moving if facts.may_adapt => self.adjust_quality(frame_ms, facts),
                Phase::Refining => self.adjust_slice(frame_ms),
                _ => {}
            }
        }
        self.is_measuring = true;
        if facts.has_changed {
            self.picture += 1;
            self.still_s = 0.0;
            self.phase = Phase::Moving;
            return;
        }
        self.still_s += facts.frame_ms.min(PAUSE_MS) * 1e-3;
        self.phase = match self.phase {
            Phase::Moving if self.still_s < STILL_S => Phase::Moving,
            Phase::Moving => {
                self.slice_points = SLICE_POINTS[0].max(self.slice_points * 0.5);
                Phase::Refining
            }
            Phase::Refining | Phase::Complete if facts.is_complete && !facts.is_loading => Phase::Complete,
            Phase::Refining | Phase::Complete => Phase::Refining,
        };
    }

    /// Says that no frame follows at once, so that the next one's time says nothing.
    pub fn pause(&mut self) {
        self.is_measuring = false;
    }

    fn adjust_quality(&mut self, frame_ms: f64, facts: &FrameFacts) {
        self.slow_frames = if frame_ms > SLOW_MS { self.slow_frames + 1 } else { 0 };
        self.fast_frames = if frame_ms < FAST_MS { self.fast_frames + 1 } else { 0 };
        if self.slow_frames >= FRAMES_IN_A_ROW {
            self.quality = (self.quality * (FRAME_MS / frame_ms).clamp(0.5, 0.9)).max(QUALITY_MIN);
            self.slow_frames = 0;
        } else if self.fast_frames >= FRAMES_IN_A_ROW && (facts.budget_reached || self.scale > 0) {
            self.quality = (self.quality * 1.1).min(1.0);
            self.fast_frames = 0;
        }
        if self.quality < SCALES[self.scale].1 {
            self.scale += 1;
        } else if self.scale > 0 && self.quality > (SCALES[self.scale - 1].1 * SCALE_HYSTERESIS).min(1.0) {
            self.scale -= 1;
        }
    }

    fn adjust_slice(&mut self, frame_ms: f64) {
        let [_, least, most] = SLICE_POINTS;
        self.slice_points = (self.slice_points * (REFINE_MS / frame_ms.max(1.0)).clamp(0.5, 1.5)).clamp(least, most);
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use super::*;

    const MOVING: FrameFacts =
        FrameFacts { frame_ms: 16.0, has_changed: true, budget_reached: true, is_loading: false, is_complete: false, may_adapt: true };
    const STILL: FrameFacts = FrameFacts { has_changed: false, ..MOVING };

    /// The budgets and scales of the last frames on a device that needs `fixed_ms` for a frame at full resolution, and a millisecond for
    /// `speed` points.
    fn settle(fixed_ms: f64, speed: f64) -> Vec<(f64, f64)> {
        let mut pace = Pace::default();
        let mut last = Vec::new();
        for _ in 0..600 {
            let points = pace.budget_points(2_000_000, true) as f64;
            let DrawMode::Whole { scale } = pace.draw_mode(true, true) else { panic!("the view changes") };
            // Without waiting for the display.
            pace.advance(&FrameFacts { frame_ms: fixed_ms * scale * scale + points / speed, ..MOVING });
            last.push((points, scale));
        }
        last.split_off(550)
    }

    #[test]
    fn devices_of_different_speed_settle() {
        struct Row {
            why: &'static str,
            fixed_ms: f64,
            speed: f64,
            points: std::ops::RangeInclusive<f64>,
            scale: f64,
        }
        let rows = [
            Row { why: "a fast device draws everything", fixed_ms: 2.0, speed: 200_000.0, points: 2e6..=2e6, scale: 1.0 },
            Row { why: "a medium one fewer points", fixed_ms: 5.0, speed: 40_000.0, points: 6e5..=1.6e6, scale: 0.75 },
            Row { why: "a slow one also fewer pixels", fixed_ms: 15.0, speed: 8_000.0, points: 1.2e5..=3e5, scale: 0.5 },
            Row { why: "the slowest not less than the least", fixed_ms: 60.0, speed: 100.0, points: POINTS_MIN..=POINTS_MIN, scale: 0.5 },
        ];
        for row in rows {
            let last = settle(row.fixed_ms, row.speed);
            assert!(last.iter().all(|frame| *frame == last[0]), "{}: it does not settle", row.why);
            let (points, scale) = last[0];
            assert!(row.points.contains(&points) && scale == row.scale, "{}: {points} {scale}", row.why);
        }
    }

    #[test]
    fn a_still_view_is_refined_and_then_nothing_is_drawn() {
        struct Row {
            facts: FrameFacts,
            phase: Phase,
        }
        let complete = FrameFacts { is_complete: true, ..STILL };
        let rows = [
            Row { facts: MOVING, phase: Phase::Moving },
            Row { facts: FrameFacts { frame_ms: 100.0, ..STILL }, phase: Phase::Moving },
            Row { facts: FrameFacts { frame_ms: 100.0, ..STILL }, phase: Phase::Refining },
            Row { facts: FrameFacts { is_loading: true, ..complete }, phase: Phase::Refining },
            Row { facts: complete, phase: Phase::Complete },
            Row { facts: complete, phase: Phase::Complete },
            // A tile arrives later.
            Row { facts: STILL, phase: Phase::Refining },
            Row { facts: complete, phase: Phase::Complete },
            Row { facts: MOVING, phase: Phase::Moving },
        ];
        let mut pace = Pace::default();
        for (at, row) in rows.iter().enumerate() {
            pace.advance(&row.facts);
            assert_eq!(pace.phase, row.phase, "row {at}");
        }
        assert_eq!(pace.picture(), 2);
    }

    #[test]
    fn a_still_view_wants_all_points_at_any_speed() {
        for frame_ms in [5.0, 400.0] {
            let mut pace = Pace::default();
            (0..100).for_each(|_| pace.advance(&FrameFacts { frame_ms, ..MOVING }));
            (0..100).for_each(|_| pace.advance(&FrameFacts { frame_ms, ..STILL }));
            assert_eq!(pace.budget_points(2_000_000, true), 2_000_000);
            let DrawMode::Refine { points, .. } = pace.draw_mode(true, true) else { panic!("the view is still") };
            let [_, least, most] = SLICE_POINTS;
            assert_eq!(points as f64, if frame_ms > REFINE_MS { least } else { most });
        }
    }

    #[test]
    fn a_pause_is_not_taken_for_a_slow_frame() {
        let mut pace = Pace::default();
        pace.advance(&MOVING);
        let before = pace.quality;
        (0..10).for_each(|_| pace.advance(&FrameFacts { frame_ms: 20_000.0, ..MOVING }));
        assert_eq!(pace.quality, before);
        (0..10).for_each(|_| {
            pace.pause();
            pace.advance(&FrameFacts { frame_ms: 900.0, ..MOVING });
        });
        assert_eq!(pace.quality, before);
    }

    #[test]
    fn without_adapting_the_users_budget_is_used() {
        let mut pace = Pace::default();
        (0..50).for_each(|_| pace.advance(&FrameFacts { frame_ms: 300.0, may_adapt: false, ..MOVING }));
        assert_eq!(pace.budget_points(5_000_000, false), 5_000_000);
        assert_eq!(pace.draw_mode(true, false), DrawMode::Whole { scale: 1.0 });
    }
}
