//! Encoding a final node: as a LAZ chunk for `points.copc.laz`, as an entry for `tiles.3tz`.

use std::collections::HashMap;

use glam::DVec3;

use super::fallback_color::FallbackColor;
use crate::octree::cube::Cube;
use crate::records::steps::steps_of;
use parterre_crs::Placement;
use parterre_encode::archive::Packed;
use parterre_encode::copc::NodeEncoder;
use parterre_model::Result;
use parterre_model::points::Attributes;
use parterre_model::record::{AttributeLayout, COLOR_AT, COORDINATES_BYTES};
use parterre_tile::glb::{Extra, Part, Surface, Vertex};
use parterre_tile::id::NodeKey;

/// Edge of a part's cell: 2^16 mm.
const PART_BITS: u32 = 16;

/// Encodes nodes; one for all threads.
pub(crate) struct Encoder {
    pub(crate) layout: AttributeLayout,
    pub(crate) cube: Cube,
    /// For `points.copc.laz`, where it is wanted.
    pub(crate) copc: Option<NodeEncoder>,
    /// Whether `tiles.3tz` is wanted.
    pub(crate) with_tiles: bool,
    pub(crate) placement: Placement,
    /// Attributes of the tiles.
    pub(crate) attributes: Attributes,
    /// Colour of points that have none.
    pub(crate) fallback_color: FallbackColor,
}

/// A node's bytes.
pub(crate) struct Encoded {
    pub(crate) copc: Option<Vec<u8>>,
    pub(crate) tile: Option<TileBytes>,
}

/// A tile and the extent of its points.
pub(crate) struct TileBytes {
    pub(crate) packed: Packed,
    pub(crate) extent: Extent,
}

/// Extent of a node's points in the tile frame, in whole millimetres.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) min: [i64; 3],
    pub(crate) max: [i64; 3],
    /// Largest distance between a point and its position in the tile along one axis, in millimetres.
    pub(crate) error_mm: f64,
}

/// The name of a node's tile in the archive.
pub(crate) fn tile_path(key: NodeKey) -> String {
    format!("t/{key}.glb")
}

impl Encoder {
    /// Encodes a node's records, which come in Morton order, with their surfaces.
    pub(crate) fn encode(&self, key: NodeKey, records: &[u8], surfaces: &[Surface]) -> Result<Encoded> {
        let copc = self.copc.as_ref().map(|copc| copc.encode(records)).transpose()?;
        let tile = self.with_tiles.then(|| self.tile(key, records, surfaces)).transpose()?;
        Ok(Encoded { copc, tile })
    }

    fn tile(&self, key: NodeKey, records: &[u8], surfaces: &[Surface]) -> Result<TileBytes> {
        let (parts, extent) = self.parts(records, surfaces);
        let packed = Packed::new(tile_path(key), parterre_encode::glb::encode(&parts, true)?)?;
        Ok(TileBytes { packed, extent })
    }

    /// The points of records as a tile stores them; `surfaces` is empty, or has one for each record.
    pub(crate) fn parts(&self, records: &[u8], surfaces: &[Surface]) -> (Vec<Part>, Extent) {
        let stride = self.layout.record_len();
        let grid = self.cube.grid();
        let mut positions: Vec<DVec3> = records.chunks_exact(stride).map(|record| grid.position(steps_of(record))).collect();
        self.placement.tile_from_file(&mut positions);

        let with_extras = self.attributes.intensity || self.attributes.classification;
        let (mut min, mut max, mut error_mm) = ([i64::MAX; 3], [i64::MIN; 3], 0.0_f64);
        let mut parts = Parts::default();
        for (index, (record, position)) in records.chunks_exact(stride).zip(&positions).enumerate() {
            let exact = *position * 1000.0;
            let rounded = exact.round();
            error_mm = error_mm.max((exact - rounded).abs().max_element());
            let position_mm = rounded.to_array().map(|value| value as i64);
            min = [0, 1, 2].map(|axis| min[axis].min(position_mm[axis]));
            max = [0, 1, 2].map(|axis| max[axis].max(position_mm[axis]));
            let attributes = &record[COORDINATES_BYTES..];
            let intensity = u16::from_le_bytes([attributes[0], attributes[1]]);
            let [red, green, blue] = self.color(record, intensity);
            let part = parts.of(position_mm.map(|value| value >> PART_BITS));
            let position = position_mm.map(|value| (value & ((1 << PART_BITS) - 1)) as u16);
            part.vertices.push(Vertex { position, pad: 0, color: [red, green, blue, 255] });
            part.surfaces.extend(surfaces.get(index));
            if with_extras {
                part.extras.push(Extra { intensity, classification: attributes[4], pad: 0 });
            }
        }
        (parts.list, Extent { min, max, error_mm })
    }

    /// The record's colour; where it has none, the fallback colour.
    fn color(&self, record: &[u8], intensity: u16) -> [u8; 3] {
        if self.layout.color {
            let at = COORDINATES_BYTES + COLOR_AT;
            let color = [0, 2, 4].map(|channel| u16::from_le_bytes([record[at + channel], record[at + channel + 1]]));
            if color != [0; 3] {
                return color.map(narrow);
            }
        }
        self.fallback_color.color(intensity, steps_of(record)[2])
    }
}

/// The nearest 8-bit value of a 16-bit one.
fn narrow(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// Parts by their cells, in the order in which the cells come.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    last: Option<([i64; 3], usize)>,
    indices: HashMap<[i64; 3], usize>,
}

impl Parts {
    fn of(&mut self, cell: [i64; 3]) -> &mut Part {
        let index = match self.last {
            Some((last, index)) if last == cell => index,
            _ => *self.indices.entry(cell).or_insert_with(|| {
                let origin_m = DVec3::from_array(cell.map(|value| (value << PART_BITS) as f64 / 1000.0));
                self.list.push(Part { origin_m, ..Part::default() });
                self.list.len() - 1
            }),
        };
        self.last = Some((cell, index));
        &mut self.list[index]
    }
}
