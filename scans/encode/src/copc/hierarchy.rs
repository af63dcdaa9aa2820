//! The record `copc` 1000: keys of the nodes, offsets of their chunks and their numbers of points.
//!
//! Entries of 32 bytes are grouped in pages of at most [`MAX_ENTRIES`], so that a reader fetches only the part that it
//! needs. A subtree that fits into one page gets its own page, unless it is so small that it stays with its parent; the
//! nodes above such subtrees form the root page and, in very large trees, intermediate pages. A node without points that
//! lies above others has an entry with 0 points.

use std::collections::{BTreeMap, VecDeque};

use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;

/// Bytes of an entry.
pub const ENTRY_LEN: usize = 32;
/// Most entries of a page, without the references to other pages at its end: at most 8 for each of its entries.
pub const MAX_ENTRIES: u64 = 1024;
/// A subtree with fewer entries gets no page of its own.
const MIN_ENTRIES: u64 = 32;
/// Instead of the number of points: the entry refers to a page.
const PAGE: i32 = -1;

/// A node with points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) key: NodeKey,
    /// Where its chunk begins in the file.
    pub(super) offset: u64,
    /// Length of its chunk.
    pub(super) bytes: i32,
    /// Number of its points.
    pub(super) points: i32,
}

/// All pages, the root page first.
pub(super) struct Pages {
    pub(super) bytes: Vec<u8>,
    /// Length of the root page.
    pub(super) root_len: u64,
}

/// An entry of a page: a node, or a reference to another page.
enum Entry {
    Node(Node),
    /// By its index in the list of pages.
    Page(NodeKey, usize),
}

/// Divides the tree into pages; the first one begins at `root_offset` in the file.
pub(super) fn pages(nodes: &[Node], root_offset: u64) -> Result<Pages> {
    let tree = with_ancestors(nodes)?;
    let sizes = subtree_sizes(&tree);
    let size = |key: &NodeKey| sizes.get(key).copied().unwrap_or(0);

    let mut roots = VecDeque::from([NodeKey::ROOT]);
    let mut begun = 1;
    let mut pages: Vec<Vec<Entry>> = Vec::new();
    while let Some(root) = roots.pop_front() {
        let whole = size(&root) <= MAX_ENTRIES;
        let mut entries = Vec::new();
        let mut open = VecDeque::from([root]);
        while let Some(key) = open.pop_front() {
            let Some(&node) = tree.get(&key) else { continue };
            let own_page = key != root && !whole && {
                let (size, full) = (size(&key), entries.len() as u64 >= MAX_ENTRIES);
                if full { size > 1 } else { (MIN_ENTRIES..=MAX_ENTRIES).contains(&size) }
            };
            if own_page {
                entries.push(Entry::Page(key, begun));
                roots.push_back(key);
                begun += 1;
            } else {
                entries.push(Entry::Node(node));
                open.extend(key.children());
            }
        }
        pages.push(entries);
    }
    let mut offsets = Vec::with_capacity(pages.len());
    let mut at = root_offset;
    for page in &pages {
        offsets.push(at);
        at += (page.len() * ENTRY_LEN) as u64;
    }
    let mut bytes = Vec::with_capacity((at - root_offset) as usize);
    for entry in pages.iter().flatten() {
        let node = match *entry {
            Entry::Node(node) => node,
            Entry::Page(key, index) => Node { key, offset: offsets[index], bytes: (pages[index].len() * ENTRY_LEN) as i32, points: PAGE },
        };
        for number in [node.key.level, node.key.cell[0], node.key.cell[1], node.key.cell[2]] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(node.offset.to_le_bytes());
        bytes.extend(node.bytes.to_le_bytes());
        bytes.extend(node.points.to_le_bytes());
    }
    Ok(Pages { root_len: pages.first().map_or(0, |page| (page.len() * ENTRY_LEN) as u64), bytes })
}

/// The nodes by key, with every node that lies above one of them.
fn with_ancestors(nodes: &[Node]) -> Result<BTreeMap<NodeKey, Node>> {
    let empty = |key| Node { key, offset: 0, bytes: 0, points: 0 };
    let mut tree = BTreeMap::from([(NodeKey::ROOT, empty(NodeKey::ROOT))]);
    for node in nodes {
        if tree.insert(node.key, *node).is_some_and(|before| before.points != 0) {
            return Err(Error::Internal(format!("the node {} was written twice", node.key)));
        }
        let mut above = node.key.parent();
        while let Some(key) = above {
            if tree.contains_key(&key) {
                break;
            }
            tree.insert(key, empty(key));
            above = key.parent();
        }
    }
    Ok(tree)
}

