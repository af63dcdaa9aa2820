// Eye-dome lighting: a pixel is darkened by how far its neighbours stand before it, on a logarithmic scale of distance.
// Also closes small gaps between the points of a surface and lays the background.

#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput

struct Frame {
    viewport: vec4<f32>,
    limits: vec4<f32>,
    ranges: vec4<f32>,
    background: vec4<f32>,
    picture: vec4<f32>,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var colors: texture_2d<f32>;
// Bound as a plain texture: WebGL2 refuses to read depth textures as such.
@group(0) @binding(2) var depths: texture_2d<f32>;
// Depths are sampled, not loaded: a depth texture without a nearest sampler reads as zero in WebGL2.
@group(0) @binding(3) var nearest: sampler;

const STRENGTH: f32 = 7.0;
// What one neighbour adds at most, so that edges stay readable and never turn black.
const SHADE_MAX: f32 = 0.22;
// A neighbour nearer by this share (a logarithm) belongs to a surface before the pixel.
const BEFORE: f32 = 0.04;

struct Sample {
    color: vec3<f32>,
    // Reversed depth: near distance over distance; 0 where nothing was drawn.
    depth: f32,
}

fn inside(pixel: vec2<i32>) -> vec2<i32> {
    return clamp(pixel, vec2<i32>(0), vec2<i32>(frame.viewport.xy) - 1);
}

fn depth_at(pixel: vec2<i32>) -> f32 {
    let place = (vec2<f32>(inside(pixel)) + 0.5) / frame.viewport.xy;
    return textureSampleLevel(depths, nearest, place, 0.0).r;
}

// The pixel, or, where it shows what lies behind a surface through a gap between its points, the mean of the surface
// around it: where nearly all neighbours stand before it. At a straight edge of a surface only three of eight do, in a right-angled corner five of the outer ring.
fn closed(pixel: vec2<i32>) -> Sample {
    let own = depth_at(pixel);
    let limit = own * exp2(BEFORE);
    // Most pixels are told by four neighbours.
    var before = 0;
    before += i32(depth_at(pixel + vec2<i32>(1, 0)) > limit);
    before += i32(depth_at(pixel - vec2<i32>(1, 0)) > limit);
    before += i32(depth_at(pixel + vec2<i32>(0, 1)) > limit);
    before += i32(depth_at(pixel - vec2<i32>(0, 1)) > limit);
    if (before >= 2) {
        let surface = around(pixel, limit);
        if (surface.depth > 0.0) {
            return surface;
        }
    }
    if (own > 0.0) {
        return Sample(textureLoad(colors, pixel, 0).rgb, own);
    }
    return Sample(frame.background.rgb, 0.0);
}

// The mean of the surface that stands before a pixel all around it; depth 0 where there is none.
fn around(pixel: vec2<i32>, limit: f32) -> Sample {
    var color = vec3<f32>(0.0);
    var depth = 0.0;
    var weight = 0.0;
    var ring = 0;
    var wide_ring = 0;
    for (var at = 0; at < 8; at++) {
        let way = vec2<i32>(vec2<f32>(cos(f32(at) * 0.785398), sin(f32(at) * 0.785398)) * 1.4142);
        let near = inside(pixel + way);
        let near_depth = depth_at(near);
        if (near_depth > limit) {
            ring += 1;
            color += textureLoad(colors, near, 0).rgb * 2.0;
            depth += near_depth * 2.0;
            weight += 2.0;
        }
        let wide = inside(pixel + way * 2);
        let wide_depth = depth_at(wide);
        if (wide_depth > limit) {
            wide_ring += 1;
            color += textureLoad(colors, wide, 0).rgb;
            depth += wide_depth;
            weight += 1.0;
        }
    }
    if (ring >= 5 || ring + wide_ring >= 10) {
        return Sample(color / weight, depth / weight);
    }
    return Sample(vec3<f32>(0.0), 0.0);
}

// What a neighbour adds to the shade: how far it stands before the pixel. The background adds nothing.
fn shade_of(depth: f32, pixel: vec2<i32>) -> f32 {
    let there = depth_at(pixel);
    if (there <= 0.0) {
        return 0.0;
    }
    return clamp(log2(there) - log2(depth), 0.0, SHADE_MAX);
}

fn linear(color: vec3<f32>) -> vec3<f32> {
    return select(pow((color + 0.055) / 1.055, vec3<f32>(2.4)), color / 12.92, color <= vec3<f32>(0.04045));
}

@fragment
fn fragment(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let pixel = vec2<i32>(in.position.xy);
    var seen = closed(pixel);
    if (seen.depth > 0.0 && frame.ranges.w > 0.0) {
        let near = max(i32(round(frame.background.w)), 1);
        let wide = max(i32(round(frame.background.w * 0.7071)), 1);
        var shade = shade_of(seen.depth, pixel + vec2<i32>(near, 0));
        shade += shade_of(seen.depth, pixel - vec2<i32>(near, 0));
        shade += shade_of(seen.depth, pixel + vec2<i32>(0, near));
        shade += shade_of(seen.depth, pixel - vec2<i32>(0, near));
        shade += shade_of(seen.depth, pixel + vec2<i32>(wide, wide));
        shade += shade_of(seen.depth, pixel - vec2<i32>(wide, wide));
        shade += shade_of(seen.depth, pixel + vec2<i32>(wide, -wide));
        shade += shade_of(seen.depth, pixel - vec2<i32>(wide, -wide));
        seen.color *= exp2(-STRENGTH * 0.125 * frame.ranges.w * shade);
    }
#ifdef SRGB_TARGET
    seen.color = linear(seen.color);
#endif
    return vec4<f32>(seen.color, 1.0);
}
