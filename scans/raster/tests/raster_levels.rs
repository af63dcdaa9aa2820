//! Levels and figures against scenes whose answers are known.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]
#![expect(clippy::float_cmp, reason = "the same number twice")]

use glam::{DVec3, dvec3};
use parterre_raster::survey::{places, survey};
use parterre_raster::{ColoredPoint, Drawing, Level, level_plan, levels};
use parterre_venue::hall::{Measures, Venue};
use parterre_venue::scanner;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A scene of surfaces strewn with points at random.
struct Scene {
    rng: ChaCha8Rng,
    points: Vec<ColoredPoint>,
    per_m2: f64,
}

impl Scene {
    fn new(per_m2: f64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(5), points: Vec::new(), per_m2 }
    }

    /// The parallelogram at `corner` between `a` and `b`, its points off by `noise` across it.
    fn surface(&mut self, corner: DVec3, a: DVec3, b: DVec3, noise: f64) -> &mut Self {
        let across = a.cross(b);
        let count = (across.length() * self.per_m2) as usize;
        let normal = across.normalize();
        for _ in 0..count {
            let (u, v) = (self.rng.random::<f64>(), self.rng.random::<f64>());
            let off = self.normal() * noise;
            self.points.push(ColoredPoint { position: corner + a * u + b * v + normal * off, color: [180; 3] });
        }
        self
    }

    /// Box and Muller's.
    fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.rng.random::<f64>(), self.rng.random::<f64>());
        (-2.0 * u.ln()).sqrt() * (v * std::f64::consts::TAU).cos()
    }

    /// A level floor or ceiling.
    fn slab(&mut self, at: [f64; 3], size: [f64; 2]) -> &mut Self {
        self.surface(DVec3::from(at), DVec3::X * size[0], DVec3::Y * size[1], 0.004)
    }

    /// Four walls.
    fn walls(&mut self, at: [f64; 3], size: [f64; 2], height: f64) -> &mut Self {
        let (x, y, z) = (DVec3::X * size[0], DVec3::Y * size[1], DVec3::Z * height);
        let corner = DVec3::from(at);
        self.surface(corner, x, z, 0.004).surface(corner + y, x, z, 0.004);
        self.surface(corner, y, z, 0.004).surface(corner + x, y, z, 0.004)
    }

    fn floors(&self) -> Vec<f64> {
        levels(&self.points).unwrap().iter().map(|level| level.floor_m).collect()
    }
}

fn assert_floors(found: &[Level], wanted: &[f64]) {
    let floors: Vec<f64> = found.iter().map(|level| level.floor_m).collect();
    assert_eq!(floors.len(), wanted.len(), "{floors:?} instead of {wanted:?}");
    for (floor, wanted) in floors.iter().zip(wanted) {
        assert!((floor - wanted).abs() < 0.03, "{floors:?} instead of {wanted:?}");
    }
}

#[test]
fn a_house_of_three_storeys_has_three_levels() {
    let mut house = Scene::new(120.0);
    for storey in 0..3 {
        let z = 100.0 + 3.2 * f64::from(storey);
        house.slab([0.0, 0.0, z], [14.0, 10.0]).slab([0.0, 0.0, z + 2.9], [14.0, 10.0]).walls([0.0, 0.0, z], [14.0, 10.0], 2.9);
        // Tables are no level.
        house.slab([2.0, 2.0, z + 0.75], [3.0, 1.5]);
    }
    let found = levels(&house.points).unwrap();
    assert_floors(&found, &[100.0, 103.2, 106.4]);
    for (level, number) in found.iter().zip(1..) {
        assert_eq!(level.number, number);
        assert!((level.area_m2 - 140.0).abs() < 15.0, "{level:?}");
        assert!((level.top_m - level.floor_m - 3.2).abs() < 0.35, "{level:?}");
    }
}

#[test]
fn one_room_has_one_level() {
    let mut room = Scene::new(300.0);
    room.slab([0.0, 0.0, 0.0], [6.0, 4.0]).slab([0.0, 0.0, 2.6], [6.0, 4.0]).walls([0.0, 0.0, 0.0], [6.0, 4.0], 2.6);
    assert_floors(&levels(&room.points).unwrap(), &[0.0]);
}

