//! Decompressing several whole chunks at a time, on all cores.

use std::io::{Cursor, Read, Seek, SeekFrom};

use laz::DecompressionSelection;
use rayon::prelude::*;

use super::chunk::Chunk;
use super::coding::Coding;
use super::fault::{Fault, corrupt, truncated};
use super::raw::{Input, RawRecords};
use parterre_model::Error;
use parterre_model::panics;

/// Compressed bytes read at a time, beside one chunk.
const BATCH_BYTES: u64 = 32 << 20;

/// Records of a file with a table of chunks of ordinary size.
pub(super) struct Chunks {
    input: Input,
    coding: Coding,
    table: Vec<Chunk>,
    next: usize,
    /// Compressed bytes of the current chunks, one buffer per chunk, reused.
    buffers: Vec<Vec<u8>>,
}

impl Chunks {
    pub(super) fn new(input: Input, coding: Coding, table: Vec<Chunk>) -> Self {
        Self { input, coding, table, next: 0, buffers: Vec::new() }
    }
}

impl RawRecords for Chunks {
    fn read(&mut self, out: &mut Vec<u8>, wanted: u64) -> Result<(), Fault> {
        let (mut points, mut bytes, mut end) = (0, 0, self.next);
        while let Some(chunk) = self.table.get(end).filter(|_| points < wanted && bytes < BATCH_BYTES) {
            points += chunk.points;
            bytes += chunk.bytes;
            end += 1;
        }
        let batch = &self.table[self.next..end];
        // Each buffer keeps the capacity of the largest chunk that it ever held.
        if self.buffers.iter().map(|buffer| buffer.capacity() as u64).sum::<u64>() > 2 * BATCH_BYTES {
            self.buffers.clear();
        }
        if self.buffers.len() < batch.len() {
            self.buffers.resize_with(batch.len(), Vec::new);
        }
        for (chunk, buffer) in batch.iter().zip(&mut self.buffers) {
            buffer.resize(chunk.bytes as usize, 0);
            self.input.seek(SeekFrom::Start(chunk.offset))?;
            self.input.read_exact(buffer).map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => Fault::Input(truncated("the file ended while its points were read")),
                _ => Fault::Io(error),
            })?;
        }

        let record_len = self.coding.record_len;
        let start = out.len();
        out.resize(start + points as usize * record_len, 0);
        let mut jobs = Vec::with_capacity(batch.len());
        let mut rest = &mut out[start..];
        for (chunk, buffer) in batch.iter().zip(&mut self.buffers) {
            let (records, after) = rest.split_at_mut(chunk.points as usize * record_len);
            rest = after;
            jobs.push((chunk, buffer, records));
        }
        let coding = &self.coding;
        let results: Vec<_> = jobs.into_par_iter().map(|(chunk, buffer, records)| decompress(coding, chunk, buffer, records)).collect();
        results.into_iter().collect::<Result<(), Error>>()?;
        self.next = end;
        Ok(())
    }

    fn select(&mut self, selection: DecompressionSelection) {
        self.coding.selection = selection;
    }

    fn go_to(&mut self, point: u64) -> bool {
        self.next = self.table.partition_point(|chunk| chunk.first_point + chunk.points <= point);
        true
    }
}

fn decompress(coding: &Coding, chunk: &Chunk, buffer: &mut Vec<u8>, records: &mut [u8]) -> Result<(), Error> {
    if coding.layers.is_some() {
        let head = buffer.get(..coding.chunk_head_len()).ok_or_else(|| corrupt("a chunk is shorter than its header"))?;
        let points = coding.check_layers(head, chunk.bytes)?;
        if points < chunk.points {
            return Err(corrupt(format!("a chunk that should have {} points says that it has {points}", chunk.points)));
        }
    }
    let mut decoder = coding.decoder(Cursor::new(std::mem::take(buffer))).map_err(corrupt)?;
    let result = panics::catch(|| decoder.decompress_many(records)).map_err(corrupt)?;
    *buffer = decoder.box_into_inner().into_inner();
    result.map_err(|error| {
        corrupt(match error.kind() {
            std::io::ErrorKind::UnexpectedEof => format!("the chunk at byte {} ends before its {} points", chunk.offset, chunk.points),
            _ => error.to_string(),
        })
    })
}
