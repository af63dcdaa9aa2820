//! Exact pictures of a tiny scene, and the views of the demo venue.

use glam::{DVec3, dvec3};
use parterre_venue::hall::{Measures, Venue};
use parterre_venue::material::Material;
use parterre_venue::picture::camera::Camera;
use parterre_venue::picture::trace::{ON_SURFACE_M, Picture, mark, trace};
use parterre_venue::picture::views::views;
use parterre_venue::scene::{Builder, Opening, Run, class};

const BACKGROUND: [f32; 3] = [0.0, 0.0, 1.0];
const SIZE: [u32; 2] = [120, 80];

fn venue(builder: Builder) -> Venue {
    Venue {
        scene: builder.finish(),
        measures: Measures::default(),
        seats: 0,
        levels: Vec::new(),
        exits: Vec::new(),
        doors: Vec::new(),
        stairs: Vec::new(),
        rooms: Vec::new(),
        setups: Vec::new(),
        distances: Vec::new(),
        viewpoints: Vec::new(),
    }
}

/// Seen from the origin at a height of 1 m along x: a wall at x = 4 with a door from y = -1 to 0, behind it a railing at x = 6 along y and a second wall at
/// x = 8, which ends at y = 3. In front of the wall to the left nothing is.
fn picture() -> (Picture, Camera) {
    let mut builder = Builder::default();
    let door = Opening { at: -0.5, width: 1.0, sill: 0.0, height: 2.0 };
    builder.wall(Run::Y, (-10.0, 2.0), (4.0, 4.3), (-1.0, 10.0), &[door], Material::Steel);
    builder.railing(dvec3(6.0, -3.0, 0.4), dvec3(6.0, 3.0, 0.4));
    builder.block([8.0, -10.0, -10.0], [8.2, 3.0, 10.0], Material::Black, class::BUILDING);
    let venue = venue(builder);
    let camera = Camera::looking(dvec3(0.0, 0.0, 1.0), dvec3(5.0, 0.0, 1.0), SIZE);
    (trace(&venue, &camera, BACKGROUND), camera)
}

/// Index of the pixel in which a position is seen.
fn pixel(at: DVec3) -> usize {
    let scale = f64::from(SIZE[1]) / (2.0 * 30.0_f64.to_radians().tan());
    let (x, y) = (f64::from(SIZE[0]) * 0.5 - at.y / at.x * scale, f64::from(SIZE[1]) * 0.5 - (at.z - 1.0) / at.x * scale);
    (y as u32 * SIZE[0] + x as u32) as usize
}

#[test]
fn depths_are_along_the_direction_of_view() {
    let (picture, _) = picture();
    for at in [dvec3(4.0, 1.5, 1.0), dvec3(4.0, -3.0, 2.5), dvec3(4.0, 0.5, 3.0)] {
        assert!((picture.depth[pixel(at)] - 4.0).abs() < 1e-4, "{at}: {}", picture.depth[pixel(at)]);
        assert!((picture.tolerance[pixel(at)] - ON_SURFACE_M as f32).abs() < 1e-6);
    }
    let nothing = pixel(dvec3(4.0, 3.0, 3.0));
    assert!(picture.depth[nothing].is_infinite() && picture.color[nothing] == [0, 0, 255] && picture.marks[nothing] == 0);
}

#[test]
fn a_door_is_an_opening_where_something_is_seen_through_it() {
    let (picture, _) = picture();
    // Above the railing, whose field is passed only below its handrail.
    let through = pixel(dvec3(4.3, -0.4, 1.5));
    assert_eq!((picture.marks[through], picture.depth[through]), (mark::OPENING, 8.0));
    assert!((picture.open_depth[through] - 4.45).abs() < 1e-5, "{}", picture.open_depth[through]);
    // Beside it, and on its jamb, which faces the eye at y = -1.
    for at in [dvec3(4.0, -2.0, 1.0), dvec3(4.15, -1.0, 1.5), dvec3(4.0, 0.3, 1.0)] {
        assert_eq!((picture.marks[pixel(at)], picture.open_depth[pixel(at)]), (0, 0.0), "{at}");
    }
}

