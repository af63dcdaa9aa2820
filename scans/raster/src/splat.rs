//! Drawing points as small discs into a depth buffer, filling holes between them, and shading by depth.
//!
//! The shading is eye-dome lighting: a pixel is darkened by how much nearer its neighbours are. It needs no normals and shows
//! shapes of uniform colour. Pictures are drawn at twice their size and scaled down.

use glam::{DVec3, Vec3};
use image::{Rgb, RgbImage};
use rayon::prelude::*;

use super::point::ColoredPoint;

/// A perspective camera. Positions are relative to `eye` before they become f32.
#[derive(Clone, Copy, Debug)]
pub struct Camera {
    /// Position of the eye.
    pub eye: DVec3,
    /// Unit vector to the right of the picture.
    pub right: DVec3,
    /// Unit vector to the top of the picture.
    pub up: DVec3,
    /// Unit vector into the picture.
    pub forward: DVec3,
    /// Focal length in pixels.
    pub focal: f64,
    /// Pixel in the direction of the forward vector.
    pub center: [f64; 2],
}

impl Camera {
    /// Looks from `eye` to `target` with Z up, with this vertical field of view in radians.
    pub fn look(eye: DVec3, target: DVec3, fov: f64, width: u32, height: u32) -> Self {
        let forward = (target - eye).normalize_or(DVec3::Y);
        let right = forward.cross(DVec3::Z).normalize_or(DVec3::X);
        let focal = f64::from(height) * 0.5 / (fov * 0.5).tan();
        Self { eye, right, up: right.cross(forward), forward, focal, center: [f64::from(width) * 0.5, f64::from(height) * 0.5] }
    }

    /// Pixel position and depth in metres; `None` for points behind or very near the camera.
    pub fn project(&self, point: DVec3) -> Option<(f64, f64, f64)> {
        let relative = point - self.eye;
        let depth = relative.dot(self.forward);
        (depth > 0.05).then(|| {
            let scale = self.focal / depth;
            (self.center[0] + relative.dot(self.right) * scale, self.center[1] - relative.dot(self.up) * scale, depth)
        })
    }
}

/// Colour and depth of each pixel; an infinite depth is background.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: usize,
    height: usize,
    depth: Vec<f32>,
    color: Vec<Vec3>,
}

/// How a canvas becomes a picture.
#[derive(Clone, Copy, Debug)]
pub struct Finish {
    /// Colour at the top and at the bottom behind everything.
    pub background: [[u8; 3]; 2],
    /// Strength of the shading; 1 is plain.
    pub shading: f32,
}

/// Background of thumbnails: dark, so that pale walls can be seen; it fits light and dark pages.
pub const DARK: [[u8; 3]; 2] = [[0x1d, 0x23, 0x2c], [0x10, 0x14, 0x1a]];

/// Canvases are this many times finer than their picture, in both directions.
pub const FINER: u32 = 2;

impl Canvas {
    /// An empty canvas of `FINER` times a picture's size.
    pub fn for_picture(width: u32, height: u32) -> Self {
        let (width, height) = ((width * FINER) as usize, (height * FINER) as usize);
        Self { width, height, depth: vec![f32::INFINITY; width * height], color: vec![Vec3::ZERO; width * height] }
    }

