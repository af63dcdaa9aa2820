//! Files that are well-formed and absurd: a run ends, with points or with a code, and never waits for ever.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod tiler_support;

use std::path::Path;

use glam::DVec3;
use parterre_model::record::Grid;
use parterre_read as read;
use parterre_tiler::Options;
use tiler_support::{integers, tile_all};

/// A LAS 1.2 file of point format 0.
fn las(path: &Path, scale: [f64; 3], bounds: [[f64; 3]; 2], points: &[[i32; 3]]) {
    let mut bytes = vec![0; 227];
    bytes[..4].copy_from_slice(b"LASF");
    bytes[24..26].copy_from_slice(&[1, 2]);
    bytes[94..96].copy_from_slice(&227_u16.to_le_bytes());
    bytes[96..100].copy_from_slice(&227_u32.to_le_bytes());
    bytes[105..107].copy_from_slice(&20_u16.to_le_bytes());
    bytes[107..111].copy_from_slice(&(points.len() as u32).to_le_bytes());
    for axis in 0..3 {
        bytes[131 + 8 * axis..139 + 8 * axis].copy_from_slice(&scale[axis].to_le_bytes());
        bytes[179 + 16 * axis..187 + 16 * axis].copy_from_slice(&bounds[1][axis].to_le_bytes());
        bytes[187 + 16 * axis..195 + 16 * axis].copy_from_slice(&bounds[0][axis].to_le_bytes());
    }
    for steps in points {
        bytes.extend(steps.iter().flat_map(|step| step.to_le_bytes()));
        bytes.extend_from_slice(&[7, 0, 0x09, 2, 0, 0, 0, 0]);
    }
    std::fs::write(path, bytes).unwrap();
}

/// Walls whose y and z lie on either side of 0.
fn points(count: i32) -> Vec<[i32; 3]> {
    (0..count).map(|n| [n % 20_000, n / 20_000 * 1000 - 2500, n % 500 - 250]).collect()
}

#[test]
fn absurd_scales_and_bounds_end_with_a_code_or_with_points() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("scan.las");
    let around = |reach: f64| [[-reach; 3], [reach; 3]];
    for scale in [1e-30, f64::MIN_POSITIVE, 1e30, -1e-20] {
        las(&path, [scale, 0.001, 0.001], around(100.0), &points(90_000));
        assert_eq!(read::open(&path).err().unwrap().code(), "las_scale", "{scale}");
    }
    // As fine as can be beside ordinary axes, and bounds that reach where no place is.
    for (scale, reach) in [([1e-15, 0.001, 0.001], 100.0), ([0.001, 0.001, 0.01], 3.9e16), ([0.001; 3], 1e300), ([1e-7, 1e-7, 0.01], 4e10)]
    {
        las(&path, scale, [[-reach, -reach, -reach], [reach; 3]], &points(90_000));
        let out = dir.path().join("out");
        let report = tile_all(vec![read::open(&path).unwrap()], &out, &Options { memory_bytes: 1 << 20, ..Options::default() });
        assert_eq!(report.unwrap().points_out, 90_000, "{scale:?} {reach}");
    }
}

#[test]
fn absurd_grids_of_any_source_end() {
    for scale in [DVec3::new(1e-30, 0.001, 0.001), DVec3::new(0.001, 1e-300, 0.001), DVec3::new(0.001, 0.001, 1e12)] {
        for reach in [1, 2_000_000_000] {
            let mut source = integers(5000, DVec3::ZERO, 3);
            source.grid = Grid { scale, offset: DVec3::ZERO };
            source.info.grid = Some(source.grid);
            for (steps, _) in source.points.iter_mut().step_by(2) {
                steps[1] = -steps[1].max(reach);
            }
            let dir = tempfile::tempdir().unwrap();
            match tile_all(vec![Box::new(source)], dir.path(), &Options { memory_bytes: 1 << 20, tile_points: 300, ..Options::default() }) {
                Ok(report) => assert_eq!(report.points_in, report.points_out + report.points_dropped),
                Err(error) => assert!(["size_implausible", "no_points"].contains(&error.code()), "{scale} {reach}: {error:?}"),
            }
        }
    }
}
