//! Simulated scans of simple buildings and places, for judging which axis points up: Z, in all of them.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod scenes;

use std::f64::consts::TAU;

use glam::{DVec3, dvec3};
use parterre_venue::scene::Scene;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Points of a case.
const POINTS: usize = 40_000;
/// Standard deviation of a range, metres: between that of a scanner on a tripod (2 mm) and of a hand-held one (20 mm).
const NOISE_M: [f64; 2] = [0.002, 0.02];
const MAX_RANGE_M: f64 = 120.0;

/// A scan in memory.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Metres, Z up, in the order of a scanner on its tripod or in any order.
    pub(crate) points: Vec<DVec3>,
}

/// Where a scanner stands and what it scans.
pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) scene: Scene,
    pub(crate) setups: Vec<DVec3>,
    /// The lowest elevation of the rays, degrees.
    pub(crate) lowest: f64,
}

/// Scans of every kind of site, of `seeds` sizes and furnishings each.
pub(crate) fn cases(seeds: std::ops::Range<u64>) -> Vec<Case> {
    let mut cases = Vec::new();
    for seed in seeds {
        for (index, site) in scenes::all(&mut ChaCha8Rng::seed_from_u64(seed)).into_iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed << 8 | index as u64);
            cases.push(Case { name: format!("{} {seed}", site.name), points: scan(&site, &mut rng) });
        }
    }
    cases
}

/// Casts rays from every setup at equal steps of azimuth and elevation, as an instrument does, and keeps the points in the order of the
/// instrument, shuffled, or thinned to cells of one size: what exporting programs write.
fn scan(site: &Site, rng: &mut ChaCha8Rng) -> Vec<DVec3> {
    let noise = rng.random_range(NOISE_M[0]..NOISE_M[1]);
    let thinned = rng.random_bool(0.4);
    let ordered = !thinned && rng.random_bool(0.3);
    let rays = if thinned { 4 * POINTS } else { POINTS } / site.setups.len();
    let rows = ((rays as f64 * (90.0 - site.lowest) / 360.0).sqrt()).ceil();
    let columns = (rays as f64 / rows).ceil();
    let mut points = Vec::with_capacity(POINTS);
    for &setup in &site.setups {
        for column in 0..columns as u32 {
            for row in 0..rows as u32 {
                let azimuth = TAU * (f64::from(column) + rng.random::<f64>()) / columns;
                let elevation = (site.lowest + (90.0 - site.lowest) * (f64::from(row) + rng.random::<f64>()) / rows).to_radians();
                let ray = dvec3(elevation.cos() * azimuth.cos(), elevation.cos() * azimuth.sin(), elevation.sin());
                let Some(hit) = site.scene.first_hit(setup, ray, MAX_RANGE_M) else { continue };
                let error = noise * (rng.random::<f64>() + rng.random::<f64>() + rng.random::<f64>() - 1.5) * 2.0;
                points.push(setup + ray * (f64::from(hit.distance) + error));
            }
        }
    }
    if !ordered {
        points.shuffle(rng);
    }
    if thinned { thin(points) } else { points }
}

/// Leaves one point in each cell, of the size that leaves half of [`POINTS`] at most.
fn thin(points: Vec<DVec3>) -> Vec<DVec3> {
    let mut edge = 0.02;
    loop {
        let mut seen = std::collections::HashSet::new();
        let kept: Vec<DVec3> = points.iter().copied().filter(|point| seen.insert((*point / edge).floor().as_ivec3())).collect();
        if kept.len() <= POINTS / 2 {
            return kept;
        }
        edge *= 1.25;
    }
}
