//! Records against what another reader finds: every attribute of every point, under the mapping to formats 6 to 8.

#![expect(clippy::float_cmp, reason = "both readers reckon in the same way")]

use std::path::Path;

use parterre_model::record::{AttributeLayout, RecordChunk, Wanted};
use parterre_read as read;
use parterre_test_support::data::{data, files_below, is_las};

/// All points of a file: steps, attribute bytes and their layout, after a pass over the positions alone as the tiler makes.
/// `None` for degrees, which are projected and have other steps then.
fn records(path: &Path) -> Option<(Vec<[i32; 3]>, Vec<u8>, AttributeLayout)> {
    let mut source = read::open(path).expect("a readable file");
    if source.info().warnings.iter().any(|warning| warning.code == "crs_projected") {
        return None;
    }
    let (mut chunk, mut positions) = (RecordChunk::default(), Vec::new());
    while source.read_records(&mut chunk, Wanted::Positions, 40_000).expect("positions") > 0 {
        assert!(chunk.attribute_bytes.is_empty());
        assert_eq!(chunk.steps.len(), chunk.positions.len());
        positions.extend_from_slice(&chunk.steps);
    }
    let format = source.attribute_layout();
    let grid = source.info().grid.expect("a grid");
    source.rewind().expect("the first point again");
    let (mut steps, mut attribute_bytes) = (Vec::new(), Vec::new());
    loop {
        let count = source.read_records(&mut chunk, Wanted::Records, 33_333).expect("records");
        if count == 0 {
            break;
        }
        assert_eq!((chunk.steps.len(), chunk.attribute_bytes.len()), (count, count * format.len()));
        assert!(chunk.steps.iter().zip(&chunk.positions).all(|(&steps, &position)| grid.position(steps) == position));
        steps.extend_from_slice(&chunk.steps);
        attribute_bytes.extend_from_slice(&chunk.attribute_bytes);
    }
    assert_eq!(source.attribute_layout(), format);
    assert_eq!(steps, positions, "{}", path.display());
    Some((steps, attribute_bytes, format))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// What a attributes should be, from a point as the crate `las` gives it.
fn wanted(point: &las::Point, format: &AttributeLayout, narrow: bool, modern: bool) -> Vec<u8> {
    let mut attributes = Vec::new();
    attributes.extend(point.intensity.to_le_bytes());
    attributes.push(point.return_number | (point.number_of_returns << 4));
    attributes.push(
        u8::from(point.is_synthetic)
            | (u8::from(point.is_key_point) << 1)
            | (u8::from(point.is_withheld) << 2)
            | (u8::from(point.is_overlap) << 3)
            | (point.scanner_channel << 4)
            | (u8::from(point.scan_direction == las::point::ScanDirection::LeftToRight) << 6)
            | (u8::from(point.is_edge_of_flight_line) << 7),
    );
    attributes.push(u8::from(point.classification));
    attributes.push(point.user_data);
    let steps = if modern { (f64::from(point.scan_angle) / 0.006).round() } else { (f64::from(point.scan_angle) * 1000.0 / 6.0).round() };
    attributes.extend((steps as i16).to_le_bytes());
    attributes.extend(point.point_source_id.to_le_bytes());
    attributes.extend(point.gps_time.filter(|time| time.is_finite()).unwrap_or_default().to_le_bytes());
    if format.color {
        let color = point.color.expect("a colour");
        for value in [color.red, color.green, color.blue] {
            attributes.extend((if narrow { value * 257 } else { value }).to_le_bytes());
        }
    }
    if format.nir {
        attributes.extend(point.nir.unwrap_or_default().to_le_bytes());
    }
    attributes.extend(&point.extra_bytes);
    attributes
}

#[test]
fn every_attribute_is_what_another_reader_finds() {
    let Some(data) = data() else { return };
    let mut files: Vec<_> = ["aerial", "las", "copc", "venue"].iter().flat_map(|folder| files_below(&data.join(folder), &is_las)).collect();
    files.sort();
    let (mut compared, mut refused, mut projected) = (0, Vec::new(), Vec::new());
    for path in files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.contains("18M") {
            continue;
        }
        let peer = las::Reader::from_path(&path).and_then(|mut reader| {
            let points = reader.read_all()?.points().collect::<las::Result<Vec<_>>>()?;
            Ok((reader.header().clone(), points))
        });
        let (header, points) = match peer {
            Ok(found) => found,
            Err(error) => {
                refused.push(format!("{name}: {error}"));
                continue;
            }
        };
        let Some((steps, attribute_bytes, format)) = records(&path) else {
            projected.push(name);
            continue;
        };
        assert_eq!(steps.len(), points.len(), "{name}");
        let largest = points.iter().filter_map(|point| point.color).flat_map(|c| [c.red, c.green, c.blue]).max().unwrap_or(0);
        let infrared = points.iter().filter_map(|point| point.nir).max().unwrap_or(0);
        assert_eq!(format.color, largest > 0 || infrared > 0, "{name}");
        assert_eq!(format.nir, format.color && header.point_format().has_nir, "{name}");
        assert_eq!(format.len() - format.standard_len(), usize::from(header.point_format().extra_bytes), "{name}");
        let transforms = header.transforms();
        for (index, (point, (steps, attributes))) in
            points.iter().zip(steps.iter().zip(attribute_bytes.chunks_exact(format.len()))).enumerate()
        {
            let direct = |value: i32, transform: &las::Transform| f64::from(value) * transform.scale + transform.offset;
            assert_eq!(
                [point.x, point.y, point.z],
                [direct(steps[0], &transforms.x), direct(steps[1], &transforms.y), direct(steps[2], &transforms.z)],
                "{name}, point {index}"
            );
            let mut wanted = wanted(point, &format, (1..=255).contains(&largest), header.point_format().is_extended);
            if header.point_format().is_extended && attributes[4] == 12 {
                // The peer makes a flag of class 12 in any format; in these it is a class as any other.
                (wanted[3], wanted[4]) = (attributes[3], 12);
            }
            if !header.point_format().is_extended && wanted[4] & 0x0f == 12 {
                // Nor are classes overlap whose low bits look like it.
                wanted[3] &= !0x08;
            }
            assert_eq!(attributes, wanted, "{name}, point {index}");
        }
        compared += 1;
    }
    eprintln!("{compared} files compared; in degrees {projected:?}; the peer refused {refused:#?}");
    assert!(compared > 55, "{compared} files were compared; the peer refused {refused:#?}");
}

