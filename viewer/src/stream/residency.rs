//! What is in memory and on the graphics card, what failed, and when to try again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bevy::render::renderer::RenderDevice;
use parterre_lod as lod;
use parterre_lod::NodeId;
use parterre_lod::cache::Cache;
use parterre_tile::glb;

use crate::fault::{Fault, FaultKind};
use crate::points::upload::{GpuTile, upload};
use crate::walk::columns::TilePoints;

/// Tries beside the first before a tile is given up.
const RETRIES: u32 = 3;
/// Seconds until the first retry; each further one waits twice as long.
const BACK_OFF_S: f64 = 0.5;
/// And at most so long. Seconds.
const BACK_OFF_MAX_S: f64 = 30.0;

/// A tile in memory.
pub struct Slot {
    /// Its points on the processor's side: for the floor under a walker and for picking.
    pub points: Arc<TilePoints>,
    /// Its points on the graphics card, once uploaded.
    pub gpu: Option<Arc<GpuTile>>,
    /// Colour attributes until they are uploaded.
    extras: Vec<Vec<glb::Extra>>,
    upload_bytes: u64,
}

struct Failure {
    tries: u32,
    retry_at_s: f64,
    fault: Fault,
}

impl Failure {
    /// What is not there or cannot be read will not be there later either; networks and services come back.
    fn may_pass(&self) -> bool {
        self.fault.kind == FaultKind::Storage
    }

    fn is_given_up(&self) -> bool {
        self.tries > RETRIES || !self.may_pass()
    }
}

/// The tiles of one scan that are in memory.
pub struct Residency {
    cache: Cache<NodeId, Slot>,
    attached: HashSet<NodeId>,
    failures: HashMap<NodeId, Failure>,
    changes: u64,
}

impl Residency {
    /// Nothing yet; at most about `limit_bytes` later.
    pub fn new(limit_bytes: u64) -> Self {
        Self { cache: Cache::new(limit_bytes), attached: HashSet::new(), failures: HashMap::new(), changes: 0 }
    }

    /// What `lod::select` asks about a node.
    pub fn state(&self, node: NodeId) -> lod::Residency {
        if self.is_given_up(node) {
            lod::Residency::Failed
        } else if self.attached.contains(&node) || self.cache.get(node).is_some_and(|slot| slot.gpu.is_some()) {
            lod::Residency::Ready
        } else {
            lod::Residency::Absent
        }
    }

    /// Keeps a tile's points, whose median spacing is `spacing_m`; they can be drawn once uploaded.
    pub fn insert(&mut self, node: NodeId, parts: Vec<glb::Part>, spacing_m: f32) {
        self.failures.remove(&node);
        self.changes += 1;
        let points: usize = parts.iter().map(|part| part.vertices.len()).sum();
        let extra_points: usize = parts.iter().map(|part| part.extras.len()).sum();
        let vertex_bytes = points * size_of::<glb::Vertex>();
        let upload_bytes = (vertex_bytes + extra_points * size_of::<glb::Extra>()) as u64;
        let (points, extras) = TilePoints::new(parts, spacing_m);
        // On both sides, since both must fit.
        let bytes = vertex_bytes as u64 + upload_bytes;
        self.cache.insert(node, Slot { points: Arc::new(points), gpu: None, extras, upload_bytes }, bytes);
    }

    /// Remembers that a subtree is part of the tree now.
    pub fn attach(&mut self, node: NodeId) {
        self.failures.remove(&node);
        self.attached.insert(node);
    }

    /// Remembers a failed try.
    pub fn fail(&mut self, node: NodeId, fault: Fault, now_s: f64) {
        let tries = self.failures.get(&node).map_or(0, |failure| failure.tries) + 1;
        let retry_at_s = now_s + (BACK_OFF_S * f64::from(1u32 << (tries - 1).min(10))).min(BACK_OFF_MAX_S);
        self.failures.insert(node, Failure { tries, retry_at_s, fault });
    }

    /// Whether a node failed so often, or for good, that the rest is drawn without it.
    pub fn is_given_up(&self, node: NodeId) -> bool {
        self.failures.get(&node).is_some_and(Failure::is_given_up)
    }

    /// Whether a node may be asked for now.
    pub fn may_ask(&self, node: NodeId, now_s: f64) -> bool {
        self.cache.get(node).is_none() && self.failures.get(&node).is_none_or(|failure| failure.may_pass() && now_s >= failure.retry_at_s)
    }

    /// Nodes that were given up, in the tree's order.
    pub fn given_up(&self) -> Vec<(NodeId, &Fault)> {
        let mut given_up: Vec<_> =
            self.failures.iter().filter(|(_, failure)| failure.is_given_up()).map(|(node, failure)| (*node, &failure.fault)).collect();
        given_up.sort_by_key(|(node, _)| *node);
        given_up
    }

