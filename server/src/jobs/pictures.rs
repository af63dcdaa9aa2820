//! Thumbnail and plan of a scan, drawn from the coarse levels of its tiles: enough points for a picture, however large
//! the scan is.

use std::path::Path;

use anyhow::{Context as _, bail};
use parterre_scans::raster::{self, ColoredPoint};
use parterre_scans::tiler;

/// Points that a picture is drawn from, at most about.
const PICTURE_POINTS: u64 = 2_000_000;

/// Width and height of a thumbnail.
const THUMBNAIL: (u32, u32) = (640, 400);
/// Width and height of a plan, at most.
const PLAN: (u32, u32) = (1200, 900);

/// Two PNGs.
#[derive(Debug)]
pub struct Pictures {
    /// The scan seen from a corner above.
    pub thumbnail: Vec<u8>,
    /// The scan seen from above.
    pub plan: Vec<u8>,
}

/// Draws both pictures.
pub fn draw(points: &[ColoredPoint]) -> anyhow::Result<Pictures> {
    Ok(Pictures {
        thumbnail: raster::thumbnail(points, THUMBNAIL.0, THUMBNAIL.1).context("failed to draw the thumbnail")?,
        plan: raster::plan(points, PLAN.0, PLAN.1).context("failed to draw the plan")?,
    })
}

/// Reads whole levels of tiles, coarse ones first, as many as a picture needs. Positions are in the scan frame.
///
/// # Errors
/// Those of reading the tiles, and where they hold no point.
pub fn coarse_points(archive: &Path) -> anyhow::Result<Vec<ColoredPoint>> {
    let tiles = tiler::read_back(archive)?;
    let origin = tiles.extras().frame.origin_m;
    let mut points = Vec::new();
    for part in tiles.overview(PICTURE_POINTS)?.iter().flat_map(|tile| &tile.parts) {
        points.extend(part.vertices.iter().map(|vertex| {
            let [r, g, b, _] = vertex.color;
            ColoredPoint { position: origin + part.position_m(vertex), color: [r, g, b] }
        }));
    }
    if points.is_empty() {
        bail!("the tiles hold no point");
    }
    Ok(points)
}
