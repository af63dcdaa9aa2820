//! The uniforms of a frame and of each part to draw.
//!
//! Positions are f32 only relative to a part's origin. The difference of the part's origin and the eye is computed in f64, so
//! that a scan a thousand kilometres from the origin of its frame, or from another scan, is drawn as exactly as one at the origin.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::math::{DMat4, DVec2, DVec3, UVec2};
use bevy::prelude::*;
use bevy::render::camera::ExtractedCamera;
use bevy::render::render_resource::ShaderType;
use parterre_model::points::Bounds;

use super::data::{BACKGROUND, DrawData, DrawMode, EyeView, NEAR_M, PointColor, TileSpacing};
use super::gpu_tile::{GpuBlock, GpuTile};
use super::point_camera::PointCamera;
use super::progress::Progress;
use super::refine::{Range, Refinement, Slice};
use crate::placement::Placement;

/// Size of a point as a multiple of its spacing. Larger than 1, because a regular grid has gaps along its diagonals.
const SIZE_PER_SPACING: f32 = 1.7;
/// Smallest size of a point, and largest size of one that faces the eye, in pixels of a picture that is 720 pixels high.
const SIZE_PX: [f32; 2] = [1.3, 36.0];
/// Largest size of a point that lies on its surface, in the same pixels: near the eye a sparse surface stays closed.
const ALIGNED_MAX_PX: f32 = 100.0;
/// Largest size of points that are drawn as triangles instead of discs. Pixels.
const TRIANGLE_MAX_PX: f32 = 3.0;
/// Largest size of points that are drawn as the graphics card's own, which vanish as a whole when their centre leaves the picture. Pixels.
const SPRITE_MAX_PX: f32 = 12.0;
/// Single points may be larger than their tile's by this factor, as in the shader.
const SPARSE: f32 = 1.5;
/// As in the shader.
const SCATTERED: f32 = 1.5;
/// Factor on the size of points where others are left out: the gaps between them are less even than those of a grid.
const LEFT_OUT: f32 = 1.25;
/// Smallest number of pixels along a side of a target.
const TARGET_MIN_PX: f64 = 16.0;

/// Uniform of one part.
#[derive(Clone, Copy, Debug, ShaderType)]
pub struct PartUniform {
    /// From positions relative to the part's origin (metres) to clip space.
    pub clip_from_part: Mat4,
    /// xyz: the point where the tile's octants meet, relative to the part's origin; w: height of the part's origin above the
    /// height that is drawn blue. Metres.
    pub split_and_height_m: Vec4,
    /// Spacing of the finer tiles drawn in the four lower octants (low z). Metres.
    pub below_low_m: Vec4,
    /// The same for the four upper octants (high z).
    pub below_high_m: Vec4,
    /// x: upper limit of the spacing, metres; y: binary logarithm of the width of the part's texture; z: index of the draw call's first run in the list
    /// of runs; w: spacing of the tile's own points, metres.
    pub spacing: Vec4,
    /// xyz: the eye, relative to the part's origin, along the axes of its tile frame, metres; w: 1 / intensity range.
    pub eye_m: Vec4,
    /// x: height above the height drawn blue, above which nothing is drawn, metres; y: 1 where points of surfaces seen from behind are left out; z: 1
    /// where surfaces are shaded by their direction; w: intensity drawn black.
    pub of_scan: Vec4,
}

/// Uniform of the frame, for points.
#[derive(Clone, Copy, Debug, Default, ShaderType)]
pub struct FrameUniform {
    /// x, y: size of the target in pixels; z: size of a point as a multiple of its spacing; w: what the colour shows: 0 colour, 1 intensity, 2 height.
    pub viewport: Vec4,
    /// x: smallest size of a point in pixels; y: largest size of one that faces the eye; z: distance of the near plane in metres; w: largest
    /// size of a triangle in pixels.
    pub limits: Vec4,
    /// x: pixels per metre at a distance of 1 m; y: largest size of a point that lies on its surface, in pixels; z: smallest
    /// spacing in pixels, because finer points are left out; w: 1 / height range in metres.
    pub picture: Vec4,
}

/// Uniform of the pass that closes gaps and shades edges.
#[derive(Clone, Copy, Debug, Default, ShaderType)]
pub struct ShadeUniform {
    /// x, y: size of the camera's target in pixels; z: radius of edge shading in pixels; w: its strength.
    pub screen: Vec4,
    /// xyz: background colour, sRGB.
    pub background: Vec4,
}

