//! The one pass over the sources: every point is quantized, counted and spooled to a file, or dropped with a reason.
//!
//! Later passes read the spool, which is much cheaper than decoding again. A thread of its own reads the sources while
//! this one works.

use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc;

use glam::DVec3;

use super::Context;
use super::record::{HAS_COLOR, Record, Region};
use crate::error::{Error, Result};
use crate::frame::{self, Frame, Unit};
use crate::points::{Bounds, PointChunk};
use crate::read::PointSource;

/// Half the edge of the cube that points are kept in, in millimetres: 50 km around the middle of the first points.
const REACH_MM: i64 = 50_000_000;
/// Coordinates beyond this are no place on Earth, in metres.
const FARTHEST_M: f64 = 1e9;
/// One point in so many may be far away: these are stragglers; more are a part of the scan, which is not to be halved.
const STRAGGLERS: u64 = 20;
const CHUNK_POINTS: usize = 64 << 10;
/// Heights are counted in steps of 128 mm.
const HEIGHT_SHIFT: u32 = 7;

/// What the pass found.
pub(super) struct Counted {
    pub(super) spool: Region,
    pub(super) points_in: u64,
    pub(super) not_finite: u64,
    pub(super) far_away: u64,
    /// Scan frame's position of a record at 0, in millimetres.
    pub(super) origin_mm: [i64; 3],
    pub(super) min: [u32; 3],
    pub(super) max: [u32; 3],
    pub(super) error_mm: f64,
    /// 2nd and 98th percentile.
    pub(super) intensity_range: [u16; 2],
    /// 2nd and 98th percentile, in record millimetres.
    pub(super) height_range: [u32; 2],
}

struct Pass {
    /// Metres in a unit of each axis.
    metres: DVec3,
    origin_mm: Option<[i64; 3]>,
    points_in: u64,
    kept: u64,
    not_finite: u64,
    far_away: u64,
    min: [u32; 3],
    max: [u32; 3],
    error_mm: f64,
    /// Of the points kept, in metres.
    bounds: Bounds,
    intensities: Vec<u64>,
    heights: Vec<u64>,
}

