//! The state of streaming, for the panel, web pages and pictures.

use bevy::prelude::*;

/// A tile that was given up, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedTile {
    /// Its address in the tileset.
    pub name: String,
    /// What happened the last time.
    pub message: String,
}

/// Where streaming stands, for the panel, web pages and screenshots.
#[derive(Resource, Clone, Debug, Default)]
pub struct StreamStatus {
    /// Points drawn in this frame.
    pub drawn_points: u64,
    /// Tiles drawn in this frame.
    pub drawn_tiles: usize,
    /// Tiles that this frame wants and that are not on the graphics card yet.
    pub loading: usize,
    /// The largest `loading` since it was last zero; the loading bar's end.
    pub loading_peak: usize,
    /// Whether the budget keeps finer tiles away.
    pub budget_reached: bool,
    /// Bytes held in memory and on the graphics card.
    pub resident_bytes: u64,
    /// Tiles that were given up after retries.
    pub failed: Vec<FailedTile>,
    /// Frames in a row that wanted nothing more.
    pub settled_frames: u32,
}
