//! A simulated laser scanner: rays from every setup, the first surface each meets, and what the instrument makes of it.
//!
//! How it works. A coarse pass over every setup's sphere finds how far surfaces are, how steeply they are seen and from how
//! many setups. From this follows how many rays each part of each sphere is worth, so that near floors do not eat the
//! budget and each surface gets about the same density; the fine pass casts those, jittered within their part. What comes back is
//! thinned by small cells, the fullest first, to the number of points asked for: what a scanner's software does when
//! setups are joined.
//!
//! Limits: one return a ray, no mixed pixels at edges, no registration error between setups.

use std::f64::consts::{PI, TAU};
use std::sync::atomic::{AtomicUsize, Ordering};

use glam::{DVec3, Vec3, dvec3};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::hall::{Measures, Venue};
use super::material::{Look, lit};
use super::truth::{Scanner, Setup};

/// The instrument.
pub const SCANNER: Scanner = Scanner { range_noise_m: 0.002, max_range_m: 70.0, resolution_m: 0.001 };

/// Lowest elevation: the tripod hides what is below.
const LOWEST: f64 = -70.0 / 180.0 * PI;
/// Rays cast for each point wanted.
const OVERSAMPLING: f64 = 1.7;
/// Edge of the cells in which the setups that see a surface are counted.
const SHARED_CELL_M: f64 = 0.6;
const SECONDS_A_SETUP: f64 = 180.0;

/// A measured point.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Position in whole steps of [`Scanner::resolution_m`].
    pub position: [i32; 3],
    /// sRGB.
    pub color: [u8; 3],
    /// ASPRS class.
    pub class: u8,
    /// Strength of the return.
    pub intensity: u16,
    /// Id of the setup.
    pub setup: u16,
    /// Seconds since the survey began.
    pub time: f64,
}

#[derive(Clone, Copy)]
struct Grid {
    rows: usize,
    columns: usize,
}

impl Grid {
    fn for_points(points: u64) -> Self {
        let rows = ((points as f64 / 4e6).sqrt() * 96.0).clamp(32.0, 96.0) as usize;
        Self { rows, columns: rows * 2 }
    }

    /// Direction at a place in a cell; `u` and `v` run from 0 to 1.
    fn direction(self, row: usize, column: usize, u: f64, v: f64) -> DVec3 {
        let elevation = LOWEST + (PI * 0.5 - LOWEST) * (row as f64 + v) / self.rows as f64;
        let azimuth = TAU * (column as f64 + u) / self.columns as f64;
        dvec3(elevation.cos() * azimuth.cos(), elevation.cos() * azimuth.sin(), elevation.sin())
    }

    /// Solid angle of a cell.
    fn solid_angle(self, row: usize) -> f64 {
        let edge = |row: usize| (LOWEST + (PI * 0.5 - LOWEST) * row as f64 / self.rows as f64).sin();
        (edge(row + 1) - edge(row)) * TAU / self.columns as f64
    }
}

/// What the coarse pass saw through one cell of a setup's sphere.
#[derive(Clone, Copy)]
struct Probe {
    area: f32,
    place: u64,
}

/// Scans the venue. `points` is met to about a thousandth where the venue gives as many returns.
///
/// The result depends on the venue, the seed and the number alone, not on threads. `progress` runs from 0 to 1.
pub fn scan(venue: &Venue, seed: u64, points: u64, progress: &(dyn Fn(f64) + Sync)) -> Vec<Sample> {
    let grid = Grid::for_points(points);
    let probes: Vec<Vec<Probe>> = venue.setups.par_iter().map(|setup| probe(venue, grid, setup)).collect();
    progress(0.1);
    let shares = shares(&probes);
    let seen_area: f64 = probes.iter().zip(&shares).flat_map(|(g, s)| g.iter().zip(s)).map(|(g, &s)| f64::from(g.area * s)).sum();
    if seen_area <= 0.0 {
        return Vec::new();
    }
    let rays_per_area = points as f64 * OVERSAMPLING / seen_area;
    let done = AtomicUsize::new(0);
    let samples: Vec<Vec<Sample>> = venue
        .setups
        .par_iter()
        .enumerate()
        .map(|(index, setup)| {
            let rays: Vec<f32> =
                probes[index].iter().zip(&shares[index]).map(|(g, s)| (f64::from(g.area * s) * rays_per_area) as f32).collect();
            let samples = sweep(venue, grid, setup, &rays, seed);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(0.1 + 0.8 * done as f64 / venue.setups.len() as f64);
            samples
        })
        .collect();
    let samples: Vec<Sample> = samples.into_iter().flatten().collect();
    let kept = thin(samples, points as usize, (seen_area / points as f64).sqrt() * 2.0, seed);
    progress(1.0);
    kept
}

