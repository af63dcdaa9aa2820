//! LAS and LAZ, COPC included, which is read as the LAZ that it is.
//!
//! LAS 1.0 to 1.5 with point formats 0 to 10, compression versions 1 to 4. Waveforms are not read. The header is checked
//! against the file before anything is allocated by it, and where its number of points is wrong the actual one is used,
//! with a warning ([`plain`], [`table`]); memory stays below about 300 MiB for any file, of which a table of as many
//! chunks as are read takes 100.
//!
//! **Limit.** Invalid LAZ data can make the decoder call itself until the stack overflows (it decodes GPS times by recursion).
//! The system then aborts the process, and no error is returned. So open files of unknown origin in a process of their own,
//! as the service does.
//!
//! **Sample.** Opening decodes up to five blocks spread over the file ([`SAMPLE_BLOCKS`]; only the first where a LAZ has
//! no table of chunks), and header bounds that are invalid, or that a sampled point lies outside of, are replaced by the
//! sample's, with a warning. Whether there are colour and intensity, and whether colours have 8 or 16 bits, is decided by the sample
//! and, where it does not decide, by the first pass over all points ([`content`]): [`SourceInfo::attributes`] and the
//! layout of the attribute bytes may change at its end, and not after.
//!
//! **Selection.** Point formats 6 to 10 are compressed field by field: only fields that are requested, or undecided, are
//! decompressed.

mod chunk;
mod chunks;
mod coding;
mod content;
mod convert;
mod fault;
mod header;
mod laz;
mod plain;
mod raw;
mod records;
mod stream;
mod table;
mod vlr;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ::laz::DecompressionSelection;
use glam::DVec3;

use self::content::{Largest, Undecided};
use self::convert::ChangedValues;
use self::fault::Fault;
use self::header::Header;
use self::raw::RawRecords;
use self::records::Layout;
use self::vlr::VariableRecords;
use crate::adapt::adapt;
use crate::overrides::Override;
use crate::precision::Precision;
use crate::source::{PointSource, Source, SourceInfo};
use parterre_model::frame::UnitSource;
use parterre_model::points::{Bounds, PointChunk};
use parterre_model::record::{AttributeLayout, Grid, RecordChunk, Wanted};
use parterre_model::{Error, Result, Warning};

/// Blocks that the sample takes, evenly spread, the first and the last included.
const SAMPLE_BLOCKS: u64 = 5;
/// Points of a block of the sample; a LAZ gives whole chunks, of 50,000 as a rule.
const SAMPLE_POINTS: u64 = 10_000;
/// Raw records read at a time, in bytes.
const BLOCK_BYTES: u64 = 16 << 20;

/// Opens a LAS or LAZ file.
pub fn open(path: &Path) -> Result<Box<dyn PointSource>> {
    let file = File::open(path).map_err(|error| Error::opening(path, error))?;
    let len = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
    from_source(Box::new(file), len, path, &Override::default())
}

/// Opens LAS or LAZ bytes of the given length; `name` stands for the file in messages.
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, overrides: &Override) -> Result<Box<dyn PointSource>> {
    adapt(reader(source, len, name)?, overrides).map_err(|error| error.in_file(name))
}

/// A reader without overrides.
pub(super) fn reader(source: Box<dyn Source>, len: u64, name: &Path) -> Result<Box<dyn PointSource>> {
    let reader = LasReader::open(source, len, name).map_err(|fault| error(fault, name))?;
    Ok(Box::new(reader))
}

struct LasReader {
    name: PathBuf,
    info: SourceInfo,
    wkt: Option<String>,
    gps_standard_time: bool,
    /// Positions of the sample, until they are moved out by [`PointSource::sample`].
    sampled: Vec<DVec3>,
    /// Whether that sample is of the whole file and not of its beginning alone.
    is_spread: bool,
    layout: Layout,
    raw: Box<dyn RawRecords>,
    /// Raw records that were read, and the offset of the next one to return.
    records: Vec<u8>,
    next: usize,
    /// Fields that are decompressed.
    fields: Fields,
    /// Points returned in this pass.
    done: u64,
    /// What the sample, or the first pass, did not decide, and the largest values of this pass.
    undecided: Undecided,
    seen: Largest,
    changed: ChangedValues,
    warnings: Vec<Warning>,
    /// After an error the state of `raw` is not valid.
    failed: bool,
}

