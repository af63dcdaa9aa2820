//! A stadium of random points, of any size: the input for measuring the tiler.
//!
//! Unlike the demo hall it cannot be walked and has no ground truth. It has the load of a large scan: real-world coordinates
//! in millimetre steps, noise on every surface, every attribute of point format 7, and points in no order at all, which
//! is the hardest input for a tiler. In metres, around the middle of the pitch:
//!
//! | share | surface | x, y | height | noise (standard deviation) |
//! | --- | --- | --- | --- | --- |
//! | 60 % | 40 rows of seats | ring of radius 60 + 0.8 a row, x stretched by 1.4 | 0.45 a row | 3 mm |
//! | 20 % | pitch | 180 x 130 | 0 | 10 mm |
//! | 20 % | roof | 180 x 130 | 25 | 20 mm |
//!
//! Points come in blocks of [`BLOCK_POINTS`], each from a stream of its own of the seed's generator, so that blocks are made on all
//! cores and the file does not depend on how many there are. About 60 MB are held whatever the number of points.

use std::f64::consts::TAU;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use laz::{LazItemRecordBuilder, LazVlr, LazVlrBuilder, ParLasZipCompressor};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::replace;
use super::scanner::gaussian;
use parterre_model::{Error, Result};

/// Most points.
pub const MAX_POINTS: u64 = 10_000_000_000;
/// Points of a block, which is also a chunk of a LAZ file.
pub const BLOCK_POINTS: u64 = 50_000;
/// Middle of the pitch.
pub const MIDDLE: [f64; 3] = [652_300.0, 6_862_400.0, 45.0];
/// Length of a step of the stored coordinates, and the place of step 0.
pub const SCALE: f64 = 0.001;
/// Place of step 0 of the stored coordinates.
pub const OFFSET: [f64; 3] = [652_000.0, 6_862_000.0, 30.0];

const ROWS: f64 = 40.0;
const SEATS: f64 = 0.6;
const SEATS_AND_PITCH: f64 = 0.8;
/// The pitch and the roof over it.
const FIELD: [f64; 2] = [180.0, 130.0];
/// GPS time runs evenly from 0 to 1 in each pass of so many points.
const PASS_POINTS: u64 = 40 * BLOCK_POINTS;
/// Blocks made and held at a time.
const BLOCKS_AT_A_TIME: u64 = 16;
const RECORD_LEN: usize = 36;
const HEADER_LEN: usize = 375;

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    /// Points in the file.
    pub points: u64,
    /// Length of the file.
    pub bytes: u64,
    /// Wall time.
    pub seconds: f64,
}