/// How points are drawn, by their size in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// As they are, without a disc's outline.
    Small,
    /// As discs that may be points of the graphics card.
    SmallDisc,
    /// As discs.
    Disc,
}

/// One draw call: some runs of a part's points.
pub struct QueuedDraw {
    /// The tile, whose textures must exist until the frame is drawn.
    pub tile: Arc<GpuTile>,
    /// Index of the part in the tile.
    pub part: usize,
    /// How its points are drawn.
    pub shape: Shape,
    /// Number of runs.
    pub runs: u32,
    /// The part's uniform.
    pub uniform: PartUniform,
}

/// The frame's draw calls.
#[derive(Resource, Default)]
pub struct QueuedPoints {
    /// Draw calls, the nearest tiles first.
    pub draws: Vec<QueuedDraw>,
    /// For each run to draw, its index in its part; the draw calls one after the other.
    pub runs: Vec<u32>,
    /// Size of the target that is drawn into. Pixels.
    pub target_px: UVec2,
    /// Whether the points are added to the second target.
    pub refining: bool,
    /// Whether the target is cleared first.
    pub clear: bool,
    /// Whether the second target alone is shown: it has all points.
    pub complete: bool,
    /// The uniform for points.
    pub frame: FrameUniform,
    /// The uniform for shading.
    pub shade: ShadeUniform,
    /// Whether the draw calls have been made. A frame can be skipped, for example while a window is minimized.
    pub drawn: AtomicBool,
}

pub(super) fn queue(
    mut queued: ResMut<QueuedPoints>,
    mut refinement: ResMut<Refinement>,
    data: Res<DrawData>,
    progress: Res<Progress>,
    cameras: Query<&ExtractedCamera, With<PointCamera>>,
) {
    let was_drawn = queued.drawn.swap(false, Ordering::Relaxed);
    if !was_drawn && !queued.draws.is_empty() {
        refinement.reset();
    }
    queued.draws.clear();
    queued.runs.clear();
    let (Some(view), Ok(camera)) = (&data.view, cameras.single()) else { return };
    let Some(screen) = camera.physical_target_size.filter(|size| size.x > 0 && size.y > 0) else { return };
    if !progress.pipelines_ready() {
        return;
    }
    let slice = refinement.next(&data.mode, &data.tiles, |tile, block| tile.gpu.blocks[block as usize].count);
    let (picture, target_px) = match data.mode {
        DrawMode::Whole { scale } => (None, (screen.as_dvec2() * scale.min(1.0)).max(DVec2::splat(TARGET_MIN_PX)).round().as_uvec2()),
        DrawMode::Refine { picture, all_loaded, .. } => (Some(picture).filter(|_| all_loaded && slice.complete), screen),
    };
    queued.refining = matches!(data.mode, DrawMode::Refine { .. });
    queued.clear = slice.clear;
    queued.complete = picture.is_some();
    queued.target_px = target_px;
    queued.frame = frame_uniform(&data, view, target_px.as_dvec2(), screen.as_dvec2());
    queued.shade = shade_uniform(&data, screen.as_dvec2());
    queue_draws(&mut queued, &data, view, &slice);
    progress.record_frame(slice.complete, picture);
}

/// Index of the tile, index of the part in it, and how its points are drawn.
type GroupKey = (usize, u32, Shape);

