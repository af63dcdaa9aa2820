//! PLY: ASCII and both byte orders, the points of clouds and of meshes.
//!
//! The points are the rows of the element `vertex` (or `point`, `points`), with properties in any order and of any type, lists among them;
//! elements before it are walked over, those after it are not read. [`layout`] says which property is what. The header
//! and rows of text are parsed by `ply-rs`; binary rows are decoded here, without it. PLY has no place for a CRS or a
//! unit; comments are not searched for one.
//!
//! **Sample.** The header has no bounds, and types do not say what range colours and intensities have. Opening
//! reads five blocks of 10,000 vertices spread over the file (the first 50,000 where vertices have lists, and of a text, of
//! which 20 MiB at most) and decides by them; [`SourceInfo::bounds`] are those of the sample. Where it saw nothing but 0, or
//! no colour deeper than 8 bits, the first pass over all vertices looks on ([`layout::Open`]):
//! [`SourceInfo::attributes`] and the tails' format may change at its end, and not after.
//!
//! Limits: headers of 1 MiB, lines of 1 MiB; memory below about 20 MiB beside the chunk. A row that runs over the file's end is
//! found when the file is opened where rows have a fixed length, else when it is read. Bytes after the last element
//! are met where all elements are binary and of fixed length. A reader of meshes would take the same header and the
//! element `face`.

mod ascii;
mod binary;
mod header;
mod layout;

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use glam::DVec3;

use self::ascii::{LineFault, Lines};
use self::header::{Coding, DAMAGED_HINT, Element, Header, Shape};
use self::layout::{CLASS, Columns, INTENSITY, Layout, Open, RED, ROLES, Range, Row};
use crate::error::{Error, Result};
use crate::frame::UnitSource;
use crate::points::{Attributes, Bounds, PointChunk};
use crate::read::adapt::adapt;
use crate::read::{Override, PointSource, Precision, RecordChunk, Source, SourceInfo, TailFormat, Wanted, Warning, record};

/// Blocks that the sample takes where vertices can be sought.
const SAMPLE_BLOCKS: u64 = 5;
/// Vertices of a block of the sample.
const SAMPLE_POINTS: u64 = 10_000;
/// Bytes read at a time.
const BLOCK_BYTES: usize = 1 << 20;
/// Rows of text, and of vertices with lists, read at a time.
const BLOCK_ROWS: usize = 16_384;
/// A file that announces this many times the vertices it has room for was not cut short: its count is wrong.
const COUNT_FACTOR: u64 = 1000;
const TRUNCATED_HINT: &str = "The file was cut short, often by a broken copy or upload: copy it again from its source.";

/// Opens PLY bytes of the given length; `name` stands for the file in messages, `wishes` go before what the file says.
///
/// # Errors
/// `ply_header`, `ply_no_vertices`, `ply_no_positions`, `ply_point_count`, `ply_truncated`, `ply_row`; `crs_invalid`; `io`.
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, wishes: &Override) -> Result<Box<dyn PointSource>> {
    adapt(reader(source, len, name)?, wishes).map_err(|error| error.in_file(name))
}

/// What the file says, as it says it.
pub(super) fn reader(source: Box<dyn Source>, len: u64, name: &Path) -> Result<Box<dyn PointSource>> {
    let reader = PlyReader::open(source, len, name).map_err(|fault| fault.named(name))?;
    Ok(Box::new(reader))
}

enum Fault {
    Input(Error),
    Io(std::io::Error),
}

