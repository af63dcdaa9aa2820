//! Small files made here and then damaged: never a panic, never much memory, always a code and a hint.

use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::Ordering;

use parterre_model::points::PointChunk;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, ErrorKind};
use parterre_read as read;
use parterre_read::{Override, PointSource};
use parterre_test_support::codes::code_of;
use parterre_test_support::counting;
use proptest::prelude::*;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Bytes that tests of this binary, which run side by side, may hold at any time.
const MEMORY_LIMIT: usize = 256 << 20;

/// A LAS 1.2 file of `points` points of format 3, written byte by byte.
fn las(points: u32) -> Vec<u8> {
    let mut file = vec![0_u8; 227];
    file[..4].copy_from_slice(b"LASF");
    (file[24], file[25]) = (1, 2);
    put(&mut file, 94, &227_u16.to_le_bytes());
    put(&mut file, 96, &227_u32.to_le_bytes());
    file[104] = 3;
    put(&mut file, 105, &34_u16.to_le_bytes());
    put(&mut file, 107, &points.to_le_bytes());
    for axis in 0..3 {
        put(&mut file, 131 + 8 * axis, &0.001_f64.to_le_bytes());
        put(&mut file, 155 + 8 * axis, &(1000.0 * axis as f64).to_le_bytes());
        put(&mut file, 179 + 16 * axis, &5000.0_f64.to_le_bytes());
    }
    for i in 0..points as i32 {
        let mut record = [0_u8; 34];
        for axis in 0..3 {
            put(&mut record, 4 * axis, &(i * 10 + axis as i32).to_le_bytes());
        }
        put(&mut record, 12, &(i as u16 + 1).to_le_bytes());
        record[14] = 0b0001_1010;
        record[15] = 0b1110_0110;
        put(&mut record, 20, &(f64::from(i) * 0.5).to_le_bytes());
        put(&mut record, 28, &[10, 0, 20, 0, 255, 0]);
        file.extend_from_slice(&record);
    }
    file
}

/// A LAS 1.4 file, written byte by byte: `points` points of a format from 6 on, its colours 8-bit ones but for the last.
fn las14(points: u32, format: u8) -> Vec<u8> {
    let len = 30 + if format > 6 { 6 } else { 0 };
    let mut file = las(0);
    file.resize(375, 0);
    (file[25], file[104]) = (4, format);
    put(&mut file, 94, &375_u16.to_le_bytes());
    put(&mut file, 96, &375_u32.to_le_bytes());
    put(&mut file, 105, &(len as u16).to_le_bytes());
    put(&mut file, 247, &u64::from(points).to_le_bytes());
    for i in 0..points as i32 {
        let mut record = vec![0_u8; len];
        put(&mut record, 0, &(i * 10).to_le_bytes());
        record[14] = 0x11;
        if format > 6 {
            put(&mut record, 30, &[if i + 1 == points as i32 { 1000_u16 } else { 200 }.to_le_bytes(), [9, 0], [8, 0]].concat());
        }
        file.extend_from_slice(&record);
    }
    file
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A LAZ file of the given point format, by the writer of another crate.
fn laz(format: u8, points: u32) -> Vec<u8> {
    let mut builder = las::Builder::from((1, 4));
    builder.point_format = las::point::Format::new(format).expect("a known format");
    builder.point_format.is_compressed = true;
    let header = builder.into_header().expect("a header");
    let mut writer = las::Writer::new(Cursor::new(Vec::new()), header).expect("a writer");
    for i in 0..points {
        let mut point = las::Point {
            x: f64::from(i) * 0.01,
            y: f64::from(i % 17),
            z: f64::from(i % 5),
            intensity: i as u16,
            return_number: 1,
            number_of_returns: 1,
            ..las::Point::default()
        };
        if header_has(format, &[1, 3, 6, 7, 8]) {
            point.gps_time = Some(f64::from(i));
        }
        if header_has(format, &[2, 3, 7, 8]) {
            point.color = Some(las::Color::new(i as u16, 300, 65_535));
        }
        if format == 8 {
            point.nir = Some(1);
        }
        writer.write_point(point).expect("a point");
    }
    writer.close().expect("a whole file");
    writer.into_inner().expect("the bytes").into_inner()
}

fn header_has(format: u8, formats: &[u8]) -> bool {
    formats.contains(&format)
}

fn open(bytes: Vec<u8>) -> Result<Box<dyn PointSource>, Error> {
    let len = bytes.len() as u64;
    read::las::from_source(Box::new(Cursor::new(bytes)), len, Path::new("made/here.las"), &Override::default())
}

fn read_all(bytes: Vec<u8>) -> Result<PointChunk, Error> {
    let mut source = open(bytes)?;
    let (mut all, mut chunk) = (PointChunk::default(), PointChunk::default());
    // A damaged count may announce millions of equal points: a part of them shows as much as all.
    while source.read_chunk(&mut chunk, 1000)? > 0 && all.len() < 200_000 {
        all.positions.append(&mut chunk.positions);
        all.colors.append(&mut chunk.colors);
        all.intensities.append(&mut chunk.intensities);
        all.classifications.append(&mut chunk.classifications);
        all.returns.append(&mut chunk.returns);
        all.gps_times.append(&mut chunk.gps_times);
    }
    Ok(all)
}

/// As the tiler reads: positions first, then everything.
fn read_all_records(bytes: Vec<u8>) -> Result<(), Error> {
    let mut source = open(bytes)?;
    let mut chunk = RecordChunk::default();
    for wanted in [Wanted::Positions, Wanted::Records] {
        source.rewind()?;
        let mut points = 0;
        while points < 200_000 && source.read_records(&mut chunk, wanted, 1000)? > 0 {
            points += chunk.positions.len();
            assert_eq!(chunk.steps.len(), chunk.positions.len());
            let tails = if wanted == Wanted::Records { source.attribute_layout().len() * chunk.steps.len() } else { 0 };
            assert_eq!(chunk.attribute_bytes.len(), tails);
        }
    }
    Ok(())
}

/// Reads and, where that fails, checks that the error is a complete one.
fn survives(bytes: Vec<u8>) -> Option<&'static str> {
    let error = read_all_records(bytes.clone()).and_then(|()| read_all(bytes)).err()?;
    assert_eq!(error.kind(), ErrorKind::BadInput, "{error}");
    assert!(error.to_string().starts_with("made/here.las: "), "{error}");
    assert!(!error.hint().is_empty());
    Some(error.code())
}

