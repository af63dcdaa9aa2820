//! Writing a tile as binary glTF; [`parterre_tile::glb`] describes the layout.

use serde_json::{Value, json};

use parterre_model::{Error, Result};
use parterre_tile::glb::color::{RESIDUAL, linear_from_srgb};
use parterre_tile::glb::{CELL_M, Extra, Normal, Part, Surface, Vertex};

const ARRAY_BUFFER: u32 = 34962;
const BYTE: u32 = 5120;
const UNSIGNED_BYTE: u32 = 5121;
const UNSIGNED_SHORT: u32 = 5123;
const VERTEX_BYTES: usize = size_of::<Vertex>();
const EXTRA_BYTES: usize = 8;
const NORMAL_BYTES: usize = 4;
const SURFACE_BYTES: usize = 8;
/// Fewest bits of an octahedral coordinate in a stream.
const LEAST_NORMAL_BITS: u32 = 4;

/// Writes a tile; without `compress` in the form without meshopt, for validators.
///
/// Parts without points are left out. Extras are written when every part that has points has them, and so are surfaces.
///
/// # Errors
/// `internal` when a part has extras or surfaces but not one for each vertex, or when there is no point at all: glTF has no empty
/// primitives.
pub fn encode(parts: &[Part], compress: bool) -> Result<Vec<u8>> {
    let parts: Vec<&Part> = parts.iter().filter(|part| !part.vertices.is_empty()).collect();
    if parts.is_empty() {
        return Err(Error::Internal("a tile needs at least one point".into()));
    }
    if parts.iter().any(|part| !part.extras.is_empty() && part.extras.len() != part.vertices.len()) {
        return Err(Error::Internal("a part needs either no extras or one for each vertex".into()));
    }
    if parts.iter().any(|part| !part.surfaces.is_empty() && part.surfaces.len() != part.vertices.len()) {
        return Err(Error::Internal("a part needs either no surfaces or one for each vertex".into()));
    }
    let with_surfaces = parts.iter().all(|part| !part.surfaces.is_empty());
    let with_extras = parts.iter().all(|part| !part.extras.is_empty());

    let vertices: Vec<[u8; VERTEX_BYTES]> = parts.iter().flat_map(|part| part.vertices.iter().map(vertex_bytes)).collect();
    let mut writer = Writer { compress, ..Writer::default() };
    writer.view(&vertices, "NONE")?;
    if with_extras {
        let extras: Vec<[u8; EXTRA_BYTES]> = parts.iter().flat_map(|part| part.extras.iter().copied().map(extra_bytes)).collect();
        writer.view(&extras, "NONE")?;
    }
    if with_surfaces {
        let surfaces = || parts.iter().flat_map(|part| part.surfaces.iter());
        let normals = || surfaces().map(|surface| surface.normal);
        if compress {
            writer.view(&octahedral(normals), "OCTAHEDRAL")?;
        } else {
            writer.view(&normals().map(vector_bytes).collect::<Vec<_>>(), "NONE")?;
        }
        writer.view(&surfaces().copied().map(surface_bytes).collect::<Vec<_>>(), "NONE")?;
    }
    let json = document(&parts, with_extras, with_surfaces, &writer);
    container(&json, &writer.bin)
}

fn vertex_bytes(vertex: &Vertex) -> [u8; VERTEX_BYTES] {
    let [x, y, z] = vertex.position.map(u16::to_le_bytes);
    let [(red, red_rest), (green, green_rest), (blue, blue_rest)] =
        [vertex.color[0], vertex.color[1], vertex.color[2]].map(linear_from_srgb);
    [x[0], x[1], y[0], y[1], z[0], z[1], red_rest, green_rest, red, green, blue, blue_rest]
}

fn extra_bytes(extra: Extra) -> [u8; EXTRA_BYTES] {
    let [low, high] = extra.intensity.to_le_bytes();
    [low, high, 0, 0, extra.classification, 0, 0, 0]
}

fn surface_bytes(surface: Surface) -> [u8; SURFACE_BYTES] {
    let [a, b, c, d] = surface.extent.0;
    [a, b, c, d, surface.spacing.0, 0, 0, 0]
}

