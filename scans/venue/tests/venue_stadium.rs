//! The stadium that the tiler is measured with: the same bytes each time, the shape that it says, little memory.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use glam::DVec3;
use md5::{Digest as _, Md5};
use parterre_model::points::PointChunk;
use parterre_read as read;
use parterre_test_support::counting;
use parterre_venue::stadium::{self, MIDDLE};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn make(path: &Path, points: u64, seed: u64) -> Vec<u8> {
    let made = stadium::write(path, points, seed, &AtomicBool::new(false), &|_| ()).expect("a stadium");
    let bytes = std::fs::read(path).expect("a file");
    assert_eq!((made.points, made.bytes), (points, bytes.len() as u64));
    bytes
}

fn points(path: &Path) -> PointChunk {
    let mut source = read::open(path).expect("a file that can be read");
    let info = source.info();
    assert_eq!(info.crs, None);
    assert!(info.warnings.iter().all(|warning| warning.code == "unit_assumed"), "{:?}", info.warnings);
    let (points, bounds) = (info.points, info.bounds);
    let mut all = PointChunk::default();
    assert_eq!(source.read_chunk(&mut all, usize::MAX).expect("points") as u64, points);
    let [min, max] = all.positions.iter().fold([DVec3::INFINITY, DVec3::NEG_INFINITY], |[a, b], &p| [a.min(p), b.max(p)]);
    assert!((bounds.min - min).abs().max_element() < 1e-9 && (bounds.max - max).abs().max_element() < 1e-9);
    all
}

#[test]
fn the_same_bytes_each_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let bytes = make(&dir.path().join("a.las"), 10_000, 7);
    assert_eq!(bytes.len(), 375 + 36 * 10_000);
    assert_eq!(format!("{:x}", Md5::digest(&bytes)), "2c6a42ddb33e2a1ff83b20d7f09cee57");
    assert_eq!(bytes, make(&dir.path().join("b.LAS"), 10_000, 7));
    assert_ne!(bytes, make(&dir.path().join("c.las"), 10_000, 8));
    assert_eq!(make(&dir.path().join("a.laz"), 60_001, 7), make(&dir.path().join("b.laz"), 60_001, 7));
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("a folder").collect();
    assert_eq!(left.len(), 5, "{left:?}");
}

#[test]
fn laz_holds_what_las_holds() {
    let dir = tempfile::tempdir().expect("a folder");
    let [las, laz] = ["a.las", "a.laz"].map(|name| dir.path().join(name));
    make(&las, 120_003, 3);
    let packed = make(&laz, 120_003, 3);
    assert!(packed.len() < 120_003 * 24, "{} bytes", packed.len());
    let [las, laz] = [points(&las), points(&laz)];
    assert_eq!(las.positions, laz.positions);
    assert_eq!(las.colors, laz.colors);
    assert_eq!(las.intensities, laz.intensities);
    assert_eq!(las.classifications, laz.classifications);
    assert_eq!(las.gps_times, laz.gps_times);
    // The last block is a short one, and its points are no copies of another block's.
    assert_ne!(las.positions[..20_003], las.positions[100_000..]);
}

#[test]
fn points_lie_where_the_stadium_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.las");
    make(&path, 200_000, 11);
    let all = points(&path);
    let (mut seats, mut pitch, mut roof) = (Vec::new(), Vec::new(), Vec::new());
    for (index, position) in all.positions.iter().enumerate() {
        let at = *position - DVec3::from_array(MIDDLE);
        if all.classifications[index] == 6 {
            let radius = (at.x / 1.4).hypot(at.y);
            let row = ((radius - 60.0) / 0.8 - 0.001).floor().clamp(0.0, 39.0);
            // Red shows the row; a point on the edge between two may be rounded into the other.
            let row_by_color = ((f64::from(all.colors[index][0]) / 256.0 - 50.0) / 5.0).round();
            assert!((row_by_color - row).abs() <= 1.0, "{at}");
            assert!((59.99..92.01).contains(&radius), "{at}");
            seats.push(at.z - 0.45 * row_by_color);
        } else {
            assert!(at.x.abs() <= 90.0 && at.y.abs() <= 65.0, "{at}");
            if at.z < 12.0 { pitch.push(at.z) } else { roof.push(at.z - 25.0) }
        }
    }
    for (surface, heights, share, noise) in [("seats", seats, 0.6, 0.003), ("pitch", pitch, 0.2, 0.010), ("roof", roof, 0.2, 0.020)] {
        let count = heights.len() as f64;
        assert!((count / 200_000.0 - share).abs() < 0.006, "{surface}: {count}");
        let mean = heights.iter().sum::<f64>() / count;
        let deviation = (heights.iter().map(|height| height * height).sum::<f64>() / count).sqrt();
        assert!(mean.abs() < noise / 10.0 && (deviation / noise - 1.0).abs() < 0.05, "{surface}: {mean} ± {deviation}");
    }
    let mean = |values: &mut dyn Iterator<Item = u16>| values.map(f64::from).sum::<f64>() / 200_000.0;
    assert!((mean(&mut all.intensities.iter().copied()) - 32_767.5).abs() < 200.0);
    assert!((mean(&mut all.colors.iter().map(|color| color[1])) - 120.0 * 256.0).abs() < 100.0);
    assert!((mean(&mut all.colors.iter().map(|color| color[2])) - 65_535.0 * std::f64::consts::FRAC_2_PI).abs() < 200.0);
    assert_eq!((all.gps_times[0], all.gps_times[199_999]), (0.0, 1.0));
    assert!(all.gps_times.is_sorted());
}

#[test]
fn many_points_take_little_memory() {
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["a.las", "a.laz"] {
        stadium::write(&dir.path().join(name), 4_000_000, 1, &AtomicBool::new(false), &|_| ()).expect("a stadium");
    }
    // Four million points are 144 MB; all tests of this file run side by side.
    let peak = counting::PEAK.load(Ordering::Relaxed);
    assert!(peak < 200 << 20, "{} MiB", peak >> 20);
}

#[test]
fn what_cannot_be_made_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let go = AtomicBool::new(false);
    let code = |name: &str, points, stop: &AtomicBool| {
        let made = stadium::write(&dir.path().join(name), points, 1, stop, &|_| ());
        made.map_err(|error| error.code()).expect_err("a refusal")
    };
    assert_eq!(code("a.las", 0, &go), "stadium_points");
    assert_eq!(code("a.las", stadium::MAX_POINTS + 1, &go), "stadium_points");
    assert_eq!(code("a.ply", 10, &go), "stadium_ending");
    assert_eq!(code("a", 10, &go), "stadium_ending");
    assert_eq!(code("missing/a.las", 10, &go), "io");
    assert_eq!(code("a.laz", 10, &AtomicBool::new(true)), "cancelled");
    assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0);
}
