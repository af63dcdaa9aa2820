//! Tracing a picture: colour, depth, and which pixels show thin things or look through openings.
//!
//! A pixel's colour is the mean over 4 x 4 rays, in linear light. One ray would make a picture with steps at its edges and noise in
//! patterns finer than a pixel, which differ with every shift of the camera; another picture, however good, would be measured
//! against that noise. Everything else belongs to the ray through the pixel's centre, because depths cannot be averaged over an edge.

use glam::{DVec3, Vec3};
use rayon::prelude::*;

use super::super::hall::Venue;
use super::super::passage::{Passage, PassageKind};
use super::super::scanner::{color, srgb8};
use super::camera::Camera;

/// Rays along each side of a pixel.
const RAYS: u32 = 4;
/// Farther than across any venue. Metres of depth.
const REACH_M: f64 = 500.0;
/// Distance from a surface within which a drawn point lies on it.
pub const ON_SURFACE_M: f64 = 0.05;
/// Largest tolerance of the depth, on surfaces seen at a very small angle. Metres.
const TOLERANCE_MAX_M: f64 = 1.0;
/// An opening counts where what is seen through it is at least this far behind it. Metres of depth.
const BEHIND_M: f64 = 0.3;
/// Wider openings do not count: nothing that fills gaps between points would close them. Metres.
const OPENING_MAX_M: f64 = 4.0;

/// Bits of [`Picture::marks`].
pub mod mark {
    /// The ray meets a railing.
    pub const RAILING: u8 = 1;
    /// The ray passes through an opening of a wall.
    pub const OPENING: u8 = 2;
    /// The ray passes between the bars of a railing.
    pub const GAP: u8 = 4;
}

/// A traced picture: rows from the top, pixels from the left.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// sRGB.
    pub color: Vec<[u8; 3]>,
    /// Distance of the surface along the direction of view, metres; infinite where there is none.
    pub depth: Vec<f32>,
    /// Unit normal of the surface; 0 where there is none.
    pub normal: Vec<Vec3>,
    /// By how much a drawn depth may differ from the true one while the drawn point lies within [`ON_SURFACE_M`] of the plane of the
    /// surface seen here: [`ON_SURFACE_M`] on a surface seen at right angles, more on one seen at a small angle, at most 1 m.
    pub tolerance: Vec<f32>,
    /// Bits of [`mark`].
    pub marks: Vec<u8>,
    /// Where the ray passes an opening or a gap: the smallest drawn depth at which that is not closed. 0 elsewhere.
    ///
    /// It lies 0.15 m behind the farthest opening passed, on its far side: half of what is free there at least. A renderer
    /// that fills the opening draws at the depth of its frame or bars, or between those of its edges, and so nearer.
    pub open_depth: Vec<f32>,
}

struct Pixel {
    color: [u8; 3],
    depth: f32,
    normal: Vec3,
    tolerance: f32,
    marks: u8,
    open_depth: f32,
}

/// Traces a picture of the venue; `background` (sRGB, 0 to 1) is shown where a ray meets nothing.
pub fn trace(venue: &Venue, camera: &Camera, background: [f32; 3]) -> Picture {
    let [width, height] = camera.size;
    let linear = linear_table();
    let background = srgb8(Vec3::from_array(background));
    let passages: Vec<&Passage> =
        venue.scene.passages().iter().filter(|p| p.kind == PassageKind::Railing || p.width_m <= OPENING_MAX_M).collect();
    let pixels: Vec<Pixel> = (0..width * height)
        .into_par_iter()
        .map(|index| {
            let (x, y) = (f64::from(index % width), f64::from(index / width));
            let mut sum = Vec3::ZERO;
            for ray in 0..RAYS * RAYS {
                let part = |step: u32| (f64::from(step) + 0.5) / f64::from(RAYS);
                let direction = camera.ray(x + part(ray % RAYS), y + part(ray / RAYS));
                sum += Vec3::from_array(seen(venue, camera.eye, direction).unwrap_or(background).map(|c| linear[usize::from(c)]));
            }
            let center = camera.ray(x + 0.5, y + 0.5);
            let mean = sum / (RAYS * RAYS) as f32;
            Pixel {
                color: srgb8(Vec3::from_array(mean.to_array().map(srgb_from_linear))),
                ..at_center(venue, camera.eye, center, &passages)
            }
        })
        .collect();
    Picture {
        size: camera.size,
        color: pixels.iter().map(|p| p.color).collect(),
        depth: pixels.iter().map(|p| p.depth).collect(),
        normal: pixels.iter().map(|p| p.normal).collect(),
        tolerance: pixels.iter().map(|p| p.tolerance).collect(),
        marks: pixels.iter().map(|p| p.marks).collect(),
        open_depth: pixels.iter().map(|p| p.open_depth).collect(),
    }
}

/// The colour that a ray meets.
fn seen(venue: &Venue, eye: DVec3, direction: DVec3) -> Option<[u8; 3]> {
    let hit = venue.scene.first_hit(eye, direction, REACH_M)?;
    let (at, normal) = (eye + direction * f64::from(hit.distance), Vec3::from(hit.normal));
    let look = venue.scene.solids()[hit.solid as usize].material.look(at, normal);
    Some(srgb8(color(venue, look, normal, at)))
}

/// What the ray through a pixel's centre tells, without the colour.
fn at_center(venue: &Venue, eye: DVec3, direction: DVec3, passages: &[&Passage]) -> Pixel {
    let hit = venue.scene.first_hit(eye, direction, REACH_M);
    let depth = hit.map_or(f64::INFINITY, |hit| f64::from(hit.distance));
    let steepness = hit.map_or(1.0, |hit| hit.normal.as_dvec3().dot(direction).abs());
    let mut marks = if hit.is_some_and(|hit| venue.scene.is_railing(hit.solid)) { mark::RAILING } else { 0 };
    let mut open_depth = 0.0_f64;
    for passage in passages {
        let Some(left) = passage.leave(eye, direction) else { continue };
        if left + BEHIND_M <= depth {
            marks |= if passage.kind == PassageKind::Wall { mark::OPENING } else { mark::GAP };
            open_depth = open_depth.max(left + BEHIND_M * 0.5);
        }
    }
    Pixel {
        color: [0; 3],
        depth: depth as f32,
        normal: hit.map_or(Vec3::ZERO, |hit| Vec3::from(hit.normal)),
        tolerance: (ON_SURFACE_M / steepness).min(TOLERANCE_MAX_M) as f32,
        marks,
        open_depth: open_depth as f32,
    }
}

/// Linear light for each 8-bit value of sRGB (IEC 61966-2-1).
fn linear_table() -> [f32; 256] {
    std::array::from_fn(|value| {
        let c = value as f32 / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
}

fn srgb_from_linear(c: f32) -> f32 {
    if c <= 0.003_130_8 { c * 12.92 } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 }
}
