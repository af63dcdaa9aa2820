//! Tileset documents.

use glam::DVec3;
use parterre_lod::{Budget, Content, Residency, ScanId, Source, Tree, View, select};
use parterre_tile::tileset::Tileset;

use super::common::check_error;

/// A tileset document: read into a tree, attached to itself as a subtree, and used for a selection of tiles.
pub fn tileset(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Tileset>(bytes) else { return };
    let mut tree = match Tree::from_tileset(&document, "") {
        Ok(tree) => tree,
        Err(error) => return check_error(&error),
    };
    let subtree = tree.iter().find_map(|(id, node)| matches!(node.content, Content::Subtree(_)).then_some(id));
    if let Some(id) = subtree
        && let Err(error) = tree.attach(id, &document, "sub")
    {
        check_error(&error);
    }
    for (id, node) in tree.iter() {
        if let Content::Points(path) | Content::Subtree(path) = &node.content {
            assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
        }
        assert!(node.parent.is_none_or(|parent| tree.node(parent).children.contains(&id)));
    }
    let view = View::perspective(DVec3::new(3.0, -40.0, 9.0), DVec3::Y, DVec3::Z, 1.0, 1.5, 900.0);
    let budget = Budget { points: 1_000_000, error_px: 1.0 };
    // Twice in one scene.
    let sources = [0, 1].map(|scan| Source { scan: ScanId(scan), tree: &tree, views: std::slice::from_ref(&view) });
    let all = select(&sources, &|_| Residency::Ready(&[]), &budget);
    assert!(all.load.is_empty());
    let none = select(&sources, &|_| Residency::Absent, &Budget { points: 10, ..budget });
    assert!(none.draw.is_empty());
}
