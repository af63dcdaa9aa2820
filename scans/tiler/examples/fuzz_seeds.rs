//! Small valid files as seeds for fuzzing, as small as possible, since a run takes longer the larger its input is: `fuzz_seeds DIR` writes `DIR/TARGET/NAME` for each target of `scans/fuzz`.

use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use e57::{E57Writer, ImageFormat, Quaternion, Record, RecordDataType, RecordName, RecordValue, Transform, Translation};
use glam::DVec3;
use parterre_encode::archive::Writer;
use parterre_read as read;
use parterre_tile::glb::surface::{Extent, Spacing};
use parterre_tile::glb::{Extra, Normal, Part, Surface, Vertex};
use parterre_tiler as tiler;
use parterre_venue::stadium;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let dir = std::env::args_os().nth(1).ok_or("usage: fuzz_seeds DIR")?;
    let dir = Path::new(&dir);
    let put = |target: &str, name: &str, bytes: &[u8]| -> Result<()> {
        std::fs::create_dir_all(dir.join(target))?;
        Ok(std::fs::write(dir.join(target).join(name), bytes)?)
    };
    for format in [0, 1, 2, 3, 6, 7, 8] {
        put("las", &format!("format-{format}"), &las(format)?)?;
        put("laz", &format!("format-{format}"), &laz(format, Some(CHUNK_POINTS))?)?;
    }
    put("laz", "variable-chunks", &laz(7, None)?)?;
    let scan = dir.join("stadium.las");
    stadium::write(&scan, 20, 1, &AtomicBool::new(false), &|_| ())?;
    let bytes = std::fs::read(&scan)?;
    put("las", "stadium", &bytes)?;
    put("tiler", "file", &[&[32, 0, 0, 0], &bytes[..]].concat())?;
    // A tree of a few nodes in both encodings, with as few points in a node as there can be.
    stadium::write(&scan, 24, 2, &AtomicBool::new(false), &|_| ())?;
    let out = tempfile::tempdir()?;
    let options = tiler::Options { tile_points: 16, ..tiler::Options::default() };
    tiler::tile(&mut [read::open(&scan)?], out.path(), &options, &|_| ())?;
    std::fs::remove_file(&scan)?;
    put("copc", "tree", &std::fs::read(out.path().join("points.copc.laz"))?)?;
    put("archive", "tree", &std::fs::read(out.path().join("tiles.3tz"))?)?;
    for (name, header) in TILER_HEADERS {
        put("tiler", name, &[&header[..], &tiler_points()].concat())?;
    }
    put("e57", "cartesian", &e57(false)?)?;
    put("e57", "spherical", &e57(true)?)?;
    for (name, bytes) in ply() {
        put("ply", name, &bytes)?;
    }
    let tiles = [tile(false), tile(true)];
    for (name, compress) in [("plain", false), ("compressed", true)] {
        let put_tile = |name: &str, parts: &[Part]| -> Result<()> {
            let bytes = parterre_encode::glb::encode(parts, compress)?;
            put("glb", name, &bytes)?;
            put("packed", name, &bytes)
        };
        put_tile(name, &tiles)?;
        put_tile(&format!("{name}-one"), &tiles[..1])?;
        let surface = |i: usize| Surface {
            normal: Normal([(i * 4) as i8, (i * i) as i8]),
            spacing: Spacing(i as u8),
            extent: Extent([i as u8, (i / 3) as u8, 0, 15]),
        };
        let with_surfaces = tiles.each_ref().map(|part| Part { surfaces: (0..part.vertices.len()).map(surface).collect(), ..part.clone() });
        put_tile(&format!("{name}-surfaces"), &with_surfaces)?;
    }
    let mut archive = Writer::new(Vec::new());
    archive.add("tileset.json", TILESET.into())?;
    archive.add("t/0.glb", parterre_encode::glb::encode(&tiles, true)?)?;
    put("archive", "two", &archive.finish()?.0)?;
    put("archive", "empty", &Writer::new(Vec::new()).finish()?.0)?;
    put("tileset", "tree", TILESET.as_bytes())?;
    for (name, wkt) in WKT {
        let keys: [u16; 24] = [1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 32_617, 3076, 0, 1, 9001, 0, 0, 0, 0, 0, 0, 0, 0];
        let keys: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
        put("crs", name, &[&[1], wkt.as_bytes()].concat())?;
        put("crs", &format!("{name}-and-keys"), &[&[0], wkt.as_bytes(), &[0], &keys].concat())?;
    }
    Ok(())
}

