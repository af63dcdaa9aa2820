//! Archives survive being written and read, and no byte can make the reader panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Cursor, Read as _};

use parterre_encode::archive::Writer;
use parterre_tile::archive::{Entry, GZIP_HEADER, INDEX_PATH, Index, Method, TAIL_BYTES, Tail};
use proptest::prelude::*;

type Files = Vec<(String, Vec<u8>)>;

fn archive(files: &Files) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (path, bytes) in files {
        writer.add(path.as_str(), bytes.clone()).unwrap();
    }
    writer.finish().unwrap().0
}

fn files() -> impl Strategy<Value = Files> {
    let bytes = prop_oneof![prop::collection::vec(any::<u8>(), 0..300), (any::<u8>(), 0..5000_usize).prop_map(|(value, n)| vec![value; n])];
    prop::collection::btree_map("[a-z0-9]{1,8}(/[a-z0-9-]{1,20}){0,3}\\.(json|glb)", bytes, 0..12).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read(files in files()) {
        let bytes = archive(&files);
        let mut reader = Cursor::new(&bytes);
        let index = Index::read(&mut reader).unwrap();
        prop_assert_eq!(index.len(), files.len());
        for (path, content) in &files {
            prop_assert_eq!(&index.read_entry(&mut reader, path).unwrap().unwrap(), content);
        }
        prop_assert_eq!(index.entry(&mut reader, "not/there.glb").unwrap(), None);
        prop_assert_eq!(index.entry(&mut reader, INDEX_PATH).unwrap(), None);
        let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
        prop_assert_eq!(index.paths(&mut reader).unwrap(), paths);
    }

    #[test]
    fn range_requests_lead_to_the_same_entries(files in files()) {
        let bytes = archive(&files);
        let len = bytes.len() as u64;
        let get = |range: std::ops::Range<u64>| bytes[range.start as usize..range.end as usize].to_vec();
        let tail = Tail::parse(&get(len.saturating_sub(TAIL_BYTES)..len), len).unwrap();
        let index = Index::parse(&get(tail.index_range()), &tail).unwrap();
        for (path, content) in &files {
            let range = index.header_range(path).unwrap();
            let entry = Entry::parse(&get(range.clone()), range.start, path, len).unwrap();
            let data = get(entry.data_range());
            if path.rsplit('.').next() == Some("json") {
                prop_assert_eq!(entry.method, Method::Deflate);
            }
            if entry.method == Method::Deflate {
                let gzip = [&GZIP_HEADER[..], &data, &entry.gzip_trailer()].concat();
                prop_assert_eq!(gzip.len() as u64, entry.gzip_len());
                let mut inflated = Vec::new();
                flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut inflated).unwrap();
                prop_assert_eq!(&inflated, content);
            }
            prop_assert_eq!(&entry.inflate(data).unwrap(), content);
        }
    }

    #[test]
    fn truncation_is_always_noticed(files in files(), cut in 0.0..1.0) {
        let bytes = archive(&files);
        let kept = (bytes.len() as f64 * cut) as usize;
        let error = Index::read(&mut Cursor::new(&bytes[..kept])).unwrap_err();
        prop_assert!(["archive_corrupt", "archive_unsupported"].contains(&error.code()), "{}", error);
    }

    #[test]
    fn changed_bytes_never_panic_and_never_give_wrong_content(
        files in files(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), near_end: bool,
    ) {
        let mut bytes = archive(&files);
        for (at, value) in changes {
            let window = if near_end { bytes.len().min(200) } else { bytes.len() };
            let at = bytes.len() - 1 - at.index(window);
            bytes[at] = value;
        }
        let mut reader = Cursor::new(&bytes);
        if let Ok(index) = Index::read(&mut reader) {
            let _ = index.paths(&mut reader);
            for (path, content) in &files {
                if let Ok(Some(found)) = index.read_entry(&mut reader, path) {
                    prop_assert_eq!(&found, content);
                }
            }
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(Index::read(&mut Cursor::new(&bytes)).is_err());
    }
}

