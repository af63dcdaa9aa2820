//! The plan of a level: its floor from above, cut at the height of a person, with a grid, a scale bar, the level's number and the heights.

use glam::{DVec3, Vec3};
use image::{Rgb, RgbImage};

use super::font;
use super::levels::{Level, Storeys};
use super::point::ColoredPoint;
use parterre_model::points::Bounds;

const PAPER: Vec3 = Vec3::new(247.0, 246.0, 242.0);
const INK: Vec3 = Vec3::new(28.0, 32.0, 40.0);
const GRID: Vec3 = Vec3::new(222.0, 222.0, 216.0);
/// Floor of this level without points.
const UNSEEN: Vec3 = Vec3::splat(206.0);
/// Where only other levels have points.
const ELSEWHERE: Vec3 = Vec3::new(234.0, 233.0, 228.0);
/// Heights above the floor that are drawn: furniture from the first to the second, walls from there to the third.
const SLICE_M: [f64; 3] = [0.4, 1.0, 1.8];

/// What lies in one pixel.
#[derive(Clone, Copy, Default)]
struct Cell {
    floor: Vec3,
    floors: f32,
    furniture: f32,
    walls: f32,
}

/// Draws the plan of a level.
pub(super) fn draw(points: &[ColoredPoint], bounds: Bounds, storeys: &Storeys, level: &Level, width: u32, height: u32) -> RgbImage {
    let columns = &storeys.columns;
    let map = storeys.floor_map(level);
    let size = bounds.size();
    let (w, h) = (width as usize, height as usize);
    let legend = f64::from(legend_height(width, height));
    let (free_w, free_h) = (f64::from(width) * 0.94, (f64::from(height) - legend) * 0.94);
    let scale = (free_w / size.x.max(1e-3)).min(free_h / size.y.max(1e-3)).min(400.0);
    let center = bounds.center();
    let middle = [f64::from(width) * 0.5, (f64::from(height) - legend) * 0.5];
    let mut cells = vec![Cell::default(); w * h];
    // Points spread to the pixels that their share of the surface covers.
    let spacing = super::splat::spacing(points, size.max_element().max(1.0));
    let radius = (spacing * scale * 0.5).round().clamp(0.0, 4.0) as i64;
    // Walls are the most important part of a plan.
    let bold = radius.max(i64::from(width.min(height) / 800));
    for point in points {
        let (column, _) = columns.place(point.position);
        let above = point.position.z - f64::from(map[column]);
        if above.is_nan() {
            continue;
        }
        let offset = point.position - center;
        let (px, py) = ((middle[0] + offset.x * scale).floor() as i64, (middle[1] - offset.y * scale).floor() as i64);
        let radius = if (SLICE_M[1]..SLICE_M[2]).contains(&above) { bold } else { radius };
        for (x, y) in (-radius..=radius).flat_map(|dx| (-radius..=radius).map(move |dy| (px + dx, py + dy))) {
            if x < 0 || y < 0 || x >= w as i64 || y >= h as i64 {
                continue;
            }
            let cell = &mut cells[y as usize * w + x as usize];
            if (-0.5..SLICE_M[0]).contains(&above) {
                cell.floor += Vec3::from(point.color.map(f32::from));
                cell.floors += 1.0;
            } else if (SLICE_M[0]..SLICE_M[1]).contains(&above) {
                cell.furniture += 1.0;
            } else if (SLICE_M[1]..SLICE_M[2]).contains(&above) {
                cell.walls += 1.0;
            }
        }
    }
    // A wall stands over all of the slice: it gives more returns in a pixel than a floor does.
    let usual = |count: fn(&Cell) -> f32| {
        let mut counts: Vec<f32> = cells.iter().map(count).filter(|&n| n > 0.0).collect();
        counts.sort_unstable_by(f32::total_cmp);
        counts.get(counts.len() * 3 / 4).copied().unwrap_or(1.0)
    };
    let (usual_walls, usual_furniture) = (usual(|cell| cell.walls), usual(|cell| cell.furniture));
    // Floor without points is drawn in a plain colour, so that a room is one area; areas of other levels are drawn faintly, so that the
    // plans of a building can be compared.
    let column_at = |x: u32, y: u32| {
        let offset = DVec3::new((f64::from(x) + 0.5 - middle[0]) / scale, (middle[1] - f64::from(y) - 0.5) / scale, 0.0);
        let at = center + offset;
        bounds.contains(at).then(|| columns.place(at).0).filter(|&column| columns.is_seen(column))
    };
    let grid_m = grid_step(f64::from(width) / scale);
    let mut picture = RgbImage::from_fn(width, height, |x, y| {
        let cell = cells[y as usize * w + x as usize];
        let mut color = PAPER;
        if is_on_grid(f64::from(x), middle[0], center.x, scale, grid_m)
            || is_on_grid(f64::from(height - 1 - y), f64::from(height) - 1.0 - middle[1], center.y, scale, grid_m)
        {
            color = GRID;
        }
        if cell.floors == 0.0
            && let Some(column) = column_at(x, y)
        {
            color = if map[column].is_nan() { color.lerp(ELSEWHERE, 0.7) } else { color.lerp(UNSEEN, 0.8) };
        }
        if cell.floors > 0.0 {
            let floor = Vec3::splat(216.0).lerp(cell.floor / cell.floors, 0.28) * 0.98;
            color = color.lerp(floor, 0.85);
        }
        color = color.lerp(Vec3::new(128.0, 132.0, 140.0), (cell.furniture / usual_furniture).sqrt().min(1.0) * 0.75);
        color = color.lerp(INK, (cell.walls / usual_walls).sqrt().min(1.0));
        rgb(color)
    });
    let (floor, number, of) = (one_digit(level.floor_m), level.number, storeys.levels.len());
    let name = if of > 1 { format!("level {number} of {of}  ") } else { String::new() };
    let long = format!("{name}floor z {floor:.1} m  cut {:.1} to {:.1} m", floor + SLICE_M[1], floor + SLICE_M[2]);
    draw_legend(&mut picture, scale, grid_m, &[long, format!("{name}z {floor:.1} m"), format!("z {floor:.1} m")]);
    picture
}

