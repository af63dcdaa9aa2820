// Points as triangles: three vertices a point, which read it from a texture by their number. A list gives the runs of points to draw.
//
// With DISCS, a pixel is drawn only within the disc in the triangle, and discs bulge towards the eye. Without, for points of up
// to three pixels, the triangle is drawn as it is: its fragments neither discard nor write the depth, which costs much less.

struct Frame {
    viewport: vec4<f32>,
    limits: vec4<f32>,
    ranges: vec4<f32>,
    picture: vec4<f32>,
    // Directions of the picture, along the scan's axes.
    right: vec4<f32>,
    up: vec4<f32>,
}

struct Part {
    clip_from_part: mat4x4<f32>,
    split_and_height_m: vec4<f32>,
    below_low_m: vec4<f32>,
    below_high_m: vec4<f32>,
    spacing: vec4<f32>,
    eye_m: vec4<f32>,
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
    // From the centre of the disc, in radii.
    @location(1) offset: vec2<f32>,
    // How much farther the rim is than the centre, in metres.
    @location(2) @interpolate(flat, either) bulge_m: f32,
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

// Spacing of the drawn points around a point: that of the tile's own points or of finer tiles, but not finer than the spacing for which points were selected.
fn spacing_of(position_m: vec3<f32>, measured_m: f32, scale_px: f32) -> f32 {
    let upper = position_m > part.split_and_height_m.xyz;
    let octants = select(part.below_low_m, part.below_high_m, upper.z);
    let pair = select(octants.xy, octants.zw, upper.y);
    let below_m = select(pair.x, pair.y, upper.x);
    return max(min(min(measured_m, part.spacing.x), below_m), frame.picture.z / scale_px);
}

fn color_of(texel: vec4<u32>, height_m: f32) -> vec3<f32> {
    var color = vec3<f32>(f32(texel.z & 255u), f32((texel.z >> 8u) & 255u), f32((texel.z >> 16u) & 255u)) / 255.0;
    if (frame.viewport.w == 1.0) {
        let strength = clamp((f32(texel.w >> 16u) - frame.ranges.x) * frame.ranges.y, 0.0, 1.0);
        color = vec3<f32>(0.08 + 0.88 * sqrt(strength));
    }
    if (frame.viewport.w == 2.0) {
        color = color_scale(height_m * frame.ranges.z);
    }
    return color;
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Splat {
    let slot = index / 3u;
    let corner = index - slot * 3u;
    let run = u32(part.spacing.z) + slot / RUN_POINTS;
    let point = textureLoad(runs, vec2<u32>(run % RUNS_WIDTH, run / RUNS_WIDTH), 0).x * RUN_POINTS + slot % RUN_POINTS;
    let width_log2 = u32(part.spacing.y);
    let texel = textureLoad(points, vec2<u32>(point & ((1u << width_log2) - 1u), point >> width_log2), 0);
    let position_m = vec3<f32>(f32(texel.x & 65535u), f32(texel.x >> 16u), f32(texel.y & 65535u)) * 0.001;
    let height_m = position_m.z + part.split_and_height_m.w;
    // Corners of a triangle around a circle of radius 1.
    let offset = select(select(vec2<f32>(1.7320508, -1.0), vec2<f32>(-1.7320508, -1.0), corner == 1u), vec2<f32>(0.0, 2.0), corner == 0u);

    var out: Splat;
    out.clip = part.clip_from_part * vec4<f32>(position_m, 1.0);
    out.color = color_of(texel, height_m);
    // Pixels of a metre at the point's distance.
    let scale_px = frame.picture.x / max(out.clip.w, frame.limits.z);
    let spacing_m = spacing_of(position_m, f32(texel.y >> 16u) * 0.001, scale_px);
#ifdef DISCS
    let facing_px = clamp(spacing_m * frame.viewport.z * scale_px, frame.limits.x, frame.limits.y);
    if ((texel.w & 65535u) == NO_NORMAL) {
        let radius_m = 0.5 * facing_px / scale_px;
        let across_m = (frame.right.xyz * offset.x + frame.up.xyz * offset.y) * radius_m;
        out.clip = part.clip_from_part * vec4<f32>(position_m + across_m, 1.0);
        out.bulge_m = BULGE_FACING * radius_m;
    } else {
        let size_px = clamp(spacing_m * frame.viewport.z * scale_px, frame.limits.x, frame.picture.y);
        let radius_m = 0.5 * size_px / scale_px;
        let to_eye = normalize(part.eye_m.xyz - position_m);
        var normal = normal_of(texel.w);
        let cosine = dot(normal, to_eye);
        normal = select(normal, -normal, cosine < 0.0);
        let cosine_min = max(COSINE_MIN, min(1.5 / size_px, 1.0));
        if (abs(cosine) < cosine_min) {
            let along = normal - to_eye * abs(cosine);
            normal = normalize(along) * sqrt(1.0 - cosine_min * cosine_min) + to_eye * cosine_min;
        }
        let side = normalize(cross(normal, select(vec3<f32>(0.0, 0.0, 1.0), vec3<f32>(1.0, 0.0, 0.0), abs(normal.z) > 0.8)));
        let across_m = (side * offset.x + cross(normal, side) * offset.y) * radius_m;
        out.clip = part.clip_from_part * vec4<f32>(position_m + across_m, 1.0);
        out.bulge_m = BULGE_ALIGNED * radius_m;
    }
    out.offset = offset;
#else
    let size_px = clamp(spacing_m * frame.viewport.z * scale_px, frame.limits.x, frame.limits.w);
    out.clip = vec4<f32>(out.clip.xy + offset * (TRIANGLE_RADIUS * size_px / frame.viewport.xy) * out.clip.w, out.clip.zw);
#endif
    // A spacing of 0: there is no point.
    if (height_m > frame.ranges.w || (texel.y >> 16u) == 0u) {
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
    let center_distance_squared = dot(in.offset, in.offset);
    if (center_distance_squared > 1.0) {
        discard;
    }
    // Discs bulge towards the eye, so that where two overlap, every pixel shows the one with the nearer centre.
    let distance_m = frame.limits.z / in.clip.z;
    return Shaded(vec4<f32>(in.color, 1.0), frame.limits.z / (distance_m + in.bulge_m * center_distance_squared));
}
#else
@fragment
fn fragment(in: Splat) -> @location(0) vec4<f32> {
    return vec4<f32>(in.color, 1.0);
}
#endif
