//! Parterre's viewer: a bevy app that streams the tiles of scans, shows their points and lets the user walk through them.
//!
//! The desktop program (`main.rs`) and the web page (`web.rs`) are small entry points to [`app::window_app`];
//! [`screenshot`] draws pictures without a window.
//!
//! Order of the work in a frame: [`input`] (devices to intents) -> [`tools`] and [`camera`] (moves the [`rig`]) -> [`pace`] (how much the frame draws) -> [`stream`] (select, fetch and cache
//! tiles) -> [`scene`] (tells the renderer what to draw) -> [`render`] -> [`ui`]. Positions are f64; f32 is used only relative to a tile's origin.

pub mod app;
pub mod camera;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod facing;
pub mod fault;
pub mod idle;
pub mod input;
pub mod inside;
pub mod pace;
pub mod pick;
pub mod placement;
pub mod render;
pub mod rig;
pub mod scene;
#[cfg(not(target_arch = "wasm32"))]
pub mod screenshot;
pub mod settings;
pub mod source;
pub mod state;
pub mod stream;
pub mod tools;
mod transfer;
pub mod ui;
pub mod view_address;
pub mod wake;
pub mod walk;
#[cfg(target_arch = "wasm32")]
pub mod web;