#[test]
fn a_stadium_has_a_pitch_and_no_level_a_row() {
    let mut stadium = Scene::new(30.0);
    stadium.slab([0.0, 0.0, 45.0], [105.0, 68.0]);
    // Forty rows on either long side, a roof over each stand and a concourse under one.
    for row in 0..40 {
        let (out, up) = (f64::from(row) * 0.8, f64::from(row) * 0.45);
        for (y, away) in [(-5.0, -1.0), (73.0, 1.0)] {
            stadium.surface(dvec3(0.0, y + away * out, 46.0 + up), DVec3::X * 105.0, DVec3::Y * (0.8 * away), 0.003);
            stadium.surface(dvec3(0.0, y + away * out, 46.0 + up), DVec3::X * 105.0, DVec3::Z * 0.45, 0.003);
        }
    }
    stadium.slab([0.0, -40.0, 70.0], [105.0, 35.0]).slab([0.0, 73.0, 70.0], [105.0, 35.0]);
    assert_floors(&levels(&stadium.points).unwrap(), &[45.0]);
    // The stands can be reached from the pitch: they are on its plan, and in its area.
    let found = levels(&stadium.points).unwrap();
    assert!(found[0].area_m2 > 105.0 * (68.0 + 55.0), "{found:?}");
    stadium.slab([0.0, -37.0, 55.0], [105.0, 12.0]).walls([0.0, -37.0, 55.0], [105.0, 12.0], 3.0);
    assert_floors(&levels(&stadium.points).unwrap(), &[45.0, 55.0]);
}

