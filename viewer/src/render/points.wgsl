// Points, which the vertex shader reads from a texture by the number of the vertex. A list gives the runs of points to draw.
//
// A point is a triangle of three vertices, or with POINTS a point of the graphics card: one vertex, and a square of pixels. With DISCS, a pixel is
// drawn only within the disc in the triangle or square, and discs bulge towards the eye. Without, for points of up to three pixels, the triangle or
// square is drawn as it is: its fragments neither discard nor write the depth, which costs much less.
//
// VERTEX_STAGE is set for the vertex shader of POINTS: its output has the size of the point, which WGSL cannot name. `point_size.rs` makes it the built-in one.

struct Frame {
    viewport: vec4<f32>,
    limits: vec4<f32>,
    picture: vec4<f32>,
}

struct Part {
    clip_from_part: mat4x4<f32>,
    split_and_height_m: vec4<f32>,
    below_low_m: vec4<f32>,
    below_high_m: vec4<f32>,
    spacing: vec4<f32>,
    eye_m: vec4<f32>,
    of_scan: vec4<f32>,
}

@group(0) @binding(0) var<uniform> frame: Frame;
// For each run of points to draw, its index in its part.
@group(0) @binding(1) var runs: texture_2d<u32>;
@group(1) @binding(0) var<uniform> part: Part;
@group(2) @binding(0) var points: texture_2d<u32>;

struct Splat {
    @builtin(position) clip: vec4<f32>,
    @location(0) @interpolate(flat, either) color: vec3<f32>,
#ifdef DISCS
#ifdef POINTS
    // From pixels to the right and downwards to radii of the disc along its own two directions.
    @location(1) @interpolate(flat, either) disc_from_px: vec4<f32>,
    // xy: the centre in the target, pixels; z: its distance; w: how much farther the rim is than the centre, metres.
    @location(2) @interpolate(flat, either) center: vec4<f32>,
    // How much farther the disc is at the end of each of its two directions, metres.
    @location(4) @interpolate(flat, either) tilt_m: vec2<f32>,
#else
    // From the centre of the disc, in radii.
    @location(1) offset: vec2<f32>,
    // How much farther the rim is than the centre, in metres.
    @location(2) @interpolate(flat, either) bulge_m: f32,
#endif
    // Where the surface ends, in radii: to the right, to the left, up, down.
    @location(3) @interpolate(flat, either) ends: vec4<f32>,
#endif
#ifdef VERTEX_STAGE
    @location(5) @interpolate(flat, either) size_px: f32,
#endif
}

const NO_NORMAL: u32 = 0x8080u;
const RUN_POINTS: u32 = 16u;
const RUNS_WIDTH: u32 = 1024u;
// Distance by which the centre of a point is nearer than its rim, as a share of its radius: for points that face the eye, and for
// points that lie on their surface. Of 0.2, 0.6 and 1.2, the last gives the pictures nearest to exact ones (`make bench-picture`): it exceeds the noise of
// scanners, so that of two overlapping points the one with the nearer centre is seen.
const BULGE_FACING: f32 = 0.6;
const BULGE_ALIGNED: f32 = 1.2;
// More than the noise of scanners and less than what is thin in a building. Metres.
const BULGE_MAX_M: f32 = 0.04;
// Points of a scan lie at random, those that a tile selects from them evenly: to close a surface, discs must be larger by this factor, with which they cover
// all of it but exp(-pi (0.85 * 1.5)^2) = 0.6 %.
const SCATTERED: f32 = 1.5;
// Single points far from others are no surface: no point is larger than so many times the largest spacing of its tile's grid.
const SPARSE: f32 = 1.5;
// As in `parterre_tile::glb::surface`.
const EXTENT_MIN_M: f32 = 0.004;
const EXTENT_RATIO_LOG2: f32 = 0.53605;
// Brightness of surfaces across the axes of the scan: floors are brighter than walls, and two walls at a corner differ. The squares of a normal's coordinates add up
// to 1, so that directions in between get shades in between, on either side of a surface alike.
const DIRECTION_SHADES: vec3<f32> = vec3<f32>(0.74, 0.58, 1.0);
// Half the least width that is drawn of a surface.
const END_MIN_PX: f32 = 0.6;
// A triangle has the area of the square around a disc where the circle in it has this radius.
const TRIANGLE_RADIUS: f32 = 0.877;
// A disc that is seen at a smaller angle than this is turned towards the eye, so that surfaces seen nearly edge-on stay closed.
const COSINE_MIN: f32 = 0.2;