/// Number of entries in the subtree of each node, itself included.
fn subtree_sizes(tree: &BTreeMap<NodeKey, Node>) -> BTreeMap<NodeKey, u64> {
    let mut sizes: BTreeMap<NodeKey, u64> = tree.keys().map(|&key| (key, 1)).collect();
    // Deeper levels are greater keys: children come before their parents.
    for &key in tree.keys().rev() {
        if let Some(parent) = key.parent() {
            let size = sizes.get(&key).copied().unwrap_or(0);
            *sizes.entry(parent).or_insert(0) += size;
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn node(key: NodeKey) -> Node {
        Node { key, offset: 1000 + u64::from(key.level), bytes: 7, points: 3 }
    }

    /// Follows the pages from the root as readers do.
    fn read(pages: &Pages, root_offset: u64) -> (BTreeMap<NodeKey, Node>, usize, usize) {
        let mut found = BTreeMap::new();
        let mut open = vec![(root_offset, pages.root_len, None)];
        let (mut count, mut longest) = (0, 0);
        while let Some((offset, len, root)) = open.pop() {
            let start = (offset - root_offset) as usize;
            let page = &pages.bytes[start..start + len as usize];
            assert!(!page.is_empty() && page.len().is_multiple_of(ENTRY_LEN));
            count += 1;
            longest = longest.max(page.len() / ENTRY_LEN);
            let mut holds_root = root.is_none();
            for entry in page.chunks_exact(ENTRY_LEN) {
                let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| entry[at + i]));
                let key = NodeKey { level: word(0), cell: [word(4), word(8), word(12)] };
                let offset = u64::from_le_bytes(std::array::from_fn(|i| entry[16 + i]));
                let (bytes, points) = (word(24) as i32, word(28) as i32);
                if points == PAGE {
                    assert_ne!(Some(key), root, "a page refers to itself");
                    open.push((offset, bytes as u64, Some(key)));
                } else {
                    holds_root |= Some(key) == root;
                    assert!(found.insert(key, Node { key, offset, bytes, points }).is_none(), "{key} twice");
                }
            }
            assert!(holds_root, "a page without its own node");
        }
        (found, count, longest)
    }

    #[test]
    fn small_trees_are_one_page_and_have_all_ancestors() {
        let deep = NodeKey { level: 4, cell: [15, 0, 3] };
        let pages = pages(&[node(deep)], 5000).expect("pages");
        let (found, count, _) = read(&pages, 5000);
        assert_eq!((found.len(), count), (5, 1));
        assert_eq!(found[&deep], node(deep));
        assert_eq!(found[&NodeKey::ROOT], Node { key: NodeKey::ROOT, offset: 0, bytes: 0, points: 0 });
    }

    #[test]
    fn no_nodes_are_an_empty_root() {
        let (found, count, _) = read(&pages(&[], 10).expect("pages"), 10);
        assert_eq!((found.len(), count), (1, 1));
    }

    #[test]
    fn large_trees_split_and_lose_nothing() {
        // A floor: the lower half of every cell, six levels down, and one deep spike.
        let mut keys = BTreeSet::from([NodeKey { level: 20, cell: [1 << 19, 77, 5] }]);
        let mut level = vec![NodeKey::ROOT];
        for _ in 0..7 {
            keys.extend(&level);
            level = level.iter().flat_map(|key| (0..4).map(|octant| key.child(octant))).collect();
        }
        let nodes: Vec<_> = keys.iter().rev().map(|&key| node(key)).collect();
        let pages = pages(&nodes, 1 << 33).expect("pages");
        let (found, count, longest) = read(&pages, 1 << 33);
        assert!(nodes.iter().all(|node| found[&node.key] == *node));
        assert!(found.keys().all(|key| key.parent().is_none_or(|parent| found.contains_key(&parent))));
        assert!(count > 5 && count < 100, "{count} pages");
        assert!(longest as u64 <= MAX_ENTRIES, "{longest}");
        assert!(pages.root_len < 20_000, "{}", pages.root_len);
    }

    #[test]
    fn a_key_comes_once() {
        let twice = [node(NodeKey::ROOT); 2];
        assert_eq!(pages(&twice, 0).err().map(|error| error.code()), Some("internal"));
    }
}
