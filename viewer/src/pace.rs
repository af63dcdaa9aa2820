//! How much a frame draws: fewer points and pixels while the camera moves on a slow device, and finer and finer pictures while it stands still.
//!
//! **Moving.** Each frame is drawn anew. Points and resolution follow one number, the quality, which is adjusted by the measured time of the
//! frames so that a frame takes about [`FRAME_MS`].
//!
//! **Still.** When the view has not changed for a moment, all points of the user's budget are wanted, and drawn a few at a time: the points of a frame
//! follow the measured time as well. Part of a frame's time does not depend on the points (shading, the panel). It is told apart by comparing frames, because
//! where it is long, fewer points would only make more such frames. When all are drawn, no frame is needed until something changes.

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
/// A resolution that is left within so many frames after it was chosen proved too slow, and is not tried again for so many frames: else the picture
/// would change between two resolutions all the time, where the time depends more on the pixels than on the points. About ten seconds and a minute.
const SCALE_PROOF_FRAMES: u32 = 300;
const SCALE_AVOIDED_FRAMES: u32 = 1800;
/// Time without changes after which the view counts as still. Seconds.
const STILL_S: f64 = 0.15;
/// Time that a frame should take while points are added to a still picture: the panel still reacts. Milliseconds.
const REFINE_MS: f64 = 50.0;
/// Points added in the first frame of a still picture, and the least and most in any.
const SLICE_POINTS: [f64; 3] = [60_000.0, 10_000.0, 4_000_000.0];
/// How much the points of a frame may change from one to the next.
const SLICE_CHANGE: [f64; 2] = [0.5, 1.5];
/// Weight of the frames before, in the fit of a frame's time, relative to the next one.
const FIT_KEEP: f64 = 0.8;
/// Share of the square of the points, from which on frames differ enough in their points to tell both parts of the time apart.
const FIT_SPREAD: f64 = 0.003;
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
    /// Frames since the resolution was raised.
    raised_frames: u32,
    /// Index of the finest resolution that may be chosen, and for how many more frames it is not finer.
    finest_scale: (usize, u32),
    still_s: f64,
    slice_points: f64,
    slice_time: SliceTime,
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
            raised_frames: SCALE_PROOF_FRAMES,
            finest_scale: (0, 0),
            still_s: 0.0,
            slice_points: SLICE_POINTS[0],
            slice_time: SliceTime::default(),
            is_measuring: false,
        }
    }
}

/// The time of the frames of still pictures, in a fixed part and a part for each point: a line fitted to the last frames.
#[derive(Clone, Copy, Debug, Default)]
struct SliceTime {
    /// Weighted sums: of the frames, their points, their times, and the products of these.
    count: f64,
    points: f64,
    ms: f64,
    points_points: f64,
    points_ms: f64,
    fixed_ms: f64,
}

impl SliceTime {
    fn add(&mut self, points: f64, ms: f64) {
        for (sum, value) in [
            (&mut self.count, 1.0),
            (&mut self.points, points),
            (&mut self.ms, ms),
            (&mut self.points_points, points * points),
            (&mut self.points_ms, points * ms),
        ] {
            *sum = *sum * FIT_KEEP + value;
        }
        let spread = self.count * self.points_points - self.points * self.points;
        // Else it stays as it was when they differed.
        if spread > FIT_SPREAD * self.count * self.points_points {
            let point_ms = ((self.count * self.points_ms - self.points * self.ms) / spread).max(0.0);
            self.fixed_ms = ((self.ms - point_ms * self.points) / self.count).max(0.0);
        }
    }

    /// Factor by which the points of the next frame may change so that it takes [`REFINE_MS`], or as long for the points as for everything else.
    fn factor(&self, ms: f64) -> f64 {
        let wanted_ms = (REFINE_MS - self.fixed_ms).max(self.fixed_ms);
        // What the frame before spent on its points; never quite nothing.
        let points_ms = (ms - self.fixed_ms).max(0.1);
        wanted_ms / points_ms
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
        self.raised_frames = self.raised_frames.saturating_add(1);
        let (finest, avoided_frames) = self.finest_scale;
        self.finest_scale = if avoided_frames > 0 { (finest, avoided_frames - 1) } else { (0, 0) };
        if self.quality < SCALES[self.scale].1 {
            self.scale += 1;
            if self.raised_frames < SCALE_PROOF_FRAMES {
                self.finest_scale = (self.scale, SCALE_AVOIDED_FRAMES);
            }
        } else if self.scale > self.finest_scale.0 && self.quality > (SCALES[self.scale - 1].1 * SCALE_HYSTERESIS).min(1.0) {
            self.scale -= 1;
            self.raised_frames = 0;
        }
    }

