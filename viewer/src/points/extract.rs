//! From the main world to the render world: which tiles, seen from where, with which settings.

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
    /// Its place in the tree.
    pub node: NodeId,
    /// Its points.
    pub gpu: Arc<GpuTile>,
    /// How far apart they lie.
    pub spacing: TileSpacing,
}

/// What the main world wants drawn, the most important first.
#[derive(Resource, Clone, Default)]
pub struct DrawList {
    /// Tiles.
    pub tiles: Vec<DrawTile>,
    /// Origin of the tile frame in the scan frame, metres.
    pub origin_m: DVec3,
    /// Bounds in the scan frame, `[minx, miny, minz, maxx, maxy, maxz]`.
    pub bounds: [f64; 6],
    /// Intensities drawn black and white.
    pub intensity_range: [u16; 2],
}

/// The same in the render world.
#[derive(Resource, Default)]
pub struct ExtractedPoints {
    /// What to draw.
    pub list: DrawList,
    /// From where. `None` before the first frame.
    pub rig: Option<Rig>,
    /// How.
    pub settings: Settings,
}

/// Copies the frame's list; the tiles themselves are shared.
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
