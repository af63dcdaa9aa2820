//! State of the walk mode between frames: the search for the first floor, the way down to it, and the floor under the walker.

use std::f64::consts::{PI, TAU};

use bevy::math::DVec3;

/// Number of frames after which the selected tiles correspond to the place of the search.
const SETTLED_FRAMES: u32 = 2;
/// Longest wait for tiles before a floor is searched for. Seconds.
const WAIT_MAX_S: f64 = 8.0;
/// Time after which it is said that a floor is being searched for. Seconds.
const SILENT_S: f64 = 1.0;
/// Duration of the way to the floor, and what it takes in addition for each metre, up to a limit. Seconds.
const DESCENT_S: [f64; 3] = [0.4, 0.08, 1.2];
/// From a distance up to this one the eye is moved at once. Metres.
const AT_ONCE_M: f64 = 0.5;
/// Largest share of the way in one frame: however slow the frames are, one of them shows where the way leads.
const DESCENT_STEP_MAX: f64 = 0.5;

/// A position and a direction of view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// The eye. Scan frame, metres.
    pub eye: DVec3,
    /// Heading: radians clockwise from north.
    pub yaw: f64,
    /// Radians above the horizon.
    pub pitch: f64,
}

/// The eye's way to the floor on which the walk starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    from: Pose,
    to: Pose,
    /// Height of the floor. Scan frame, metres.
    foot_height_m: f64,
    /// From 0 to 1.
    progress: f64,
}

impl Descent {
    /// The way between two poses, to a floor.
    pub fn new(from: Pose, to: Pose, foot_height_m: f64) -> Self {
        Self { from, to, foot_height_m, progress: 0.0 }
    }

    /// The pose after `delta_s` more seconds, and the height of the floor where it has been reached.
    pub fn advance(&mut self, delta_s: f64) -> (Pose, Option<f64>) {
        let distance_m = self.from.eye.distance(self.to.eye);
        let [least_s, per_metre_s, most_s] = DESCENT_S;
        let duration_s = (least_s + distance_m * per_metre_s).min(most_s);
        self.progress += if distance_m <= AT_ONCE_M { 1.0 } else { (delta_s / duration_s).clamp(0.0, DESCENT_STEP_MAX) };
        if self.progress > 1.0 - 1e-9 {
            return (self.to, Some(self.foot_height_m));
        }
        // Starts and ends slowly.
        let share = self.progress * self.progress * (3.0 - 2.0 * self.progress);
        // The shorter way around.
        let turn = (self.to.yaw - self.from.yaw + PI).rem_euclid(TAU) - PI;
        let pose = Pose {
            eye: self.from.eye.lerp(self.to.eye, share),
            yaw: (self.from.yaw + turn * share).rem_euclid(TAU),
            pitch: self.from.pitch + (self.to.pitch - self.from.pitch) * share,
        };
        (pose, None)
    }
}

/// Where a floor is searched for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// From here downwards. Scan frame, metres.
    pub from: DVec3,
    /// Heading of a walker who starts here; `None`: as before. Radians clockwise from north.
    pub yaw: Option<f64>,
}

/// State of the walk mode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walker {
    /// Height of the floor under the walker; scan frame, metres. `None` until the walker stands on one.
    pub foot_height_m: Option<f64>,
    /// Remaining time of the message that no floor was found. Seconds.
    pub no_floor_message_s: f64,
    /// The way to the first floor, once that is found.
    pub descent: Option<Descent>,
    /// Where the search began.
    first: Place,
    /// Where the floor is searched for.
    place: Place,
    /// Whether that is the scan's start place, because no floor was found where the search began.
    is_at_start_place: bool,
    /// Number of successive frames in which all selected tiles were in memory.
    settled_frames: u32,
    /// Time for which the walker has waited for tiles. Seconds.
    waited_s: f64,
    /// Number of tiles inserted into memory when the search for the first floor failed; it is repeated after further tiles.
    failed_at_insertions: Option<u64>,
}

impl Walker {
    /// A walker without a floor yet; the search starts at `start` (scan frame, metres).
    pub fn starting_at(start: DVec3) -> Self {
        let place = Place { from: start, yaw: None };
        Self { first: place, place, ..Self::default() }
    }

    /// Where the floor is searched for.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether a floor is still searched for or approached.
    pub fn is_starting(&self) -> bool {
        self.foot_height_m.is_none() && self.failed_at_insertions.is_none()
    }

    /// Whether the search has ended without a floor.
    pub fn has_failed(&self) -> bool {
        self.foot_height_m.is_none() && self.failed_at_insertions.is_some()
    }

