//! The nodes above the chunks, built from the roots of the chunks.

use std::path::{Path, PathBuf};

use super::builder::{Buffers, Builder, Node, Points, gather};
use super::node_file::{ChunkRoot, NodeFile};
use super::node_writer::BuildSettings;
use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;

/// The root of a chunk, and the node file that holds its records.
pub(crate) struct ChunkRootFile<'a> {
    pub(crate) root: ChunkRoot,
    pub(crate) file: &'a NodeFile,
    pub(crate) path: PathBuf,
}

/// Builds the nodes above the chunks, whose roots come in Morton order of their cells.
pub(crate) fn build_upper(
    settings: &BuildSettings<'_>,
    roots: Vec<ChunkRootFile<'_>>,
    path: &Path,
    buffers: &mut Buffers,
) -> Result<NodeFile> {
    let mut builder = Builder::new(settings, path, buffers)?;
    let mut roots = roots.into_iter().peekable();
    let mut points = Points::default();
    let root = cell(&mut builder, NodeKey::ROOT, &mut roots, &mut points)?;
    let root = root.ok_or_else(|| Error::Internal("a tree without a root".into()))?;
    builder.write(points.all(), root)?;
    builder.finish()
}

type Roots<'a> = std::iter::Peekable<std::vec::IntoIter<ChunkRootFile<'a>>>;

/// Builds the cell `key` from the chunks that lie in it; appends its content to `points`. `None` where there is no chunk in it.
fn cell(builder: &mut Builder<'_>, key: NodeKey, roots: &mut Roots<'_>, points: &mut Points) -> Result<Option<Node>> {
    let stride = builder.settings.stride();
    let is_inside = |root: &ChunkRootFile<'_>| root.root.key.ancestor(key.level) == Some(key);
    if !roots.peek().is_some_and(is_inside) {
        return Ok(None);
    }
    if let Some(ChunkRootFile { root, file, path }) = roots.next_if(|root| root.root.key == key) {
        let start = points.surfaces.len();
        file.load_chunk_root(&path, stride, &mut points.records, &mut points.surfaces)?;
        let content: Vec<u32> = (start..points.surfaces.len()).map(|index| index as u32).collect();
        if content.len() != root.points as usize {
            return Err(Error::Internal(format!("{} points of {} in the chunk {key}", content.len(), root.points)));
        }
        return Ok(Some(Node { key, content, has_children: root.has_children, spacing_m: root.spacing_m }));
    }
    let mut lower = Points::default();
    let mut nodes = Vec::new();
    for number in 0..8 {
        nodes.extend(cell(builder, key.child(number), roots, &mut lower)?);
    }
    let node = builder.parent(key, lower.all(), nodes)?;
    let start = points.surfaces.len();
    let mut content = Points::default();
    gather(lower.all(), stride, &node.content, &mut content);
    points.records.extend_from_slice(&content.records);
    points.surfaces.extend_from_slice(&content.surfaces);
    Ok(Some(Node { content: (start..points.surfaces.len()).map(|index| index as u32).collect(), ..node }))
}
