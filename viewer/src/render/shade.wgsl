// Eye-dome lighting: a pixel is darkened by how much nearer its neighbours are, on a logarithmic scale of distance.
// Also closes small gaps between the points of a surface and draws the background.

#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput

struct Shade {
    // x, y: size of the camera's target in pixels; z: radius of edge shading in pixels; w: its strength.
    screen: vec4<f32>,
    background: vec4<f32>,
}

@group(0) @binding(0) var<uniform> shade: Shade;
@group(0) @binding(1) var colors: texture_2d<f32>;
// Bound as a float texture: WebGL2 cannot read it as a depth texture.
@group(0) @binding(2) var depths: texture_2d<f32>;
// Depths are sampled, not loaded: a depth texture without a nearest sampler reads as zero in WebGL2.
@group(0) @binding(3) var nearest: sampler;
#ifdef REFINING
// The picture that is being refined, with gaps. The first two textures then have a complete, coarser one.
@group(0) @binding(4) var fine_colors: texture_2d<f32>;
@group(0) @binding(5) var fine_depths: texture_2d<f32>;
#endif

const STRENGTH: f32 = 7.0;
// Largest shade from one neighbour, so that edges do not become black.
const SHADE_MAX: f32 = 0.22;
// A neighbour that is nearer by this binary logarithm of the distance belongs to a surface in front of the pixel.
const IN_FRONT_LOG2: f32 = 0.04;

struct Sample {
    color: vec3<f32>,
    // Reversed depth: distance of the near plane divided by the distance; 0 where nothing was drawn.
    depth: f32,
}

fn inside(pixel: vec2<i32>) -> vec2<i32> {
    return clamp(pixel, vec2<i32>(0), vec2<i32>(shade.screen.xy) - 1);
}

fn uv_of(pixel: vec2<i32>) -> vec2<f32> {
    return (vec2<f32>(inside(pixel)) + 0.5) / shade.screen.xy;
}

#ifdef REFINING
// Whether the coarser picture is shown: where the finer one has nothing, or something far behind, seen through a gap.
fn is_gap(fine: f32, coarse: f32) -> bool {
    return coarse > fine * exp2(IN_FRONT_LOG2);
}
#endif

fn depth_at(pixel: vec2<i32>) -> f32 {
    let uv = uv_of(pixel);
    let depth = textureSampleLevel(depths, nearest, uv, 0.0).r;
#ifdef REFINING
    let fine = textureSampleLevel(fine_depths, nearest, uv, 0.0).r;
    return select(fine, depth, is_gap(fine, depth));
#else
    return depth;
#endif
}

fn color_at(pixel: vec2<i32>) -> vec3<f32> {
    let uv = uv_of(pixel);
#ifdef REFINING
    let depth = textureSampleLevel(depths, nearest, uv, 0.0).r;
    let fine = textureSampleLevel(fine_depths, nearest, uv, 0.0).r;
    if (!is_gap(fine, depth)) {
        return textureSampleLevel(fine_colors, nearest, uv, 0.0).rgb;
    }
#endif
    return textureSampleLevel(colors, nearest, uv, 0.0).rgb;
}

// Colour and depth of a pixel. Where nearly all neighbours are in front of it, it shows what is behind a surface through a gap
// between the surface's points; then the mean of that surface. At a straight edge of a surface only three of eight neighbours
// are in front, and in a right-angled corner five of the outer ring.
fn sample_surface(pixel: vec2<i32>) -> Sample {
    let own = depth_at(pixel);
    let limit = own * exp2(IN_FRONT_LOG2);
    // Four neighbours are enough to exclude most pixels.
    var in_front = 0;
    in_front += i32(depth_at(pixel + vec2<i32>(1, 0)) > limit);
    in_front += i32(depth_at(pixel - vec2<i32>(1, 0)) > limit);
    in_front += i32(depth_at(pixel + vec2<i32>(0, 1)) > limit);
    in_front += i32(depth_at(pixel - vec2<i32>(0, 1)) > limit);
    if (in_front >= 2) {
        let surface = surface_around(pixel, limit);
        if (surface.depth > 0.0) {
            return surface;
        }
    }
    if (own > 0.0) {
        return Sample(color_at(pixel), own);
    }
    return Sample(shade.background.rgb, 0.0);
}

// The mean of a surface that is in front of a pixel on nearly all sides; depth 0 where there is none.
fn surface_around(pixel: vec2<i32>, limit: f32) -> Sample {
    var color = vec3<f32>(0.0);
    var depth = 0.0;
    var weight = 0.0;
    var ring = 0;
    var wide_ring = 0;
    for (var direction = 0; direction < 8; direction++) {
        let offset = vec2<i32>(vec2<f32>(cos(f32(direction) * 0.785398), sin(f32(direction) * 0.785398)) * 1.4142);
        let near = inside(pixel + offset);
        let near_depth = depth_at(near);
        if (near_depth > limit) {
            ring += 1;
            color += color_at(near) * 2.0;
            depth += near_depth * 2.0;
            weight += 2.0;
        }
        let wide = inside(pixel + offset * 2);
        let wide_depth = depth_at(wide);
        if (wide_depth > limit) {
            wide_ring += 1;
            color += color_at(wide);
            depth += wide_depth;
            weight += 1.0;
        }
    }
    if (ring >= 5 || ring + wide_ring >= 10) {
        return Sample(color / weight, depth / weight);
    }
    return Sample(vec3<f32>(0.0), 0.0);
}

// The shade from one neighbour: by how much it is nearer than the pixel. The background gives no shade.
fn shade_of(depth: f32, pixel: vec2<i32>) -> f32 {
    let neighbour_depth = depth_at(pixel);
    if (neighbour_depth <= 0.0) {
        return 0.0;
    }
    return clamp(log2(neighbour_depth) - log2(depth), 0.0, SHADE_MAX);
}

fn linear(color: vec3<f32>) -> vec3<f32> {
    return select(pow((color + 0.055) / 1.055, vec3<f32>(2.4)), color / 12.92, color <= vec3<f32>(0.04045));
}

@fragment
fn fragment(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let pixel = vec2<i32>(in.position.xy);
    var surface = sample_surface(pixel);
#ifdef DEPTH
    return vec4<f32>(surface.depth);
#else
    if (surface.depth > 0.0 && shade.screen.w > 0.0) {
        let near = max(i32(round(shade.screen.z)), 1);
        let wide = max(i32(round(shade.screen.z * 0.7071)), 1);
        var darkness = shade_of(surface.depth, pixel + vec2<i32>(near, 0));
        darkness += shade_of(surface.depth, pixel - vec2<i32>(near, 0));
        darkness += shade_of(surface.depth, pixel + vec2<i32>(0, near));
        darkness += shade_of(surface.depth, pixel - vec2<i32>(0, near));
        darkness += shade_of(surface.depth, pixel + vec2<i32>(wide, wide));
        darkness += shade_of(surface.depth, pixel - vec2<i32>(wide, wide));
        darkness += shade_of(surface.depth, pixel + vec2<i32>(wide, -wide));
        darkness += shade_of(surface.depth, pixel - vec2<i32>(wide, -wide));
        surface.color *= exp2(-STRENGTH * 0.125 * shade.screen.w * darkness);
    }
#ifdef SRGB_TARGET
    surface.color = linear(surface.color);
#endif
    return vec4<f32>(surface.color, 1.0);
#endif
}