/// Groups the slice by part and by the way of drawing: a draw call costs more than many points.
fn queue_draws(queued: &mut QueuedPoints, data: &DrawData, view: &EyeView, slice: &Slice) {
    // In the tile frame of each scan.
    let eyes: BTreeMap<u32, DVec3> = data.scans.iter().map(|(key, scan)| (*key, scan.placement.tile_from_scene(view.eye))).collect();
    let mut groups: BTreeMap<GroupKey, Vec<(f64, &Range)>> = BTreeMap::new();
    for range in &slice.ranges {
        let tile = &data.tiles[range.tile];
        let Some(eye_m) = eyes.get(&tile.scan) else { continue };
        let block = &tile.gpu.blocks[range.block as usize];
        let distance_m = distance_m(&block.bounds, *eye_m);
        let scale_px = queued.frame.picture.x / distance_m.max(NEAR_M) as f32;
        let size_px = |spacing_m: f32| (spacing_m * scale_px).max(queued.frame.picture.z) * queued.frame.viewport.z;
        let shape = if size_px(tile.spacing.largest_m) <= TRIANGLE_MAX_PX {
            Shape::Small
        } else if size_px(largest_spacing_m(&tile.spacing, block)) <= SPRITE_MAX_PX {
            Shape::SmallDisc
        } else {
            Shape::Disc
        };
        groups.entry((range.tile, block.part, shape)).or_default().push((distance_m, range));
    }
    // What is in front is drawn first, so that the depth test spares the pixels behind it.
    let mut groups: Vec<_> = groups.into_iter().collect();
    for (_, ranges) in &mut groups {
        ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    groups.sort_by(|(_, a), (_, b)| a[0].0.total_cmp(&b[0].0));
    let size = queued.target_px.as_dvec2();
    let clip_from_eye = clip_from_eye(view, size.x / size.y);
    for ((tile, part_index, shape), ranges) in groups {
        let tile = &data.tiles[tile];
        let Some(scan) = data.scans.get(&tile.scan) else { continue };
        let part = &tile.gpu.parts[part_index as usize];
        let origin_m = scan.placement.scene_from_tile(part.origin_m);
        let [dark, bright] = scan.intensity_range.map(f32::from);
        let first_run = queued.runs.len();
        for (_, range) in ranges {
            let block_run = tile.gpu.blocks[range.block as usize].first_run;
            queued.runs.extend(block_run + range.first..block_run + range.end);
        }
        queued.draws.push(QueuedDraw {
            tile: Arc::clone(&tile.gpu),
            part: part_index as usize,
            shape,
            runs: (queued.runs.len() - first_run) as u32,
            uniform: PartUniform {
                clip_from_part: clip_from_part(&clip_from_eye, origin_m - view.eye, &scan.placement),
                split_and_height_m: (tile.spacing.split_m - part.origin_m)
                    .as_vec3()
                    .extend((origin_m.z - data.style.height_range_m[0]) as f32),
                below_low_m: Vec4::from_slice(&tile.spacing.below_m[..4]),
                below_high_m: Vec4::from_slice(&tile.spacing.below_m[4..]),
                spacing: Vec4::new(tile.spacing.largest_m, part.width_log2 as f32, first_run as f32, tile.spacing.own_m),
                eye_m: scan.placement.tile_from_direction(view.eye - origin_m).as_vec3().extend(1.0 / (bright - dark).max(1.0)),
                of_scan: Vec4::new(
                    scan.cut_above_m.map_or(f32::MAX, |cut_m| (cut_m - data.style.height_range_m[0]) as f32),
                    if scan.hide_backs { 1.0 } else { 0.0 },
                    if scan.direction_shading { 1.0 } else { 0.0 },
                    dark,
                ),
            },
        });
    }
}

/// Upper limit of the spacing that the shader gives a block's points.
fn largest_spacing_m(tile: &TileSpacing, block: &GpuBlock) -> f32 {
    let below_m = tile.below_m.iter().copied().fold(0.0, f32::max);
    (block.spacing_m * SCATTERED).min(tile.largest_m * SPARSE).max(tile.own_m.min(below_m))
}

fn distance_m(bounds: &Bounds, eye: DVec3) -> f64 {
    if bounds.is_empty() { 0.0 } else { (eye.clamp(bounds.min, bounds.max) - eye).length() }
}

fn frame_uniform(data: &DrawData, view: &EyeView, size: DVec2, screen: DVec2) -> FrameUniform {
    let style = &data.style;
    let picture_scale = (size.y / 720.0) as f32;
    let [low_m, high_m] = style.height_range_m;
    let color = match style.color {
        PointColor::Own => 0.0,
        PointColor::Intensity => 1.0,
        PointColor::Height => 2.0,
    };
    let smallest_px = SIZE_PX[0] * picture_scale.max(1.0);
    FrameUniform {
        viewport: Vec4::new(size.x as f32, size.y as f32, style.size * SIZE_PER_SPACING, color),
        limits: Vec4::new(smallest_px, SIZE_PX[1] * picture_scale, NEAR_M as f32, (TRIANGLE_MAX_PX * SPARSE).max(smallest_px)),
        picture: Vec4::new(
            (size.y / (2.0 * (view.fov_y * 0.5).tan())) as f32,
            ALIGNED_MAX_PX * picture_scale,
            LEFT_OUT * (data.spacing_px * size.y / screen.y) as f32,
            1.0 / ((high_m - low_m) as f32).max(0.1),
        ),
    }
}

fn shade_uniform(data: &DrawData, screen: DVec2) -> ShadeUniform {
    let radius_px = 1.4 * (screen.y / 720.0).max(0.75) as f32;
    let strength = if data.style.edge_shading { 1.0 } else { 0.0 };
    let [red, green, blue] = BACKGROUND;
    ShadeUniform { screen: Vec4::new(screen.x as f32, screen.y as f32, radius_px, strength), background: Vec4::new(red, green, blue, 1.0) }
}

/// From positions relative to the eye, along the scene's axes, to clip space. Depth is reversed: 1 at [`NEAR_M`], 0 at infinity.
fn clip_from_eye(view: &EyeView, aspect: f64) -> DMat4 {
    let (right, up, back) = (view.right, view.up, -view.forward);
    let view_from_scene_axes = DMat4::from_cols(
        DVec3::new(right.x, up.x, back.x).extend(0.0),
        DVec3::new(right.y, up.y, back.y).extend(0.0),
        DVec3::new(right.z, up.z, back.z).extend(0.0),
        DVec3::ZERO.extend(1.0),
    );
    DMat4::perspective_infinite_reverse_rh(view.fov_y, aspect, NEAR_M) * view_from_scene_axes
}

/// From positions relative to a part's origin to clip space; `origin_from_eye_m` is in the scene's frame.
fn clip_from_part(clip_from_eye: &DMat4, origin_from_eye_m: DVec3, placement: &Placement) -> Mat4 {
    (*clip_from_eye * DMat4::from_translation(origin_from_eye_m) * placement.rotation()).as_mat4()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks north.
    fn north(eye: DVec3) -> EyeView {
        EyeView { eye, forward: DVec3::Y, right: DVec3::X, up: DVec3::Z, fov_y: 1.0 }
    }

    fn clip(view: &EyeView, origin: DVec3, relative: Vec3) -> Vec3 {
        clip_turned(view, &Placement::new(origin, 0.0), relative)
    }

    fn clip_turned(view: &EyeView, placement: &Placement, relative: Vec3) -> Vec3 {
        let clip = clip_from_part(&clip_from_eye(view, 1.0), placement.origin_m() - view.eye, placement) * relative.extend(1.0);
        clip.truncate() / clip.w
    }

    #[test]
    fn a_turned_scan_far_away_is_as_exact_as_one_near_the_origin() {
        // 800 km to the north-east of the first scan; a quarter anticlockwise, so that its X axis points to the north.
        let far = DVec3::new(600_000.0, 530_000.0, 120.0);
        let placement = Placement::new(far, std::f64::consts::FRAC_PI_2);
        let view = north(far - DVec3::Y * 10.0);
        let turned = clip_turned(&view, &placement, Vec3::new(2.002, -1.001, 3.003));
        let near = clip(&north(DVec3::Y * -10.0), DVec3::ZERO, Vec3::new(1.001, 2.002, 3.003));
        assert!((turned - near).abs().max_element() < 1e-6, "{turned} {near}");
        assert_ne!(turned, clip_turned(&view, &placement, Vec3::new(2.002, -1.0, 3.003)), "a millimetre");
    }

    #[test]
    fn the_shader_has_the_same_factors() {
        for (name, value) in [("SCATTERED", SCATTERED), ("SPARSE", SPARSE)] {
            let line = format!("const {name}: f32 = {value:?};");
            assert!(include_str!("points.wgsl").contains(&line), "the shader has no line {line}");
        }
    }

    #[test]
    fn positions_far_from_the_origin_are_as_exact_as_near_it() {
        let far = DVec3::new(321_500.0, 5_814_500.0, 30.0);
        let near_view = north(DVec3::new(0.0, -10.0, 1.7));
        let far_view = north(near_view.eye + far);
        let point = Vec3::new(1.001, 2.002, 3.003);
        let near = clip(&near_view, DVec3::ZERO, point);
        assert!((near - clip(&far_view, far, point)).abs().max_element() < 1e-6);
        // A difference of 1 mm is still visible.
        assert_ne!(clip(&far_view, far, point), clip(&far_view, far, point + Vec3::X * 0.001));
    }

    #[test]
    fn east_is_right_and_up_is_up_when_looking_north() {
        let view = north(DVec3::ZERO);
        let right = clip(&view, DVec3::ZERO, Vec3::new(1.0, 10.0, 0.0));
        assert!(right.x > 0.0 && right.y.abs() < 1e-6, "east is right when looking north");
        let up = clip(&view, DVec3::ZERO, Vec3::new(0.0, 10.0, 1.0));
        assert!(up.y > 0.0 && up.x.abs() < 1e-6);
        assert!((up.z - NEAR_M as f32 / 10.0).abs() < 1e-6, "reversed depth is the near distance divided by the distance");
    }
}
