//! Pictures of a scan for people who choose: thumbnails and plans, drawn on the processor.
//!
//! A thumbnail shows the scan at an angle from above. Where most of the scan lies under a roof, the roof and the near walls are left out
//! ([`columns`]), so that the rooms show. A plan shows a level from above ([`levels`] finds them), cut at the height of a person.
//!
//! Limits: points further than 1e9 m from the origin, and those that are not numbers, are not drawn; few points far from all
//! others do not widen the picture.

pub(crate) mod columns;
mod font;
mod levels;
mod oblique;
mod plans;
pub mod splat;
pub mod survey;

use std::io::Cursor;

use glam::DVec3;
use image::{ImageFormat, RgbImage};

use parterre_model::points::Bounds;
use parterre_model::{Error, Result};

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

use self::levels::Storeys;
pub use self::levels::{Level, largest as largest_level};

/// A scan made ready for drawing: its points without strays, its levels. Makes all the pictures of one scan.
pub struct Drawing {
    points: Vec<ColoredPoint>,
    bounds: Bounds,
    storeys: Storeys,
}

impl Drawing {
    /// Looks at the points. Fails with `nothing_to_draw` where none can be drawn.
    pub fn new(points: &[ColoredPoint]) -> Result<Self> {
        let (points, bounds) = drawable(points)?;
        let storeys = Storeys::new(&points, bounds);
        Ok(Self { points, bounds, storeys })
    }

    /// The levels, lowest first; never none.
    pub fn levels(&self) -> &[Level] {
        &self.storeys.levels
    }

    /// Index of the level with the largest area.
    pub fn main_level(&self) -> usize {
        self.storeys.main()
    }

    /// Draws an oblique view of the whole scan; returns a PNG of the size asked for. Fails with `picture_size` for an edge of 0 or more than
    /// [`MAX_PIXELS`].
    pub fn thumbnail(&self, width: u32, height: u32) -> Result<Vec<u8>> {
        check_size(width, height)?;
        let floor = self.storeys.levels[self.storeys.main()].floor_m;
        png(&oblique::draw(&self.points, self.bounds, floor, width, height))
    }

    /// Draws a level from above, with a scale bar, its number and heights; returns a PNG of the size asked for.
    ///
    /// The floor is drawn light, what stands on it up to 1 m above in grey, and what is met between 1 m and 1.8 m in black. All levels of a
    /// scan come at the same scale and place. Fails with `picture_size`.
    pub fn plan(&self, level: &Level, width: u32, height: u32) -> Result<Vec<u8>> {
        check_size(width, height)?;
        png(&plans::draw(&self.points, self.bounds, &self.storeys, level, width, height))
    }
}

/// The levels of a scan, lowest first; never none. Fails with `nothing_to_draw` where no point can be drawn.
pub fn levels(points: &[ColoredPoint]) -> Result<Vec<Level>> {
    Ok(Drawing::new(points)?.levels().to_vec())
}

/// Draws an oblique view of the whole scan; see [`Drawing::thumbnail`].
///
/// Errors: `nothing_to_draw` where no point can be drawn, `picture_size` for an edge of 0 or more than [`MAX_PIXELS`].
pub fn thumbnail(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    Drawing::new(points)?.thumbnail(width, height)
}

/// Draws the level with the largest area; see [`Drawing::plan`]. Errors as for [`thumbnail`].
pub fn plan(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    let drawing = Drawing::new(points)?;
    drawing.plan(&drawing.levels()[drawing.main_level()], width, height)
}

/// Draws a level of [`levels`]; see [`Drawing::plan`]. Errors as for [`thumbnail`].
pub fn level_plan(points: &[ColoredPoint], level: &Level, width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    Drawing::new(points)?.plan(level, width, height)
}

/// The colour of a share of a height, 0 to 1, for points that have none: dusk to daylight, in even steps of lightness.
pub fn height_color(share: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 5] =
        [[54.0, 60.0, 112.0], [42.0, 110.0, 142.0], [72.0, 160.0, 130.0], [176.0, 196.0, 112.0], [246.0, 226.0, 150.0]];
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let index = (place as usize).min(STOPS.len() - 2);
    let rest = place - index as f64;
    [0, 1, 2].map(|channel| {
        let (from, to) = (STOPS[index][channel], STOPS[index + 1][channel]);
        (from + (to - from) * rest) as u8
    })
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
