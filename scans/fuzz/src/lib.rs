//! What must hold for any bytes at all: one function a kind of input, which panics where it does not hold.
//!
//! A fault of the input is an answer; a panic, a fault of ours, much memory or much time is not. The programs in `fuzz_targets` call
//! these with whatever libFuzzer thinks of; the test `fuzz_regressions` of `parterre-scans` calls them with the inputs that once broke
//! something.

use std::io::Cursor;
use std::path::Path;

use glam::DVec3;
use parterre_crs::Placement;
use parterre_lod::{Budget, Content, Residency, Tree, View, select};
use parterre_model::frame::{Frame, Unit, UnitSource};
use parterre_model::points::PointChunk;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, ErrorKind};
use parterre_read as read;
use parterre_read::{Override, PointSource};
use parterre_tile::archive::{Entry, Index, TAIL_BYTES, Tail};
use parterre_tile::glb;
use parterre_tile::tileset::Tileset;

/// Enough to pass from chunk to chunk, little enough for many runs a second.
const MOST_POINTS: usize = 60_000;
const CHUNK: usize = 4_099;

/// Bytes in memory can be at fault; disks and Parterre cannot.
fn is_answer(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::BadInput, "{}: {error}", error.code());
    assert!(!error.code().is_empty() && !error.hint().is_empty() && !error.to_string().is_empty());
}

fn open(bytes: &[u8], wishes: &Override) -> Option<Box<dyn PointSource>> {
    let source = read::from_source(Box::new(Cursor::new(bytes.to_vec())), bytes.len() as u64, Path::new("fuzzed"), wishes);
    source.inspect_err(is_answer).ok()
}

/// A scan file of any format: opened, read twice in two ways, its pictures taken out.
pub fn scan(bytes: &[u8]) {
    let Some(mut source) = open(bytes, &Override::default()) else { return };
    let info = source.info().clone();
    let mut chunk = PointChunk::default();
    let mut positions: Vec<DVec3> = Vec::new();
    let whole = loop {
        match source.read_chunk(&mut chunk, CHUNK) {
            Ok(count) => {
                assert!(count <= CHUNK && count == chunk.len(), "{count} points in a chunk of {}", chunk.len());
                let columns = [
                    (info.attributes.color, chunk.colors.len()),
                    (info.attributes.intensity, chunk.intensities.len()),
                    (info.attributes.classification, chunk.classifications.len()),
                    (info.attributes.returns, chunk.returns.len()),
                    (info.attributes.gps_time, chunk.gps_times.len()),
                ];
                for (present, len) in columns {
                    assert_eq!(len, if present { count } else { 0 });
                }
                positions.extend_from_slice(&chunk.positions);
                if count == 0 || positions.len() > MOST_POINTS {
                    break count == 0;
                }
            }
            Err(error) => {
                is_answer(&error);
                break false;
            }
        }
    };
    if whole {
        assert!(positions.len() as u64 <= info.points, "{} points where {} are announced", positions.len(), info.points);
    }
    again(source.as_mut(), &positions, whole);
    for index in 0..info.images.len().min(4) {
        if let Err(error) = source.read_image(index) {
            is_answer(&error);
        }
    }
}

/// An E57 file as it is, and with checksums that are right: a check of these would keep everything else out.
pub fn e57(bytes: &[u8]) {
    scan(bytes);
    let mut mended = bytes.to_vec();
    for page in mended.chunks_exact_mut(1024) {
        let (data, sum) = page.split_at_mut(1020);
        sum.copy_from_slice(&crc32c(data).to_be_bytes());
    }
    if mended != bytes {
        scan(&mended);
    }
}

/// CRC-32 with Castagnoli's polynomial, a bit at a time.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0x82F6_3B78 } else { sum >> 1 })
    })
}

/// The second reading gives what the first gave, as far as it goes, and records of the length that they say.
fn again(source: &mut dyn PointSource, positions: &[DVec3], whole: bool) {
    if let Err(error) = source.rewind() {
        return is_answer(&error);
    }
    let mut records = RecordChunk::default();
    let mut done = 0;
    loop {
        let count = match source.read_records(&mut records, Wanted::Records, CHUNK) {
            Ok(count) => count,
            // Records have parts that columns lack: damage there is found now.
            Err(error) => return is_answer(&error),
        };
        assert_eq!(count, records.positions.len());
        assert_eq!(records.attribute_bytes.len(), count * source.attribute_layout().len());
        assert!(records.steps.is_empty() || records.steps.len() == count);
        let bits = |position: &DVec3| position.to_array().map(f64::to_bits);
        let known = positions.len().saturating_sub(done).min(count);
        if known > 0 {
            assert!(positions[done..done + known].iter().map(bits).eq(records.positions[..known].iter().map(bits)));
        }
        done += count;
        if count == 0 || done > MOST_POINTS {
            break;
        }
    }
    if whole {
        assert_eq!(done, positions.len());
    }
}

