//! Points in memory as a source, in place of a file.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use glam::DVec3;
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::{Attributes, Bounds, PointChunk};
use parterre_model::record::{AttributeLayout, Grid, RecordChunk, Wanted};
use parterre_model::{Result, Warning};
use parterre_read::{PointSource, SourceInfo};
use parterre_tiler as tiler;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) position: DVec3,
    pub(crate) color: [u8; 3],
    pub(crate) intensity: u16,
    pub(crate) classification: u8,
}

pub(crate) struct Memory {
    pub(crate) info: SourceInfo,
    pub(crate) points: Vec<Point>,
    at: usize,
}

pub(crate) fn all_attributes() -> Attributes {
    Attributes { color: true, intensity: true, classification: true, returns: false, gps_time: false }
}

pub(crate) fn memory(points: Vec<Point>) -> Memory {
    let info = SourceInfo {
        format: "memory".into(),
        points: points.len() as u64,
        bounds: Bounds::EMPTY,
        crs: None,
        unit: Some(Unit::Metre),
        vertical_unit: None,
        unit_source: UnitSource::User,
        attributes: all_attributes(),
        grid: None,
        setups: Vec::new(),
        images: Vec::new(),
        warnings: Vec::new(),
    };
    Memory { info, points, at: 0 }
}

impl PointSource for Memory {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        chunk.clear();
        let points = &self.points[self.at..self.points.len().min(self.at + max)];
        self.at += points.len();
        for point in points {
            chunk.positions.push(point.position);
            if self.info.attributes.color {
                chunk.colors.push(point.color.map(|value| u16::from(value) * 257));
            }
            if self.info.attributes.intensity {
                chunk.intensities.push(point.intensity);
            }
            if self.info.attributes.classification {
                chunk.classifications.push(point.classification);
            }
        }
        Ok(points.len())
    }

    fn rewind(&mut self) -> Result<()> {
        self.at = 0;
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &[]
    }
}

/// Numbers without a pattern, the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn point(&mut self, position: DVec3) -> Point {
        let [red, green, blue, class, ..] = self.next().to_le_bytes();
        Point { position, color: [red, green, blue], intensity: self.next() as u16, classification: class % 19 }
    }
}

/// A box of a room: floor, ceiling and four walls, on whole millimetres.
pub(crate) fn room(count: usize, size: DVec3, at: DVec3, seed: u64) -> Vec<Point> {
    let mut random = Random(seed);
    (0..count)
        .map(|_| {
            let mut share = DVec3::new(random.share(), random.share(), random.share());
            let wall = random.next() % 6;
            share[(wall % 3) as usize] = (wall / 3) as f64;
            let position = ((at + share * size) * 1000.0).round() / 1000.0;
            random.point(position)
        })
        .collect()
}

pub(crate) fn run(points: Vec<Point>, dir: &std::path::Path, options: &tiler::Options) -> Result<tiler::Report> {
    let mut sources: Vec<Box<dyn PointSource>> = vec![Box::new(memory(points))];
    tiler::tile(&mut sources, dir, options, &|_| ())
}

/// Points on a grid of their own with whole records, as a LAS file gives them.
#[derive(Clone)]
pub(crate) struct Integers {
    pub(crate) info: SourceInfo,
    pub(crate) grid: Grid,
    /// Steps and attribute bytes of point format 7.
    pub(crate) points: Vec<([i32; 3], [u8; 24])>,
    at: usize,
}

impl Integers {
    /// Coordinates and attribute bytes together.
    pub(crate) fn records(&self) -> Vec<Vec<u8>> {
        self.points
            .iter()
            .map(|(steps, attributes)| steps.iter().flat_map(|step| step.to_le_bytes()).chain(*attributes).collect())
            .collect()
    }
}

/// Walls of a room in millimetres, and some points more than once.
pub(crate) fn integers(count: usize, offset: DVec3, seed: u64) -> Integers {
    let mut random = Random(seed ^ 0x5eed);
    let mut points: Vec<([i32; 3], [u8; 24])> = room(count, DVec3::new(19.0, 12.0, 5.0), DVec3::ZERO, seed)
        .into_iter()
        .map(|point| {
            let mut attributes = [0; 24];
            attributes[..2].copy_from_slice(&point.intensity.to_le_bytes());
            attributes[2] = 0x21;
            attributes[4] = point.classification;
            attributes[5] = random.next() as u8;
            attributes[6..8].copy_from_slice(&((random.next() % 30_000) as i16 - 15_000).to_le_bytes());
            attributes[8..10].copy_from_slice(&((random.next() % 9) as u16).to_le_bytes());
            attributes[10..18].copy_from_slice(&(random.share() * 1e6).to_le_bytes());
            for channel in 0..3 {
                attributes[18 + 2 * channel..20 + 2 * channel].copy_from_slice(&(random.next() as u16 | 1).to_le_bytes());
            }
            ((point.position * 1000.0).round().as_ivec3().to_array(), attributes)
        })
        .collect();
    for twice in (0..count / 2).step_by(50) {
        points[count - 1 - twice].0 = points[twice].0;
    }
    let grid = Grid { scale: DVec3::splat(0.001), offset };
    let mut info = memory(Vec::new()).info;
    info.points = count as u64;
    info.grid = Some(grid);
    info.attributes.returns = true;
    info.attributes.gps_time = true;
    Integers { info, grid, points, at: 0 }
}

impl PointSource for Integers {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, _chunk: &mut PointChunk, _max: usize) -> Result<usize> {
        Err(parterre_model::Error::Internal("records are there to be read".into()))
    }

    fn attribute_layout(&self) -> AttributeLayout {
        AttributeLayout { color: true, ..AttributeLayout::default() }
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        chunk.clear();
        let points = &self.points[self.at..self.points.len().min(self.at + max.min(700))];
        self.at += points.len();
        for (steps, attributes) in points {
            chunk.steps.push(*steps);
            chunk.positions.push(self.grid.position(*steps));
            if wanted == Wanted::Records {
                chunk.attribute_bytes.extend_from_slice(attributes);
            }
        }
        Ok(points.len())
    }

    fn rewind(&mut self) -> Result<()> {
        self.at = 0;
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &[]
    }
}

pub(crate) fn tile_all(mut sources: Vec<Box<dyn PointSource>>, dir: &std::path::Path, options: &tiler::Options) -> Result<tiler::Report> {
    tiler::tile(&mut sources, dir, options, &|_| ())
}

/// Every file below a folder; of the report what does not depend on the clock.
pub(crate) fn files_of(dir: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            let mut bytes = std::fs::read(&path).unwrap();
            if name == "report.json" {
                let mut report: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                for key in ["seconds", "timings", "temporary_bytes"] {
                    report.as_object_mut().unwrap().remove(key);
                }
                bytes = serde_json::to_vec(&report).unwrap();
            }
            files.insert(name, bytes);
        }
    }
    files
}
