//! Stage 5: thumbnail, plans and the survey's figures; setups and images of the sources.
//!
//! The pictures are drawn from all nodes of the coarse levels: an even selection of the points, enough for a picture however large the scan is. The
//! figures of density and noise need every point in some places: those of a few leaves and of the nodes above them.
//! The same points give the same pictures, whichever encodings are made.

pub(crate) mod picture_points;
pub(crate) mod setups_and_images;

use std::path::Path;

use rayon::prelude::*;

use self::picture_points::{PicturePoints, select};
use crate::build::encoder::Encoder;
use crate::write::nodes::Nodes;
use parterre_model::{Error, Result};
use parterre_raster::survey::{Survey, survey};
use parterre_raster::{Drawing, Level};

/// About the most points that pictures are drawn from.
const PICTURE_POINTS: u64 = 2_000_000;
/// Bytes that drawing takes for each of them: the point (32), a copy of those that the thumbnail shows in a vector that doubles as it grows (64), the sorted
/// keys and the radii of discs (20), and columns.
const POINT_BYTES: u64 = 128;
/// Bytes that a picture takes while it is drawn.
const PICTURE_BYTES: u64 = 48 << 20;
/// Points that are drawn even where the memory does not hold them.
const LEAST_POINTS: u64 = 50_000;
/// Leaves in which the survey takes its figures.
const PATCHES: usize = 48;
/// Width and height of the thumbnail.
const THUMBNAIL: (u32, u32) = (640, 400);
/// Width and height of a plan.
const PLAN: (u32, u32) = (1200, 900);

/// The result of drawing.
pub(crate) struct Pictures {
    /// Names and lengths of the files in the folder: the thumbnail, then the plans.
    pub(crate) files: Vec<(String, u64)>,
    /// Levels, in the order of their plans.
    pub(crate) levels: Vec<Level>,
    /// The figures of the survey.
    pub(crate) survey: Survey,
}

/// Draws `thumbnail.png` and `plan-1.png`… into `dir`, lowest level first, in about `memory_bytes`. `check` fails when the run is to stop.
///
/// # Errors
/// `io`, and those of `check`.
pub(crate) fn draw(
    nodes: &Nodes,
    encoder: &Encoder,
    dir: &Path,
    memory_bytes: u64,
    check: &(dyn Fn() -> Result<()> + Sync),
) -> Result<Pictures> {
    let most = (memory_bytes.saturating_sub(PICTURE_BYTES) / POINT_BYTES).clamp(LEAST_POINTS, PICTURE_POINTS);
    let PicturePoints { overview, places } = select(nodes, encoder, most, PATCHES, check)?;
    check()?;
    let survey = survey(&overview, &places);
    let points = overview.len() as u64;
    let drawing = Drawing::new(overview)?;
    check()?;
    let write = |name: String, picture: Result<Vec<u8>>| {
        let path = dir.join(&name);
        let picture = picture?;
        std::fs::write(&path, &picture).map_err(|error| Error::io("write", path, error))?;
        check().map(|()| (name, picture.len() as u64))
    };
    let draw_one = |level: Option<&Level>| match level {
        None => write("thumbnail.png".into(), drawing.thumbnail(THUMBNAIL.0, THUMBNAIL.1)),
        Some(level) => write(format!("plan-{}.png", level.number), drawing.plan(level, PLAN.0, PLAN.1)),
    };
    let wanted: Vec<Option<&Level>> = std::iter::once(None).chain(drawing.levels().iter().map(Some)).collect();
    let at_a_time = (memory_bytes.saturating_sub(points * POINT_BYTES) / PICTURE_BYTES).max(1) as usize;
    let mut files = Vec::new();
    for some in wanted.chunks(at_a_time) {
        files.extend(some.par_iter().map(|&level| draw_one(level)).collect::<Result<Vec<_>>>()?);
    }
    Ok(Pictures { files, levels: drawing.levels().to_vec(), survey })
}
