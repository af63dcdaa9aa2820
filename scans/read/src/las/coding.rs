//! How points are compressed: the `LASzip` record, and decoders set up by it.
//!
//! Everything that the decoder allocates by or indexes with is checked here first; a panic that is left is caught.

use std::io::{Read, Seek};

use laz::record::{LayeredPointRecordDecompressor, RecordDecompressor, SequentialPointRecordDecompressor};
use laz::{DecompressionSelection, LazVlr};

use super::fault::{corrupt, unsupported};
use super::header::Header;
use parterre_model::Error;
use parterre_model::panics;

/// How the points are compressed, checked against the header.
#[derive(Clone)]
pub(super) struct Coding {
    pub(super) vlr: LazVlr,
    pub(super) record_len: usize,
    /// Number of layers in a chunk; `None` where points are coded one after the other.
    pub(super) layers: Option<usize>,
    /// All points are one chunk and there is no table.
    pub(super) single: bool,
    /// Points in a chunk; `None` where every chunk has its own number.
    pub(super) chunk_points: Option<u64>,
    /// Fields that are decompressed, where fields can be left out.
    pub(super) selection: DecompressionSelection,
}

impl Coding {
    /// Reads the `LASzip` record.
    ///
    /// # Errors
    /// `laz_corrupt` where it does not fit the header, `laz_unsupported`.
    pub(super) fn parse(record: &[u8], header: &Header) -> Result<Self, Error> {
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
        let vlr = panics::catch(|| LazVlr::from_buffer(record)).map_err(corrupt)?.map_err(|error| corrupt(error.to_string()))?;
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
            selection: DecompressionSelection::all(),
        })
    }

    /// A decoder for one chunk at a time.
    pub(super) fn decoder<R: Read + Seek + Send + 'static>(&self, source: R) -> Result<Box<dyn RecordDecompressor<R> + Send>, String> {
        panics::catch(|| {
            let mut decoder: Box<dyn RecordDecompressor<R> + Send> = match self.layers {
                None => Box::new(SequentialPointRecordDecompressor::new(source)),
                Some(_) => Box::new(LayeredPointRecordDecompressor::new(source)),
            };
            self.prepare(decoder.as_mut()).map(|()| decoder)
        })?
    }

    /// Prepares a new or reset decoder for the next chunk.
    pub(super) fn prepare<R>(&self, decoder: &mut (dyn RecordDecompressor<R> + Send)) -> Result<(), String> {
        decoder.set_fields_from(self.vlr.items()).map_err(|error| error.to_string())?;
        decoder.set_selection(self.selection);
        Ok(())
    }

    /// Length of what precedes the layers of a chunk: a point, a count and the layers' lengths.
    pub(super) fn chunk_head_len(&self) -> usize {
        self.layers.map_or(self.record_len, |layers| self.record_len + 4 + 4 * layers)
    }

    /// Checks a layered chunk's lengths, which the decoder allocates by, against the available bytes. Returns its number of points.
    pub(super) fn check_layers(&self, head: &[u8], available: u64) -> Result<u64, Error> {
        let mut words = head[self.record_len..].chunks_exact(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let points = u64::from(words.next().unwrap_or(0));
        let layers: u64 = words.map(u64::from).sum();
        if layers + head.len() as u64 > available {
            return Err(corrupt(format!(
                "a chunk's layers add up to {layers} bytes, which is more than the {available} bytes that are there"
            )));
        }
        Ok(points)
    }
}
