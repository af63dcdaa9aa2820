//! The tiles in main memory and on the graphics card, the tiles that could not be loaded, and when to retry them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bevy::render::renderer::{RenderDevice, RenderQueue};
use parterre_decode::{PackedTile, Texel};
use parterre_lod as lod;
use parterre_lod::cache::Cache;
use parterre_lod::{ScanId, TileId};

use crate::fault::{Fault, FaultKind};
use crate::render::gpu_tile::{GpuTile, upload};
use crate::walk::tile_points::{TilePoints, grids_built};

/// Number of retries after the first attempt.
const RETRIES: u32 = 3;
/// Time until the first retry; it doubles with each further one. Seconds.
const BACK_OFF_S: f64 = 0.5;
/// Longest time between retries. Seconds.
const BACK_OFF_MAX_S: f64 = 30.0;
/// Code of a tile whose decoder was ended because it took too long; see `decoders.js`.
const TOO_SLOW: &str = "tile_decoder_slow";

/// A tile in memory.
pub struct ResidentTile {
    /// Its points in main memory, for the floor search and for picking.
    pub points: Arc<TilePoints>,
    /// Its points on the graphics card, once uploaded.
    pub gpu: Option<Arc<GpuTile>>,
    /// Its blocks.
    blocks: Vec<lod::Block>,
    /// What is uploaded, until then.
    packed: Option<PackedTile>,
    upload_bytes: u64,
}

impl ResidentTile {
    /// In main memory and on the graphics card together. Before the upload, both are in main memory.
    fn bytes(&self) -> u64 {
        self.upload_bytes + self.points.bytes()
    }
}

/// The failed attempts to load a tile.
struct Failure {
    attempts: u32,
    retry_at_s: f64,
    fault: Fault,
}

impl Failure {
    /// Whether a retry may succeed: network and service errors can end; missing or damaged tiles stay so, and so does one on which every decoder was ended
    /// because it took too long.
    fn is_temporary(&self) -> bool {
        self.fault.kind == FaultKind::Storage && !(self.fault.code == TOO_SLOW && self.attempts > RETRIES)
    }

    /// Whether the tile is left out of the picture.
    fn is_final(&self) -> bool {
        self.attempts > RETRIES || !self.is_temporary()
    }
}

/// The tiles of all scans that are in memory.
pub struct Residency {
    cache: Cache<TileId, ResidentTile>,
    attached: HashSet<TileId>,
    failures: HashMap<TileId, Failure>,
    insertions: u64,
    changes: u64,
    /// The grids in [`TilePoints`] that are counted in the size of the cache.
    grids_counted: u64,
}

impl Residency {
    /// No tiles; later at most about `limit_bytes`.
    pub fn new(limit_bytes: u64) -> Self {
        Self {
            cache: Cache::new(limit_bytes),
            attached: HashSet::new(),
            failures: HashMap::new(),
            insertions: 0,
            changes: 0,
            grids_counted: 0,
        }
    }

