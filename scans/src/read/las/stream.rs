//! Decompressing point by point, for files with one huge chunk or without a table of chunks.

use std::io::{Read, Seek, SeekFrom};

use laz::record::RecordDecompressor;

use super::Input;
use super::header::Header;
use super::laz::{Coding, Plan, corrupt, truncated};
use super::raw::{Fault, RawRecords};
use crate::read::contain::contained;

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
        })
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
        let mut wanted = wanted.min(self.points - self.next);
        while wanted > 0 {
            if self.left_in_chunk == 0 {
                self.begin_chunk()?;
            }
            let count = wanted.min(self.left_in_chunk);
            let start = out.len();
            out.resize(start + count as usize * self.coding.record_len, 0);
            let decoder = self.decoder.as_mut();
            contained(|| decoder.decompress_many(&mut out[start..])).map_err(corrupt)?.map_err(ended)?;
            wanted -= count;
            self.next += count;
            self.left_in_chunk -= count;
        }
        Ok(())
    }

    fn go_to(&mut self, point: u64) -> bool {
        self.next = 0;
        self.next_chunk = 0;
        self.left_in_chunk = 0;
        point == 0
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
