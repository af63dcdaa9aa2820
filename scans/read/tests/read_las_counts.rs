//! LAS and LAZ files whose header does not fit their points: truncated ones, wrong counts, wrong bounds, missing tables.

use parterre_model::points::PointChunk;
use parterre_model::{Error, ErrorKind};
use parterre_test_support::codes::code_of;
use parterre_test_support::las_files::{data_offset, las, las14, laz, open, put};
use parterre_test_support::points::read_up_to;

/// Reads all points. A damaged count may announce millions of equal points: a part of them shows as much as all.
fn read(bytes: Vec<u8>) -> Result<PointChunk, Error> {
    read_up_to(open(bytes)?.as_mut(), 200_000)
}

/// Codes of all warnings of a file, and its points; two passes must give the same points.
fn read_twice(bytes: Vec<u8>) -> Result<(Vec<&'static str>, PointChunk), Error> {
    let mut source = open(bytes)?;
    let mut passes = [PointChunk::default(), PointChunk::default()];
    for points in &mut passes {
        source.rewind()?;
        let mut chunk = PointChunk::default();
        while source.read_chunk(&mut chunk, 777)? > 0 {
            points.positions.append(&mut chunk.positions);
            points.intensities.append(&mut chunk.intensities);
        }
        assert_eq!(points.len() as u64, source.info().points);
    }
    let codes = source.info().warnings.iter().chain(source.warnings()).map(code_of).collect();
    let [first, second] = passes;
    assert_eq!(first.positions, second.positions);
    Ok((codes, second))
}

#[test]
fn wrong_bounds_are_replaced_with_a_warning() {
    for value in [f64::NAN, f64::NEG_INFINITY, 0.001] {
        let mut file = las(50);
        put(&mut file, 179, &value.to_le_bytes());
        let source = open(file).expect("a readable file");
        assert!(source.info().warnings.iter().any(|warning| warning.code == "las_bounds"), "{value}");
        assert!(source.info().bounds.max.abs_diff_eq(glam::DVec3::new(0.49, 1000.491, 2000.492), 1e-9), "{}", source.info().bounds.max);
    }
    assert!(open(las(50)).expect("a good file").info().warnings.iter().all(|warning| !warning.code.starts_with("las_")));
}

#[test]
fn wrong_counts_are_corrected_with_a_warning() {
    let whole = read(las(50)).expect("a good file").positions;
    for (count, len, code, points) in [
        (0, usize::MAX, "las_count_corrected", 50),
        (20, usize::MAX, "las_count_corrected", 50),
        (51, usize::MAX, "las_truncated", 50),
        (u32::MAX, usize::MAX, "las_truncated", 50),
        (50, 1000, "las_truncated", 22),
    ] {
        let mut file = las(50);
        file.truncate(len);
        put(&mut file, 107, &count.to_le_bytes());
        let (codes, found) = read_twice(file).expect("points");
        assert!(codes.contains(&code), "{count} in {len}: {codes:?}");
        assert_eq!(found.positions, whole[..points], "{count} in {len}");
    }
    // What follows the points cannot begin among them.
    let mut file = las14(50, 7);
    put(&mut file, 227, &(375 + 20 * 36_u64).to_le_bytes());
    let (codes, found) = read_twice(file).expect("points");
    assert!(found.len() == 50 && !codes.iter().any(|code| code.contains("count") || code.contains("trunc")), "{codes:?}");
    // Records after the points that lie elsewhere are none of them.
    let mut file = las(50);
    put(&mut file, 107, &20_u32.to_le_bytes());
    put(&mut file, 227 + 40 * 34, &i32::MAX.to_le_bytes());
    let (codes, found) = read_twice(file).expect("points");
    assert!(codes.contains(&"las_bytes_beyond"), "{codes:?}");
    assert_eq!(found.positions, whole[..20]);
}

#[test]
fn wrong_counts_are_corrected_where_chunks_have_theirs() {
    for (format, count, code, points) in [
        (7, 70_001, "", 70_001),
        (7, 1, "las_count_corrected", 120_000),
        (7, 50_000, "las_count_corrected", 120_000),
        (7, 400_000, "las_count_corrected", 120_000),
        (3, 70_001, "", 70_001),
        (3, 50_000, "laz_last_chunk_lost", 100_000),
        (3, 400_000, "laz_last_chunk_lost", 100_000),
    ] {
        // The last of three chunks could have as few points as a count within it says.
        let (chunks, code) = if code.is_empty() { (80_000, "unit_assumed") } else { (120_000, code) };
        let mut file = laz(format, chunks);
        put(&mut file, 107, &0_u32.to_le_bytes());
        put(&mut file, 247, &u64::to_le_bytes(count));
        let (codes, found) = read_twice(file).expect("points");
        assert!(codes.contains(&code), "{format} {count}: {codes:?}");
        assert_eq!(found.len(), points, "{format} {count}");
        assert!(found.intensities.iter().enumerate().all(|(i, &intensity)| intensity == i as u16), "{format} {count}");
    }
}

#[test]
fn of_a_truncated_laz_the_points_before_its_end_are_read() {
    for format in [3, 7] {
        let file = laz(format, 60_000);
        let whole = read(file.clone()).expect("a good file");
        let mut partly = 0;
        for len in (400..file.len()).step_by(file.len() / 100) {
            match read_twice(file[..len].to_vec()) {
                Ok((codes, found)) => {
                    assert!(codes.contains(&"laz_truncated"), "format {format} cut to {len} of {}: {codes:?}", file.len());
                    assert!(!found.is_empty() && found.len() <= whole.len());
                    assert_eq!(found.positions, whole.positions[..found.len()], "format {format} cut to {len}");
                    assert_eq!(found.intensities, whole.intensities[..found.len()], "format {format} cut to {len}");
                    partly += 1;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::BadInput, "{error}"),
            }
        }
        assert!(partly > if format == 3 { 50 } else { 5 }, "format {format}: {partly}");
    }
}

#[test]
fn a_laz_without_its_table_is_read_point_by_point() {
    for format in [3, 7] {
        let mut file = laz(format, 120_000);
        let data = data_offset(&file);
        put(&mut file, data, &(-1_i64).to_le_bytes());
        file.extend_from_slice(&(-1_i64).to_le_bytes());
        let source = open(file.clone()).expect("a readable file");
        assert!(source.info().warnings.iter().any(|warning| warning.code == "laz_no_chunk_table"));
        let damaged = read(file).expect("points");
        let whole = read(laz(format, 120_000)).expect("points");
        assert_eq!(damaged.positions, whole.positions);
        assert_eq!(damaged.colors, whole.colors);
    }
}
