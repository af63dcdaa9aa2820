//! Measuring hand-made pictures against hand-made references.

use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use parterre_picture::compare::{NamedFigures, compare, summary};
use parterre_picture::files::{NamedCamera, write_json, write_png, write_raw};
use parterre_picture::reference::SCANNED;
use parterre_venue::picture::trace::mark;

const SIZE: u32 = 40;
const PIXELS: usize = (SIZE * SIZE) as usize;

/// A wall at 4 m. The upper quarter is background, the second looks through an opening at 4 m at something at 6 m, the third shows a railing at
/// 2 m and the last the wall, half of which is not in the scan.
fn write_reference(dir: &Path) {
    let picture = RgbImage::from_fn(SIZE, SIZE, |x, y| Rgb([(x * 6) as u8, (y * 6) as u8, 90]));
    let per_quarter = |values: [f32; 4]| -> Vec<f32> { (0..PIXELS).map(|i| values[i * 4 / PIXELS]).collect() };
    let marks = GrayImage::from_fn(SIZE, SIZE, |x, y| {
        Luma([match y / 10 {
            0 => 0,
            1 => mark::OPENING | SCANNED,
            2 => mark::RAILING | SCANNED,
            _ if x < SIZE / 2 => SCANNED,
            _ => 0,
        }])
    });
    let file = |extension: &str| dir.join(format!("view.{extension}"));
    write_png(&file("png"), &picture).expect("the file is written");
    write_png(&file("ceiling.png"), &picture).expect("the file is written");
    marks.save(file("marks.png")).expect("the file is written");
    write_raw(&file("depth"), &per_quarter([f32::INFINITY, 6.0, 2.0, 4.0])).expect("the file is written");
    write_raw(&file("tolerance"), &per_quarter([0.05, 0.05, 0.05, 0.2])).expect("the file is written");
    write_raw(&file("open"), &per_quarter([0.0, 4.15, 0.0, 0.0])).expect("the file is written");
    let cameras = ["view", "not drawn"].map(|name| NamedCamera { name: name.into(), camera: [0.0, 0.0, 0.0, 1.0, 0.0, 0.0] });
    write_json(&dir.join("views.json"), &cameras).expect("the file is written");
}

/// Measures a picture like the reference, with the depths of the four quarters.
fn measured(depths: [f32; 4]) -> NamedFigures {
    let (references, pictures) = (tempfile::tempdir().expect("a temporary folder"), tempfile::tempdir().expect("a temporary folder"));
    write_reference(references.path());
    std::fs::copy(references.path().join("view.png"), pictures.path().join("view.png")).expect("the file is written");
    let drawn: Vec<f32> = (0..PIXELS).map(|i| depths[i * 4 / PIXELS]).collect();
    write_raw(&pictures.path().join("view.depth"), &drawn).expect("the file is written");
    let each = compare(references.path(), pictures.path()).expect("the pictures can be measured");
    assert_eq!(each.len(), 1);
    each.into_iter().next().expect("a view")
}

#[test]
fn a_perfect_picture() {
    let figures = measured([f32::INFINITY, 6.0, 2.0, 4.0]).figures;
    assert!((figures.ssim.unwrap() - 1.0).abs() < 1e-12 && (figures.ratio.unwrap() - 1.0).abs() < 1e-12);
    assert_eq!([figures.coverage, figures.coverage_depth, figures.coverage_all], [Some(1.0); 3]);
    assert_eq!([figures.openings, figures.railings, figures.background], [Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!(figures.gaps, None);
}

#[test]
fn a_closed_opening_and_a_lost_railing() {
    let figures = measured([9.0, 4.0, 4.0, 4.1]).figures;
    assert_eq!([figures.openings, figures.railings, figures.background], [Some(0.0), Some(0.0), Some(1.0)]);
    // Of 400 + 400 + 200 pixels in the scan, the 200 of the wall lie within its tolerance, and none within 5 cm.
    assert_eq!([figures.coverage, figures.coverage_depth], [Some(0.2), Some(0.0)]);
    assert!((figures.coverage_all.unwrap() - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn nothing_drawn_is_open_and_not_covered() {
    let figures = measured([f32::INFINITY, f32::INFINITY, f32::NAN, f32::INFINITY]).figures;
    assert_eq!([figures.openings, figures.railings, figures.coverage], [Some(1.0), Some(0.0), Some(0.0)]);
}

#[test]
fn a_picture_without_depths_is_measured_by_its_looks() {
    let (references, pictures) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_reference(references.path());
    write_png(&pictures.path().join("view.png"), &RgbImage::from_pixel(SIZE, SIZE, Rgb([90, 90, 90]))).unwrap();
    let each = compare(references.path(), pictures.path()).unwrap();
    assert!(each[0].figures.ssim.unwrap() < 0.9);
    assert_eq!(each[0].figures.coverage, None);
    write_png(&pictures.path().join("view.png"), &RgbImage::new(SIZE, SIZE + 1)).unwrap();
    assert_eq!(compare(references.path(), pictures.path()).unwrap_err().code(), "picture_size");
    write_png(&pictures.path().join("view.png"), &RgbImage::new(SIZE, SIZE)).unwrap();
    write_raw(&pictures.path().join("view.depth"), &[1.0]).unwrap();
    assert_eq!(compare(references.path(), pictures.path()).unwrap_err().code(), "picture_raw");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(compare(references.path(), empty.path()).unwrap_err().code(), "picture_none");
}

#[test]
fn means_and_medians_skip_views_without_a_figure() {
    let view = |ssim: f64, railings: Option<f64>| {
        let mut view = measured([f32::INFINITY, 6.0, 2.0, 4.0]);
        (view.figures.ssim, view.figures.railings) = (Some(ssim), railings);
        view
    };
    let (mean, median) = summary(&[view(0.1, None), view(0.2, Some(0.5)), view(0.6, Some(0.7))]);
    assert!((mean.ssim.unwrap() - 0.3).abs() < 1e-12 && (median.ssim.unwrap() - 0.2).abs() < 1e-12);
    assert!((mean.railings.unwrap() - 0.6).abs() < 1e-12 && (median.railings.unwrap() - 0.6).abs() < 1e-12);
    assert_eq!(mean.gaps, None);
}
