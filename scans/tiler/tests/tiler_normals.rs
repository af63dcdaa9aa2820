//! Normals in the tiles of the demo hall, compared with the hall's own surfaces.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod tiler_support;

use std::collections::HashMap;
use std::sync::Arc;

use glam::{DQuat, DVec3};
use parterre_model::points::{Attributes, PointChunk};
use parterre_model::setup::Setup;
use parterre_model::{Result, Warning};
use parterre_read::{PointSource, SourceInfo};
use parterre_tile::tileset::{Normals, Orientation};
use parterre_tiler as tiler;
use parterre_venue::hall::Venue;
use parterre_venue::scanner::{SCANNER, Sample, scan};

/// Points up to this far from a point of another surface are near an edge.
const EDGE_M: f64 = 0.1;

/// Samples of the simulated scanner as a source.
struct Samples {
    info: SourceInfo,
    all: Arc<Vec<Sample>>,
    at: usize,
}

fn position(sample: &Sample) -> DVec3 {
    DVec3::from_array(sample.position.map(f64::from)) * SCANNER.resolution_m
}

impl PointSource for Samples {
    fn info(&self) -> &SourceInfo {
        &self.info
    }
    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        chunk.clear();
        let samples = &self.all[self.at..self.all.len().min(self.at + max)];
        self.at += samples.len();
        for sample in samples {
            chunk.positions.push(position(sample));
            chunk.sources.push(sample.setup);
        }
        Ok(samples.len())
    }
    fn rewind(&mut self) -> Result<()> {
        self.at = 0;
        Ok(())
    }
    fn warnings(&self) -> &[Warning] {
        &[]
    }
}

/// The hall, its samples, the normal of the surface at each and whether that is near an edge.
struct Hall {
    venue: Venue,
    samples: Arc<Vec<Sample>>,
    normals: Vec<DVec3>,
    near_edge: Vec<bool>,
}

fn hall(points: u64) -> Hall {
    let venue = Venue::concert_hall(1);
    let samples = scan(&venue, 1, points, &|_| ());
    let setups: HashMap<u16, DVec3> = venue.setups.iter().map(|setup| (setup.id, setup.position)).collect();
    let normal = |sample: &Sample| {
        let from = setups[&sample.setup];
        let hit = venue.scene.first_hit(from, (position(sample) - from).normalize(), 1000.0);
        hit.map_or(DVec3::ZERO, |hit| hit.normal.as_dvec3())
    };
    let normals: Vec<DVec3> = samples.iter().map(normal).collect();
    let cell = |position: DVec3| (position / EDGE_M).floor().as_ivec3();
    let mut cells: HashMap<glam::IVec3, Vec<u32>> = HashMap::new();
    for (index, sample) in samples.iter().enumerate() {
        cells.entry(cell(position(sample))).or_default().push(index as u32);
    }
    let is_other = |index: usize, other: u32| {
        let other = other as usize;
        let between = position(&samples[other]) - position(&samples[index]);
        // Another direction, or a parallel surface in front or behind.
        between.length() < EDGE_M && (normals[index].dot(normals[other]) < 0.94 || between.dot(normals[index]).abs() > 0.015)
    };
    let near = |index: usize| {
        let middle = cell(position(&samples[index]));
        let around = (0..27).map(|n| middle + glam::IVec3::new(n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1));
        around.filter_map(|cell| cells.get(&cell)).flatten().any(|&other| is_other(index, other))
    };
    let near_edge = (0..samples.len()).map(near).collect();
    Hall { samples: Arc::new(samples), normals, near_edge, venue }
}

/// Shares of points.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    points: f64,
    within_10: f64,
    within_20: f64,
    right_side: f64,
}