/// The fields that a caller requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fields {
    /// The fields of columns.
    Columns,
    /// Positions alone.
    Positions,
    /// All but waveforms.
    Records,
}

impl Fields {
    fn selection(self) -> DecompressionSelection {
        let base = DecompressionSelection::base().decompress_z();
        match self {
            Self::Positions => base,
            Self::Columns => base.decompress_classification().decompress_intensity().decompress_gps_time().decompress_rgb(),
            Self::Records => DecompressionSelection::all().skip_wavepacket(),
        }
    }
}

impl LasReader {
    fn open(source: Box<dyn Source>, len: u64, name: &Path) -> Result<Self, Fault> {
        let mut input = BufReader::new(source);
        let mut head = Vec::new();
        input.seek(SeekFrom::Start(0))?;
        input.by_ref().take(375).read_to_end(&mut head)?;
        if !head.starts_with(b"LASF") {
            return Err(
                Error::input("format_unknown", "the file does not begin with the signature of LAS", "Choose a LAS or LAZ file.").into()
            );
        }
        let mut warnings = Vec::new();
        let mut header = Header::parse(&head, len, &mut warnings)?;
        let vlrs = VariableRecords::read(&mut input, &header, &mut warnings)?;
        let mut crs = vlrs.crs(header.wkt);
        warnings.append(&mut crs.warnings);
        let raw: Box<dyn RawRecords> = if header.compressed {
            laz::open(input, &mut header, vlrs.laszip.as_deref(), &mut warnings)?
        } else {
            Box::new(plain::Plain::open(input, &mut header, &mut warnings)?)
        };
        let mut layout = Layout::new(&header);
        layout.extra = convert::extra_fields(&header, &vlrs, &mut warnings);
        let copc = if vlrs.copc { " (COPC)" } else { "" };
        let mut reader = Self {
            name: name.to_path_buf(),
            info: SourceInfo {
                format: format!("{}{copc}", header.format()),
                points: header.points,
                bounds: header.bounds,
                crs: crs.name,
                unit: crs.unit,
                vertical_unit: crs.vertical_unit,
                unit_source: if crs.unit.is_some() { UnitSource::File } else { UnitSource::Assumed },
                attributes: parterre_model::points::Attributes::default(),
                grid: Some(Grid { scale: header.scale, offset: header.offset }),
                setups: Vec::new(),
                images: Vec::new(),
                warnings,
            },
            wkt: vlrs.wkt().map(str::to_owned),
            gps_standard_time: header.gps_standard_time,
            sampled: Vec::new(),
            is_spread: true,
            layout,
            raw,
            records: Vec::new(),
            next: 0,
            fields: Fields::Columns,
            done: 0,
            undecided: Undecided::default(),
            seen: Largest::default(),
            changed: ChangedValues::default(),
            warnings: Vec::new(),
            failed: false,
        };
        reader.sample()?;
        Ok(reader)
    }

