//! The selection of tiles.
//!
//! A best-first walk from the root. A tile is wanted where what its parent leaves out would cover more than
//! [`Budget::error_px`] pixels at the tile's nearest point; the tile whose absence shows most goes first. A wanted tile
//! that is not resident is requested and its children wait for it, so that tiles that arrive are drawn at once, coarse
//! ones before fine ones. The walk ends when the next tile would exceed the budget of points; requested tiles count, too,
//! since loading what could never be drawn would push out what is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::tree::{Content, NodeId, Tree};
use super::view::View;

/// Whether a node's content can be drawn now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residency {
    /// Not in memory: must be loaded.
    Absent,
    /// On the graphics card, or attached to the tree.
    Ready,
    /// Could not be loaded: its children are drawn without it.
    Failed,
}

/// What a frame may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Points drawn at most. The root is drawn even if it alone has more.
    pub points: u64,
    /// Finer than this many pixels is not wanted.
    pub error_px: f64,
}

/// What a frame draws, loads and keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Resident tiles with points, the most important first.
    pub draw: Vec<NodeId>,
    /// Absent tiles and subtrees with their priorities (the pixels that their absence shows), the most important first.
    pub load: Vec<(NodeId, f64)>,
    /// Everything that this frame relies on and that must not be evicted: what is drawn, what was asked for.
    pub touch: Vec<NodeId>,
    /// Points of `draw`.
    pub points: u64,
    /// Whether the budget, not the wanted error, ended the walk.
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

/// Chooses for one frame. Several views (a walker's camera and the floor round the feet, or two windows) share one
/// budget.
pub fn select(tree: &Tree, views: &[View], resident: &dyn Fn(NodeId) -> Residency, budget: &Budget) -> Selection {
    let mut selection = Selection::default();
    let mut wanted_points = 0u64;
    let mut heap = BinaryHeap::new();
    if views.iter().any(|view| view.sees(&tree.node(Tree::ROOT).bounds)) {
        heap.push(Candidate { priority: f64::INFINITY, node: Tree::ROOT });
    }
    while let Some(Candidate { priority, node: id }) = heap.pop() {
        let node = tree.node(id);
        let after = wanted_points + u64::from(node.points);
        if after > budget.points && id != Tree::ROOT {
            selection.budget_reached = true;
            break;
        }
        let residency = if node.content == Content::None { Residency::Ready } else { resident(id) };
        match residency {
            Residency::Absent => {
                wanted_points = after;
                selection.load.push((id, priority));
                selection.touch.push(id);
                continue;
            }
            Residency::Ready => {
                wanted_points = after;
                selection.touch.push(id);
                if matches!(node.content, Content::Points(_)) {
                    selection.draw.push(id);
                    selection.points += u64::from(node.points);
                }
            }
            Residency::Failed => {}
        }
        for &child in &node.children {
            let bounds = &tree.node(child).bounds;
            // The children of a link to a subtree stand in for the link itself.
            let error_m = if matches!(node.content, Content::Subtree(_)) { parent_error_m(tree, id) } else { node.geometric_error_m };
            let priority =
                views.iter().filter(|view| view.sees(bounds)).map(|view| view.error_px(bounds, error_m)).fold(f64::NEG_INFINITY, f64::max);
            if priority > budget.error_px {
                heap.push(Candidate { priority, node: child });
            }
        }
    }
    selection
}

fn parent_error_m(tree: &Tree, link: NodeId) -> f64 {
    let node = tree.node(link);
    node.parent.map_or(node.geometric_error_m, |parent| tree.node(parent).geometric_error_m)
}

