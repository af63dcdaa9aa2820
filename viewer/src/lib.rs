//! Parterre's viewer: one bevy app that streams a scan's tiles and lets one look at it and walk in it.
//!
//! The desktop program (`main.rs`) and the web page (`web.rs`) are thin entries to [`app::window_app`]; pictures without
//! a window come from [`screenshot`].
//!
//! A frame: [`camera`] -> [`stream`] (choose, fetch, keep) -> [`points`] (extract, queue, prepare, draw, shade) ->
//! [`ui`]. Positions are f64; f32 appears only relative to a tile's origin.

pub mod app;
pub mod camera;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod fault;
pub mod points;
pub mod rig;
#[cfg(not(target_arch = "wasm32"))]
pub mod screenshot;
pub mod settings;
pub mod source;
pub mod state;
pub mod stream;
mod transfer;
pub mod ui;
pub mod walk;
#[cfg(target_arch = "wasm32")]
pub mod web;
