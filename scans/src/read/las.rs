//! LAS and LAZ, COPC included, which is read as the LAZ that it is.
//!
//! LAS 1.0 to 1.5 with point formats 0 to 10. Waveforms and extra bytes are skipped. The header is checked against the
//! file's length before anything is allocated by it; memory stays below about 300 MiB for any file, of
//! which a table of as many chunks as are read takes 100.
//!
//! **Sample.** Opening decodes up to five blocks spread over the file ([`SAMPLE_BLOCKS`]; only the first where a LAZ has
//! no table of chunks) and decides by them:
//! - colours whose largest value in the sample is 1 to 255 are 8-bit values in 16-bit fields, and are multiplied by 257;
//! - colour that is 0 everywhere in the sample, and intensity likewise, is taken as absent, with a warning where the
//!   sample is not the whole file;
//! - header bounds that are no box, or that a sampled point lies outside of, are replaced by the sample's, with a
//!   warning.

mod chunks;
mod header;
mod laz;
mod plain;
mod raw;
mod records;
mod stream;
mod vlr;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use self::header::Header;
use self::raw::{Fault, RawRecords};
use self::records::Layout;
use self::vlr::Records;
use crate::error::{Error, Result};
use crate::frame::UnitSource;
use crate::points::{Bounds, PointChunk};
use crate::read::{Grid, Override, PointSource, Source, SourceInfo, Warning};

/// The file behind every way of reading.
type Input = BufReader<Box<dyn Source>>;

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
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, wishes: &Override) -> Result<Box<dyn PointSource>> {
    let reader = LasReader::open(source, len, name, wishes).map_err(|fault| error(fault, name))?;
    Ok(Box::new(reader))
}

struct LasReader {
    name: PathBuf,
    info: SourceInfo,
    layout: Layout,
    raw: Box<dyn RawRecords>,
    /// Raw records at hand, and where the next one begins.
    records: Vec<u8>,
    next: usize,
    record_len: usize,
    /// Points handed out since the start.
    done: u64,
    clamped_colors: u64,
    warnings: Vec<Warning>,
    /// After a fault the state behind `raw` is not to be trusted.
    failed: bool,
}

impl LasReader {
    fn open(source: Box<dyn Source>, len: u64, name: &Path, wishes: &Override) -> Result<Self, Fault> {
        let mut input = BufReader::new(source);
        let mut head = Vec::new();
        input.seek(SeekFrom::Start(0))?;
        input.by_ref().take(375).read_to_end(&mut head)?;
        if !head.starts_with(b"LASF") {
            return Err(Error::input("format_unknown", "the file does not begin as a LAS file does", "Choose a LAS or LAZ file.").into());
        }
        let mut warnings = Vec::new();
        let header = Header::parse(&head, len, &mut warnings)?;
        let vlrs = Records::read(&mut input, &header, &mut warnings)?;
        let mut crs = vlrs.crs(header.wkt);
        warnings.append(&mut crs.warnings);
        let raw = if header.compressed {
            laz::open(input, &header, vlrs.laszip.as_deref(), &mut warnings)?
        } else {
            Box::new(plain::Plain::new(input, &header))
        };
        let (unit, unit_source) = match (wishes.unit, crs.unit) {
            (Some(unit), _) => (Some(unit), UnitSource::User),
            (None, Some(unit)) => (Some(unit), UnitSource::File),
            (None, None) => {
                let crs = crs.name.as_deref().map_or("no coordinate reference system", |name| {
                    if name.starts_with("EPSG") { name } else { "a coordinate reference system" }
                });
                warnings.push(Warning {
                    code: "unit_assumed",
                    message: format!("the file names {crs} and no known unit of length: coordinates are taken as metres"),
                });
                (None, UnitSource::Assumed)
            }
        };
        let mut vertical_unit = None;
        if let (Some(unit), Some(vertical)) = (unit, crs.vertical_unit)
            && unit.metres().is_some()
            && unit != vertical
        {
            // A unit that a person named holds for all axes.
            vertical_unit = Some(vertical).filter(|vertical| wishes.unit.is_none() && vertical.metres().is_some());
            let done = if vertical_unit.is_some() { "each is read in its own" } else { "all axes are read in the latter" };
            warnings.push(Warning {
                code: "unit_vertical_differs",
                message: format!("heights are said to be in another unit ({vertical:?}) than x and y ({unit:?}): {done}"),
            });
        }
        let copc = if vlrs.copc { " (COPC)" } else { "" };
        let mut reader = Self {
            name: name.to_path_buf(),
            info: SourceInfo {
                format: format!("{}{copc}", header.format()),
                points: header.points,
                bounds: header.bounds,
                crs: wishes.crs.clone().or(crs.name),
                unit,
                vertical_unit,
                unit_source,
                attributes: crate::points::Attributes::default(),
                grid: Some(Grid { scale: header.scale, offset: header.offset }),
                setups: Vec::new(),
                images: Vec::new(),
                warnings,
            },
            layout: Layout::new(&header),
            raw,
            records: Vec::new(),
            next: 0,
            record_len: header.record_len,
            done: 0,
            clamped_colors: 0,
            warnings: Vec::new(),
            failed: false,
        };
        reader.sample()?;
        Ok(reader)
    }

