//! LAZ: the `LASzip` record, the table of chunks, and the choice of how to decompress.
//!
//! Everything that the decoder allocates by or indexes with is checked here first; what is left is contained.
//! Files whose chunks are of ordinary size are decompressed several chunks at a time ([`super::chunks`]); one huge chunk
//! or a lost table goes point by point ([`super::stream`]).

use std::io::{Read, Seek, SeekFrom};

use laz::laszip::ChunkTable;
use laz::record::{LayeredPointRecordDecompressor, RecordDecompressor, SequentialPointRecordDecompressor};
use laz::{DecompressionSelection, LazVlr};

use super::Input;
use super::chunks::Chunks;
use super::header::{DAMAGED_HINT, Header, TRUNCATED_HINT};
use super::raw::{Fault, RawRecords};
use super::stream::Stream;
use crate::error::Error;
use crate::read::Warning;
use crate::read::contain::contained;

/// Largest chunk, in bytes once decompressed, that is decompressed whole.
const MAX_WHOLE_CHUNK: u64 = 32 << 20;
/// Chunks that a file may have; each takes about 50 bytes. With chunks of the usual 50,000 points: 100 billion points.
const MAX_CHUNKS: u64 = 2_000_000;
const UNSUPPORTED_HINT: &str = "Decompress it with the program that wrote it, or export the scan as LAS or as LAZ with a current LASzip.";

/// How the points are compressed, checked against the header.
#[derive(Clone)]
pub(super) struct Coding {
    pub(super) vlr: LazVlr,
    pub(super) record_len: usize,
    /// Number of layers in a chunk; `None` where points are coded one after the other.
    pub(super) layers: Option<usize>,
    /// All points are one chunk and there is no table.
    single: bool,
    /// Points in a chunk; `None` where every chunk has its own number.
    chunk_points: Option<u64>,
}

/// A compressed chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) first_point: u64,
    pub(super) points: u64,
}

/// How a file without a usable table goes on from chunk to chunk.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// Chunks lie where the table says.
    Table(Vec<Chunk>),
    /// Chunks of this many points follow each other.
    Sized(u64),
    /// Chunks follow each other and say themselves how many points they have.
    Layered,
}

/// Prepares decompression.
pub(super) fn open(
    mut input: Input,
    header: &Header,
    record: Option<&[u8]>,
    warnings: &mut Vec<Warning>,
) -> Result<Box<dyn RawRecords>, Fault> {
    let record = record.ok_or_else(|| corrupt("the points are compressed but the LASzip record, which says how, is missing"))?;
    let coding = Coding::parse(record, header)?;
    if coding.single {
        return Ok(Box::new(Stream::new(input, header, coding, header.data_offset, Plan::Sized(header.points))?));
    }
    let table = read_table(&mut input, header, &coding, warnings)?;
    let start = header.data_offset + 8;
    let Some(table) = table else {
        let plan = match (coding.layers, coding.chunk_points) {
            (Some(_), _) => Plan::Layered,
            (None, Some(points)) => Plan::Sized(points),
            (None, None) => return Err(corrupt("the table of chunks is missing, and chunks differ in size").into()),
        };
        warnings.push(Warning {
            code: "laz_no_chunk_table",
            message: "the table of chunks is missing: points are read one after the other".into(),
        });
        return Ok(Box::new(Stream::new(input, header, coding, start, plan)?));
    };
    let ordinary = |chunk: &Chunk| chunk.points.saturating_mul(coding.record_len as u64).max(chunk.bytes) <= MAX_WHOLE_CHUNK;
    if table.iter().all(ordinary) {
        Ok(Box::new(Chunks::new(input, coding, table)))
    } else {
        Ok(Box::new(Stream::new(input, header, coding, start, Plan::Table(table))?))
    }
}