    fn adjust_slice(&mut self, frame_ms: f64) {
        let [_, least, most] = SLICE_POINTS;
        let [down, up] = SLICE_CHANGE;
        self.slice_time.add(self.slice_points, frame_ms);
        self.slice_points = (self.slice_points * self.slice_time.factor(frame_ms).clamp(down, up)).clamp(least, most);
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use std::sync::Arc;

    use bevy::math::DVec3;
    use parterre_decode::runs::RUN_POINTS;

    use super::*;
    use crate::render::data::{DrawBlock, DrawTile, TileSpacing};
    use crate::render::gpu_tile::GpuTile;
    use crate::render::refine::Refinement;

    const MOVING: FrameFacts =
        FrameFacts { frame_ms: 16.0, has_changed: true, budget_reached: true, is_loading: false, is_complete: false, may_adapt: true };
    const STILL: FrameFacts = FrameFacts { has_changed: false, ..MOVING };

    /// A simulated machine.
    #[derive(Clone, Copy, Debug)]
    struct Machine {
        /// Time of a frame at full resolution without points. Milliseconds.
        fixed_ms: f64,
        /// Points drawn in a millisecond.
        speed: f64,
        /// Whether a frame waits for a display of 60 Hz.
        waits: bool,
        /// Largest share by which a frame's time deviates, up or down.
        noise: f64,
    }

    impl Machine {
        fn frame_ms(self, points: f64, scale: f64, frame: u32) -> f64 {
            // Even numbers from -1 to 1 in no order.
            let deviation = f64::from(frame.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX) * 2.0 - 1.0;
            let ms = (self.fixed_ms * scale * scale + points / self.speed) * (1.0 + self.noise * deviation);
            if self.waits { (ms * 0.06).ceil() / 0.06 } else { ms }
        }

        /// Points and scale of each of the last frames of a long movement.
        fn settle(self) -> Vec<(f64, f64)> {
            let mut pace = Pace::default();
            let mut last = Vec::new();
            for frame in 0..1200 {
                let points = pace.budget_points(2_000_000, true) as f64;
                let DrawMode::Whole { scale } = pace.draw_mode(true, true) else { panic!("the view changes") };
                pace.advance(&FrameFacts { frame_ms: self.frame_ms(points, scale, frame), ..MOVING });
                last.push((points, scale));
            }
            last.split_off(800)
        }
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
            Row { why: "one with many pixels all points, and fewer pixels", fixed_ms: 80.0, speed: 1e6, points: 2e6..=2e6, scale: 0.5 },
            Row { why: "the slowest not less than the least", fixed_ms: 60.0, speed: 100.0, points: POINTS_MIN..=POINTS_MIN, scale: 0.5 },
        ];
        for row in rows {
            // Without waiting for the display.
            let last = Machine { fixed_ms: row.fixed_ms, speed: row.speed, waits: false, noise: 0.0 }.settle();
            assert!(last.iter().all(|frame| *frame == last[0]), "{}: it does not settle", row.why);
            let (points, scale) = last[0];
            assert!(row.points.contains(&points) && scale == row.scale, "{}: {points} {scale}", row.why);
        }
    }

    #[test]
    fn no_device_swings_between_two_qualities() {
        for fixed_ms in [1.0, 5.0, 15.0, 25.0, 30.0, 38.0, 45.0, 60.0, 80.0, 100.0, 200.0] {
            for speed in [5e2, 2e3, 8e3, 4e4, 2e5, 1e6] {
                for (waits, noise) in [(false, 0.0), (true, 0.0), (false, 0.1), (true, 0.1), (false, 0.25), (true, 0.25)] {
                    let machine = Machine { fixed_ms, speed, waits, noise };
                    let last = machine.settle();
                    let resolutions = last.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
                    let budgets = last.windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
                    assert!(noise > 0.0 || resolutions + budgets == 0, "{machine:?}: {resolutions} and {budgets} changes in 400 frames");
                    // Where noise makes the time cross a limit, the quality follows, now and then and by little.
                    assert!(resolutions <= 2, "{machine:?}: the resolution changes {resolutions} times in 400 frames");
                    assert!(budgets <= 60, "{machine:?}: the budget changes {budgets} times in 400 frames");
                }
            }
        }
    }

    /// A tile of 50,000 points in 100 blocks.
    fn tile(key: u64) -> DrawTile {
        let spacing = TileSpacing { split_m: DVec3::ZERO, below_m: [1.0; 8], own_m: 1.0, largest_m: 1.0 };
        let blocks = (0..100).map(|block| DrawBlock { block, runs: u32::MAX }).collect();
        DrawTile { key, scan: 0, gpu: Arc::new(GpuTile { parts: Vec::new(), blocks: Vec::new() }), spacing, blocks }
    }

