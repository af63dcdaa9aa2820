//! Points of the scan for pictures and for the survey's figures, read from the node files.
//!
//! The **overview** is all nodes of the coarse levels: an even selection of the scan's points. A **patch** is the bounding box of a leaf with all points in
//! it, including those of the nodes above the leaf. Positions and colours are those of the tiles, in their order, whichever encoding
//! they are read from.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use rayon::prelude::*;

use crate::build::encoder::{Encoder, tile_path};
use crate::write::nodes::Nodes;
use parterre_model::points::Bounds;
use parterre_model::{Error, Result};
use parterre_raster::ColoredPoint;
use parterre_raster::survey::{Place, places};
use parterre_tile::glb;
use parterre_tile::id::NodeKey;

/// Most points of a patch. A leaf has fewer, unless many points are at one position.
const MAX_PATCH: usize = 200_000;
/// Patches measured at the same time, whatever the number of cores: each takes up to about 10 MiB (positions, and the nodes above the leaf).
const PATCHES_AT_ONCE: usize = 4;
/// Points up to this far outside of a leaf's box still belong to its patch: half a step of the tiles.
const SLACK_M: f64 = 5e-4;

/// The selected points, in the scan frame.
pub(crate) struct PicturePoints {
    pub(crate) overview: Vec<ColoredPoint>,
    /// Density and noise at places of all patches.
    pub(crate) places: Vec<Place>,
}

/// Selects all levels that have at most `most` points together, and at least the coarsest, and about `patches` patches, spread evenly
/// over the scan.
pub(crate) fn select(
    nodes: &Nodes,
    encoder: &Encoder,
    most: u64,
    patches: usize,
    check: &(dyn Fn() -> Result<()> + Sync),
) -> Result<PicturePoints> {
    let list = &nodes.list;
    let mut count = 0;
    let mut chosen = 0;
    for level in list.chunk_by(|a, b| a.key.level == b.key.level) {
        count += level.iter().map(|node| u64::from(node.points)).sum::<u64>();
        if count > most && chosen > 0 {
            break;
        }
        chosen += level.len();
    }
    let one = |node| check().and_then(|()| points(nodes, encoder, node));
    let each: Vec<Vec<ColoredPoint>> = (0..chosen).into_par_iter().map(one).collect::<Result<_>>()?;
    let mut overview = Vec::with_capacity(each.iter().map(Vec::len).sum());
    let mut ranges: Vec<Range<usize>> = Vec::with_capacity(chosen);
    for points in each {
        ranges.push(overview.len()..overview.len() + points.len());
        overview.extend(points);
    }
    let with_points = |node: usize, each: &mut dyn FnMut(&[ColoredPoint])| -> Result<()> {
        match ranges.get(node) {
            Some(range) => each(&overview[range.clone()]),
            None => each(&one(node)?),
        }
        Ok(())
    };

    let by_key: HashMap<NodeKey, usize> = list.iter().enumerate().map(|(node, one)| (one.key, node)).collect();
    let mut inner = HashSet::new();
    for node in list {
        let mut key = node.key;
        while let Some(parent) = key.parent().filter(|&parent| inner.insert(parent)) {
            key = parent;
        }
    }
    let leaves: Vec<usize> = (0..list.len()).filter(|&node| !inner.contains(&list[node].key)).collect();
    let step = leaves.len().div_ceil(patches.max(1)).max(1);
    let wanted: Vec<usize> = leaves.into_iter().skip(step / 2).step_by(step).collect();
    // Each patch is measured at once: all of them together would take more memory than the overview.
    let patch = |leaf: usize| -> Result<Vec<Place>> {
        let mut patch = Vec::new();
        with_points(leaf, &mut |points| patch.extend(points.iter().map(|point| point.position)))?;
        let mut bounds = Bounds::EMPTY;
        for &position in &patch {
            bounds.include(position);
        }
        let near = Bounds { min: bounds.min - SLACK_M, max: bounds.max + SLACK_M };
        let mut key = list[leaf].key;
        while let Some(parent) = key.parent().filter(|_| patch.len() < MAX_PATCH) {
            key = parent;
            if let Some(&node) = by_key.get(&key) {
                with_points(node, &mut |points| {
                    let positions = points.iter().map(|point| point.position).filter(|&position| near.contains(position));
                    patch.extend(positions.take(MAX_PATCH - patch.len()));
                })?;
            }
        }
        Ok(places(&patch))
    };
    let mut places = Vec::new();
    for group in wanted.chunks(PATCHES_AT_ONCE) {
        let measured: Vec<Vec<Place>> = group.par_iter().map(|&leaf| patch(leaf)).collect::<Result<_>>()?;
        places.extend(measured.into_iter().flatten());
    }
    Ok(PicturePoints { overview, places })
}

/// A node's points as its tile holds them.
fn points(nodes: &Nodes, encoder: &Encoder, node: usize) -> Result<Vec<ColoredPoint>> {
    let one = &nodes.list[node];
    let parts = if let Some(tile) = &one.tile {
        let packed = tile.meta.with_data(tile_path(one.key), nodes.read_alone(node, tile.range)?);
        glb::decode(&packed.unpack()?)?
    } else if let (Some(range), Some(copc)) = (one.copc, &encoder.copc) {
        encoder.parts(&copc.decode_visible(&nodes.read_alone(node, range)?, one.points)?, &[]).0
    } else {
        return Err(Error::Internal(format!("the node {} is in no encoding", one.key)));
    };
    let frame = encoder.placement.frame();
    let mut points = Vec::with_capacity(one.points as usize);
    for part in &parts {
        points.extend(part.vertices.iter().map(|vertex| {
            let [r, g, b, _] = vertex.color;
            ColoredPoint { position: frame.scan_from_tile(part.position_m(vertex)), color: [r, g, b] }
        }));
    }
    Ok(points)
}