    /// Draws points as discs of this radius in metres, at least 0.9 and at most `widest` pixels in radius.
    pub fn splat<'a>(&mut self, camera: &Camera, points: impl IntoIterator<Item = &'a ColoredPoint>, radius_m: f64, widest: f64) {
        for point in points {
            self.disc(camera, point, radius_m, widest);
        }
    }

    /// Draws points as discs, each of its own radius in metres.
    pub fn splat_sized(&mut self, camera: &Camera, points: &[ColoredPoint], radii_m: &[f32], widest: f64) {
        for (point, &radius_m) in points.iter().zip(radii_m) {
            self.disc(camera, point, f64::from(radius_m), widest);
        }
    }

    fn disc(&mut self, camera: &Camera, point: &ColoredPoint, radius_m: f64, widest: f64) {
        let Some((x, y, depth)) = camera.project(point.position) else { return };
        let radius = (radius_m * camera.focal / depth).clamp(0.9, widest);
        if x < -radius || y < -radius || x > self.width as f64 + radius || y > self.height as f64 + radius {
            return;
        }
        let color = Vec3::from(point.color.map(f32::from));
        let reach = |middle: f64, end: usize| {
            let from = (middle - radius).round().max(0.0) as usize;
            from..((middle + radius).round().max(0.0) as usize).min(end)
        };
        for row in reach(y, self.height) {
            for column in reach(x, self.width) {
                let (dx, dy) = (column as f64 + 0.5 - x, row as f64 + 0.5 - y);
                let away = (dx * dx + dy * dy) / (radius * radius);
                if away > 1.3 {
                    continue;
                }
                // Bent back at the rim, so that neighbouring discs meet in the middle between them.
                let depth = (depth + radius_m * 0.35 * away) as f32;
                let pixel = row * self.width + column;
                if depth < self.depth[pixel] {
                    self.depth[pixel] = depth;
                    self.color[pixel] = color;
                }
            }
        }
    }

    /// Fills pixels that are empty, or lie far behind, while most of their neighbours form a surface before them.
    pub fn fill_holes(&mut self, passes: usize) {
        for _ in 0..passes {
            let (depth, color) = (self.depth.clone(), self.color.clone());
            for y in 1..self.height.saturating_sub(1) {
                for x in 1..self.width.saturating_sub(1) {
                    let pixel = y * self.width + x;
                    let limit = depth[pixel] * 0.985 - 0.05;
                    let (mut count, mut sum, mut far, mut near) = (0, Vec3::ZERO, 0.0_f32, f32::INFINITY);
                    for neighbour in around(pixel, self.width) {
                        if depth[neighbour] < limit {
                            count += 1;
                            sum += color[neighbour];
                            far = far.max(depth[neighbour]);
                            near = near.min(depth[neighbour]);
                        }
                    }
                    let needed = if depth[pixel].is_finite() { 6 } else { 5 };
                    if count >= needed && far - near < far * 0.05 {
                        self.depth[pixel] = far;
                        self.color[pixel] = sum / count as f32;
                    }
                }
            }
        }
    }

    /// Shades and scales down to a picture.
    pub fn finish(&self, finish: Finish) -> RgbImage {
        let shade = self.shades(finish.shading);
        let finer = FINER as usize;
        let (width, height) = (self.width / finer, self.height / finer);
        let [top, bottom] = finish.background.map(|color| Vec3::from(color.map(f32::from)));
        RgbImage::from_fn(width as u32, height as u32, |x, y| {
            let behind = top.lerp(bottom, y as f32 / height.max(1) as f32);
            let mut sum = Vec3::ZERO;
            for dy in 0..finer {
                for dx in 0..finer {
                    let pixel = (y as usize * finer + dy) * self.width + x as usize * finer + dx;
                    sum += if self.depth[pixel].is_finite() { self.color[pixel] * shade[pixel] } else { behind };
                }
            }
            Rgb((sum / (finer * finer) as f32).to_array().map(|c| c.clamp(0.0, 255.0) as u8))
        })
    }

    fn shades(&self, strength: f32) -> Vec<f32> {
        // The logarithm makes a step of a hundredth of the distance look alike near and far.
        let log: Vec<f32> = self.depth.iter().map(|depth| depth.log2()).collect();
        let mut shade = vec![1.0; log.len()];
        for y in 0..self.height {
            for x in 0..self.width {
                let pixel = y * self.width + x;
                if !log[pixel].is_finite() {
                    continue;
                }
                let mut dark = 0.0;
                for (ring, weight) in [(2_isize, 0.6_f32), (5, 0.4)] {
                    for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
                        let (nx, ny) = (x as isize + dx * ring, y as isize + dy * ring);
                        if nx < 0 || ny < 0 || nx >= self.width as isize || ny >= self.height as isize {
                            continue;
                        }
                        let other = log[ny as usize * self.width + nx as usize];
                        if other.is_finite() {
                            // Bounded: a far background behind an edge should not draw a black line.
                            dark += (log[pixel] - other).clamp(0.0, 0.12) * weight;
                        }
                    }
                }
                shade[pixel] = (-dark * strength * 1.6).exp();
            }
        }
        shade
    }
}

fn around(pixel: usize, width: usize) -> [usize; 8] {
    [pixel - width - 1, pixel - width, pixel - width + 1, pixel - 1, pixel + 1, pixel + width - 1, pixel + width, pixel + width + 1]
}

/// Typical distance between neighbouring points: the edge that each point's share of the occupied surface has.
pub fn spacing(points: &[ColoredPoint], extent_m: f64) -> f64 {
    let cell = (extent_m / 256.0).max(1e-3);
    let origin = points.first().map_or(DVec3::ZERO, |point| point.position);
    let stride = points.len().div_ceil(2_000_000).max(1);
    let mut cells: Vec<u64> = points
        .iter()
        .step_by(stride)
        .map(|point| {
            let at = ((point.position - origin) / cell).floor() + 1_048_576.0;
            ((at.x as u64) << 42) | ((at.y as u64) << 21) | at.z as u64
        })
        .collect();
    cells.sort_unstable();
    cells.dedup();
    cell * (cells.len() as f64 / points.len().max(1) as f64).sqrt()
}

/// A radius for each point, from the usual one: larger where few points lie, so that sparse walls close.
pub fn sizes(points: &[ColoredPoint], usual_m: f64) -> Vec<f32> {
    let edge = (usual_m * 8.0).max(1e-3);
    let origin = points.first().map_or(DVec3::ZERO, |point| point.position);
    let mut keys: Vec<(u64, u32)> = points
        .par_iter()
        .enumerate()
        .map(|(i, point)| {
            let at = ((point.position - origin) / edge).floor() + 1_048_576.0;
            (((at.x as u64) << 42) | ((at.y as u64) << 21) | at.z as u64, i as u32)
        })
        .collect();
    keys.par_sort_unstable();
    let mut radii = vec![usual_m as f32; points.len()];
    for cell in keys.chunk_by(|a, b| a.0 == b.0) {
        // A plane through the middle of a cell of eight radii holds about 36 points of the usual density.
        let scale = (36.0 / cell.len() as f64).sqrt().clamp(0.7, 2.6);
        for &(_, i) in cell {
            radii[i as usize] = (usual_m * scale) as f32;
        }
    }
    radii
}