fn probe(venue: &Venue, grid: Grid, setup: &Setup) -> Vec<Probe> {
    let mut probes = Vec::with_capacity(grid.rows * grid.columns);
    for row in 0..grid.rows {
        for column in 0..grid.columns {
            let direction = grid.direction(row, column, 0.5, 0.5);
            let hit = venue.scene.first_hit(setup.position, direction, SCANNER.max_range_m);
            probes.push(hit.map_or(Probe { area: 0.0, place: u64::MAX }, |hit| {
                let steepness = hit.normal.dot(direction.as_vec3a()).abs().max(0.06);
                let at = setup.position + direction * f64::from(hit.distance);
                Probe { area: grid.solid_angle(row) as f32 * hit.distance * hit.distance / steepness, place: cell_key(at / SHARED_CELL_M) }
            }));
        }
    }
    probes
}

/// The share of each probed area that its setup should cover: one over the number of setups that see the place.
fn shares(probes: &[Vec<Probe>]) -> Vec<Vec<f32>> {
    let mut seen: Vec<(u64, u32)> = probes
        .iter()
        .enumerate()
        .flat_map(|(setup, probes)| probes.iter().filter(|g| g.area > 0.0).map(move |g| (g.place, setup as u32)))
        .collect();
    seen.par_sort_unstable();
    seen.dedup();
    probes
        .par_iter()
        .map(|probes| {
            probes
                .iter()
                .map(|probe| {
                    let first = seen.partition_point(|entry| entry.0 < probe.place);
                    let setups = seen[first..].iter().take_while(|entry| entry.0 == probe.place).count();
                    1.0 / setups.max(1) as f32
                })
                .collect()
        })
        .collect()
}

/// Packs a position in whole cells; far beyond any venue the cells repeat, which only costs evenness.
fn cell_key(cell: DVec3) -> u64 {
    let part = |x: f64| (x.floor() as i64 + 0x8000) as u64 & 0xFFFF;
    part(cell.x) << 32 | part(cell.y) << 16 | part(cell.z)
}

fn sweep(venue: &Venue, grid: Grid, setup: &Setup, rays: &[f32], seed: u64) -> Vec<Sample> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(setup.id));
    let mut samples = Vec::with_capacity(rays.iter().sum::<f32>() as usize);
    // Columns outside: the head turns once, the mirror spins.
    for column in 0..grid.columns {
        for row in 0..grid.rows {
            let wanted = rays[row * grid.columns + column];
            let count = (wanted + rng.random::<f32>()) as u32;
            for ray in 0..count {
                let direction = grid.direction(row, column, rng.random(), rng.random());
                let turn = (column as f64 + (row as f64 + f64::from(ray) / f64::from(count)) / grid.rows as f64) / grid.columns as f64;
                let time = (f64::from(setup.id) - 1.0 + turn) * SECONDS_A_SETUP;
                samples.extend(measure(venue, setup, direction, time, &mut rng));
            }
        }
    }
    samples
}

fn measure(venue: &Venue, setup: &Setup, direction: DVec3, time: f64, rng: &mut ChaCha8Rng) -> Option<Sample> {
    let hit = venue.scene.first_hit(setup.position, direction, SCANNER.max_range_m)?;
    let distance = f64::from(hit.distance);
    let at = setup.position + direction * distance;
    let normal = Vec3::from(hit.normal);
    let steepness = hit.normal.dot(direction.as_vec3a()).abs();
    let look = venue.scene.solids()[hit.solid as usize].material.look(at, normal);
    let returned = look.reflectance * steepness.powf(0.7) / (1.0 + (hit.distance / 18.0).powi(2));
    // Weak returns are lost: dark cloth far away, floors seen at a small angle.
    if rng.random::<f32>() > (returned * 40.0).min(0.995) {
        return None;
    }
    let noise = SCANNER.range_noise_m * if look.reflectance < 0.15 { 1.8 } else { 1.0 } * gaussian(rng);
    let measured = setup.position + direction * (distance + noise);
    let shade = 1.0 + 0.035 * gaussian(rng) as f32;
    let color = color(venue, look, normal, at) * shade;
    let speckle = 1.0 + 0.06 * gaussian(rng) as f32;
    Some(Sample {
        position: (measured / SCANNER.resolution_m).round().as_ivec3().to_array(),
        color: srgb8(color),
        class: venue.scene.class(hit.solid),
        intensity: (returned * speckle * 62_000.0).clamp(1.0, 65_535.0) as u16,
        setup: setup.id,
        time,
    })
}

