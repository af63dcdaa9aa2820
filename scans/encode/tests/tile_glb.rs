//! Tiles survive being written and read, and no byte can make the reader panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use glam::DVec3;
use parterre_encode::glb::encode;
use parterre_tile::glb::surface::{Extent, Spacing};
use parterre_tile::glb::{Extra, Normal, Part, Surface, Vertex, decode};
use proptest::prelude::*;

fn vertex() -> impl Strategy<Value = Vertex> {
    (any::<[u16; 3]>(), any::<[u8; 3]>()).prop_map(|(position, [red, green, blue])| Vertex {
        position,
        pad: 0,
        color: [red, green, blue, 255],
    })
}

fn extra() -> impl Strategy<Value = Extra> {
    (any::<u16>(), any::<u8>()).prop_map(|(intensity, classification)| Extra { intensity, classification, pad: 0 })
}

/// Octahedral coordinates as they are read: -128 is read as -127.
fn of_normal(normal: Normal) -> Surface {
    Surface { normal, ..Surface::default() }
}

fn normals_of(part: &Part) -> Vec<Normal> {
    part.surfaces.iter().map(|surface| surface.normal).collect()
}

fn surface() -> impl Strategy<Value = Surface> {
    any::<([i8; 2], u8, [u8; 4])>().prop_map(|(coordinates, spacing, extent)| Surface {
        normal: Normal(coordinates.map(|value| value.max(-127))),
        spacing: Spacing(spacing),
        extent: Extent(extent),
    })
}