/// Tiles the samples, with or without the setups; returns what the tileset says, and shares of all points and of those near edges.
fn measure(hall: &Hall, with_setups: bool) -> (Normals, [Shares; 2]) {
    let mut info = tiler_support::memory(Vec::new()).info;
    info.points = hall.samples.len() as u64;
    info.attributes = Attributes::default();
    if with_setups {
        let setup = |setup: &parterre_venue::truth::Setup| Setup {
            name: setup.name.clone(),
            position: setup.position,
            rotation: DQuat::IDENTITY,
            points: 0,
            posed: true,
        };
        info.setups = hall.venue.setups.iter().map(setup).collect();
    }
    let dir = tempfile::tempdir().unwrap();
    let mut sources: Vec<Box<dyn PointSource>> = vec![Box::new(Samples { info, all: Arc::clone(&hall.samples), at: 0 })];
    let report = tiler::tile(&mut sources, dir.path(), &tiler::Options::default(), &|_| ()).unwrap();
    let by_position: HashMap<[i32; 3], u32> = hall.samples.iter().enumerate().map(|(n, sample)| (sample.position, n as u32)).collect();
    let tiles = tiler::read_back(&dir.path().join("tiles.3tz")).unwrap();
    let said = tiles.extras().normals.unwrap();
    let mut sums = [Shares::default(); 2];
    for tile in tiles {
        for part in tile.unwrap().parts {
            assert_eq!(part.surfaces.len(), part.vertices.len());
            for (vertex, surface) in part.vertices.iter().zip(&part.surfaces) {
                let at = (report.frame.scan_from_tile(part.position_m(vertex)) * 1000.0).round().as_ivec3().to_array();
                let index = by_position[&at] as usize;
                let cos = f64::from(surface.normal.unit().dot(hall.normals[index].as_vec3()));
                let angle = cos.abs().min(1.0).acos().to_degrees();
                for sums in &mut sums[..=usize::from(hall.near_edge[index])] {
                    sums.points += 1.0;
                    sums.within_10 += f64::from(angle < 10.0);
                    sums.within_20 += f64::from(angle < 20.0);
                    sums.right_side += f64::from(cos > 0.0);
                }
            }
        }
    }
    let share = |sums: Shares| Shares {
        points: sums.points,
        within_10: sums.within_10 / sums.points,
        within_20: sums.within_20 / sums.points,
        right_side: sums.right_side / sums.points,
    };
    (said, sums.map(share))
}

#[test]
#[ignore = "takes minutes: the figures in docs/formats.md"]
fn figures_of_the_demo_hall() {
    for points in [1_000_000, 4_000_000] {
        let hall = hall(points);
        for with_setups in [true, false] {
            let (said, [all, near]) = measure(&hall, with_setups);
            eprintln!("{points} points, setups {with_setups}, {said:?}\n  all  {all:?}\n  edge {near:?}");
        }
    }
}

#[test]
fn most_normals_of_the_demo_hall_are_right() {
    let hall = hall(300_000);
    let (said, [all, near]) = measure(&hall, true);
    assert_eq!(said.oriented, Some(Orientation::Setups));
    assert!(all.within_10 > 0.8 && all.within_20 > 0.83 && all.right_side > 0.94, "{all:?}");
    assert!(near.within_20 > 0.4 && near.right_side > 0.8, "{near:?}");
    let (said, [all, _]) = measure(&hall, false);
    assert_eq!(said.oriented, Some(Orientation::FreeSpace));
    assert!(all.within_10 > 0.8 && all.right_side > 0.78, "{all:?}");
}

/// Tiles points of whole millimetres; returns each with its normal.
fn tiled(points: &[DVec3]) -> Vec<(DVec3, DVec3)> {
    let dir = tempfile::tempdir().unwrap();
    let mut random = tiler_support::Random(1);
    let points = points.iter().map(|&point| random.point((point * 1000.0).round() / 1000.0)).collect();
    let report = tiler_support::run(points, dir.path(), &tiler::Options::default()).unwrap();
    let mut found = Vec::new();
    for tile in tiler::read_back(&dir.path().join("tiles.3tz")).unwrap() {
        for part in tile.unwrap().parts {
            assert_eq!(part.surfaces.len(), part.vertices.len());
            let normals = part.surfaces.iter().map(|surface| surface.normal.unit().as_dvec3());
            found.extend(part.vertices.iter().map(|vertex| report.frame.scan_from_tile(part.position_m(vertex))).zip(normals));
        }
    }
    assert_eq!(found.len() as u64, report.points_out);
    assert!(found.iter().all(|(_, normal)| normal.is_normalized()));
    found
}

