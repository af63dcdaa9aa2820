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

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use parterre_model::points::Bounds;

use super::tree::{Content, NodeId, Tree};
use super::view::View;

/// A block of which fewer points would be drawn than this share is left out: loading and drawing it would cost more than it shows.
const SHARE_MIN: f64 = 1.0 / 64.0;
/// Steps in which the spacing is searched for; each halves the range.
const SEARCH_STEPS: u32 = 48;

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

/// What a frame may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Points drawn at most. Of a root that alone has more, a share is drawn.
    pub points: u64,
    /// Spacing of the points in pixels; no finer one is wanted.
    pub error_px: f64,
}

/// A tile of which points are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenTile {
    /// The tile.
    pub node: NodeId,
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
    pub wanted: Vec<NodeId>,
    /// Absent tiles and subtrees with their priorities (the pixels that their absence shows), the most important first.
    pub load: Vec<(NodeId, f64)>,
    /// Everything that this frame relies on and that must not be evicted: what is drawn, what was asked for.
    pub touch: Vec<NodeId>,
    /// Points of `draw`.
    pub points: u64,
    /// Spacing of the points in pixels once everything is loaded.
    pub spacing_px: f64,
    /// Whether the budget, not the wanted spacing, limited the points.
    pub budget_reached: bool,
}

struct Candidate {
    priority: f64,
    node: NodeId,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal priorities go by age in the tree, or two frames of one scene could differ.
        self.priority.total_cmp(&other.priority).then_with(|| other.node.cmp(&self.node))
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
    node: NodeId,
    residency: Residency<'a>,
    /// Priority and points of each block; of the whole tile where it has none. Priorities of blocks outside the views are 0.
    blocks: Vec<(f64, u32)>,
}

/// Chooses for one frame. Several views (two windows, or several places around a walker) share one budget.
pub fn select<'a>(tree: &Tree, views: &[View], resident: &dyn Fn(NodeId) -> Residency<'a>, budget: &Budget) -> Selection {
    let found = found_tiles(tree, views, resident, budget);
    let counts = Counts::new(&found);
    let budget_reached = counts.points(budget.error_px) > budget.points as f64;
    let spacing_px = if budget_reached { counts.spacing_px(budget) } else { budget.error_px };
    let always = counts.always();
    // The root is drawn whole, unless it alone exceeds the budget: a tiler may have put all points into it.
    let always_share = if always > budget.points as f64 { budget.points as f64 / always } else { 1.0 };
    let mut selection = Selection { spacing_px, budget_reached, ..Selection::default() };
    for tile in &found {
        let blocks: Vec<ChosenBlock> = (0u32..)
            .zip(&tile.blocks)
            .map(|(block, &(priority, _))| {
                let share = if priority.is_finite() { share(priority, spacing_px) } else { always_share };
                ChosenBlock { block, priority, share }
            })
            .filter(|block| block.share >= SHARE_MIN || block.priority == f64::INFINITY)
            .collect();
        if blocks.is_empty() {
            continue;
        }
        selection.touch.push(tile.node);
        if tile.residency == Residency::Absent {
            selection.load.push((tile.node, tile.priority));
        }
        if matches!(tree.node(tile.node).content, Content::Points(_)) {
            selection.wanted.push(tile.node);
            if tile.residency != Residency::Absent {
                let points = |chosen: &ChosenBlock| (chosen.share * f64::from(tile.blocks[chosen.block as usize].1)).ceil() as u64;
                selection.points += blocks.iter().map(points).sum::<u64>();
                selection.draw.push(ChosenTile { node: tile.node, blocks });
            }
        }
    }
    selection
}

/// The share of a block's points that are wanted for a spacing of `spacing_px`, where without them the spacing is `priority` pixels.
pub fn share(priority: f64, spacing_px: f64) -> f64 {
    (((priority / spacing_px).powi(2) - 1.0) / 3.0).clamp(0.0, 1.0)
}

/// What the absence of points in a box shows, where the points without them have a spacing of `error_m`: the spacing in pixels at the nearest point of
/// the box. Negative where no view sees the box.
fn priority(views: &[View], bounds: &Bounds, error_m: f64) -> f64 {
    views.iter().filter_map(|view| view.seen_error_px(bounds, error_m)).fold(f64::NEG_INFINITY, f64::max)
}