/// Points of a LAS or LAZ file, and of each of its chunks: each chunk costs about as much to decode as its first 200 points.
const POINTS: u16 = 30;
const CHUNK_POINTS: u32 = 20;

/// A file of [`POINTS`] points, by another crate's writer.
fn las(format: u8) -> Result<Vec<u8>> {
    let mut builder = las::Builder::from((1, 4));
    builder.point_format = las::point::Format::new(format)?;
    builder.point_format.extra_bytes = if format.is_multiple_of(2) { 0 } else { 3 };
    let (time, color) = (builder.point_format.has_gps_time, builder.point_format.has_color);
    let nir = builder.point_format.has_nir;
    let extra = usize::from(builder.point_format.extra_bytes);
    let mut writer = las::Writer::new(Cursor::new(Vec::new()), builder.into_header()?)?;
    for i in 0..POINTS {
        writer.write_point(las::Point {
            x: f64::from(i) * 0.25,
            y: f64::from(i % 17) - 3.0,
            z: f64::from(i % 5),
            intensity: i * 7,
            return_number: 1 + (i % 2) as u8,
            number_of_returns: 2,
            gps_time: time.then_some(f64::from(i)),
            color: color.then_some(las::Color::new(i, 300, 65_535)),
            nir: nir.then_some(9),
            extra_bytes: vec![i as u8; extra],
            ..las::Point::default()
        })?;
    }
    writer.close()?;
    Ok(writer.into_inner()?.into_inner())
}

/// The file of [`las`], compressed, in chunks of one size or of any.
fn laz(format: u8, chunk_points: Option<u32>) -> Result<Vec<u8>> {
    let plain = las(format)?;
    let word = |at: usize| u32::from_le_bytes([plain[at], plain[at + 1], plain[at + 2], plain[at + 3]]);
    let (offset, records) = (word(96) as usize, word(100));
    let record_len = usize::from(u16::from_le_bytes([plain[105], plain[106]]));
    let extra = if format.is_multiple_of(2) { 0 } else { 3 };
    let items = laz::LazItemRecordBuilder::default_for_point_format_id(format, extra)?;
    let builder = laz::LazVlrBuilder::default().with_laz_items(items);
    let vlr = match chunk_points {
        Some(points) => builder.with_fixed_chunk_size(points),
        None => builder.with_variable_chunk_size(),
    }
    .build();
    let mut described = Vec::new();
    vlr.write_to(&mut described)?;
    let mut file = plain[..offset].to_vec();
    file[96..100].copy_from_slice(&((offset + 54 + described.len()) as u32).to_le_bytes());
    file[100..104].copy_from_slice(&(records + 1).to_le_bytes());
    file[104] |= 0x80;
    let mut head = [0; 54];
    head[2..2 + laz::LazVlr::USER_ID.len()].copy_from_slice(laz::LazVlr::USER_ID.as_bytes());
    head[18..20].copy_from_slice(&laz::LazVlr::RECORD_ID.to_le_bytes());
    head[20..22].copy_from_slice(&(described.len() as u16).to_le_bytes());
    file.extend_from_slice(&head);
    file.extend_from_slice(&described);
    let mut output = Cursor::new(file);
    output.set_position(output.get_ref().len() as u64);
    let mut compressor = laz::LasZipCompressor::new(output, vlr)?;
    for (index, record) in plain[offset..].chunks_exact(record_len).take(POINTS.into()).enumerate() {
        if chunk_points.is_none() && index == 7 {
            compressor.finish_current_chunk()?;
        }
        compressor.compress_one(record)?;
    }
    compressor.done()?;
    Ok(compressor.into_inner().into_inner())
}