/// Share of the points, of those that `which` takes, whose normal is within some degrees of the right one, on either side.
fn share_within(found: &[(DVec3, DVec3)], degrees: f64, which: impl Fn(DVec3) -> bool, right: impl Fn(DVec3) -> DVec3) -> f64 {
    let chosen: Vec<_> = found.iter().filter(|(position, _)| which(*position)).collect();
    let is_right = |(position, normal): &&(DVec3, DVec3)| normal.dot(right(*position)).abs() > degrees.to_radians().cos();
    chosen.iter().copied().filter(is_right).count() as f64 / chosen.len() as f64
}

/// Numbers of the normal distribution with a standard deviation of 1.
fn gaussian(random: &mut tiler_support::Random) -> f64 {
    (-2.0 * (1.0 - random.share()).ln()).sqrt() * (std::f64::consts::TAU * random.share()).cos()
}

#[test]
fn planes_with_noise() {
    for (spacing_m, noise_m) in [(0.005, 0.002), (0.01, 0.006), (0.04, 0.002), (0.04, 0.006), (0.3, 0.006), (0.02, 0.02)] {
        for normal in [DVec3::Z, DVec3::new(0.6, -0.48, 0.64)] {
            let mut random = tiler_support::Random(7);
            let (u, v) = normal.any_orthonormal_pair();
            let points: Vec<DVec3> = (0..20_000)
                .map(|_| {
                    (u * (random.share() - 0.5) + v * (random.share() - 0.5)) * 141.4 * spacing_m + normal * noise_m * gaussian(&mut random)
                })
                .collect();
            let share = share_within(&tiled(&points), 10.0, |_| true, |_| normal);
            assert!(share > if noise_m < spacing_m { 0.98 } else { 0.85 }, "{spacing_m} m, {noise_m} m: {share}");
        }
    }
}

/// A rectangle of points: corner, two edges, about one point every `spacing_m`, with noise across.
fn rectangle(random: &mut tiler_support::Random, corner: DVec3, [u, v]: [DVec3; 2], spacing_m: f64, points: &mut Vec<DVec3>) {
    let normal = u.cross(v).normalize();
    let count = (u.length() * v.length() / (spacing_m * spacing_m)) as usize;
    points.extend((0..count).map(|_| corner + u * random.share() + v * random.share() + normal * 0.002 * gaussian(random)));
}

#[test]
fn edges_of_a_box_stay_crisp() {
    let mut random = tiler_support::Random(3);
    let (mut points, size) = (Vec::new(), DVec3::new(1.1, 0.7, 0.9));
    let edges = [DVec3::X * size.x, DVec3::Y * size.y, DVec3::Z * size.z];
    for axis in 0..3 {
        let [u, v] = [edges[(axis + 1) % 3], edges[(axis + 2) % 3]];
        for corner in [DVec3::ZERO, edges[axis]] {
            rectangle(&mut random, corner, [u, v], 0.01, &mut points);
        }
    }
    // To the faces: the nearest one's normal is right.
    let depth = |position: DVec3, axis: usize| position[axis].abs().min((size[axis] - position[axis]).abs());
    let axis_of = |position: DVec3| (0..3).min_by(|&a, &b| depth(position, a).total_cmp(&depth(position, b))).unwrap();
    let right = |position: DVec3| DVec3::AXES[axis_of(position)];
    let second = |position: DVec3| {
        let axis = axis_of(position);
        depth(position, (axis + 1) % 3).min(depth(position, (axis + 2) % 3))
    };
    let found = tiled(&points);
    let share = share_within(&found, 10.0, |position| second(position) > 0.01, right);
    assert!(share > 0.95, "{share}");
    let share = share_within(&found, 10.0, |position| (0.006..0.03).contains(&second(position)), right);
    assert!(share > 0.75, "{share}");
}

