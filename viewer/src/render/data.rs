//! What to draw: filled in the main world, copied to the render world in each frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy::math::DVec3;
use bevy::prelude::*;
use bevy::render::extract_resource::ExtractResource;

use super::gpu_tile::GpuTile;
use crate::placement::Placement;

/// Distance of the near plane: what is nearer is not drawn. Metres.
pub const NEAR_M: f64 = 0.05;

/// Background colour, sRGB: dark blue-grey.
pub const BACKGROUND: [f32; 3] = [0.106, 0.133, 0.165];

/// What the colour of a point shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PointColor {
    /// Its own colour.
    #[default]
    Own,
    /// Its intensity, grey.
    Intensity,
    /// Its height, as a colour scale from blue to red.
    Height,
}

/// How points look.
#[derive(Clone, Debug, PartialEq)]
pub struct PointStyle {
    /// What the colour shows.
    pub color: PointColor,
    /// Factor on the size of points; at 1, the points of a surface just touch.
    pub size: f32,
    /// Whether edges are shaded (eye-dome lighting).
    pub edge_shading: bool,
    /// Heights that are drawn blue and red. Scene frame, metres.
    pub height_range_m: [f64; 2],
}

impl Default for PointStyle {
    fn default() -> Self {
        Self { color: PointColor::Own, size: 1.0, edge_shading: true, height_range_m: [0.0, 1.0] }
    }
}

/// A scan of which tiles are drawn: where it lies and how its points look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawScan {
    /// From its tile frame to the scene's frame.
    pub placement: Placement,
    /// Whether surfaces are shaded by their direction, where the points have normals: for colours that do not come from the scan's own light.
    pub direction_shading: bool,
    /// Points above this height are not drawn. Scene frame, metres.
    pub cut_above_m: Option<f64>,
    /// Whether points are left out whose surface is seen from behind. Those without a normal are drawn.
    pub hide_backs: bool,
    /// Intensities that are drawn black and white.
    pub intensity_range: [u16; 2],
}

/// The eye's position and the directions of the picture. Scene frame, metres; unit vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EyeView {
    /// Position.
    pub eye: DVec3,
    /// Direction of view.
    pub forward: DVec3,
    /// To the right in the picture.
    pub right: DVec3,
    /// Upwards in the picture.
    pub up: DVec3,
    /// Full vertical field of view. Radians.
    pub fov_y: f64,
}

/// The spacing of a tile's points, which gives their size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TileSpacing {
    /// The point where the tile's octants meet, tile frame, metres.
    pub split_m: DVec3,
    /// Spacing of the finer tiles drawn in each octant, metres. Bit 0 of the index is set for the upper half in x, bit 1 in y, bit
    /// 2 in z.
    pub below_m: [f32; 8],
    /// Spacing of the tile's own points, as far as its grid limits it. Metres.
    pub own_m: f32,
    /// Upper limit of the spacing of a point that was measured in the tile. Metres.
    pub largest_m: f32,
}

/// A block of a tile to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawBlock {
    /// Its index in the tile.
    pub block: u32,
    /// Number of runs of its points to draw; see `parterre_decode::runs`.
    pub runs: u32,
}

/// A tile to draw.
#[derive(Clone)]
pub struct DrawTile {
    /// Identifies the tile from frame to frame.
    pub key: u64,
    /// The key of its scan in [`DrawData::scans`].
    pub scan: u32,
    /// Its points on the graphics card.
    pub gpu: Arc<GpuTile>,
    /// The spacing of its points.
    pub spacing: TileSpacing,
    /// Its blocks to draw.
    pub blocks: Vec<DrawBlock>,
}

/// How the tiles are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DrawMode {
    /// All at once, anew in each frame.
    Whole {
        /// Resolution of the picture relative to the camera's target; at most 1.
        scale: f64,
    },
    /// A few points in each frame, in addition to those of the frames before with the same `picture`.
    Refine {
        /// Changes when the picture begins anew: when the eye, the size or the style has changed.
        picture: u64,
        /// Points to draw in this frame, about.
        points: u64,
        /// Whether no further tiles will come.
        all_loaded: bool,
    },
}

impl Default for DrawMode {
    fn default() -> Self {
        Self::Whole { scale: 1.0 }
    }
}

/// What a frame draws.
#[derive(Resource, ExtractResource, Clone, Default)]
pub struct DrawData {
    /// Tiles, the most important first.
    pub tiles: Vec<DrawTile>,
    /// Spacing of the points that are drawn, in pixels of the camera's target: points of finer tiles are left out. No point is smaller.
    pub spacing_px: f64,
    /// The scans of the tiles.
    pub scans: BTreeMap<u32, DrawScan>,
    /// From where. `None` before anything is open.
    pub view: Option<EyeView>,
    /// How points look.
    pub style: PointStyle,
    /// How the tiles are drawn.
    pub mode: DrawMode,
}
