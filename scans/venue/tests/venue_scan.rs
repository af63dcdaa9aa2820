//! The simulated scan against the venue that it shows.

use std::fs;
use std::sync::Mutex;

use glam::{DVec3, dvec3};
use parterre_venue::hall::Venue;
use parterre_venue::scanner::{SCANNER, Sample, scan};
use parterre_venue::scene::class;
use parterre_venue::{MAX_POINTS, Options, demo};

const POINTS: u64 = 300_000;

fn position(sample: &Sample) -> DVec3 {
    DVec3::from_array(sample.position.map(f64::from)) * SCANNER.resolution_m
}

fn small_scan() -> (Venue, Vec<Sample>) {
    let venue = Venue::concert_hall(1);
    let samples = scan(&venue, 1, POINTS, &|_| ());
    (venue, samples)
}

#[test]
fn as_many_points_as_asked_for_and_even() {
    let (venue, samples) = small_scan();
    let ratio = samples.len() as f64 / POINTS as f64;
    assert!((0.95..=1.05).contains(&ratio), "{} points", samples.len());
    let bounds = venue.scene.bounds();
    for sample in &samples {
        let at = position(sample);
        assert!(
            bounds.contains(at.clamp(bounds.min + 0.02, bounds.max - 0.02))
                && (at - bounds.center()).abs().cmple(bounds.size() * 0.5 + 0.02).all(),
            "{at}"
        );
    }
    // No cell of half a metre holds the many points that lie around a scanner before thinning.
    let mut cells: Vec<[i32; 3]> = samples.iter().map(|s| s.position.map(|p| p.div_euclid(500))).collect();
    cells.sort_unstable();
    let sizes: Vec<usize> = cells.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
    let mean = samples.len() as f64 / sizes.len() as f64;
    let largest = *sizes.iter().max().unwrap() as f64;
    assert!(largest < mean * 12.0, "{largest} points in a cell, {mean:.1} in the mean");
}

#[test]
fn nothing_stands_between_a_setup_and_its_points() {
    let (venue, samples) = small_scan();
    let mut off = 0;
    for sample in &samples {
        let setup = &venue.setups[usize::from(sample.setup) - 1];
        let ray = position(sample) - setup.position;
        let distance = ray.length();
        assert!(distance < SCANNER.max_range_m + 0.1);
        // Stored positions are rounded, so a ray that only just cleared an edge may graze it now: rare, not the rule.
        let free = venue.scene.first_hit(setup.position, ray / distance, distance - 0.03).is_none();
        off += usize::from(!free);
    }
    assert!(off * 2000 < samples.len(), "{off} of {} points lie behind something", samples.len());
}

#[test]
fn points_lie_on_surfaces_within_the_noise() {
    let (venue, samples) = small_scan();
    let mut errors = Vec::new();
    for sample in samples.iter().step_by(7) {
        let setup = &venue.setups[usize::from(sample.setup) - 1];
        let ray = position(sample) - setup.position;
        if let Some(hit) = venue.scene.first_hit(setup.position, ray.normalize(), ray.length() + 0.03) {
            let error = ray.length() - f64::from(hit.distance);
            if error.abs() < 0.02 {
                errors.push(error);
            }
        }
    }
    assert!(errors.len() * 7 > samples.len() * 99 / 100, "{} of {}", errors.len() * 7, samples.len());
    let rms = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
    assert!((SCANNER.range_noise_m * 0.8..SCANNER.range_noise_m * 1.8).contains(&rms), "{rms} m");
}