#[test]
fn the_same_files_give_the_same_bytes_and_twice_the_same_path_is_refused() {
    let files: Files = vec![("a.json".into(), b"{}".to_vec()), ("t/0.glb".into(), vec![1, 2, 3])];
    assert_eq!(archive(&files), archive(&files));
    let mut writer = Writer::new(Vec::new());
    writer.add("a.json", Vec::new()).unwrap();
    writer.add("a.json", Vec::new()).unwrap();
    assert_eq!(writer.finish().unwrap_err().code(), "internal");
}

#[test]
fn a_zip_without_an_index_is_unsupported_and_no_zip_is_corrupt() {
    let mut empty_zip = b"PK\x05\x06".to_vec();
    empty_zip.extend([0; 18]);
    assert_eq!(Index::read(&mut Cursor::new(&empty_zip)).unwrap_err().code(), "archive_unsupported");
    assert_eq!(Index::read(&mut Cursor::new(b"glTF")).unwrap_err().code(), "archive_corrupt");
}

#[test]
fn an_entry_that_announces_more_than_deflate_can_hold_is_refused() {
    let mut bytes = archive(&vec![("a.json".into(), vec![b' '; 100])]);
    // Length in the local header of the first entry.
    bytes[22..26].copy_from_slice(&u32::to_le_bytes(4_000_000_000));
    let mut reader = Cursor::new(&bytes);
    let index = Index::read(&mut reader).unwrap();
    assert_eq!(index.read_entry(&mut reader, "a.json").unwrap_err().code(), "archive_corrupt");
}

#[test]
fn an_entry_that_no_tile_needs_is_not_inflated() {
    let bytes = archive(&vec![("a.json".into(), vec![0; 300 << 20])]);
    assert!(bytes.len() < 1 << 20);
    let mut reader = Cursor::new(&bytes);
    let index = Index::read(&mut reader).unwrap();
    assert_eq!(index.entry(&mut reader, "a.json").unwrap().unwrap().len, 300 << 20);
    assert_eq!(index.read_entry(&mut reader, "a.json").unwrap_err().code(), "archive_unsupported");
}

#[test]
fn a_stored_entry_that_no_tile_needs_is_not_read() {
    let len = parterre_tile::archive::MAX_ENTRY_BYTES + 1;
    let entry = Entry { data_offset: 0, compressed_len: len, len, crc32: 0, method: Method::Stored };
    assert_eq!(entry.check_size().unwrap_err().code(), "archive_unsupported");
    let short = Entry { compressed_len: len, len: 1, method: Method::Deflate, ..entry };
    assert_eq!(short.check_size().unwrap_err().code(), "archive_unsupported");
    assert!(Entry { compressed_len: len - 1, len: len - 1, ..entry }.check_size().is_ok());
}

#[test]
fn counts_that_no_directory_holds_are_refused() {
    let mut good = archive(&vec![("a.json".into(), b"{}".to_vec())]);
    let at = good.len() - 22;
    // The end record alone may lack the ZIP64 records: they are put before it.
    if good[at - 20..at - 16] != *b"PK\x06\x07" {
        let end = good.split_off(at);
        let wide = |at: usize| u64::from(u32::from_le_bytes(end[at..at + 4].try_into().unwrap()));
        let end64_at = good.len() as u64;
        good.extend_from_slice(b"PK\x06\x06");
        good.extend_from_slice(&44_u64.to_le_bytes());
        good.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for value in [2, 2, wide(12), wide(16)] {
            good.extend_from_slice(&value.to_le_bytes());
        }
        good.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        good.extend_from_slice(&end64_at.to_le_bytes());
        good.extend_from_slice(&1_u32.to_le_bytes());
        good.extend_from_slice(&end);
    }
    assert_eq!(Index::read(&mut Cursor::new(&good)).unwrap().len(), 1);
    let end64 = good.windows(4).rposition(|window| window == b"PK\x06\x06").unwrap();
    for count in [u64::MAX, u64::MAX / 24, u64::MAX / 24 + 1, u64::MAX / 24 - 1, 1 << 40] {
        let mut bytes = good.clone();
        bytes[end64 + 32..end64 + 40].copy_from_slice(&count.to_le_bytes());
        assert_eq!(Index::read(&mut Cursor::new(&bytes)).unwrap_err().code(), "archive_corrupt", "{count}");
    }
}