    /// What the user should know.
    pub fn message(&self) -> Option<&'static str> {
        if self.has_failed() {
            Some("No floor was found to walk on. Move closer to one and try again.")
        } else if self.foot_height_m.is_some() {
            (self.no_floor_message_s > 0.0).then_some("No floor found here")
        } else {
            (self.descent.is_none() && self.waited_s > SILENT_S).then_some("Looking for a floor…")
        }
    }

    /// Whether a floor may be searched for now; called once a frame. `all_loaded`: every selected tile is in memory.
    ///
    /// Coarse tiles have too few points to show the nearest floor, so that a floor further down would be found instead.
    /// After some seconds the search uses the tiles that are in memory.
    pub fn may_search(&mut self, all_loaded: bool, insertions: u64, delta_s: f64) -> bool {
        match self.failed_at_insertions {
            Some(failed_at) if failed_at == insertions => return false,
            Some(_) => *self = Self { first: self.first, place: self.first, ..Self::default() },
            None => {}
        }
        self.settled_frames = if all_loaded { self.settled_frames + 1 } else { 0 };
        self.waited_s += delta_s;
        self.settled_frames > SETTLED_FRAMES || self.waited_s > WAIT_MAX_S
    }

    /// No floor was found at the place: the search goes on at the scan's start place, or ends.
    pub fn search_on(&mut self, start_place: Option<Place>, insertions: u64) {
        match start_place.filter(|_| !self.is_at_start_place) {
            Some(place) => *self = Self { first: self.first, place, is_at_start_place: true, ..Self::default() },
            None => self.failed_at_insertions = Some(insertions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_for_the_first_floor_waits_for_the_tiles_around_its_place() {
        let mut walker = Walker::default();
        let may_search: Vec<bool> =
            [true, true, false, true, true, true].into_iter().map(|all_loaded| walker.may_search(all_loaded, 1, 0.1)).collect();
        assert_eq!(may_search, [false, false, false, false, false, true]);
        assert!(Walker::default().may_search(false, 1, WAIT_MAX_S + 1.0));
    }

    #[test]
    fn the_search_goes_on_at_the_start_place_then_says_that_it_failed_and_begins_again_after_further_tiles() {
        let mut walker = Walker::starting_at(DVec3::new(1.0, 2.0, 9.0));
        let start = Place { from: DVec3::new(40.0, 2.0, 1.7), yaw: Some(1.0) };
        assert!(walker.may_search(false, 5, WAIT_MAX_S + 1.0) && walker.is_starting());
        walker.search_on(Some(start), 5);
        assert!(walker.place() == start && walker.is_starting() && walker.message().is_none());
        assert!(!walker.may_search(true, 5, SILENT_S + 0.1), "the tiles of the new place are waited for");
        assert!(walker.message().is_some());
        walker.search_on(Some(start), 5);
        assert!(walker.has_failed() && !walker.is_starting());
        assert!(walker.message().is_some_and(|message| message.contains("No floor")));
        assert!(!walker.may_search(true, 5, 60.0), "nothing has changed");
        assert!(!walker.may_search(true, 6, 0.1) && walker.is_starting());
        assert_eq!(walker.place().from, DVec3::new(1.0, 2.0, 9.0));
        let mut elsewhere = Walker::starting_at(DVec3::ONE);
        elsewhere.search_on(None, 5);
        assert!(elsewhere.has_failed());
    }

    #[test]
    fn the_way_down_takes_its_time_and_shows_a_picture_between_however_slow_the_frames_are() {
        let from = Pose { eye: DVec3::new(-60.0, -80.0, 70.0), yaw: 0.3, pitch: -0.6 };
        let to = Pose { eye: DVec3::new(5.0, 5.0, 1.7), yaw: TAU - 0.1, pitch: 0.0 };
        for (delta_s, frames) in [(0.016, 60..=94), (0.1, 10..=15), (0.5, 3..=3), (1.7, 2..=2), (60.0, 2..=2)] {
            let mut descent = Descent::new(from, to, 0.0);
            let mut heights = vec![from.eye.z];
            let floor_m = loop {
                let (pose, floor_m) = descent.advance(delta_s);
                heights.push(pose.eye.z);
                if floor_m.is_some() {
                    assert_eq!(pose, to);
                    break floor_m;
                }
                // From 0.3 down through 0 to -0.1.
                assert!(pose.yaw < 0.31 || pose.yaw > TAU - 0.11, "{pose:?}");
            };
            assert_eq!(floor_m, Some(0.0));
            assert!(frames.contains(&(heights.len() - 1)), "{} frames of {delta_s} s", heights.len() - 1);
            assert!(heights.windows(2).all(|pair| pair[1] < pair[0]), "{heights:?}");
            assert!(heights.len() > 2 && delta_s * (heights.len() as f64 - 2.0) < 1.5 || delta_s > 0.5);
        }
        let near = Pose { eye: to.eye + DVec3::Z * 0.3, ..to };
        assert_eq!(Descent::new(near, to, 0.0).advance(0.0), (to, Some(0.0)), "at once");
        let mut waiting = Descent::new(from, to, 0.0);
        assert_eq!(waiting.advance(0.0), (from, None));
    }
}
