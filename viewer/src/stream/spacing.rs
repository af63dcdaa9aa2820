//! The spacing of the points drawn in each octant of a tile, so that points are as large as the gaps between them.
//!
//! Refinement is additive: a tile's points are drawn together with those of its descendants, and must be as small as these, or they would
//! cover them. So each tile also gets the spacing of its drawn descendants in each octant. A point that has the spacing of the complete scan is as large as
//! that, or as the points drawn around it are apart, if that is more. A point of an older file has the spacing of its own tile's points around
//! it ([`parterre_decode::density`]), and uses the smaller value. Where only a share of the points is drawn, the renderer makes them larger.
//!
//! The planes between the octants are derived from the children's bounding boxes, which are tight, so that the centre of the
//! tile's own box is not the centre of its octree cell.

use std::collections::HashMap;

use bevy::math::DVec3;
use parterre_lod::{Content, NodeId, Tree};
use parterre_model::points::Bounds;

use crate::render::data::TileSpacing;

/// Smallest spacing used for drawing. Metres.
const FINEST_M: f64 = 0.002;
/// Largest spacing used for drawing, as a multiple of the tile's grid. On thin objects, where a point has few neighbours, the
/// measured spacing is too large.
const LARGEST_FACTOR: f64 = 1.15;
/// Spacing of an octant without drawn descendants: larger than any real one. Metres.
const EMPTY_OCTANT_M: f32 = 1e6;
/// Tolerance when comparing boxes, which are rounded to whole millimetres. Metres.
const EPSILON_M: f64 = 0.0005;

/// What is known of the spacing of a tile's own points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OwnSpacing {
    /// Nothing: the tile is not in memory.
    Unknown,
    /// Each point has that of the complete scan.
    OfScan,
    /// The median of what was measured in the tile, metres.
    Measured(f64),
}

/// The spacings of all tiles that a frame draws.
pub struct Spacings {
    tiles: HashMap<NodeId, TileSpacing>,
}

impl Spacings {
    /// Computes the spacings for the tiles `drawn`; `own` tells what is known of a tile's own points.
    pub fn of(tree: &Tree, drawn: &[NodeId], own: &dyn Fn(NodeId) -> OwnSpacing) -> Self {
        let mut by_level: Vec<NodeId> = drawn.to_vec();
        // The deepest level first, so that children are computed before their parents.
        by_level.sort_by_key(|node| (std::cmp::Reverse(tree.node(*node).level), *node));
        let mut finest_m: HashMap<NodeId, f64> = HashMap::with_capacity(drawn.len());
        let mut tiles = HashMap::with_capacity(drawn.len());
        for node in by_level {
            let children: Vec<NodeId> = tree.node(node).children.iter().flat_map(|child| resolve_link(tree, *child)).collect();
            let split_m = split(&tree.node(node).bounds, children.iter().map(|child| &tree.node(*child).bounds));
            let mut below = [f64::INFINITY; 8];
            for child in &children {
                if let Some(spacing_m) = finest_m.get(child) {
                    let octant = &mut below[octant(tree.node(*child).bounds.center(), split_m)];
                    *octant = octant.min(*spacing_m);
                }
            }
            let grid_m = grid_m(tree, node);
            let own_m = match own(node) {
                OwnSpacing::Measured(median_m) => median_m.clamp(FINEST_M, grid_m * LARGEST_FACTOR),
                // A leaf completes the points of the scan, whose spacing they have.
                OwnSpacing::OfScan if tree.node(node).geometric_error_m <= 0.0 => FINEST_M,
                OwnSpacing::OfScan | OwnSpacing::Unknown => grid_m,
            };
            // The smallest of the octants: where the others are sparser, their own points are large enough to close the surface.
            finest_m.insert(node, below.iter().copied().fold(own_m, f64::min));
            let below_m = below.map(|spacing_m| (spacing_m as f32).min(EMPTY_OCTANT_M));
            tiles.insert(node, TileSpacing { split_m, below_m, own_m: own_m as f32, largest_m: (grid_m * LARGEST_FACTOR) as f32 });
        }
        Self { tiles }
    }

    /// The spacings of a drawn tile.
    pub fn tile(&self, node: NodeId) -> TileSpacing {
        self.tiles.get(&node).copied().unwrap_or(TileSpacing {
            split_m: DVec3::ZERO,
            below_m: [EMPTY_OCTANT_M; 8],
            own_m: 1.0,
            largest_m: 1.0,
        })
    }
}

/// The node itself; for a link to an external tileset, which has no points, the nodes of that tileset.
fn resolve_link(tree: &Tree, node: NodeId) -> Vec<NodeId> {
    match tree.node(node).content {
        Content::Subtree(_) => tree.node(node).children.clone(),
        _ => vec![node],
    }
}