/// Rounded to a decimetre, and never -0.0.
fn one_digit(height: f64) -> f64 {
    (height * 10.0).round() / 10.0 + 0.0
}

fn rgb(color: Vec3) -> Rgb<u8> {
    Rgb(color.to_array().map(|c| c.clamp(0.0, 255.0) as u8))
}

fn legend_scale(width: u32, height: u32) -> u32 {
    (width.min(height) / 360).clamp(1, 4)
}

fn legend_height(width: u32, height: u32) -> u32 {
    if width < 120 || height < 80 { 0 } else { font::height(legend_scale(width, height)) * 3 }
}

/// 1, 2 or 5 times a power of ten, about a fifth of the picture's width in metres.
fn grid_step(width_m: f64) -> f64 {
    let rough = (width_m / 5.0).max(1e-3);
    let power = 10_f64.powf(rough.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|n| n * power).find(|&step| step <= rough).unwrap_or(power)
}

fn is_on_grid(pixel: f64, middle: f64, center_m: f64, scale: f64, step: f64) -> bool {
    let line = |pixel: f64| ((center_m + (pixel - middle) / scale) / step).floor() as i64;
    line(pixel) != line(pixel + 1.0)
}

fn draw_legend(picture: &mut RgbImage, scale: f64, step_m: f64, texts: &[String]) {
    let (width, height) = picture.dimensions();
    let strip = legend_height(width, height);
    if strip == 0 {
        return;
    }
    let size = legend_scale(width, height);
    let (ink, margin) = (rgb(INK), width / 40 + 2);
    let top = height - strip * 2 / 3;
    let bar = ((step_m * scale) as u32).min(width / 2);
    let thick = size + 1;
    let base = top + font::height(size) / 2;
    for x in margin..(margin + bar).min(width) {
        // Two halves, one filled and one empty, as on a map.
        let hollow = x >= margin + bar / 2;
        for dy in 0..thick * 2 {
            if !hollow || dy == 0 || dy == thick * 2 - 1 || x == margin + bar - 1 {
                picture.put_pixel(x, (base + dy).saturating_sub(thick).min(height - 1), ink);
            }
        }
    }
    let label = if step_m >= 1000.0 { format!("{} km", step_m / 1000.0) } else { format!("{step_m} m") };
    font::write(picture, &label, margin + bar + 3 * size, top, size, ink);
    // The longest text that fits.
    let from = margin + bar + font::width(&label, size) + 6 * size;
    let ends = texts.iter().filter_map(|text| Some((text, width.checked_sub(margin + font::width(text, size))?)));
    if let Some((text, end)) = ends.into_iter().find(|&(_, end)| end > from) {
        font::write(picture, text, end, top, size, ink);
    }
}