#[test]
fn a_plain_file_and_its_compressed_twin_are_the_same() {
    let Some(data) = data() else { return };
    let folder = data.join("las/formats");
    for name in ["pdrf4-1.3", "pdrf5-1.3", "pdrf6-1.4", "pdrf7-v4-1.4", "pdrf8-1.4", "pdrf9-1.4", "pdrf9-1.5", "pdrf10-1.4", "pdrf10-1.5"] {
        let [plain, compressed] = ["las", "laz"].map(|ext| records(&folder.join(format!("{name}.{ext}"))).expect("no degrees"));
        assert_eq!(plain.2, compressed.2, "{name}");
        assert_eq!((plain.0.len(), plain.1.len()), (1024, 1024 * plain.2.len()), "{name}");
        assert!(plain == compressed, "{name}");
    }
}

/// Where fields with names are in the attribute bytes of a file.
fn field(format: &AttributeLayout, name: &str) -> (usize, usize) {
    let mut at = format.standard_len();
    for field in &format.extra {
        if field.name() == name {
            return (at, field.len());
        }
        at += field.len();
    }
    panic!("no field {name} in {:?}", format.extra.iter().map(parterre_model::record::ExtraField::name).collect::<Vec<_>>());
}

#[test]
fn extra_bytes_keep_their_descriptions() {
    let Some(data) = data() else { return };
    let folder = data.join("las");
    let (_, attribute_bytes, format) = records(&folder.join("extrabytes.las")).expect("no degrees");
    let (at, len) = field(&format, "Colors");
    assert_eq!(len, 6);
    // The field repeats the colours, which are 8-bit values.
    for attributes in attribute_bytes.chunks_exact(format.len()) {
        let colors = [0, 2, 4].map(|channel| (u16_at(attributes, at + channel), u16_at(attributes, 18 + channel)));
        assert!(colors.iter().all(|&(extra, color)| color == extra * 257), "{colors:?}");
    }
    let undescribed = records(&folder.join("extrabytes.laz")).expect("no degrees").2;
    assert!(undescribed.extra.iter().all(|field| !field.is_empty() && !field.name().is_empty()));
}
