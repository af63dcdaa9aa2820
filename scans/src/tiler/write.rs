//! Tiles on their way into the archive: encoded into a spool as they become final, then copied coarse ones first, and
//! the tileset documents.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use glam::DVec3;

use super::Context;
use super::record::{Key, Record, Region};
use super::sample::Node;
use crate::error::{Error, Result};
use crate::points::Attributes;
use crate::tile::archive::{Packed, Writer};
use crate::tile::glb::{self, Extra, Part, Vertex};
use crate::tile::tileset::{Asset, AssetExtras, BoundingVolume, Content, ScanExtras, Tile, TileExtras, Tileset};

/// Tiles in one document, about: clients parse the first one before they show anything.
const DOCUMENT_TILES: usize = 500;
/// Points that cannot be told apart by place are cut into tiles of this many times the points wanted.
const LARGEST_TILE: usize = 4;
/// Edge of a part's cell: 2^16 mm.
const PART_BITS: u32 = 16;

/// A final tile with everything below it.
#[derive(Debug)]
pub(super) struct Done {
    name: String,
    level: u32,
    points: u32,
    /// Of everything in and below the tile, in millimetres.
    min: [u32; 3],
    max: [u32; 3],
    pub(super) error_m: f64,
    children: Vec<Done>,
    place: Place,
}

/// Where a packed tile lies in the spool.
#[derive(Debug)]
struct Place {
    offset: u64,
    stored: usize,
    /// Everything of the entry but its data.
    packed: Packed,
}

/// Packed tiles in a file, in no particular order.
pub(super) struct Spool {
    path: PathBuf,
    file: Mutex<(File, u64)>,
    attributes: Attributes,
    points: AtomicU64,
    tiles: AtomicU64,
}

