//! The state of streaming, for the panel, web pages and pictures.

use bevy::prelude::*;
use parterre_lod::TileId;
use serde::Serialize;

/// A tile that could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedTile {
    /// Its address in the tileset, after the scan's name where several scans are open.
    pub name: String,
    /// The error of the last attempt: its stable code.
    pub code: String,
    /// What happened.
    pub message: String,
}

/// The state of streaming in the current frame.
#[derive(Resource, Clone, Debug, Default)]
pub struct StreamStatus {
    /// Number of points drawn.
    pub drawn_points: u64,
    /// Number of tiles drawn.
    pub drawn_tiles: usize,
    /// The tiles drawn.
    pub drawn: Vec<TileId>,
    /// Spacing of the drawn points in pixels, once all tiles are loaded.
    pub spacing_px: f64,
    /// Number of tiles selected that are not on the graphics card yet.
    pub loading: usize,
    /// Number of those that a walker needs to find the floor.
    pub loading_around: usize,
    /// The largest value of `loading` since it was last zero, for the loading bar.
    pub loading_peak: usize,
    /// Whether finer tiles were not selected because of the point budget.
    pub budget_reached: bool,
    /// Size of the tiles in main memory and on the graphics card. Bytes.
    pub resident_bytes: u64,
    /// Tiles that could not be loaded after several attempts.
    pub failed: Vec<FailedTile>,
    /// Number of successive frames without missing tiles.
    pub settled_frames: u32,
}