#[test]
fn a_hillside_and_its_roofs_are_one_level() {
    let mut hill = Scene::new(12.0);
    hill.surface(DVec3::ZERO, dvec3(120.0, 0.0, 12.0), DVec3::Y * 90.0, 0.05);
    for (x, roof) in [(20.0, 9.0), (60.0, 16.0)] {
        hill.slab([x, 30.0, roof], [15.0, 20.0]).walls([x, 30.0, roof - 6.0], [15.0, 20.0], 6.0);
    }
    let found = hill.floors();
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn reflectors_over_a_hall_are_no_level() {
    let mut hall = Scene::new(80.0);
    hall.slab([0.0, 0.0, 0.0], [30.0, 20.0]).slab([0.0, 0.0, 14.0], [30.0, 20.0]).walls([0.0, 0.0, 0.0], [30.0, 20.0], 14.0);
    for (x, y) in (0..4).flat_map(|x| (0..3).map(move |y| (x, y))) {
        hall.slab([2.0 + 7.0 * f64::from(x), 2.0 + 6.0 * f64::from(y), 10.5], [5.0, 4.5]);
    }
    assert_floors(&levels(&hall.points).unwrap(), &[0.0]);
}

#[test]
fn a_storey_without_its_ceiling_is_a_level_too() {
    let mut house = Scene::new(150.0);
    house.slab([0.0, 0.0, 0.0], [12.0, 9.0]).walls([0.0, 0.0, 0.0], [12.0, 9.0], 5.5).slab([0.0, 0.0, 3.0], [12.0, 9.0]);
    for wall in [3.0, 6.0, 9.0] {
        house.surface(dvec3(wall, 0.0, 3.0), DVec3::Y * 9.0, DVec3::Z * 2.5, 0.004);
    }
    assert_floors(&levels(&house.points).unwrap(), &[0.0, 3.0]);
}

#[test]
fn the_demo_hall_has_the_levels_of_its_truth() {
    for points in [300_000, 1_000_000, 2_000_000] {
        check_demo_hall(points);
    }
}

fn check_demo_hall(points: u64) {
    let venue = Venue::concert_hall(1);
    let samples = scanner::scan(&venue, 1, points, &|_| ());
    let points: Vec<ColoredPoint> = samples
        .iter()
        .map(|sample| ColoredPoint {
            position: DVec3::from(sample.position.map(f64::from)) * scanner::SCANNER.resolution_m,
            color: sample.color,
        })
        .collect();
    let wanted: Vec<f64> = venue.levels.iter().map(|level| level.floor_z).collect();
    let drawing = Drawing::new(points.clone()).unwrap();
    let [lower @ .., balcony] = drawing.levels() else { panic!("no level") };
    assert_floors(lower, &wanted[..wanted.len() - 1]);
    // The balcony falls towards the stage in rows: with few points one of them may pass for the whole.
    let hall = Measures::default();
    let rows = (0..hall.balcony_rows).map(|row| hall.balcony_z(row)).chain(wanted.last().copied());
    assert!(rows.into_iter().any(|row| (balcony.floor_m - row).abs() < 0.03), "{balcony:?}");
    assert_eq!(drawing.main_level(), 1, "the ground floor is the largest");
    let basement: f64 = venue.rooms.iter().filter(|room| room.level == -1).map(|room| room.area_m2).sum();
    let found = drawing.levels()[0].area_m2;
    // Machines and cubicles hide some of the floor, and few points leave gaps.
    let least = if points.len() < 500_000 { 0.55 } else { 0.65 };
    assert!((least * basement..1.05 * basement).contains(&found), "{found:.0} m2 of {basement:.0}");
}

#[test]
fn a_plan_shows_its_own_level() {
    let mut house = Scene::new(400.0);
    for z in [0.0, 3.5] {
        house.slab([0.0, 0.0, z], [16.0, 12.0]).slab([0.0, 0.0, z + 3.2], [16.0, 12.0]).walls([0.0, 0.0, z], [16.0, 12.0], 3.2);
    }
    // A wall across, lengthwise below and crosswise above.
    house.surface(dvec3(1.0, 6.0, 0.0), DVec3::X * 14.0, DVec3::Z * 3.2, 0.003);
    house.surface(dvec3(8.0, 1.0, 3.5), DVec3::Y * 10.0, DVec3::Z * 3.2, 0.003);
    let found = levels(&house.points).unwrap();
    assert_floors(&found, &[0.0, 3.5]);
    let plans = found.iter().map(|level| {
        let png = level_plan(&house.points, level, 480, 360).unwrap();
        assert_eq!(png, level_plan(&house.points, level, 480, 360).unwrap(), "the same points give the same picture");
        image::load_from_memory(&png).unwrap().to_rgb8()
    });
    let darkness = plans.map(|plan| {
        let dark = |x: u32, y: u32| plan.get_pixel(x, y).0.iter().map(|&channel| u32::from(channel)).sum::<u32>() < 250;
        // Along the middle row and the middle column, within the outer walls.
        let body = plan.height() - 21;
        let row = (120..360).filter(|&x| (-4..=4).any(|d| dark(x, (body as i32 / 2 + d) as u32))).count();
        let column = (80..260).filter(|&y| (-4..=4).any(|d| dark((240 + d) as u32, y))).count();
        (row > 200, column > 150)
    });
    assert_eq!(darkness.collect::<Vec<_>>(), [(true, false), (false, true)]);
}

#[test]
fn known_noise_is_found_on_walls_and_floors() {
    for sigma in [0.001, 0.003, 0.01, 0.02] {
        let mut room = Scene::new(1500.0);
        for (corner, a, b) in [(DVec3::ZERO, DVec3::X, DVec3::Y), (DVec3::ZERO, DVec3::X, DVec3::Z), (DVec3::ZERO, DVec3::Y, DVec3::Z)] {
            room.surface(corner, a * 5.0, b * 5.0, sigma);
        }
        let patch: Vec<DVec3> = room.points.iter().map(|point| point.position + dvec3(652_000.0, 6_862_000.0, 30.0)).collect();
        let found = survey(&room.points, &places(&patch));
        let noise = found.noise_m.unwrap();
        assert!((noise - sigma).abs() < 0.12 * sigma, "{noise} instead of {sigma}");
        let [low, density, high] = found.density_per_m2.unwrap();
        assert!((density - 1500.0).abs() < 200.0 && low < density && density < high, "{:?}", found.density_per_m2);
        assert!((found.point_spacing_m.unwrap() - density.recip().sqrt()).abs() < 1e-12);
    }
}

#[test]
fn coverage_is_the_area_seen_from_above() {
    let mut floor = Scene::new(200.0);
    floor.slab([0.0, 0.0, 0.0], [20.0, 10.0]);
    // A second storey covers nothing more.
    floor.slab([0.0, 0.0, 3.0], [10.0, 10.0]);
    let found = survey(&floor.points, &[]);
    assert!((found.coverage_m2 - 200.0).abs() < 10.0, "{found:?}");
    assert!((found.coverage_cell_m - 0.25).abs() < 1e-9, "{found:?}");
    assert_eq!((found.noise_m, found.point_spacing_m, found.survey_places), (None, None, 0));
    // Where points are few, the cells grow, and holes between points do not count as holes of the scan.
    let mut sparse = Scene::new(3.0);
    sparse.slab([0.0, 0.0, 0.0], [40.0, 40.0]);
    let found = survey(&sparse.points, &[]);
    assert!(found.coverage_cell_m >= 1.0 && (found.coverage_m2 - 1600.0).abs() < 160.0, "{found:?}");
    assert_eq!(survey(&[], &[]).coverage_m2, 0.0);
}