    /// Nodes that were given up and are tried again all the same, slowly.
    pub fn hopeful(&self) -> Vec<NodeId> {
        let mut hopeful: Vec<_> =
            self.failures.iter().filter(|(_, failure)| failure.is_given_up() && failure.may_pass()).map(|(node, _)| *node).collect();
        hopeful.sort();
        hopeful
    }

    /// Forgets all failures, so that everything is asked for again.
    pub fn forgive(&mut self) {
        self.failures.clear();
    }

    /// Uploads a decoded tile if `budget_bytes` still allows, and takes its bytes off. The first of a frame always goes.
    pub fn upload(&mut self, node: NodeId, device: &RenderDevice, budget_bytes: &mut i64) {
        // The cache gives no mutable access: a slot is taken out and put back.
        let Some(slot) = self.cache.get(node) else { return };
        if slot.gpu.is_some() || *budget_bytes <= 0 {
            return;
        }
        *budget_bytes -= slot.upload_bytes as i64;
        if let Some(mut slot) = self.cache.remove(node) {
            slot.gpu = Some(Arc::new(upload(device, &slot.points, &slot.extras)));
            slot.extras = Vec::new();
            let bytes = slot.upload_bytes + slot.points.bytes();
            self.cache.insert(node, slot, bytes);
        }
    }

    /// Begins a frame with its touched nodes, then drops what was not used for longest.
    pub fn keep(&mut self, touched: &[NodeId], limit_bytes: u64) {
        self.cache.set_limit(limit_bytes);
        self.cache.begin_frame();
        for node in touched {
            self.cache.touch(*node);
        }
        self.cache.evict();
    }

    /// A tile in memory.
    pub fn get(&self, node: NodeId) -> Option<&Slot> {
        self.cache.get(node)
    }

    /// Every tile in memory.
    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &Slot)> {
        self.cache.iter()
    }

    /// How often tiles came so far: what was looked for in vain is worth another look when it changes.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Bytes held on both sides.
    pub fn bytes(&self) -> u64 {
        self.cache.bytes()
    }
}

#[cfg(test)]
mod tests {
    use parterre_lod::Tree;

    use super::*;

    fn fault() -> Fault {
        Fault::storage("unreachable", "no answer", "wait")
    }

    #[test]
    fn a_tile_is_tried_four_times_with_growing_pauses_and_then_given_up() {
        let mut residency = Residency::new(1 << 20);
        let node = Tree::ROOT;
        let mut now_s = 0.0;
        for pause_s in [0.5, 1.0, 2.0] {
            assert!(residency.may_ask(node, now_s));
            residency.fail(node, fault(), now_s);
            assert!(!residency.may_ask(node, now_s + pause_s * 0.9), "waits {pause_s} s");
            assert_eq!(residency.state(node), lod::Residency::Absent);
            now_s += pause_s;
        }
        assert!(residency.may_ask(node, now_s));
        residency.fail(node, fault(), now_s);
        assert_eq!(residency.state(node), lod::Residency::Failed);
        assert_eq!(residency.given_up(), [(node, &fault())]);
        assert!(!residency.may_ask(node, now_s + 3.9));
        for _ in 0..20 {
            assert!(residency.may_ask(node, now_s + 30.0), "an outage passes");
            now_s += 30.0;
            residency.fail(node, fault(), now_s);
            assert_eq!((residency.hopeful(), residency.given_up().len()), (vec![node], 1), "named meanwhile");
        }
        residency.forgive();
        assert!(residency.may_ask(node, now_s));
    }

    #[test]
    fn what_is_broken_is_not_asked_for_again() {
        let mut residency = Residency::new(1 << 20);
        residency.fail(Tree::ROOT, Fault::input("tile_corrupt", "no tile", "tile again"), 0.0);
        assert_eq!(residency.state(Tree::ROOT), lod::Residency::Failed);
        assert!(!residency.may_ask(Tree::ROOT, 1e6) && residency.hopeful().is_empty());
    }

    #[test]
    fn success_after_a_failure_clears_it() {
        let mut residency = Residency::new(1 << 20);
        residency.fail(Tree::ROOT, fault(), 0.0);
        residency.insert(Tree::ROOT, vec![glb::Part { vertices: vec![glb::Vertex::default(); 3], ..Default::default() }], 0.1);
        assert!(!residency.may_ask(Tree::ROOT, 9.0), "it is here");
        assert_eq!(residency.state(Tree::ROOT), lod::Residency::Absent, "not drawn before it is uploaded");
        assert_eq!(residency.bytes(), 72);
        assert!(residency.given_up().is_empty());
    }
}