// Colour scale for heights, from blue through green to red.
fn color_scale(at: f32) -> vec3<f32> {
    let t = clamp(at, 0.0, 1.0) * 4.0;
    let a = vec3<f32>(0.20, 0.30, 0.62);
    let b = vec3<f32>(0.18, 0.58, 0.66);
    let c = vec3<f32>(0.45, 0.72, 0.42);
    let d = vec3<f32>(0.92, 0.76, 0.36);
    let e = vec3<f32>(0.86, 0.38, 0.27);
    var color = mix(a, b, clamp(t, 0.0, 1.0));
    color = mix(color, c, clamp(t - 1.0, 0.0, 1.0));
    color = mix(color, d, clamp(t - 2.0, 0.0, 1.0));
    return mix(color, e, clamp(t - 3.0, 0.0, 1.0));
}

fn signed_byte(bits: u32, at: u32) -> f32 {
    return max(f32(i32(bits << (24u - at)) >> 24u) / 127.0, -1.0);
}

// The unit vector of an octahedral normal.
fn normal_of(bits: u32) -> vec3<f32> {
    let at = vec2<f32>(signed_byte(bits, 0u), signed_byte(bits, 8u));
    var normal = vec3<f32>(at, 1.0 - abs(at.x) - abs(at.y));
    let folded = max(-normal.z, 0.0);
    normal.x += select(folded, -folded, normal.x >= 0.0);
    normal.y += select(folded, -folded, normal.y >= 0.0);
    return normalize(normal);
}

// Whether a point's surface is seen from behind and must not be drawn. The limit is that of `facing.rs`.
fn is_hidden_back(texel: vec4<u32>, position_m: vec3<f32>) -> bool {
    if (part.of_scan.y == 0.0 || (texel.w & 65535u) == NO_NORMAL) {
        return false;
    }
    let to_eye = part.eye_m.xyz - position_m;
    return dot(normal_of(texel.w), to_eye) < -0.08 * length(to_eye);
}

// Spacing of the drawn points around a point. One that has the spacing of the complete scan: that, or that of the tile's own points or of finer tiles where it
// is larger. Another: the measured one or that of finer tiles. But not finer than the spacing for which points were selected.
fn spacing_of(position_m: vec3<f32>, code: u32, scale_px: f32) -> f32 {
    let upper = position_m > part.split_and_height_m.xyz;
    let octants = select(part.below_low_m, part.below_high_m, upper.z);
    let pair = select(octants.xy, octants.zw, upper.y);
    let below_m = select(pair.x, pair.y, upper.x);
    let coded_m = exp2(f32((code & 127u) - 1u) * 0.25) * 0.001;
    let of_scan_m = max(min(coded_m * SCATTERED, part.spacing.x * SPARSE), min(part.spacing.w, below_m));
    let measured_m = min(min(coded_m, part.spacing.x), below_m);
    return max(select(measured_m, of_scan_m, code >= 128u), frame.picture.z / scale_px);
}

// The value of an intensity's code.
fn intensity_of(code: u32) -> f32 {
    let exponent = code >> 4u;
    return select((f32(16u + (code & 15u)) + 0.5) * exp2(f32(exponent) - 1.0), f32(code), exponent == 0u);
}

// How far the surface goes on in each of four directions, in metres.
fn extents_of(codes: u32) -> vec4<f32> {
    let code = vec4<f32>((vec4<u32>(codes) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u));
    return select(EXTENT_MIN_M * exp2((code - 1.0) * EXTENT_RATIO_LOG2), vec4<f32>(1e6), code == vec4<f32>(0.0));
}