impl Fault {
    fn named(self, name: &Path) -> Error {
        match self {
            Self::Input(error) => error.in_file(name),
            Self::Io(error) => Error::io("read", name, error),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Input(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Input(truncated("the file ended while it was read")),
            std::io::ErrorKind::InvalidData => Self::Input(Error::input("ply_row", error.to_string(), DAMAGED_HINT)),
            _ => Self::Io(error),
        }
    }
}

fn truncated(message: impl Into<String>) -> Error {
    Error::input("ply_truncated", message, TRUNCATED_HINT)
}

struct PlyReader {
    name: PathBuf,
    info: SourceInfo,
    input: BufReader<Box<dyn Source>>,
    file_len: u64,
    vertex: Element,
    layout: Layout,
    columns: Columns,
    /// What the sample says of each role.
    ranges: [Range; ROLES],
    /// What it left open, and what this pass saw of it.
    open: Open,
    seen: [Range; ROLES],
    /// Parses rows of text.
    lines: Option<Lines>,
    /// Where the first vertex begins.
    start: u64,
    /// Vertices handed out since the start.
    done: u64,
    bytes: Vec<u8>,
    rows: Vec<Row>,
    /// For [`PointSource::read_records`].
    scratch: PointChunk,
    sample: Vec<DVec3>,
    clamped: u64,
    warnings: Vec<Warning>,
    /// After a fault the place in the file is not known.
    failed: bool,
}

impl PlyReader {
    fn open(source: Box<dyn Source>, file_len: u64, name: &Path) -> Result<Self, Fault> {
        let mut input = BufReader::with_capacity(1 << 16, source);
        input.seek(SeekFrom::Start(0))?;
        let header = header::read(&mut input)??;
        let at = header.elements.iter().position(|element| matches!(element.name.as_str(), "vertex" | "vertices" | "point" | "points"));
        let Some(at) = at.filter(|&at| header.elements[at].count > 0) else {
            let names: Vec<&str> = header.elements.iter().map(|element| element.name.as_str()).collect();
            let message =
                if at.is_some() { "the file holds no vertices".into() } else { format!("there is no element vertex among {names:?}") };
            return Err(Error::input("ply_no_vertices", message, "Export the scan anew and see that points are selected.").into());
        };
        let vertex = header.elements[at].clone();
        let layout = Layout::new(&vertex, header.coding);
        if !layout.has(0..RED) {
            let message = format!("the vertices have no x, y and z; they have {}", list(&layout.unused));
            return Err(Error::input("ply_no_positions", message, "Export the scan with a property x, y and z for each vertex.").into());
        }
        let mut warnings = Vec::new();
        let start = find_vertices(&mut input, &header, at, file_len)?;
        check_length(&header, at, start, file_len, &mut warnings)?;
        note(&header, at, &layout, &mut warnings);
        let lines = (header.coding == Coding::Ascii).then(|| Lines::new(&vertex, &layout, header.line_end));
        let coding = match header.coding {
            Coding::Ascii => "ASCII",
            Coding::Little => "binary, little-endian",
            Coding::Big => "binary, big-endian",
        };
        let mut reader = Self {
            name: name.to_path_buf(),
            info: SourceInfo {
                format: format!("PLY 1.0 {coding}"),
                points: vertex.count,
                bounds: Bounds::EMPTY,
                crs: None,
                unit: None,
                vertical_unit: None,
                unit_source: UnitSource::Assumed,
                attributes: Attributes::default(),
                grid: None,
                setups: Vec::new(),
                images: Vec::new(),
                warnings,
            },
            input,
            file_len,
            columns: Columns::new(&layout, &[Range::EMPTY; ROLES]),
            ranges: [Range::EMPTY; ROLES],
            open: Open::default(),
            seen: [Range::EMPTY; ROLES],
            vertex,
            layout,
            lines,
            start,
            done: 0,
            bytes: Vec::new(),
            rows: Vec::new(),
            scratch: PointChunk::default(),
            sample: Vec::new(),
            clamped: 0,
            warnings: Vec::new(),
            failed: false,
        };
        reader.take_sample()?;
        Ok(reader)
    }

    /// Whether vertices can be sought.
    fn is_strided(&self) -> bool {
        self.lines.is_none() && self.vertex.is_fixed()
    }

    /// Goes to a vertex; only to the first where they cannot be sought.
    fn go_to(&mut self, vertex: u64) -> Result<(), Fault> {
        self.input.seek(SeekFrom::Start(self.start + vertex * if vertex == 0 { 0 } else { self.layout.stride as u64 }))?;
        self.done = vertex;
        Ok(())
    }

    /// Decides what only the vertices can tell.
    fn take_sample(&mut self) -> Result<(), Fault> {
        let points = self.info.points;
        let mut ranges = [Range::EMPTY; ROLES];
        let mut bounds = Bounds::EMPTY;
        let mut sampled = 0;
        let last = points.saturating_sub(SAMPLE_POINTS);
        self.go_to(0)?;
        for block in 0..SAMPLE_BLOCKS {
            if self.is_strided() {
                self.go_to(last * block / (SAMPLE_BLOCKS - 1))?;
            }
            let count = SAMPLE_POINTS.min(points - self.done) as usize;
            self.read_rows(count)?;
            sampled += self.rows.len() as u64;
            for row in &self.rows {
                ranges.iter_mut().zip(row).for_each(|(range, &value)| range.include(value));
                let position = DVec3::new(row[0], row[1], row[2]);
                if position.is_finite() {
                    bounds.include(position);
                    self.sample.push(position);
                }
            }
            if self.done == points && (!self.is_strided() || last == 0) {
                break;
            }
        }
        self.go_to(0)?;
        self.columns = Columns::new(&self.layout, &ranges);
        self.ranges = ranges;
        if sampled < points {
            self.open = Open::of(&self.layout, &ranges);
        }
        for (role, what, code, kept) in [
            (RED, "colour", "color_empty", self.columns.color.is_some()),
            (INTENSITY, "intensity", "intensity_empty", self.columns.intensity.is_some()),
        ] {
            let there = self.layout.has(if role == RED { RED..INTENSITY } else { INTENSITY..CLASS });
            if there && !kept && sampled < points {
                let message = format!("{what} is 0 in all of {sampled} sampled points of {points}: it is taken as absent");
                self.info.warnings.push(Warning { code, message });
            }
        }
        if self.layout.fields[..RED].iter().flatten().all(|field| field.kind == header::Kind::F32) && !bounds.is_empty() {
            let step = bounds.min.abs().max(bounds.max.abs()).max_element() * f64::from(f32::EPSILON);
            if step > 0.01 {
                let message = format!("coordinates as large as these are stored in steps of up to {step:.3} units, as 32-bit floats");
                self.info.warnings.push(Warning { code: "coordinates_coarse", message });
            }
        }
        self.info.attributes = self.columns.attributes();
        self.info.bounds = bounds;
        Ok(())
    }