#[test]
fn fields_are_read_as_the_standard_says() {
    let points = read_all(las(3)).expect("a good file");
    let wanted = glam::DVec3::new(0.02, 1000.0 + 21.0 * 0.001, 2000.0 + 22.0 * 0.001);
    assert!(points.positions[2].abs_diff_eq(wanted, 1e-9), "{}", points.positions[2]);
    assert_eq!(points.intensities, [1, 2, 3]);
    assert_eq!(points.classifications, [6, 6, 6]);
    assert_eq!(points.returns, [0x32, 0x32, 0x32]);
    assert_eq!(points.gps_times, [0.0, 0.5, 1.0]);
    assert_eq!(points.colors[0], [10 * 257, 20 * 257, 65_535]);
}

#[test]
fn compressed_formats_are_read_and_rewound() {
    for format in [0, 1, 2, 3, 6, 7, 8] {
        let mut source = open(laz(format, 120_000)).expect("a good file");
        let mut first = PointChunk::default();
        assert_eq!(source.read_chunk(&mut first, 7).expect("points"), 7);
        let mut chunk = PointChunk::default();
        let mut count = 7;
        loop {
            let got = source.read_chunk(&mut chunk, 50_001).expect("points");
            if got == 0 {
                break;
            }
            if let (Some(&intensity), Some(position)) = (chunk.intensities.first(), chunk.positions.first()) {
                assert_eq!(intensity, count as u16, "format {format}");
                assert!((position.x - f64::from(count) * 0.01).abs() < 0.001, "format {format}");
            }
            count += got as u32;
        }
        assert_eq!(count, 120_000, "format {format}");
        source.rewind().expect("a way back");
        let mut again = PointChunk::default();
        source.read_chunk(&mut again, 7).expect("points");
        assert_eq!((first.positions, first.intensities, first.colors), (again.positions, again.intensities, again.colors));
    }
}