#[test]
fn every_room_and_every_level_is_covered() {
    let (venue, samples) = small_scan();
    for room in &venue.rooms {
        let [x0, y0, x1, y1] = room.rectangle;
        let floor = samples
            .iter()
            .filter(|sample| sample.class == class::GROUND)
            .map(position)
            .filter(|p| p.x > x0 && p.x < x1 && p.y > y0 && p.y < y1 && p.z > room.floor_z[0] - 0.02 && p.z < room.floor_z[1] + 0.02)
            .count();
        // A twentieth of the full density over all of the floor, where seats and furniture hide much of it.
        assert!(floor as f64 > room.area_m2 * 3.0, "{}: {floor} floor points on {:.0} m2", room.id, room.area_m2);
    }
    for view in venue.viewpoints.iter().filter(|view| view.name != "overview" && view.name != "outside") {
        let near = samples.iter().filter(|s| s.class == class::GROUND).map(position).any(|p| {
            let below = view.eye - p;
            below.truncate().length() < 1.5 && (0.9..2.4).contains(&below.z)
        });
        assert!(near, "no floor under {}", view.name);
    }
}

#[test]
fn colors_and_intensities_vary_with_what_is_seen() {
    let (_, samples) = small_scan();
    let mut intensities: Vec<u16> = samples.iter().map(|sample| sample.intensity).collect();
    intensities.sort_unstable();
    let (low, high) = (intensities[intensities.len() / 20], intensities[intensities.len() * 19 / 20]);
    assert!(f64::from(high) > f64::from(low) * 3.0, "{low} to {high}");
    let red = samples.iter().filter(|s| s.class == class::FURNITURE && s.color[0] / 2 > s.color[1].max(s.color[2])).count();
    assert!(red * 40 > samples.len(), "{red} points of red seats");
    let signs = samples.iter().filter(|s| s.class == class::SIGN && s.color[1] > 150).count();
    assert!(signs > 20, "{signs} points on signs");
}

#[test]
fn same_seed_same_bytes() {
    let made = |seed: u64, threads: usize| {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { seed, points: 60_000 };
        let last = Mutex::new(0.0_f64);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let made = pool.install(|| {
            demo(dir.path(), &options, &|done| {
                assert!((0.0..=1.0).contains(&done));
                *last.lock().unwrap() = done;
            })
        });
        let made = made.unwrap();
        assert!((*last.lock().unwrap() - 1.0).abs() < 1e-12);
        assert!((57_000..=63_000).contains(&made.points), "{}", made.points);
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        (fs::read(dir.path().join("scan.laz")).unwrap(), fs::read(dir.path().join("truth.json")).unwrap())
    };
    let (first, again, other) = (made(5, 1), made(5, 3), made(6, 2));
    assert!(first == again, "two runs with one seed differ");
    assert!(first.0 != other.0 && first.1 != other.1, "two seeds give one scan");
}

#[test]
fn laz_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let made = demo(dir.path(), &Options { seed: 2, points: 50_000 }, &|_| ()).unwrap();
    let mut reader = las::Reader::from_path(dir.path().join("scan.laz")).unwrap();
    let header = reader.header().clone();
    assert_eq!(header.number_of_points(), made.points);
    assert_eq!((header.version().major, header.version().minor), (1, 4));
    assert_eq!(header.point_format().to_u8().unwrap() & 0x7F, 7);
    assert!((header.transforms().x.scale - 0.001).abs() < 1e-12);
    let wkt = header.get_wkt_crs_bytes().unwrap();
    assert!(String::from_utf8_lossy(wkt).contains("UNIT[\"metre\",1]"));
    let data = reader.read_all().unwrap();
    let mut setups = std::collections::BTreeSet::new();
    let mut time = f64::NEG_INFINITY;
    for point in data.points() {
        let point = point.unwrap();
        setups.insert(point.point_source_id);
        assert!(point.gps_time.is_some_and(|t| t.is_finite() && t >= time));
        time = point.gps_time.unwrap();
        assert!(dvec3(point.x, point.y, point.z).abs().max_element() < 100.0);
    }
    assert_eq!(setups.len(), made.setups as usize);
}

#[test]
fn numbers_of_points_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for points in [0, 9_999, MAX_POINTS + 1] {
        let error = demo(dir.path(), &Options { seed: 1, points }, &|_| ()).unwrap_err();
        assert_eq!(error.code(), "demo_points");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