/// The normals before the filter OCTAHEDRAL, with as few bits as hold all of them exactly: two coordinates, the largest coordinate, 0.
fn octahedral<I: Iterator<Item = Normal>>(normals: impl Fn() -> I) -> Vec<[u8; NORMAL_BYTES]> {
    let holds_all = |bits: &u32| normals().all(|normal| normal.narrowed(*bits).is_some());
    let bits = (LEAST_NORMAL_BITS..Normal::MAX_BITS).find(holds_all).unwrap_or(Normal::MAX_BITS);
    let one = ((1_u32 << (bits - 1)) - 1) as u8;
    let bytes = |normal: Normal| {
        // -128 is the same as -127, and the only value that no number of bits holds.
        let [u, v] = normal.narrowed(bits).unwrap_or(normal.0.map(|value| value.max(-127))).map(|value| value as u8);
        [u, v, one, 0]
    };
    normals().map(bytes).collect()
}

/// The vector of a normal, as filtered streams decode to and plain tiles have it.
fn vector_bytes(normal: Normal) -> [u8; NORMAL_BYTES] {
    let [x, y, z] = normal.unit().to_array().map(|value| (value * 127.0).round() as i8 as u8);
    [x, y, z, 0]
}

#[derive(Default)]
struct Writer {
    compress: bool,
    views: Vec<Value>,
    plain_bytes: usize,
    bin: Vec<u8>,
}

impl Writer {
    fn view<const N: usize>(&mut self, items: &[[u8; N]], filter: &str) -> Result<()> {
        let bytes = items.len() * N;
        let mut view = json!({"byteOffset": self.plain_bytes, "byteLength": bytes, "byteStride": N, "target": ARRAY_BUFFER});
        if self.compress {
            let stream = meshopt::encoding::encode_vertex_buffer_level(items, 2, Some(0))
                .map_err(|error| Error::Internal(format!("meshopt: {error}")))?;
            if stream.is_empty() {
                return Err(Error::Internal("meshopt wrote nothing".into()));
            }
            view["buffer"] = 1.into();
            view["extensions"] = json!({"EXT_meshopt_compression": {
                "buffer": 0, "byteOffset": self.bin.len(), "byteLength": stream.len(), "byteStride": N,
                "mode": "ATTRIBUTES", "filter": filter, "count": items.len(),
            }});
            self.bin.extend_from_slice(&stream);
            self.bin.resize(self.bin.len().next_multiple_of(4), 0);
        } else {
            view["buffer"] = 0.into();
            self.bin.extend_from_slice(items.as_flattened());
        }
        self.plain_bytes += bytes;
        self.views.push(view);
        Ok(())
    }
}