    /// The points of each frame until a still picture of 2 million points is complete, and the time that this takes.
    fn converge(machine: Machine) -> (Vec<u64>, f64) {
        let tiles: Vec<DrawTile> = (0..40).map(tile).collect();
        let (mut pace, mut refinement) = (Pace::default(), Refinement::default());
        let (mut slices, mut total_ms, mut frame_ms, mut is_complete) = (Vec::new(), 0.0, 16.0, false);
        for frame in 0..10_000 {
            pace.advance(&FrameFacts { frame_ms, is_complete, has_changed: frame == 0, ..STILL });
            if pace.phase == Phase::Complete {
                return (slices, total_ms);
            }
            if pace.phase == Phase::Refining {
                let mode = pace.draw_mode(true, true);
                let DrawMode::Refine { points: most, .. } = mode else { panic!("the view is still: {mode:?}") };
                let slice = refinement.next(&mode, &tiles, |_, _| 500);
                let points = slice.ranges.iter().map(|range| u64::from(range.points)).sum();
                assert!(points > 0 || is_complete, "{machine:?}: a frame without points");
                assert!(points < most + u64::from(RUN_POINTS), "{machine:?}: {points} points instead of {most}");
                assert!(points as f64 <= SLICE_POINTS[2] && refinement.points() <= 2_000_000);
                frame_ms = machine.frame_ms(points as f64, 1.0, frame);
                total_ms += frame_ms;
                is_complete = slice.complete;
                slices.push(points);
            }
        }
        panic!("{machine:?}: not complete after {} frames and {total_ms} ms", slices.len());
    }

    #[test]
    fn a_still_picture_is_complete_after_few_frames_at_any_frame_time() {
        // Frames that take the same time, however many points they draw: their time, their number, and the seconds until 2 million points are drawn.
        let rows = [
            (5.0, 8, 0.040),
            (16.7, 8, 0.134),
            (33.3, 8, 0.266),
            // Frames as they should be tell nothing of what other ones would take.
            (50.0, 34, 1.7),
            (100.0, 10, 1.0),
            (200.0, 10, 2.0),
            (400.0, 10, 4.0),
            (900.0, 10, 9.0),
        ];
        for (frame_ms, frames, seconds) in rows {
            let (slices, total_ms) = converge(Machine { fixed_ms: frame_ms, speed: f64::INFINITY, waits: false, noise: 0.0 });
            assert_eq!(slices.iter().sum::<u64>(), 2_000_000);
            assert_eq!((slices.len(), (total_ms.round() * 1e-3)), (frames, seconds), "{frame_ms} ms: {slices:?}");
        }
    }

    #[test]
    fn a_still_picture_converges_at_the_speed_of_the_machine() {
        struct Row {
            fixed_ms: f64,
            speed: f64,
            /// Longest frame. Milliseconds.
            longest_ms: f64,
            frames: usize,
        }
        let rows = [
            Row { fixed_ms: 2.0, speed: 200_000.0, longest_ms: 50.0, frames: 8 },
            Row { fixed_ms: 10.0, speed: 20_000.0, longest_ms: 50.0, frames: 8 },
            Row { fixed_ms: 30.0, speed: 5_000.0, longest_ms: 61.0, frames: 35 },
            Row { fixed_ms: 200.0, speed: 2_000.0, longest_ms: 410.0, frames: 15 },
            // Of the first slice, before anything is known, a frame takes 140 ms.
            Row { fixed_ms: 20.0, speed: 500.0, longest_ms: 150.0, frames: 140 },
        ];
        for Row { fixed_ms, speed, longest_ms, frames } in rows {
            for (waits, noise) in [(false, 0.0), (true, 0.0), (false, 0.25)] {
                let machine = Machine { fixed_ms, speed, waits, noise };
                let (slices, total_ms) = converge(machine);
                let largest = slices.iter().copied().max().unwrap_or(0) as f64;
                let ms = fixed_ms + largest / speed;
                // Noise makes the fit worse.
                let most_ms = longest_ms * (1.0 + 2.0 * noise);
                assert!(slices.len() <= frames && ms <= most_ms, "{machine:?}: {} frames, {ms} ms", slices.len());
                // Not more than about twice what drawing all points at once would take, besides the first small steps.
                assert!(total_ms <= 2.5 * (2e6 / speed) + 15.0 * fixed_ms + 1000.0, "{machine:?}: {total_ms}");
            }
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
            // The time does not depend on the points, so that fewer ones would only make more frames.
            assert_eq!(points as f64, SLICE_POINTS[2]);
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
