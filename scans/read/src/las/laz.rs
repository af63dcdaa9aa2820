//! LAZ: the choice of how to decompress.
//!
//! Files whose chunks are of ordinary size are decompressed several chunks at a time ([`super::chunks`]); files with one huge
//! chunk or without a table of chunks ([`super::table`]) point by point ([`super::stream`]).

use super::chunk::{Chunk, ChunkOrder};
use super::chunks::Chunks;
use super::coding::Coding;
use super::fault::{Fault, corrupt, truncated};
use super::header::Header;
use super::raw::{Input, RawRecords};
use super::stream::Stream;
use super::table::{self, Table};
use parterre_model::Warning;

/// Largest chunk, in bytes once decompressed, that is decompressed whole.
const MAX_WHOLE_CHUNK: u64 = 32 << 20;

/// Prepares decompression; corrects the header's number of points where chunks show another one.
pub(super) fn open(
    mut input: Input,
    header: &mut Header,
    record: Option<&[u8]>,
    warnings: &mut Vec<Warning>,
) -> Result<Box<dyn RawRecords>, Fault> {
    let record = record.ok_or_else(|| corrupt("the points are compressed but the LASzip record, which says how, is missing"))?;
    let coding = Coding::parse(record, header)?;
    if coding.single {
        header.check_compressed_count()?;
        return Ok(Box::new(Stream::new(input, header, coding, header.data_offset, ChunkOrder::Sized(header.points))?));
    }
    let start = header.data_offset + 8;
    let chunks = match table::read(&mut input, header, &coding, warnings)? {
        Table::Whole(chunks) => chunks,
        Table::Absent(truncation) => {
            header.check_compressed_count()?;
            let order = match (coding.layers, coding.chunk_points) {
                (Some(_), _) => ChunkOrder::Layered,
                (None, Some(points)) => ChunkOrder::Sized(points),
                (None, None) => {
                    let error = corrupt("the table of chunks is missing, and chunks have different sizes");
                    return Err(truncation.map_or(error, truncated).into());
                }
            };
            let lost = "the table of chunks is missing: points are read one after the other";
            warnings.push(match truncation {
                Some(why) => Warning::new("laz_truncated", format!("{why}; {lost}, up to the end of the file")),
                None => Warning::new("laz_no_chunk_table", lost),
            });
            return Ok(Box::new(Stream::new(input, header, coding, start, order)?.allowing_partial()));
        }
    };
    let ordinary = |chunk: &Chunk| chunk.points.saturating_mul(coding.record_len as u64).max(chunk.bytes) <= MAX_WHOLE_CHUNK;
    if chunks.iter().all(ordinary) {
        Ok(Box::new(Chunks::new(input, coding, chunks)))
    } else {
        Ok(Box::new(Stream::new(input, header, coding, start, ChunkOrder::Table(chunks))?))
    }
}
