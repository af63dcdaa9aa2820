//! Pictures of a scan for people who choose: thumbnails and plans, drawn on the processor.
//!
//! A thumbnail shows the scan at an angle from above. Where most of the scan lies under a roof, the roof and the near walls are left out
//! ([`columns`]), so that the rooms show. A plan shows the main floor from above, cut at the height of a person.
//!
//! Limits: points further than 1e9 m from the origin, and those that are not numbers, are not drawn; few points far from all
//! others do not widen the picture.

pub(crate) mod columns;
mod font;
mod oblique;
mod plans;
pub mod splat;

use std::io::Cursor;

use glam::DVec3;
use image::{ImageFormat, RgbImage};

use crate::error::{Error, Result};
use crate::points::Bounds;

/// A point to draw, in the scan frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColoredPoint {
    /// Metres, Z up.
    pub position: DVec3,
    /// sRGB.
    pub color: [u8; 3],
}

/// Largest edge of a picture.
pub const MAX_PIXELS: u32 = 8192;

/// Draws an oblique view of the whole scan; returns a PNG of the size asked for.
///
/// Errors: `nothing_to_draw` where no point can be drawn, `picture_size` for an edge of 0 or more than [`MAX_PIXELS`].
pub fn thumbnail(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    let (points, bounds) = drawable(points)?;
    png(&oblique::draw(&points, bounds, width, height))
}

/// Draws the scan from above, with a scale bar and the height range; returns a PNG of the size asked for.
///
/// The floor that most of the scan lies on is drawn light, what stands on it up to 1 m above in grey, and what is met between 1 m and
/// 1.8 m in black. Errors as for [`thumbnail`].
pub fn plan(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    let (points, bounds) = drawable(points)?;
    png(&plans::draw(&points, bounds, width, height))
}

/// Encodes a picture as PNG.
pub fn png(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(|error| Error::Internal(format!("a picture could not be encoded: {error}")))?;
    Ok(bytes.into_inner())
}

fn check_size(width: u32, height: u32) -> Result<()> {
    if (1..=MAX_PIXELS).contains(&width) && (1..=MAX_PIXELS).contains(&height) {
        return Ok(());
    }
    Err(Error::input("picture_size", format!("a picture of {width} x {height} pixels was asked for"), "Ask for 1 to 8192 pixels an edge."))
}

/// The points that can be drawn, without stray ones, and the box around the bulk of them.
fn drawable(points: &[ColoredPoint]) -> Result<(Vec<ColoredPoint>, Bounds)> {
    const REACH_M: f64 = 1e9;
    let usable = |point: &ColoredPoint| point.position.is_finite() && point.position.abs().max_element() <= REACH_M;
    let mut kept: Vec<ColoredPoint> = points.iter().copied().filter(usable).collect();
    if kept.is_empty() {
        return Err(Error::input(
            "nothing_to_draw",
            format!("none of {} points can be drawn", points.len()),
            "Check that the scan has points and that their coordinates are numbers in metres.",
        ));
    }
    let stride = kept.len().div_ceil(200_000);
    let mut bulk = Bounds::EMPTY;
    let (mut low, mut high) = (DVec3::ZERO, DVec3::ZERO);
    for axis in 0..3 {
        let mut values: Vec<f64> = kept.iter().step_by(stride).map(|point| point.position[axis]).collect();
        values.sort_unstable_by(f64::total_cmp);
        let cut = values.len() / 500;
        low[axis] = values[cut];
        high[axis] = values[values.len() - 1 - cut];
    }
    let margin = (high - low) * 0.1 + 0.5;
    let near = Bounds { min: low - margin, max: high + margin };
    kept.retain(|point| near.contains(point.position));
    for point in &kept {
        bulk.include(point.position);
    }
    Ok((kept, bulk))
}
