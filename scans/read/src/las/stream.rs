//! Decompressing point by point, for files with one huge chunk or without a table of chunks.
//!
//! A file that was cut short gives its points up to where it ends: the decoder has then read nothing but the file's own
//! bytes, so that every point before is as it was written. Layered chunks come whole or not at all.

use std::io::{Read, Seek, SeekFrom};

use laz::DecompressionSelection;
use laz::record::RecordDecompressor;

use super::Input;
use super::header::Header;
use super::laz::{Coding, Plan, corrupt, truncated};
use super::raw::{Fault, RawRecords};
use parterre_model::contain::contained;

/// Records of a file that is read from its first point on.
pub(super) struct Stream {
    decoder: Box<dyn RecordDecompressor<Input> + Send>,
    coding: Coding,
    plan: Plan,
    /// Where the first chunk begins.
    start: u64,
    file_len: u64,
    points: u64,
    next: u64,
    next_chunk: usize,
    left_in_chunk: u64,
    /// Whether what is whole is wanted of a file that is not.
    salvage: bool,
    /// What ended the reading early.
    cut: Option<String>,
}

impl Stream {
    pub(super) fn new(input: Input, header: &Header, coding: Coding, start: u64, plan: Plan) -> Result<Self, Fault> {
        let decoder = coding.decoder(input).map_err(corrupt)?;
        Ok(Self {
            decoder,
            coding,
            plan,
            start,
            file_len: header.file_len,
            points: header.points,
            next: 0,
            next_chunk: 0,
            left_in_chunk: 0,
            salvage: false,
            cut: None,
        })
    }

    /// Takes what can be read for all, wherever that ends.
    pub(super) fn salvaging(self) -> Self {
        Self { salvage: true, ..self }
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
            // One by one, so that it is known how many were whole.
            let mut whole = 0;
            let result = contained(|| {
                out[start..].chunks_exact_mut(record_len).try_for_each(|record| {
                    decoder.decompress_next(record)?;
                    whole += 1;
                    Ok(())
                })
            });
            out.truncate(start + whole as usize * record_len);
            self.next += whole;
            self.left_in_chunk -= whole;
            wanted -= whole;
            result.map_err(corrupt)?.map_err(ended)?;
        }
        Ok(())
    }

    /// Goes to the next chunk and sets the decoder up for it.
    fn begin_chunk(&mut self) -> Result<(), Fault> {
        let input = self.decoder.get_mut();
        let mut end = self.file_len;
        let place = match &self.plan {
            Plan::Table(chunks) => {
                let chunk = chunks.get(self.next_chunk).ok_or_else(|| corrupt("there are fewer chunks than points need"))?;
                end = chunk.offset + chunk.bytes;
                self.left_in_chunk = chunk.points;
                Some(chunk.offset)
            }
            Plan::Sized(points) => {
                self.left_in_chunk = *points;
                (self.next_chunk == 0).then_some(self.start)
            }
            Plan::Layered => (self.next_chunk == 0).then_some(self.start),
        };
        if let Some(offset) = place {
            input.seek(SeekFrom::Start(offset))?;
        }
        if self.coding.layers.is_some() {
            let at = input.stream_position()?;
            let mut head = vec![0; self.coding.chunk_head_len()];
            input.read_exact(&mut head).map_err(ended)?;
            input.seek(SeekFrom::Start(at))?;
            let points = self.coding.check_layers(&head, end.saturating_sub(at))?;
            if matches!(self.plan, Plan::Layered) {
                self.left_in_chunk = points;
            } else if points < self.left_in_chunk {
                return Err(corrupt(format!("a chunk of {} points says that it has {points}", self.left_in_chunk)).into());
            }
        }
        if self.left_in_chunk == 0 {
            return Err(corrupt("a chunk without points").into());
        }
        let (decoder, coding) = (self.decoder.as_mut(), &self.coding);
        contained(|| {
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
        if self.cut.is_some() {
            return Ok(());
        }
        match self.read_on(out, wanted.min(self.points - self.next)) {
            Err(Fault::Input(error)) if self.salvage && self.next > 0 => {
                self.cut = Some(error.to_string());
                Ok(())
            }
            result => result,
        }
    }

    fn go_to(&mut self, point: u64) -> bool {
        self.next = 0;
        self.next_chunk = 0;
        self.left_in_chunk = 0;
        self.cut = None;
        point == 0
    }

    fn select(&mut self, selection: DecompressionSelection) {
        // Where a damaged file ends must not depend on what of its points is wanted.
        if !self.salvage {
            self.coding.selection = selection;
        }
    }

    fn cut_short(&self) -> Option<&str> {
        self.cut.as_deref()
    }
}

fn ended(error: std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Fault::Input(truncated("the file ends before all its points were read")),
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::Other => {
            Fault::Input(corrupt(error.to_string()))
        }
        _ => Fault::Io(error),
    }
}
