//! E57: the files of the test data against what other readers find in them, and files made here of every kind of field.

use std::io::Cursor;

use e57::{CartesianCoordinate, E57Reader, E57Writer, ImageFormat, RecordDataType, RecordName, RecordValue};
use glam::{DQuat, DVec3};
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::{Bounds, PointChunk};
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::setup::Projection;
use parterre_read as read;
use parterre_test_support::data::data;
use parterre_test_support::e57_files::{self, FLOATS, document, file, floats, open, packet, pose, record, section, simple, varied};
use parterre_test_support::points::{codes, read_all};

type Found = (&'static str, usize, usize, [f64; 3], [f64; 3], [f64; 3], u64);

/// File, points, points without a position, bounds after the pose, sums of the coordinates, sum of 8-bit colours: as pye57
/// 0.4.19 reads them, except that the two of `las2e57` are beyond it (no bounds).
#[rustfmt::skip]
const FILES: &[Found] = &[
    ("e57/ColourRepresentation.e57", 153, 0, [f64::NAN; 3], [f64::NAN; 3], [f64::NAN; 3], 0),
    ("e57/ColouredCubeDouble.e57", 7680, 0, [-0.5, -0.5, -0.5], [0.5, 0.5, 0.5], [-49.7208, 17.8629, -30.5928], 1_958_400),
    ("e57/ColouredCubeFloat.e57", 7680, 0, [-0.5, -0.5, -0.5], [0.5, 0.5, 0.5], [-49.7208, 17.8629, -30.5928], 1_958_400),
    ("e57/bunnyDouble.e57", 30_571, 0, [-0.094_689, 0.040_011, -0.061_873], [0.061_009, 0.187_321, 0.058_799], [-841.0933, 3151.1987, 264.244], 0),
    ("e57/bunnyFloat.e57", 30_571, 0, [-0.094_689, 0.040_011, -0.061_873], [0.061_009, 0.187_321, 0.058_799], [-841.0933, 3151.1987, 264.244], 0),
    ("e57/bunnyInt19.e57", 30_571, 0, [-0.094_689, 0.040_011, -0.061_873], [0.061_009, 0.187_321, 0.058_799], [-841.0933, 3151.1987, 264.244], 0),
    ("e57/bunnyInt32.e57", 30_571, 0, [-0.094_689, 0.040_011, -0.061_873], [0.061_009, 0.187_321, 0.058_799], [-841.0933, 3151.1987, 264.244], 0),
    ("e57/float_intensity_without_min_max.e57", 1, 0, [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], 0),
    ("e57/integer_intensity.e57", 2, 0, [1.1, 2.2, 3.3], [4.4, 5.5, 6.6], [5.5, 7.7, 9.9], 0),
    ("e57/las2e57_no_images_tag.e57", 153, 0, [f64::NAN; 3], [f64::NAN; 3], [f64::NAN; 3], 0),
    ("e57/original_guids.e57", 1, 0, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 0),
    ("e57/pdal-A4.e57", 4, 0, [-44.952_202, -1.3493, -0.6077], [-44.300_098, -0.886, 0.3694], [-178.2079, -4.2534, 0.4261], 1020),
    ("e57/pdal-A4_moved.e57", 4, 0, [-44.119_438, 0.705_303, -0.6077], [-43.467_335, 1.168_603, 0.3694], [-174.8768, 3.965, 0.4261], 1020),
    ("e57/pdal-A_B.e57", 6, 0, [-44.952_202, -1.3493, -0.6077], [-42.6395, 2.0578, 0.6667], [-263.4897, -0.323, 1.6029], 2040),
    ("e57/pdal-A_B_different_dims.e57", 2, 0, [83.197_845, 537.270_325, 4.590_276], [84.174_026, 538.468_445, 4.628_726], [167.3719, 1075.7388, 9.219], 220),
    ("e57/pdal-A_moved_B.e57", 6, 0, [-44.119_438, 0.705_303, -0.6077], [-42.6395, 2.0578, 0.6667], [-260.1586, 7.8954, 1.6029], 2040),
    ("e57/scaled_integer_intensity.e57", 2, 0, [1.1, 2.2, 3.3], [4.4, 5.5, 6.6], [5.5, 7.7, 9.9], 0),
    ("e57/testWithNormals.e57", 2, 0, [1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0], 0),
    ("e57/tinyCartesianFloatRgb.e57", 2090, 0, [-9.779_53, 4.513_879, 295.524_689], [-6.774_238, 7.515_46, 298.532_166], [-16_812.262_3, 12_566.194_4, 620_734.605_6], 763_636),
    ("e57/tiny_pc_and_images.e57", 2, 0, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], 0),
    ("e57/tiny_pc_with_extension.e57", 1, 0, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 0),
    ("e57/tiny_spherical.e57", 360, 180, [1e-06, -0.499_999, 0.0], [1.0, 0.5, 1.0], [89.9544, 0.0009, 114.6459], 0),
    ("e57/translationWithoutRotation.e57", 4, 0, [4.0, 5.0, 6.0], [5.0, 6.0, 6.0], [18.0, 22.0, 24.0], 0),
    ("sim/duplex-sim.e57", 576_788, 0, [-0.000_824, -18.188_89, -0.002_395], [8.796_589, 0.388_873, 6.636_925], [2_751_595.201_8, -4_621_940.627_6, 2_321_245.104_4], 255_530_423),
    ("broken/suite/no_ext_namespace.e57", 1, 0, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 0),
];

