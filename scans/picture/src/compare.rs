//! Measuring a viewer's pictures against the references.
//!
//! A view is measured where the viewer's folder holds `NAME.png`; the depths count where it holds `NAME.depth` too (distance along the
//! direction of view in metres, raw, infinite where nothing is drawn).
//!
//! - **SSIM** of the picture and of the ceiling, both against the reference.
//! - **Coverage**: of the pixels whose surface the scan holds, the share whose drawn point lies within 5 cm of the surface's plane. A floor seen
//!   at a small angle changes its depth by decimetres from one pixel to the next, so equal depths would ask for more than what can be seen;
//!   `coverage_depth` is the share with depths equal within 5 cm nevertheless, and `coverage_all` counts surfaces that are not in the scan too.
//! - **Railings**: of the pixels that show one, the share whose depth is right within 5 cm. A viewer that loses thin things draws what
//!   is behind them.
//! - **Openings**: of the pixels that look through an opening of a wall or between the bars of a railing, the share whose drawn depth lies
//!   behind it. A viewer that closes gaps draws at the depth of the frame or the bars. Pixels without anything drawn are right
//!   here: they are missing in the coverage. `gaps` are those of railings alone.
//! - **Background**: of the pixels without a surface, the share on which something is drawn.

use std::path::Path;

use image::RgbImage;
use parterre_model::{Error, Result};
use parterre_venue::picture::trace::{ON_SURFACE_M, mark};
use serde::{Deserialize, Serialize};

use super::files::{NamedCamera, read_json, read_png, read_raw};
use super::reference::SCANNED;
use super::ssim::ssim;

/// Views with fewer pixels of a kind do not count for it.
const FEWEST_PIXELS: usize = 200;

/// Figures of one view, or over all views. Shares are 0 to 1, and missing where a view has no such pixels or the viewer gave no
/// depths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Likeness to the reference.
    pub ssim: Option<f64>,
    /// Likeness of the ceiling to the reference.
    pub ceiling: Option<f64>,
    /// The first divided by the second.
    pub ratio: Option<f64>,
    /// Share of the scanned surface that is drawn on its plane.
    pub coverage: Option<f64>,
    /// The same by depth alone.
    pub coverage_depth: Option<f64>,
    /// The first kind of coverage, of all surfaces.
    pub coverage_all: Option<f64>,
    /// Share of the pixels through openings and gaps that are open.
    pub openings: Option<f64>,
    /// The same between the bars of railings alone.
    pub gaps: Option<f64>,
    /// Share of the pixels of railings that show them.
    pub railings: Option<f64>,
    /// Share of the background that is covered.
    pub background: Option<f64>,
}

/// A viewer's pictures, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The viewer.
    pub program: String,
    /// Most points that it could draw in a view.
    pub points: u64,
    /// Its settings, where they were chosen for the measurement.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub setting: String,
    /// Number of views.
    pub views: usize,
    /// Means over the views.
    #[serde(flatten)]
    pub mean: Figures,
    /// Medians over the views.
    pub median: Figures,
    /// Each view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<NamedFigures>,
}

/// A view's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedFigures {
    /// Name of the view.
    pub name: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A view's references in memory.
pub struct Reference {
    /// The exact picture.
    pub picture: RgbImage,
    /// The best of single points.
    pub ceiling: RgbImage,
    /// True depths.
    pub depth: Vec<f32>,
    /// Tolerance of the depth.
    pub tolerance: Vec<f32>,
    /// Depth from which an opening is open; 0 elsewhere.
    pub open: Vec<f32>,
    /// Bits of [`mark`], and [`SCANNED`].
    pub marks: Vec<u8>,
}

impl Reference {
    /// Reads a view's files.
    pub fn read(dir: &Path, name: &str) -> Result<Self> {
        let path = |extension: &str| dir.join(format!("{name}.{extension}"));
        let missing = |extension: &str| {
            Error::input("picture_reference", format!("{} is missing", path(extension).display()), "Make the references again.")
        };
        let png = |extension: &str| read_png(&path(extension))?.ok_or_else(|| missing(extension));
        let picture = png("png")?;
        let pixels = picture.width() as usize * picture.height() as usize;
        let raw = |extension: &str| read_raw(&path(extension), pixels)?.ok_or_else(|| missing(extension));
        let marks = png("marks.png")?.pixels().map(|pixel| pixel[0]).collect();
        Ok(Self { ceiling: png("ceiling.png")?, depth: raw("depth")?, tolerance: raw("tolerance")?, open: raw("open")?, marks, picture })
    }