fn color_of(texel: vec4<u32>, height_m: f32) -> vec3<f32> {
    var color = vec3<f32>(f32(texel.z & 255u), f32((texel.z >> 8u) & 255u), f32((texel.z >> 16u) & 255u)) / 255.0;
    if (frame.viewport.w == 1.0) {
        let strength = clamp((intensity_of((texel.w >> 16u) & 255u) - part.of_scan.w) * part.eye_m.w, 0.0, 1.0);
        color = vec3<f32>(0.08 + 0.88 * sqrt(strength));
    }
    if (frame.viewport.w == 2.0) {
        color = color_scale(height_m * frame.picture.w);
    }
    return color;
}

// Two directions on the surface around a point.
struct Plane {
    side: vec3<f32>,
    above: vec3<f32>,
}

// The plane across the direction of view, along the axes of the part: to the right and up in the picture.
fn facing_eye() -> Plane {
    let from_axes = transpose(part.clip_from_part);
    return Plane(normalize(from_axes[0].xyz), normalize(from_axes[1].xyz));
}

// The plane with this normal, turned towards the eye where it is seen nearly edge-on.
fn facing_surface(position_m: vec3<f32>, bits: u32, size_px: f32) -> Plane {
    let to_eye = normalize(part.eye_m.xyz - position_m);
    let normal = normal_of(bits);
    let side = normalize(cross(normal, select(vec3<f32>(0.0, 0.0, 1.0), vec3<f32>(1.0, 0.0, 0.0), abs(normal.z) > 0.8)));
    let above = cross(normal, side);
    let cosine = dot(normal, to_eye);
    // Never quite towards the eye, where one of the directions would have no length.
    let cosine_min = max(COSINE_MIN, min(1.5 / size_px, 0.98));
    if (abs(cosine) >= cosine_min) {
        return Plane(side, above);
    }
    let along = normal * select(-1.0, 1.0, cosine >= 0.0) - to_eye * abs(cosine);
    let turned = normalize(along) * sqrt(1.0 - cosine_min * cosine_min) + to_eye * cosine_min;
    let turned_side = normalize(side - turned * dot(side, turned));
    return Plane(turned_side, normalize(above - turned * dot(above, turned) - turned_side * dot(above, turned_side)));
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Splat {
#ifdef POINTS
    let slot = index;
#else
    let slot = index / 3u;
    let corner = index - slot * 3u;
    // Corners of a triangle around a circle of radius 1.
    let offset = select(select(vec2<f32>(1.7320508, -1.0), vec2<f32>(-1.7320508, -1.0), corner == 1u), vec2<f32>(0.0, 2.0), corner == 0u);
#endif
    let run = u32(part.spacing.z) + slot / RUN_POINTS;
    let point = textureLoad(runs, vec2<u32>(run % RUNS_WIDTH, run / RUNS_WIDTH), 0).x * RUN_POINTS + slot % RUN_POINTS;
    let width_log2 = u32(part.spacing.y);
    let texel = textureLoad(points, vec2<u32>(point & ((1u << width_log2) - 1u), point >> width_log2), 0);
    let position_m = vec3<f32>(f32(texel.x & 65535u), f32(texel.x >> 16u), f32(texel.y & 65535u)) * 0.001;
    let height_m = position_m.z + part.split_and_height_m.w;
    let has_normal = (texel.w & 65535u) != NO_NORMAL;

    var out: Splat;
    out.color = color_of(texel, height_m);
    if (part.of_scan.z == 1.0 && has_normal) {
        let normal = normal_of(texel.w);
        out.color *= dot(normal * normal, DIRECTION_SHADES);
    }
    let center = part.clip_from_part * vec4<f32>(position_m, 1.0);
    // Pixels of a metre at the point's distance.
    let scale_px = frame.picture.x / max(center.w, frame.limits.z);
    let spacing_m = spacing_of(position_m, texel.z >> 24u, scale_px);
#ifdef DISCS
    let largest_px = select(frame.limits.y, frame.picture.y, has_normal);
#else
    let largest_px = frame.limits.w;
#endif
    let size_px = clamp(spacing_m * frame.viewport.z * scale_px, frame.limits.x, largest_px);
    let radius_m = 0.5 * size_px / scale_px;
    var plane = facing_eye();
    if (has_normal) {
        plane = facing_surface(position_m, texel.w, size_px);
    }
#ifdef DISCS
    let bulge_m = select(BULGE_FACING * radius_m, min(BULGE_ALIGNED * radius_m, BULGE_MAX_M), has_normal);
    // Something thin stays visible.
    let ends_m = max(extents_of(texel.y >> 16u), vec4<f32>(END_MIN_PX / scale_px));
    out.ends = select(vec4<f32>(1e6), ends_m / radius_m, has_normal);
#endif
#ifdef POINTS
    out.clip = center;
    let side = part.clip_from_part * vec4<f32>(plane.side * radius_m, 0.0);
    let above = part.clip_from_part * vec4<f32>(plane.above * radius_m, 0.0);
    // In a small part of the picture, the disc is an ellipse.
    let half_view_px = 0.5 * vec2<f32>(frame.viewport.x, -frame.viewport.y);
    let seen = center.xy / center.w;
    let side_px = (side.xy - seen * side.w) * half_view_px / center.w;
    let above_px = (above.xy - seen * above.w) * half_view_px / center.w;
    let half_box_px = sqrt(side_px * side_px + above_px * above_px);
#ifdef DISCS
    let area = side_px.x * above_px.y - side_px.y * above_px.x;
    out.disc_from_px = vec4<f32>(above_px.y, -above_px.x, -side_px.y, side_px.x) / select(area, 1e-6, abs(area) < 1e-6);
    out.center = vec4<f32>((seen + vec2<f32>(1.0, -1.0)) * half_view_px, center.w, bulge_m);
    out.tilt_m = vec2<f32>(side.w, above.w);
    let square_px = 2.0 * max(half_box_px.x, half_box_px.y);
#else
    // The square with the area of the box around the ellipse.
    let square_px = 2.0 * sqrt(half_box_px.x * half_box_px.y);
#endif
#ifdef VERTEX_STAGE
    out.size_px = max(square_px, frame.limits.x);
#endif
#else
#ifdef DISCS
    let corner_m = radius_m;
    out.offset = offset;
    out.bulge_m = bulge_m;
#else
    let corner_m = TRIANGLE_RADIUS * radius_m;
#endif
    out.clip = part.clip_from_part * vec4<f32>(position_m + (plane.side * offset.x + plane.above * offset.y) * corner_m, 1.0);
#endif
    // A spacing of 0: there is no point.
    if (height_m > part.of_scan.x || (texel.z >> 24u) == 0u || is_hidden_back(texel, position_m)) {
        // Outside clip space, so that nothing is drawn.
        out.clip = vec4<f32>(0.0, 0.0, -1.0, 1.0);
    }
    return out;
}

#ifdef DISCS
struct Shaded {
    @location(0) color: vec4<f32>,
    @builtin(frag_depth) depth: f32,
}

@fragment
fn fragment(in: Splat) -> Shaded {
#ifdef POINTS
    let from_center_px = in.clip.xy - in.center.xy;
    let offset = vec2<f32>(dot(in.disc_from_px.xy, from_center_px), dot(in.disc_from_px.zw, from_center_px));
    let distance_m = in.center.z + dot(in.tilt_m, offset);
    let bulge_m = in.center.w;
#else
    let offset = in.offset;
    let distance_m = frame.limits.z / in.clip.z;
    let bulge_m = in.bulge_m;
#endif
    let center_distance_squared = dot(offset, offset);
    if (center_distance_squared > 1.0 || any(vec4<f32>(offset.x, -offset.x, offset.y, -offset.y) > in.ends)) {
        discard;
    }
    // Discs bulge towards the eye, so that where two overlap, every pixel shows the one with the nearer centre.
    return Shaded(vec4<f32>(in.color, 1.0), frame.limits.z / (distance_m + bulge_m * center_distance_squared));
}
#else
@fragment
fn fragment(in: Splat) -> @location(0) vec4<f32> {
    return vec4<f32>(in.color, 1.0);
}
#endif