#[test]
fn bars_of_a_railing_and_the_gaps_between_them() {
    let (picture, _) = picture();
    // The middle rail is at a height of 1.05 m: 0.65 m above the railing's floor.
    let railing = (0..picture.marks.len()).filter(|&i| picture.marks[i] & mark::RAILING != 0);
    let mut bars = 0;
    for index in railing {
        assert!((picture.depth[index] - 6.0).abs() < 0.06, "{}", picture.depth[index]);
        assert_eq!(picture.marks[index] & mark::GAP, 0);
        bars += 1;
    }
    assert!(bars > 10, "{bars}");
    let gap = pixel(dvec3(6.0, -0.6, 1.2));
    assert_eq!((picture.marks[gap], picture.depth[gap]), (mark::OPENING | mark::GAP, 8.0));
    // The farthest of the two openings counts.
    assert!((picture.open_depth[gap] - 6.175).abs() < 1e-3, "{}", picture.open_depth[gap]);
}

#[test]
fn edges_are_means_in_linear_light() {
    // The edge of a white lamp halves the middle column of an odd picture.
    let mut builder = Builder::default();
    builder.block([2.0, 0.0, -9.0], [2.1, 9.0, 9.0], Material::Lamp([255, 255, 255]), class::BUILDING);
    let camera = Camera::looking(DVec3::ZERO, DVec3::X, [21, 11]);
    let picture = trace(&venue(builder), &camera, [0.0; 3]);
    let row = &picture.color[5 * 21..6 * 21];
    assert_eq!((row[9], row[10], row[11]), ([255; 3], [188; 3], [0; 3]));
}

#[test]
fn tolerances_grow_on_surfaces_seen_at_a_small_angle() {
    let mut builder = Builder::default();
    builder.floor([-100.0, -100.0, 100.0, 100.0], 0.0, 0.3, Material::Steel);
    let camera = Camera::looking(dvec3(0.0, 0.0, 1.6), dvec3(10.0, 0.0, 1.6), SIZE);
    let picture = trace(&venue(builder), &camera, BACKGROUND);
    for (index, (&depth, &tolerance)) in
        picture.depth.iter().zip(&picture.tolerance).enumerate().filter(|(_, (depth, _))| depth.is_finite())
    {
        // A depth that is off by the tolerance lies 5 cm above or below the floor.
        let down = 1.6 / depth;
        assert!((tolerance - (0.05 / down).min(1.0)).abs() < 1e-4, "pixel {index}: {tolerance} at {depth} m");
    }
}

#[test]
fn eyes_stand_free_on_floors_of_every_level() {
    let venue = Venue::concert_hall(1);
    let all = views(&venue, 1, 20);
    assert_eq!(all.len(), venue.viewpoints.len() + 20);
    assert_eq!(all, views(&venue, 1, 20));
    assert_ne!(all, views(&venue, 2, 20));
    let eyes = &all[venue.viewpoints.len()..];
    for view in eyes {
        let down = venue.scene.first_hit(view.eye, -DVec3::Z, 2.0).unwrap();
        assert!((f64::from(down.distance) - 1.6).abs() < 2e-3 && venue.scene.class(down.solid) == class::GROUND, "{}", view.name);
        for step in 0..200 {
            // Spread evenly over the sphere.
            let z = (f64::from(step) + 0.5) / 100.0 - 1.0;
            let angle = f64::from(step) * 2.4;
            let direction = (dvec3(angle.cos(), angle.sin(), 0.0) * (1.0 - z * z).sqrt()).with_z(z);
            assert!(venue.scene.is_free(view.eye, view.eye + direction * 0.598), "{}", view.name);
        }
    }
    let level = |z: f64| if z < -1.5 { -1 } else { i32::from(z > 4.0) };
    for wanted in [-1, 0, 1] {
        assert!(eyes.iter().filter(|view| level(view.eye.z) == wanted).count() >= 2, "level {wanted}");
    }
}
