//! The folder of references: exact pictures of the demo venue, and what its scan could show at best.
//!
//! For each view NAME, in the size of the view:
//!
//! - `NAME.png`: the exact picture.
//! - `NAME.depth`: its depths, raw (see [`super::files`]), metres along the direction of view, infinite where nothing is.
//! - `NAME.tolerance`: raw, by how much a drawn depth may differ and still lie on the surface.
//! - `NAME.open`: raw, the smallest drawn depth at which an opening that the pixel looks through is not closed; 0 elsewhere.
//! - `NAME.marks.png`: grey values whose bits are those of [`parterre_venue::picture::trace::mark`], and [`SCANNED`].
//! - `NAME.ceiling.png`: each pixel's surface in the colour of the nearest point of the whole scan, so the best that a viewer which shows
//!   one point a pixel could draw. One that averages points can come nearer to the truth.
//!
//! `views.json` lists the views. A view of which the scan holds too little is left out (see [`SCANNED_SHARE_MIN`]).

use std::fs;
use std::path::Path;

use glam::DVec3;
use image::{GrayImage, Luma, Rgb, RgbImage};
use parterre_model::{Error, Result};
use parterre_venue::hall::Venue;
use parterre_venue::picture::camera::{Camera, View};
use parterre_venue::picture::trace::{Picture, trace};
use parterre_venue::picture::views::views;
use parterre_venue::scanner::{SCANNER, Sample, scan};
use rayon::prelude::*;

use super::files::{NamedCamera, write, write_json, write_png, write_raw};
use super::nearest::Nearest;

/// The viewer's background, sRGB (`BACKGROUND` in `viewer/src/points/queue.rs`).
pub const BACKGROUND: [f32; 3] = [0.106, 0.133, 0.165];
/// Bit of the marks: the scan holds the surface, by a point on its plane within [`SCANNED_M`].
pub const SCANNED: u8 = 8;
/// Two to three times the spacing of the points in the demo venue of 4 M points.
const SCANNED_M: f64 = 0.15;
/// Five times the noise of the scanner: a point of the other face of a door leaf does not show this one.
const ON_PLANE_M: f64 = 0.01;
/// Views in which the scan holds a smaller share of the surface are left out: a scanner inside a building does not see its roof from above.
const SCANNED_SHARE_MIN: f64 = 0.5;
/// Surfaces farther from all points have no colour in the ceiling. Metres.
const CEILING_REACH_M: f64 = 1.0;

/// What to make.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of the venue, its scan and the eye positions.
    pub seed: u64,
    /// Points of the scan, as given to `parterre demo`.
    pub points: u64,
    /// Eye positions besides the venue's viewpoints.
    pub eyes: usize,
    /// Width and height in pixels.
    pub size: [u32; 2],
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, points: parterre_venue::Options::default().points, eyes: 20, size: [960, 600] }
    }
}

/// A view that was traced.
#[derive(Clone, Debug)]
pub struct Traced {
    /// Its name.
    pub name: String,
    /// Share of the pixels with a surface of which the scan holds that surface.
    pub scanned: f64,
    /// Whether it belongs to the references.
    pub is_kept: bool,
}

/// Writes the references into `dir`, which is made if it is missing; tells each view as it is done.
pub fn write_references(dir: &Path, options: &Options, done: &mut dyn FnMut(&Traced)) -> Result<()> {
    fs::create_dir_all(dir).map_err(|source| Error::io("create", dir, source))?;
    let venue = Venue::concert_hall(options.seed);
    // The same samples as in the file that `parterre demo` writes.
    let samples = scan(&venue, options.seed, options.points, &|_| ());
    let nearest = Nearest::new(samples.iter().map(position));
    let mut cameras = Vec::new();
    for view in views(&venue, options.seed, options.eyes) {
        let camera = Camera::looking(view.eye, view.target, options.size);
        let picture = trace(&venue, &camera, BACKGROUND);
        let (ceiling, marks) = at_best(&picture, &camera, &nearest, &samples);
        let surface = picture.depth.iter().filter(|depth| depth.is_finite()).count();
        let scanned = marks.iter().filter(|&&bits| bits & SCANNED != 0).count() as f64 / surface.max(1) as f64;
        let traced = Traced { name: view.name.clone(), scanned, is_kept: scanned >= SCANNED_SHARE_MIN };
        if traced.is_kept {
            write_view(dir, &view.name, &picture, &ceiling, &marks)?;
            cameras.push(NamedCamera { name: view.name.clone(), camera: eye_and_target(&view) });
        }
        done(&traced);
    }
    write_json(&dir.join("views.json"), &cameras)
}

fn position(sample: &Sample) -> DVec3 {
    DVec3::from_array(sample.position.map(f64::from)) * SCANNER.resolution_m
}

fn eye_and_target(view: &View) -> [f64; 6] {
    let ([ex, ey, ez], [tx, ty, tz]) = (view.eye.to_array(), view.target.to_array());
    [ex, ey, ez, tx, ty, tz]
}

/// The best picture that single points give, and the marks with those of scanned surfaces.
fn at_best(picture: &Picture, camera: &Camera, nearest: &Nearest, samples: &[Sample]) -> (Vec<[u8; 3]>, Vec<u8>) {
    let width = picture.size[0];
    let background = BACKGROUND.map(|c| (c * 255.0).round() as u8);
    (0..picture.depth.len())
        .into_par_iter()
        .map(|index| {
            let (depth, marks) = (f64::from(picture.depth[index]), picture.marks[index]);
            if !depth.is_finite() {
                return (background, marks);
            }
            let ray = camera.ray(f64::from(index as u32 % width) + 0.5, f64::from(index as u32 / width) + 0.5);
            let at = camera.eye + ray * depth;
            let normal = picture.normal[index].as_dvec3();
            let is_scanned = nearest.nearest_where(at, SCANNED_M, |point| (point - at).dot(normal).abs() <= ON_PLANE_M).is_some();
            let color = nearest.nearest(at, CEILING_REACH_M).map_or(background, |(number, _)| samples[number as usize].color);
            (color, if is_scanned { marks | SCANNED } else { marks })
        })
        .unzip()
}

fn write_view(dir: &Path, name: &str, picture: &Picture, ceiling: &[[u8; 3]], marks: &[u8]) -> Result<()> {
    let [width, height] = picture.size;
    let file = |extension: &str| dir.join(format!("{name}.{extension}"));
    let rgb = |colors: &[[u8; 3]]| RgbImage::from_fn(width, height, |x, y| Rgb(colors[(y * width + x) as usize]));
    write_png(&file("png"), &rgb(&picture.color))?;
    write_png(&file("ceiling.png"), &rgb(ceiling))?;
    let gray = GrayImage::from_fn(width, height, |x, y| Luma([marks[(y * width + x) as usize]]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    gray.write_to(&mut bytes, image::ImageFormat::Png).map_err(|error| Error::Internal(format!("marks could not be encoded: {error}")))?;
    write(&file("marks.png"), &bytes.into_inner())?;
    write_raw(&file("depth"), &picture.depth)?;
    write_raw(&file("tolerance"), &picture.tolerance)?;
    write_raw(&file("open"), &picture.open_depth)
}
