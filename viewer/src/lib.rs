//! Parterre's viewer: a bevy app that streams the tiles of a scan, shows its points and lets the user walk through it.
//!
//! The desktop program (`main.rs`) and the web page (`web.rs`) are small entry points to [`app::window_app`];
//! [`screenshot`] draws pictures without a window.
//!
//! Order of the work in a frame: [`camera`] (moves the [`rig`]) -> [`stream`] (select, fetch and cache tiles) ->
//! [`points`] (extract, queue, prepare, draw, shade) -> [`ui`]. Positions are f64; f32 is used only relative to a tile's origin.

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
