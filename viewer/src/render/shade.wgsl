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
// Largest shade from one neighbour, so that edges do not become black: a ratio of distances, the power of two of 0.22.
const RATIO_MAX: f32 = 1.1647;
// A neighbour that is nearer by this ratio belongs to a surface in front of the pixel.
const IN_FRONT: f32 = 1.0281;

// The pixels around one: 0 to 3 beside it, 4 to 7 at its corners. Computed, because a list would be copied for every pixel.
fn around(direction: i32) -> vec2<f32> {
    let sign = f32(1 - 2 * (direction & 1));
    let is_second = (direction & 2) != 0;
    let beside = select(vec2<f32>(sign, 0.0), vec2<f32>(0.0, sign), is_second);
    let corner = vec2<f32>(sign, select(sign, -sign, is_second));
    return select(corner, beside, direction < 4);
}

struct Sample {
    color: vec3<f32>,
    // Reversed depth: distance of the near plane divided by the distance; 0 where nothing was drawn.
    depth: f32,
}

// Beyond the picture, the sampler gives the pixel at its edge.

#ifdef REFINING
// Whether the coarser picture is shown: where the finer one has nothing, or something far behind, seen through a gap.
fn is_gap(fine: f32, coarse: f32) -> bool {
    return coarse > fine * IN_FRONT;
}
#endif

fn depth_at(uv: vec2<f32>) -> f32 {
    let depth = textureSampleLevel(depths, nearest, uv, 0.0).r;
#ifdef REFINING
    let fine = textureSampleLevel(fine_depths, nearest, uv, 0.0).r;
    return select(fine, depth, is_gap(fine, depth));
#else
    return depth;
#endif
}

fn color_at(uv: vec2<f32>) -> vec3<f32> {
    let color = textureSampleLevel(colors, nearest, uv, 0.0).rgb;
#ifdef REFINING
    let depth = textureSampleLevel(depths, nearest, uv, 0.0).r;
    let fine = textureSampleLevel(fine_depths, nearest, uv, 0.0).r;
    return select(textureSampleLevel(fine_colors, nearest, uv, 0.0).rgb, color, is_gap(fine, depth));
#else
    return color;
#endif
}

// From sRGB to linear light: a polynomial that is right to half a step of 8 bits, because powers are slow on software drivers.
fn linear(c: vec3<f32>) -> vec3<f32> {
    return c * (0.06640848 + c * (0.19541413 + c * (1.76734273 + c * (-1.77461301 + c * 0.74919175))));
}

// What follows an `if` is computed for every pixel on software drivers, and thrown away; a loop that ends at once costs nothing. So the parts
// that few pixels need are loops.
@fragment
fn fragment(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let pixel = 1.0 / shade.screen.xy;
    let uv = in.position.xy * pixel;
    let own = depth_at(uv);
    let beside = vec4<f32>(
        depth_at(uv + vec2<f32>(pixel.x, 0.0)), depth_at(uv - vec2<f32>(pixel.x, 0.0)),
        depth_at(uv + vec2<f32>(0.0, pixel.y)), depth_at(uv - vec2<f32>(0.0, pixel.y)),
    );
    var surface = Sample(select(shade.background.rgb, color_at(uv), own > 0.0), own);

    // Where nearly all neighbours are in front of a pixel, it shows what is behind a surface through a gap between the surface's points; then the
    // mean of that surface is shown. At a straight edge of a surface only three of eight neighbours are in front, and in a
    // right-angled corner five of the outer ring. The four beside it are enough to exclude most pixels.
    let limit = own * IN_FRONT;
    let in_front = dot(select(vec4<f32>(0.0), vec4<f32>(1.0), beside > vec4<f32>(limit)), vec4<f32>(1.0));
    var sum = vec4<f32>(0.0);
    var weight = 0.0;
    var ring = 0;
    var wide_ring = 0;
    let directions = select(0, 8, in_front >= 2.0);
    for (var direction = 0; direction < directions; direction++) {
        let offset = around(direction) * pixel;
        let near_depth = depth_at(uv + offset);
        if (near_depth > limit) {
            ring += 1;
            sum += vec4<f32>(color_at(uv + offset), near_depth) * 2.0;
            weight += 2.0;
        }
        let wide_depth = depth_at(uv + offset * 2.0);
        if (wide_depth > limit) {
            wide_ring += 1;
            sum += vec4<f32>(color_at(uv + offset * 2.0), wide_depth);
            weight += 1.0;
        }
    }
    if (ring >= 5 || ring + wide_ring >= 10) {
        let mean = sum / weight;
        surface = Sample(mean.rgb, mean.a);
    }
#ifdef DEPTH
    return vec4<f32>(surface.depth);
#else
    // The shade from a neighbour is the logarithm of how much nearer it is than the pixel. The background gives none.
    let near = max(round(shade.screen.z), 1.0);
    let wide = max(round(shade.screen.z * 0.7071), 1.0);
    let is_shaded = surface.depth > 0.0 && shade.screen.w > 0.0;
    let inverse = 1.0 / max(surface.depth, 1e-20);
    let ratios = clamp(beside * inverse, vec4<f32>(1.0), vec4<f32>(RATIO_MAX));
    // In small pictures the four beside the pixel have been read already.
    var darkness = select(1.0, ratios.x * ratios.y * ratios.z * ratios.w, near == 1.0);
    let end = select(0, 8, is_shaded);
    for (var direction = select(0, 4, near == 1.0); direction < end; direction++) {
        let offset = around(direction) * select(wide, near, direction < 4) * pixel;
        darkness *= clamp(depth_at(uv + offset) * inverse, 1.0, RATIO_MAX);
    }
    surface.color *= select(1.0, exp2(-STRENGTH * 0.125 * shade.screen.w * log2(darkness)), is_shaded);
#ifdef SRGB_TARGET
    surface.color = linear(surface.color);
#endif
    return vec4<f32>(surface.color, 1.0);
#endif
}
