// Eye-dome lighting: a pixel is darkened by how far its neighbours stand before it, on a logarithmic scale of distance.
// Also closes one-pixel holes and lays the background.

#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput

struct Frame {
    viewport: vec4<f32>,
    limits: vec4<f32>,
    ranges: vec4<f32>,
    background: vec4<f32>,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var colors: texture_2d<f32>;
// Bound as a plain texture: WebGL2 refuses to read depth textures as such.
@group(0) @binding(2) var depths: texture_2d<f32>;

const STRENGTH: f32 = 3.5;

struct Sample {
    color: vec3<f32>,
    // Reversed depth: near distance over distance; 0 where nothing was drawn.
    depth: f32,
}

fn inside(pixel: vec2<i32>) -> vec2<i32> {
    return clamp(pixel, vec2<i32>(0), vec2<i32>(frame.viewport.xy) - 1);
}

fn depth_at(pixel: vec2<i32>) -> f32 {
    return textureLoad(depths, inside(pixel), 0).r;
}

// A hole of a pixel or two in a surface takes the mean of its neighbours.
fn filled(pixel: vec2<i32>) -> Sample {
    var sum = vec3<f32>(0.0);
    var depth = 0.0;
    var count = 0.0;
    for (var y = -1; y <= 1; y++) {
        for (var x = -1; x <= 1; x++) {
            let neighbour = inside(pixel + vec2<i32>(x, y));
            let there = textureLoad(depths, neighbour, 0).r;
            if (there > 0.0) {
                sum += textureLoad(colors, neighbour, 0).rgb;
                depth += there;
                count += 1.0;
            }
        }
    }
    if (count < 5.0) {
        return Sample(frame.background.rgb, 0.0);
    }
    return Sample(sum / count, depth / count);
}

// What a neighbour adds to the shade: how far it stands before the pixel. The background adds nothing.
fn shade_of(depth: f32, pixel: vec2<i32>) -> f32 {
    let there = depth_at(pixel);
    if (there <= 0.0) {
        return 0.0;
    }
    return clamp(log2(there) - log2(depth), 0.0, 0.5);
}

fn linear(color: vec3<f32>) -> vec3<f32> {
    return select(pow((color + 0.055) / 1.055, vec3<f32>(2.4)), color / 12.92, color <= vec3<f32>(0.04045));
}

@fragment
fn fragment(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let pixel = vec2<i32>(in.position.xy);
    var seen = Sample(textureLoad(colors, pixel, 0).rgb, textureLoad(depths, pixel, 0).r);
    if (seen.depth <= 0.0) {
        seen = filled(pixel);
    }
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
        seen.color *= exp2(-STRENGTH * frame.ranges.w * shade);
    }
#ifdef SRGB_TARGET
    seen.color = linear(seen.color);
#endif
    return vec4<f32>(seen.color, 1.0);
}