    /// After the last vertex: what only all of them tell is settled, for the next pass.
    fn end_pass(&mut self) {
        if self.clamped > 0 {
            let message = format!(
                "colours or intensities of {} points lie outside of the range that a sample of the file has: these are clamped",
                self.clamped
            );
            self.warnings.push(Warning { code: "color_depth_mixed", message });
        }
        let open = std::mem::take(&mut self.open);
        for role in open.roles() {
            self.ranges[role] = self.seen[role];
        }
        self.columns = Columns::new(&self.layout, &self.ranges);
        let attributes = self.columns.attributes();
        self.info.attributes = attributes;
        self.info.warnings.retain(|warning| {
            !(warning.code == "color_empty" && attributes.color || warning.code == "intensity_empty" && attributes.intensity)
        });
    }

    /// Reads the next vertices into `rows`, whatever the coding: `count` of them, or at least one where they take much text.
    fn read_rows(&mut self, count: usize) -> Result<(), Fault> {
        self.rows.clear();
        if let Some(lines) = &self.lines {
            lines.read(&mut self.input, count, &mut self.rows).map_err(|fault| match fault {
                LineFault::Io(error) => Fault::Io(error),
                LineFault::End => Fault::Input(truncated(format!("the file ends before its {} vertices", self.info.points))),
                LineFault::Bad(index, what) => {
                    let message = format!("vertex {} of {}: {what}", self.done + index as u64 + 1, self.info.points);
                    Fault::Input(Error::input("ply_row", message, DAMAGED_HINT))
                }
            })?;
        } else if self.is_strided() {
            self.read_bytes(count)?;
            let layout = &self.layout;
            self.rows.extend(self.bytes.chunks_exact(layout.stride).map(|bytes| layout.row(bytes)));
        } else {
            for _ in 0..count {
                self.rows.push(binary::walk(&mut self.input, &self.vertex, &self.layout)?);
            }
            // A list that runs over the end is skipped without a complaint when nothing comes after it.
            if self.input.stream_position()? > self.file_len {
                return Err(truncated(format!("the file ends before its {} vertices", self.info.points)).into());
            }
        }
        self.done += self.rows.len() as u64;
        Ok(())
    }

    fn read_bytes(&mut self, count: usize) -> Result<(), Fault> {
        self.bytes.resize(count * self.layout.stride, 0);
        Ok(self.input.read_exact(&mut self.bytes)?)
    }

    fn fill(&mut self, chunk: &mut PointChunk, max: usize) -> Result<(), Fault> {
        while chunk.len() < max && self.done < self.info.points {
            let left = (max - chunk.len()).min((self.info.points - self.done).min(usize::MAX as u64) as usize);
            if self.is_strided() {
                let count = left.min((BLOCK_BYTES / self.layout.stride).max(1));
                self.read_bytes(count)?;
                self.clamped += binary::decode(&self.layout, self.columns, &self.bytes, chunk);
                self.open.look(&self.layout, &self.bytes, &mut self.seen);
                self.done += count as u64;
            } else {
                self.read_rows(left.min(BLOCK_ROWS))?;
                for row in &self.rows {
                    self.clamped += self.columns.push(row, chunk);
                    self.open.look_at(row, &mut self.seen);
                }
            }
        }
        Ok(())
    }
}

impl PointSource for PlyReader {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        chunk.clear();
        if self.failed {
            let message = "reading went on after a fault";
            return Err(Error::input("ply_row", message, DAMAGED_HINT).in_file(&self.name));
        }
        if let Err(fault) = self.fill(chunk, max) {
            self.failed = true;
            return Err(fault.named(&self.name));
        }
        if self.done == self.info.points && !chunk.is_empty() {
            self.end_pass();
        }
        Ok(chunk.len())
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let mut columns = std::mem::take(&mut self.scratch);
        std::mem::swap(&mut columns.positions, &mut chunk.positions);
        chunk.clear();
        // The end of a pass may change it, for the next one.
        let format = self.tail_format();
        let result = self.read_chunk(&mut columns, max);
        if result.is_ok() && wanted == Wanted::Records {
            record::pack(&columns, format.color, &mut chunk.tails);
        }
        std::mem::swap(&mut columns.positions, &mut chunk.positions);
        self.scratch = columns;
        result
    }