#[test]
fn every_fault_has_its_code() {
    let damaged = |at: usize, value: &[u8]| {
        let mut file = las(50);
        put(&mut file, at, value);
        survives(file)
    };
    let nan = f64::NAN.to_le_bytes();
    assert_eq!(survives(las(50)), None);
    assert_eq!(survives(las(0)), Some("las_no_points"));
    assert_eq!(survives(las(50)[..227].to_vec()), Some("las_truncated"));
    assert_eq!(damaged(96, &(227_u32 + 51 * 34).to_le_bytes()), Some("las_data_offset"));
    assert_eq!(survives(las(50)[..100].to_vec()), Some("las_truncated"));
    assert_eq!(damaged(0, b"LASG"), Some("format_unknown"));
    assert_eq!(damaged(24, &[2]), Some("las_version"));
    assert_eq!(damaged(94, &10_u16.to_le_bytes()), Some("las_header_size"));
    assert_eq!(damaged(96, &u32::MAX.to_le_bytes()), Some("las_data_offset"));
    assert_eq!(damaged(96, &3_u32.to_le_bytes()), Some("las_data_offset"));
    assert_eq!(damaged(100, &u32::MAX.to_le_bytes()), Some("las_vlr_count"));
    assert_eq!(damaged(104, &[11]), Some("las_point_format"));
    assert_eq!(damaged(104, &[3 | 0x80]), Some("laz_corrupt"));
    assert_eq!(damaged(105, &5_u16.to_le_bytes()), Some("las_record_length"));
    assert_eq!(damaged(105, &60_000_u16.to_le_bytes()), Some("las_record_length"));
    assert_eq!(damaged(139, &nan), Some("las_scale"));
    assert_eq!(damaged(131, &0.0_f64.to_le_bytes()), Some("las_scale"));
    assert_eq!(damaged(147, &f64::INFINITY.to_le_bytes()), Some("las_scale"));
    assert_eq!(damaged(155, &nan), Some("las_offset"));
}

#[test]
fn a_missing_file_is_bad_input_and_a_lost_one_of_ours_is_not() {
    let path = Path::new("made/nowhere.las");
    for error in [read::open(path).err(), read::las::open(path).err()] {
        let error = error.expect("no such file");
        assert_eq!((error.code(), error.kind()), ("file_not_found", ErrorKind::BadInput));
        assert!(error.to_string().contains("nowhere.las"), "{error}");
    }
    let lost = Error::io("open", path, std::io::ErrorKind::NotFound.into());
    assert_eq!((lost.code(), lost.kind()), ("io", ErrorKind::Storage));
}

#[test]
fn wrong_bounds_are_only_warned_of() {
    for value in [f64::NAN, f64::NEG_INFINITY, 0.001] {
        let mut file = las(50);
        put(&mut file, 179, &value.to_le_bytes());
        let source = open(file).expect("a readable file");
        assert!(source.info().warnings.iter().any(|warning| warning.code == "las_bounds"), "{value}");
        assert!(source.info().bounds.max.abs_diff_eq(glam::DVec3::new(0.49, 1000.491, 2000.492), 1e-9), "{}", source.info().bounds.max);
    }
    assert!(open(las(50)).expect("a good file").info().warnings.iter().all(|warning| !warning.code.starts_with("las_")));
}