    /// Decides what only the points can tell.
    fn sample(&mut self) -> Result<(), Fault> {
        let points = self.info.points;
        let mut chunk = PointChunk::default();
        let (mut bounds, mut max_color, mut max_intensity, mut sampled) = (Bounds::EMPTY, 0, 0, 0);
        for block in 0..SAMPLE_BLOCKS {
            let last_start = points.saturating_sub(SAMPLE_POINTS);
            if !self.raw.go_to(last_start * block / (SAMPLE_BLOCKS - 1)) {
                break;
            }
            self.records.clear();
            self.raw.read(&mut self.records, SAMPLE_POINTS)?;
            chunk.clear();
            self.layout.decode(&self.records, &mut chunk);
            sampled += chunk.len() as u64;
            chunk.positions.iter().filter(|position| position.is_finite()).for_each(|&position| bounds.include(position));
            max_color = chunk.colors.iter().flatten().copied().fold(max_color, u16::max);
            max_intensity = chunk.intensities.iter().copied().fold(max_intensity, u16::max);
            if last_start == 0 {
                break;
            }
        }
        self.records.clear();
        self.raw.go_to(0);

        let fields = self.layout.attributes;
        for (name, code, present, max) in
            [("colour", "color_empty", fields.color, max_color), ("intensity", "intensity_empty", fields.intensity, max_intensity)]
        {
            if present && max == 0 && sampled < points {
                self.info.warnings.push(Warning {
                    code,
                    message: format!("{name} is 0 in all of {sampled} sampled points of {points}: it is taken as absent"),
                });
            }
        }
        let layout = &mut self.layout;
        layout.narrow_color = (1..=255).contains(&max_color);
        layout.attributes.color &= max_color > 0;
        layout.attributes.intensity &= max_intensity > 0;
        self.info.attributes = layout.attributes;

        let announced = self.info.bounds;
        let slack = self.info.grid.map_or(glam::DVec3::ZERO, |grid| grid.scale.abs());
        let is_box = announced.min.is_finite() && announced.max.is_finite() && !announced.is_empty();
        if !is_box || (!bounds.is_empty() && !announced.contains_box(bounds, slack)) {
            self.info.bounds = bounds;
            self.info.warnings.push(Warning {
                code: "las_bounds",
                message: format!(
                    "the header's bounds, {} to {}, do not hold the points: those of {sampled} sampled points are given instead",
                    announced.min, announced.max
                ),
            });
        }
        Ok(())
    }

    fn refill(&mut self) -> Result<(), Fault> {
        self.records.clear();
        self.next = 0;
        self.raw.read(&mut self.records, BLOCK_BYTES / self.record_len as u64)
    }
}

impl PointSource for LasReader {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        chunk.clear();
        if self.failed {
            return Err(error(Fault::Input(laz::corrupt("reading went on after a fault")), &self.name));
        }
        while chunk.len() < max && self.done < self.info.points {
            if self.next == self.records.len() {
                if let Err(fault) = self.refill() {
                    self.failed = true;
                    return Err(error(fault, &self.name));
                }
                if self.records.is_empty() {
                    self.failed = true;
                    return Err(Error::Internal(format!("{} ended after {} points", self.name.display(), self.done)));
                }
            }
            let count = (max - chunk.len()).min((self.records.len() - self.next) / self.record_len);
            let end = self.next + count * self.record_len;
            self.clamped_colors += self.layout.decode(&self.records[self.next..end], chunk);
            self.next = end;
            self.done += count as u64;
        }
        if self.done == self.info.points && self.clamped_colors > 0 && self.warnings.is_empty() {
            self.warnings.push(Warning {
                code: "color_depth_mixed",
                message: format!(
                    "colours look like 8-bit values in a sample of the file, but {} points have larger ones: these are clamped",
                    self.clamped_colors
                ),
            });
        }
        Ok(chunk.len())
    }

    fn rewind(&mut self) -> Result<()> {
        self.raw.go_to(0);
        self.records.clear();
        self.next = 0;
        self.done = 0;
        self.clamped_colors = 0;
        self.warnings.clear();
        self.failed = false;
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
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
