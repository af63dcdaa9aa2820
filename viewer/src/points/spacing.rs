//! How far apart points lie where a tile is drawn, so that points are as large as the gaps between them.
//!
//! The tree is additive: a tile's points lie among those of the drawn tiles below it, and must be as small as they are,
//! or they would stand out as blobs. A tile hands its points the finest spacing drawn in their octant. The split planes
//! of the octants are read off the children's boxes, since boxes are tight and do not tell the octree's cells.

use std::collections::{HashMap, HashSet};

use bevy::math::DVec3;
use parterre_scans::lod::{Content, NodeId, Tree};
use parterre_scans::points::Bounds;

/// Nothing is drawn as if it were closer together than this. Metres.
const FINEST_M: f64 = 0.002;
/// Boxes are on whole millimetres; half of one forgives rounding.
const EPSILON_M: f64 = 0.0005;

/// The spacings in a tile's eight octants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TileSpacing {
    /// Where the octants meet, tile frame, metres.
    pub split_m: DVec3,
    /// Metres; index bit 0 is the upper half in x, bit 1 in y, bit 2 in z.
    pub octants_m: [f32; 8],
}

/// The spacings of everything that a frame draws.
pub struct Spacings {
    tiles: HashMap<NodeId, TileSpacing>,
}

impl Spacings {
    /// Computes the spacings for the tiles `drawn`.
    pub fn of(tree: &Tree, drawn: &[NodeId]) -> Self {
        let drawn_set: HashSet<NodeId> = drawn.iter().copied().collect();
        let mut by_level: Vec<NodeId> = drawn.to_vec();
        // The deepest first, so that children are known before their parents.
        by_level.sort_by_key(|node| (std::cmp::Reverse(tree.node(*node).level), *node));
        let mut finest: HashMap<NodeId, f64> = HashMap::with_capacity(drawn.len());
        let mut tiles = HashMap::with_capacity(drawn.len());
        for node in by_level {
            let own_m = own_spacing_m(tree, node);
            let children: Vec<(Bounds, Option<f64>)> =
                tree.node(node).children.iter().flat_map(|child| through_links(tree, *child)).map(|child| {
                    (tree.node(child).bounds, drawn_set.contains(&child).then(|| finest.get(&child).copied()).flatten())
                }).collect();
            let split_m = split(&tree.node(node).bounds, children.iter().map(|(bounds, _)| bounds));
            let mut octants = [own_m; 8];
            for (bounds, spacing_m) in &children {
                if let Some(spacing_m) = spacing_m {
                    let octant = &mut octants[octant(bounds.center(), split_m)];
                    *octant = octant.min(*spacing_m);
                }
            }
            finest.insert(node, octants.iter().copied().fold(own_m, f64::min));
            tiles.insert(node, TileSpacing { split_m, octants_m: octants.map(|spacing| spacing as f32) });
        }
        Self { tiles }
    }

    /// The spacings of a drawn tile.
    pub fn tile(&self, node: NodeId) -> TileSpacing {
        self.tiles.get(&node).copied().unwrap_or(TileSpacing { split_m: DVec3::ZERO, octants_m: [0.05; 8] })
    }
}

/// Links to external tilesets have no points of their own; what they lead to stands in for them.
fn through_links(tree: &Tree, node: NodeId) -> Vec<NodeId> {
    match tree.node(node).content {
        Content::Subtree(_) => tree.node(node).children.clone(),
        _ => vec![node],
    }
}

/// The distance between a tile's own points. A leaf leaves nothing out, so its geometric error says nothing; half of
/// its parent's is what one more level of the octree gives.
fn own_spacing_m(tree: &Tree, node: NodeId) -> f64 {
    let mut at = node;
    let mut halvings = 0;
    loop {
        let tile = tree.node(at);
        let is_link = matches!(tile.content, Content::Subtree(_));
        if tile.geometric_error_m > 0.0 && !is_link {
            return (tile.geometric_error_m * 0.5f64.powi(halvings)).max(FINEST_M);
        }
        match tile.parent {
            Some(parent) => {
                at = parent;
                if !is_link {
                    halvings += 1;
                }
            }
            None => return alone_m(&tile.bounds, tile.points),
        }
    }
}

/// The spacing of a scan of one tile: its points spread over its box's largest face.
fn alone_m(bounds: &Bounds, points: u32) -> f64 {
    let size = bounds.size();
    let face = (size.x * size.y).max(size.y * size.z).max(size.z * size.x);
    (face / f64::from(points.max(1))).sqrt().clamp(FINEST_M, 1.0)
}

