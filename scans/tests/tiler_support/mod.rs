//! Points in memory that pose as a file.

#![allow(dead_code, reason = "each test file uses a part of it")]

use glam::DVec3;
use parterre_scans::frame::{Unit, UnitSource};
use parterre_scans::points::{Attributes, Bounds, PointChunk};
use parterre_scans::read::{PointSource, SourceInfo, Warning};
use parterre_scans::{Result, tiler};

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
