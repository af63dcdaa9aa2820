//! Thumbnails and plans: what is on them, and what odd input does.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use glam::{DVec3, dvec3};
use image::RgbImage;
use parterre_raster::{ColoredPoint, plan, thumbnail};

type Draw = fn(&[ColoredPoint], u32, u32) -> parterre_model::Result<Vec<u8>>;
const BOTH: [Draw; 2] = [thumbnail, plan];

fn decoded(png: &[u8]) -> RgbImage {
    image::load_from_memory(png).unwrap().to_rgb8()
}

fn point(x: f64, y: f64, z: f64, color: [u8; 3]) -> ColoredPoint {
    ColoredPoint { position: dvec3(x, y, z), color }
}

/// A room of 12 x 8 x 4 m with a green floor, grey walls and, where wanted, a white ceiling; a wall across with a door.
fn room(ceiling: bool) -> Vec<ColoredPoint> {
    let mut points = Vec::new();
    let steps = |length: f64| (0..=(length / 0.05) as u32).map(|i| f64::from(i) * 0.05);
    for x in steps(12.0) {
        for y in steps(8.0) {
            points.push(point(x, y, 0.0, [20, 200, 20]));
            if ceiling {
                points.push(point(x, y, 4.0, [255, 255, 255]));
            }
        }
        for z in steps(4.0) {
            points.extend([point(x, 0.0, z, [120; 3]), point(x, 8.0, z, [120; 3])]);
        }
    }
    for y in steps(8.0) {
        for z in steps(4.0) {
            points.extend([point(0.0, y, z, [120; 3]), point(12.0, y, z, [120; 3])]);
            if !(3.0..=5.0).contains(&y) || z > 2.2 {
                points.push(point(6.0, y, z, [120; 3]));
            }
        }
    }
    points
}

fn share(picture: &RgbImage, is: impl Fn([u8; 3]) -> bool) -> f64 {
    picture.pixels().filter(|pixel| is(pixel.0)).count() as f64 / f64::from(picture.width() * picture.height())
}

#[test]
fn a_roof_does_not_hide_the_room() {
    let green = |[r, g, b]: [u8; 3]| g > 60 && g > r.saturating_add(40) && g > b.saturating_add(40);
    let open = share(&decoded(&thumbnail(&room(false), 320, 200).unwrap()), green);
    let roofed = share(&decoded(&thumbnail(&room(true), 320, 200).unwrap()), green);
    assert!(roofed > 0.15, "{roofed:.2} of the picture is floor");
    assert!(roofed > open * 0.8, "{roofed:.2} with a roof, {open:.2} without");
}

#[test]
fn a_plan_shows_walls_dark_and_doors_free() {
    let picture = decoded(&plan(&room(true), 480, 360).unwrap());
    let dark = |[r, g, b]: [u8; 3]| u16::from(r) + u16::from(g) + u16::from(b) < 250;
    // The room's outline bounds the dark pixels above the legend.
    let body = picture.height() * 9 / 10;
    let (mut x0, mut x1, mut y0, mut y1) = (u32::MAX, 0, u32::MAX, 0);
    for (x, y, pixel) in picture.enumerate_pixels().filter(|(_, y, _)| *y < body) {
        if dark(pixel.0) {
            (x0, x1, y0, y1) = (x0.min(x), x1.max(x), y0.min(y), y1.max(y));
        }
    }
    let (w, h) = (f64::from(x1 - x0), f64::from(y1 - y0));
    assert!((w / h - 12.0 / 8.0).abs() < 0.05, "{w} x {h} pixels");
    let at = |x: f64, y: f64| {
        let (px, py) = (f64::from(x0) + w * x / 12.0, f64::from(y1) - h * y / 8.0);
        (-2..=2).any(|dx| dark(picture.get_pixel((px as i32 + dx) as u32, py as u32).0))
    };
    assert!(at(6.0, 1.5) && at(6.0, 6.5), "the wall across is missing");
    assert!(!at(6.0, 4.0), "the door is not free");
    assert!(!at(3.0, 4.0) && !at(9.0, 2.0), "the floor is dark");
    let legend = picture.enumerate_pixels().filter(|(_, y, pixel)| *y >= body && dark(pixel.0)).count();
    assert!(legend > 60, "{legend} pixels of legend");
}

#[test]
fn nothing_to_draw_is_said() {
    let nan = point(f64::NAN, 0.0, 0.0, [0; 3]);
    let far = point(f64::MAX, f64::INFINITY, 1e300, [0; 3]);
    for draw in BOTH {
        assert_eq!(draw(&[], 100, 100).unwrap_err().code(), "nothing_to_draw");
        assert_eq!(draw(&[nan, far], 100, 100).unwrap_err().code(), "nothing_to_draw");
    }
}

#[test]
fn sizes_are_checked() {
    let one = [point(0.0, 0.0, 0.0, [200; 3])];
    for draw in BOTH {
        for (width, height) in [(0, 10), (10, 0), (9000, 10), (10, u32::MAX)] {
            assert_eq!(draw(&one, width, height).unwrap_err().code(), "picture_size");
        }
        for (width, height) in [(1, 1), (1, 300), (300, 1), (7, 5), (640, 400)] {
            assert_eq!(decoded(&draw(&one, width, height).unwrap()).dimensions(), (width, height));
        }
    }
}

#[test]
fn one_point_shows() {
    let picture = decoded(&thumbnail(&[point(5.0, 5.0, 5.0, [255, 0, 0])], 64, 64).unwrap());
    assert!(picture.pixels().any(|pixel| pixel.0[0] > 90 && pixel.0[1] < 60), "no red pixel");
}

#[test]
fn degenerate_shapes_are_drawn() {
    let shapes: [fn(u32) -> DVec3; 5] = [
        |_| DVec3::splat(3.0),
        |i| DVec3::X * f64::from(i),
        |i| DVec3::Y * f64::from(i),
        |i| DVec3::Z * f64::from(i) * 100.0,
        |i| dvec3(f64::from(i % 40), f64::from(i / 40), 0.0),
    ];
    for shape in shapes {
        let points: Vec<ColoredPoint> = (0..900).map(|i| ColoredPoint { position: shape(i), color: [220, 180, 90] }).collect();
        for draw in BOTH {
            let picture = decoded(&draw(&points, 200, 120).unwrap());
            assert!(picture.pixels().any(|pixel| pixel != picture.get_pixel(0, 0)), "nothing is seen");
        }
    }
}

#[test]
fn place_and_strays_do_not_change_the_picture_much() {
    let here = room(true);
    let mut there: Vec<ColoredPoint> =
        here.iter().map(|p| ColoredPoint { position: p.position + dvec3(691_000.0, 5_334_000.0, 520.0), ..*p }).collect();
    there.push(point(f64::NAN, 1.0, 1.0, [0; 3]));
    there.push(point(0.0, 0.0, 0.0, [255; 3]));
    there.push(point(9e8, -9e8, 9e8, [255; 3]));
    let (a, b) = (decoded(&thumbnail(&here, 320, 200).unwrap()), decoded(&thumbnail(&there, 320, 200).unwrap()));
    let differing = a.pixels().zip(b.pixels()).filter(|(a, b)| (0..3).any(|i| a.0[i].abs_diff(b.0[i]) > 48)).count();
    assert!(differing * 20 < 320 * 200, "{differing} pixels differ");
}