#[test]
fn stairs_have_treads_and_risers() {
    let mut random = tiler_support::Random(5);
    let (mut points, rise, going, width) = (Vec::new(), 0.17, 0.29, 1.5);
    for step in 0..10 {
        let nose = DVec3::new(going * f64::from(step), 0.0, rise * f64::from(step));
        rectangle(&mut random, nose, [DVec3::Y * width, DVec3::Z * rise], 0.015, &mut points);
        rectangle(&mut random, nose + DVec3::Z * rise, [DVec3::X * going, DVec3::Y * width], 0.015, &mut points);
    }
    let from_riser = |position: DVec3| (position.x - (position.x / going).round() * going).abs();
    let from_tread = |position: DVec3| (position.z - (position.z / rise).round() * rise).abs();
    let right = |position: DVec3| if from_riser(position) < from_tread(position) { DVec3::X } else { DVec3::Z };
    let found = tiled(&points);
    let share = share_within(&found, 10.0, |position| from_riser(position).max(from_tread(position)) > 0.02, right);
    assert!(share > 0.95, "{share}");
}

#[test]
fn a_column_has_the_normals_of_a_cylinder() {
    let mut random = tiler_support::Random(9);
    let points: Vec<DVec3> = (0..60_000)
        .map(|_| {
            let (sin, cos) = (random.share() * std::f64::consts::TAU).sin_cos();
            DVec3::new(cos, sin, 0.0) * (0.3 + 0.002 * gaussian(&mut random)) + DVec3::Z * 3.0 * random.share()
        })
        .collect();
    let found = tiled(&points);
    let right = |position: DVec3| position.with_z(0.0).normalize();
    let [within_10, within_20] = [10.0, 20.0].map(|degrees| share_within(&found, degrees, |_| true, right));
    assert!(within_10 > 0.88 && within_20 > 0.96, "{within_10} {within_20}");
}

#[test]
fn points_without_a_surface_have_normals_too() {
    let up = |found: &[(DVec3, DVec3)]| found.iter().all(|(_, normal)| normal.distance(DVec3::Z) < 1e-6);
    assert!(up(&tiled(&[DVec3::new(1.0, 2.0, 3.0)])));
    assert!(up(&tiled(&vec![DVec3::new(1.0, 2.0, 3.0); 5000])));
    // Beyond the points of a leaf: the cell of these points is a dense one.
    assert!(up(&tiled(&vec![DVec3::new(1.0, 2.0, 3.0); 150_000])));
    assert!(up(&tiled(&[DVec3::ZERO, DVec3::new(5.0, 1.0, 2.0)])));
    // A railing, sloping and thin: across its axis.
    let axis = DVec3::new(3.0, 0.0, 1.0).normalize();
    let line: Vec<DVec3> = (0..2000).map(|n| axis * 0.002 * f64::from(n)).collect();
    let found = tiled(&line);
    assert!(found.iter().filter(|(_, normal)| normal.dot(axis).abs() < 0.3).count() > 1900);
    // Points all over a volume.
    let mut random = tiler_support::Random(2);
    tiled(&(0..30_000).map(|_| DVec3::new(random.share(), random.share(), random.share()) * 3.0).collect::<Vec<_>>());
    // Every point twice.
    let twice: Vec<DVec3> = (0..20_000).map(|n| DVec3::new(f64::from(n / 2 % 100), f64::from(n / 200), 0.0) * 0.01).collect();
    assert!(up(&tiled(&twice)));
}

#[test]
fn normals_do_not_depend_on_how_the_work_is_divided() {
    let samples = tiler_support::integers(60_000, DVec3::new(100.0, 200.0, 0.0), 1);
    let tiles = |memory_bytes: u64, reverse: bool, threads: usize| {
        let mut source = samples.clone();
        if reverse {
            source.points.reverse();
        }
        let dir = tempfile::tempdir().unwrap();
        let options = tiler::Options { memory_bytes, tile_points: 300, ..tiler::Options::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| tiler_support::tile_all(vec![Box::new(source)], dir.path(), &options)).unwrap();
        std::fs::read(dir.path().join("tiles.3tz")).unwrap()
    };
    let whole = tiles(512 << 20, false, 1);
    assert!(tiles(1 << 20, true, 5) == whole);
    assert!(tiles(64 << 20, false, 2) == whole);
}