const BROKEN: &[(&str, &str)] = &[
    ("e57/PinholeImageWithDistortionParameters.e57", "e57_no_points"),
    ("broken/derived/e57-not-e57.e57", ""),
    ("broken/derived/e57-truncated.e57", "e57_truncated"),
    ("broken/derived/one-byte.e57", ""),
    ("broken/suite/corrupt_crc.e57", "e57_checksum"),
    ("broken/suite/empty_pc.e57", "e57_no_points"),
    ("broken/suite/lib-InvalidCVHeader.e57", "e57_no_points"),
    ("broken/suite/lib-ZeroPointsInvalid.e57", "e57_no_points"),
];

#[test]
fn files_have_the_points_that_another_reader_finds() {
    let Some(data) = data() else { return };
    for &(name, points, invalid, min, max, sums, colors) in FILES {
        let mut source = read::open(&data.join(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(source.info().points, points as u64, "{name}");
        let all = read_all(source.as_mut()).unwrap_or_else(|error| panic!("{error}"));
        let valid: Vec<_> = all.positions.iter().filter(|position| position.is_finite()).collect();
        assert_eq!((all.len(), all.len() - valid.len()), (points, invalid), "{name}");
        assert_eq!(codes(source.warnings()).contains(&"e57_points_invalid"), invalid > 0, "{name}");
        let (mut bounds, mut sum) = (Bounds::EMPTY, DVec3::ZERO);
        for &position in valid {
            bounds.include(position);
            sum += position;
        }
        let near =
            |got: DVec3, wanted: [f64; 3], slack: f64| wanted[0].is_nan() || (got - DVec3::from_array(wanted)).abs().max_element() < slack;
        assert!(near(bounds.min, min, 1e-6) && near(bounds.max, max, 1e-6), "{name}: {bounds:?}");
        assert!(near(sum, sums, 1e-4), "{name}: {sum}");
        let announced = source.info().bounds;
        assert!(announced.contains_box(bounds, DVec3::splat(1e-6)), "{name}: {announced:?} do not hold {bounds:?}");
        if colors > 0 {
            assert_eq!(all.colors.iter().flatten().map(|&value| u64::from(value)).sum::<u64>(), colors * 257, "{name}");
        }
        source.rewind().expect("a rewound file");
        assert_eq!(read_all(source.as_mut()).expect("the same points").len(), points, "{name}");
    }
}

#[test]
fn broken_files_are_refused_by_name() {
    let Some(data) = data() else { return };
    for (name, code) in BROKEN {
        let error = read::open(&data.join(name)).and_then(|mut source| read_all(source.as_mut())).err();
        let error = error.unwrap_or_else(|| panic!("{name} was read"));
        assert!(code.is_empty() || error.code() == *code, "{name}: {} {error}", error.code());
        assert!(error.to_string().contains(name) && !error.hint().is_empty(), "{error}");
    }
}

/// Every point's place and colour, against the crate `e57`.
#[test]
fn points_come_in_the_order_and_place_that_another_library_gives() {
    let Some(data) = data() else { return };
    let mut compared = 0;
    for (name, ..) in FILES.iter().filter(|(name, ..)| !name.contains("no_ext_namespace")) {
        let all = read_all(read::open(&data.join(name)).expect("a good file").as_mut()).expect("good points");
        let mut other = E57Reader::from_file(data.join(name)).expect("a good file");
        let mut index = 0;
        for cloud in other.pointclouds() {
            for point in other.pointcloud_simple(&cloud).expect("points") {
                let point = point.expect("a point");
                if let CartesianCoordinate::Valid { x, y, z } = point.cartesian {
                    let (got, wanted) = (all.positions[index], DVec3::new(x, y, z));
                    assert!((got - wanted).length() < 1e-9 * wanted.length().max(1.0), "{name}: {index}: {got} {wanted}");
                } else {
                    assert!(all.positions[index].is_nan(), "{name}: {index}");
                }
                if let (Some(color), Some(got), true) =
                    (point.color, all.colors.get(index), cloud.has_color() && cloud.color_limits.is_some())
                {
                    let wanted = [color.red, color.green, color.blue].map(|value| (value * 65_535.0).round() as u16);
                    assert_eq!(*got, wanted, "{name}: {index}");
                }
                index += 1;
            }
        }
        assert_eq!(index, all.len(), "{name}");
        compared += index;
    }
    assert!(compared > 600_000);
}

#[test]
fn setups_stand_where_the_file_says() {
    let Some(data) = data() else { return };
    let source = read::open(&data.join("sim/duplex-sim.e57")).expect("a good file");
    let setups = &source.info().setups;
    assert_eq!(setups.len(), 8);
    assert_eq!(setups.iter().map(|setup| setup.points).sum::<u64>(), source.info().points);
    assert_eq!((setups[0].name.as_str(), setups[0].points, setups[0].posed), ("1 R301", 33_392, true));
    assert!((setups[3].position - DVec3::new(3.3085, -14.9915, 1.519)).length() < 1e-9);
    assert!(setups[3].rotation.dot(DQuat::from_xyzw(0.0, 0.0, 0.434_965_534, 0.900_447_102)) > 1.0 - 1e-9);
    let bare = read::open(&data.join("e57/bunnyFloat.e57")).expect("a good file");
    assert_eq!((bare.info().setups.len(), bare.info().setups[0].posed), (1, false));
}

#[test]
fn every_kind_of_field_is_read() {
    let points = 20_000;
    let mut source = open(varied(points)).expect("a good file");
    let info = source.info().clone();
    assert_eq!((info.points, info.format.as_str(), info.crs.as_deref()), (40_000, "E57 1.0", Some("EPSG:25832")));
    assert_eq!((info.unit, info.unit_source), (Some(Unit::Metre), UnitSource::File));
    assert_eq!(info.attributes.names(), ["color", "intensity", "returns", "gps_time"]);
    assert_eq!(info.setups[0].name, "Gallery <1> & \"2\"");
    assert_eq!(info.setups[1].name, info.setups[0].name);
    let all = read_all(source.as_mut()).expect("good points");
    assert_eq!(all.len(), 40_000);
    for n in 0..points as usize {
        let wanted = if n % 10 == 3 {
            DVec3::NAN
        } else {
            // A quarter turn about z.
            DVec3::new(100.0 - n as f64 * 0.5, 200.0 + n as f64, 5.0 + 2.0 + n as f64 * 0.003)
        };
        let got = all.positions[n];
        assert!((got - wanted).length() < 1e-9 || (got.is_nan() && wanted.is_nan()), "{n}: {got} {wanted}");
        let color = [n % 256, 255 - n % 256, 128].map(|value| value as u16 * 257);
        assert_eq!(all.colors[n], if n % 10 == 5 { [0; 3] } else { color }, "{n}");
        let intensity = ((n % 4096) as f64 / 4095.0 * 65_535.0).round() as u16;
        assert_eq!(all.intensities[n], if n % 10 == 7 { 0 } else { intensity }, "{n}");
        assert_eq!(all.returns[n], (n % 3 + 1) as u8 | 3 << 4);
        assert!((all.gps_times[n] - 1000.0 - n as f64).abs() < 1e-12);
        assert_eq!(all.sources[n], 1);
        let second = points as usize + n;
        let wanted = DQuat::from_rotation_z(n as f64 * 0.001) * DQuat::from_rotation_y(-0.25) * DVec3::X * 10.0;
        let got = all.positions[second];
        assert!(if n % 5 == 0 { got.is_nan() } else { (got - wanted).length() < 1e-9 }, "{n}: {got} {wanted}");
        assert_eq!((all.colors[second], all.intensities[second], all.returns[second], all.sources[second]), ([0; 3], 0, 0x11, 2));
    }
    let warnings = source.warnings();
    assert_eq!(codes(warnings), ["e57_points_invalid"]);
    assert!(warnings[0].message.starts_with("6000 of 40000"), "{}", warnings[0].message);
}

#[test]
fn records_are_the_columns_packed_and_positions_come_alone() {
    let mut source = open(varied(500)).expect("a good file");
    let all = read_all(source.as_mut()).expect("good points");
    for wanted in [Wanted::Positions, Wanted::Records] {
        source.rewind().expect("a rewound file");
        let (mut chunk, mut index) = (RecordChunk::default(), 0);
        let len = source.attribute_layout().len();
        while source.read_records(&mut chunk, wanted, 333).expect("good points") > 0 {
            assert_eq!(chunk.attribute_bytes.len(), if wanted == Wanted::Records { len * chunk.positions.len() } else { 0 });
            for (place, position) in chunk.positions.iter().enumerate() {
                assert!(*position == all.positions[index] || position.is_nan());
                if wanted == Wanted::Records {
                    assert_eq!(chunk.attribute_bytes[place * len..][..2], all.intensities[index].to_le_bytes());
                    assert_eq!(chunk.attribute_bytes[place * len + 8], all.sources[index] as u8);
                }
                index += 1;
            }
        }
        assert_eq!(index, all.len());
    }
}

#[test]
fn pictures_are_listed_and_read() {
    let Some(data) = data() else { return };
    let mut source = read::open(&data.join("e57/tiny_pc_and_images.e57")).expect("a good file");
    let images = source.info().images.clone();
    let names: Vec<_> = images.iter().map(|image| (image.name.as_str(), image.format.as_str(), image.bytes)).collect();
    assert_eq!(names, [("visual", "jpeg", 7722), ("spherical", "png", 1073), ("pinhole", "png", 1073), ("cylindrical", "png", 1073)]);
    assert!(images.iter().all(|image| image.size == [100, 100]));
    assert_eq!(images[1].position, Some(DVec3::new(1.0, 2.0, 3.0)));
    assert!(images[1].rotation.is_some_and(DQuat::is_normalized));
    assert_eq!(images.iter().map(|image| image.setup).collect::<Vec<_>>(), [None, Some(0), None, None]);
    assert_eq!(images[0].projection, Projection::VisualReference);
    assert_eq!(images[1].projection, Projection::Spherical { pixel_rad: [0.0314; 2] });
    assert_eq!(images[2].projection, Projection::Pinhole { focal_length_m: 123.0, pixel_m: [0.044, 0.033], principal_point: [23.0, 42.0] });
    assert_eq!(
        images[3].projection,
        Projection::Cylindrical { radius_m: 666.0, principal_y: 42.0, pixel_height_m: 0.033, pixel_width_rad: 0.044 }
    );
    let mut other = E57Reader::from_file(data.join("e57/tiny_pc_and_images.e57")).expect("a good file");
    for (index, image) in other.images().into_iter().enumerate() {
        let blob = match (&image.visual_reference, &image.projection) {
            (Some(picture), _) => &picture.blob.data,
            (_, Some(e57::Projection::Pinhole(picture))) => &picture.blob.data,
            (_, Some(e57::Projection::Spherical(picture))) => &picture.blob.data,
            (_, Some(e57::Projection::Cylindrical(picture))) => &picture.blob.data,
            (None, None) => panic!("no picture"),
        };
        let mut wanted = Vec::new();
        other.blob(blob, &mut wanted).expect("a picture");
        // The last two are zeros, whatever the XML calls them.
        match source.read_image(index) {
            Ok(got) => assert!(index < 2 && got == wanted),
            Err(error) => assert!(index >= 2 && error.code() == "e57_image" && wanted.iter().all(|&byte| byte == 0), "{error}"),
        }
    }
    assert!(source.read_image(4).is_err());
    // Points are still read after pictures were.
    assert_eq!(read_all(source.as_mut()).expect("good points").len(), 2);
}

#[test]
fn pictures_of_another_writer_and_their_masks() {
    let png = b"\x89PNG\r\n\x1a\n and the rest".repeat(200);
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = E57Writer::new(&mut bytes, "file").expect("a writer");
    let prototype = vec![e57::Record::CARTESIAN_X_F32, e57::Record::CARTESIAN_Y_F32, e57::Record::CARTESIAN_Z_F32];
    for guid in ["a", "b"] {
        let mut scan = writer.add_pointcloud(guid, prototype.clone()).expect("a scan");
        scan.add_point(vec![RecordValue::Single(1.0), RecordValue::Single(2.0), RecordValue::Single(3.0)]).expect("a point");
        scan.finalize().expect("a scan");
    }
    let mut image = writer.add_image("picture").expect("a picture");
    image.set_name("foyer");
    image.set_pointcloud_guid("b");
    image.set_transform(pose([1.0, 0.0, 0.0, 0.0], [7.0, 8.0, 9.0]));
    let properties =
        e57::CylindricalImageProperties { width: 40, height: 20, radius: 2.5, principal_y: 10.0, pixel_width: 0.01, pixel_height: 0.02 };
    image.add_cylindrical(ImageFormat::Png, &mut Cursor::new(&png), properties, Some(&mut Cursor::new(&png))).expect("a picture");
    let properties = e57::VisualReferenceImageProperties { width: 4, height: 2 };
    image.add_visual_reference(ImageFormat::Jpeg, &mut Cursor::new(b"no picture at all"), properties, None).expect("a picture");
    image.finalize().expect("a picture");
    writer.finalize().expect("a file");
    drop(writer);
    let mut source = open(bytes.into_inner()).expect("a good file");
    assert_eq!(codes(&source.info().warnings), ["e57_image_masks"]);
    let images = source.info().images.clone();
    assert_eq!((images.len(), images[1].setup, images[1].position), (2, Some(1), Some(DVec3::new(7.0, 8.0, 9.0))));
    assert!(matches!(images[1].projection, Projection::Cylindrical { radius_m: 2.5, .. }));
    assert_eq!(source.read_image(1).expect("a picture"), png);
    assert_eq!(source.read_image(0).expect_err("no picture").code(), "e57_image");
}

#[test]
fn poses_are_normalized_or_refused() {
    let with_pose = |rotation: &str, translation: &str| {
        let axes = |names: &str, values: &str| -> String {
            let pairs = names.split(' ').zip(values.split(' '));
            pairs.map(|(name, value)| format!("<{name} type=\"Float\">{value}</{name}>")).collect::<Vec<_>>().concat()
        };
        let (rotation, translation) = (axes("w x y z", rotation), axes("x y z", translation));
        let xml = format!(
            "<pose type=\"Structure\"><rotation type=\"Structure\">{rotation}</rotation><translation type=\"Structure\">{translation}</translation></pose>"
        );
        let mut source = open(simple(3, &xml)).expect("a good file");
        let all = read_all(source.as_mut()).expect("good points");
        (all.positions[1], codes(&source.info().warnings), source.info().setups[0].posed)
    };
    let at = |x: f64, y: f64, z: f64| DVec3::new(x, y, z);
    assert_eq!(with_pose("1 0 0 0", "10 20 30"), (at(11.0, 22.0, 33.0), vec![], true));
    assert_eq!(with_pose("0 0 0 3", "0 0 0"), (at(-1.0, -2.0, 3.0), vec!["e57_pose_mended"], true));
    for bad in ["0 0 0 0", "nan 0 0 1", "inf 0 0 0", "1 0 0", "x y z w"] {
        assert_eq!(with_pose(bad, "10 20 30"), (at(11.0, 22.0, 33.0), vec!["e57_pose_refused"], false), "{bad}");
    }
    assert_eq!(with_pose("1 0 0 0", "nan 20 30"), (at(1.0, 2.0, 3.0), vec!["e57_pose_refused"], false));
}

/// A scan with one field more, of four values.
fn with_field(name: RecordName, data_type: RecordDataType, values: [RecordValue; 4], limits: Option<[RecordValue; 2]>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = E57Writer::new(&mut bytes, "file").expect("a writer");
    let prototype = vec![e57::Record::CARTESIAN_X_F32, e57::Record::CARTESIAN_Y_F32, e57::Record::CARTESIAN_Z_F32, record(name, data_type)];
    let mut scan = writer.add_pointcloud("scan", prototype).expect("a scan");
    for value in values {
        scan.add_point(vec![RecordValue::Single(1.0), RecordValue::Single(2.0), RecordValue::Single(3.0), value]).expect("a point");
    }
    let limits = limits.map(|[low, high]| e57::IntensityLimits { intensity_min: Some(low), intensity_max: Some(high) });
    scan.set_intensity_limits(limits);
    scan.finalize().expect("a scan");
    writer.finalize().expect("a file");
    drop(writer);
    bytes.into_inner()
}

#[test]
fn intensity_is_scaled_by_its_limits_or_by_a_sample() {
    use RecordValue::{Double, Integer, ScaledInteger, Single};
    let read = |data_type: RecordDataType, values: [RecordValue; 4], limits: Option<[RecordValue; 2]>| {
        let mut source = open(with_field(RecordName::Intensity, data_type, values, limits)).expect("a good file");
        let all = read_all(source.as_mut()).expect("good points");
        let warnings = [codes(&source.info().warnings), codes(source.warnings())].concat();
        (all.intensities, warnings)
    };
    let unit = [Single(0.0), Single(0.25), Single(0.5), Single(1.0)];
    let quarters = vec![0, 16_384, 32_768, 65_535];
    assert_eq!(read(RecordDataType::UNIT_F32, unit.clone(), Some([Single(0.0), Single(1.0)])), (quarters.clone(), vec![]));
    assert_eq!(read(RecordDataType::F32, unit.clone(), None), (quarters.clone(), vec!["e57_intensity_limits"]));
    // Limits that are no limits.
    for bad in
        [[Single(f32::NAN), Single(1.0)], [Single(1.0), Single(0.0)], [Single(0.0), Single(0.0)], [Single(0.0), Single(f32::INFINITY)]]
    {
        assert_eq!(read(RecordDataType::F32, unit.clone(), Some(bad)), (quarters.clone(), vec!["e57_intensity_limits"]));
    }
    let bytes = [Integer(0), Integer(1), Integer(128), Integer(255)];
    assert_eq!(read(RecordDataType::U8, bytes, None).0, [0, 257, 128 * 257, 65_535]);
    let steps = [ScaledInteger(-100), ScaledInteger(0), ScaledInteger(50), ScaledInteger(100)];
    let data_type = RecordDataType::ScaledInteger { min: -100, max: 100, scale: 0.5, offset: 1.0 };
    assert_eq!(read(data_type, steps, Some([ScaledInteger(-100), ScaledInteger(100)])), (vec![0, 32_768, 49_151, 65_535], vec![]));
    let wild = [Double(-5.0), Double(0.0), Double(300.0), Double(f64::NAN)];
    assert_eq!(read(RecordDataType::F64, wild, Some([Double(0.0), Double(200.0)])), (vec![0, 0, 65_535, 0], vec!["e57_values_clamped"]));
}

#[test]
fn classes_of_the_extension_for_las_are_kept() {
    let xml = format!(
        "{FLOATS}<las:classification type=\"Integer\" minimum=\"0\" maximum=\"31\"/><las:userData type=\"Integer\" minimum=\"0\" maximum=\"255\"/>"
    );
    let xs = floats(&[1.0, 2.0, 3.0]);
    // Five bits a class, the lowest first.
    let packet = packet(&[&xs, &xs, &xs, &[194, 20], &[7, 8, 9]]);
    let mut source = open(file(&section(&[packet]), &document(3, &xml, ""))).expect("a good file");
    assert_eq!(source.info().attributes.names(), ["classification"]);
    assert_eq!(read_all(source.as_mut()).expect("good points").classifications, [2, 6, 5]);
}

#[test]
fn packets_may_hold_pieces_of_any_length() {
    let values: Vec<f32> = (0..1000_u16).map(f32::from).collect();
    let bytes = floats(&values);
    // Streams that begin and end at other points, with index and ignored packets between.
    let mut index = vec![0; 16];
    index[2] = 15;
    let ignored = vec![2, 0, 3, 0];
    let packets = [
        packet(&[&bytes[..1001], &bytes[..10], &[]]),
        index.clone(),
        packet(&[&[], &bytes[10..4000], &bytes[..2002]]),
        ignored,
        packet(&[&bytes[1001..], &[], &bytes[2002..]]),
        packet(&[&[], &[], &[]]),
        packet(&[&[], &bytes[4000..], &[]]),
        index,
    ];
    let mut source = open(file(&section(&packets), &document(1000, FLOATS, ""))).expect("a good file");
    let all = read_all(source.as_mut()).expect("good points");
    assert!(all.positions.iter().zip(&values).all(|(position, &value)| *position == DVec3::splat(f64::from(value))));
    assert_eq!(all.len(), 1000);
}

#[test]
fn systems_in_metres_are_used_and_others_reported() {
    let crs = |text: &str| {
        let content = document(1, FLOATS, "")
            .replace("<data3D", &format!("<coordinateMetadata type=\"String\"><![CDATA[{text}]]></coordinateMetadata><data3D"));
        let xs = floats(&[1.0]);
        let source = open(file(&section(&[packet(&[&xs, &xs, &xs])]), &content)).expect("a good file");
        (source.info().crs.clone(), codes(&source.info().warnings))
    };
    let utm = "PROJCS[\"WGS 84 / UTM zone 32N\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],UNIT[\"degree\",0.0174532925199433]],UNIT[\"metre\",1],AUTHORITY[\"EPSG\",\"32632\"]]";
    assert_eq!(crs(utm), (Some("EPSG:32632".to_owned()), vec![]));
    assert_eq!(crs(" epsg:2154 "), (Some("EPSG:2154".to_owned()), vec![]));
    assert_eq!(crs("urn:ogc:def:crs:EPSG::25832"), (Some("EPSG:25832".to_owned()), vec![]));
    assert_eq!(crs("EPSG:4326"), (None, vec!["e57_crs_unit"]));
    assert_eq!(crs("somewhere"), (None, vec!["crs_unreadable"]));
    assert_eq!(crs(""), (None, vec![]));
}

#[test]
fn overrides_replace_what_the_file_says() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("scan.e57");
    std::fs::write(&path, varied(10)).expect("a file");
    let overrides = read::Override { unit: Some(Unit::Foot), crs: Some("EPSG:2263".to_owned()), ..read::Override::default() };
    let source = read::open_with(&path, &overrides).expect("a good file");
    assert_eq!(
        (source.info().unit, source.info().unit_source, source.info().crs.as_deref()),
        (Some(Unit::Foot), UnitSource::User, Some("EPSG:2263"))
    );
    let inspection = read::inspect(&path).expect("a good file");
    assert_eq!((inspection.points, inspection.format.as_str()), (20, "E57 1.0"));
}

#[test]
fn scans_that_cannot_be_read_are_reported() {
    let mut bad = e57_files::scan(5, "<cartesianX type=\"Float\"/>", "<name type=\"String\">half</name>");
    bad.push_str(&e57_files::scan(2, FLOATS, ""));
    let xs = floats(&[1.0, 2.0]);
    let data = section(&[packet(&[&xs, &xs, &xs])]);
    let mut source = open(file(&data, &e57_files::root(&format!("<data3D type=\"Vector\">{bad}</data3D>")))).expect("a good file");
    assert_eq!((source.info().points, codes(&source.info().warnings)), (2, vec!["e57_scans_left_out"]));
    let mut chunk = PointChunk::default();
    assert_eq!(source.read_chunk(&mut chunk, 10).expect("good points"), 2);
    assert_eq!(chunk.sources, [2, 2]);
    let error = open(file(&data, &document(5, "<cartesianX type=\"Float\"/>", ""))).err().expect("nothing to read");
    assert_eq!(error.code(), "e57_fields");
}
