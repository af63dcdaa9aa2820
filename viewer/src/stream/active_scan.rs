//! The open scan with its requests and the tiles in memory.

use bevy::prelude::*;
use parterre_lod::{Content, NodeId};

use super::fetch::Fetcher;
use super::residency::Residency;
use crate::source::OpenScan;

/// The scan that is looked at.
#[derive(Resource)]
pub struct ActiveScan {
    /// What was opened; its tree grows while external tilesets arrive.
    pub open: OpenScan,
    /// Requests on their way.
    pub fetcher: Fetcher,
    /// What is in memory.
    pub residency: Residency,
}

impl ActiveScan {
    /// Starts with nothing loaded.
    pub fn new(open: OpenScan, cache_bytes: u64) -> Self {
        let fetcher = Fetcher::new(open.store.clone());
        Self { open, fetcher, residency: Residency::new(cache_bytes) }
    }

    /// The address of a node's content, for messages.
    pub fn node_name(&self, node: NodeId) -> String {
        match &self.open.tree.node(node).content {
            Content::Points(uri) | Content::Subtree(uri) => uri.clone(),
            Content::None => String::new(),
        }
    }
}
