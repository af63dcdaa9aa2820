//! The uniforms of a frame and of each part to draw.
//!
//! Positions are f32 only relative to a part's origin. The difference of the part's origin and the eye is computed in f64, so
//! that a scan a thousand kilometres from the origin of its frame is drawn as exactly as one at the origin.

use std::sync::Arc;

use bevy::math::{DMat4, DVec3};
use bevy::prelude::*;
use bevy::render::camera::ExtractedCamera;
use bevy::render::render_resource::ShaderType;

use super::extract::ExtractedPoints;
use super::point_camera::PointCamera;
use super::upload::GpuTile;
use crate::rig::{NEAR_M, Rig};
use crate::settings::ColorBy;

/// Size of a point as a multiple of its spacing. Larger than 1, because a regular grid has gaps along its diagonals.
const SIZE_PER_SPACING: f32 = 1.7;
/// Smallest and largest size of a point, in pixels of a picture that is 720 pixels high.
const SIZE_PX: [f32; 2] = [1.3, 36.0];

/// Uniform of one part.
#[derive(Clone, Copy, Debug, ShaderType)]
pub struct PartUniform {
    /// From positions relative to the part's origin (metres) to clip space.
    pub clip_from_part: Mat4,
    /// xyz: the point where the tile's octants meet, relative to the part's origin; w: height of the part's origin above the
    /// scan's lowest point. Metres.
    pub split_and_height_m: Vec4,
    /// Spacing of the finer tiles drawn in the four lower octants (low z). Metres.
    pub below_low_m: Vec4,
    /// The same for the four upper octants (high z).
    pub below_high_m: Vec4,
    /// x: upper limit of the spacing. Metres.
    pub largest_spacing_m: Vec4,
}

/// Uniform of the frame.
#[derive(Clone, Copy, Debug, Default, ShaderType)]
pub struct FrameUniform {
    /// x, y: size of the picture in pixels; z: pixels per metre at a distance of 1 m, times the factor on the points' size; w: what
    /// the colour shows: 0 colour, 1 intensity, 2 height.
    pub viewport: Vec4,
    /// x, y: smallest and largest size of a point in pixels; z: distance of the near plane in metres; w: height above the scan's
    /// lowest point above which nothing is drawn, in metres.
    pub limits: Vec4,
    /// x: intensity drawn black; y: 1 / intensity range; z: 1 / height range in metres; w: strength of eye-dome lighting.
    pub ranges: Vec4,
    /// xyz: background colour, sRGB; w: radius of eye-dome lighting in pixels.
    pub background: Vec4,
    /// x: pixels per metre at a distance of 1 m.
    pub picture: Vec4,
}

/// One draw call.
pub struct QueuedPart {
    /// The tile, whose buffers must exist until the frame is drawn.
    pub tile: Arc<GpuTile>,
    /// Index of the part in the tile.
    pub part: usize,
    /// Its uniform.
    pub uniform: PartUniform,
}

/// The frame's draw calls.
#[derive(Resource, Default)]
pub struct QueuedPoints {
    /// Parts, the most important first.
    pub parts: Vec<QueuedPart>,
    /// The frame's uniform.
    pub frame: FrameUniform,
}

/// Background colour, sRGB: dark blue-grey.
pub const BACKGROUND: [f32; 3] = [0.106, 0.133, 0.165];

