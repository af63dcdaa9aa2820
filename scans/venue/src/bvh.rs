//! Finding the first solid that a ray meets: a bounding volume hierarchy, split by the surface area heuristic in bins.

use glam::Vec3A;

use super::solid::{Solid, TracedSolid};

const BINS: usize = 12;
const LEAF: usize = 3;
/// Deeper than any tree over fewer than 2^32 solids that halves now and then; traversal falls back to nothing beyond it.
const STACK: usize = 96;

/// What a ray met first.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Distance from the ray's origin, in units of the direction's length.
    pub distance: f32,
    /// Index of the solid in its scene.
    pub solid: u32,
    /// Outward unit normal of the face met.
    pub normal: Vec3A,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    min: Vec3A,
    max: Vec3A,
    /// First child for an inner node (the second follows it), first entry of `order` for a leaf.
    first: u32,
    /// 0 for an inner node.
    count: u32,
}

/// The hierarchy, with the solids as rays see them.
#[derive(Debug)]
pub(super) struct Bvh {
    nodes: Vec<Node>,
    order: Vec<u32>,
    solids: Vec<TracedSolid>,
}

#[derive(Clone, Copy)]
struct Item {
    min: Vec3A,
    max: Vec3A,
    center: Vec3A,
    solid: u32,
}

impl Bvh {
    pub(super) fn new(solids: &[Solid]) -> Self {
        let mut items: Vec<Item> = solids
            .iter()
            .enumerate()
            .map(|(i, solid)| {
                let bounds = solid.bounds();
                // Outward by more than f32 rounds, so that no ray slips past a box on its border.
                let (min, max) = (bounds.min.as_vec3a() - 1e-4, bounds.max.as_vec3a() + 1e-4);
                Item { min, max, center: (min + max) * 0.5, solid: i as u32 }
            })
            .collect();
        let empty = Node { min: Vec3A::ZERO, max: Vec3A::ZERO, first: 0, count: 0 };
        let mut nodes = vec![empty];
        let mut work = vec![(0_usize, 0_usize, items.len(), 0_usize)];
        while let Some((node, start, end, depth)) = work.pop() {
            let (min, max) = around(&items[start..end]);
            nodes[node] = Node { min, max, first: start as u32, count: (end - start) as u32 };
            if end - start <= LEAF || depth + 2 >= STACK {
                continue;
            }
            let middle = start + split(&mut items[start..end]);
            let first = nodes.len();
            nodes[node].first = first as u32;
            nodes[node].count = 0;
            nodes.extend([empty, empty]);
            work.push((first, start, middle, depth + 1));
            work.push((first + 1, middle, end, depth + 1));
        }
        Self { nodes, order: items.iter().map(|item| item.solid).collect(), solids: solids.iter().map(Solid::traced).collect() }
    }

    /// The first solid entered within `limit`.
    pub(super) fn first_hit(&self, origin: Vec3A, direction: Vec3A, limit: f32) -> Option<Hit> {
        if self.order.is_empty() {
            return None;
        }
        let inverse = direction.recip();
        let mut stack = [0_u32; STACK];
        let mut height = 1;
        let mut best = limit;
        let mut found = None;
        while height > 0 {
            height -= 1;
            let node = &self.nodes[stack[height] as usize];
            if node.count > 0 {
                for &solid in &self.order[node.first as usize..(node.first + node.count) as usize] {
                    if let Some(distance) = self.solids[solid as usize].enter(origin, direction, best) {
                        best = distance;
                        found = Some(solid);
                    }
                }
                continue;
            }
            let children = [node.first, node.first + 1];
            let reach = children.map(|child| reach(&self.nodes[child as usize], origin, inverse, best));
            // The nearer child is looked at first: it often ends the search in the other.
            let (near, far) = if reach[0] <= reach[1] { (0, 1) } else { (1, 0) };
            for child in [far, near] {
                if reach[child] < best && height < STACK {
                    stack[height] = children[child];
                    height += 1;
                }
            }
        }
        found.map(|solid| Hit { distance: best, solid, normal: self.solids[solid as usize].normal(origin, direction) })
    }
}

#[inline]
fn reach(node: &Node, origin: Vec3A, inverse: Vec3A, limit: f32) -> f32 {
    let t0 = (node.min - origin) * inverse;
    let t1 = (node.max - origin) * inverse;
    let near = t0.min(t1).max_element().max(0.0);
    let far = t0.max(t1).min_element().min(limit);
    if near <= far { near } else { f32::INFINITY }
}

fn around(items: &[Item]) -> (Vec3A, Vec3A) {
    items.iter().fold((Vec3A::INFINITY, Vec3A::NEG_INFINITY), |(min, max), item| (min.min(item.min), max.max(item.max)))
}

fn half_area(min: Vec3A, max: Vec3A) -> f32 {
    let d = (max - min).max(Vec3A::ZERO);
    d.x * d.y + d.y * d.z + d.z * d.x
}

/// Orders the items in two groups and returns the size of the first, never 0 nor all of them.
fn split(items: &mut [Item]) -> usize {
    let low = items.iter().fold(Vec3A::INFINITY, |m, item| m.min(item.center));
    let high = items.iter().fold(Vec3A::NEG_INFINITY, |m, item| m.max(item.center));
    let mut best = (f32::INFINITY, 0, 0.0_f32);
    for axis in 0..3 {
        let width = (high - low)[axis];
        if width <= 1e-6 {
            continue;
        }
        let mut bins = [(Vec3A::INFINITY, Vec3A::NEG_INFINITY, 0_usize); BINS];
        for item in items.iter() {
            let bin = &mut bins[bin_of(item.center[axis], low[axis], width)];
            *bin = (bin.0.min(item.min), bin.1.max(item.max), bin.2 + 1);
        }
        for cut in 1..BINS {
            let side = |part: &[(Vec3A, Vec3A, usize)]| {
                let (min, max, n) =
                    part.iter().fold((Vec3A::INFINITY, Vec3A::NEG_INFINITY, 0), |a, b| (a.0.min(b.0), a.1.max(b.1), a.2 + b.2));
                if n == 0 { None } else { Some(half_area(min, max) * n as f32) }
            };
            if let (Some(a), Some(b)) = (side(&bins[..cut]), side(&bins[cut..]))
                && a + b < best.0
            {
                best = (a + b, axis, low[axis] + width * cut as f32 / BINS as f32);
            }
        }
    }
    let (cost, axis, _) = best;
    if cost.is_finite() {
        let (low, width) = (low[axis], (high - low)[axis]);
        let cut = ((best.2 - low) / width * BINS as f32).round() as usize;
        let mut first = 0;
        for i in 0..items.len() {
            if bin_of(items[i].center[axis], low, width) < cut {
                items.swap(i, first);
                first += 1;
            }
        }
        if first > 0 && first < items.len() {
            return first;
        }
    }
    items.len() / 2
}

fn bin_of(value: f32, low: f32, width: f32) -> usize {
    (((value - low) / width * BINS as f32) as usize).min(BINS - 1)
}