    /// The state of a node for `lod::select`.
    pub fn state(&self, node: TileId) -> lod::Residency<'_> {
        if self.has_failed(node) {
            lod::Residency::Failed
        } else if self.attached.contains(&node) {
            lod::Residency::Ready(&[])
        } else {
            match self.cache.get(node) {
                Some(tile) if tile.gpu.is_some() => lod::Residency::Ready(&tile.blocks),
                _ => lod::Residency::Absent,
            }
        }
    }

    /// Stores a tile's points. They can be drawn after the upload.
    pub fn insert(&mut self, node: TileId, packed: PackedTile) {
        self.failures.remove(&node);
        self.insertions += 1;
        self.changes += 1;
        let upload_bytes = packed.count() * size_of::<Texel>() as u64;
        let points = TilePoints::new(&packed);
        let block = |block: &parterre_decode::Block| lod::Block { bounds: block.bounds, points: block.count };
        let blocks = packed.parts.iter().flat_map(|part| part.blocks.iter().map(block)).collect();
        let tile = ResidentTile { points: Arc::new(points), gpu: None, blocks, packed: Some(packed), upload_bytes };
        let bytes = tile.bytes();
        self.cache.insert(node, tile, bytes);
    }

    /// Records that an external tileset has been attached to the tree.
    pub fn mark_attached(&mut self, node: TileId) {
        self.failures.remove(&node);
        self.attached.insert(node);
        self.changes += 1;
    }

    /// Records a failed attempt.
    pub fn record_failure(&mut self, node: TileId, fault: Fault, now_s: f64) {
        let attempts = self.failures.get(&node).map_or(0, |failure| failure.attempts) + 1;
        let retry_at_s = now_s + (BACK_OFF_S * f64::from(1u32 << (attempts - 1).min(10))).min(BACK_OFF_MAX_S);
        self.failures.insert(node, Failure { attempts, retry_at_s, fault });
        self.changes += 1;
    }

    /// Whether a node is left out of the picture, because all retries failed or its error is permanent.
    pub fn has_failed(&self, node: TileId) -> bool {
        self.failures.get(&node).is_some_and(Failure::is_final)
    }

    /// Whether a node may be requested now.
    pub fn may_request(&self, node: TileId, now_s: f64) -> bool {
        self.cache.get(node).is_none()
            && self.failures.get(&node).is_none_or(|failure| failure.is_temporary() && now_s >= failure.retry_at_s)
    }

    /// Nodes that are left out of the picture with their last error, in the order of the scans and their trees.
    pub fn failed_tiles(&self) -> Vec<(TileId, &Fault)> {
        let mut failed: Vec<_> =
            self.failures.iter().filter(|(_, failure)| failure.is_final()).map(|(node, failure)| (*node, &failure.fault)).collect();
        failed.sort_by_key(|(node, _)| *node);
        failed
    }

    /// Nodes that are left out of the picture and still retried at long intervals, because their error may be temporary.
    pub fn tiles_to_retry(&self) -> Vec<TileId> {
        let mut to_retry: Vec<_> =
            self.failures.iter().filter(|(_, failure)| failure.is_final() && failure.is_temporary()).map(|(node, _)| *node).collect();
        to_retry.sort();
        to_retry
    }

    /// Forgets all failures, so that the tiles are requested again at once.
    pub fn retry_failed(&mut self) {
        self.failures.clear();
        self.changes += 1;
    }

    /// Uploads a decoded tile to the graphics card if `budget_bytes` is positive, and subtracts its size. So the first tile of
    /// a frame is always uploaded, however large it is.
    pub fn upload(&mut self, node: TileId, device: &RenderDevice, queue: &RenderQueue, budget_bytes: &mut i64) {
        // The cache gives no mutable access, so that the tile is removed and inserted again.
        let Some(tile) = self.cache.get(node) else { return };
        if tile.gpu.is_some() || *budget_bytes <= 0 {
            return;
        }
        *budget_bytes -= tile.upload_bytes as i64;
        if let Some(mut tile) = self.cache.remove(node) {
            tile.gpu = tile.packed.take().map(|packed| Arc::new(upload(device, queue, &packed)));
            let bytes = tile.bytes();
            self.cache.insert(node, tile, bytes);
            self.changes += 1;
        }
    }

    /// Drops the tiles of a scan that is closed.
    pub fn forget(&mut self, scan: ScanId) {
        let tiles: Vec<TileId> = self.cache.iter().map(|(tile, _)| *tile).filter(|tile| tile.scan == scan).collect();
        for tile in tiles {
            self.cache.remove(tile);
        }
        self.attached.retain(|tile| tile.scan != scan);
        self.failures.retain(|tile, _| tile.scan != scan);
        self.changes += 1;
    }

    /// Marks the nodes that the frame uses, then evicts the least recently used tiles above the limit.
    pub fn touch_and_evict(&mut self, touched: &[TileId], limit_bytes: u64) {
        self.count_grids();
        self.cache.set_limit(limit_bytes);
        self.cache.begin_frame();
        for node in touched {
            self.cache.touch(*node);
        }
        self.changes += u64::from(!self.cache.evict().is_empty());
    }

    /// Counts what tiles have grown by since the last frame, because queries have built grids of their points.
    fn count_grids(&mut self) {
        let built = grids_built();
        if built == self.grids_counted {
            return;
        }
        self.grids_counted = built;
        let sizes: Vec<(TileId, u64)> = self.cache.iter().map(|(node, tile)| (*node, tile.bytes())).collect();
        for (node, bytes) in sizes {
            self.cache.set_bytes(node, bytes);
        }
    }

    /// A tile in memory.
    pub fn get(&self, node: TileId) -> Option<&ResidentTile> {
        self.cache.get(node)
    }

    /// Every tile in memory.
    pub fn iter(&self) -> impl Iterator<Item = (&TileId, &ResidentTile)> {
        self.cache.iter()
    }

    /// Number of tiles inserted so far. A search that found nothing is worth repeating when it has changed.
    pub fn insertions(&self) -> u64 {
        self.insertions
    }

    /// Changes whenever the state of any node may have changed.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Size of all tiles in main memory and on the graphics card. Bytes.
    pub fn bytes(&self) -> u64 {
        self.cache.bytes()
    }
}

#[cfg(test)]
mod tests {
    use bevy::math::DVec2;
    use parterre_lod::Tree;
    use parterre_tile::glb;

    use super::*;

    const ROOT: TileId = TileId { scan: ScanId(1), node: Tree::ROOT };

    fn fault() -> Fault {
        Fault::storage("unreachable", "no answer", "wait")
    }