impl Coding {
    fn parse(record: &[u8], header: &Header) -> Result<Self, Error> {
        let word = |at: usize| record.get(at..at + 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
        let (Some(compressor), Some(coder), Some(item_count)) = (word(0), word(2), word(32)) else {
            return Err(corrupt("the LASzip record is too short"));
        };
        if coder != 0 || !(1..=3).contains(&compressor) {
            return Err(unsupported(format!("compressor {compressor} with coder {coder} is not known")));
        }
        let mut expected: Vec<(u16, usize)> = match header.point_format {
            0 => vec![(6, 20)],
            1 => vec![(6, 20), (7, 8)],
            2 => vec![(6, 20), (8, 6)],
            3 => vec![(6, 20), (7, 8), (8, 6)],
            4 => vec![(6, 20), (7, 8), (9, 29)],
            5 => vec![(6, 20), (7, 8), (8, 6), (9, 29)],
            6 => vec![(10, 30)],
            7 => vec![(10, 30), (11, 6)],
            8 => vec![(10, 30), (12, 8)],
            9 => vec![(10, 30), (13, 29)],
            _ => vec![(10, 30), (12, 8), (13, 29)],
        };
        let extra = header.record_len - header.standard_len();
        if extra > 0 {
            expected.push((if header.point_format < 6 { 0 } else { 14 }, extra));
        }
        let mut items = Vec::new();
        for index in 0..usize::from(item_count).min(16) {
            let at = 34 + 6 * index;
            let (Some(kind), Some(size), Some(version)) = (word(at), word(at + 2), word(at + 4)) else {
                return Err(corrupt("the LASzip record is too short for its items"));
            };
            let layered = compressor == 3;
            if !(if layered { 3..=4 } else { 1..=2 }).contains(&version) {
                return Err(unsupported(format!(
                    "item {kind} of compression version {version} under compressor {compressor} is not known"
                )));
            }
            items.push((kind, usize::from(size)));
        }
        if items != expected || usize::from(item_count) != items.len() {
            return Err(corrupt(format!(
                "the LASzip record describes other points than the header (items {items:?}, expected {expected:?})"
            )));
        }
        let vlr = contained(|| LazVlr::from_buffer(record)).map_err(corrupt)?.map_err(|error| corrupt(error.to_string()))?;
        let chunk_size = vlr.chunk_size();
        Ok(Self {
            record_len: header.record_len,
            layers: (compressor == 3).then(|| {
                // Nine for the core fields, one each for colour, near infrared and waveforms, one for every extra byte.
                9 + match header.point_format {
                    7 | 9 => 1,
                    8 => 2,
                    10 => 3,
                    _ => 0,
                } + extra
            }),
            single: compressor == 1,
            chunk_points: (!vlr.uses_variable_size_chunks()).then_some(u64::from(chunk_size)),
            vlr,
        })
    }

    /// A decoder for one chunk at a time.
    pub(super) fn decoder<R: Read + Seek + Send + 'static>(&self, source: R) -> Result<Box<dyn RecordDecompressor<R> + Send>, String> {
        contained(|| {
            let mut decoder: Box<dyn RecordDecompressor<R> + Send> = match self.layers {
                None => Box::new(SequentialPointRecordDecompressor::new(source)),
                Some(_) => Box::new(LayeredPointRecordDecompressor::new(source)),
            };
            self.prepare(decoder.as_mut()).map(|()| decoder)
        })?
    }

    /// Sets a fresh or reset decoder up for the next chunk.
    pub(super) fn prepare<R>(&self, decoder: &mut (dyn RecordDecompressor<R> + Send)) -> Result<(), String> {
        decoder.set_fields_from(self.vlr.items()).map_err(|error| error.to_string())?;
        decoder.set_selection(
            DecompressionSelection::base()
                .decompress_z()
                .decompress_classification()
                .decompress_intensity()
                .decompress_gps_time()
                .decompress_rgb(),
        );
        Ok(())
    }

    /// Length of what precedes the layers of a chunk: a point, a count and the layers' lengths.
    pub(super) fn chunk_head_len(&self) -> usize {
        self.layers.map_or(self.record_len, |layers| self.record_len + 4 + 4 * layers)
    }

