//! The JSON documents of the tileset: the tree of the tiles by their keys, with tight bounding boxes and decreasing geometric errors.

use std::collections::HashMap;

use crate::build::node_file::{FinalNode, FinalTile};
use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;
use parterre_tile::tileset::{Asset, AssetExtras, BoundingVolume, Content, ScanExtras, Tile, TileExtras, Tileset};

use crate::build::encoder::tile_path;

/// About how many tiles a document has at most: clients parse the first one before they show anything.
const DOCUMENT_TILES: usize = 500;

/// A tile with everything below it.
struct Branch<'a> {
    node: &'a FinalNode,
    /// Bounds of the points in and below the tile, in millimetres.
    min: [i64; 3],
    max: [i64; 3],
    error_m: f64,
    children: Vec<Branch<'a>>,
}

/// Paths and bytes of all documents, `tileset.json` first. The nodes are sorted by their keys; `transform` is the root's.
pub(crate) fn documents(nodes: &[FinalNode], transform: [f64; 16], scan: ScanExtras) -> Result<Vec<(String, Vec<u8>)>> {
    let root = tree(nodes)?;
    let mut documents = Documents::default();
    let (mut tile, _) = documents.tile(&root)?;
    tile.refine = Some("ADD".into());
    tile.transform = Some(transform);
    let extras = AssetExtras { parterre: Some(scan) };
    documents.close("tileset.json".into(), document(tile, root.error_m, Some(extras)))?;
    documents.finished.reverse();
    Ok(documents.finished)
}

/// Puts every tile below its nearest ancestor that has points.
fn tree(nodes: &[FinalNode]) -> Result<Branch<'_>> {
    let index_of: HashMap<NodeKey, usize> = nodes.iter().enumerate().map(|(index, node)| (node.key, index)).collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut root = None;
    for (index, node) in nodes.iter().enumerate() {
        let mut above = node.key.parent();
        while above.is_some_and(|key| !index_of.contains_key(&key)) {
            above = above.and_then(NodeKey::parent);
        }
        match above.and_then(|key| index_of.get(&key)) {
            Some(&above) => below[above].push(index),
            None if root.is_none() => root = Some(index),
            None => return Err(Error::Internal("a tree with more than one root".into())),
        }
    }
    let root = root.ok_or_else(|| Error::Internal("a tree without a root".into()))?;
    branch(nodes, &below, root)
}

fn branch<'a>(nodes: &'a [FinalNode], below: &[Vec<usize>], index: usize) -> Result<Branch<'a>> {
    let node = &nodes[index];
    let Some(FinalTile { min, max, .. }) = node.tile else { return Err(Error::Internal(format!("the node {} has no tile", node.key))) };
    let children = below[index].iter().map(|&index| branch(nodes, below, index)).collect::<Result<Vec<_>>>()?;
    let error_below = children.iter().map(|child| child.error_m).fold(0.0, f64::max);
    let mut branch = Branch { node, min, max, error_m: if children.is_empty() { 0.0 } else { node.spacing_m.max(error_below) }, children };
    for child in &branch.children {
        branch.min = [0, 1, 2].map(|axis| branch.min[axis].min(child.min[axis]));
        branch.max = [0, 1, 2].map(|axis| branch.max[axis].max(child.max[axis]));
    }
    Ok(branch)
}

fn document(root: Tile, error_m: f64, extras: Option<AssetExtras>) -> Tileset {
    let generator = Some(concat!("Parterre ", env!("CARGO_PKG_VERSION")).to_owned());
    let extensions = serde_json::json!({"3DTILES_content_gltf": {
        "extensionsUsed": ["EXT_meshopt_compression", "KHR_mesh_quantization"],
        "extensionsRequired": ["EXT_meshopt_compression", "KHR_mesh_quantization"],
    }});
    Tileset {
        asset: Asset { version: "1.1".into(), generator, extras },
        geometric_error: error_m,
        root,
        extensions: Some(extensions),
        extensions_used: vec!["3DTILES_content_gltf".into()],
    }
}

/// Finished documents, those of deeper subtrees first.
#[derive(Default)]
struct Documents {
    finished: Vec<(String, Vec<u8>)>,
}

impl Documents {
    fn close(&mut self, path: String, tileset: Tileset) -> Result<()> {
        let bytes = serde_json::to_vec(&tileset).map_err(|error| Error::Internal(error.to_string()))?;
        self.finished.push((path, bytes));
        Ok(())
    }

    /// The tile with its children, and the number of tiles in it; the largest children get documents of their own where
    /// there would be too many.
    fn tile(&mut self, branch: &Branch<'_>) -> Result<(Tile, usize)> {
        let mut children = Vec::with_capacity(branch.children.len());
        for child in &branch.children {
            children.push(self.tile(child)?);
        }
        let total = |children: &[(Tile, usize)]| 1 + children.iter().map(|(_, count)| count).sum::<usize>();
        while total(&children) > DOCUMENT_TILES {
            let largest = (0..children.len()).max_by_key(|&index| (children[index].1, usize::MAX - index));
            let Some(largest) = largest.filter(|&index| children[index].1 > 1) else { break };
            let child = &branch.children[largest];
            let path = format!("subtree-{}.json", child.node.key);
            let link = tile(child, path.clone(), None, Vec::new());
            let (mut root, _) = std::mem::replace(&mut children[largest], (link, 1));
            root.refine = Some("ADD".into());
            self.close(path, document(root, child.error_m, None))?;
        }
        let count = total(&children);
        let children = children.into_iter().map(|(child, _)| child).collect();
        Ok((tile(branch, tile_path(branch.node.key), Some(TileExtras { points: branch.node.points }), children), count))
    }
}

fn tile(branch: &Branch<'_>, uri: String, extras: Option<TileExtras>, children: Vec<Tile>) -> Tile {
    let metres = |value: f64| value / 1000.0;
    let mut obb = [0.0; 12];
    for axis in 0..3 {
        let (min, max) = (branch.min[axis] as f64, branch.max[axis] as f64);
        obb[axis] = metres(f64::midpoint(min, max));
        // A point represents a cube of 1 mm, and some clients ignore boxes without thickness.
        obb[3 + 4 * axis] = metres((max - min) / 2.0 + 0.5);
    }
    Tile {
        bounding_volume: BoundingVolume { obb },
        geometric_error: branch.error_m,
        refine: None,
        transform: None,
        content: Some(Content { uri }),
        children,
        extras,
    }
}