fn part(with_extras: bool, with_surfaces: bool) -> impl Strategy<Value = Part> {
    let millimetres = -500_000_000..500_000_000_i64;
    let origin = [millimetres.clone(), millimetres.clone(), millimetres];
    (origin, prop::collection::vec((vertex(), extra(), surface()), 1..700)).prop_map(move |(origin, points)| {
        let vertices = points.iter().map(|&(vertex, ..)| vertex).collect();
        let extras = points.iter().map(|&(_, extra, _)| extra).filter(|_| with_extras).collect();
        let surfaces = points.iter().map(|&(.., surface)| surface).filter(|_| with_surfaces).collect();
        let origin_m = DVec3::from_array(origin.map(|value| value as f64 / 1000.0));
        Part { origin_m, vertices, extras, surfaces }
    })
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    any::<(bool, bool)>().prop_flat_map(|(with_extras, with_surfaces)| prop::collection::vec(part(with_extras, with_surfaces), 1..4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(parts in parts(), compress: bool) {
        let glb = encode(&parts, compress).unwrap();
        prop_assert_eq!(glb.len() % 4, 0);
        let mut read = decode(&glb).unwrap();
        if !compress {
            // A plain tile has vectors, whose coordinates are rounded once more.
            for (read, part) in read.iter_mut().zip(&parts) {
                for (read, surface) in read.surfaces.iter().zip(&part.surfaces) {
                    prop_assert!(read.normal.unit().angle_between(surface.normal.unit()) < 1.0_f32.to_radians());
                    prop_assert_eq!((read.spacing, read.extent), (surface.spacing, surface.extent));
                }
                prop_assert_eq!(read.surfaces.len(), part.surfaces.len());
                read.surfaces.clone_from(&part.surfaces);
            }
        }
        prop_assert_eq!(read, parts);
    }

    #[test]
    fn truncation_is_always_noticed(parts in parts(), compress: bool, cut in 0.0..1.0) {
        let glb = encode(&parts, compress).unwrap();
        let kept = (glb.len() as f64 * cut) as usize;
        prop_assert_eq!(decode(&glb[..kept]).unwrap_err().code(), "tile_corrupt");
    }

    #[test]
    fn changed_bytes_never_panic(
        parts in parts(), compress: bool, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut glb = encode(&parts, compress).unwrap();
        for (at, value) in changes {
            let at = at.index(glb.len());
            glb[at] = value;
        }
        if let Err(error) = decode(&glb) {
            prop_assert!(["tile_corrupt", "tile_unsupported"].contains(&error.code()), "{}", error);
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(decode(&bytes).is_err());
    }
}

#[test]
fn a_head_cut_anywhere_is_damage_and_no_other_format() {
    let glb = encode(&[one_point()], true).unwrap();
    for kept in 0..20 {
        assert_eq!(decode(&glb[..kept]).unwrap_err().code(), "tile_corrupt", "{kept} bytes");
    }
}

fn one_point() -> Part {
    let vertex = Vertex { position: [1000, 2000, 3000], pad: 0, color: [10, 128, 250, 255] };
    Part {
        origin_m: DVec3::new(5.0, -7.25, 11.0),
        vertices: vec![vertex],
        extras: vec![Extra { intensity: 9, classification: 6, pad: 0 }],
        surfaces: vec![of_normal(Normal::from_unit(DVec3::NEG_Y))],
    }
}

/// The file with its JSON replaced, lengths put right.
fn with_json(glb: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    let mut json: serde_json::Value = serde_json::from_slice(&glb[20..20 + length]).unwrap();
    change(&mut json);
    let mut text = serde_json::to_vec(&json).unwrap();
    text.resize(text.len().next_multiple_of(4), b' ');
    let mut changed = glb[..12].to_vec();
    changed.extend((text.len() as u32).to_le_bytes());
    changed.extend(b"JSON");
    changed.extend(&text);
    changed.extend(&glb[20 + length..]);
    let total = changed.len() as u32;
    changed[8..12].copy_from_slice(&total.to_le_bytes());
    changed
}

fn json_of(glb: &[u8]) -> serde_json::Value {
    let mut json = serde_json::Value::Null;
    with_json(glb, |value| json = value.clone());
    json
}

#[test]
fn a_client_that_turns_y_up_to_z_up_finds_the_point_in_the_tile_frame() {
    let part = one_point();
    let json = json_of(&encode(std::slice::from_ref(&part), false).unwrap());
    let matrix: Vec<f64> = json["nodes"][0]["matrix"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    let matrix = glam::DMat4::from_cols_slice(&matrix);
    let [x, y, z] = part.vertices[0].position.map(|value| f64::from(value) / 65535.0);
    let in_gltf = matrix.transform_point3(DVec3::new(x, y, z));
    let in_tile = DVec3::new(in_gltf.x, -in_gltf.z, in_gltf.y);
    assert!(in_tile.distance(DVec3::new(6.0, -5.25, 14.0)) < 1e-9, "{in_tile}");
    assert!(in_tile.distance(part.position_m(&part.vertices[0])) < 1e-9);
    // glTF turns normals by the inverse transpose of the node's matrix.
    let normal_matrix = glam::DMat3::from_mat4(matrix).inverse().transpose();
    for unit in [DVec3::X, DVec3::Y, DVec3::Z, DVec3::new(0.6, -0.48, 0.64)] {
        let in_gltf = (normal_matrix * unit).normalize();
        assert!(DVec3::new(in_gltf.x, -in_gltf.z, in_gltf.y).distance(unit) < 1e-12, "{unit}");
    }
    assert!((matrix.determinant() - 65.535_f64.powi(3)).abs() < 1e-6, "it must turn, not mirror");
}

#[test]
fn color_0_is_linear() {
    let glb = encode(&[one_point()], false).unwrap();
    let json = json_of(&glb);
    let bin = glb.len() - json["buffers"][0]["byteLength"].as_u64().unwrap() as usize;
    let offset = json["accessors"][1]["byteOffset"].as_u64().unwrap() as usize;
    // sRGB 10, 128 and 250 are 0.3 %, 21.6 % and 95.6 % of the light.
    assert_eq!(glb[bin + offset..bin + offset + 3], [1, 55, 244]);
}

#[test]
fn streams_are_of_the_version_that_the_extension_allows() {
    let glb = encode(&[one_point()], true).unwrap();
    let json = json_of(&glb);
    assert_eq!(json["extensionsRequired"], serde_json::json!(["KHR_mesh_quantization", "EXT_meshopt_compression"]));
    assert_eq!(json["buffers"][1]["extensions"]["EXT_meshopt_compression"]["fallback"], true);
    let bin = glb.len() - json["buffers"][0]["byteLength"].as_u64().unwrap() as usize;
    for view in json["bufferViews"].as_array().unwrap() {
        let stream = &view["extensions"]["EXT_meshopt_compression"];
        assert_eq!(glb[bin + stream["byteOffset"].as_u64().unwrap() as usize], 0xa0);
        assert_eq!(view["byteStride"].as_u64().unwrap() % 4, 0);
    }
}

#[test]
fn a_count_that_the_file_cannot_hold_is_refused_before_anything_is_allocated() {
    let glb = encode(&[one_point()], true).unwrap();
    for count in [1_000_u64, 60_000_000, u64::from(u32::MAX), u64::MAX / 16] {
        let bomb = with_json(&glb, |json| {
            for accessor in json["accessors"].as_array_mut().unwrap() {
                accessor["count"] = count.into();
            }
            for view in json["bufferViews"].as_array_mut().unwrap() {
                let stride = view["byteStride"].as_u64().unwrap();
                view["byteLength"] = (count * stride.min(16)).into();
                view["extensions"]["EXT_meshopt_compression"]["count"] = count.into();
            }
        });
        assert_eq!(decode(&bomb).unwrap_err().code(), "tile_corrupt", "{count}");
    }
}

#[test]
fn a_tile_has_at_most_sixteen_million_points() {
    let part = |points: usize| Part { vertices: vec![Vertex::default(); points], ..Part::default() };
    let largest = encode(&[part((16 << 20) - 5), part(5)], true).unwrap();
    assert_eq!(decode(&largest).unwrap().iter().map(|part| part.vertices.len()).sum::<usize>(), 16 << 20);
    let error = decode(&encode(&[part(16 << 20), part(1)], true).unwrap()).unwrap_err();
    assert_eq!(error.code(), "tile_unsupported");
    assert!(error.to_string().contains("16777216"), "{error}");
}

#[test]
fn many_nodes_on_one_stream_cannot_multiply_the_points() {
    let mut part = one_point();
    part.vertices = vec![part.vertices[0]; 60_000];
    part.extras.clear();
    part.surfaces.clear();
    let glb = encode(&[part], true).unwrap();
    let bomb = with_json(&glb, |json| {
        let node = json["nodes"][0].clone();
        json["nodes"] = vec![node; 500].into();
    });
    assert_eq!(decode(&bomb).unwrap_err().code(), "tile_corrupt");
}

type Change = fn(&mut serde_json::Value);

#[test]
fn sound_files_of_another_shape_are_told_apart_from_damage() {
    let glb = encode(&[one_point()], false).unwrap();
    let changes: [Change; 5] = [
        |json| json["meshes"][0]["primitives"][0]["mode"] = 4.into(),
        |json| json["nodes"][0]["matrix"][0] = 1.0.into(),
        |json| json["nodes"][0]["children"] = serde_json::json!([0]),
        |json| json["accessors"][0]["componentType"] = 5126.into(),
        |json| json["asset"]["version"] = "3.0".into(),
    ];
    for change in changes {
        assert_eq!(decode(&with_json(&glb, change)).unwrap_err().code(), "tile_unsupported");
    }
}

/// Compressed tiles with normals of so many bits, and the stream's values of the first one.
fn with_normals(bits: u32) -> (Vec<u8>, Vec<Normal>) {
    let mut part = one_point();
    part.vertices = vec![part.vertices[0]; 500];
    part.extras.clear();
    let angles = (0..500).map(|index| f64::from(index) * 0.1);
    let normals: Vec<Normal> =
        angles.map(|angle| Normal::with_bits(DVec3::new(angle.cos(), angle.sin(), (angle * 0.7).sin()), bits)).collect();
    part.surfaces = normals.iter().copied().map(of_normal).collect();
    (encode(std::slice::from_ref(&part), true).unwrap(), normals)
}

#[test]
fn fewer_bits_take_fewer_bytes_and_clients_get_unit_vectors() {
    let mut before = usize::MAX;
    for bits in [8, 7, 6, 5, 4] {
        let (glb, normals) = with_normals(bits);
        let json = json_of(&glb);
        let views = json["bufferViews"].as_array().unwrap();
        let view = &views[views.len() - 2];
        let stream = &view["extensions"]["EXT_meshopt_compression"];
        let number = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
        assert_eq!((stream["filter"].as_str(), view["byteStride"].as_u64()), (Some("OCTAHEDRAL"), Some(4)));
        let bytes = number(&stream["byteLength"]);
        assert!(bytes < before, "{bits} bits: {bytes} bytes");
        before = bytes;
        // As the reference decoder does it.
        let bin = glb.len() - number(&json["buffers"][0]["byteLength"]) + number(&stream["byteOffset"]);
        let mut vectors = meshopt::encoding::decode_vertex_buffer::<[i8; 4]>(&glb[bin..bin + bytes], 500).unwrap();
        meshopt::encoding::decode_filter_oct(&mut vectors);
        for ([x, y, z, _], normal) in vectors.into_iter().zip(&normals) {
            let vector = DVec3::from_array([x, y, z].map(|value| f64::from(value) / 127.0));
            assert!((vector.length() - 1.0).abs() < 0.0068, "{vector}");
            assert!(vector.angle_between(normal.unit().as_dvec3()).to_degrees() < 0.9, "{vector}");
        }
        assert_eq!(normals_of(&decode(&glb).unwrap()[0]), normals);
    }
}

#[test]
fn normals_of_another_shape_are_told_apart_from_damage() {
    let glb = with_normals(6).0;
    let normal = 2;
    let accessor = |json: &mut serde_json::Value, field: &str, value: serde_json::Value| json["accessors"][normal][field] = value;
    let code = |change: &dyn Fn(&mut serde_json::Value)| decode(&with_json(&glb, change)).unwrap_err().code();
    assert_eq!(code(&|json| accessor(json, "componentType", 5122.into())), "tile_unsupported");
    assert_eq!(code(&|json| accessor(json, "normalized", false.into())), "tile_unsupported");
    assert_eq!(code(&|json| accessor(json, "type", "VEC4".into())), "tile_unsupported");
    assert_eq!(code(&|json| accessor(json, "count", 499.into())), "tile_corrupt");
    assert_eq!(code(&|json| accessor(json, "count", 501.into())), "tile_corrupt");
    assert_eq!(code(&|json| accessor(json, "byteOffset", 4.into())), "tile_corrupt");
    assert_eq!(code(&|json| accessor(json, "byteOffset", 1.into())), "tile_unsupported");
    let stream = |json: &mut serde_json::Value, view: usize, filter: &str| {
        json["bufferViews"][view]["extensions"]["EXT_meshopt_compression"]["filter"] = filter.into();
    };
    assert_eq!(code(&|json| stream(json, 1, "QUATERNION")), "tile_unsupported");
    assert_eq!(code(&|json| stream(json, 1, "ROUND")), "tile_corrupt");
    assert_eq!(code(&|json| stream(json, 0, "OCTAHEDRAL")), "tile_unsupported");
    // Without a filter the numbers are vectors: others, but vectors of length 1.
    let parts = decode(&with_json(&glb, |json| stream(json, 1, "NONE"))).unwrap();
    assert!(normals_of(&parts[0]).iter().all(|normal| normal.unit().is_normalized()));
    // A tile of an earlier version.
    let parts =
        decode(&with_json(&glb, |json| drop(json["meshes"][0]["primitives"][0]["attributes"].as_object_mut().unwrap().remove("NORMAL"))))
            .unwrap();
    assert!(parts[0].surfaces.is_empty());
}

#[test]
fn zero_vectors_are_read_as_up() {
    let mut part = one_point();
    part.extras.clear();
    let mut glb = encode(&[part], false).unwrap();
    // The view before the last one, which has 8 bytes a point.
    let at = glb.len() - 12;
    glb[at..at + 4].fill(0);
    assert_eq!(normals_of(&decode(&glb).unwrap()[0]), [Normal::default()]);
}

#[test]
fn there_is_no_empty_tile() {
    assert_eq!(encode(&[], true).unwrap_err().code(), "internal");
    assert_eq!(encode(&[Part::default()], true).unwrap_err().code(), "internal");
}