    /// Checks a layered chunk's lengths, which the decoder allocates by, against the bytes at hand. Returns its points.
    pub(super) fn check_layers(&self, head: &[u8], available: u64) -> Result<u64, Error> {
        let mut words = head[self.record_len..].chunks_exact(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let points = u64::from(words.next().unwrap_or(0));
        let layers: u64 = words.map(u64::from).sum();
        if layers + head.len() as u64 > available {
            return Err(corrupt(format!("a chunk's layers add up to {layers} bytes, which is more than the {available} bytes at hand")));
        }
        Ok(points)
    }
}

/// Reads the table of chunks; `None` where the writer left none behind.
fn read_table(input: &mut Input, header: &Header, coding: &Coding, warnings: &mut Vec<Warning>) -> Result<Option<Vec<Chunk>>, Fault> {
    let (start, end) = (header.data_offset + 8, header.file_len);
    if start > end {
        return Err(truncated("the file ends where its points begin").into());
    }
    let mut offset = read_i64(input, header.data_offset)?;
    if offset <= header.data_offset as i64 {
        // A writer that could not go back leaves the place of the table at the end of the file.
        offset = read_i64(input, end - 8)?;
        if offset <= header.data_offset as i64 || offset as u64 + 8 > end {
            return Ok(None);
        }
    }
    let table_start = offset as u64;
    if table_start + 8 > end {
        return Err(truncated(format!("the table of chunks is said to be at byte {table_start} of {end}")).into());
    }
    if table_start < start {
        return Err(corrupt(format!("the table of chunks is said to be at byte {table_start}, before the points")).into());
    }
    input.seek(SeekFrom::Start(table_start + 4))?;
    let mut count = [0; 4];
    input.read_exact(&mut count)?;
    let count = u64::from(u32::from_le_bytes(count));
    // Every chunk begins with a whole point: more chunks than that cannot be there, and the table allocates by the count.
    let room = (table_start - start) / coding.record_len as u64;
    if count == 0 || count > room {
        return Err(corrupt(format!("{count} chunks are announced; there is room for {room}")).into());
    }
    if count > MAX_CHUNKS {
        return Err(unsupported(format!("{count} chunks of points; {MAX_CHUNKS} are the most that are read")).into());
    }
    input.seek(SeekFrom::Start(table_start))?;
    let variable = coding.chunk_points.is_none();
    let table = match contained(|| ChunkTable::read(input, variable)).map_err(corrupt)? {
        Ok(table) => table,
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(truncated("the file ends within its table of chunks").into());
        }
        Err(error) => return Err(error.into()),
    };
    let mut chunks = Vec::with_capacity(table.len());
    let (mut at, mut point) = (start, 0);
    for entry in &table {
        if point == header.points {
            warnings.push(Warning {
                code: "laz_points_beyond",
                message: format!("chunks after the {} points that the header announces are not read", header.points),
            });
            break;
        }
        if entry.byte_count > table_start - at {
            return Err(corrupt("the chunks add up to more bytes than there are").into());
        }
        let announced = coding.chunk_points.unwrap_or(entry.point_count);
        if announced == 0 && entry.byte_count == 0 {
            continue;
        }
        if announced == 0 || announced > u64::from(u32::MAX) || entry.byte_count < coding.record_len as u64 {
            return Err(corrupt(format!("a chunk of {announced} points in {} bytes", entry.byte_count)).into());
        }
        let points = announced.min(header.points - point);
        chunks.push(Chunk { offset: at, bytes: entry.byte_count, first_point: point, points });
        at += entry.byte_count;
        point += points;
    }
    if point < header.points {
        return Err(Error::input(
            "las_point_count",
            format!("{} points are announced and the chunks hold {point}", header.points),
            DAMAGED_HINT,
        )
        .into());
    }
    Ok(Some(chunks))
}

fn read_i64(input: &mut Input, at: u64) -> Result<i64, Fault> {
    input.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    Ok(i64::from_le_bytes(bytes))
}

pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::input("laz_corrupt", format!("the compressed points cannot be read: {}", message.into()), DAMAGED_HINT)
}

pub(super) fn truncated(message: impl Into<String>) -> Error {
    Error::input("laz_truncated", message, TRUNCATED_HINT)
}

fn unsupported(message: String) -> Error {
    Error::input("laz_unsupported", format!("the compression cannot be read: {message}"), UNSUPPORTED_HINT)
}
