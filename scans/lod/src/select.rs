//! The selection of tiles, and of how many of their points.
//!
//! A tile halves the spacing of the points that its parent has. The priority of a tile is the parent's spacing in pixels at the tile's nearest
//! point: what its absence shows. With priority `p` and a spacing of `e` pixels wanted everywhere, the tile is needed where `p > e`, and
//! completely where `p >= 2 e`. In between a part of its points is enough: the number of points on a surface grows with the inverse
//! square of their spacing, so the share is `(p² / e² - 1) / 3`. Drawn this way, the spacing is the same everywhere in the picture, and it
//! changes without steps when the camera moves.
//!
//! A tile that is in memory is divided into blocks with boxes of their own. Each has its own priority: of a large tile around the eye, the blocks outside
//! the views are left out, and of far ones only a few points are drawn.
//!
//! `e` is [`Budget::error_px`], or the smallest spacing for which the points fit into the budget. Tiles that are not in memory count as
//! well, because loading what could never be drawn would evict what is.
//!
//! Several scans are one picture: the tiles of all their trees are compared with each other, and `e` and the budget are those of all together. The roots of
//! trees have no parent, so that all of their points are needed, except where the roots alone have more points than the budget. Then a root, whose own
//! spacing is `g` pixels, gives the share `g² / e²`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use parterre_model::points::Bounds;

use super::needed::{Counts, NeededPoints, share, smallest};
use super::tree::{Content, Node, NodeId, Tree};
use super::view::View;

/// A block of which fewer points would be drawn than this share is left out: loading and drawing it would cost more than it shows.
const SHARE_MIN: f64 = 1.0 / 64.0;
/// Number of blocks that are tested together first.
const GROUP: usize = 8;

/// A scan of a scene.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScanId(pub u32);

/// A tile of one of a scene's scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// The scan.
    pub scan: ScanId,
    /// The node in the scan's tree.
    pub node: NodeId,
}

/// Neighbouring points of a tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Tile frame, metres.
    pub bounds: Bounds,
    /// Number of points.
    pub points: u32,
}

/// Whether a node's content can be drawn now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Residency<'a> {
    /// Not in memory: must be loaded.
    Absent,
    /// On the graphics card, with its blocks; or attached to the tree, without.
    Ready(&'a [Block]),
    /// Could not be loaded.
    Failed,
}

/// The state of a tile, for the selection.
pub type ResidencyOf<'a> = &'a dyn Fn(TileId) -> Residency<'a>;

/// A scan from which tiles are chosen.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name in the results.
    pub scan: ScanId,
    /// Its tiles.
    pub tree: &'a Tree,
    /// The views, in the tile frame of this tree. Two windows, or several places around a walker, share one budget.
    pub views: &'a [View],
}

/// What a frame may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Points drawn at most, of all scans together. Of roots that alone have more, a share is drawn.
    pub points: u64,
    /// Spacing of the points in pixels; no finer one is wanted.
    pub error_px: f64,
}

/// A tile of which points are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenTile {
    /// The tile.
    pub tile: TileId,
    /// Its blocks of which points are drawn, in their order.
    pub blocks: Vec<ChosenBlock>,
}

/// A block of which points are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChosenBlock {
    /// Its index in the tile.
    pub block: u32,
    /// What its absence would show: the spacing of the other points in pixels. Infinite in the root.
    pub priority: f64,
    /// Share of its points; above 0, 1 for all.
    pub share: f64,
}

/// What a frame draws, loads and keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Tiles with points that are resident, the most important first.
    pub draw: Vec<ChosenTile>,
    /// All tiles with points that are wanted, those that are absent as well.
    pub wanted: Vec<TileId>,
    /// Absent tiles and subtrees with their priorities (the pixels that their absence shows), the most important first.
    pub load: Vec<(TileId, f64)>,
    /// Everything that this frame relies on and that must not be evicted: what is drawn, what was asked for.
    pub touch: Vec<TileId>,
    /// Points of `draw`.
    pub points: u64,
    /// Spacing of the points in pixels once everything is loaded.
    pub spacing_px: f64,
    /// Whether the budget, not the wanted spacing, limited the points.
    pub budget_reached: bool,
}

struct Candidate {
    priority: f64,
    /// Index of the source.
    source: usize,
    node: NodeId,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal priorities go by age in the tree, or two frames of one scene could differ.
        self.priority.total_cmp(&other.priority).then_with(|| (other.source, other.node).cmp(&(self.source, self.node)))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// A tile that may be wanted, with the priorities of its blocks.
struct FoundTile<'a> {
    priority: f64,
    source: usize,
    node: NodeId,
    residency: Residency<'a>,
    /// Priority and points of each block; of the whole tile where it has none. Priorities of blocks outside the views are 0.
    blocks: Vec<(f64, u32)>,
}

