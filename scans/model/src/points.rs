//! Points in columns: one vector an attribute, reused from chunk to chunk.

use glam::DVec3;
use serde::{Deserialize, Serialize};

/// Which attributes a scan carries beside positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent attributes, named as in documents")]
pub struct Attributes {
    /// Red, green and blue.
    pub color: bool,
    /// Strength of the returned pulse.
    pub intensity: bool,
    /// ASPRS class.
    pub classification: bool,
    /// Return number and number of returns.
    pub returns: bool,
    /// GPS time in seconds, as the file gives it.
    pub gps_time: bool,
}

impl Attributes {
    /// The names of those present, in a fixed order, as `inspect --json` lists them.
    pub fn names(self) -> Vec<&'static str> {
        [
            (self.color, "color"),
            (self.intensity, "intensity"),
            (self.classification, "classification"),
            (self.returns, "returns"),
            (self.gps_time, "gps_time"),
        ]
        .into_iter()
        .filter_map(|(present, name)| present.then_some(name))
        .collect()
    }
}

/// A chunk of points in columns. A column of an attribute that the scan lacks stays empty; every other has one entry a
/// point.
#[derive(Clone, Debug, Default)]
pub struct PointChunk {
    /// Positions, in the unit and axes of the code that filled the chunk; readers use those of the file.
    pub positions: Vec<DVec3>,
    /// Colours over the full 16-bit range.
    pub colors: Vec<[u16; 3]>,
    /// Intensity over the file's own range.
    pub intensities: Vec<u16>,
    /// ASPRS class.
    pub classifications: Vec<u8>,
    /// Return number in the low four bits, number of returns in the high four.
    pub returns: Vec<u8>,
    /// GPS time in seconds.
    pub gps_times: Vec<f64>,
    /// Point source id; of a scan with setups, 1 + the index of the setup.
    pub sources: Vec<u16>,
}

impl PointChunk {
    /// Number of points.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Empties every column and keeps its memory.
    pub fn clear(&mut self) {
        self.positions.clear();
        self.colors.clear();
        self.intensities.clear();
        self.classifications.clear();
        self.returns.clear();
        self.gps_times.clear();
        self.sources.clear();
    }
}

/// An axis-aligned box, in f64.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Lower corner.
    pub min: DVec3,
    /// Upper corner.
    pub max: DVec3,
}

impl Bounds {
    // Inlined into the loops over many boxes of other crates.

    /// Contains nothing; grows with [`Bounds::include`].
    pub const EMPTY: Self = Self { min: DVec3::INFINITY, max: DVec3::NEG_INFINITY };

    /// Grows to hold `point`.
    #[inline]
    pub fn include(&mut self, point: DVec3) {
        self.min = self.min.min(point);
        self.max = self.max.max(point);
    }

    /// The smallest box that holds both.
    #[must_use]
    #[inline]
    pub fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// Whether no point was included.
    #[inline]
    pub fn is_empty(&self) -> bool {
        !self.min.cmple(self.max).all()
    }

    /// Edge lengths.
    #[inline]
    pub fn size(&self) -> DVec3 {
        self.max - self.min
    }

    /// Middle of the box.
    #[inline]
    pub fn center(&self) -> DVec3 {
        (self.min + self.max) * 0.5
    }

    /// Whether `point` lies in the box, its faces included.
    #[inline]
    pub fn contains(&self, point: DVec3) -> bool {
        point.cmpge(self.min).all() && point.cmple(self.max).all()
    }

    /// Whether the whole of `other` lies in the box or at most `slack` outside of it.
    #[inline]
    pub fn contains_box(&self, other: Self, slack: DVec3) -> bool {
        other.min.cmpge(self.min - slack).all() && other.max.cmple(self.max + slack).all()
    }

    /// `[minx, miny, minz, maxx, maxy, maxz]`.
    pub fn to_array(self) -> [f64; 6] {
        [self.min.x, self.min.y, self.min.z, self.max.x, self.max.y, self.max.z]
    }
}