    #[test]
    fn a_tile_is_requested_four_times_at_growing_intervals_and_then_left_out() {
        let mut residency = Residency::new(1 << 20);
        let node = ROOT;
        let mut now_s = 0.0;
        for pause_s in [0.5, 1.0, 2.0] {
            assert!(residency.may_request(node, now_s));
            residency.record_failure(node, fault(), now_s);
            assert!(!residency.may_request(node, now_s + pause_s * 0.9), "the retry waits {pause_s} s");
            assert_eq!(residency.state(node), lod::Residency::Absent);
            now_s += pause_s;
        }
        assert!(residency.may_request(node, now_s));
        residency.record_failure(node, fault(), now_s);
        assert_eq!(residency.state(node), lod::Residency::Failed);
        assert_eq!(residency.failed_tiles(), [(node, &fault())]);
        assert!(!residency.may_request(node, now_s + 3.9));
        for _ in 0..20 {
            assert!(residency.may_request(node, now_s + 30.0), "an outage may end");
            now_s += 30.0;
            residency.record_failure(node, fault(), now_s);
            assert_eq!((residency.tiles_to_retry(), residency.failed_tiles().len()), (vec![node], 1), "it is listed as failed meanwhile");
        }
        residency.retry_failed();
        assert!(residency.may_request(node, now_s));
    }

    #[test]
    fn a_damaged_tile_is_not_requested_again() {
        let mut residency = Residency::new(1 << 20);
        residency.record_failure(ROOT, Fault::input("tile_corrupt", "no tile", "tile again"), 0.0);
        assert_eq!(residency.state(ROOT), lod::Residency::Failed);
        assert!(!residency.may_request(ROOT, 1e6) && residency.tiles_to_retry().is_empty());
    }

    #[test]
    fn a_tile_on_which_every_decoder_hangs_is_given_up() {
        let mut residency = Residency::new(1 << 20);
        for attempt in 1..=4 {
            assert!(residency.may_request(ROOT, 1e6), "attempt {attempt}");
            residency.record_failure(ROOT, Fault::storage("tile_decoder_slow", "not decoded within 30 s", "Try again."), 0.0);
        }
        assert_eq!(residency.state(ROOT), lod::Residency::Failed);
        assert!(!residency.may_request(ROOT, 1e6) && residency.tiles_to_retry().is_empty());
        residency.retry_failed();
        assert!(residency.may_request(ROOT, 0.0), "the user wants it again");
    }

    #[test]
    fn grids_built_around_the_eye_count_towards_the_limit() {
        let part = glb::Part {
            vertices: (0..1000).map(|at| glb::Vertex { position: [at, at, 0], ..Default::default() }).collect(),
            ..Default::default()
        };
        // Just enough room without a grid.
        let limit = 1000 * (16 + 8);
        let mut residency = Residency::new(limit);
        residency.insert(ROOT, PackedTile::new(vec![part]));
        residency.touch_and_evict(&[], limit);
        assert_eq!(residency.bytes(), limit);
        let tile = residency.get(ROOT).expect("a tile");
        tile.points.heights(DVec2::splat(0.5), 0.1, &mut Vec::new());
        residency.touch_and_evict(&[ROOT], limit);
        assert!(residency.bytes() > limit + 1000 * 8, "{}", residency.bytes());
        residency.touch_and_evict(&[], limit);
        assert_eq!(residency.bytes(), 0, "it leaves once no frame uses it");
    }

    #[test]
    fn success_after_a_failure_clears_it() {
        let mut residency = Residency::new(1 << 20);
        residency.record_failure(ROOT, fault(), 0.0);
        residency.insert(ROOT, PackedTile::new(vec![glb::Part { vertices: vec![glb::Vertex::default(); 3], ..Default::default() }]));
        assert!(!residency.may_request(ROOT, 9.0), "it is in memory");
        assert_eq!(residency.state(ROOT), lod::Residency::Absent, "not drawn before it is uploaded");
        assert_eq!(residency.bytes(), 3 * (16 + 8));
        assert!(residency.failed_tiles().is_empty());
    }

    #[test]
    fn a_closed_scan_leaves_nothing_behind() {
        let mut residency = Residency::new(1 << 20);
        let other = TileId { scan: ScanId(2), ..ROOT };
        let tile = || PackedTile::new(vec![glb::Part { vertices: vec![glb::Vertex::default(); 3], ..Default::default() }]);
        residency.insert(ROOT, tile());
        residency.insert(other, tile());
        residency.record_failure(TileId { scan: ScanId(1), ..other }, fault(), 0.0);
        residency.forget(ScanId(1));
        assert!(residency.get(ROOT).is_none() && residency.get(other).is_some() && residency.failed_tiles().is_empty());
        assert_eq!(residency.bytes(), 3 * (16 + 8));
    }
}