/// Headers of inputs of the target `tiler`, which describes them: kinds of outputs and sources.
const TILER_HEADERS: [(&str, [u8; 4]); 4] =
    [("both", [0x18, 0, 3, 0]), ("copc-two", [0x0e, 1, 2, 20]), ("tiles-floats", [0x11, 0, 3, 0]), ("feet", [0x08, 0x80, 1, 0])];

/// Points of an input of the target `tiler`: a floor, a wall, and one of each special kind.
fn tiler_points() -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in 0..60_i16 {
        let steps = if i < 40 { [i % 8 * 400, i / 8 * 500, 3] } else { [3200, i % 5 * 500, i / 5 * 100] };
        bytes.extend(steps.iter().flat_map(|step| step.to_le_bytes()));
        bytes.extend([(i % 7) as u8, if i < 56 { i as u8 } else { 252 + (i - 56) as u8 }]);
    }
    bytes
}

/// Two scans with poses, and a picture.
fn e57(spherical: bool) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = E57Writer::new(&mut bytes, "file")?;
    for scan in 0..2 {
        let scaled = |name| Record { name, data_type: RecordDataType::ScaledInteger { min: -5000, max: 5000, scale: 0.001, offset: 0.0 } };
        let mut prototype = if spherical {
            vec![Record::SPHERICAL_AZIMUTH_F32, Record::SPHERICAL_ELEVATION_F32, Record::SPHERICAL_RANGE_F32]
        } else if scan == 0 {
            vec![Record::CARTESIAN_X_F64, Record::CARTESIAN_Y_F64, Record::CARTESIAN_Z_F64]
        } else {
            vec![scaled(RecordName::CartesianX), scaled(RecordName::CartesianY), scaled(RecordName::CartesianZ)]
        };
        prototype.extend([Record::COLOR_RED_U8, Record::COLOR_GREEN_U8, Record::COLOR_BLUE_U8, Record::INTENSITY_U16]);
        prototype.push(if spherical { Record::SPHERICAL_INVALID_STATE } else { Record::CARTESIAN_INVALID_STATE });
        let mut cloud = writer.add_pointcloud(if scan == 0 { "scan 1" } else { "scan 2" }, prototype)?;
        cloud.set_name(Some("Gate".to_owned()));
        let rotation = Quaternion { w: 0.6, x: 0.0, y: 0.0, z: 0.8 };
        cloud.set_transform(Some(Transform { rotation, translation: Translation { x: 4.0, y: f64::from(scan), z: 1.5 } }));
        for i in 0..12_i64 {
            let [a, b, c] = [i as f64 * 0.1, i as f64 * 0.02, 2.0 + i as f64 * 0.01].map(|value| {
                if spherical {
                    RecordValue::Single(value as f32)
                } else if scan == 0 {
                    RecordValue::Double(value)
                } else {
                    RecordValue::ScaledInteger((value * 1000.0) as i64)
                }
            });
            let [red, green, blue, intensity, state] = [i, 255 - i, 7, i * 100, i % 3].map(RecordValue::Integer);
            cloud.add_point(vec![a, b, c, red, green, blue, intensity, state])?;
        }
        cloud.finalize()?;
    }
    let mut image = writer.add_image("image")?;
    image.set_name("Gate");
    let properties = e57::VisualReferenceImageProperties { width: 1, height: 1 };
    // The header of a PNG is enough, since it is not decoded.
    image.add_visual_reference(ImageFormat::Png, &mut &b"\x89PNG\r\n\x1a\n"[..], properties, None)?;
    image.finalize()?;
    writer.finalize()?;
    drop(writer);
    Ok(bytes.into_inner())
}

