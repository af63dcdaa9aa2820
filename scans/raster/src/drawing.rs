//! All pictures of one scan.

use glam::DVec3;

use super::levels::{Level, Storeys};
use super::plans;
use super::png::{check_size, png};
use super::point::ColoredPoint;
use super::thumbnail::draw as draw_thumbnail;
use parterre_model::points::Bounds;
use parterre_model::{Error, Result};

/// A scan prepared for drawing: its points without outliers, its levels. Makes all pictures of one scan.
pub struct Drawing {
    points: Vec<ColoredPoint>,
    bounds: Bounds,
    storeys: Storeys,
}

impl Drawing {
    /// Finds the levels of the points. Fails with `nothing_to_draw` where none can be drawn.
    pub fn new(points: Vec<ColoredPoint>) -> Result<Self> {
        let (points, bounds) = drawable(points)?;
        let storeys = Storeys::new(&points, bounds);
        Ok(Self { points, bounds, storeys })
    }

    /// The levels, lowest first; at least one.
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
        png(&draw_thumbnail(&self.points, self.bounds, floor, width, height))
    }

    /// Draws a level from above, with a scale bar, its number and heights; returns a PNG of the size asked for.
    ///
    /// The floor is drawn light, objects up to 1 m above it in grey, and walls and objects between 1 m and 1.8 m in black. The plans of all levels of a
    /// scan have the same scale and position. Fails with `picture_size`.
    pub fn plan(&self, level: &Level, width: u32, height: u32) -> Result<Vec<u8>> {
        check_size(width, height)?;
        png(&plans::draw(&self.points, self.bounds, &self.storeys, level, width, height))
    }
}

/// The levels of a scan, lowest first; at least one. Fails with `nothing_to_draw` where no point can be drawn.
pub fn levels(points: &[ColoredPoint]) -> Result<Vec<Level>> {
    Ok(Drawing::new(points.to_vec())?.levels().to_vec())
}

/// Draws an oblique view of the whole scan; see [`Drawing::thumbnail`].
///
/// Errors: `nothing_to_draw` where no point can be drawn, `picture_size` for an edge of 0 or more than [`MAX_PIXELS`].
pub fn thumbnail(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    Drawing::new(points.to_vec())?.thumbnail(width, height)
}

/// Draws the level with the largest area; see [`Drawing::plan`]. Errors as for [`thumbnail`].
pub fn plan(points: &[ColoredPoint], width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    let drawing = Drawing::new(points.to_vec())?;
    drawing.plan(&drawing.levels()[drawing.main_level()], width, height)
}

/// Draws a level of [`levels`]; see [`Drawing::plan`]. Errors as for [`thumbnail`].
pub fn level_plan(points: &[ColoredPoint], level: &Level, width: u32, height: u32) -> Result<Vec<u8>> {
    check_size(width, height)?;
    Drawing::new(points.to_vec())?.plan(level, width, height)
}

/// The points that can be drawn, without outliers, and their bounds.
fn drawable(mut kept: Vec<ColoredPoint>) -> Result<(Vec<ColoredPoint>, Bounds)> {
    const REACH_M: f64 = 1e9;
    let usable = |point: &ColoredPoint| point.position.is_finite() && point.position.abs().max_element() <= REACH_M;
    let count = kept.len();
    kept.retain(usable);
    if kept.is_empty() {
        return Err(Error::input(
            "nothing_to_draw",
            format!("none of {count} points can be drawn"),
            "Check that the scan has points and that their coordinates are numbers in metres.",
        ));
    }
    let stride = kept.len().div_ceil(200_000);
    let mut kept_bounds = Bounds::EMPTY;
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
        kept_bounds.include(point.position);
    }
    Ok((kept, kept_bounds))
}