/// Chooses for one frame.
pub fn select(sources: &[Source<'_>], resident: ResidencyOf<'_>, budget: &Budget) -> Selection {
    let found = found_tiles(sources, resident, budget);
    let counts = Counts::new(found.iter().flat_map(|tile| tile.blocks.iter().copied()), budget.error_px);
    let budget_reached = counts.points(budget.error_px) > budget.points as f64;
    let spacing_px = if budget_reached { counts.spacing_px(budget.error_px, budget.points) } else { budget.error_px };
    let roots = Roots::new(sources, &found, budget);
    let spacing_px = roots.as_ref().map_or(spacing_px, |roots| roots.spacing_px.max(spacing_px));
    let mut selection = Selection { spacing_px, budget_reached, ..Selection::default() };
    for tile in &found {
        let share = |block: u32, priority: f64| match &roots {
            Some(roots) if tile.node == Tree::ROOT && priority > 0.0 => root_share(roots.own_px[tile.source][block as usize], spacing_px),
            _ => share(priority, spacing_px),
        };
        let blocks: Vec<ChosenBlock> = (0u32..)
            .zip(&tile.blocks)
            .map(|(block, &(priority, _))| ChosenBlock { block, priority, share: share(block, priority) })
            // However small a scan is in the picture, something of it is seen.
            .filter(|block| block.share >= SHARE_MIN || (block.priority == f64::INFINITY && block.share > 0.0))
            .collect();
        if blocks.is_empty() {
            continue;
        }
        let Source { scan, tree, .. } = sources[tile.source];
        let id = TileId { scan, node: tile.node };
        selection.touch.push(id);
        if tile.residency == Residency::Absent {
            selection.load.push((id, tile.priority));
        }
        if matches!(tree.node(tile.node).content, Content::Points(_)) {
            selection.wanted.push(id);
            if tile.residency != Residency::Absent {
                let points = |chosen: &ChosenBlock| (chosen.share * f64::from(tile.blocks[chosen.block as usize].1)).ceil() as u64;
                selection.points += blocks.iter().map(points).sum::<u64>();
                selection.draw.push(ChosenTile { tile: id, blocks });
            }
        }
    }
    selection
}

/// What the absence of points in a box shows, where the points without them have a spacing of `error_m`: the spacing in pixels at the nearest point of
/// the box. Negative where no view sees the box, or where it is not more than `least_px`.
fn priority(views: &[View], bounds: &Bounds, error_m: f64, least_px: f64) -> f64 {
    views.iter().filter_map(|view| view.seen_error_px(bounds, error_m, least_px)).fold(f64::NEG_INFINITY, f64::max)
}

/// The tiles that may be wanted, by falling priority: a best-first walk from the roots, which ends where the points that were found already need more
/// than the budget. What could not be loaded is left out.
fn found_tiles<'a>(sources: &[Source<'_>], resident: ResidencyOf<'a>, budget: &Budget) -> Vec<FoundTile<'a>> {
    let mut found: Vec<FoundTile<'_>> = Vec::new();
    let mut heap = BinaryHeap::new();
    for (source, Source { tree, views, .. }) in sources.iter().enumerate() {
        if views.iter().any(|view| view.sees(&tree.node(Tree::ROOT).bounds)) {
            heap.push(Candidate { priority: f64::INFINITY, source, node: Tree::ROOT });
        }
    }
    let mut needed = NeededPoints::new(budget.error_px);
    while let Some(Candidate { priority: tile_priority, source, node: id }) = heap.pop() {
        // A spacing of this tile's priority would need more points than there may be, so that the spacing will be larger and the tile is not wanted.
        if needed.at_least(tile_priority) > budget.points as f64 {
            break;
        }
        let Source { scan, tree, views } = sources[source];
        let node = tree.node(id);
        let residency = if node.content == Content::None { Residency::Ready(&[]) } else { resident(TileId { scan, node: id }) };
        if residency != Residency::Failed {
            let blocks = match residency {
                Residency::Ready(blocks) if !blocks.is_empty() => blocks_of(tree, views, (id, tile_priority), blocks, budget.error_px),
                _ => vec![(tile_priority, node.points)],
            };
            for (priority, points) in &blocks {
                needed.add(*priority, *points);
            }
            found.push(FoundTile { priority: tile_priority, source, node: id, residency, blocks });
        }
        let error_m = children_error_m(tree, id);
        for &child in &node.children {
            let priority = priority(views, &tree.node(child).bounds, error_m, budget.error_px);
            if priority > budget.error_px {
                heap.push(Candidate { priority, source, node: child });
            }
        }
    }
    // A tileset's errors need not fall from level to level.
    found.sort_by(|a, b| b.priority.total_cmp(&a.priority).then_with(|| (a.source, a.node).cmp(&(b.source, b.node))));
    found
}