    /// Decides what only the points show, as far as a sample shows it.
    fn sample(&mut self) -> Result<(), Fault> {
        let points = self.info.points;
        let mut chunk = PointChunk::default();
        let (mut bounds, mut largest, mut sampled) = (Bounds::EMPTY, Largest::default(), 0);
        self.raw.select(Undecided::ALL.select(self.fields.selection()));
        for block in 0..SAMPLE_BLOCKS {
            let last_start = points.saturating_sub(SAMPLE_POINTS);
            if !self.raw.go_to(last_start * block / (SAMPLE_BLOCKS - 1)) {
                self.is_spread = false;
                break;
            }
            self.records.clear();
            self.raw.read(&mut self.records, SAMPLE_POINTS)?;
            chunk.clear();
            self.layout.decode(&self.records, &mut chunk);
            largest.include(&self.layout, Undecided::ALL, &self.records);
            sampled += chunk.len() as u64;
            self.sampled.extend(chunk.positions.iter().copied().filter(|position| position.is_finite()));
            if last_start == 0 {
                break;
            }
        }
        self.records.clear();
        self.sampled.iter().for_each(|&position| bounds.include(position));
        if sampled < points {
            self.undecided = largest.undecided(&self.layout);
        }
        self.select(Fields::Columns);

        for (name, code, present, max) in [
            ("colour", "color_empty", self.layout.color.is_some(), largest.color),
            ("intensity", "intensity_empty", true, largest.intensity),
        ] {
            if present && max == 0 && sampled < points {
                self.info
                    .warnings
                    .push(Warning::new(code, format!("{name} is 0 in all {sampled} sampled points of {points}: it is treated as absent")));
            }
        }
        largest.apply(&mut self.layout);
        self.info.attributes = self.layout.attributes;

        let announced = self.info.bounds;
        let slack = self.info.grid.map_or(glam::DVec3::ZERO, |grid| grid.scale.abs());
        let is_box = announced.min.is_finite() && announced.max.is_finite() && !announced.is_empty();
        if !is_box || (!bounds.is_empty() && !announced.contains_box(bounds, slack)) {
            self.info.bounds = bounds;
            let precision = Precision::Steps(slack);
            self.info.warnings.push(Warning::new(
                "las_bounds",
                format!(
                    "the header's bounds, {} to {}, do not contain the points: the bounds of {sampled} sampled points are used instead",
                    precision.position(announced.min),
                    precision.position(announced.max)
                ),
            ));
        }
        Ok(())
    }

    /// Goes to the first point and selects these fields.
    fn select(&mut self, fields: Fields) {
        self.fields = fields;
        self.raw.select(self.undecided.select(fields.selection()));
        self.raw.go_to(0);
        self.records.clear();
        self.next = 0;
        self.done = 0;
        self.seen = Largest::default();
        self.changed = ChangedValues::default();
        // This one belongs to the corrected number of points, which later passes do not detect again.
        self.warnings.retain(|warning| warning.code == "laz_truncated");
        self.failed = false;
    }

    /// Makes sure that the next records have these fields. Where a caller requests other fields in the middle of a pass, the points before
    /// are read again.
    fn ensure_fields(&mut self, fields: Fields) -> Result<()> {
        if self.failed {
            return Err(error(Fault::Input(fault::corrupt("reading cannot continue after an earlier error in this file")), &self.name));
        }
        if self.fields != fields {
            let done = self.done;
            self.select(fields);
            while self.done < done && self.fill()? > 0 {
                self.advance(((done - self.done) as usize).min(self.buffered()));
            }
        }
        Ok(())
    }

    /// Number of raw records that were read and not returned yet.
    fn buffered(&self) -> usize {
        (self.records.len() - self.next) / self.layout.record_len
    }

    /// Reads the next records, unless some are buffered or all were returned. Returns the number of buffered records.
    fn fill(&mut self) -> Result<usize> {
        if self.next == self.records.len() && self.done < self.info.points {
            self.records.clear();
            self.next = 0;
            if let Err(fault) = self.raw.read(&mut self.records, BLOCK_BYTES / self.layout.record_len as u64) {
                self.failed = true;
                return Err(error(fault, &self.name));
            }
            if self.records.is_empty() {
                let Some(why) = self.raw.truncation() else {
                    self.failed = true;
                    return Err(Error::Internal(format!("{} ended after {} points", self.name.display(), self.done)));
                };
                self.warnings.push(Warning::new(
                    "laz_truncated",
                    format!("only {} of {} announced points can be read: {why}", self.done, self.info.points),
                ));
                self.info.points = self.done;
                self.end_pass();
            }
            self.seen.include(&self.layout, self.undecided, &self.records);
        }
        Ok(self.buffered())
    }

