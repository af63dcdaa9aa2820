//! Draws pictures of a LAS or LAZ file: a thumbnail, a plan of each level and, where `truth.json` lies beside it, its viewpoints.
//!
//! `cargo run --release -p parterre-raster --example render_scan -- FILE DIR`

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use glam::DVec3;
use parterre_raster::splat::{Camera, Canvas, DARK, FINER, Finish};
use parterre_raster::{ColoredPoint, Drawing, png};
use parterre_venue::truth::Truth;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = PathBuf::from(arguments.next().ok_or("a file to draw is missing")?);
    let dir = PathBuf::from(arguments.next().ok_or("a folder to draw into is missing")?);
    fs::create_dir_all(&dir)?;
    let points = read(&file)?;
    let started = Instant::now();
    let drawing = Drawing::new(points.clone())?;
    eprintln!("levels: {:.2} s", started.elapsed().as_secs_f64());
    let mut pictures = vec![("thumbnail".to_owned(), drawing.thumbnail(960, 600)?)];
    for level in drawing.levels() {
        eprintln!("{level:?}");
        pictures.push((format!("plan-{}", level.number), drawing.plan(level, 1200, 900)?));
    }
    for (name, picture) in pictures {
        fs::write(dir.join(format!("{name}.png")), picture)?;
    }
    eprintln!("pictures: {:.2} s", started.elapsed().as_secs_f64());
    let Ok(truth) = fs::read(file.with_file_name("truth.json")) else { return Ok(()) };
    let truth: Truth = serde_json::from_slice(&truth)?;
    let (width, height) = (1280, 720);
    for view in &truth.viewpoints {
        let camera = Camera::look(view.eye, view.target, 65_f64.to_radians(), width * FINER, height * FINER);
        let mut canvas = Canvas::for_picture(width, height);
        canvas.splat(&camera, &points, 0.04, 24.0);
        canvas.fill_holes(3);
        let picture = canvas.finish(Finish { background: DARK, shading: 1.6 });
        fs::write(dir.join(format!("view-{}.png", view.name)), png(&picture)?)?;
    }
    Ok(())
}

fn read(file: &PathBuf) -> Result<Vec<ColoredPoint>, Box<dyn std::error::Error>> {
    let mut reader = las::Reader::from_path(file)?;
    let bounds = reader.header().bounds();
    let (low, high) = (bounds.min.z, bounds.max.z.max(bounds.min.z + 1e-9));
    let mut points = Vec::new();
    let data = reader.read_all()?;
    for point in data.points() {
        let point = point?;
        let color = point.color.map_or_else(
            || {
                // From dark blue over green to pale yellow with height.
                let t = ((point.z - low) / (high - low)).clamp(0.0, 1.0);
                [(40.0 + 215.0 * t) as u8, (60.0 + 170.0 * t) as u8, (110.0 + 60.0 * (1.0 - t)) as u8]
            },
            |color| [color.red, color.green, color.blue].map(|c| (c >> 8) as u8),
        );
        points.push(ColoredPoint { position: DVec3::new(point.x, point.y, point.z), color });
    }
    Ok(points)
}