/// Priority and points of each block of a tile. Priorities up to `least_px`, and those of blocks that are not seen, are 0.
fn blocks_of(tree: &Tree, views: &[View], (id, tile_priority): (NodeId, f64), blocks: &[Block], least_px: f64) -> Vec<(f64, u32)> {
    let groups: Vec<Bounds> =
        blocks.chunks(GROUP).map(|group| group.iter().fold(Bounds::EMPTY, |bounds, block| bounds.union(block.bounds))).collect();
    // A block may reach over its tile's box, which is rounded to whole millimetres.
    let bounds = groups.iter().fold(tree.node(id).bounds, |bounds, group| bounds.union(*group));
    let views: Vec<View> = views.iter().map(|view| view.within(&bounds)).collect();
    // Without the root there is nothing: all of it that is seen is needed.
    let error_m = tree.node(id).parent.map(|parent| children_error_m(tree, parent));
    let of_block = |block: &Block| match error_m {
        // A tile's own box is rounded, so that a block's priority may be larger by a little.
        Some(error_m) => priority(&views, &block.bounds, error_m, least_px).clamp(0.0, tile_priority),
        None if views.iter().any(|view| view.sees(&block.bounds)) => f64::INFINITY,
        None => 0.0,
    };
    let mut priorities = Vec::with_capacity(blocks.len());
    for (group, bounds) in blocks.chunks(GROUP).zip(&groups) {
        // Neighbours in the list are neighbours in space: what hides a box around all of them hides each.
        let is_seen = views.iter().any(|view| view.sees(bounds));
        priorities.extend(group.iter().map(|block| (if is_seen { of_block(block) } else { 0.0 }, block.points)));
    }
    priorities
}

/// The roots where they alone have more points than the budget.
struct Roots {
    /// Of each root's blocks: the spacing of its own points in pixels. By source.
    own_px: Vec<Vec<f64>>,
    /// The smallest spacing for which shares of the roots fit into the budget.
    spacing_px: f64,
}

impl Roots {
    /// `None` where the roots fit into the budget.
    fn new(sources: &[Source<'_>], found: &[FoundTile<'_>], budget: &Budget) -> Option<Self> {
        let roots = || found.iter().filter(|tile| tile.node == Tree::ROOT);
        let seen = roots().flat_map(|tile| &tile.blocks).filter(|(priority, _)| *priority > 0.0);
        let all: u64 = seen.map(|(_, points)| u64::from(*points)).sum();
        if all <= budget.points {
            return None;
        }
        let mut own_px = vec![Vec::new(); sources.len()];
        let mut blocks: Vec<(f64, f64)> = Vec::new();
        for tile in roots() {
            let Source { tree, views, .. } = sources[tile.source];
            let node = tree.node(tile.node);
            let boxes = match tile.residency {
                Residency::Ready(blocks) if !blocks.is_empty() => blocks.iter().map(|block| block.bounds).collect(),
                _ => vec![node.bounds],
            };
            let error_m = own_spacing_m(node);
            let of_root: Vec<f64> = boxes.iter().map(|bounds| priority(views, bounds, error_m, 0.0).max(0.0)).collect();
            blocks.extend(of_root.iter().zip(&tile.blocks).map(|(own_px, (_, points))| (*own_px, f64::from(*points))));
            own_px[tile.source] = of_root;
        }
        let points = |spacing_px: f64| blocks.iter().map(|(own_px, points)| points * root_share(*own_px, spacing_px)).sum::<f64>();
        let largest =
            blocks.iter().map(|(own_px, _)| *own_px).fold(budget.error_px, f64::max) * (all as f64 / budget.points.max(1) as f64).sqrt();
        let spacing_px = smallest(budget.error_px, largest, |spacing_px| points(spacing_px) <= budget.points as f64);
        Some(Self { own_px, spacing_px })
    }
}

/// The share of a root's points that are wanted for a spacing, where all of them have a spacing of `own_px` pixels.
fn root_share(own_px: f64, spacing_px: f64) -> f64 {
    (own_px / spacing_px).powi(2).min(1.0)
}

/// The spacing of a node's own points: what is shown without its children. A leaf has no such error; then its points are spread over its largest side.
fn own_spacing_m(node: &Node) -> f64 {
    if node.geometric_error_m > 0.0 {
        return node.geometric_error_m;
    }
    let size = node.bounds.size();
    let area = (size.x * size.y).max(size.y * size.z).max(size.z * size.x);
    (area / f64::from(node.points.max(1))).sqrt()
}

