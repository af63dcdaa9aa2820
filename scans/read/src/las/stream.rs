//! Decompressing point by point, for files with one huge chunk or without a table of chunks.
//!
//! Of a truncated file the points before its end are read: the decoder has then read only bytes of the file, so that
//! each of these points is correct. Layered chunks are read completely or not at all.

use std::io::{Read, Seek, SeekFrom};

use laz::DecompressionSelection;
use laz::record::RecordDecompressor;

use super::chunk::ChunkOrder;
use super::coding::Coding;
use super::fault::{Fault, corrupt, truncated};
use super::header::Header;
use super::raw::{Input, RawRecords};
use parterre_model::panics;

/// Records of a file that is read from its first point on.
pub(super) struct Stream {
    decoder: Box<dyn RecordDecompressor<Input> + Send>,
    coding: Coding,
    order: ChunkOrder,
    /// Where the first chunk begins.
    start: u64,
    file_len: u64,
    points: u64,
    next: u64,
    next_chunk: usize,
    left_in_chunk: u64,
    /// Whether points before an error are returned although the rest of the file cannot be read.
    partial: bool,
    /// The error that ended reading early.
    truncation: Option<String>,
}

impl Stream {
    pub(super) fn new(input: Input, header: &Header, coding: Coding, start: u64, order: ChunkOrder) -> Result<Self, Fault> {
        let decoder = coding.decoder(input).map_err(corrupt)?;
        Ok(Self {
            decoder,
            coding,
            order,
            start,
            file_len: header.file_len,
            points: header.points,
            next: 0,
            next_chunk: 0,
            left_in_chunk: 0,
            partial: false,
            truncation: None,
        })
    }

    /// Returns the points before the first error as all points of the file.
    pub(super) fn allowing_partial(self) -> Self {
        Self { partial: true, ..self }
    }

    fn read_on(&mut self, out: &mut Vec<u8>, mut wanted: u64) -> Result<(), Fault> {
        while wanted > 0 {
            if self.left_in_chunk == 0 {
                self.begin_chunk()?;
            }
            let count = wanted.min(self.left_in_chunk);
            let (start, record_len) = (out.len(), self.coding.record_len);
            out.resize(start + count as usize * record_len, 0);
            let decoder = self.decoder.as_mut();
            // One by one, so that the number of complete points is known.
            let mut complete = 0;
            let result = panics::catch(|| {
                out[start..].chunks_exact_mut(record_len).try_for_each(|record| {
                    decoder.decompress_next(record)?;
                    complete += 1;
                    Ok(())
                })
            });
            out.truncate(start + complete as usize * record_len);
            self.next += complete;
            self.left_in_chunk -= complete;
            wanted -= complete;
            result.map_err(corrupt)?.map_err(read_error)?;
        }
        Ok(())
    }

    /// Goes to the next chunk and prepares the decoder for it.
    fn begin_chunk(&mut self) -> Result<(), Fault> {
        let input = self.decoder.get_mut();
        let mut end = self.file_len;
        let place = match &self.order {
            ChunkOrder::Table(chunks) => {
                let chunk = chunks.get(self.next_chunk).ok_or_else(|| corrupt("there are fewer chunks than points need"))?;
                end = chunk.offset + chunk.bytes;
                self.left_in_chunk = chunk.points;
                Some(chunk.offset)
            }
            ChunkOrder::Sized(points) => {
                self.left_in_chunk = *points;
                (self.next_chunk == 0).then_some(self.start)
            }
            ChunkOrder::Layered => (self.next_chunk == 0).then_some(self.start),
        };
        if let Some(offset) = place {
            input.seek(SeekFrom::Start(offset))?;
        }
        if self.coding.layers.is_some() {
            let at = input.stream_position()?;
            let mut head = vec![0; self.coding.chunk_head_len()];
            input.read_exact(&mut head).map_err(read_error)?;
            input.seek(SeekFrom::Start(at))?;
            let points = self.coding.check_layers(&head, end.saturating_sub(at))?;
            if matches!(self.order, ChunkOrder::Layered) {
                self.left_in_chunk = points;
            } else if points < self.left_in_chunk {
                return Err(corrupt(format!("a chunk that should have {} points says that it has {points}", self.left_in_chunk)).into());
            }
        }
        if self.left_in_chunk == 0 {
            return Err(corrupt("a chunk without points").into());
        }
        let (decoder, coding) = (self.decoder.as_mut(), &self.coding);
        panics::catch(|| {
            decoder.reset();
            coding.prepare(decoder)
        })
        .and_then(|result| result)
        .map_err(corrupt)?;
        self.next_chunk += 1;
        Ok(())
    }
}

impl RawRecords for Stream {
    fn read(&mut self, out: &mut Vec<u8>, wanted: u64) -> Result<(), Fault> {
        if self.truncation.is_some() {
            return Ok(());
        }
        match self.read_on(out, wanted.min(self.points - self.next)) {
            Err(Fault::Input(error)) if self.partial && self.next > 0 => {
                self.truncation = Some(error.to_string());
                Ok(())
            }
            result => result,
        }
    }

    fn go_to(&mut self, point: u64) -> bool {
        self.next = 0;
        self.next_chunk = 0;
        self.left_in_chunk = 0;
        self.truncation = None;
        point == 0
    }

    fn select(&mut self, selection: DecompressionSelection) {
        // The place where a damaged file ends must not depend on the selected fields.
        if !self.partial {
            self.coding.selection = selection;
        }
    }

    fn truncation(&self) -> Option<&str> {
        self.truncation.as_deref()
    }
}

fn read_error(error: std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Fault::Input(truncated("the file ends before all its points were read")),
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::Other => {
            Fault::Input(corrupt(error.to_string()))
        }
        _ => Fault::Io(error),
    }
}
