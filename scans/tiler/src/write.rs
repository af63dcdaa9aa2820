//! Stage 4: writes all nodes into the two output files, coarse ones first: what a client asks for first lies together.

pub(crate) mod documents;
pub(crate) mod nodes;
pub(crate) mod placed_scan;
mod start;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use glam::DVec3;

use self::documents::documents;
use self::nodes::Nodes;
use self::placed_scan::PlacedScan;
use self::start::{roofed_share, start};
use crate::build::encoder::{Encoder, tile_path};
use crate::build::node_writer::BuildSettings;
use crate::context::Context;
use crate::distribute::histograms::percentiles;
use crate::options::Outputs;
use parterre_encode::{archive, copc};
use parterre_model::{Error, Result};
use parterre_tile::tileset::{FORMAT_VERSION, Normals, ScanExtras};

/// Bytes of the buffer of an output file.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes the outputs into `dir`; returns their names and lengths.
///
/// # Errors
/// `io`, `cancelled`.
pub(crate) fn write(
    outputs: Outputs,
    nodes: &Nodes,
    settings: &BuildSettings<'_>,
    scan: &PlacedScan<'_>,
    dir: &Path,
) -> Result<Vec<(String, u64)>> {
    let Encoder { cube, layout, .. } = settings.encoder;
    let copc = || {
        let header = copc::Header {
            layout: layout.clone(),
            grid: cube.grid(),
            center: cube.corner + DVec3::splat(cube.edge / 2.0),
            half_size: cube.edge / 2.0,
            spacing: settings.root_spacing(),
            crs: scan.distributed.wkt.clone().or_else(|| scan.file_frame.crs.clone()),
            unit: scan.file_frame.unit,
            vertical_unit: scan.file_frame.vertical_unit,
            gps_standard_time: scan.distributed.gps_standard_time,
        };
        write_copc(nodes, header, &dir.join("points.copc.laz"), settings.context)
    };
    let tiles = || {
        let range = percentiles(&scan.distributed.distributed.histograms.intensities).map(|bin| bin as u16);
        let extras = ScanExtras {
            format_version: FORMAT_VERSION,
            frame: scan.placement.frame().clone(),
            attributes: scan.attributes,
            points: nodes.points(),
            bounds: scan.bounds,
            intensity_range: scan.attributes.intensity.then_some(range),
            normals: settings.surfaces.map(|surfaces| Normals { oriented: surfaces.sides.orientation() }),
            start: start(scan),
            roofed_share: roofed_share(scan),
        };
        let documents = documents(&nodes.list, scan.placement.root_transform(), extras)?;
        write_tiles(nodes, documents, &dir.join("tiles.3tz"), settings.context)
    };
    let Outputs { copc: with_copc, tiles: with_tiles } = outputs;
    let (copc, tiles) = rayon::join(|| with_copc.then(copc).transpose(), || with_tiles.then(tiles).transpose());
    Ok([copc?.map(|bytes| ("points.copc.laz".into(), bytes)), tiles?.map(|bytes| ("tiles.3tz".into(), bytes))]
        .into_iter()
        .flatten()
        .collect())
}

/// Writes `points.copc.laz`. Returns its length.
fn write_copc(nodes: &Nodes, header: copc::Header, path: &Path, context: &Context<'_>) -> Result<u64> {
    let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    let mut writer = copc::Writer::create(BufWriter::with_capacity(BUFFER_BYTES, &file), path, header)?;
    let mut files = nodes.open()?;
    for (index, node) in nodes.list.iter().enumerate() {
        context.check()?;
        let range = node.copc.ok_or_else(|| Error::Internal(format!("the node {} has no chunk", node.key)))?;
        writer.node(node.key, node.points, &nodes.read(&mut files, index, range)?)?;
    }
    let len = writer.finish(&nodes.totals)?;
    file.sync_all().map_err(|error| Error::io("write", path, error))?;
    Ok(len)
}

/// Writes `tiles.3tz`: the documents, then the tiles. Returns its length.
fn write_tiles(nodes: &Nodes, documents: Vec<(String, Vec<u8>)>, path: &Path, context: &Context<'_>) -> Result<u64> {
    let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    let mut writer = archive::Writer::new(BufWriter::with_capacity(BUFFER_BYTES, file));
    for (path, bytes) in documents {
        writer.add(path, bytes)?;
    }
    let mut files = nodes.open()?;
    for (index, node) in nodes.list.iter().enumerate() {
        context.check()?;
        let tile = node.tile.as_ref().ok_or_else(|| Error::Internal(format!("the node {} has no tile", node.key)))?;
        let bytes = nodes.read(&mut files, index, tile.range)?;
        writer.write(tile.meta.with_data(tile_path(node.key), bytes))?;
        context.report("write", index as f64 / nodes.list.len() as f64);
    }
    let (mut out, len) = writer.finish()?;
    out.flush().map_err(|error| Error::io("write", path, error))?;
    let file = out.into_inner().map_err(|error| Error::io("write", path, error.into_error()))?;
    file.sync_all().map_err(|error| Error::io("write", path, error))?;
    Ok(len)
}
