//! The thumbnail: an oblique view from above, with roofs and near walls left out where the scan lies under a roof.

use glam::{DVec3, dvec3};
use image::RgbImage;

use super::columns::Columns;
use super::point::ColoredPoint;
use super::splat::{Camera, Canvas, DARK, FINER, Finish, sizes, spacing};
use parterre_model::points::Bounds;

/// Share of roofed columns from which a scan counts as an interior.
const INTERIOR_SHARE: f64 = 0.35;
/// Walls lower than this are never cut.
const LOW_WALL_M: f64 = 2.3;

/// Draws the thumbnail; `floor` is the height of the main level.
pub(super) fn draw(points: &[ColoredPoint], bounds: Bounds, floor: f64, width: u32, height: u32) -> RgbImage {
    let columns = Columns::new(points, bounds);
    let is_interior = columns.roofed_share() > INTERIOR_SHARE;
    // Seen from the front left, or from the front right, so that the longer side lies across the picture.
    let size = bounds.size();
    let (azimuth, elevation): (f64, f64) = (if size.x >= size.y { -115.0 } else { -65.0 }, if is_interior { 48.0 } else { 27.0 });
    let (azimuth, elevation) = (azimuth.to_radians(), elevation.to_radians());
    let toward_camera = dvec3(azimuth.cos() * elevation.cos(), azimuth.sin() * elevation.cos(), elevation.sin());
    let open;
    let shown: &[ColoredPoint] = if is_interior {
        open = cut_open(points, &columns, bounds, floor, toward_camera);
        if open.is_empty() { points } else { &open }
    } else {
        points
    };
    let camera = fit(shown, bounds, toward_camera, width, height);
    let mut canvas = Canvas::for_picture(width, height);
    let radius = spacing(shown, size.max_element().max(1.0)) * 0.75;
    // A few points would be invisible: each becomes a dot of two pixels.
    let dot = if shown.len() < 2000 { 3.0 * (camera.eye - bounds.center()).length() / camera.focal } else { 0.0 };
    let radius = radius.max(dot);
    canvas.splat_sized(&camera, shown, &sizes(shown, radius), 6.0);
    canvas.fill_holes(3);
    canvas.finish(Finish { background: DARK, shading: 2.3 })
}

/// Leaves out roofs over rooms, and the upper part of walls: nearly all of it near the camera, none of it at the far side.
fn cut_open(points: &[ColoredPoint], columns: &Columns, bounds: Bounds, floor: f64, toward_camera: DVec3) -> Vec<ColoredPoint> {
    let cuts = columns.cuts();
    let away = -toward_camera.with_z(0.0).normalize_or(DVec3::Y);
    let half = bounds.size() * 0.5;
    let reach = (half.x * away.x.abs() + half.y * away.y.abs()).max(1e-6);
    let tall = (LOW_WALL_M / super::columns::BIN_M) as u16;
    points
        .iter()
        .filter(|point| {
            let (column, bin) = columns.place(point.position);
            let cut = cuts[column];
            if bin >= usize::from(cut.roof) {
                return false;
            }
            if cut.run <= tall {
                return true;
            }
            let far = ((point.position - bounds.center()).dot(away) / reach * 0.5 + 0.5).clamp(0.0, 1.0);
            let limit = floor + LOW_WALL_M + (bounds.max.z - floor - LOW_WALL_M) * ((far - 0.3) / 0.6).clamp(0.0, 1.0).powi(2);
            point.position.z <= limit
        })
        .copied()
        .collect()
}

/// A camera far enough away for a mild perspective, zoomed and shifted so that the points fill the picture.
fn fit(points: &[ColoredPoint], bounds: Bounds, toward_camera: DVec3, width: u32, height: u32) -> Camera {
    let center = bounds.center();
    let distance = bounds.size().length().max(1.0) * 2.2;
    let (w, h) = (f64::from(width * FINER), f64::from(height * FINER));
    let mut camera = Camera::look(center + toward_camera * distance, center, 0.5, width, height);
    (camera.focal, camera.center) = (1.0, [0.0, 0.0]);
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points
        .iter()
        .step_by(points.len().div_ceil(100_000))
        .filter_map(|point| camera.project(point.position))
        .map(|(x, y, _)| (x, y))
        .unzip();
    xs.sort_unstable_by(f64::total_cmp);
    ys.sort_unstable_by(f64::total_cmp);
    let range = |sorted: &[f64]| {
        let cut = sorted.len() / 1000;
        match (sorted.get(cut), sorted.get(sorted.len().saturating_sub(cut + 1))) {
            (Some(&low), Some(&high)) => (low, high),
            _ => (-0.5, 0.5),
        }
    };
    let ((x0, x1), (y0, y1)) = (range(&xs), range(&ys));
    camera.focal = (w * 0.94 / (x1 - x0).max(1e-6)).min(h * 0.92 / (y1 - y0).max(1e-6)).min(w * distance);
    camera.center = [w * 0.5 - (x0 + x1) * 0.5 * camera.focal, h * 0.5 - (y0 + y1) * 0.5 * camera.focal];
    camera
}