#[cfg(test)]
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
        let frames = [
            Frame {
                why: "nothing is here",
                resident: &[],
                failed: &[],
                budget: GENEROUS,
                draw: &[],
                load: &["0.glb"],
                budget_reached: false,
            },
            Frame {
                why: "coarse is drawn, the nearer child is asked for first",
                resident: &["0.glb"],
                failed: &[],
                budget: GENEROUS,
                draw: &["0.glb"],
                load: &["near.glb", "far.glb"],
                budget_reached: false,
            },
            Frame {
                why: "a child is drawn while its sibling is being loaded",
                resident: &["0.glb", "far.glb"],
                failed: &[],
                budget: GENEROUS,
                draw: &["0.glb", "far.glb"],
                load: &["near.glb"],
                budget_reached: false,
            },
            Frame {
                why: "a grandchild without its parent waits",
                resident: &["0.glb", "far.glb", "near-near.glb"],
                failed: &[],
                budget: GENEROUS,
                draw: &["0.glb", "far.glb"],
                load: &["near.glb"],
                budget_reached: false,
            },
            Frame {
                why: "a failed tile does not hold back what is under it",
                resident: &["0.glb", "far.glb", "near-near.glb"],
                failed: &["near.glb"],
                budget: GENEROUS,
                draw: &["0.glb", "far.glb", "near-near.glb"],
                load: &[],
                budget_reached: false,
            },
            Frame {
                why: "all is here",
                resident: &["0.glb", "far.glb", "near.glb", "near-near.glb"],
                failed: &[],
                budget: GENEROUS,
                draw: &["0.glb", "near.glb", "far.glb", "near-near.glb"],
                load: &[],
                budget_reached: false,
            },
            Frame {
                why: "the budget keeps the most visible",
                resident: &["0.glb", "far.glb", "near.glb", "near-near.glb"],
                failed: &[],
                budget: Budget { points: 450, error_px: 1.0 },
                draw: &["0.glb", "near.glb"],
                load: &[],
                budget_reached: true,
            },
            Frame {
                why: "what could not be drawn is not loaded",
                resident: &["0.glb"],
                failed: &[],
                budget: Budget { points: 450, error_px: 1.0 },
                draw: &["0.glb"],
                load: &["near.glb"],
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
                why: "the root is drawn even beyond the budget",
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
                    Residency::Ready
                } else {
                    Residency::Absent
                }
            };
            let selection = select(&tree, &[view()], &residency, &frame.budget);
            assert_eq!(named(&tree, selection.draw.iter().copied()), frame.draw, "draw: {}", frame.why);
            assert_eq!(named(&tree, selection.load.iter().map(|(id, _)| *id)), frame.load, "load: {}", frame.why);
            assert_eq!(selection.budget_reached, frame.budget_reached, "budget: {}", frame.why);
            assert!(selection.draw.iter().all(|id| selection.touch.contains(id)), "touch: {}", frame.why);
            assert_eq!(selection, select(&tree, &[view()], &residency, &frame.budget), "same again: {}", frame.why);
        }
    }

    #[test]
    fn what_is_behind_is_kept_by_a_second_view_only() {
        let tree = tree();
        let all = |_| Residency::Ready;
        let away = View::perspective(DVec3::new(0.0, 11.0, 0.0), DVec3::NEG_Y, DVec3::Z, 0.5, 1.0, 1000.0);
        let alone = select(&tree, std::slice::from_ref(&away), &all, &GENEROUS);
        assert!(!named(&tree, alone.draw).contains(&"far.glb".to_owned()));
        let around = View::around(DVec3::new(0.0, 24.0, 0.0), 3.0, 1000.0);
        let both = select(&tree, &[away, around], &all, &GENEROUS);
        assert!(named(&tree, both.draw).contains(&"far.glb".to_owned()));
    }

    #[test]
    fn outside_of_every_view_nothing_is_chosen() {
        let away = View::perspective(DVec3::ZERO, DVec3::NEG_Y, DVec3::Z, 1.0, 1.0, 1000.0);
        assert_eq!(select(&tree(), &[away], &|_| Residency::Ready, &GENEROUS), Selection::default());
        assert_eq!(select(&tree(), &[], &|_| Residency::Ready, &GENEROUS), Selection::default());
    }

    #[test]
    fn a_subtree_is_asked_for_and_then_passed_through() {
        let link = tile([0.0, 20.0, 0.0], 8.0, 0.1, 0, Some("s/1.json"), vec![]);
        let mut tree =
            Tree::from_tileset(&tileset(tile([0.0, 20.0, 0.0], 9.0, 0.2, 100, Some("t/0.glb"), vec![link])), "").expect("a valid tileset");
        let absent_link = |id: NodeId| if id == Tree::ROOT { Residency::Ready } else { Residency::Absent };
        let before = select(&tree, &[view()], &absent_link, &GENEROUS);
        assert_eq!(named(&tree, before.load.iter().map(|(id, _)| *id)), ["1.json"]);
        let below = tileset(tile([0.0, 20.0, 0.0], 8.0, 0.1, 50, Some("../t/1.glb"), vec![]));
        let link = tree.node(Tree::ROOT).children[0];
        tree.attach(link, &below, "s").expect("a valid tileset");
        let after = select(&tree, &[view()], &|_| Residency::Ready, &GENEROUS);
        assert_eq!(named(&tree, after.draw), ["0.glb", "1.glb"]);
    }
}