/// Colour of a surface of the venue in the house's light, as the scanner's camera sees it without noise: sRGB, not limited to 0 to 1.
pub(super) fn color(venue: &Venue, look: Look, normal: Vec3, at: DVec3) -> Vec3 {
    let (openness, stage) = house_light(&venue.measures, at, look);
    lit(look, normal, openness, stage, at)
}

/// A colour of 0 to 1 a channel in 8 bits.
pub(super) fn srgb8(color: Vec3) -> [u8; 3] {
    color.to_array().map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8)
}

/// How much light of the house and of the stage falls on a place.
fn house_light(m: &Measures, at: DVec3, look: Look) -> (f32, f32) {
    let in_hall = at.x > m.foyer_end + 0.15 && at.x < m.stage_end + 0.15 && at.y > m.hall_south() - 0.15 && at.y < m.hall_north() + 0.15;
    if !in_hall || at.z < m.pit_z - 0.2 {
        return (if at.z < -0.2 { 0.9 } else { 1.05 }, 0.0);
    }
    let beyond = ((at.x - (m.stage_front - 5.0)) / 6.0).clamp(0.0, 1.0) as f32;
    let high = (1.0 - (at.z / 10.0).clamp(0.0, 1.0) * 0.6) as f32;
    let wall = ((at.y - m.hall_south()).min(m.hall_north() - at.y) < 0.2 && at.x < m.stage_front) as u8;
    // Lamps wash the side walls upwards, in the rhythm of the pilasters.
    let wash = if wall == 1 {
        let phase = (at.x - m.hall_start() - 3.2) / 4.2;
        let away = (phase - phase.round()).abs() * 4.2;
        let up = (at.z - 4.6) / 2.4;
        (0.55 * (-away * away / 0.9).exp() * (-up * up).exp()) as f32
    } else {
        0.0
    };
    let dim = if at.x < m.balcony_end() && at.z < m.balcony_z(m.balcony_rows) { 0.86 } else { 0.95 };
    (dim * (1.0 - 0.35 * beyond * (1.0 - look.glow)) + wash, 0.55 * beyond * high)
}

pub(super) fn gaussian(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos()
}

/// Keeps about `wanted` samples, evenly: the n-th of a cell only where every cell keeps its n-th.
fn thin(samples: Vec<Sample>, wanted: usize, cell_m: f64, seed: u64) -> Vec<Sample> {
    if samples.len() <= wanted {
        return samples;
    }
    let mut order: Vec<(u64, u32)> = samples
        .par_iter()
        .enumerate()
        .map(|(i, sample)| {
            let at = DVec3::from_array(sample.position.map(f64::from)) * SCANNER.resolution_m;
            let random = mix(seed ^ (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)) & 0xFFFF;
            (cell_key(at / cell_m) << 16 | random, i as u32)
        })
        .collect();
    order.par_sort_unstable();
    let mut ranks = vec![0_u16; samples.len()];
    let mut sizes: Vec<usize> = Vec::new();
    let (mut cell, mut rank) = (u64::MAX, 0_usize);
    for &(key, i) in &order {
        rank = if key >> 16 == cell { rank + 1 } else { 0 };
        cell = key >> 16;
        if sizes.len() <= rank {
            sizes.push(0);
        }
        sizes[rank] += 1;
        ranks[i as usize] = rank.min(usize::from(u16::MAX)) as u16;
    }
    let mut kept = 0;
    let mut full = 0;
    while full < sizes.len() && kept + sizes[full] <= wanted {
        kept += sizes[full];
        full += 1;
    }
    let part = sizes.get(full).map_or(0.0, |&size| (wanted - kept) as f64 / size as f64);
    let threshold = (part * u32::MAX as f64) as u64;
    samples
        .into_iter()
        .enumerate()
        .filter(|&(i, _)| {
            let rank = usize::from(ranks[i]);
            rank < full || (rank == full && mix(seed.rotate_left(17) ^ i as u64) >> 32 < threshold)
        })
        .map(|(_, sample)| sample)
        .collect()
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
