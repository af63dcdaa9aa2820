//! The tree of tiles as far as it is known: the root tileset, and what external tilesets added.

use parterre_model::points::Bounds;
use parterre_model::{Error, Result};
use parterre_tile::tileset::{ScanExtras, Tile, Tileset};

/// More tiles than any scan needs (1 G points make about 20,000); larger documents are refused.
const MAX_NODES: usize = 4_000_000;

const HINT: &str = "The tileset is damaged or was not made by Parterre; tile the scan again.";

/// A node's place in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Position in the tree's list of nodes.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What must be fetched for a node. Addresses are relative to the root tileset's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing of its own.
    None,
    /// A `.glb` with points.
    Points(String),
    /// A tileset that continues the tree here; see [`Tree::attach`].
    Subtree(String),
}

/// A tile.
#[derive(Clone, Debug)]
pub struct Node {
    /// `None` at the root.
    pub parent: Option<NodeId>,
    /// Known children.
    pub children: Vec<NodeId>,
    /// Tile frame, metres.
    pub bounds: Bounds,
    /// What is missing of the scan where this tile's children are not drawn. Metres.
    pub geometric_error_m: f64,
    /// Points in its own content, 0 where the document does not say.
    pub points: u32,
    /// 0 at the root.
    pub level: u32,
    /// What to fetch.
    pub content: Content,
}

/// The tree of tiles; all of it additive: a tile's points complete its parent's.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// What the root tileset says of the scan.
    pub scan: ScanExtras,
}

impl Tree {
    /// The node at the top.
    pub const ROOT: NodeId = NodeId(0);

    /// Reads the root tileset. `base` is the folder of the document relative to the root tileset's: "" here.
    pub fn from_tileset(tileset: &Tileset, base: &str) -> Result<Self> {
        let scan = tileset.asset.extras.as_ref().and_then(|extras| extras.parterre.clone()).ok_or_else(|| {
            Error::input("tileset_foreign", "the tileset has no asset.extras.parterre", "Open a tileset that Parterre made.")
        })?;
        if scan.format_version != parterre_tile::tileset::FORMAT_VERSION {
            return Err(Error::input(
                "tileset_version",
                format!(
                    "the tileset has layout version {}, this program reads {}",
                    scan.format_version,
                    parterre_tile::tileset::FORMAT_VERSION
                ),
                "Use a newer viewer, or tile the scan again.",
            ));
        }
        if !scan.frame.origin_m.is_finite() {
            return Err(Error::input("tileset_corrupt", "the scan's origin is not a finite position", HINT));
        }
        let mut tree = Self { nodes: Vec::new(), scan };
        tree.add(&tileset.root, None, base)?;
        Ok(tree)
    }

    /// Puts an external tileset under the node that refers to it. Attaching twice changes nothing.
    pub fn attach(&mut self, node: NodeId, tileset: &Tileset, base: &str) -> Result<()> {
        let known = self.nodes.len();
        if !matches!(self.node(node).content, Content::Subtree(_)) || !self.node(node).children.is_empty() {
            return Ok(());
        }
        let added = self.add(&tileset.root, Some(node), base);
        if added.is_err() {
            // Half a document would draw half a building.
            self.nodes.truncate(known);
            self.nodes[node.index()].children.clear();
        }
        added
    }

    /// A node.
    ///
    /// # Panics
    /// Where the id comes from another tree.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// Every known node.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0u32..).map(NodeId).zip(&self.nodes)
    }

    /// Number of known nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Always false: a tree has a root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn add(&mut self, root: &Tile, parent: Option<NodeId>, base: &str) -> Result<()> {
        let mut pending = vec![(root, parent)];
        while let Some((tile, parent)) = pending.pop() {
            if self.nodes.len() >= MAX_NODES {
                return Err(Error::input("tileset_corrupt", format!("more than {MAX_NODES} tiles"), HINT));
            }
            let id = NodeId(self.nodes.len() as u32);
            let node = read_node(tile, parent, parent.map_or(0, |parent| self.node(parent).level + 1), base)?;
            self.nodes.push(node);
            if let Some(parent) = parent {
                self.nodes[parent.index()].children.push(id);
            }
            pending.extend(tile.children.iter().rev().map(|child| (child, Some(id))));
        }
        Ok(())
    }
}

