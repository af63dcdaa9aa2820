//! How far apart points lie where a tile is drawn, so that points are as large as the gaps between them.
//!
//! Every point knows the spacing of its own tile's points around it ([`super::density`]). But the tree is additive: a
//! tile's points lie among those of the drawn tiles below it, and must be as small as they are, or they would stand out
//! as blobs. So a tile also hands its points the spacing of what is drawn below it in their octant; a point takes the
//! smaller.
//!
//! The split planes of the octants are read off the children's boxes: boxes are tight and do not tell the octree's cells.

use std::collections::HashMap;

use bevy::math::DVec3;
use parterre_lod::{Content, NodeId, Tree};
use parterre_model::points::Bounds;

/// Nothing is drawn as if it were closer together than this. Metres.
const FINEST_M: f64 = 0.002;
/// Points are drawn as if their spacing were at most this many times their tile's grid: on thin things, where few points
/// lie around one, the measured spacing is too large.
const LARGEST: f64 = 1.15;
/// Where nothing is drawn below. Metres.
const NOTHING_BELOW_M: f32 = 1e6;
/// Boxes are on whole millimetres; half of one forgives rounding.
const EPSILON_M: f64 = 0.0005;

/// The spacings in a tile's eight octants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TileSpacing {
    /// Where the octants meet, tile frame, metres.
    pub split_m: DVec3,
    /// Spacing of what is drawn below, metres; index bit 0 is the upper half in x, bit 1 in y, bit 2 in z.
    pub below_m: [f32; 8],
    /// The largest spacing. Metres.
    pub largest_m: f32,
}

/// The spacings of everything that a frame draws.
pub struct Spacings {
    tiles: HashMap<NodeId, TileSpacing>,
}

impl Spacings {
    /// Computes the spacings for the tiles `drawn`; `median_m` tells the median of a drawn tile's own points.
    pub fn of(tree: &Tree, drawn: &[NodeId], median_m: &dyn Fn(NodeId) -> f64) -> Self {
        let mut by_level: Vec<NodeId> = drawn.to_vec();
        // The deepest first, so that children are known before their parents.
        by_level.sort_by_key(|node| (std::cmp::Reverse(tree.node(*node).level), *node));
        let mut typical: HashMap<NodeId, f64> = HashMap::with_capacity(drawn.len());
        let mut tiles = HashMap::with_capacity(drawn.len());
        for node in by_level {
            let children: Vec<NodeId> = tree.node(node).children.iter().flat_map(|child| through_links(tree, *child)).collect();
            let split_m = split(&tree.node(node).bounds, children.iter().map(|child| &tree.node(*child).bounds));
            let mut below = [f64::INFINITY; 8];
            for child in &children {
                if let Some(spacing_m) = typical.get(child) {
                    let octant = &mut below[octant(tree.node(*child).bounds.center(), split_m)];
                    *octant = octant.min(*spacing_m);
                }
            }
            let grid_m = grid_m(tree, node);
            // The mean of the octants, not the finest: a dense corner would thin out the rest.
            let own_m = median_m(node).clamp(FINEST_M, grid_m * LARGEST);
            let mean_log = below.iter().map(|below_m| own_m.min(*below_m).ln()).sum::<f64>() / 8.0;
            typical.insert(node, mean_log.exp());
            let below_m = below.map(|spacing_m| (spacing_m as f32).min(NOTHING_BELOW_M));
            tiles.insert(node, TileSpacing { split_m, below_m, largest_m: (grid_m * LARGEST) as f32 });
        }
        Self { tiles }
    }

    /// The spacings of a drawn tile.
    pub fn tile(&self, node: NodeId) -> TileSpacing {
        self.tiles.get(&node).copied().unwrap_or(TileSpacing { split_m: DVec3::ZERO, below_m: [NOTHING_BELOW_M; 8], largest_m: 1.0 })
    }
}

/// Links to external tilesets have no points of their own; what they lead to stands in for them.
fn through_links(tree: &Tree, node: NodeId) -> Vec<NodeId> {
    match tree.node(node).content {
        Content::Subtree(_) => tree.node(node).children.clone(),
        _ => vec![node],
    }
}

/// The edge of the grid that a tile's points were taken from: one point a cell. A leaf has all that is left, and its
/// parent's grid bounds it.
fn grid_m(tree: &Tree, node: NodeId) -> f64 {
    let mut at = node;
    loop {
        let tile = tree.node(at);
        if tile.geometric_error_m > 0.0 && !matches!(tile.content, Content::Subtree(_)) {
            return tile.geometric_error_m.max(FINEST_M);
        }
        match tile.parent {
            Some(parent) => at = parent,
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
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
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
        let root =
            tile([2.0, 2.0, 2.0], 2.0, 0.4, vec![tile([1.0, 1.0, 1.0], 1.0, 0.2, vec![]), tile([3.0, 3.0, 3.0], 1.0, 0.2, vec![leaf])]);
        let tree = tree(root);
        let upper = tree.node(Tree::ROOT).children[1];
        let leaf = tree.node(upper).children[0];
        let median_m = |node: NodeId| if node == leaf { 0.03 } else { tree.node(node).geometric_error_m };
        let spacings = Spacings::of(&tree, &[Tree::ROOT, upper, leaf], &median_m);
        let root = spacings.tile(Tree::ROOT);
        assert_eq!(root.split_m, DVec3::splat(2.0));
        let nothing = NOTHING_BELOW_M;
        assert_eq!(root.below_m[..7], [nothing; 7]);
        // Seven octants of the child at 0.2 and one at 0.03.
        let expected = (0.2f32.powi(7) * 0.03).powf(0.125);
        assert!((root.below_m[7] - expected).abs() < 1e-4);
        assert!((root.largest_m - 0.46).abs() < 1e-6);
        assert!((spacings.tile(upper).below_m[7] - 0.03).abs() < 1e-6);
        assert_eq!(spacings.tile(leaf).below_m, [nothing; 8]);
        assert!((spacings.tile(leaf).largest_m - 0.23).abs() < 1e-6, "bounded by its parent's grid");
        let without_leaf = Spacings::of(&tree, &[Tree::ROOT, upper], &median_m);
        assert!((without_leaf.tile(Tree::ROOT).below_m[7] - 0.2).abs() < 1e-6);
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
        let spacing = Spacings::of(&tree, &[Tree::ROOT], &|_| 1.0).tile(Tree::ROOT);
        assert!((spacing.largest_m - 1.15).abs() < 1e-6);
    }
}
