//! The table of chunks, and the number of points by it.
//!
//! The table has the number of points of each chunk of variable size, and layered chunks contain theirs: where the header announces
//! another number, these are used. Of chunks of one size that are not layered, the number of points in the last one is not known:
//! all chunks before it are read, and the last one is reported as lost.

use std::io::{Read, Seek, SeekFrom};

use laz::laszip::ChunkTable;

use super::chunk::Chunk;
use super::coding::Coding;
use super::fault::{Fault, corrupt, unsupported};
use super::header::{self, DAMAGED_HINT, Header};
use super::raw::Input;
use parterre_model::panics;
use parterre_model::{Error, Warning};

/// Chunks that a file may have; each takes about 50 bytes. With chunks of the usual 50,000 points: 100 billion points.
const MAX_CHUNKS: u64 = 2_000_000;

/// The table, if there is one.
pub(super) enum Table {
    /// Chunks that hold exactly the points of the header, whose count was corrected where necessary.
    Whole(Vec<Chunk>),
    /// No table: the writer wrote none or, with the reason, the file is truncated.
    Absent(Option<String>),
}

/// Reads the table of chunks.
pub(super) fn read(input: &mut Input, header: &mut Header, coding: &Coding, warnings: &mut Vec<Warning>) -> Result<Table, Fault> {
    let (start, end) = (header.data_offset + 8, header.file_len);
    if start > end {
        return Ok(Table::Absent(Some("the file ends where its points begin".into())));
    }
    let mut offset = read_i64(input, header.data_offset)?;
    if offset <= header.data_offset as i64 {
        // A writer that cannot seek writes the offset of the table at the end of the file.
        offset = read_i64(input, end - 8)?;
        if offset <= header.data_offset as i64 || offset as u64 + 8 > end {
            return Ok(Table::Absent(None));
        }
    }
    let table_start = offset as u64;
    if table_start + 8 > end {
        return Ok(Table::Absent(Some(format!(
            "the header places the table of chunks at byte {table_start}, but the file has {end} bytes"
        ))));
    }
    if table_start < start {
        return Err(corrupt(format!("the header places the table of chunks at byte {table_start}, before the points")).into());
    }
    input.seek(SeekFrom::Start(table_start + 4))?;
    let mut count = [0; 4];
    input.read_exact(&mut count)?;
    let count = u64::from(u32::from_le_bytes(count));
    if count == 0 && header.points == 0 {
        return Err(header::no_points().into());
    }
    // Every chunk begins with a whole point: more chunks than that cannot be there, and the table allocates by the count.
    let room = (table_start - start) / coding.record_len as u64;
    if count == 0 || count > room {
        return Err(corrupt(format!("the table announces {count} chunks, but there is room for {room}")).into());
    }
    if count > MAX_CHUNKS {
        return Err(unsupported(format!("the file has {count} chunks of points; at most {MAX_CHUNKS} can be read")).into());
    }
    input.seek(SeekFrom::Start(table_start))?;
    let variable = coding.chunk_points.is_none();
    let table = match panics::catch(|| ChunkTable::read(input, variable)).map_err(corrupt)? {
        Ok(table) => table,
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Ok(Table::Absent(Some("the file ends within its table of chunks".into())));
        }
        Err(error) => return Err(error.into()),
    };
    let mut chunks = Vec::with_capacity(table.len());
    let (mut at, mut point) = (start, 0_u64);
    for entry in &table {
        if entry.byte_count > table_start - at {
            return Err(corrupt("the chunks add up to more bytes than there are").into());
        }
        let points = coding.chunk_points.unwrap_or(entry.point_count);
        if points == 0 && entry.byte_count == 0 {
            continue;
        }
        if points == 0 || points > u64::from(u32::MAX) || entry.byte_count < coding.record_len as u64 {
            return Err(corrupt(format!("a chunk of {points} points in {} bytes", entry.byte_count)).into());
        }
        chunks.push(Chunk { offset: at, bytes: entry.byte_count, first_point: point, points });
        at += entry.byte_count;
        point += points;
    }
    reconcile_counts(input, header, coding, &mut chunks, warnings)?;
    Ok(Table::Whole(chunks))
}

/// Makes the number of points of the header and of the last chunk consistent.
fn reconcile_counts(
    input: &mut Input,
    header: &mut Header,
    coding: &Coding,
    chunks: &mut Vec<Chunk>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Fault> {
    let announced = header.points;
    let Some(last) = chunks.last_mut() else {
        return Err(corrupt("the table has no chunk with points").into());
    };
    if coding.chunk_points.is_none() {
        header.points = last.first_point + last.points;
    } else if (last.first_point + 1..=last.first_point + last.points).contains(&announced) {
        last.points = announced - last.first_point;
    } else if coding.layers.is_some() {
        let mut count = [0; 4];
        input.seek(SeekFrom::Start(last.offset + coding.record_len as u64))?;
        input.read_exact(&mut count)?;
        last.points = u64::from(u32::from_le_bytes(count)).clamp(1, last.points);
        header.points = last.first_point + last.points;
    } else {
        let (certain, open) = (last.first_point, last.points);
        if certain == 0 {
            return Err(Error::input(
                "las_point_count",
                format!(
                    "the header announces {announced} points, but the only chunk has at most {open}, and its exact number is not stored"
                ),
                DAMAGED_HINT,
            )
            .into());
        }
        chunks.pop();
        header.points = certain;
        warnings.push(Warning::new("laz_last_chunk_lost", format!(
                "the header announces {announced} points, which does not fit the chunks: {certain} are read; the last chunk, with up to {open} more, is not read, because its number of points is not known"
            )));
        return Ok(());
    }
    if header.points != announced {
        warnings.push(header::count_corrected(announced, header.points));
    }
    Ok(())
}

fn read_i64(input: &mut Input, at: u64) -> Result<i64, Fault> {
    input.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    Ok(i64::from_le_bytes(bytes))
}
