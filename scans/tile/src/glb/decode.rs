//! Reading a tile from untrusted bytes; [`super`] describes the layout.

use glam::{DVec3, I8Vec3};
use meshoptimizer_rs::Workspace;
use meshoptimizer_rs::codec::{BufferView as Stream, Filter, Mode};
use serde::Deserialize;
use serde_json::Value;

use super::color::{RESIDUAL, srgb_from_linear};
use super::normal::Normal;
use super::part::{CELL_M, Extra, Part, Vertex};
use super::surface::{Extent, Spacing, Surface};
use parterre_model::{Error, Result};

/// A meshopt stream spends at least 4 bytes on 256 bytes of output.
const LARGEST_RATIO: usize = 64;
/// Most points of a tile: the viewer needs about 60 bytes of memory for each, and a browser gives a page a few gigabytes at most. The tiler writes a
/// few hundred thousand at most.
const MAX_POINTS: usize = 16 << 20;
/// Most bytes of a point in all streams, see [`super`].
const POINT_BYTES: usize = 32;
const BYTE: u32 = 5120;
const UNSIGNED_BYTE: u32 = 5121;
const UNSIGNED_SHORT: u32 = 5123;

fn corrupt(message: impl Into<String>) -> Error {
    Error::input("tile_corrupt", format!("the tile is damaged: {}", message.into()), "Make the tiles again from the scan.")
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::input(
        "tile_unsupported",
        format!("the tile is not one of Parterre's: {}", message.into()),
        "Give a tileset of points that Parterre wrote.",
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    asset: Asset,
    #[serde(default)]
    nodes: Vec<Node>,
    #[serde(default)]
    meshes: Vec<Mesh>,
    #[serde(default)]
    accessors: Vec<Accessor>,
    #[serde(default)]
    buffer_views: Vec<View>,
}

#[derive(Deserialize)]
struct Asset {
    version: String,
    #[serde(default)]
    extras: Value,
}

#[derive(Deserialize)]
struct Node {
    mesh: Option<usize>,
    matrix: Option<[f64; 16]>,
    #[serde(default)]
    children: Vec<usize>,
}

#[derive(Deserialize)]
struct Mesh {
    primitives: Vec<Primitive>,
}

#[derive(Deserialize)]
struct Primitive {
    attributes: AttributeMap,
    mode: Option<u32>,
}

#[derive(Deserialize)]
struct AttributeMap {
    #[serde(rename = "POSITION")]
    position: usize,
    #[serde(rename = "COLOR_0")]
    color: Option<usize>,
    #[serde(rename = "NORMAL")]
    normal: Option<usize>,
    #[serde(rename = "_EXTENT")]
    extent: Option<usize>,
    #[serde(rename = "_SPACING")]
    spacing: Option<usize>,
    #[serde(rename = "_INTENSITY")]
    intensity: Option<usize>,
    #[serde(rename = "_CLASSIFICATION")]
    classification: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accessor {
    buffer_view: usize,
    #[serde(default)]
    byte_offset: usize,
    component_type: u32,
    #[serde(default)]
    normalized: bool,
    count: usize,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    buffer: usize,
    #[serde(default)]
    byte_offset: usize,
    byte_length: usize,
    byte_stride: Option<usize>,
    #[serde(default)]
    extensions: ViewExtensions,
}

#[derive(Default, Deserialize)]
struct ViewExtensions {
    #[serde(rename = "EXT_meshopt_compression")]
    meshopt: Option<Compression>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Compression {
    buffer: usize,
    #[serde(default)]
    byte_offset: usize,
    byte_length: usize,
    byte_stride: usize,
    count: usize,
    mode: String,
    filter: Option<String>,
}

/// Reads a tile, compressed or plain.
///
/// Never allocates more than 64 times the length of `glb` for its points, which is the most that its streams can hold, nor for more points than a viewer can
/// keep.
///
/// # Errors
/// `tile_corrupt` where lengths, offsets or streams do not fit the bytes; `tile_unsupported` where the file is valid
/// but not laid out as the module's documentation says, or has too many points.
pub fn decode(glb: &[u8]) -> Result<Vec<Part>> {
    let (json, bin) = chunks(glb)?;
    let document: Document = serde_json::from_slice(json).map_err(|error| corrupt(format!("its JSON: {error}")))?;
    if !document.asset.version.starts_with("2.") {
        return Err(unsupported(format!("glTF version {}", document.asset.version)));
    }
    let residual = document.asset.extras.pointer("/parterre/color").and_then(Value::as_str) == Some(RESIDUAL);
    let mut views = Views {
        bin,
        document: &document,
        decoded: vec![None; document.buffer_views.len()],
        bytes_left: glb.len().saturating_mul(LARGEST_RATIO).min(MAX_POINTS * POINT_BYTES),
    };
    let mut points_left = glb.len().saturating_mul(LARGEST_RATIO) / size_of::<Vertex>();
    let mut points = 0;
    let mut parts = Vec::new();
    for node in &document.nodes {
        if !node.children.is_empty() {
            return Err(unsupported("nodes have children"));
        }
        let Some(mesh) = node.mesh else { continue };
        let mesh = document.meshes.get(mesh).ok_or_else(|| corrupt("a node names a mesh that is not there"))?;
        let origin_m = origin(node.matrix.as_ref())?;
        for primitive in &mesh.primitives {
            let count = count_of(&document, primitive);
            points = count.saturating_add(points);
            if points > MAX_POINTS && points_left >= count {
                return Err(unsupported(format!("it has more than {MAX_POINTS} points")));
            }
            parts.push(part(&mut views, primitive, origin_m, residual, &mut points_left)?);
        }
    }
    Ok(parts)
}

/// The number of points that a primitive announces.
fn count_of(document: &Document, primitive: &Primitive) -> usize {
    document.accessors.get(primitive.attributes.position).map_or(0, |accessor| accessor.count)
}

/// The JSON chunk and the binary chunk.
fn chunks(glb: &[u8]) -> Result<(&[u8], &[u8])> {
    let word = |at: usize| {
        let bytes = glb.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    };
    if glb.get(..4) != Some(b"glTF") {
        return Err(corrupt("it does not begin with glTF"));
    }
    if word(4).ok_or_else(|| corrupt("it ends in its header"))? != 2 {
        return Err(unsupported("it is not binary glTF 2"));
    }
    if word(8) != Some(glb.len()) {
        return Err(corrupt("its length is not the one in its header"));
    }
    let chunk = |at: usize, name: &[u8; 4]| {
        let length = word(at).ok_or_else(|| corrupt("it ends in the header of a chunk"))?;
        if glb.get(at + 4..at + 8) != Some(name) {
            return Err(corrupt("a chunk is not where it should be"));
        }
        let body = (at + 8).checked_add(length).and_then(|end| glb.get(at + 8..end));
        body.ok_or_else(|| corrupt("a chunk is longer than the file"))
    };
    let json = chunk(12, b"JSON")?;
    let after = 12 + 8 + json.len();
    let bin = if after == glb.len() { &[][..] } else { chunk(after, b"BIN\0")? };
    Ok((json, bin))
}

/// The part's origin out of the node's matrix, which must be the one that the format asks for.
fn origin(matrix: Option<&[f64; 16]>) -> Result<DVec3> {
    let matrix = matrix.ok_or_else(|| unsupported("a node has no matrix"))?;
    let at = DVec3::new(matrix[12], -matrix[14], matrix[13]);
    let wanted = [CELL_M, 0.0, 0.0, 0.0, 0.0, 0.0, -CELL_M, 0.0, 0.0, CELL_M, 0.0, 0.0, at.x, at.z, -at.y, 1.0];
    if !at.is_finite() || matrix.iter().zip(wanted).any(|(found, wanted)| (found - wanted).abs() > 1e-9) {
        return Err(unsupported("a node's matrix is not a step of 1 mm with Z up"));
    }
    // Turning the axis makes a zero negative.
    Ok(at + DVec3::ZERO)
}

struct Views<'a> {
    bin: &'a [u8],
    document: &'a Document,
    decoded: Vec<Option<Vec<u8>>>,
    bytes_left: usize,
}

impl Views<'_> {
    /// The filter of a view's stream; none where it is not compressed.
    fn filter(&self, index: usize) -> Result<Filter> {
        let compression = self.document.buffer_views.get(index).and_then(|view| view.extensions.meshopt.as_ref());
        let name = compression.and_then(|compression| compression.filter.as_deref()).unwrap_or("NONE");
        Filter::parse(name).map_err(|error| corrupt(format!("a stream: {error}")))
    }

    /// The bytes of a view, before its filter.
    fn bytes(&mut self, index: usize) -> Result<&[u8]> {
        let view = self.document.buffer_views.get(index).ok_or_else(|| corrupt("an accessor names a view that is not there"))?;
        let Some(compression) = &view.extensions.meshopt else {
            if view.buffer != 0 {
                return Err(corrupt("a view lies outside the file"));
            }
            return slice(self.bin, view.byte_offset, view.byte_length);
        };
        if self.decoded[index].is_none() {
            if compression.buffer != 0 {
                return Err(corrupt("a stream lies outside the file"));
            }
            let source = slice(self.bin, compression.byte_offset, compression.byte_length)?;
            let fault = |error: meshoptimizer_rs::Error| corrupt(format!("a stream: {error}"));
            let mode = Mode::parse(&compression.mode).map_err(fault)?;
            if mode != Mode::Attributes {
                return Err(unsupported("a stream's mode"));
            }
            let stream = Stream::new(mode, Filter::None, compression.count, compression.byte_stride).map_err(fault)?;
            stream.validate_parent(view.byte_length, view.byte_stride).map_err(fault)?;
            self.bytes_left = (self.bytes_left.checked_sub(stream.byte_length()))
                .ok_or_else(|| corrupt("its streams announce more bytes than they can contain"))?;
            self.decoded[index] = Some(stream.decode(source, &mut Workspace::default()).map_err(fault)?);
        }
        Ok(self.decoded[index].as_deref().unwrap_or_default())
    }

    /// `read` of each element of an accessor whose elements are `N` bytes long in the view and have no filter.
    fn elements<const N: usize, T>(&mut self, accessor: &Accessor, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
        if self.filter(accessor.buffer_view)? != Filter::None {
            return Err(unsupported("a stream's filter"));
        }
        self.unfiltered(accessor, read)
    }

    /// The normals of an accessor.
    fn normals(&mut self, accessor: &Accessor) -> Result<Vec<Normal>> {
        match self.filter(accessor.buffer_view)? {
            Filter::None => self.unfiltered(accessor, |bytes: [u8; 3]| {
                let vector = I8Vec3::from_array(bytes.map(|byte| byte as i8));
                Normal::from_unit(vector.as_dvec3())
            }),
            // The octahedral coordinates themselves: the filter would turn them into vectors, and rounding would change them.
            Filter::Octahedral => {
                let stride = self.document.buffer_views.get(accessor.buffer_view).and_then(|view| view.byte_stride);
                if stride != Some(4) || !accessor.byte_offset.is_multiple_of(4) {
                    return Err(unsupported("a stream's filter"));
                }
                self.unfiltered(accessor, |bytes: [u8; 3]| {
                    let [u, v, one] = bytes.map(|byte| byte as i8);
                    Normal::widened([u, v], one)
                })
            }
            _ => Err(unsupported("a stream's filter")),
        }
    }

    /// `read` of each element of an accessor whose elements are `N` bytes long in the view.
    fn unfiltered<const N: usize, T>(&mut self, accessor: &Accessor, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
        let view = self.document.buffer_views.get(accessor.buffer_view);
        let stride = view.and_then(|view| view.byte_stride).unwrap_or(N);
        if accessor.count == 0 || stride < N {
            return Err(corrupt("an accessor has no elements or overlapping ones"));
        }
        let bytes = self.bytes(accessor.buffer_view)?;
        let length = (accessor.count - 1).checked_mul(stride).and_then(|length| length.checked_add(N));
        let bytes = slice(bytes, accessor.byte_offset, length.ok_or_else(|| corrupt("an accessor is too long"))?)?;
        let element = |chunk: &[u8]| {
            let mut element = [0; N];
            element.copy_from_slice(&chunk[..N]);
            read(element)
        };
        Ok(bytes.chunks(stride).map(element).collect())
    }
}

fn slice(bytes: &[u8], offset: usize, length: usize) -> Result<&[u8]> {
    offset.checked_add(length).and_then(|end| bytes.get(offset..end)).ok_or_else(|| corrupt("something lies past the end"))
}

fn part(views: &mut Views<'_>, primitive: &Primitive, origin_m: DVec3, residual: bool, points_left: &mut usize) -> Result<Part> {
    if primitive.mode != Some(0) {
        return Err(unsupported("its primitives are not points"));
    }
    let document = views.document;
    let accessor = |index: usize, components: &[u32], normalized: bool, kinds: &[&str]| {
        let accessor = document.accessors.get(index).ok_or_else(|| corrupt("an attribute names an accessor that is not there"))?;
        let fits = components.contains(&accessor.component_type) && kinds.contains(&accessor.kind.as_str());
        if !fits || accessor.normalized != normalized {
            return Err(unsupported("an attribute's type"));
        }
        Ok(accessor)
    };
    let position = accessor(primitive.attributes.position, &[UNSIGNED_SHORT], true, &["VEC3"])?;
    let count = position.count;
    *points_left = points_left.checked_sub(count).ok_or_else(|| corrupt("it announces more points than it can contain"))?;
    let same_count = |accessor: &Accessor| {
        if accessor.count == count { Ok(()) } else { Err(corrupt("its attributes have different counts")) }
    };
    let color = match primitive.attributes.color {
        Some(index) => Some(accessor(index, &[UNSIGNED_BYTE], true, &["VEC3", "VEC4"])?),
        None => None,
    };
    if let Some(color) = color {
        same_count(color)?;
    }

    let interleaved = color.filter(|color| {
        let stride = document.buffer_views.get(position.buffer_view).and_then(|view| view.byte_stride);
        residual
            && color.kind == "VEC3"
            && stride == Some(size_of::<Vertex>())
            && color.buffer_view == position.buffer_view
            && position.byte_offset.checked_add(8) == Some(color.byte_offset)
    });
    let vertices = if interleaved.is_some() {
        views.elements(position, |bytes: [u8; 12]| Vertex {
            position: position_of(&bytes),
            pad: 0,
            color: [
                srgb_from_linear(bytes[8], bytes[6]),
                srgb_from_linear(bytes[9], bytes[7]),
                srgb_from_linear(bytes[10], bytes[11]),
                255,
            ],
        })?
    } else {
        let mut vertices = views.elements(position, |bytes: [u8; 6]| Vertex { position: position_of(&bytes), pad: 0, color: [255; 4] })?;
        if let Some(color) = color {
            let colors = views.elements(color, |bytes: [u8; 3]| bytes.map(|linear| srgb_from_linear(linear, 0)))?;
            for (vertex, color) in vertices.iter_mut().zip(colors) {
                vertex.color[..3].copy_from_slice(&color);
            }
        }
        vertices
    };

    let mut extras = Vec::new();
    let AttributeMap { intensity, classification, .. } = primitive.attributes;
    if intensity.is_some() || classification.is_some() {
        extras = vec![Extra::default(); count];
    }
    if let Some(index) = intensity {
        let intensity = accessor(index, &[UNSIGNED_SHORT], false, &["SCALAR"])?;
        same_count(intensity)?;
        for (extra, value) in extras.iter_mut().zip(views.elements(intensity, u16::from_le_bytes)?) {
            extra.intensity = value;
        }
    }
    if let Some(index) = classification {
        let classification = accessor(index, &[UNSIGNED_BYTE], false, &["SCALAR"])?;
        same_count(classification)?;
        for (extra, [value]) in extras.iter_mut().zip(views.elements(classification, |bytes: [u8; 1]| bytes)?) {
            extra.classification = value;
        }
    }
    let mut surfaces: Vec<Surface> = Vec::new();
    if let Some(index) = primitive.attributes.normal {
        let normal = accessor(index, &[BYTE], true, &["VEC3"])?;
        same_count(normal)?;
        surfaces.extend(views.normals(normal)?.into_iter().map(|normal| Surface { normal, ..Surface::default() }));
        // Extents are along the tangents of the normal, so without it they mean nothing.
        if let Some(index) = primitive.attributes.extent {
            let extent = accessor(index, &[UNSIGNED_BYTE], false, &["VEC4"])?;
            same_count(extent)?;
            surfaces.iter_mut().zip(views.elements(extent, Extent)?).for_each(|(surface, extent)| surface.extent = extent);
        }
        if let Some(index) = primitive.attributes.spacing {
            let spacing = accessor(index, &[UNSIGNED_BYTE], false, &["SCALAR"])?;
            same_count(spacing)?;
            let spacings = views.elements(spacing, |[code]: [u8; 1]| Spacing(code))?;
            surfaces.iter_mut().zip(spacings).for_each(|(surface, spacing)| surface.spacing = spacing);
        }
    }
    Ok(Part { origin_m, vertices, extras, surfaces })
}

fn position_of(bytes: &[u8]) -> [u16; 3] {
    [0, 2, 4].map(|at| u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}