/// The tiles that may be wanted, by falling priority: a best-first walk from the root, which ends when the blocks that are needed
/// completely exceed the budget. What could not be loaded is left out.
fn found_tiles<'a>(tree: &Tree, views: &[View], resident: &dyn Fn(NodeId) -> Residency<'a>, budget: &Budget) -> Vec<FoundTile<'a>> {
    let mut found: Vec<FoundTile<'_>> = Vec::new();
    let mut heap = BinaryHeap::new();
    if views.iter().any(|view| view.sees(&tree.node(Tree::ROOT).bounds)) {
        heap.push(Candidate { priority: f64::INFINITY, node: Tree::ROOT });
    }
    let mut complete = CompletePoints::new();
    while let Some(candidate) = heap.pop() {
        if complete.above(2.0 * candidate.priority) > budget.points {
            break;
        }
        let id = candidate.node;
        let node = tree.node(id);
        let residency = if node.content == Content::None { Residency::Ready(&[]) } else { resident(id) };
        if residency != Residency::Failed {
            let whole = [(candidate.priority, node.points)];
            let blocks = match residency {
                Residency::Ready(blocks) if !blocks.is_empty() => blocks_of(tree, views, id, candidate.priority, blocks),
                _ => whole.to_vec(),
            };
            blocks.iter().filter(|(priority, _)| *priority > 0.0).for_each(|(priority, points)| complete.add(*priority, *points));
            found.push(FoundTile { priority: candidate.priority, node: id, residency, blocks });
        }
        let error_m = children_error_m(tree, id);
        for &child in &node.children {
            let priority = priority(views, &tree.node(child).bounds, error_m);
            if priority > budget.error_px {
                heap.push(Candidate { priority, node: child });
            }
        }
    }
    // A tileset's errors need not fall from level to level.
    found.sort_by(|a, b| b.priority.total_cmp(&a.priority).then(a.node.cmp(&b.node)));
    found
}

/// The points of blocks above a priority that falls, in steps of an eighth of each power of two. Rounded down, which only lets the walk go on for a
/// little longer than needed: what it finds then is not wanted.
struct CompletePoints {
    /// Points by step, of the steps below `lowest`.
    by_step: Vec<u64>,
    lowest: usize,
    points: u64,
}

impl CompletePoints {
    /// Bits of a positive number that do not belong to its step.
    const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - 3;
    const STEPS: usize = (f64::INFINITY.to_bits() >> Self::SHIFT) as usize + 1;

    fn new() -> Self {
        Self { by_step: vec![0; Self::STEPS], lowest: Self::STEPS, points: 0 }
    }

    fn add(&mut self, priority: f64, points: u32) {
        let step = (priority.to_bits() >> Self::SHIFT) as usize;
        if step >= self.lowest { self.points += u64::from(points) } else { self.by_step[step] += u64::from(points) }
    }

    /// The points above a priority; those that were above an earlier one stay counted.
    fn above(&mut self, priority: f64) -> u64 {
        // The first step that is above as a whole.
        let first = (priority.max(0.0).to_bits() >> Self::SHIFT) as usize + 1;
        while self.lowest > first {
            self.lowest -= 1;
            self.points += self.by_step[self.lowest];
        }
        self.points
    }
}

/// Priority and points of each block of a tile.
fn blocks_of(tree: &Tree, views: &[View], id: NodeId, tile_priority: f64, blocks: &[Block]) -> Vec<(f64, u32)> {
    // A block may reach over its tile's box, which is rounded to whole millimetres.
    let bounds = blocks.iter().fold(tree.node(id).bounds, |bounds, block| bounds.union(block.bounds));
    let views = &views.iter().map(|view| view.within(&bounds)).collect::<Vec<View>>();
    let Some(parent) = tree.node(id).parent else {
        // Without the root there is nothing: all of it that is seen is needed.
        return blocks
            .iter()
            .map(|block| (if priority(views, &block.bounds, 1.0) > 0.0 { f64::INFINITY } else { 0.0 }, block.points))
            .collect();
    };
    let error_m = children_error_m(tree, parent);
    // A tile's own box is rounded, so that a block's priority may be larger by a little.
    blocks.iter().map(|block| (priority(views, &block.bounds, error_m).clamp(0.0, tile_priority), block.points)).collect()
}

