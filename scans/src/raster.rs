//! Pictures of a scan for people who choose: thumbnails and plans, drawn on the processor.

use glam::DVec3;

use crate::error::{Error, Result};

/// A point to draw, in the scan frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColoredPoint {
    /// Metres, Z up.
    pub position: DVec3,
    /// sRGB.
    pub color: [u8; 3],
}

/// Draws an oblique view of the whole scan; returns a PNG.
pub fn thumbnail(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    let _ = (points, width, height);
    Err(Error::Internal("pictures are not here yet".into()))
}

/// Draws the scan from above, with a scale bar and the height range; returns a PNG.
pub fn plan(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    let _ = (points, width, height);
    Err(Error::Internal("pictures are not here yet".into()))
}