/// The cell size of the grid from which a tile's points were sampled, one point per cell. Metres. A leaf has all remaining
/// points; the grid of its parent is used.
fn grid_m(tree: &Tree, node: NodeId) -> f64 {
    let mut current = node;
    loop {
        let tile = tree.node(current);
        if tile.geometric_error_m > 0.0 && !matches!(tile.content, Content::Subtree(_)) {
            return tile.geometric_error_m.max(FINEST_M);
        }
        match tile.parent {
            Some(parent) => current = parent,
            None => return single_tile_spacing_m(&tile.bounds, tile.points),
        }
    }
}

/// The spacing of a scan that is a single tile, as if its points were spread over the largest face of its box. Metres.
fn single_tile_spacing_m(bounds: &Bounds, points: u32) -> f64 {
    let size = bounds.size();
    let face = (size.x * size.y).max(size.y * size.z).max(size.z * size.x);
    (face / f64::from(points.max(1))).sqrt().clamp(FINEST_M, 1.0)
}

fn octant(point: DVec3, split_m: DVec3) -> usize {
    usize::from(point.x > split_m.x) | usize::from(point.y > split_m.y) << 1 | usize::from(point.z > split_m.z) << 2
}

/// A point whose three axis-parallel planes separate the children's boxes; the nearest to the centre where there are several.
fn split<'a>(bounds: &Bounds, children: impl Iterator<Item = &'a Bounds>) -> DVec3 {
    let children: Vec<&Bounds> = children.collect();
    let center = bounds.center();
    let axis = |axis: usize| {
        let separates = |at: f64| children.iter().all(|child| child.max[axis] <= at + EPSILON_M || child.min[axis] >= at - EPSILON_M);
        children
            .iter()
            .flat_map(|child| [child.min[axis], child.max[axis]])
            .chain([center[axis]])
            .filter(|at| separates(*at))
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
        .expect("a valid document");
        Tree::from_tileset(&tileset, "").expect("a valid tileset")
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
        let median_m = |node: NodeId| OwnSpacing::Measured(if node == leaf { 0.03 } else { tree.node(node).geometric_error_m });
        let spacings = Spacings::of(&tree, &[Tree::ROOT, upper, leaf], &median_m);
        let root = spacings.tile(Tree::ROOT);
        assert_eq!(root.split_m, DVec3::splat(2.0));
        let empty = EMPTY_OCTANT_M;
        assert_eq!(root.below_m[..7], [empty; 7]);
        // The child has 0.2, the tile in it 0.03.
        assert!((root.below_m[7] - 0.03).abs() < 1e-6);
        assert!((root.largest_m - 0.46).abs() < 1e-6);
        assert!((spacings.tile(upper).below_m[7] - 0.03).abs() < 1e-6);
        assert_eq!(spacings.tile(leaf).below_m, [empty; 8]);
        assert!((spacings.tile(leaf).largest_m - 0.23).abs() < 1e-6, "limited by the grid of its parent");
        // A leaf with the scan's own spacing limits nothing; one that is not in memory yet is as dense as its parent's grid.
        let own = |of_leaf: OwnSpacing| move |node: NodeId| if node == leaf { of_leaf } else { OwnSpacing::OfScan };
        let with_leaf = |of_leaf| Spacings::of(&tree, &[Tree::ROOT, upper, leaf], &own(of_leaf)).tile(Tree::ROOT).below_m[7];
        assert!((f64::from(with_leaf(OwnSpacing::OfScan)) - FINEST_M).abs() < 1e-6);
        assert!((with_leaf(OwnSpacing::Unknown) - 0.2).abs() < 1e-6);
        let without_leaf = Spacings::of(&tree, &[Tree::ROOT, upper], &median_m);
        assert!((without_leaf.tile(Tree::ROOT).below_m[7] - 0.2).abs() < 1e-6);
    }

    #[test]
    fn the_split_is_found_where_boxes_are_tight() {
        let bounds = Bounds { min: DVec3::ZERO, max: DVec3::new(8.0, 8.0, 2.0) };
        // The cell's centre is at x = 5, the centre of the tight box at 4.
        let low = Bounds { min: DVec3::ZERO, max: DVec3::new(5.0, 8.0, 2.0) };
        let high = Bounds { min: DVec3::new(5.2, 1.0, 0.0), max: DVec3::new(8.0, 8.0, 2.0) };
        assert_eq!(split(&bounds, [&low, &high].into_iter()).x, 5.0);
    }

    #[test]
    fn a_scan_of_one_tile_spreads_its_points_over_its_largest_face() {
        let tree = tree(tile([5.0, 5.0, 5.0], 5.0, 0.0, vec![]));
        let spacing = Spacings::of(&tree, &[Tree::ROOT], &|_| OwnSpacing::Measured(1.0)).tile(Tree::ROOT);
        assert!((spacing.largest_m - 1.15).abs() < 1e-6);
    }
}
