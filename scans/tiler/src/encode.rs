//! A final node in both encodings: a chunk of LAZ for `points.copc.laz`, an entry for `tiles.3tz`.

use std::collections::HashMap;

use glam::DVec3;

use super::distribute::steps_of;
use super::lattice::Cube;
use super::ramp::Ramp;
use parterre_crs::Placement;
use parterre_encode::archive::Packed;
use parterre_encode::copc::NodeEncoder;
use parterre_model::Result;
use parterre_model::points::Attributes;
use parterre_model::record::{COLOR_AT, COORDINATES_BYTES, TailFormat};
use parterre_tile::glb::{Extra, Part, Vertex};
use parterre_tile::id::NodeKey;

/// Edge of a part's cell: 2^16 mm.
const PART_BITS: u32 = 16;

/// Makes nodes' bytes; one for all threads.
pub(super) struct Encoder {
    pub(super) format: TailFormat,
    pub(super) cube: Cube,
    /// For `points.copc.laz`, where it is wanted.
    pub(super) copc: Option<NodeEncoder>,
    /// Whether `tiles.3tz` is wanted.
    pub(super) with_tiles: bool,
    pub(super) placement: Placement,
    /// Attributes of the tiles.
    pub(super) attributes: Attributes,
    /// Colour of points that have none.
    pub(super) ramp: Ramp,
}

/// A node's bytes.
pub(super) struct Encoded {
    pub(super) copc: Option<Vec<u8>>,
    pub(super) tile: Option<TileBytes>,
}

/// A tile, and where its points are.
pub(super) struct TileBytes {
    pub(super) packed: Packed,
    pub(super) extent: Extent,
}

/// Where a node's points are in the tile frame: whole millimetres.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) min: [i64; 3],
    pub(super) max: [i64; 3],
    /// Largest distance between a point and its place in the tile along one axis, in millimetres.
    pub(super) error_mm: f64,
}

/// The name of a node's tile in the archive.
pub(super) fn path_of(key: NodeKey) -> String {
    format!("t/{key}.glb")
}

impl Encoder {
    /// Encodes a node's records, which come in Morton order.
    pub(super) fn encode(&self, key: NodeKey, records: &[u8]) -> Result<Encoded> {
        let copc = self.copc.as_ref().map(|copc| copc.encode(records)).transpose()?;
        let tile = self.with_tiles.then(|| self.tile(key, records)).transpose()?;
        Ok(Encoded { copc, tile })
    }

    fn tile(&self, key: NodeKey, records: &[u8]) -> Result<TileBytes> {
        let (parts, extent) = self.parts(records);
        let packed = Packed::new(path_of(key), parterre_encode::glb::encode(&parts, true)?)?;
        Ok(TileBytes { packed, extent })
    }

    /// The records as a tile has them.
    pub(super) fn parts(&self, records: &[u8]) -> (Vec<Part>, Extent) {
        let stride = self.format.record_len();
        let grid = self.cube.grid();
        let mut positions: Vec<DVec3> = records.chunks_exact(stride).map(|record| grid.position(steps_of(record))).collect();
        self.placement.tile_from_file(&mut positions);

        let with_extras = self.attributes.intensity || self.attributes.classification;
        let (mut min, mut max, mut error_mm) = ([i64::MAX; 3], [i64::MIN; 3], 0.0_f64);
        let mut parts = Parts::default();
        for (record, position) in records.chunks_exact(stride).zip(&positions) {
            let exact = *position * 1000.0;
            let rounded = exact.round();
            error_mm = error_mm.max((exact - rounded).abs().max_element());
            let place = rounded.to_array().map(|value| value as i64);
            min = [0, 1, 2].map(|axis| min[axis].min(place[axis]));
            max = [0, 1, 2].map(|axis| max[axis].max(place[axis]));
            let tail = &record[COORDINATES_BYTES..];
            let intensity = u16::from_le_bytes([tail[0], tail[1]]);
            let [red, green, blue] = self.color(record, intensity);
            let part = parts.of(place.map(|value| value >> PART_BITS));
            let position = place.map(|value| (value & ((1 << PART_BITS) - 1)) as u16);
            part.vertices.push(Vertex { position, pad: 0, color: [red, green, blue, 255] });
            if with_extras {
                part.extras.push(Extra { intensity, classification: tail[4], pad: 0 });
            }
        }
        (parts.list, Extent { min, max, error_mm })
    }

    /// The record's colour; grey by intensity or a ramp by height where it has none.
    fn color(&self, record: &[u8], intensity: u16) -> [u8; 3] {
        if self.format.color {
            let at = COORDINATES_BYTES + COLOR_AT;
            let color = [0, 2, 4].map(|channel| u16::from_le_bytes([record[at + channel], record[at + channel + 1]]));
            if color != [0; 3] {
                return color.map(narrow);
            }
        }
        self.ramp.color(intensity, steps_of(record)[2])
    }
}

/// The nearest 8-bit value of a 16-bit one.
fn narrow(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// Parts by their cells, in the order in which the cells are met.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    last: Option<([i64; 3], usize)>,
    places: HashMap<[i64; 3], usize>,
}

impl Parts {
    fn of(&mut self, cell: [i64; 3]) -> &mut Part {
        let index = match self.last {
            Some((last, index)) if last == cell => index,
            _ => *self.places.entry(cell).or_insert_with(|| {
                let origin_m = DVec3::from_array(cell.map(|value| (value << PART_BITS) as f64 / 1000.0));
                self.list.push(Part { origin_m, ..Part::default() });
                self.list.len() - 1
            }),
        };
        self.last = Some((cell, index));
        &mut self.list[index]
    }
}