    fn tail_format(&self) -> TailFormat {
        record::format_of(self.info.attributes)
    }

    fn rewind(&mut self) -> Result<()> {
        self.clamped = 0;
        self.seen = [Range::EMPTY; ROLES];
        self.warnings.clear();
        self.failed = false;
        self.go_to(0).map_err(|fault| fault.named(&self.name))
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn precision(&self) -> Precision {
        let is_double = self.layout.fields[..RED].iter().flatten().any(|field| field.kind.len() == 8);
        // Text is read as doubles, whatever its header calls it.
        if is_double || self.lines.is_some() { Precision::Double } else { Precision::Single }
    }

    fn sample(&mut self) -> Result<Vec<DVec3>> {
        Ok(std::mem::take(&mut self.sample))
    }
}

/// Where the vertices begin: after the header and the elements before them, walked over where their rows have lists.
fn find_vertices(input: &mut BufReader<Box<dyn Source>>, header: &Header, at: usize, file_len: u64) -> Result<u64, Fault> {
    let mut start = header.len;
    for element in &header.elements[..at] {
        let short = || truncated(format!("the file ends within its {} rows of the element {}", element.count, element.name));
        if header.coding == Coding::Ascii {
            // Every row takes a byte at least.
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
            binary::walk(input, element, &layout)?;
        }
        start = input.stream_position()?;
        if start > file_len {
            return Err(short().into());
        }
    }
    Ok(start)
}

/// Holds the announced rows against the bytes that there are.
fn check_length(header: &Header, at: usize, start: u64, file_len: u64, warnings: &mut Vec<Warning>) -> Result<()> {
    let vertex = &header.elements[at];
    // A number and a blank each; the last line may lack its end.
    let row = if header.coding == Coding::Ascii { 2 * vertex.properties.len() as u64 } else { vertex.shortest_row() };
    let room = (file_len - start + u64::from(header.coding == Coding::Ascii)) / row.max(1);
    if vertex.count / COUNT_FACTOR > room {
        let message = format!("{} vertices are announced in a file that has room for {room}", vertex.count);
        return Err(Error::input("ply_point_count", message, DAMAGED_HINT));
    }
    if vertex.count > room {
        return Err(truncated(format!("{} vertices of {row} bytes are announced and only {room} are there", vertex.count)));
    }
    if header.coding == Coding::Ascii {
        return Ok(());
    }
    let after = &header.elements[at + 1..];
    let wanted = after.iter().map(|element| element.shortest_row().saturating_mul(element.count)).fold(0, u64::saturating_add);
    let there = file_len - start - vertex.shortest_row() * vertex.count;
    if wanted > there {
        let message =
            format!("the elements after the vertices need {wanted} bytes at least and {there} are there: they are not read anyway");
        warnings.push(Warning { code: "ply_elements_truncated", message });
    } else if wanted < there && vertex.is_fixed() && after.iter().all(|element| element.is_fixed() || element.count == 0) {
        warnings
            .push(Warning { code: "ply_trailing_bytes", message: format!("{} bytes after the last element are not read", there - wanted) });
    }
    Ok(())
}

/// Says what is not read.
fn note(header: &Header, at: usize, layout: &Layout, warnings: &mut Vec<Warning>) {
    let faces = header.elements.iter().find(|element| {
        element.count > 0
            && element
                .properties
                .iter()
                .any(|property| matches!(property.shape, Shape::List { .. }) && property.name.starts_with("vertex_ind"))
    });
    if let Some(faces) = faces {
        let message = format!("the file is a mesh of {} faces: its vertices are read as points, its faces are not", faces.count);
        warnings.push(Warning { code: "ply_mesh_as_points", message });
    }
    let others = header
        .elements
        .iter()
        .enumerate()
        .filter(|(index, element)| *index != at && element.count > 0 && faces.is_none_or(|faces| faces.name != element.name));
    let others: Vec<String> = others.map(|(_, element)| element.name.clone()).collect();
    if !others.is_empty() {
        warnings.push(Warning { code: "ply_elements_skipped", message: format!("elements that are not read: {}", list(&others)) });
    }
    if !layout.unused.is_empty() {
        warnings.push(Warning {
            code: "ply_properties_skipped",
            message: format!("properties of vertices that are not kept: {}", list(&layout.unused)),
        });
    }
}

/// Names in a sentence, not too many.
fn list(names: &[String]) -> String {
    use std::fmt::Write as _;

    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).map(|name| name.chars().take(40).collect::<String>()).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    text
}
