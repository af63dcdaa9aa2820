//! The last stage: thumbnail, plans and the survey's figures.
//!
//! The pictures are drawn from whole coarse levels of the octree: an even choice of the scan, enough for a picture however large the scan is. The
//! figures of density and noise need every point of some places: those of a few leaves and of what lies above them.
//! The same points give the same pictures, whichever encodings are made.

use std::path::Path;

use rayon::prelude::*;

use super::encode::Encoder;
use super::sketch::{Sketch, sketch};
use super::write::Nodes;
use parterre_model::{Error, Result};
use parterre_raster::survey::{self, Survey};
use parterre_raster::{Drawing, Level};

/// Points that pictures are drawn from, at most about.
const PICTURE_POINTS: u64 = 2_000_000;
/// Memory that drawing takes for each of them.
const POINT_BYTES: u64 = 160;
/// Memory that a picture takes while it is drawn.
const PICTURE_BYTES: u64 = 48 << 20;
/// Leaves that the figures are taken in.
const PATCHES: usize = 48;
/// Width and height of the thumbnail.
const THUMBNAIL: (u32, u32) = (640, 400);
/// Width and height of a plan.
const PLAN: (u32, u32) = (1200, 900);

/// What was drawn and found.
pub(super) struct Pictures {
    /// Names and lengths of the files in the folder: the thumbnail, then the plans.
    pub(super) files: Vec<(String, u64)>,
    /// Levels, in the order of their plans.
    pub(super) levels: Vec<Level>,
    /// The figures.
    pub(super) survey: Survey,
}

/// Draws `thumbnail.png` and `plan-1.png`… into `dir`, lowest level first, in about `memory_bytes`. `check` says when to stop.
///
/// # Errors
/// Those of reading the nodes, `io`, and what `check` gives.
pub(super) fn draw(
    nodes: &Nodes,
    encoder: &Encoder,
    dir: &Path,
    memory_bytes: u64,
    check: &(dyn Fn() -> Result<()> + Sync),
) -> Result<Pictures> {
    let most = (memory_bytes / POINT_BYTES).min(PICTURE_POINTS);
    let Sketch { overview, patches } = sketch(nodes, encoder, most, PATCHES, check)?;
    check()?;
    let (survey, drawing) = rayon::join(|| survey::survey(&overview, &patches), || Drawing::new(&overview));
    let drawing = drawing?;
    drop((overview, patches));
    check()?;
    let keep = |name: String, picture: Result<Vec<u8>>| {
        let path = dir.join(&name);
        let picture = picture?;
        std::fs::write(&path, &picture).map_err(|error| Error::io("write", path, error))?;
        check().map(|()| (name, picture.len() as u64))
    };
    let one = |level: Option<&Level>| match level {
        None => keep("thumbnail.png".into(), drawing.thumbnail(THUMBNAIL.0, THUMBNAIL.1)),
        Some(level) => keep(format!("plan-{}.png", level.number), drawing.plan(level, PLAN.0, PLAN.1)),
    };
    let wanted: Vec<Option<&Level>> = std::iter::once(None).chain(drawing.levels().iter().map(Some)).collect();
    let at_a_time = (memory_bytes / 4 / PICTURE_BYTES).max(1) as usize;
    let mut files = Vec::new();
    for some in wanted.chunks(at_a_time) {
        files.extend(some.par_iter().map(|&level| one(level)).collect::<Result<Vec<_>>>()?);
    }
    Ok(Pictures { files, levels: drawing.levels().to_vec(), survey })
}
