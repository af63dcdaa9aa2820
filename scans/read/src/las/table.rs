//! The table of chunks, and what it says of the number of points.
//!
//! Chunks of differing size are counted in the table, and layered chunks count themselves: where the header announces
//! another number, theirs is right. Chunks of one size that are not layered leave the size of the last one open: what is
//! certain without it is read, and the rest reported as lost.

use std::io::{Read, Seek, SeekFrom};

use laz::laszip::ChunkTable;

use super::Input;
use super::header::{self, DAMAGED_HINT, Header};
use super::laz::{Chunk, Coding, corrupt, unsupported};
use super::raw::Fault;
use parterre_model::contain::contained;
use parterre_model::{Error, Warning};

/// Chunks that a file may have; each takes about 50 bytes. With chunks of the usual 50,000 points: 100 billion points.
const MAX_CHUNKS: u64 = 2_000_000;

/// What became of the table.
pub(super) enum Table {
    /// Chunks that hold exactly the header's points, which were corrected where need be.
    Whole(Vec<Chunk>),
    /// There is none: the writer left none behind or, with the reason, the file was cut short.
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
        // A writer that could not go back leaves the place of the table at the end of the file.
        offset = read_i64(input, end - 8)?;
        if offset <= header.data_offset as i64 || offset as u64 + 8 > end {
            return Ok(Table::Absent(None));
        }
    }
    let table_start = offset as u64;
    if table_start + 8 > end {
        return Ok(Table::Absent(Some(format!("the table of chunks is said to be at byte {table_start} of {end}"))));
    }
    if table_start < start {
        return Err(corrupt(format!("the table of chunks is said to be at byte {table_start}, before the points")).into());
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
    settle(input, header, coding, &mut chunks, warnings)?;
    Ok(Table::Whole(chunks))
}

/// Makes the header's count and the last chunk's agree.
fn settle(
    input: &mut Input,
    header: &mut Header,
    coding: &Coding,
    chunks: &mut Vec<Chunk>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Fault> {
    let announced = header.points;
    let Some(last) = chunks.last_mut() else {
        return Err(corrupt("the table names no chunk with points").into());
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
                format!("{announced} points are announced, and a single chunk of at most {open}, which does not say how many it has"),
                DAMAGED_HINT,
            )
            .into());
        }
        chunks.pop();
        header.points = certain;
        warnings.push(Warning::new("laz_last_chunk_lost", format!(
                "{announced} points are announced, which does not fit the chunks: {certain} are read; how many of up to {open} more the last chunk has is not known"
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
