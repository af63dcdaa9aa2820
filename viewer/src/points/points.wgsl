// Points as quads: one instance per point, four vertices per quad, directly from the tile's quantized vertices.

struct Frame {
    viewport: vec4<f32>,
    limits: vec4<f32>,
    ranges: vec4<f32>,
    background: vec4<f32>,
    picture: vec4<f32>,
}

struct Part {
    clip_from_part: mat4x4<f32>,
    split_and_height_m: vec4<f32>,
    below_low_m: vec4<f32>,
    below_high_m: vec4<f32>,
    largest_spacing_m: vec4<f32>,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(1) @binding(0) var<uniform> part: Part;

struct Point {
    @builtin(vertex_index) corner: u32,
    // 16-bit millimetres, normalized; w: the spacing of the points around this one.
    @location(0) position: vec4<f32>,
    @location(1) color: vec4<f32>,
#ifdef EXTRAS
    @location(2) extra: vec2<u32>,
#endif
}

struct Splat {
    @builtin(position) clip: vec4<f32>,
    @location(0) color: vec3<f32>,
    // -1 to 1 over the quad.
    @location(1) offset: vec2<f32>,
    // Squared radius beyond which pixels are discarded: 1 gives a disc, 2 keeps the whole quad.
    @location(2) @interpolate(flat) radius_squared: f32,
    // Depth of the paraboloid that the point is drawn as, in metres.
    @location(3) @interpolate(flat) bulge_m: f32,
}

struct Shaded {
    @location(0) color: vec4<f32>,
    @builtin(frag_depth) depth: f32,
}

// Distance by which the centre of a point is nearer than its rim, as a share of its radius.
const BULGE: f32 = 0.6;
// 65,535 steps of 1 mm.
const CELL_M: f32 = 65.535;

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

@vertex
fn vertex(in: Point) -> Splat {
    let position_m = in.position.xyz * CELL_M;
    let height_m = position_m.z + part.split_and_height_m.w;
    var out: Splat;
    out.clip = part.clip_from_part * vec4<f32>(position_m, 1.0);

    let upper = position_m > part.split_and_height_m.xyz;
    let octants = select(part.below_low_m, part.below_high_m, upper.z);
    let pair = select(octants.xy, octants.zw, upper.y);
    let below_m = select(pair.x, pair.y, upper.x);
    let spacing_m = min(min(in.position.w * CELL_M, part.largest_spacing_m.x), below_m);
    let size_px = clamp(spacing_m * frame.viewport.z / max(out.clip.w, frame.limits.z), frame.limits.x, frame.limits.y);

    out.offset = vec2<f32>(f32(in.corner & 1u), f32(in.corner >> 1u)) * 2.0 - 1.0;
    out.clip = vec4<f32>(out.clip.xy + out.offset * (size_px / frame.viewport.xy) * out.clip.w, out.clip.zw);
    if (height_m > frame.limits.w) {
        // Outside clip space, so that the whole quad is discarded.
        out.clip = vec4<f32>(0.0, 0.0, -1.0, 1.0);
    }
    out.radius_squared = select(2.0, 1.0, size_px > 3.0);
    out.bulge_m = BULGE * 0.5 * size_px * out.clip.w / frame.picture.x;

    out.color = in.color.rgb;
#ifdef EXTRAS
    if (frame.viewport.w == 1.0) {
        let strength = clamp((f32(in.extra.x) - frame.ranges.x) * frame.ranges.y, 0.0, 1.0);
        out.color = vec3<f32>(0.08 + 0.88 * sqrt(strength));
    }
#endif
    if (frame.viewport.w == 2.0) {
        out.color = color_scale(height_m * frame.ranges.z);
    }
    return out;
}

@fragment
fn fragment(in: Splat) -> Shaded {
    let center_distance_squared = dot(in.offset, in.offset);
    if (center_distance_squared > in.radius_squared) {
        discard;
    }
    // Points bulge towards the eye, so that where two overlap, every pixel shows the one with the nearer centre.
    let distance_m = frame.limits.z / in.clip.z;
    return Shaded(vec4<f32>(in.color, 1.0), frame.limits.z / (distance_m + in.bulge_m * center_distance_squared));
}
