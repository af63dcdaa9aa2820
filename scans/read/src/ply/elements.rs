//! The elements of a file around its vertices: where vertices begin, whether there is room for them, and what is not read.

use std::io::{BufReader, Seek, SeekFrom};

use super::ascii::{self, LineFault};
use super::binary;
use super::fault::{Fault, truncated};
use super::header::{Coding, DAMAGED_HINT, Header, Shape};
use super::layout::Layout;
use crate::source::Source;
use parterre_model::{Error, Result, Warning};

/// A file that announces this many times the vertices that it has room for is not truncated: its number of vertices is wrong.
const COUNT_FACTOR: u64 = 1000;

/// Offset of the first vertex: after the header and the elements before the vertices, which are read where their rows have lists.
pub(super) fn find_vertices(input: &mut BufReader<Box<dyn Source>>, header: &Header, at: usize, file_len: u64) -> Result<u64, Fault> {
    let mut start = header.len;
    for element in &header.elements[..at] {
        let short = || truncated(format!("the file ends within its {} rows of the element {}", element.count, element.name));
        if header.coding == Coding::Ascii {
            // Every row has at least one byte.
            if element.count > file_len - start {
                return Err(short().into());
            }
            ascii::skip(input, header.line_end, element.count).map_err(|fault| match fault {
                LineFault::Io(error) => Fault::Io(error),
                LineFault::End => Fault::Input(short()),
                LineFault::Bad(_, what) => Fault::Input(Error::input("ply_row", what, DAMAGED_HINT)),
            })?;
            start = input.stream_position()?;
            continue;
        }
        let least = element.shortest_row().checked_mul(element.count).filter(|&bytes| bytes <= file_len - start).ok_or_else(short)?;
        if element.is_fixed() {
            start += least;
            input.seek(SeekFrom::Start(start))?;
            continue;
        }
        let layout = Layout::new(element, header.coding);
        for _ in 0..element.count {
            binary::read_row(input, element, &layout)?;
        }
        start = input.stream_position()?;
        if start > file_len {
            return Err(short().into());
        }
    }
    Ok(start)
}

/// Checks the announced rows against the length of the file.
pub(super) fn check_length(header: &Header, at: usize, start: u64, file_len: u64, warnings: &mut Vec<Warning>) -> Result<()> {
    let vertex = &header.elements[at];
    // A digit and a blank for each number; the last line may have no end.
    let row = if header.coding == Coding::Ascii { 2 * vertex.properties.len() as u64 } else { vertex.shortest_row() };
    let room = (file_len - start + u64::from(header.coding == Coding::Ascii)) / row.max(1);
    if vertex.count / COUNT_FACTOR > room {
        let message = format!("the header announces {} vertices, but the file has room for {room}", vertex.count);
        return Err(Error::input("ply_point_count", message, DAMAGED_HINT));
    }
    if vertex.count > room {
        return Err(truncated(format!("the header announces {} vertices of {row} bytes, but the file has only {room}", vertex.count)));
    }
    if header.coding == Coding::Ascii {
        return Ok(());
    }
    let after = &header.elements[at + 1..];
    let wanted = after.iter().map(|element| element.shortest_row().saturating_mul(element.count)).fold(0, u64::saturating_add);
    let there = file_len - start - vertex.shortest_row() * vertex.count;
    if wanted > there {
        let message = format!(
            "the elements after the vertices need at least {wanted} bytes, but there are {there}: they are not needed and not read"
        );
        warnings.push(Warning::new("ply_elements_truncated", message));
    } else if wanted < there && vertex.is_fixed() && after.iter().all(|element| element.is_fixed() || element.count == 0) {
        warnings.push(Warning::new("ply_trailing_bytes", format!("{} bytes after the last element are not read", there - wanted)));
    }
    Ok(())
}

/// Warns of elements and properties that are not read.
pub(super) fn warn_of_unread(header: &Header, at: usize, layout: &Layout, warnings: &mut Vec<Warning>) {
    let faces = header.elements.iter().find(|element| {
        element.count > 0
            && element
                .properties
                .iter()
                .any(|property| matches!(property.shape, Shape::List { .. }) && property.name.starts_with("vertex_ind"))
    });
    if let Some(faces) = faces {
        let message = format!("the file is a mesh of {} faces: its vertices are read as points, its faces are not", faces.count);
        warnings.push(Warning::new("ply_mesh_as_points", message));
    }
    let others = header
        .elements
        .iter()
        .enumerate()
        .filter(|(index, element)| *index != at && element.count > 0 && faces.is_none_or(|faces| faces.name != element.name));
    let others: Vec<String> = others.map(|(_, element)| element.name.clone()).collect();
    if !others.is_empty() {
        warnings.push(Warning::new("ply_elements_skipped", format!("these elements are not read: {}", list(&others))));
    }
    if !layout.unused.is_empty() {
        warnings
            .push(Warning::new("ply_properties_skipped", format!("these properties of vertices are not kept: {}", list(&layout.unused))));
    }
}

/// Names as a list for a message, at most 12 of them.
pub(super) fn list(names: &[String]) -> String {
    use std::fmt::Write as _;

    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).map(|name| name.chars().take(40).collect::<String>()).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    text
}