/// Codes of all that was odd about a file, and its points; all passes give the same ones.
fn recovered(bytes: Vec<u8>) -> Result<(Vec<&'static str>, PointChunk), Error> {
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
fn doubts_of_the_sample_are_settled_by_all_points() {
    // Points that the sample does not see: one deep colour, or one intensity, among many that have none.
    let points = 60_000;
    let at = |file: &[u8], point: usize| 375 + point * usize::from(u16::from_le_bytes([file[105], file[106]]));
    let first_pass = |file: &[u8], wanted| {
        let mut source = open(file.to_vec()).expect("a file");
        let before = (source.attribute_layout().color, source.info().attributes);
        let mut chunk = RecordChunk::default();
        while source.read_records(&mut chunk, wanted, 10_000).expect("points") > 0 {}
        source.rewind().expect("a way back");
        source.read_records(&mut chunk, Wanted::Records, 1).expect("a point");
        (before, (source.attribute_layout().color, source.info().attributes), chunk.attribute_bytes)
    };

    let mut deep = las14(points, 7);
    let last = at(&deep, points as usize - 1);
    put(&mut deep, last + 30, &[200, 0]);
    let (_, _, tail) = first_pass(&deep, Wanted::Positions);
    assert_eq!(tail[18..24], [200, 200, 9, 9, 8, 8]);
    let hidden = at(&deep, 11_000);
    put(&mut deep, hidden + 30, &60_000_u16.to_le_bytes());
    for wanted in [Wanted::Positions, Wanted::Records] {
        let (before, after, tail) = first_pass(&deep, wanted);
        assert!(before.0 && after.0);
        assert_eq!(tail[18..24], [200, 0, 9, 0, 8, 0]);
    }

    let mut flat = las14(points, 6);
    flat[104] = 7;
    put(&mut flat, 105, &36_u16.to_le_bytes());
    let mut black = flat[..375].to_vec();
    for record in flat[375..].chunks_exact(30) {
        black.extend_from_slice(record);
        black.extend([0; 6]);
    }
    let (before, after, _) = first_pass(&black, Wanted::Positions);
    assert!(!before.0 && !after.0 && !after.1.color && !after.1.intensity);
    let hidden = at(&black, 11_000);
    put(&mut black, hidden + 12, &[1, 0]);
    put(&mut black, hidden + 34, &[1, 1]);
    let (before, after, tail) = first_pass(&black, Wanted::Positions);
    assert!(!before.0 && !before.1.color && !before.1.intensity);
    assert!(after.0 && after.1.color && after.1.intensity);
    assert_eq!(tail.len(), 24);
}

#[test]
fn wrong_counts_are_corrected_and_told() {
    let whole = read_all(las(50)).expect("a good file").positions;
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
        let (codes, found) = recovered(file).expect("points");
        assert!(codes.contains(&code), "{count} in {len}: {codes:?}");
        assert_eq!(found.positions, whole[..points], "{count} in {len}");
    }
    // What follows the points cannot begin among them.
    let mut file = las14(50, 7);
    put(&mut file, 227, &(375 + 20 * 36_u64).to_le_bytes());
    let (codes, found) = recovered(file).expect("points");
    assert!(found.len() == 50 && !codes.iter().any(|code| code.contains("count") || code.contains("trunc")), "{codes:?}");
    // Records after the points that lie elsewhere are none of them.
    let mut file = las(50);
    put(&mut file, 107, &20_u32.to_le_bytes());
    put(&mut file, 227 + 40 * 34, &i32::MAX.to_le_bytes());
    let (codes, found) = recovered(file).expect("points");
    assert!(codes.contains(&"las_bytes_beyond"), "{codes:?}");
    assert_eq!(found.positions, whole[..20]);
}

#[test]
fn wrong_counts_of_chunks_are_corrected_where_chunks_know() {
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
        let (codes, found) = recovered(file).expect("points");
        assert!(codes.contains(&code), "{format} {count}: {codes:?}");
        assert_eq!(found.len(), points, "{format} {count}");
        assert!(found.intensities.iter().enumerate().all(|(i, &intensity)| intensity == i as u16), "{format} {count}");
    }
}