impl Spool {
    pub(super) fn create(path: PathBuf, attributes: Attributes) -> Result<Self> {
        let options = File::options().read(true).write(true).create_new(true).open(&path);
        let file = options.map_err(|error| Error::io("write", &path, error))?;
        let (points, tiles) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { path, file: Mutex::new((file, 0)), attributes, points, tiles })
    }

    /// Points in tiles so far.
    pub(super) fn points(&self) -> u64 {
        self.points.load(Ordering::Relaxed)
    }

    /// Tiles so far.
    pub(super) fn tiles(&self) -> u64 {
        self.tiles.load(Ordering::Relaxed)
    }

    /// Encodes and spools a node that has content.
    pub(super) fn tile(&self, node: Node, bits: u32, tile_points: usize) -> Result<Done> {
        let level = node.key.level;
        debug_assert!(level <= bits);
        self.run(&name(node.key), level, &node.content, largest_tile(tile_points), node.children, node.error_m)
    }

    /// Tiles of records that are too many to be held: up to eight below `key`, each with others below it, all of the
    /// same cell. Holds one tile at a time.
    pub(super) fn pieces(&self, key: Key, region: &Region, tile_points: usize, context: &Context<'_>) -> Result<Vec<Done>> {
        self.pieces_below(&name(key), key.level, region, largest_tile(tile_points), context)
    }

    fn pieces_below(&self, name: &str, level: u32, region: &Region, most: usize, context: &Context<'_>) -> Result<Vec<Done>> {
        let share = region.count.div_ceil(8).max(most as u64);
        let mut children = Vec::new();
        let mut rest = region.clone();
        while rest.count > 0 {
            context.check()?;
            let (piece, after) = rest.split(share);
            rest = after;
            let name = format!("{name}-{}", children.len());
            let (own, beyond) = piece.split(most as u64);
            let below = self.pieces_below(&name, level + 1, &beyond, most, context)?;
            children.push(self.run(&name, level + 1, &own.load()?, most, below, 0.0)?);
        }
        Ok(children)
    }

    /// A tile of the first `most` records; what is beyond goes to up to eight children, which all lie in the same cell.
    fn run(&self, name: &str, level: u32, records: &[Record], most: usize, mut children: Vec<Done>, error_m: f64) -> Result<Done> {
        let (own, beyond) = records.split_at(records.len().min(most));
        if !beyond.is_empty() {
            let share = beyond.len().div_ceil(8).max(most);
            for (number, records) in beyond.chunks(share).enumerate() {
                children.push(self.run(&format!("{name}-{number}"), level + 1, records, most, Vec::new(), 0.0)?);
            }
        }
        let mut min = [u32::MAX; 3];
        let mut max = [0; 3];
        let below = children.iter().flat_map(|child| [child.min, child.max]);
        for position in own.iter().map(|record| record.position).chain(below) {
            for axis in 0..3 {
                min[axis] = min[axis].min(position[axis]);
                max[axis] = max[axis].max(position[axis]);
            }
        }
        let bytes = glb::encode(&self.parts(own), true)?;
        let packed = Packed::new(format!("t/{name}.glb"), bytes)?;
        let place = self.put(packed)?;
        self.points.fetch_add(own.len() as u64, Ordering::Relaxed);
        self.tiles.fetch_add(1, Ordering::Relaxed);
        Ok(Done { name: name.to_owned(), level, points: own.len() as u32, min, max, error_m, children, place })
    }

    /// Records in Morton order as parts; the cells of 2^16 mm are runs.
    fn parts(&self, records: &[Record]) -> Vec<Part> {
        let with_extras = self.attributes.intensity || self.attributes.classification;
        let cell = |record: &Record| record.position.map(|value| value >> PART_BITS);
        let part = |run: &[Record]| {
            let corner = cell(&run[0]).map(|cell| cell << PART_BITS);
            let vertex = |record: &Record| {
                let [red, green, blue] = record.color;
                let position = [0, 1, 2].map(|axis| (record.position[axis] - corner[axis]) as u16);
                Vertex { position, pad: 0, color: [red, green, blue, 255] }
            };
            let extra = |record: &Record| Extra { intensity: record.intensity, classification: record.classification, pad: 0 };
            Part {
                origin_m: DVec3::from_array(corner.map(|value| f64::from(value) / 1000.0)),
                vertices: run.iter().map(vertex).collect(),
                extras: if with_extras { run.iter().map(extra).collect() } else { Vec::new() },
            }
        };
        records.chunk_by(|a, b| cell(a) == cell(b)).map(part).collect()
    }

    fn put(&self, mut packed: Packed) -> Result<Place> {
        let data = packed.take_data();
        let mut file = self.file.lock().map_err(|_| Error::Internal("the spool's lock is poisoned".into()))?;
        let (file, end) = &mut *file;
        let offset = *end;
        let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(&data));
        written.map_err(|error| Error::io("write", &self.path, error))?;
        *end += data.len() as u64;
        Ok(Place { offset, stored: data.len(), packed })
    }

    fn get(&self, place: &Place) -> Result<Packed> {
        let mut data = vec![0; place.stored];
        let mut file = self.file.lock().map_err(|_| Error::Internal("the spool's lock is poisoned".into()))?;
        let read = file.0.seek(SeekFrom::Start(place.offset)).and_then(|_| file.0.read_exact(&mut data));
        read.map_err(|error| Error::io("read", &self.path, error))?;
        Ok(place.packed.with_data(data))
    }
}

fn name(Key { level, cell: [x, y, z] }: Key) -> String {
    format!("{level}-{x}-{y}-{z}")
}

fn largest_tile(tile_points: usize) -> usize {
    tile_points.saturating_mul(LARGEST_TILE).clamp(1, 1 << 20)
}