/// Writes a stadium of `points` points to `path`, as LAS or LAZ by the name's ending. Same points and seed, same bytes.
///
/// `progress` is called with 0 to 1. The file appears only when it is whole. Errors: `stadium_points` for none or more
/// than [`MAX_POINTS`], `stadium_ending` for any other ending, `io`, `Cancelled` soon after `stop` was raised.
pub fn write(path: &Path, points: u64, seed: u64, stop: &AtomicBool, progress: &dyn Fn(f64)) -> Result<Made> {
    let started = Instant::now();
    if !(1..=MAX_POINTS).contains(&points) {
        let message = format!("a stadium of {points} points was requested");
        return Err(Error::input("stadium_points", message, "Request 1 to 10,000,000,000 points."));
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let compressed = match ending.as_deref() {
        Some("las") => false,
        Some("laz") => true,
        _ => {
            let message = "the name of the stadium's file ends neither in .las nor in .laz";
            return Err(Error::input("stadium_ending", message, "Name it stadium.las or stadium.laz.").in_file(path));
        }
    };
    replace(path, |part| {
        let io = |source| Error::io("write", path, source);
        let mut file = BufWriter::with_capacity(1 << 20, File::create(part).map_err(io)?);
        let mut header = Header { compressed, points, bounds: [[i32::MAX; 3], [i32::MIN; 3]] };
        header.write(&mut file).map_err(io)?;
        let mut sink = Sink::new(file, compressed).map_err(|error| write_error(error, path))?;
        let mut done = 0;
        while done < points {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            let until = (done + BLOCKS_AT_A_TIME * BLOCK_POINTS).min(points);
            let blocks: Vec<u64> = (done / BLOCK_POINTS..until.div_ceil(BLOCK_POINTS)).collect();
            let records: Vec<Vec<u8>> = blocks.into_par_iter().map(|index| block(index, points, seed)).collect();
            let records = records.concat();
            header.include(&records);
            sink.write(&records).map_err(io)?;
            done = until;
            progress(done as f64 / points as f64);
        }
        let mut file = sink.finish().map_err(|error| write_error(error, path))?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        header.write(&mut file).map_err(io)?;
        file.flush().map_err(io)
    })?;
    let bytes = std::fs::metadata(path).map_err(|source| Error::io("read", path, source))?.len();
    Ok(Made { points, bytes, seconds: started.elapsed().as_secs_f64() })
}

fn write_error(error: laz::LasZipError, path: &Path) -> Error {
    match error {
        laz::LasZipError::IoError(source) => Error::io("write", path, source),
        other => Error::Internal(format!("the stadium could not be compressed: {other}")),
    }
}

/// The records of a block of a stadium of `points` points, as LAS lays them out.
fn block(index: u64, points: u64, seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    let first = index * BLOCK_POINTS;
    let pass = first / PASS_POINTS * PASS_POINTS;
    let last_of_pass = (points - pass).min(PASS_POINTS) - 1;
    let mut records = Vec::with_capacity((points - first).min(BLOCK_POINTS) as usize * RECORD_LEN);
    for number in first..(first + BLOCK_POINTS).min(points) {
        let time = (number - pass) as f64 / last_of_pass.max(1) as f64;
        records.extend_from_slice(&record(&mut rng, time));
    }
    records
}

fn record(rng: &mut ChaCha8Rng, time: f64) -> [u8; RECORD_LEN] {
    let surface: f64 = rng.random();
    let angle = rng.random::<f64>() * TAU;
    let row = (rng.random::<f64>() * ROWS).floor();
    let is_seat = surface < SEATS;
    let [x, y] = if is_seat {
        let radius = 60.0 + 0.8 * (row + rng.random::<f64>());
        [1.4 * radius * angle.cos(), radius * angle.sin()]
    } else {
        FIELD.map(|length| (rng.random::<f64>() - 0.5) * length)
    };
    let (height, noise) = match surface {
        _ if is_seat => (0.45 * row, 0.003),
        surface if surface < SEATS_AND_PITCH => (0.0, 0.010),
        _ => (25.0, 0.020),
    };
    let position = [x, y, height + noise * gaussian(rng)];
    let color = [(row / ROWS * 200.0 + 50.0) * 256.0, (rng.random::<f64>() * 80.0 + 80.0) * 256.0, angle.cos().abs() * 65_535.0];

    let mut record = [0; RECORD_LEN];
    for axis in 0..3 {
        let step = ((MIDDLE[axis] - OFFSET[axis] + position[axis]) / SCALE).round() as i32;
        record[4 * axis..4 * axis + 4].copy_from_slice(&step.to_le_bytes());
        record[30 + 2 * axis..32 + 2 * axis].copy_from_slice(&(color[axis] as u16).to_le_bytes());
    }
    record[12..14].copy_from_slice(&rng.random::<u16>().to_le_bytes());
    // The first return of one.
    record[14] = 0x11;
    record[16] = if is_seat { 6 } else { 2 };
    record[22..30].copy_from_slice(&time.to_le_bytes());
    record
}

/// Header of the file: LAS 1.4, without a coordinate reference system.
struct Header {
    compressed: bool,
    points: u64,
    /// Smallest and largest steps.
    bounds: [[i32; 3]; 2],
}

impl Header {
    fn include(&mut self, records: &[u8]) {
        let [min, max] = &mut self.bounds;
        for record in records.chunks_exact(RECORD_LEN) {
            for axis in 0..3 {
                let step = i32::from_le_bytes([record[4 * axis], record[4 * axis + 1], record[4 * axis + 2], record[4 * axis + 3]]);
                min[axis] = min[axis].min(step);
                max[axis] = max[axis].max(step);
            }
        }
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let vlr = self.compressed.then(laszip);
        let mut described = Vec::new();
        if let Some(vlr) = &vlr {
            vlr.write_to(&mut described)?;
        }
        let vlrs_len = if vlr.is_some() { 54 + described.len() } else { 0 };
        let mut head = [0; HEADER_LEN];
        let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"LASF");
        // The coordinate reference system, which is absent, would be WKT.
        put(6, &16_u16.to_le_bytes());
        put(24, &[1, 4]);
        put(26, b"SYNTHETIC");
        put(58, b"Parterre stadium");
        put(90, &1_u16.to_le_bytes());
        put(92, &2026_u16.to_le_bytes());
        put(94, &(HEADER_LEN as u16).to_le_bytes());
        put(96, &((HEADER_LEN + vlrs_len) as u32).to_le_bytes());
        put(100, &u32::from(vlr.is_some()).to_le_bytes());
        put(104, &[if self.compressed { 0x87 } else { 7 }]);
        put(105, &(RECORD_LEN as u16).to_le_bytes());
        for axis in 0..3 {
            put(131 + 8 * axis, &SCALE.to_le_bytes());
            put(155 + 8 * axis, &OFFSET[axis].to_le_bytes());
            let [min, max] = self.bounds.map(|steps| f64::from(steps[axis]) * SCALE + OFFSET[axis]);
            put(179 + 16 * axis, &max.to_le_bytes());
            put(187 + 16 * axis, &min.to_le_bytes());
        }
        put(247, &self.points.to_le_bytes());
        put(255, &self.points.to_le_bytes());
        out.write_all(&head)?;
        if vlr.is_some() {
            let mut head = [0; 54];
            head[2..2 + LazVlr::USER_ID.len()].copy_from_slice(LazVlr::USER_ID.as_bytes());
            head[18..20].copy_from_slice(&LazVlr::RECORD_ID.to_le_bytes());
            head[20..22].copy_from_slice(&(described.len() as u16).to_le_bytes());
            out.write_all(&head)?;
            out.write_all(&described)?;
        }
        Ok(())
    }
}

/// How the records of a LAZ file are compressed.
fn laszip() -> LazVlr {
    let mut items = LazItemRecordBuilder::new();
    items.add_item(laz::LazItemType::Point14).add_item(laz::LazItemType::RGB14);
    LazVlrBuilder::new(items.build()).with_fixed_chunk_size(BLOCK_POINTS as u32).build()
}

enum Sink {
    Plain(BufWriter<File>),
    Packed(Box<ParLasZipCompressor<BufWriter<File>>>),
}

impl Sink {
    fn new(file: BufWriter<File>, compressed: bool) -> Result<Self, laz::LasZipError> {
        Ok(if compressed { Self::Packed(Box::new(ParLasZipCompressor::new(file, laszip())?)) } else { Self::Plain(file) })
    }

    fn write(&mut self, records: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(records),
            Self::Packed(packer) => packer.compress_many(records),
        }
    }

    fn finish(self) -> Result<BufWriter<File>, laz::LasZipError> {
        match self {
            Self::Plain(file) => Ok(file),
            Self::Packed(mut packer) => {
                packer.done()?;
                Ok(packer.into_inner())
            }
        }
    }
}
