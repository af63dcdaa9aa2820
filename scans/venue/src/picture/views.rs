//! The cameras of the reference pictures.

use glam::DVec3;

use super::super::hall::Venue;
use super::camera::View;
use super::eyes::eyes;

/// The venue's viewpoints, then `count` eye positions on its floors. The same seed gives the same views.
pub fn views(venue: &Venue, seed: u64, count: usize) -> Vec<View> {
    let viewpoints = venue.viewpoints.iter().map(|v| View { name: v.name.clone(), eye: v.eye, target: v.target });
    // Rounded, so that they are exactly the same when they are read from a file of text.
    let round = |at: DVec3| (at * 1000.0).round() / 1000.0;
    viewpoints.chain(eyes(venue, seed, count)).map(|view| View { eye: round(view.eye), target: round(view.target), ..view }).collect()
}
