//! The open scan with its requests and the tiles in memory.

use bevy::prelude::*;
use parterre_lod::{Content, NodeId};

use super::fetch::Fetcher;
use super::residency::{Residency, ResidentTile};
use crate::source::OpenScan;

/// The scan that is open.
#[derive(Resource)]
pub struct ActiveScan {
    /// The opened source; its tree grows when external tilesets are loaded.
    pub open: OpenScan,
    /// The requests for tiles.
    pub fetcher: Fetcher,
    /// The tiles in memory.
    pub residency: Residency,
}

impl ActiveScan {
    /// An open scan without tiles; at most `cache_bytes` of tiles are kept in memory later.
    pub fn new(open: OpenScan, cache_bytes: u64) -> Self {
        let fetcher = Fetcher::new(open.store.clone());
        Self { open, fetcher, residency: Residency::new(cache_bytes) }
    }

    /// The coarsest tile, which has points of the whole scan; `None` while it is not in memory.
    pub fn coarsest(&self) -> Option<&ResidentTile> {
        let (coarsest, _) = self.open.tree.iter().find(|(_, node)| matches!(node.content, Content::Points(_)))?;
        self.residency.get(coarsest)
    }

    /// The address of a node's content, for messages; empty where it has none.
    pub fn node_name(&self, node: NodeId) -> String {
        match &self.open.tree.node(node).content {
            Content::Points(uri) | Content::Subtree(uri) => uri.clone(),
            Content::None => String::new(),
        }
    }
}