    /// Skips records that were returned.
    fn advance(&mut self, count: usize) {
        self.next += count * self.layout.record_len;
        self.done += count as u64;
        if self.done == self.info.points && count > 0 {
            self.end_pass();
        }
    }

    /// After the last point: decides what was undecided, for the next pass.
    fn end_pass(&mut self) {
        if self.changed.colors > 0 {
            self.warnings.push(Warning::new(
                "color_depth_mixed",
                format!(
                    "colours have 8-bit values in a sample of the file, but {} points have larger ones: these are clamped",
                    self.changed.colors
                ),
            ));
        }
        if self.changed.times > 0 {
            self.warnings.push(Warning::new(
                "gps_time_not_finite",
                format!("the GPS time of {} points is not a number: it is set to 0", self.changed.times),
            ));
        }
        if self.undecided.any() {
            let Undecided { color, intensity } = std::mem::take(&mut self.undecided);
            // Decided properties are known to have values that are neither 0 nor 8-bit.
            let all = Largest {
                color: if color { self.seen.color } else { u16::MAX },
                nir: if color { self.seen.nir } else { u16::MAX },
                intensity: if intensity { self.seen.intensity } else { u16::MAX },
            };
            all.apply(&mut self.layout);
            let attributes = self.layout.attributes;
            self.info.attributes = attributes;
            self.info.warnings.retain(|warning| {
                !(warning.code == "color_empty" && attributes.color || warning.code == "intensity_empty" && attributes.intensity)
            });
        }
    }
}

impl PointSource for LasReader {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        chunk.clear();
        self.ensure_fields(Fields::Columns)?;
        while chunk.len() < max && self.fill()? > 0 {
            let count = (max - chunk.len()).min(self.buffered());
            let end = self.next + count * self.layout.record_len;
            self.changed.colors += self.layout.decode(&self.records[self.next..end], chunk);
            self.advance(count);
        }
        Ok(chunk.len())
    }

    fn rewind(&mut self) -> Result<()> {
        self.select(self.fields);
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn sample(&mut self) -> Result<Vec<DVec3>> {
        let sampled = std::mem::take(&mut self.sampled);
        Ok(if self.is_spread { sampled } else { Vec::new() })
    }

    fn drop_sample(&mut self) {
        self.sampled = Vec::new();
    }

    fn attribute_layout(&self) -> AttributeLayout {
        self.layout.attribute_layout()
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let with_attributes = wanted == Wanted::Records;
        self.ensure_fields(if with_attributes { Fields::Records } else { Fields::Positions })?;
        let mut read = 0;
        let attributes_len = if with_attributes { self.layout.attribute_layout().len() } else { 0 };
        while read < max && self.fill()? > 0 {
            let count = (max - read).min(self.buffered());
            let end = self.next + count * self.layout.record_len;
            let changed = self.layout.decode_records(&self.records[self.next..end], with_attributes, read, chunk);
            self.changed.colors += changed.colors;
            self.changed.times += changed.times;
            read += count;
            self.advance(count);
        }
        chunk.positions.truncate(read);
        chunk.steps.truncate(read);
        chunk.attribute_bytes.truncate(read * attributes_len);
        Ok(read)
    }

    fn wkt(&self) -> Option<&str> {
        self.wkt.as_deref()
    }

    fn gps_standard_time(&self) -> bool {
        self.gps_standard_time
    }
}

fn error(fault: Fault, name: &Path) -> Error {
    match fault {
        Fault::Input(error) => error.in_file(name),
        // The lengths were checked: only a file that shrinks meanwhile ends early.
        Fault::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::input("las_truncated", "the file ends before what its header announces", header::TRUNCATED_HINT).in_file(name)
        }
        Fault::Io(error) => Error::io("read", name, error),
    }
}