#[test]
fn a_cut_laz_gives_what_is_left_and_says_so() {
    for format in [3, 7] {
        let file = laz(format, 60_000);
        let whole = read_all(file.clone()).expect("a good file");
        let mut partly = 0;
        for len in (400..file.len()).step_by(file.len() / 100) {
            match recovered(file[..len].to_vec()) {
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
        let data = u32::from_le_bytes([file[96], file[97], file[98], file[99]]) as usize;
        put(&mut file, data, &(-1_i64).to_le_bytes());
        file.extend_from_slice(&(-1_i64).to_le_bytes());
        let source = open(file.clone()).expect("a readable file");
        assert!(source.info().warnings.iter().any(|warning| warning.code == "laz_no_chunk_table"));
        let damaged = read_all(file).expect("points");
        let whole = read_all(laz(format, 120_000)).expect("points");
        assert_eq!(damaged.positions, whole.positions);
        assert_eq!(damaged.colors, whole.colors);
    }
}

/// The data of the record that says how points are compressed.
fn laszip_record(file: &[u8]) -> usize {
    let user = file.windows(14).position(|window| window == b"laszip encoded").expect("a LASzip record");
    user - 2 + 54
}

#[test]
fn one_chunk_without_any_table_is_read() {
    let mut file = laz(3, 600);
    let data = u32::from_le_bytes([file[96], file[97], file[98], file[99]]) as usize;
    let compressor = laszip_record(&file);
    put(&mut file, compressor, &1_u16.to_le_bytes());
    file.drain(data..data + 8);
    assert_eq!(read_all(file).expect("points").positions, read_all(laz(3, 600)).expect("points").positions);
}

#[test]
fn a_chunk_too_large_to_be_held_is_read_in_parts() {
    // 1.8 million points of 20 bytes in one chunk, with a table.
    let points = 1_800_000_u32;
    let small = laz(0, 10);
    let data = u32::from_le_bytes([small[96], small[97], small[98], small[99]]) as usize;
    let mut record = vec![0; 20];
    let items = laz::LazItemRecordBuilder::default_for_point_format_id(0, 0).expect("items");
    let vlr = laz::LazVlrBuilder::default().with_laz_items(items).with_fixed_chunk_size(2_000_000).build();
    let mut file = small[..data].to_vec();
    let at = laszip_record(&file);
    put(&mut file, at + 12, &2_000_000_u32.to_le_bytes());
    put(&mut file, 107, &points.to_le_bytes());
    put(&mut file, 247, &u64::from(points).to_le_bytes());
    let mut output = Cursor::new(file);
    output.set_position(data as u64);
    let mut compressor = laz::LasZipCompressor::new(output, vlr).expect("a compressor");
    for i in 0..points {
        put(&mut record, 0, &i.to_le_bytes());
        put(&mut record, 12, &(i as u16).to_le_bytes());
        compressor.compress_one(&record).expect("a point");
    }
    compressor.done().expect("a whole file");
    let mut source = open(compressor.into_inner().into_inner()).expect("a good file");
    let scale = source.info().grid.expect("a grid").scale.x;
    let mut chunk = PointChunk::default();
    let mut count = 0_u32;
    while source.read_chunk(&mut chunk, 70_001).expect("points") > 0 {
        assert!((chunk.positions[0].x - f64::from(count) * scale).abs() < 1e-9);
        assert_eq!(chunk.intensities[0], count as u16);
        count += chunk.len() as u32;
    }
    assert_eq!(count, points);
}

#[test]
fn lengths_inside_compressed_points_are_not_trusted() {
    for format in [3, 7] {
        let good = laz(format, 600);
        let data = u32::from_le_bytes([good[96], good[97], good[98], good[99]]) as usize;
        let table = u64::from_le_bytes(std::array::from_fn(|i| good[data + i])) as usize;
        let mut file = good.clone();
        put(&mut file, table + 4, &u32::MAX.to_le_bytes());
        assert_eq!(survives(file), Some("laz_corrupt"), "chunks in format {format}");

        let mut file = good.clone();
        put(&mut file, data, &(good.len() as u64 * 2).to_le_bytes());
        let (codes, found) = recovered(file).expect("points");
        assert!(codes.contains(&"laz_truncated") && found.len() == 600, "table in format {format}: {codes:?}");

        let mut file = good.clone();
        let record = laszip_record(&file);
        put(&mut file, record + 36, &7_u16.to_le_bytes());
        assert_eq!(survives(file), Some("laz_corrupt"), "item size in format {format}");

        if format == 7 {
            let mut file = good;
            put(&mut file, data + 8 + 36 + 4, &u32::MAX.to_le_bytes());
            assert_eq!(survives(file), Some("laz_corrupt"), "layer");
        }
    }
}

#[test]
fn a_table_of_too_many_chunks_is_refused() {
    let mut file = laz(0, 600);
    let data = u32::from_le_bytes([file[96], file[97], file[98], file[99]]) as usize;
    let count = 2_000_001;
    let table = data + 8 + count * 20;
    put(&mut file, data, &(table as u64).to_le_bytes());
    file.reserve_exact(table + 64 - file.len());
    file.resize(table + 64, 0);
    put(&mut file, table + 4, &(count as u32).to_le_bytes());
    assert_eq!(survives(file), Some("laz_unsupported"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(kind in 0..4_u8, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), header in any::<bool>()) {
        let mut file = match kind {
            0 => las(200),
            1 => laz(3, 600),
            2 => laz(7, 600),
            _ => laz(8, 600),
        };
        let reach = if header { file.len().min(800) } else { file.len() };
        for (index, value) in flips {
            file[index.index(reach)] = value;
        }
        if file.starts_with(b"LASF") {
            survives(file);
        }
        prop_assert!(counting::PEAK.load(Ordering::Relaxed) < MEMORY_LIMIT, "{} bytes were held", counting::PEAK.load(Ordering::Relaxed));
    }
}
