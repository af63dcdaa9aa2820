//! What the walk mode remembers between frames.

use bevy::math::DVec3;

/// Frames until the choice of tiles has taken in where the walker stands.
const SETTLED_FRAMES: u32 = 2;
/// Longest wait for tiles. Seconds.
const WAIT_S: f64 = 8.0;

/// The walker's feet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walker {
    /// Height of the floor stood on; scan frame, metres. `None` until one is found.
    pub foot_m: Option<f64>,
    /// Seconds for which "no floor here" is still shown.
    pub no_floor_s: f64,
    /// From here a first floor is looked for downwards. Scan frame, metres.
    pub drop_from_m: f64,
    /// Frames in a row in which the tiles round the feet were all here.
    settled_frames: u32,
    /// Seconds since the walker waits for them.
    waited_s: f64,
    /// What was in memory when the search for a first floor failed.
    pub failed_at: Option<u64>,
}

impl Walker {
    /// A walker who has to find the floor below `start` (scan frame, metres).
    pub fn dropped_at(start: DVec3) -> Self {
        Self { drop_from_m: start.z, ..Self::default() }
    }

    /// Whether the first floor may be searched for now; called once a frame. `all_loaded`: every wanted tile is in memory.
    ///
    /// Coarse tiles have too few points to show the nearest floor, so that a floor further down would be found instead.
    /// After [`WAIT_S`] the tiles that are in memory are used.
    pub fn may_search(&mut self, all_loaded: bool, delta_s: f64) -> bool {
        self.settled_frames = if all_loaded { self.settled_frames + 1 } else { 0 };
        self.waited_s += delta_s;
        self.settled_frames > SETTLED_FRAMES || self.waited_s > WAIT_S
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
        assert!(Walker::default().may_search(false, WAIT_S + 1.0));
    }
}
