//! Damaged LAS and LAZ files: never a panic, bounded memory, and always an error with a code and a hint.

use std::path::Path;
use std::sync::atomic::Ordering;

use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, ErrorKind};
use parterre_read as read;
use parterre_test_support::counting;
use parterre_test_support::las_files::{data_offset, las, laszip_record, laz, open, put};
use parterre_test_support::points::{codes, read_up_to};
use proptest::prelude::*;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Bytes that tests of this binary, which run side by side, may hold at any time.
const MEMORY_LIMIT: usize = 256 << 20;
/// Points that are read: a damaged count may announce millions of equal points, a part of which shows as much as all.
const MAX_POINTS: usize = 200_000;

/// Reads as the tiler does: first positions, then everything.
fn read_all_records(bytes: Vec<u8>) -> Result<(), Error> {
    let mut source = open(bytes)?;
    let mut chunk = RecordChunk::default();
    for wanted in [Wanted::Positions, Wanted::Records] {
        source.rewind()?;
        let mut points = 0;
        while points < MAX_POINTS && source.read_records(&mut chunk, wanted, 1000)? > 0 {
            points += chunk.positions.len();
            assert_eq!(chunk.steps.len(), chunk.positions.len());
            let expected_len = if wanted == Wanted::Records { source.attribute_layout().len() * chunk.steps.len() } else { 0 };
            assert_eq!(chunk.attribute_bytes.len(), expected_len);
        }
    }
    Ok(())
}

/// Reads a file in two ways; returns the code of the error, which must be complete.
fn error_code(bytes: Vec<u8>) -> Option<&'static str> {
    let error = read_all_records(bytes.clone()).and_then(|()| read_up_to(open(bytes)?.as_mut(), MAX_POINTS).map(drop)).err()?;
    assert_eq!(error.kind(), ErrorKind::BadInput, "{error}");
    assert!(error.to_string().starts_with("made/here.las: "), "{error}");
    assert!(!error.hint().is_empty());
    Some(error.code())
}

#[test]
fn every_fault_has_its_code() {
    let damaged = |at: usize, value: &[u8]| {
        let mut file = las(50);
        put(&mut file, at, value);
        error_code(file)
    };
    let nan = f64::NAN.to_le_bytes();
    assert_eq!(error_code(las(50)), None);
    assert_eq!(error_code(las(0)), Some("las_no_points"));
    assert_eq!(error_code(las(50)[..227].to_vec()), Some("las_truncated"));
    assert_eq!(damaged(96, &(227_u32 + 51 * 34).to_le_bytes()), Some("las_data_offset"));
    assert_eq!(error_code(las(50)[..100].to_vec()), Some("las_truncated"));
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
fn a_missing_input_is_bad_input_and_other_missing_files_are_storage_errors() {
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
fn lengths_inside_compressed_points_are_not_trusted() {
    for format in [3, 7] {
        let good = laz(format, 600);
        let data = data_offset(&good);
        let table = u64::from_le_bytes(std::array::from_fn(|i| good[data + i])) as usize;
        let mut file = good.clone();
        put(&mut file, table + 4, &u32::MAX.to_le_bytes());
        assert_eq!(error_code(file), Some("laz_corrupt"), "chunks in format {format}");

        let mut file = good.clone();
        put(&mut file, data, &(good.len() as u64 * 2).to_le_bytes());
        let mut source = open(file).expect("a readable file");
        let found = read_up_to(source.as_mut(), MAX_POINTS).expect("points");
        let codes = codes(&source.info().warnings);
        assert!(codes.contains(&"laz_truncated") && found.len() == 600, "table in format {format}: {codes:?}");

        let mut file = good.clone();
        let record = laszip_record(&file);
        put(&mut file, record + 36, &7_u16.to_le_bytes());
        assert_eq!(error_code(file), Some("laz_corrupt"), "item size in format {format}");

        if format == 7 {
            let mut file = good;
            put(&mut file, data + 8 + 36 + 4, &u32::MAX.to_le_bytes());
            assert_eq!(error_code(file), Some("laz_corrupt"), "layer");
        }
    }
}

#[test]
fn a_table_of_too_many_chunks_is_refused() {
    let mut file = laz(0, 600);
    let data = data_offset(&file);
    let count = 2_000_001;
    let table = data + 8 + count * 20;
    put(&mut file, data, &(table as u64).to_le_bytes());
    file.reserve_exact(table + 64 - file.len());
    file.resize(table + 64, 0);
    put(&mut file, table + 4, &(count as u32).to_le_bytes());
    assert_eq!(error_code(file), Some("laz_unsupported"));
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
            error_code(file);
        }
        prop_assert!(counting::PEAK.load(Ordering::Relaxed) < MEMORY_LIMIT, "{} bytes were held", counting::PEAK.load(Ordering::Relaxed));
    }
}
