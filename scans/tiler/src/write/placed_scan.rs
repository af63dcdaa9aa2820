//! The scan at its place on the Earth, or in a frame of its own.

use glam::DVec3;

use super::nodes::Nodes;
use crate::journal::distributed_scan::DistributedScan;
use crate::octree::cube::Cube;
use parterre_crs::Placement;
use parterre_model::frame::Frame;
use parterre_model::points::{Attributes, Bounds};

/// What the outputs say of a scan.
pub(crate) struct PlacedScan<'a> {
    pub(crate) distributed: &'a DistributedScan,
    pub(crate) file_frame: &'a Frame,
    pub(crate) placement: Placement,
    /// Attributes of the tiles.
    pub(crate) attributes: Attributes,
    /// Bounds of the points in the scan frame.
    pub(crate) bounds: [f64; 6],
}

/// Bounds of all points in the scan frame. Where the tile frame is turned against the file's (a scan on the Earth), they come from the bounds of the
/// tiles: a turned box of the file's bounds would be too large.
pub(crate) fn scan_bounds(cube: &Cube, placement: &Placement, nodes: &Nodes) -> [f64; 6] {
    let in_tiles = placement.frame().ecef_from_tile.and_then(|_| nodes.bounds_m());
    let in_scan = |bounds: Bounds| {
        let corner = |position: DVec3| placement.frame().scan_from_tile(position);
        Bounds { min: corner(bounds.min), max: corner(bounds.max) }
    };
    let in_file = || {
        let mut bounds = Bounds::EMPTY;
        bounds.include(cube.grid().position(cube.min));
        bounds.include(cube.grid().position(cube.max));
        placement.scan_bounds(bounds)
    };
    in_tiles.map_or_else(in_file, in_scan).to_array()
}
