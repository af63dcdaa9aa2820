//! Spacings and extents in the tiles of generated scenes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod tiler_support;

use glam::DVec3;
use parterre_tile::glb::Surface;
use parterre_tile::glb::surface::{Extent, tangents};
use parterre_tiler as tiler;
use tiler_support::Random;

/// Tiles points of whole millimetres; returns each with its surface.
fn tiled(points: &[DVec3]) -> Vec<(DVec3, Surface)> {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(1);
    let points = points.iter().map(|&point| random.point((point * 1000.0).round() / 1000.0)).collect();
    let report = tiler_support::run(points, dir.path(), &tiler::Options::default()).unwrap();
    let mut found = Vec::new();
    for tile in tiler::read_back(&dir.path().join("tiles.3tz")).unwrap() {
        for part in tile.unwrap().parts {
            found.extend(
                part.vertices.iter().map(|vertex| report.frame.scan_from_tile(part.position_m(vertex))).zip(part.surfaces.iter().copied()),
            );
        }
    }
    assert_eq!(found.len() as u64, report.points_out);
    found
}

/// Points at random, so many a square metre, with a noise of 2 mm along `across`.
fn scattered(random: &mut Random, per_m2: f64, size: [f64; 2], place: impl Fn(f64, f64) -> DVec3, across: DVec3) -> Vec<DVec3> {
    let count = (per_m2 * size[0] * size[1]) as usize;
    (0..count)
        .map(|_| {
            let noise = (random.share() + random.share() + random.share() - 1.5) * 0.004;
            place(random.share() * size[0], random.share() * size[1]) + across * noise
        })
        .collect()
}

/// How far a disc of this radius around the point, cut off where the surface ends, goes along a direction.
fn reach_m(surface: Surface, direction: DVec3, radius_m: f64) -> f64 {
    let along = tangents(surface.normal.unit()).map(|tangent| tangent.as_dvec3().dot(direction));
    let [a, b, c, d] = surface.extent.metres();
    let limit = |along: f64, up: f64, down: f64| {
        let extent = if along >= 0.0 { up } else { down };
        if along.abs() > 0.7 { extent } else { f64::INFINITY }
    };
    limit(along[0], a, b).min(limit(along[1], c, d)).min(radius_m)
}

/// Share of points for which something holds.
fn share(found: &[(DVec3, Surface)], which: impl Fn(DVec3) -> bool, holds: impl Fn(DVec3, Surface) -> bool) -> f64 {
    let chosen: Vec<_> = found.iter().filter(|(at, _)| which(*at)).collect();
    assert!(chosen.len() > 50, "{}", chosen.len());
    chosen.iter().filter(|(at, surface)| holds(*at, *surface)).count() as f64 / chosen.len() as f64
}

#[test]
fn discs_end_at_the_frame_of_a_doorway_and_nowhere_else_on_the_wall() {
    for (seed, per_m2) in [(1, 900.0), (2, 2500.0), (3, 10_000.0)] {
        let mut random = Random(seed);
        let is_door = |at: DVec3| (2.0..2.9).contains(&at.x) && at.z < 2.1;
        let mut points = scattered(&mut random, per_m2, [5.0, 3.0], |u, v| DVec3::new(u, 1.0, v), DVec3::Y);
        points.retain(|at| !is_door(*at));
        let found = tiled(&points);
        let spacing_m = f64::sqrt(1.0 / per_m2);
        // Discs as large as a tablet draws them at some metres.
        let radius_m = 4.0 * spacing_m;
        let beside = |at: DVec3| (2.0 - radius_m..2.0).contains(&at.x) && at.z < 1.9;
        let reaches = |at: DVec3, surface| at.x + reach_m(surface, DVec3::X, radius_m);
        let ends = share(&found, beside, |at, surface| reaches(at, surface) < 2.0 + spacing_m);
        assert!(ends > 0.95, "{per_m2}: {ends} end at the frame");
        let closes = share(&found, beside, |at, surface| reaches(at, surface) > 2.0 - 1.7 * spacing_m);
        assert!(closes > 0.6, "{per_m2}: {closes} reach the frame");
        let middle = |at: DVec3| (0.5..1.5).contains(&at.x) && (0.5..2.5).contains(&at.z);
        let whole = share(&found, middle, |_, surface| reach_m(surface, DVec3::X, radius_m) >= radius_m * 0.99);
        assert!(whole > 0.97, "{per_m2}: {whole} are whole in the middle of the wall");
        let known = share(&found, middle, |_, surface| surface.spacing.metres().is_some_and(|m| (0.7..1.5).contains(&(m / spacing_m))));
        assert!(known > 0.95, "{per_m2}: {known} have the right spacing");
    }
}