/// A 3TZ archive, read in both ways.
pub fn archive(bytes: &[u8]) {
    let len = bytes.len() as u64;
    let mut reader = Cursor::new(bytes);
    let index = match Index::read(&mut reader) {
        Ok(index) => index,
        Err(error) => return is_answer(&error),
    };
    match index.paths(&mut reader) {
        Ok(paths) => {
            for path in paths.iter().take(32) {
                if let Err(error) = index.read_entry(&mut reader, path) {
                    is_answer(&error);
                }
            }
        }
        Err(error) => is_answer(&error),
    }
    let at = |range: std::ops::Range<u64>| bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?);
    let ranged = || -> Result<(), Error> {
        let tail = Tail::parse(at(len.saturating_sub(TAIL_BYTES)..len).expect("the tail lies in the archive"), len)?;
        let index = Index::parse(at(tail.index_range()).expect("the index lies in the archive"), &tail)?;
        for path in ["tileset.json", "0.glb", "t/0.glb"] {
            let Some(range) = index.header_range(path) else { continue };
            let header = at(range.clone()).expect("the header lies in the archive");
            let entry = Entry::parse(header, range.start, path, len)?;
            entry.inflate(at(entry.data_range()).expect("the data lies in the archive").to_vec())?;
        }
        Ok(())
    };
    if let Err(error) = ranged() {
        is_answer(&error);
    }
}

/// A tile: what was decoded can be written and read again.
pub fn glb(bytes: &[u8]) {
    let parts = match glb::decode(bytes) {
        Ok(parts) => parts,
        Err(error) => return is_answer(&error),
    };
    let count: usize = parts.iter().map(|part| part.vertices.len()).sum();
    assert!(count * size_of::<glb::Vertex>() <= 64 * bytes.len(), "{count} points out of {} bytes", bytes.len());
    for part in &parts {
        assert!(part.extras.is_empty() || part.extras.len() == part.vertices.len());
        if !part.vertices.is_empty() {
            assert!(part.bounds().min.is_finite() && part.bounds().max.is_finite(), "{:?}", part.bounds());
        }
    }
}

/// A tileset document: made a tree, continued by itself, chosen from.
pub fn tileset(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Tileset>(bytes) else { return };
    let mut tree = match Tree::from_tileset(&document, "") {
        Ok(tree) => tree,
        Err(error) => return is_answer(&error),
    };
    let subtree = tree.iter().find_map(|(id, node)| matches!(node.content, Content::Subtree(_)).then_some(id));
    if let Some(id) = subtree
        && let Err(error) = tree.attach(id, &document, "sub")
    {
        is_answer(&error);
    }
    for (id, node) in tree.iter() {
        if let Content::Points(path) | Content::Subtree(path) = &node.content {
            assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
        }
        assert!(node.parent.is_none_or(|parent| tree.node(parent).children.contains(&id)));
    }
    let view = View::perspective(DVec3::new(3.0, -40.0, 9.0), DVec3::Y, DVec3::Z, 1.0, 1.5, 900.0);
    let budget = Budget { points: 1_000_000, error_px: 1.0 };
    let all = select(&tree, std::slice::from_ref(&view), &|_| Residency::Ready, &budget);
    assert!(all.load.is_empty());
    let none = select(&tree, std::slice::from_ref(&view), &|_| Residency::Absent, &budget);
    assert!(none.draw.is_empty());
}

/// What a file says of its coordinate system: a LAS file of one point with WKT and `GeoTIFF` keys out of `bytes`, then the way from there to
/// the Earth.
///
/// The first byte's last bit says which of the two goes first; the WKT ends with a 0.
pub fn crs(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    let (wkt, keys) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    let (directory, doubles) = keys.split_at(keys.len() / 2);
    let file = las(&[(2112, wkt), (34_735, directory), (34_736, doubles), (34_737, doubles)], first & 1 == 1);
    let found = open(&file, &Override::default());
    let named = found.and_then(|source| source.info().crs.clone());
    let text = String::from_utf8_lossy(wkt).into_owned();
    // As the file has it, and as a person may have typed it.
    for crs in [named, Some(text)].into_iter().flatten() {
        open(&file, &Override { crs: Some(crs.clone()), ..Override::default() });
        let frame = Frame {
            origin_m: DVec3::ZERO,
            unit: Unit::Metre,
            vertical_unit: None,
            unit_source: UnitSource::Assumed,
            crs: Some(crs),
            ecef_from_tile: None,
        };
        match Placement::new(&frame, DVec3::new(652_300.0, 6_862_400.0, 45.0)) {
            Ok(placement) => {
                let mut positions = [DVec3::new(652_300.0, 6_862_400.0, 45.0), DVec3::ZERO, DVec3::splat(1e300), DVec3::NAN];
                placement.tile_from_file(&mut positions);
                placement.root_transform();
            }
            Err(error) => is_answer(&error),
        }
    }
}

/// A LAS 1.4 file of one point with these records about its coordinate system.
fn las(records: &[(u16, &[u8])], wkt_first: bool) -> Vec<u8> {
    let mut vlrs = Vec::new();
    for (id, data) in records {
        let mut head = [0; 54];
        head[2..17].copy_from_slice(b"LASF_Projection");
        head[18..20].copy_from_slice(&id.to_le_bytes());
        let data = &data[..data.len().min(usize::from(u16::MAX))];
        head[20..22].copy_from_slice(&(data.len() as u16).to_le_bytes());
        vlrs.extend_from_slice(&head);
        vlrs.extend_from_slice(data);
    }
    let mut file = vec![0; 375];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"LASF");
    put(6, &[if wkt_first { 16 } else { 0 }, 0]);
    put(24, &[1, 4]);
    put(94, &375_u16.to_le_bytes());
    put(96, &(375 + vlrs.len() as u32).to_le_bytes());
    put(100, &(records.len() as u32).to_le_bytes());
    put(104, &[6]);
    put(105, &30_u16.to_le_bytes());
    for axis in 0..3 {
        put(131 + 8 * axis, &0.001_f64.to_le_bytes());
    }
    put(247, &1_u64.to_le_bytes());
    file.extend_from_slice(&vlrs);
    file.extend_from_slice(&[0; 30]);
    file
}