pub(super) fn queue(
    mut queued: ResMut<QueuedPoints>,
    extracted: Res<ExtractedPoints>,
    cameras: Query<&ExtractedCamera, With<PointCamera>>,
) {
    queued.parts.clear();
    let (Some(rig), Ok(camera)) = (&extracted.rig, cameras.single()) else { return };
    let Some(size) = camera.physical_target_size.filter(|size| size.x > 0 && size.y > 0) else { return };
    let size = size.as_dvec2();
    let clip_from_eye = clip_from_eye(rig, size.x / size.y);
    let list = &extracted.list;
    let [_, _, low_m, _, _, high_m] = list.bounds;
    for tile in &list.tiles {
        for (part, gpu) in tile.gpu.parts.iter().enumerate() {
            let origin_scan_m = list.origin_m + gpu.origin_m;
            let split_m = (tile.spacing.split_m - gpu.origin_m).as_vec3();
            queued.parts.push(QueuedPart {
                tile: Arc::clone(&tile.gpu),
                part,
                uniform: PartUniform {
                    clip_from_part: clip_from_part(&clip_from_eye, origin_scan_m - rig.eye),
                    split_and_height_m: split_m.extend((origin_scan_m.z - low_m) as f32),
                    below_low_m: Vec4::from_slice(&tile.spacing.below_m[..4]),
                    below_high_m: Vec4::from_slice(&tile.spacing.below_m[4..]),
                    largest_spacing_m: Vec4::new(tile.spacing.largest_m, 0.0, 0.0, 0.0),
                },
            });
        }
    }
    let settings = &extracted.settings;
    let pixels_per_metre_at_1m = size.y / (2.0 * (rig.fov_y * 0.5).tan());
    let picture_scale = (size.y / 720.0) as f32;
    let [dark, bright] = list.intensity_range.map(f32::from);
    let mode = match settings.color_by {
        ColorBy::Rgb => 0.0,
        ColorBy::Intensity => 1.0,
        ColorBy::Height => 2.0,
    };
    let cut_m = settings.cut_above_m.map_or(f32::MAX, |cut| (cut - low_m) as f32);
    let [red, green, blue] = BACKGROUND;
    queued.frame = FrameUniform {
        viewport: Vec4::new(size.x as f32, size.y as f32, pixels_per_metre_at_1m as f32 * settings.point_size * SIZE_PER_SPACING, mode),
        limits: Vec4::new(SIZE_PX[0] * picture_scale.max(1.0), SIZE_PX[1] * picture_scale, NEAR_M as f32, cut_m),
        ranges: Vec4::new(
            dark,
            1.0 / (bright - dark).max(1.0),
            1.0 / ((high_m - low_m) as f32).max(0.1),
            if settings.edl { 1.0 } else { 0.0 },
        ),
        background: Vec4::new(red, green, blue, 1.4 * picture_scale.max(0.75)),
        picture: Vec4::new(pixels_per_metre_at_1m as f32, 0.0, 0.0, 0.0),
    };
}

/// From positions relative to the eye, along the scan's axes, to clip space. Depth is reversed: 1 at [`NEAR_M`], 0 at infinity.
fn clip_from_eye(rig: &Rig, aspect: f64) -> DMat4 {
    let (right, up, back) = (rig.right(), rig.up(), -rig.forward());
    let view_from_scan_axes = DMat4::from_cols(
        DVec3::new(right.x, up.x, back.x).extend(0.0),
        DVec3::new(right.y, up.y, back.y).extend(0.0),
        DVec3::new(right.z, up.z, back.z).extend(0.0),
        DVec3::ZERO.extend(1.0),
    );
    DMat4::perspective_infinite_reverse_rh(rig.fov_y, aspect, NEAR_M) * view_from_scan_axes
}

fn clip_from_part(clip_from_eye: &DMat4, origin_from_eye_m: DVec3) -> Mat4 {
    (*clip_from_eye * DMat4::from_translation(origin_from_eye_m)).as_mat4()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(rig: &Rig, origin: DVec3, relative: Vec3) -> Vec3 {
        let clip = clip_from_part(&clip_from_eye(rig, 1.0), origin - rig.eye) * relative.extend(1.0);
        clip.truncate() / clip.w
    }

    #[test]
    fn positions_far_from_the_origin_are_as_exact_as_near_it() {
        let far = DVec3::new(321_500.0, 5_814_500.0, 30.0);
        let near_rig = Rig { eye: DVec3::new(0.0, -10.0, 1.7), ..Rig::default() };
        let far_rig = Rig { eye: near_rig.eye + far, ..near_rig.clone() };
        let point = Vec3::new(1.001, 2.002, 3.003);
        let near = clip(&near_rig, DVec3::ZERO, point);
        assert!((near - clip(&far_rig, far, point)).abs().max_element() < 1e-6);
        // A difference of 1 mm is still visible.
        assert_ne!(clip(&far_rig, far, point), clip(&far_rig, far, point + Vec3::X * 0.001));
    }

    #[test]
    fn east_is_right_and_up_is_up_when_looking_north() {
        let rig = Rig { eye: DVec3::ZERO, yaw: 0.0, pitch: 0.0, ..Rig::default() };
        let right = clip(&rig, DVec3::ZERO, Vec3::new(1.0, 10.0, 0.0));
        assert!(right.x > 0.0 && right.y.abs() < 1e-6, "east is right when looking north");
        let up = clip(&rig, DVec3::ZERO, Vec3::new(0.0, 10.0, 1.0));
        assert!(up.y > 0.0 && up.x.abs() < 1e-6);
        assert!((up.z - NEAR_M as f32 / 10.0).abs() < 1e-6, "reversed depth is the near distance divided by the distance");
    }
}
