//! State of the walk mode between frames.

use bevy::math::DVec3;

/// Number of frames after which the selected tiles correspond to the walker's position.
const SETTLED_FRAMES: u32 = 2;
/// Longest wait for tiles before the first floor is searched for. Seconds.
const WAIT_MAX_S: f64 = 8.0;

/// State of the walk mode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walker {
    /// Height of the floor under the walker; scan frame, metres. `None` until a floor is found.
    pub foot_height_m: Option<f64>,
    /// Remaining time of the message that no floor was found. Seconds.
    pub no_floor_message_s: f64,
    /// The first floor is searched for from this height downwards. Scan frame, metres.
    pub search_from_m: f64,
    /// Number of successive frames in which all selected tiles were in memory.
    settled_frames: u32,
    /// Time for which the walker has waited for tiles. Seconds.
    waited_s: f64,
    /// Number of tiles inserted into memory when the search for the first floor failed; it is repeated after further tiles.
    pub failed_at_insertions: Option<u64>,
}

impl Walker {
    /// A walker without a floor yet; the search starts at `start` (scan frame, metres).
    pub fn starting_at(start: DVec3) -> Self {
        Self { search_from_m: start.z, ..Self::default() }
    }

    /// Whether the first floor may be searched for now; called once a frame. `all_loaded`: every selected tile is in memory.
    ///
    /// Coarse tiles have too few points to show the nearest floor, so that a floor further down would be found instead.
    /// After some seconds the search uses the tiles that are in memory.
    pub fn may_search(&mut self, all_loaded: bool, delta_s: f64) -> bool {
        self.settled_frames = if all_loaded { self.settled_frames + 1 } else { 0 };
        self.waited_s += delta_s;
        self.settled_frames > SETTLED_FRAMES || self.waited_s > WAIT_MAX_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_for_the_first_floor_waits_for_the_tiles_around_the_walker() {
        let mut walker = Walker::default();
        let may_search: Vec<bool> =
            [true, true, false, true, true, true].into_iter().map(|all_loaded| walker.may_search(all_loaded, 0.1)).collect();
        assert_eq!(may_search, [false, false, false, false, false, true]);
        assert!(Walker::default().may_search(false, WAIT_MAX_S + 1.0));
    }
}