/// Spacing of the points where a node's children are absent. The children of a link to a subtree stand in for the link itself.
fn children_error_m(tree: &Tree, id: NodeId) -> f64 {
    let node = tree.node(id);
    match (&node.content, node.parent) {
        (Content::Subtree(_), Some(parent)) => tree.node(parent).geometric_error_m,
        _ => node.geometric_error_m,
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use glam::DVec3;

    use super::super::tree::tests::{tile, tileset};
    use super::select as select_of;
    use super::*;

    /// A root of 16 m with a near and a far child of 4 m; the near one has a child of its own.
    fn tree() -> Tree {
        let grandchild = tile([0.0, 12.0, 0.0], 1.0, 0.0, 400, Some("t/near-near.glb"), vec![]);
        let near = tile([0.0, 13.0, 0.0], 2.0, 0.05, 300, Some("t/near.glb"), vec![grandchild]);
        let far = tile([0.0, 27.0, 0.0], 2.0, 0.05, 200, Some("t/far.glb"), vec![]);
        let root = tile([0.0, 20.0, 0.0], 9.0, 0.2, 100, Some("t/0.glb"), vec![far, near]);
        Tree::from_tileset(&tileset(root), "").expect("the test's own tileset")
    }

    fn view() -> View {
        View::perspective(DVec3::ZERO, DVec3::Y, DVec3::Z, 1.0, 1.0, 1000.0)
    }

    /// Chooses from one scan.
    fn select<'a>(tree: &Tree, views: &[View], resident: &dyn Fn(NodeId) -> Residency<'a>, budget: &Budget) -> Selection {
        select_of(&[Source { scan: ScanId(0), tree, views }], &|tile| resident(tile.node), budget)
    }

    const GENEROUS: Budget = Budget { points: 1_000_000, error_px: 1.0 };

    fn named(tree: &Tree, nodes: impl IntoIterator<Item = NodeId>) -> Vec<String> {
        nodes
            .into_iter()
            .map(|id| match &tree.node(id).content {
                Content::Points(uri) | Content::Subtree(uri) => uri.rsplit('/').next().unwrap_or_default().to_owned(),
                Content::None => "-".to_owned(),
            })
            .collect()
    }

    fn drawn(tree: &Tree, selection: &Selection) -> Vec<String> {
        named(tree, selection.draw.iter().map(|chosen| chosen.tile.node))
    }

    /// One frame of the table: what is resident, what failed, the budget, and what must be drawn and loaded.
    struct Frame {
        why: &'static str,
        resident: &'static [&'static str],
        failed: &'static [&'static str],
        budget: Budget,
        draw: &'static [&'static str],
        load: &'static [&'static str],
        budget_reached: bool,
    }

    #[test]
    fn table_of_frames() {
        let all = &["0.glb", "near.glb", "far.glb", "near-near.glb"];
        let scarce = Budget { points: 450, error_px: 1.0 };
        let frames = [
            Frame { why: "nothing is here", resident: &[], failed: &[], budget: GENEROUS, draw: &[], load: all, budget_reached: false },
            Frame {
                why: "coarse is drawn, the nearer child is asked for first",
                resident: &["0.glb"],
                failed: &[],
                budget: GENEROUS,
                draw: &["0.glb"],
                load: &["near.glb", "far.glb", "near-near.glb"],
                budget_reached: false,
            },
            Frame {
                why: "a child is drawn while its sibling is being loaded",
                resident: &["0.glb", "far.glb"],
                failed: &[],
                budget: GENEROUS,
                draw: &["0.glb", "far.glb"],
                load: &["near.glb", "near-near.glb"],
                budget_reached: false,
            },
            Frame {
                why: "a grandchild is drawn without its parent",
                resident: &["0.glb", "far.glb", "near-near.glb"],
                failed: &[],
                budget: GENEROUS,
                draw: &["0.glb", "far.glb", "near-near.glb"],
                load: &["near.glb"],
                budget_reached: false,
            },
            Frame {
                why: "a failed tile is not asked for again",
                resident: &["0.glb", "far.glb", "near-near.glb"],
                failed: &["near.glb"],
                budget: GENEROUS,
                draw: &["0.glb", "far.glb", "near-near.glb"],
                load: &[],
                budget_reached: false,
            },
            Frame { why: "all is here", resident: all, failed: &[], budget: GENEROUS, draw: all, load: &[], budget_reached: false },
            Frame {
                why: "the budget keeps the most visible",
                resident: all,
                failed: &[],
                budget: scarce,
                draw: &["0.glb", "near.glb", "far.glb"],
                load: &[],
                budget_reached: true,
            },
            Frame {
                why: "what could not be drawn is not loaded",
                resident: &["0.glb"],
                failed: &[],
                budget: scarce,
                draw: &["0.glb"],
                load: &["near.glb", "far.glb"],
                budget_reached: true,
            },
            Frame {
                why: "with a large permitted error fine tiles are not loaded",
                resident: &["0.glb"],
                failed: &[],
                budget: Budget { points: 1_000_000, error_px: 50.0 },
                draw: &["0.glb"],
                load: &[],
                budget_reached: false,
            },
            Frame {
                why: "of a root that has more points than the budget a share is drawn",
                resident: &["0.glb"],
                failed: &[],
                budget: Budget { points: 10, error_px: 1.0 },
                draw: &["0.glb"],
                load: &[],
                budget_reached: true,
            },
        ];
        let tree = tree();
        for frame in frames {
            let residency = |id: NodeId| {
                let name = named(&tree, [id]).remove(0);
                if frame.failed.contains(&name.as_str()) {
                    Residency::Failed
                } else if frame.resident.contains(&name.as_str()) {
                    Residency::Ready(&[])
                } else {
                    Residency::Absent
                }
            };
            let selection = select(&tree, &[view()], &residency, &frame.budget);
            assert_eq!(drawn(&tree, &selection), frame.draw, "draw: {}", frame.why);
            assert_eq!(named(&tree, selection.load.iter().map(|(tile, _)| tile.node)), frame.load, "load: {}", frame.why);
            assert_eq!(selection.budget_reached, frame.budget_reached, "budget: {}", frame.why);
            assert!(selection.draw.iter().all(|chosen| selection.touch.contains(&chosen.tile)), "touch: {}", frame.why);
            assert_eq!(selection.wanted.len(), selection.draw.len() + selection.load.len(), "wanted: {}", frame.why);
            assert_eq!(selection, select(&tree, &[view()], &residency, &frame.budget), "same again: {}", frame.why);
        }
    }

    #[test]
    fn a_share_gives_the_spacing_that_is_wanted() {
        // Points on a surface: 1 per square of the parent's spacing, and 3 more in the tile itself.
        for (priority, spacing_px) in [(8.0, 8.0), (8.0, 6.0), (8.0, 5.0), (8.0, 4.0)] {
            let density = (1.0 + 3.0 * share(priority, spacing_px)) / priority.powi(2);
            assert!((density.sqrt().recip() - spacing_px).abs() < 1e-9, "{priority} {spacing_px}");
        }
        assert_eq!((share(8.0, 1.0), share(8.0, 9.0), share(f64::INFINITY, 3.0)), (1.0, 0.0, 1.0));
    }

    #[test]
    fn every_budget_is_used_and_none_is_exceeded() {
        let tree = tree();
        let mut spacing_before = f64::INFINITY;
        for points in (100..1000).step_by(10) {
            let selection = select(&tree, &[view()], &|_| Residency::Ready(&[]), &Budget { points, error_px: 1.0 });
            assert!(selection.spacing_px <= spacing_before, "more points never give a coarser picture");
            spacing_before = selection.spacing_px;
            // Each of the four tiles is rounded up, and a tile may be left out because its share is small.
            assert!(selection.points <= points + 4 && selection.points + 16 >= points, "{points}: {}", selection.points);
        }
    }

    #[test]
    fn of_a_root_beyond_the_budget_a_share_is_drawn() {
        let tree = tree();
        let half =
            |y: f64| Block { bounds: Bounds { min: DVec3::new(-9.0, y, -9.0), max: DVec3::new(9.0, y + 9.0, 9.0) }, points: 5_000_000 };
        let blocks = [half(11.0), half(20.0)];
        for points in [10, 1000, 100_000, 3_000_000] {
            let selection = select(&tree, &[view()], &|_| Residency::Ready(&blocks), &Budget { points, error_px: 1.0 });
            assert_eq!(drawn(&tree, &selection), ["0.glb"], "{points}");
            assert!(selection.budget_reached && (points..=points + 2).contains(&selection.points), "{points}: {}", selection.points);
        }
    }

    #[test]
    fn blocks_of_a_tile_around_the_eye_are_drawn_by_their_own_distance() {
        let root =
            tile([0.0, 0.0, 0.0], 50.0, 1.0, 100, Some("t/0.glb"), vec![tile([0.0, 0.0, 0.0], 50.0, 0.0, 4000, Some("t/1.glb"), vec![])]);
        let tree = Tree::from_tileset(&tileset(root), "").expect("the test's own tileset");
        let block =
            |y: f64| Block { bounds: Bounds { min: DVec3::new(-1.0, y - 0.5, -1.0), max: DVec3::new(1.0, y + 0.5, 1.0) }, points: 1000 };
        let blocks = [block(2.0), block(-2.0), block(20.0), block(45.0)];
        let resident = |id: NodeId| Residency::Ready(if id == Tree::ROOT { &[] } else { &blocks });
        let selection = select(&tree, &[view()], &resident, &Budget { points: 1_000_000, error_px: 30.0 });
        let [_, child] = selection.draw.as_slice() else { panic!("{selection:?}") };
        let [near, far] = child.blocks[..] else { panic!("the second is behind, and the last too far away: {child:?}") };
        assert!(near.block == 0 && near.share == 1.0 && far.block == 2 && far.share > 0.1 && far.share < 1.0, "{child:?}");
        let scarce = select(&tree, &[view()], &resident, &Budget { points: 700, error_px: 1.0 });
        assert!(scarce.budget_reached && scarce.points <= 702 && scarce.points > 690, "{scarce:?}");
    }

    #[test]
    fn what_is_behind_is_kept_by_a_second_view_only() {
        let tree = tree();
        let all = |_| Residency::Ready(&[]);
        let away = View::perspective(DVec3::new(0.0, 11.0, 0.0), DVec3::NEG_Y, DVec3::Z, 0.5, 1.0, 1000.0);
        let alone = select(&tree, std::slice::from_ref(&away), &all, &GENEROUS);
        assert!(!drawn(&tree, &alone).contains(&"far.glb".to_owned()));
        let around = View::around(DVec3::new(0.0, 24.0, 0.0), 3.0, 1000.0);
        let both = select(&tree, &[away, around], &all, &GENEROUS);
        assert!(drawn(&tree, &both).contains(&"far.glb".to_owned()));
    }

    #[test]
    fn outside_of_every_view_nothing_is_chosen() {
        let away = View::perspective(DVec3::ZERO, DVec3::NEG_Y, DVec3::Z, 1.0, 1.0, 1000.0);
        let nothing = Selection { spacing_px: 1.0, ..Selection::default() };
        assert_eq!(select(&tree(), &[away], &|_| Residency::Ready(&[]), &GENEROUS), nothing);
        assert_eq!(select(&tree(), &[], &|_| Residency::Ready(&[]), &GENEROUS), nothing);
    }

    #[test]
    fn a_subtree_is_asked_for_and_then_passed_through() {
        let link = tile([0.0, 20.0, 0.0], 8.0, 0.1, 0, Some("s/1.json"), vec![]);
        let mut tree =
            Tree::from_tileset(&tileset(tile([0.0, 20.0, 0.0], 9.0, 0.2, 100, Some("t/0.glb"), vec![link])), "").expect("a valid tileset");
        let absent_link = |id: NodeId| if id == Tree::ROOT { Residency::Ready(&[]) } else { Residency::Absent };
        let before = select(&tree, &[view()], &absent_link, &GENEROUS);
        assert_eq!(named(&tree, before.load.iter().map(|(tile, _)| tile.node)), ["1.json"]);
        let below = tileset(tile([0.0, 20.0, 0.0], 8.0, 0.1, 50, Some("../t/1.glb"), vec![]));
        let link = tree.node(Tree::ROOT).children[0];
        tree.attach(link, &below, "s").expect("a valid tileset");
        let after = select(&tree, &[view()], &|_| Residency::Ready(&[]), &GENEROUS);
        assert_eq!(drawn(&tree, &after), ["0.glb", "1.glb"]);
    }

    /// What [`select`] must return, computed without any saving: all tiles are found, and all of their blocks tested one by one.
    fn plainly<'a>(sources: &[Source<'_>], resident: ResidencyOf<'a>, budget: &Budget) -> (f64, Vec<ChosenTile>) {
        let mut found: Vec<FoundTile<'a>> = Vec::new();
        for (source, Source { scan, tree, views }) in sources.iter().enumerate() {
            let mut pending = vec![(Tree::ROOT, f64::INFINITY)];
            while let Some((node, tile_priority)) = pending.pop() {
                let error_m = tree.node(node).parent.map(|parent| tree.node(parent).geometric_error_m);
                let Residency::Ready(of_tile) = resident(TileId { scan: *scan, node }) else { panic!("all are in memory") };
                let priority_of = |block: &Block| {
                    let seen = views.iter().filter(|view| view.sees(&block.bounds));
                    seen.map(|view| error_m.map_or(f64::INFINITY, |error_m| view.error_px(&block.bounds, error_m).min(tile_priority)))
                        .fold(0.0, f64::max)
                };
                let blocks = of_tile.iter().map(|block| (priority_of(block), block.points)).collect();
                found.push(FoundTile { priority: tile_priority, source, node, residency: Residency::Ready(of_tile), blocks });
                for child in &tree.node(node).children {
                    let priority = priority(views, &tree.node(*child).bounds, tree.node(node).geometric_error_m, 0.0);
                    if priority > budget.error_px {
                        pending.push((*child, priority));
                    }
                }
            }
        }
        found.sort_by(|a, b| b.priority.total_cmp(&a.priority).then_with(|| (a.source, a.node).cmp(&(b.source, b.node))));
        let points = |spacing_px: f64| {
            found
                .iter()
                .flat_map(|tile| &tile.blocks)
                .map(|(priority, points)| share(*priority, spacing_px) * f64::from(*points))
                .sum::<f64>()
        };
        let spacing_px = smallest(budget.error_px, 1e9, |spacing_px| points(spacing_px) <= budget.points as f64);
        let chosen = |tile: &FoundTile<'_>| {
            let blocks = (0u32..).zip(&tile.blocks).map(|(block, &(priority, _))| ChosenBlock {
                block,
                priority,
                share: share(priority, spacing_px),
            });
            ChosenTile {
                tile: TileId { scan: sources[tile.source].scan, node: tile.node },
                blocks: blocks.filter(|block| block.share >= SHARE_MIN).collect(),
            }
        };
        (spacing_px, found.iter().map(chosen).filter(|chosen| !chosen.blocks.is_empty()).collect())
    }

    /// An octree of a floor and a wall with three levels below the root, and 16 blocks a tile.
    fn building(rng: &mut rand_chacha::ChaCha8Rng) -> (Tree, Vec<Vec<Block>>) {
        use rand::Rng as _;
        fn cell(center: [f64; 3], half: f64, level: u32, rng: &mut rand_chacha::ChaCha8Rng) -> serde_json::Value {
            let touches = |center: &[f64; 3], half: f64| center[2] - half <= 0.5 || (center[1] - half <= 9.0 && center[1] + half >= 9.0);
            let mut children = Vec::new();
            for corner in 0..if level < 3 { 8 } else { 0 } {
                let child = [0, 1, 2].map(|axis| center[axis] + if corner >> axis & 1 == 1 { half * 0.5 } else { half * -0.5 });
                if touches(&child, half * 0.5) && rng.random_bool(0.9) {
                    children.push(cell(child, half * 0.5, level + 1, rng));
                }
            }
            tile(center, half, half / 30.0, rng.random_range(200..900), Some("t/x.glb"), children)
        }
        let tree = Tree::from_tileset(&tileset(cell([0.0, 0.0, 15.0], 16.0, 0, rng)), "").expect("the test's own tileset");
        let blocks = |bounds: &Bounds, rng: &mut rand_chacha::ChaCha8Rng| -> Vec<Block> {
            let part = bounds.size() / DVec3::new(4.0, 2.0, 2.0);
            let block = |at: u32| {
                let min = bounds.min + DVec3::new(f64::from(at % 4), f64::from(at / 4 % 2), f64::from(at / 8)) * part;
                Block { bounds: Bounds { min, max: min + part }, points: rng.random_range(10..60) }
            };
            (0..16).map(block).collect()
        };
        let all = tree.iter().map(|(_, node)| blocks(&node.bounds, rng)).collect();
        (tree, all)
    }

    #[test]
    fn what_saves_time_changes_nothing() {
        use rand::{Rng as _, SeedableRng as _};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
        let (mut limited, mut compared) = (0, 0);
        for case in 0..60 {
            let buildings: Vec<(Tree, Vec<Vec<Block>>)> = (0..=case % 3).map(|_| building(&mut rng)).collect();
            // A wall before the eye hides a part, in each second case. The second scan is nearer to the eye.
            let views: Vec<[View; 1]> = (0..buildings.len())
                .map(|at| {
                    let eye = DVec3::new(rng.random_range(-9.0..9.0), -20.0 + 9.0 * at as f64, rng.random_range(1.0..8.0));
                    let mut view = View::perspective(eye, DVec3::new(0.1, 1.0, -0.1), DVec3::Z, 1.0, 1.5, 600.0);
                    if case % 2 == 1 {
                        let mut map = super::super::OcclusionMap::new(eye, [DVec3::Y, DVec3::X, DVec3::Z], 1.0, 1.5, 0.01);
                        let wall: Vec<glam::Vec3> = (0..40_000)
                            .map(|at| glam::Vec3::new((at % 200) as f32 * 0.02 - 4.0, 2.0, (at / 200) as f32 * 0.02 - 2.0))
                            .collect();
                        map.add(eye, &wall);
                        view.occlusion = Some(std::sync::Arc::new(map.finish()));
                    }
                    [view]
                })
                .collect();
            let sources: Vec<Source<'_>> =
                (0u32..).zip(&buildings).zip(&views).map(|((scan, (tree, _)), views)| Source { scan: ScanId(scan), tree, views }).collect();
            let resident = |tile: TileId| Residency::Ready(buildings[tile.scan.0 as usize].1[tile.node.index()].as_slice());
            let budget = Budget { points: rng.random_range(5_000..60_000), error_px: 1.0 };
            let chosen = select_of(&sources, &resident, &budget);
            let (spacing_px, expected) = plainly(&sources, &resident, &budget);
            limited += u32::from(chosen.budget_reached);
            assert!((chosen.spacing_px / spacing_px - 1.0).abs() < 1e-9, "{case}: {} instead of {spacing_px}", chosen.spacing_px);
            let names = |chosen: &[ChosenTile]| -> Vec<(TileId, u32)> {
                // Shares of about the smallest one may be rounded to either side.
                let kept = |block: &&ChosenBlock| block.share > SHARE_MIN + 1e-6;
                chosen.iter().flat_map(|tile| tile.blocks.iter().filter(kept).map(|block| (tile.tile, block.block))).collect()
            };
            compared += names(&expected).len();
            assert_eq!(names(&chosen.draw), names(&expected), "{case}");
            let shares = |chosen: &[ChosenTile]| chosen.iter().flat_map(|tile| &tile.blocks).map(|block| block.share).sum::<f64>();
            assert!((shares(&chosen.draw) - shares(&expected)).abs() < 0.1, "{case}");
        }
        assert!(limited > 10 && limited < 60 && compared > 10_000, "{limited} of 60 were limited, {compared} blocks");
    }

    /// Why, the views of both, the budget, what is drawn of each scan, and whether the budget limits it.
    type Row<'a> = (&'a str, &'a [View], &'a [View], u64, [&'a [&'a str]; 2], bool);

    #[test]
    fn two_scans_share_one_budget_and_one_spacing() {
        // The same scan twice, seen from where it is and from farther away.
        let tree = tree();
        let near = [view()];
        let far = [View::perspective(DVec3::new(0.0, -30.0, 0.0), DVec3::Y, DVec3::Z, 1.0, 1.0, 1000.0)];
        let away = [View::perspective(DVec3::ZERO, DVec3::NEG_Y, DVec3::Z, 1.0, 1.0, 1000.0)];
        let source = |scan: u32, views| Source { scan: ScanId(scan), tree: &tree, views };
        let all = |_: TileId| Residency::Ready(&[]);
        let everything: &[&str] = &["0.glb", "near.glb", "far.glb", "near-near.glb"];
        let rows: [Row<'_>; 5] = [
            ("both fit", &near, &far, 10_000, [everything, everything], false),
            (
                "what is nearer gets more points",
                &near,
                &far,
                1000,
                [&["0.glb", "near.glb", "far.glb", "near-near.glb"], &["0.glb", "near.glb", "far.glb"]],
                true,
            ),
            (
                "two at the same place get the same",
                &near,
                &near,
                900,
                [&["0.glb", "near.glb", "far.glb"], &["0.glb", "near.glb", "far.glb"]],
                true,
            ),
            ("one behind the eye costs nothing", &near, &away, 1000, [everything, &[]], false),
            ("of roots with too many points a share is drawn", &near, &far, 100, [&["0.glb"], &["0.glb"]], true),
        ];
        for (why, first, second, points, expected, budget_reached) in rows {
            let selection = select_of(&[source(7, first), source(9, second)], &all, &Budget { points, error_px: 1.0 });
            for (scan, expected) in [7, 9].into_iter().zip(expected) {
                let of_scan = selection.draw.iter().filter(|chosen| chosen.tile.scan == ScanId(scan));
                assert_eq!(named(&tree, of_scan.map(|chosen| chosen.tile.node)), expected, "{why}, scan {scan}: {selection:?}");
            }
            assert_eq!(selection.budget_reached, budget_reached, "{why}");
            // A tile is rounded up to a point.
            assert!(selection.points <= points + 8, "{why}: {} points", selection.points);
            for block in selection.draw.iter().flat_map(|chosen| &chosen.blocks).filter(|block| block.priority.is_finite()) {
                assert_eq!(block.share, share(block.priority, selection.spacing_px), "{why}: one spacing for all");
            }
            let alone = select_of(&[source(7, first)], &all, &Budget { points, error_px: 1.0 });
            assert!(alone.spacing_px <= selection.spacing_px, "{why}: a further scan never makes the picture finer");
        }
        let loading = select_of(&[source(7, &near), source(9, &far)], &|_| Residency::Absent, &Budget { points: 10_000, error_px: 1.0 });
        assert!(loading.load.windows(2).all(|pair| pair[0].1 >= pair[1].1), "the most important of both first: {:?}", loading.load);
    }
}