#[test]
fn the_gaps_between_the_bars_of_a_railing_stay_open() {
    // Bars of 4 cm with gaps of 11 cm, 8 mm between points.
    let mut random = Random(7);
    let mut points = scattered(&mut random, 15_000.0, [3.0, 1.0], |u, v| DVec3::new(u, 1.0, v), DVec3::Y);
    let in_bar = |at: DVec3| at.x.rem_euclid(0.15);
    points.retain(|at| in_bar(*at) < 0.04);
    let found = tiled(&points);
    let open = share(&found, |at| (0.2..0.8).contains(&at.z), |at, surface| in_bar(at) + reach_m(surface, DVec3::X, 0.08) < 0.06);
    assert!(open > 0.9, "{open}");
}

#[test]
fn between_the_lines_of_a_scanner_a_floor_goes_on() {
    // Lines 10 cm apart, a point every 6 mm.
    let mut random = Random(3);
    let points: Vec<DVec3> = (0..40)
        .flat_map(|line| (0..600).map(move |at| (line, at)))
        .map(|(line, at)| DVec3::new(f64::from(at) * 0.006 + random.share() * 0.002, f64::from(line) * 0.1, random.share() * 0.003))
        .collect();
    let found = tiled(&points);
    let middle = |at: DVec3| (1.0..2.6).contains(&at.x) && (1.0..3.0).contains(&at.y);
    let closed = share(&found, middle, |_, surface| reach_m(surface, DVec3::Y, 0.05) >= 0.049);
    assert!(closed > 0.9, "{closed}");
}

#[test]
fn the_faces_of_sparsely_scanned_seat_backs_are_told_apart() {
    // Backs of 50 x 60 cm, 8 cm thick, 90 cm apart; points 4 cm apart.
    let mut random = Random(11);
    let mut points = Vec::new();
    for row in 0..6 {
        for side in [0.0, 0.08] {
            let y = f64::from(row) * 0.9 + side;
            points.extend(scattered(&mut random, 625.0, [4.0, 0.6], |u, v| DVec3::new(u, y, v + 0.4), DVec3::Y));
        }
        points.extend(scattered(&mut random, 625.0, [4.0, 0.08], |u, v| DVec3::new(u, f64::from(row) * 0.9 + v, 1.0), DVec3::Z));
    }
    let found = tiled(&points);
    let is_face = |at: DVec3| (0.45..0.95).contains(&at.z);
    let right = share(&found, is_face, |_, surface| f64::from(surface.normal.unit().y.abs()) > 0.96);
    assert!(right > 0.9, "{right} of the normals are right");
    // The upper edge is at 1 m.
    let ends = share(&found, |at| (0.9..0.97).contains(&at.z), |at, surface| at.z + reach_m(surface, DVec3::Z, 0.12) < 1.05);
    assert!(ends > 0.8, "{ends} end at the upper edge");
}

#[test]
fn points_without_a_surface_are_taken_as_they_are() {
    // All at one place, all on a line, and each alone.
    let one = vec![DVec3::ONE; 500];
    let line: Vec<DVec3> = (0..500).map(|at| DVec3::new(f64::from(at) * 0.01, 0.0, 0.0)).collect();
    let alone: Vec<DVec3> = (0..7).map(|at| DVec3::new(f64::from(at * at) * 3.0, f64::from(at) * 7.0, f64::from(at % 3))).collect();
    for points in [&one, &line, &alone, &vec![DVec3::ZERO]] {
        assert_eq!(tiled(points).len(), points.len());
    }
    for points in [one, vec![DVec3::ZERO]] {
        assert!(tiled(&points).iter().all(|(_, surface)| surface.spacing.metres().is_none() && surface.extent == Extent::default()));
    }
}