/// Writes the archive: documents first, then tiles from coarse to fine. Returns its length.
pub(super) fn archive(root: &Done, spool: &Spool, scan: ScanExtras, path: &Path, context: &Context<'_>) -> Result<u64> {
    let origin_m = scan.frame.origin_m;
    let mut documents = Documents::default();
    let (mut tile, _) = documents.tile(root)?;
    tile.refine = Some("ADD".into());
    let DVec3 { x, y, z } = origin_m;
    tile.transform = Some([1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, x, y, z, 1.0]);
    let extras = AssetExtras { parterre: Some(scan) };
    documents.close("tileset.json".into(), document(tile, root.error_m, Some(extras)))?;

    let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, file));
    for (path, bytes) in documents.finished.into_iter().rev() {
        writer.add(path, bytes)?;
    }
    let mut tiles = Vec::new();
    collect(root, &mut tiles);
    tiles.sort_by_key(|tile| tile.level);
    for (index, tile) in tiles.iter().enumerate() {
        context.check()?;
        writer.write(spool.get(&tile.place)?)?;
        context.report("write", index as f64 / tiles.len() as f64);
    }
    let (out, len) = writer.finish()?;
    let file = out.into_inner().map_err(|error| Error::io("write", path, error.into_error()))?;
    file.sync_all().map_err(|error| Error::io("write", path, error))?;
    Ok(len)
}

fn collect<'a>(done: &'a Done, tiles: &mut Vec<&'a Done>) {
    tiles.push(done);
    for child in &done.children {
        collect(child, tiles);
    }
}

fn document(root: Tile, error_m: f64, extras: Option<AssetExtras>) -> Tileset {
    let generator = Some(concat!("Parterre ", env!("CARGO_PKG_VERSION")).to_owned());
    let extensions = serde_json::json!({"3DTILES_content_gltf": {
        "extensionsUsed": ["EXT_meshopt_compression", "KHR_mesh_quantization"],
        "extensionsRequired": ["EXT_meshopt_compression", "KHR_mesh_quantization"],
    }});
    Tileset {
        asset: Asset { version: "1.1".into(), generator, extras },
        geometric_error: error_m,
        root,
        extensions: Some(extensions),
        extensions_used: vec!["3DTILES_content_gltf".into()],
    }
}

/// Tileset documents, those below before those above.
#[derive(Default)]
struct Documents {
    finished: Vec<(String, Vec<u8>)>,
}

impl Documents {
    fn close(&mut self, path: String, tileset: Tileset) -> Result<()> {
        let bytes = serde_json::to_vec(&tileset).map_err(|error| Error::Internal(error.to_string()))?;
        self.finished.push((path, bytes));
        Ok(())
    }

    /// The tile with its children, and how many tiles that is; the largest children go to documents of their own where
    /// it would be too many.
    fn tile(&mut self, done: &Done) -> Result<(Tile, usize)> {
        let mut children = Vec::with_capacity(done.children.len());
        for child in &done.children {
            children.push(self.tile(child)?);
        }
        let total = |children: &[(Tile, usize)]| 1 + children.iter().map(|(_, count)| count).sum::<usize>();
        while total(&children) > DOCUMENT_TILES {
            let largest = (0..children.len()).max_by_key(|&index| (children[index].1, usize::MAX - index));
            let Some(largest) = largest.filter(|&index| children[index].1 > 1) else { break };
            let child = &done.children[largest];
            let path = format!("subtree-{}.json", child.name);
            let link = tile(child, path.clone(), None, Vec::new());
            let (mut root, _) = std::mem::replace(&mut children[largest], (link, 1));
            root.refine = Some("ADD".into());
            self.close(path, document(root, child.error_m, None))?;
        }
        let count = total(&children);
        let children = children.into_iter().map(|(child, _)| child).collect();
        Ok((tile(done, format!("t/{}.glb", done.name), Some(TileExtras { points: done.points }), children), count))
    }
}

fn tile(done: &Done, uri: String, extras: Option<TileExtras>, children: Vec<Tile>) -> Tile {
    let metres = |value: f64| value / 1000.0;
    let mut obb = [0.0; 12];
    for axis in 0..3 {
        let (min, max) = (f64::from(done.min[axis]), f64::from(done.max[axis]));
        obb[axis] = metres(f64::midpoint(min, max));
        // A point stands for a cube of 1 mm; and some clients cannot see a box without thickness.
        obb[3 + 4 * axis] = metres((max - min) / 2.0 + 0.5);
    }
    Tile {
        bounding_volume: BoundingVolume { obb },
        geometric_error: done.error_m,
        refine: None,
        transform: None,
        content: Some(Content { uri }),
        children,
        extras,
    }
}
