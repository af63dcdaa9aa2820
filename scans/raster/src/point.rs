//! A point as the pictures need it.

use glam::DVec3;

/// A point to draw, in the scan frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColoredPoint {
    /// Metres, Z up.
    pub position: DVec3,
    /// sRGB.
    pub color: [u8; 3],
}
