//! PLY: ASCII and both byte orders; points of point clouds and vertices of meshes.
//!
//! The points are the rows of the element `vertex` (or `point`, `points`), with properties in any order and of any type, lists among them;
//! elements before it are skipped, those after it are not read. [`layout`] assigns properties to attributes. The header
//! and rows of text are parsed by `ply-rs`; binary rows are decoded here, without it. PLY has no field for a CRS or a
//! unit; comments are not searched for one.
//!
//! **Sample.** The header has no bounds, and types do not say what range colours and intensities have. Opening
//! reads five blocks of 10,000 vertices spread over the file (the first 50,000 where vertices have lists, and of a text, of
//! which 20 MiB at most) and decides by them; [`SourceInfo::bounds`] are those of the sample. For [`PointSource::sample`] lines are read
//! from five places of a text. Where all values are 0, or
//! all colours fit into 8 bits, the first pass over all vertices decides ([`layout::Undecided`]):
//! [`SourceInfo::attributes`] and the layout of the attribute bytes may change at its end, and not after.
//!
//! Limits: headers of 1 MiB, lines of 1 MiB; memory below about 20 MiB beside the chunk. A row that is longer than the rest of the file is
//! found when the file is opened where rows have a fixed length, else when it is read. Bytes after the last element
//! are reported where all elements are binary and of fixed length.

mod ascii;
mod binary;
mod elements;
mod fault;
mod header;
mod layout;

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use glam::DVec3;

use self::ascii::{LineFault, Lines};
use self::elements::{check_length, find_vertices, list, warn_of_unread};
use self::fault::{Fault, truncated};
use self::header::{Coding, DAMAGED_HINT, Element, Kind};
use self::layout::{CLASS, Columns, INTENSITY, Layout, RED, ROLES, Range, Row, Undecided};
use crate::adapt::adapt;
use crate::overrides::Override;
use crate::precision::Precision;
use crate::source::{PointSource, Source, SourceInfo};
use parterre_model::frame::UnitSource;
use parterre_model::points::{Attributes, Bounds, PointChunk};
use parterre_model::{Error, Result, Warning};

/// Blocks of the sample where vertices can be read from any position.
const SAMPLE_BLOCKS: u64 = 5;
/// Vertices of a block of the sample.
const SAMPLE_POINTS: u64 = 10_000;
/// Share of the expected length of a text in which a sample is searched: later lines can be shorter than the first ones, and faces may follow.
const TEXT_SHARE: f64 = 0.8;
/// Bytes read at a time.
const BLOCK_BYTES: usize = 1 << 20;
/// Rows of text, and of vertices with lists, read at a time.
const BLOCK_ROWS: usize = 16_384;

/// Opens PLY bytes of the given length; `name` stands for the file in messages, `overrides` replace what the file says.
///
/// # Errors
/// `ply_header`, `ply_no_vertices`, `ply_no_positions`, `ply_point_count`, `ply_truncated`, `ply_row`; `crs_invalid`; `io`.
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, overrides: &Override) -> Result<Box<dyn PointSource>> {
    adapt(reader(source, len, name)?, overrides).map_err(|error| error.in_file(name))
}

/// A reader without overrides.
pub(super) fn reader(source: Box<dyn Source>, len: u64, name: &Path) -> Result<Box<dyn PointSource>> {
    let reader = PlyReader::open(source, len, name).map_err(|fault| fault.named(name))?;
    Ok(Box::new(reader))
}