/// How many points a spacing needs: sums over the blocks, so that each spacing costs two binary searches.
struct Counts {
    /// Priorities, falling.
    priorities: Vec<f64>,
    /// At `i`: points of the first `i` blocks.
    points: Vec<f64>,
    /// At `i`: points times the square of the priority, of the first `i` blocks. Infinite priorities count as 0.
    weighted: Vec<f64>,
}

impl Counts {
    fn new(found: &[FoundTile<'_>]) -> Self {
        // Positive numbers have the order of their bits.
        let mut blocks: Vec<(u64, u32)> = found
            .iter()
            .flat_map(|tile| &tile.blocks)
            .filter(|(priority, _)| *priority > 0.0)
            .map(|(priority, points)| (priority.to_bits(), *points))
            .collect();
        blocks.sort_unstable_by(|a, b| b.cmp(a));
        let mut counts = Self {
            priorities: Vec::with_capacity(blocks.len()),
            points: Vec::with_capacity(blocks.len() + 1),
            weighted: Vec::with_capacity(blocks.len() + 1),
        };
        counts.points.push(0.0);
        counts.weighted.push(0.0);
        let (mut points, mut weighted) = (0.0, 0.0);
        for (priority, own) in blocks {
            let (priority, own) = (f64::from_bits(priority), f64::from(own));
            points += own;
            if priority.is_finite() {
                weighted += own * priority.powi(2);
            }
            counts.priorities.push(priority);
            counts.points.push(points);
            counts.weighted.push(weighted);
        }
        counts
    }

    /// The points that a spacing needs.
    fn points(&self, spacing_px: f64) -> f64 {
        let complete = self.priorities.partition_point(|priority| *priority >= 2.0 * spacing_px);
        let partly = self.priorities.partition_point(|priority| *priority > spacing_px);
        let (points, weighted) = (self.points[partly] - self.points[complete], self.weighted[partly] - self.weighted[complete]);
        self.points[complete] + (weighted / spacing_px.powi(2) - points) / 3.0
    }

    /// Points that are drawn at any spacing: those of the root.
    fn always(&self) -> f64 {
        self.points[self.priorities.partition_point(|priority| *priority == f64::INFINITY)]
    }

    /// The smallest spacing whose points fit into the budget.
    fn spacing_px(&self, budget: &Budget) -> f64 {
        // At the largest finite priority only the root is left.
        let largest = self.priorities.iter().copied().find(|priority| priority.is_finite()).unwrap_or(budget.error_px);
        let (mut low, mut high) = (budget.error_px, largest.max(budget.error_px));
        for _ in 0..SEARCH_STEPS {
            let middle = (low * high).sqrt();
            if self.points(middle) > budget.points as f64 { low = middle } else { high = middle }
        }
        high
    }
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
        named(tree, selection.draw.iter().map(|tile| tile.node))
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
                why: "the root is drawn even where it alone is beyond the budget",
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
            assert_eq!(named(&tree, selection.load.iter().map(|(id, _)| *id)), frame.load, "load: {}", frame.why);
            assert_eq!(selection.budget_reached, frame.budget_reached, "budget: {}", frame.why);
            assert!(selection.draw.iter().all(|tile| selection.touch.contains(&tile.node)), "touch: {}", frame.why);
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
        assert_eq!(named(&tree, before.load.iter().map(|(id, _)| *id)), ["1.json"]);
        let below = tileset(tile([0.0, 20.0, 0.0], 8.0, 0.1, 50, Some("../t/1.glb"), vec![]));
        let link = tree.node(Tree::ROOT).children[0];
        tree.attach(link, &below, "s").expect("a valid tileset");
        let after = select(&tree, &[view()], &|_| Residency::Ready(&[]), &GENEROUS);
        assert_eq!(drawn(&tree, &after), ["0.glb", "1.glb"]);
    }
}