pub(super) fn count(sources: &mut [Box<dyn PointSource>], frame: &Frame, path: &Path, context: &Context<'_>) -> Result<Counted> {
    let announced: u64 = sources.iter().map(|source| source.info().points).sum();
    frame::check_unit(frame.unit)?;
    frame::check_unit(frame.vertical_unit.unwrap_or(frame.unit))?;
    let metres = frame.scan_from_file(DVec3::ONE);
    let write_error = |error| Error::io("write", path, error);
    let mut spool = std::fs::File::create(path).map_err(write_error)?;
    let mut pass = Pass {
        metres,
        origin_mm: None,
        points_in: 0,
        kept: 0,
        not_finite: 0,
        far_away: 0,
        min: [u32::MAX; 3],
        max: [0; 3],
        error_mm: 0.0,
        bounds: Bounds::EMPTY,
        intensities: vec![0; 1 << 16],
        heights: vec![0; ((2 * REACH_MM as usize) >> HEIGHT_SHIFT) + 1],
    };

    std::thread::scope(|scope| {
        let (full, chunks) = mpsc::sync_channel::<PointChunk>(2);
        let (empty, emptied) = mpsc::channel::<PointChunk>();
        let reader = scope.spawn(move || -> Result<()> {
            for source in sources {
                source.rewind()?;
                loop {
                    let mut chunk = emptied.try_recv().unwrap_or_default();
                    if source.read_chunk(&mut chunk, CHUNK_POINTS)? == 0 {
                        break;
                    }
                    // The other side has gone: it knows why.
                    if full.send(chunk).is_err() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        });
        let mut records = Vec::with_capacity(CHUNK_POINTS);
        for chunk in chunks {
            context.check()?;
            pass.take(&chunk, &mut records);
            spool.write_all(bytemuck::cast_slice(&records)).map_err(write_error)?;
            context.report("count", pass.points_in as f64 / announced.max(1) as f64);
            // Where the reader is done it needs no chunks.
            let _ = empty.send(chunk);
        }
        reader.join().map_err(|_| Error::Internal("the reader of points panicked".into()))?
    })?;
    spool.flush().map_err(write_error)?;

    let Some(origin_mm) = pass.origin_mm.filter(|_| pass.kept > 0) else {
        return Err(Error::input(
            "no_points",
            format!("none of the {} points has a usable position", pass.points_in),
            "Check that the file holds points and that its scale and offset are right.",
        ));
    };
    if pass.far_away > (pass.kept + pass.far_away) / STRAGGLERS {
        let (far_away, points) = (pass.far_away, pass.points_in);
        return Err(frame::implausible(format!("{far_away} of {points} points lie more than 50 km from the first ones")));
    }
    frame::check_size(pass.bounds, Unit::Metre)?;
    let heights = percentiles(&pass.heights).map(|bin| (bin as u32) << HEIGHT_SHIFT);
    Ok(Counted {
        spool: Region { path: path.to_path_buf(), start: 0, count: pass.kept },
        points_in: pass.points_in,
        not_finite: pass.not_finite,
        far_away: pass.far_away,
        origin_mm: origin_mm.map(|middle| middle - REACH_MM),
        min: pass.min,
        max: pass.max,
        error_mm: pass.error_mm,
        intensity_range: percentiles(&pass.intensities).map(|value| value as u16),
        height_range: heights,
    })
}

impl Pass {
    fn take(&mut self, chunk: &PointChunk, records: &mut Vec<Record>) {
        records.clear();
        self.points_in += chunk.len() as u64;
        let metres = self.metres;
        let Some(middle) = self.origin_mm.or_else(|| middle_mm(&chunk.positions, metres)) else {
            let finite = chunk.positions.iter().filter(|position| position.is_finite()).count() as u64;
            self.not_finite += chunk.len() as u64 - finite;
            self.far_away += finite;
            return;
        };
        self.origin_mm = Some(middle);
        let lower = middle.map(|middle| (middle - REACH_MM) as f64);
        for (index, &position) in chunk.positions.iter().enumerate() {
            if !position.is_finite() {
                self.not_finite += 1;
                continue;
            }
            let exact = position * metres * 1000.0;
            let rounded = exact.round();
            let local = rounded - DVec3::from_array(lower);
            if local.cmplt(DVec3::ZERO).any() || local.cmpgt(DVec3::splat((2 * REACH_MM) as f64)).any() {
                self.far_away += 1;
                continue;
            }
            self.bounds.include(exact / 1000.0);
            self.error_mm = self.error_mm.max((exact - rounded).abs().max_element());
            let position = [local.x as u32, local.y as u32, local.z as u32];
            self.min = [0, 1, 2].map(|axis| self.min[axis].min(position[axis]));
            self.max = [0, 1, 2].map(|axis| self.max[axis].max(position[axis]));
            self.heights[(position[2] >> HEIGHT_SHIFT) as usize] += 1;
            let mut record = Record { position, ..Record::default() };
            if let Some(color) = chunk.colors.get(index) {
                record.color = color.map(narrow);
                record.flags = HAS_COLOR;
            }
            if let Some(&intensity) = chunk.intensities.get(index) {
                record.intensity = intensity;
                self.intensities[usize::from(intensity)] += 1;
            }
            record.classification = chunk.classifications.get(index).copied().unwrap_or_default();
            records.push(record);
        }
        self.kept += records.len() as u64;
    }
}

/// The nearest 8-bit value of a 16-bit one.
fn narrow(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// The median of the usable positions on each axis, on whole metres, in millimetres.
fn middle_mm(positions: &[DVec3], metres: DVec3) -> Option<[i64; 3]> {
    let usable = |position: &DVec3| position.is_finite() && (*position * metres).abs().max_element() < FARTHEST_M;
    let mut middle = [0; 3];
    for (axis, middle) in middle.iter_mut().enumerate() {
        let mut values: Vec<f64> = positions.iter().filter(|position| usable(position)).map(|position| position[axis]).collect();
        if values.is_empty() {
            return None;
        }
        let half = values.len() / 2;
        let (_, median, _) = values.select_nth_unstable_by(half, f64::total_cmp);
        *middle = (*median * metres[axis]).floor() as i64 * 1000;
    }
    Some(middle)
}

/// The bins of the 2nd and the 98th percentile.
fn percentiles(bins: &[u64]) -> [usize; 2] {
    let total: u64 = bins.iter().sum();
    [total / 50, total - total / 50].map(|wanted| {
        let mut seen = 0;
        let bin = bins.iter().position(|&count| {
            seen += count;
            seen >= wanted.max(1)
        });
        bin.unwrap_or(0)
    })
}
