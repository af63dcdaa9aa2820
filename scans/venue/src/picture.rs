//! Exact pictures of the concert hall: what a perfect rendering of its scan would show.
//!
//! [`trace`](trace::trace) sends rays into the same solids that the scanner sees, with the same materials and light and without its
//! noise. [`views`](views::views) gives the cameras: the viewpoints of `truth.json` and eye positions on the floors.

pub mod camera;
mod eyes;
pub mod trace;
pub mod views;