fn ply() -> Vec<(&'static str, Vec<u8>)> {
    let head = |format: &str, x: &str| {
        format!(
            "ply\nformat {format} 1.0\ncomment seed\nelement vertex 3\nproperty {x} x\nproperty {x} y\nproperty {x} z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
        )
    };
    let ascii = head("ascii", "float") + "0 0 0 255 0 0\n1 0.5 0 0 255 0\n1 1 1e-3 0 0 255\n3 0 1 2\n";
    let body = |big: bool| {
        let mut bytes = Vec::new();
        for i in 0..3_u8 {
            for axis in 0..3_u8 {
                let value = f64::from(i * 3 + axis);
                bytes.extend(if big { value.to_be_bytes() } else { value.to_le_bytes() });
            }
            bytes.extend([i, 100, 255]);
        }
        bytes.push(3);
        for i in 0..3_i32 {
            bytes.extend(if big { i.to_be_bytes() } else { i.to_le_bytes() });
        }
        bytes
    };
    let binary = |format: &str, big| [head(format, "double").into_bytes(), body(big)].concat();
    vec![
        ("ascii", ascii.into_bytes()),
        ("little", binary("binary_little_endian", false)),
        ("big", binary("binary_big_endian", true)),
        (
            "odd-order",
            b"ply\nformat ascii 1.0\nelement face 0\nproperty list uchar uint vertex_index\nelement vertex 2\nproperty uchar intensity\nproperty double z\nproperty double y\nproperty double x\nproperty list uchar float weights\nend_header\n9 1 2 3 0\n8 4 5 6 2 0.5 0.25\n".to_vec(),
        ),
    ]
}

/// A tile of 60 points.
fn tile(extras: bool) -> Part {
    let vertices: Vec<Vertex> =
        (0..60_u16).map(|i| Vertex { position: [i * 900, i * i, 65_535 - i], pad: 0, color: [i as u8, 200, 3, 255] }).collect();
    let extra = |i: u16| Extra { intensity: i * 1000, classification: (i % 7) as u8, pad: 0 };
    Part {
        origin_m: DVec3::new(-65.536, 0.0, if extras { 65.536 } else { 0.0 }),
        extras: if extras { (0..60).map(extra).collect() } else { Vec::new() },
        vertices,
        surfaces: Vec::new(),
    }
}

const TILESET: &str = r#"{"asset":{"version":"1.1","extras":{"parterre":{"format_version":1,"frame":{"origin_m":[1.0,2.0,3.0],"unit":"metre",
"unit_source":"assumed","crs":null},"attributes":{"color":true,"intensity":false,"classification":false,"returns":false,"gps_time":false},
"points":300,"bounds":[0,0,0,9,9,9]}}},"geometricError":8.0,"root":{"boundingVolume":{"box":[5,5,5,4,0,0,0,4,0,0,0,4]},"geometricError":4.0,
"refine":"ADD","transform":[1,0,0,0,0,1,0,0,0,0,1,0,1,2,3,1],"content":{"uri":"t/0.glb"},"extras":{"points":100},"children":[
{"boundingVolume":{"box":[3,3,3,2,0,0,0,2,0,0,0,2]},"geometricError":2.0,"content":{"uri":"sub/1.json"},"extras":{"points":0}},
{"boundingVolume":{"box":[7,7,7,2,0,0,0,2,0,0,0,2]},"geometricError":0.0,"content":{"uri":"../t/2.glb"},"extras":{"points":200}}]}}"#;

const WKT: [(&str, &str); 5] = [
    ("code", "EPSG:2154"),
    ("local", r#"LOCAL_CS["Hall",LOCAL_DATUM["Corner",0],UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]"#),
    (
        "projected",
        r#"PROJCS["UTM 17N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",-81],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","32617"]]"#,
    ),
    (
        "compound",
        r#"COMPD_CS["c",PROJCS["p",GEOGCS["g",DATUM["d",SPHEROID["s",6378137,298.2]],UNIT["degree",0.0174]],PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["standard_parallel_1",49],PARAMETER["standard_parallel_2",44],UNIT["US survey foot",0.3048006096]],VERT_CS["h",VERT_DATUM["v",2005],UNIT["foot",0.3048]]]"#,
    ),
    (
        "second",
        r#"PROJCRS["x",BASEGEOGCRS["b",DATUM["d",ELLIPSOID["e",6378137,298.257,LENGTHUNIT["metre",1]]]],CONVERSION["c",METHOD["Transverse Mercator",ID["EPSG",9807]]],CS[Cartesian,2],AXIS["e",east],AXIS["n",north],LENGTHUNIT["metre",1],ID["EPSG",25832]]"#,
    ),
];