struct PlyReader {
    name: PathBuf,
    info: SourceInfo,
    input: BufReader<Box<dyn Source>>,
    file_len: u64,
    vertex: Element,
    layout: Layout,
    columns: Columns,
    /// Range of each role in the sample.
    ranges: [Range; ROLES],
    /// Roles that the sample did not decide, and their ranges in this pass.
    undecided: Undecided,
    seen: [Range; ROLES],
    /// Parses rows of text.
    lines: Option<Lines>,
    /// Offset of the first vertex.
    start: u64,
    /// Vertices returned in this pass.
    done: u64,
    bytes: Vec<u8>,
    rows: Vec<Row>,
    sample: Vec<DVec3>,
    /// Whether that sample is of the whole file and not of its beginning alone.
    is_spread: bool,
    /// Offset up to which all of a text are vertices, as far as the length of the first lines tells.
    text_end: u64,
    clamped: u64,
    warnings: Vec<Warning>,
    /// After an error the position in the file is not known.
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
            let message = if at.is_some() {
                "the file has no vertices".into()
            } else {
                format!("the file has no element \"vertex\"; it has {names:?}")
            };
            return Err(Error::input("ply_no_vertices", message, "Export the scan again and check that points are selected.").into());
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
        warn_of_unread(&header, at, &layout, &mut warnings);
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
            undecided: Undecided::default(),
            seen: [Range::EMPTY; ROLES],
            vertex,
            layout,
            lines,
            start,
            done: 0,
            bytes: Vec::new(),
            rows: Vec::new(),
            sample: Vec::new(),
            is_spread: false,
            text_end: 0,
            clamped: 0,
            warnings: Vec::new(),
            failed: false,
        };
        reader.take_sample()?;
        Ok(reader)
    }

    /// Whether vertices can be read from any position.
    fn is_strided(&self) -> bool {
        self.lines.is_none() && self.vertex.is_fixed()
    }

    /// Goes to a vertex; only to the first one where rows have no fixed length.
    fn seek_vertex(&mut self, vertex: u64) -> Result<(), Fault> {
        self.input.seek(SeekFrom::Start(self.start + vertex * if vertex == 0 { 0 } else { self.layout.stride as u64 }))?;
        self.done = vertex;
        Ok(())
    }

    /// Decides by a sample what only the vertices show.
    fn take_sample(&mut self) -> Result<(), Fault> {
        let points = self.info.points;
        let mut ranges = [Range::EMPTY; ROLES];
        let mut bounds = Bounds::EMPTY;
        let mut sampled = 0;
        let last = points.saturating_sub(SAMPLE_POINTS);
        self.seek_vertex(0)?;
        for block in 0..SAMPLE_BLOCKS {
            if self.is_strided() {
                self.seek_vertex(last * block / (SAMPLE_BLOCKS - 1))?;
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
        self.is_spread = self.is_strided() || self.done == points;
        if !self.is_spread && self.lines.is_some() {
            let read = self.input.stream_position()? - self.start;
            let expected = read as f64 / self.done as f64 * points as f64 * TEXT_SHARE;
            self.text_end = self.file_len.min(self.start.saturating_add(expected as u64));
        }
        self.seek_vertex(0)?;
        self.columns = Columns::new(&self.layout, &ranges);
        self.ranges = ranges;
        if sampled < points {
            self.undecided = Undecided::of(&self.layout, &ranges);
        }
        for (role, what, code, kept) in [
            (RED, "colour", "color_empty", self.columns.color.is_some()),
            (INTENSITY, "intensity", "intensity_empty", self.columns.intensity.is_some()),
        ] {
            let there = self.layout.has(if role == RED { RED..INTENSITY } else { INTENSITY..CLASS });
            if there && !kept && sampled < points {
                let message = format!("{what} is 0 in all {sampled} sampled points of {points}: it is treated as absent");
                self.info.warnings.push(Warning::new(code, message));
            }
        }
        if self.layout.fields[..RED].iter().flatten().all(|field| field.kind == Kind::F32) && !bounds.is_empty() {
            let step = bounds.min.abs().max(bounds.max.abs()).max_element() * f64::from(f32::EPSILON);
            if step > 0.01 {
                let message = format!("coordinates are 32-bit floats, which have steps of up to {step:.3} units at this distance from 0");
                self.info.warnings.push(Warning::new("coordinates_coarse", message));
            }
        }
        self.info.attributes = self.columns.attributes();
        self.info.bounds = bounds;
        Ok(())
    }

    /// Lines from places spread over a text: each from the first whole line on. What is no vertex ends a block.
    fn sample_text(&mut self) -> Result<Vec<DVec3>, Fault> {
        let mut sample = Vec::new();
        if let Some(lines) = &self.lines {
            for block in 0..SAMPLE_BLOCKS {
                let place = (self.text_end - self.start) * block / SAMPLE_BLOCKS;
                self.input.seek(SeekFrom::Start(self.start + place))?;
                if block > 0 && !lines.skip_rest(&mut self.input)? {
                    break;
                }
                self.rows.clear();
                let _ = lines.read(&mut self.input, SAMPLE_POINTS as usize, &mut self.rows);
                sample.extend(self.rows.iter().map(|row| DVec3::new(row[0], row[1], row[2])).filter(|position| position.is_finite()));
            }
        }
        self.rows.clear();
        self.seek_vertex(0)?;
        Ok(sample)
    }

    /// After the last vertex: decides what was undecided, for the next pass.
    fn end_pass(&mut self) {
        if self.clamped > 0 {
            let message = format!(
                "colours or intensities of {} points are outside of the range of a sample of the file: these are clamped",
                self.clamped
            );
            self.warnings.push(Warning::new("color_depth_mixed", message));
        }
        let undecided = std::mem::take(&mut self.undecided);
        for role in undecided.roles() {
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
                self.rows.push(binary::read_row(&mut self.input, &self.vertex, &self.layout)?);
            }
            // Skipping a list that is longer than the rest of the file is no error by itself.
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
                self.undecided.include_rows(&self.layout, &self.bytes, &mut self.seen);
                self.done += count as u64;
            } else {
                self.read_rows(left.min(BLOCK_ROWS))?;
                for row in &self.rows {
                    self.clamped += self.columns.push(row, chunk);
                    self.undecided.include_row(row, &mut self.seen);
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
            let message = "reading cannot continue after an earlier error in this file";
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

    fn rewind(&mut self) -> Result<()> {
        self.clamped = 0;
        self.seen = [Range::EMPTY; ROLES];
        self.warnings.clear();
        self.failed = false;
        self.seek_vertex(0).map_err(|fault| fault.named(&self.name))
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn precision(&self) -> Precision {
        // Text is read as doubles, whatever its header calls it.
        if self.lines.is_some() {
            return Precision::Double;
        }
        let all = |of: fn(Kind) -> bool| self.layout.fields[..RED].iter().flatten().all(|field| of(field.kind));
        if all(|kind| kind == Kind::F32) {
            Precision::Single
        } else if all(|kind| !matches!(kind, Kind::F32 | Kind::F64)) {
            Precision::Steps(DVec3::ONE)
        } else {
            // 32-bit floats beside integers of 32 bits, which 32-bit floats do not hold.
            Precision::Double
        }
    }

    fn sample(&mut self) -> Result<Vec<DVec3>> {
        let first = std::mem::take(&mut self.sample);
        if self.is_spread {
            return Ok(first);
        }
        self.sample_text().map_err(|fault| fault.named(&self.name))
    }

    fn drop_sample(&mut self) {
        self.sample = Vec::new();
    }
}