fn octant(point: DVec3, split_m: DVec3) -> usize {
    usize::from(point.x > split_m.x) | usize::from(point.y > split_m.y) << 1 | usize::from(point.z > split_m.z) << 2
}

/// A point whose three planes part the children's boxes; the nearest to the middle where there are several.
fn split<'a>(bounds: &Bounds, children: impl Iterator<Item = &'a Bounds>) -> DVec3 {
    let children: Vec<&Bounds> = children.collect();
    let center = bounds.center();
    let axis = |axis: usize| {
        let parts = |at: f64| children.iter().all(|child| child.max[axis] <= at + EPSILON_M || child.min[axis] >= at - EPSILON_M);
        children
            .iter()
            .flat_map(|child| [child.min[axis], child.max[axis]])
            .chain([center[axis]])
            .filter(|at| parts(*at))
            .min_by(|a, b| (a - center[axis]).abs().total_cmp(&(b - center[axis]).abs()))
            .unwrap_or(center[axis])
    };
    DVec3::new(axis(0), axis(1), axis(2))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tile(center: [f64; 3], half: f64, error: f64, children: Vec<Value>) -> Value {
        let [x, y, z] = center;
        json!({
            "boundingVolume": {"box": [x, y, z, half, 0, 0, 0, half, 0, 0, 0, half]}, "geometricError": error,
            "content": {"uri": "a.glb"}, "extras": {"points": 100}, "children": children,
        })
    }

    fn tree(root: Value) -> Tree {
        let tileset = serde_json::from_value(json!({
            "asset": {"version": "1.1", "extras": {"parterre": {
                "format_version": 1, "points": 1, "bounds": [0, 0, 0, 1, 1, 1],
                "frame": {"origin_m": [0.0, 0.0, 0.0], "unit": "metre", "unit_source": "file", "crs": null},
                "attributes": {"color": true, "intensity": false, "classification": false, "returns": false, "gps_time": false},
            }}},
            "geometricError": 8.0, "root": root,
        }))
        .expect("the test's own document");
        Tree::from_tileset(&tileset, "").expect("the test's own tileset")
    }

    #[test]
    fn points_are_as_small_as_the_finest_drawn_in_their_octant() {
        // Children in the lower and the upper corner; only the upper one is drawn, with a leaf below it.
        let leaf = tile([3.5, 3.5, 3.5], 0.5, 0.0, vec![]);
        let root = tile(
            [2.0, 2.0, 2.0], 2.0, 0.4,
            vec![tile([1.0, 1.0, 1.0], 1.0, 0.2, vec![]), tile([3.0, 3.0, 3.0], 1.0, 0.2, vec![leaf])],
        );
        let tree = tree(root);
        let upper = tree.node(Tree::ROOT).children[1];
        let leaf = tree.node(upper).children[0];
        let spacings = Spacings::of(&tree, &[Tree::ROOT, upper, leaf]);
        let root = spacings.tile(Tree::ROOT);
        assert_eq!(root.split_m, DVec3::splat(2.0));
        assert_eq!(root.octants_m, [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.1]);
        assert_eq!(spacings.tile(upper).octants_m[7], 0.1);
        assert_eq!(spacings.tile(upper).octants_m[0], 0.2);
        assert_eq!(spacings.tile(leaf).octants_m, [0.1; 8]);
    }

    #[test]
    fn the_split_is_found_where_boxes_are_tight() {
        let bounds = Bounds { min: DVec3::ZERO, max: DVec3::new(8.0, 8.0, 2.0) };
        // The cell's middle is x = 5, not the tight box's 4.
        let low = Bounds { min: DVec3::ZERO, max: DVec3::new(5.0, 8.0, 2.0) };
        let high = Bounds { min: DVec3::new(5.2, 1.0, 0.0), max: DVec3::new(8.0, 8.0, 2.0) };
        assert_eq!(split(&bounds, [&low, &high].into_iter()).x, 5.0);
    }

    #[test]
    fn a_scan_of_one_tile_spreads_its_points_over_its_largest_face() {
        let tree = tree(tile([5.0, 5.0, 5.0], 5.0, 0.0, vec![]));
        let spacing = Spacings::of(&tree, &[Tree::ROOT]).tile(Tree::ROOT);
        assert_eq!(spacing.octants_m, [1.0; 8]);
    }
}
