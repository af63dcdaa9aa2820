//! Positions of the scanner, and pictures, of scan files.

use glam::{DQuat, DVec3};
use serde::{Deserialize, Serialize};

/// One position of the scanner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Name in the file.
    pub name: String,
    /// Position, in the file frame.
    pub position: DVec3,
    /// Rotation from the scanner frame to the file frame.
    pub rotation: DQuat,
    /// Points taken from here.
    pub points: u64,
    /// Whether the file has a pose. Otherwise the position is the origin of the file frame, where a scanner may or
    /// may not have stood: scans that were merged or transformed have no pose.
    pub posed: bool,
}

/// How a picture maps directions to pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Projection {
    /// A picture without known geometry.
    VisualReference,
    /// A pinhole camera looking along its -z axis, lengths in metres.
    Pinhole {
        /// Distance of the image plane.
        focal_length_m: f64,
        /// Size of a pixel.
        pixel_m: [f64; 2],
        /// Where the axis meets the picture, in pixels.
        principal_point: [f64; 2],
    },
    /// Equal angles a pixel, in radians.
    Spherical {
        /// Size of a pixel.
        pixel_rad: [f64; 2],
    },
    /// Around a vertical cylinder.
    Cylindrical {
        /// Radius of the cylinder.
        radius_m: f64,
        /// Row of the horizon.
        principal_y: f64,
        /// Height of a pixel, in metres.
        pixel_height_m: f64,
        /// Width of a pixel, in radians.
        pixel_width_rad: f64,
    },
}

/// A picture in a scan file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Name in the file.
    pub name: String,
    /// "jpeg" or "png".
    pub format: String,
    /// Length of the picture's file.
    pub bytes: u64,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Where the camera stood, file frame; with a pose only.
    pub position: Option<DVec3>,
    /// File frame from camera frame; with a pose only.
    pub rotation: Option<DQuat>,
    /// Index of the setup that it belongs to.
    pub setup: Option<usize>,
    /// How it maps directions to pixels.
    pub projection: Projection,
}