fn read_node(tile: &Tile, parent: Option<NodeId>, level: u32, base: &str) -> Result<Node> {
    let corrupt = |what: String| Error::input("tileset_corrupt", what, HINT);
    let bounds = tile.bounding_volume.bounds();
    if !bounds.min.is_finite() || !bounds.max.is_finite() {
        return Err(corrupt("a tile's box is not finite".into()));
    }
    if !tile.geometric_error.is_finite() || tile.geometric_error < 0.0 {
        return Err(corrupt(format!("a tile's geometric error is {}", tile.geometric_error)));
    }
    if parent.is_some() && tile.transform.is_some() {
        return Err(corrupt("a tile below the root has a transform".into()));
    }
    let content = match &tile.content {
        None => Content::None,
        Some(content) => {
            let path = content.path(base).ok_or_else(|| corrupt(format!("the address {:?} leaves the tileset", content.uri)))?;
            match path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
                Some("json") => Content::Subtree(path),
                _ => Content::Points(path),
            }
        }
    };
    Ok(Node {
        parent,
        children: Vec::new(),
        bounds,
        geometric_error_m: tile.geometric_error,
        points: tile.extras.map_or(0, |extras| extras.points),
        level,
        content,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use glam::DVec3;
    use serde_json::{Value, json};

    use super::*;

    /// A cube of edge `2 * half` metres round `center`.
    pub(crate) fn tile(center: [f64; 3], half: f64, error: f64, points: u32, uri: Option<&str>, children: Vec<Value>) -> Value {
        let [x, y, z] = center;
        let mut tile = json!({
            "boundingVolume": {"box": [x, y, z, half, 0, 0, 0, half, 0, 0, 0, half]},
            "geometricError": error, "extras": {"points": points}, "children": children,
        });
        if let Some(uri) = uri {
            tile["content"] = json!({"uri": uri});
        }
        tile
    }

    pub(crate) fn tileset(root: Value) -> Tileset {
        serde_json::from_value(json!({
            "asset": {"version": "1.1", "extras": {"parterre": {
                "format_version": 1,
                "frame": {"origin_m": [0.0, 0.0, 0.0], "unit": "metre", "unit_source": "file", "crs": null},
                "attributes": {"color": true, "intensity": false, "classification": false, "returns": false, "gps_time": false},
                "points": 1, "bounds": [0, 0, 0, 1, 1, 1],
            }}},
            "geometricError": 10.0, "root": root,
        }))
        .expect("the test's own document")
    }

    fn leaf(uri: &str) -> Value {
        tile([0.0; 3], 1.0, 0.0, 5, Some(uri), vec![])
    }

    #[test]
    fn levels_parents_and_kinds_are_read() {
        let root = tile([0.0; 3], 8.0, 1.0, 10, Some("t/0.glb"), vec![leaf("t/1.glb"), leaf("s/2.json")]);
        let tree = Tree::from_tileset(&tileset(root), "").expect("a valid tileset");
        assert_eq!(tree.len(), 3);
        let children = &tree.node(Tree::ROOT).children;
        assert_eq!(tree.node(children[0]).content, Content::Points("t/1.glb".into()));
        assert_eq!(tree.node(children[1]).content, Content::Subtree("s/2.json".into()));
        assert_eq!(tree.node(children[1]).level, 1);
        assert_eq!(tree.node(children[1]).parent, Some(Tree::ROOT));
        assert_eq!(tree.node(Tree::ROOT).bounds, Bounds { min: DVec3::splat(-8.0), max: DVec3::splat(8.0) });
    }

    #[test]
    fn a_subtree_is_attached_once_and_whole_or_not_at_all() {
        let mut tree =
            Tree::from_tileset(&tileset(tile([0.0; 3], 8.0, 1.0, 10, None, vec![leaf("s/2.json")])), "").expect("a valid tileset");
        let link = tree.node(Tree::ROOT).children[0];
        let bad = tileset(tile([0.0; 3], 1.0, 0.5, 1, Some("../t/a.glb"), vec![leaf("../../outside.glb")]));
        assert_eq!(tree.attach(link, &bad, "s").expect_err("leaves the folder").code(), "tileset_corrupt");
        assert_eq!(tree.len(), 2);
        assert!(tree.node(link).children.is_empty());
        let good = tileset(tile([0.0; 3], 1.0, 0.5, 1, Some("../t/a.glb"), vec![leaf("../t/b.glb")]));
        tree.attach(link, &good, "s").expect("a valid tileset");
        tree.attach(link, &good, "s").expect("again");
        assert_eq!(tree.len(), 4);
        assert_eq!(tree.node(tree.node(link).children[0]).content, Content::Points("t/a.glb".into()));
    }

    #[test]
    fn a_georeferenced_scan_has_the_same_tree_as_a_local_one() {
        let document = tile([5.0, 6.0, 7.0], 8.0, 1.0, 10, Some("t/0.glb"), vec![leaf("t/1.glb")]);
        let local = Tree::from_tileset(&tileset(document.clone()), "").expect("a valid tileset");
        let mut earth = tileset(document);
        let matrix = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 6_378_137.0, 0.0, 0.0, 1.0];
        earth.root.transform = Some(matrix);
        let scan = earth.asset.extras.as_mut().and_then(|extras| extras.parterre.as_mut()).expect("the test's own");
        scan.frame.ecef_from_tile = Some(matrix);
        scan.frame.origin_m = DVec3::new(652_000.0, 6_862_000.0, 30.0);
        let text = serde_json::to_string(&earth).expect("plain numbers");
        let tree = Tree::from_tileset(&serde_json::from_str(&text).expect("what was written"), "").expect("a valid tileset");
        assert_eq!(tree.scan.frame.ecef_from_tile, Some(matrix));
        assert_eq!(tree.scan.frame.scan_from_tile(DVec3::ONE), DVec3::new(652_001.0, 6_862_001.0, 31.0));
        for (id, node) in tree.iter() {
            assert_eq!(node.bounds, local.node(id).bounds);
        }
    }

    #[test]
    fn invalid_tilesets_are_refused_with_a_code() {
        let mut foreign = tileset(leaf("t/0.glb"));
        foreign.asset.extras = None;
        assert_eq!(Tree::from_tileset(&foreign, "").expect_err("foreign").code(), "tileset_foreign");
        let mut newer = tileset(leaf("t/0.glb"));
        if let Some(scan) = newer.asset.extras.as_mut().and_then(|extras| extras.parterre.as_mut()) {
            scan.format_version = 2;
        }
        assert_eq!(Tree::from_tileset(&newer, "").expect_err("newer").code(), "tileset_version");
        let mut negative = tileset(leaf("t/0.glb"));
        negative.root.geometric_error = -1.0;
        assert_eq!(Tree::from_tileset(&negative, "").expect_err("negative").code(), "tileset_corrupt");
    }
}