    /// Measures a picture, and its depths where they are known, of the reference's size.
    pub fn measure(&self, picture: &RgbImage, drawn: Option<&[f32]>) -> Figures {
        let likeness = ssim(&self.picture, picture);
        let ceiling = ssim(&self.picture, &self.ceiling);
        let ratio = likeness.zip(ceiling).map(|(likeness, ceiling)| likeness / ceiling);
        let appearance = Figures { ssim: likeness, ceiling, ratio, ..Figures::default() };
        let Some(drawn) = drawn else { return appearance };
        let share = |counts: &dyn Fn(usize) -> bool, is_right: &dyn Fn(usize) -> bool| {
            let (mut all, mut right) = (0_usize, 0_usize);
            for index in (0..self.depth.len()).filter(|&index| counts(index)) {
                all += 1;
                right += usize::from(is_right(index));
            }
            (all >= FEWEST_PIXELS).then(|| right as f64 / all as f64)
        };
        let has = |bits: u8| move |index: usize| self.marks[index] & bits != 0;
        // A comparison with what is not a number is false: wrong, as it should be.
        let is_on_surface = |index: usize| (drawn[index] - self.depth[index]).abs() <= self.tolerance[index];
        let is_at_depth = |index: usize| (drawn[index] - self.depth[index]).abs() <= ON_SURFACE_M as f32;
        let is_open = |index: usize| drawn[index] >= self.open[index];
        Figures {
            coverage: share(&has(SCANNED), &is_on_surface),
            coverage_depth: share(&has(SCANNED), &is_at_depth),
            coverage_all: share(&|index| self.depth[index].is_finite(), &is_on_surface),
            openings: share(&has(mark::OPENING | mark::GAP), &is_open),
            gaps: share(&has(mark::GAP), &is_open),
            railings: share(&has(mark::RAILING), &is_at_depth),
            background: share(&|index| !self.depth[index].is_finite(), &|index| drawn[index].is_finite()),
            ..appearance
        }
    }
}

/// Measures each view of the references of which `pictures` holds a picture. Errors: `picture_none` where it holds none,
/// `picture_size` for one of another size, and those of reading files.
pub fn compare(references: &Path, pictures: &Path) -> Result<Vec<NamedFigures>> {
    let views: Vec<NamedCamera> = read_json(&references.join("views.json"))?;
    let mut each = Vec::new();
    for NamedCamera { name, .. } in views {
        let path = pictures.join(format!("{name}.png"));
        let Some(picture) = read_png(&path)? else { continue };
        let reference = Reference::read(references, &name)?;
        if picture.dimensions() != reference.picture.dimensions() {
            let message = format!("{:?} pixels instead of {:?}", picture.dimensions(), reference.picture.dimensions());
            return Err(Error::input("picture_size", message, "Draw it in the size of the reference.").in_file(&path));
        }
        let drawn = read_raw(&pictures.join(format!("{name}.depth")), reference.depth.len())?;
        each.push(NamedFigures { figures: reference.measure(&picture, drawn.as_deref()), name });
    }
    if each.is_empty() {
        let message = format!("{} holds no picture of any view", pictures.display());
        return Err(Error::input("picture_none", message, "Draw the views of views.json, each as NAME.png."));
    }
    Ok(each)
}

/// Means and medians over the views.
pub fn summary(each: &[NamedFigures]) -> (Figures, Figures) {
    let over = |pick: &dyn Fn(&mut [f64]) -> f64| {
        let figure = |of: &dyn Fn(&Figures) -> Option<f64>| {
            let mut values: Vec<f64> = each.iter().filter_map(|view| of(&view.figures)).collect();
            (!values.is_empty()).then(|| pick(&mut values))
        };
        Figures {
            ssim: figure(&|f| f.ssim),
            ceiling: figure(&|f| f.ceiling),
            ratio: figure(&|f| f.ratio),
            coverage: figure(&|f| f.coverage),
            coverage_depth: figure(&|f| f.coverage_depth),
            coverage_all: figure(&|f| f.coverage_all),
            openings: figure(&|f| f.openings),
            gaps: figure(&|f| f.gaps),
            railings: figure(&|f| f.railings),
            background: figure(&|f| f.background),
        }
    };
    let mean = over(&|values| values.iter().sum::<f64>() / values.len() as f64);
    let median = over(&|values| {
        values.sort_by(f64::total_cmp);
        (values[(values.len() - 1) / 2] + values[values.len() / 2]) * 0.5
    });
    (mean, median)
}
