//! Copying of the tiles to draw, the camera and the settings from the main world to the render world.

use std::sync::Arc;

use bevy::math::DVec3;
use bevy::prelude::*;
use bevy::render::Extract;
use parterre_lod::NodeId;

use super::spacing::TileSpacing;
use super::upload::GpuTile;
use crate::rig::Rig;
use crate::settings::Settings;

/// A tile to draw.
#[derive(Clone)]
pub struct DrawTile {
    /// Its node in the tree.
    pub node: NodeId,
    /// Its points on the graphics card.
    pub gpu: Arc<GpuTile>,
    /// The spacing of its points.
    pub spacing: TileSpacing,
}

/// The tiles to draw in this frame, the most important first.
#[derive(Resource, Clone, Default)]
pub struct DrawList {
    /// Tiles.
    pub tiles: Vec<DrawTile>,
    /// Origin of the tile frame in the scan frame, metres.
    pub origin_m: DVec3,
    /// Bounds in the scan frame, `[minx, miny, minz, maxx, maxy, maxz]`.
    pub bounds: [f64; 6],
    /// Intensities that are drawn black and white.
    pub intensity_range: [u16; 2],
}

/// What the render world needs to draw the points of a frame.
#[derive(Resource, Default)]
pub struct ExtractedPoints {
    /// Tiles.
    pub list: DrawList,
    /// The camera's position and direction. `None` before the first frame.
    pub rig: Option<Rig>,
    /// Settings.
    pub settings: Settings,
}

/// Copies the list of tiles; the tiles themselves are shared.
pub(super) fn extract(
    mut extracted: ResMut<ExtractedPoints>,
    list: Extract<Res<DrawList>>,
    settings: Extract<Res<Settings>>,
    rigs: Extract<Query<&Rig>>,
) {
    extracted.list.clone_from(&list);
    extracted.settings.clone_from(&settings);
    extracted.rig = rigs.single().ok().cloned();
}