fn document(parts: &[&Part], with_extras: bool, with_surfaces: bool, writer: &Writer) -> Value {
    let mut accessors = Vec::new();
    let mut meshes = Vec::new();
    let mut nodes = Vec::new();
    let mut start = 0;
    for (index, part) in parts.iter().enumerate() {
        let count = part.vertices.len();
        let (min, max) = part.vertices.iter().fold(([u16::MAX; 3], [0; 3]), |(min, max), vertex| {
            let at = |axis: usize| vertex.position[axis];
            ([0, 1, 2].map(|axis| min[axis].min(at(axis))), [0, 1, 2].map(|axis| max[axis].max(at(axis))))
        });
        let accessor = |view: u32, offset: usize, component: u32, normalized: bool, kind: &str| {
            let mut value = json!({
                "bufferView": view, "byteOffset": offset, "componentType": component, "count": count, "type": kind,
            });
            if normalized {
                value["normalized"] = true.into();
            }
            value
        };
        let first = accessors.len();
        let mut position = accessor(0, start * VERTEX_BYTES, UNSIGNED_SHORT, true, "VEC3");
        position["min"] = json!(min);
        position["max"] = json!(max);
        accessors.push(position);
        accessors.push(accessor(0, start * VERTEX_BYTES + 8, UNSIGNED_BYTE, true, "VEC3"));
        let mut primitive = json!({"mode": 0, "material": 0, "attributes": {"POSITION": first, "COLOR_0": first + 1}});
        if with_extras {
            accessors.push(accessor(1, start * EXTRA_BYTES, UNSIGNED_SHORT, false, "SCALAR"));
            accessors.push(accessor(1, start * EXTRA_BYTES + 4, UNSIGNED_BYTE, false, "SCALAR"));
            primitive["attributes"]["_INTENSITY"] = (first + 2).into();
            primitive["attributes"]["_CLASSIFICATION"] = (first + 3).into();
            primitive["extensions"] = json!({"EXT_structural_metadata": {"propertyAttributes": [0]}});
        }
        if with_surfaces {
            let view = 1 + u32::from(with_extras);
            let next = accessors.len();
            accessors.push(accessor(view, start * NORMAL_BYTES, BYTE, true, "VEC3"));
            accessors.push(accessor(view + 1, start * SURFACE_BYTES, UNSIGNED_BYTE, false, "VEC4"));
            accessors.push(accessor(view + 1, start * SURFACE_BYTES + 4, UNSIGNED_BYTE, false, "SCALAR"));
            primitive["attributes"]["NORMAL"] = next.into();
            primitive["attributes"]["_EXTENT"] = (next + 1).into();
            primitive["attributes"]["_SPACING"] = (next + 2).into();
        }
        meshes.push(json!({"primitives": [primitive]}));
        let at = part.origin_m;
        nodes.push(json!({
            "mesh": index,
            "matrix": [CELL_M, 0.0, 0.0, 0.0, 0.0, 0.0, -CELL_M, 0.0, 0.0, CELL_M, 0.0, 0.0, at.x, at.z, -at.y, 1.0],
        }));
        start += count;
    }

    let mut buffers = vec![json!({"byteLength": writer.bin.len()})];
    let mut required = vec!["KHR_mesh_quantization"];
    let mut used = vec!["KHR_materials_unlit"];
    if writer.compress {
        buffers.push(json!({"byteLength": writer.plain_bytes, "extensions": {"EXT_meshopt_compression": {"fallback": true}}}));
        required.push("EXT_meshopt_compression");
    }
    if with_extras {
        used.push("EXT_structural_metadata");
    }
    used.extend(&required);
    let mut document = json!({
        "asset": {
            "version": "2.0",
            "generator": concat!("Parterre ", env!("CARGO_PKG_VERSION")),
            "extras": {"parterre": {"color": RESIDUAL}},
        },
        "scene": 0,
        "scenes": [{"nodes": (0..parts.len()).collect::<Vec<_>>()}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0.0}, "extensions": {"KHR_materials_unlit": {}}}],
        "accessors": accessors,
        "bufferViews": writer.views,
        "buffers": buffers,
        "extensionsUsed": used,
        "extensionsRequired": required,
    });
    if with_extras {
        document["extensions"] = json!({"EXT_structural_metadata": {
            "schema": {"id": "parterre_points", "classes": {"point": {"properties": {
                "intensity": {"type": "SCALAR", "componentType": "UINT16", "required": true},
                "classification": {"type": "SCALAR", "componentType": "UINT8", "required": true},
            }}}},
            "propertyAttributes": [{"class": "point", "properties": {
                "intensity": {"attribute": "_INTENSITY"},
                "classification": {"attribute": "_CLASSIFICATION"},
            }}],
        }});
    }
    document
}

fn container(json: &Value, bin: &[u8]) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec(json).map_err(|error| Error::Internal(error.to_string()))?;
    text.resize(text.len().next_multiple_of(4), b' ');
    let bin_bytes = bin.len().next_multiple_of(4);
    let total = 12 + 8 + text.len() + 8 + bin_bytes;
    let word = |value: usize| u32::try_from(value).map(u32::to_le_bytes).map_err(|_| Error::Internal("a tile beyond 4 GiB".into()));
    let mut glb = Vec::with_capacity(total);
    glb.extend_from_slice(b"glTF");
    glb.extend_from_slice(&2_u32.to_le_bytes());
    glb.extend_from_slice(&word(total)?);
    glb.extend_from_slice(&word(text.len())?);
    glb.extend_from_slice(b"JSON");
    glb.extend_from_slice(&text);
    glb.extend_from_slice(&word(bin_bytes)?);
    glb.extend_from_slice(b"BIN\0");
    glb.extend_from_slice(bin);
    glb.resize(total, 0);
    Ok(glb)
}
