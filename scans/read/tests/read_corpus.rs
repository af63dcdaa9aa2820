//! Every LAS and LAZ file of the test data: good ones give every point, broken ones a named fault.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use parterre_model::frame::Unit;
use parterre_model::points::PointChunk;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, ErrorKind};
use parterre_read as read;
use parterre_test_support::data::{data, files_below, is_las};
use parterre_test_support::points::each_chunk;

/// Points that an independent reader finds.
const GOOD: &[(&str, u64)] = &[
    ("venue/royal-exhibition-building-1M.laz", 1_000_000),
    ("venue/royal-exhibition-building-200k-utmlike.laz", 200_000),
    ("sim/duplex-sim.laz", 2_016_107),
    ("copc/1.2-with-color.copc.laz", 1_065),
    ("copc/autzen-tiny.copc.laz", 107),
    ("copc/ellipsoid.copc.laz", 100_000),
    ("copc/lone-star.copc.laz", 518_862),
    ("copc/simple_with_page.copc.laz", 1_065),
    ("aerial/4_6_crop.las", 23_875),
    ("aerial/autzen-thin.las", 10_653),
    ("aerial/autzen_trim.las", 110_000),
    ("aerial/autzen_trim_7.las", 110_000),
    ("aerial/certainty3d-color-utm-feet-navd88.las", 10_126),
    ("aerial/epsg_4326.las", 5_380),
    ("aerial/hexbin-crop.las", 38_367),
    ("aerial/ign-lidarhd-rgb-classified.laz", 697_721),
    ("aerial/ign_77050_classified.laz", 84_524),
    ("aerial/interesting.las", 1_065),
    ("aerial/mvk-thin.las", 6_280),
    ("aerial/sample_c.las", 14_408),
    ("aerial/warsaw_small.las", 3_000),
    ("las/1_4_w_evlr.las", 1_000),
    ("las/1_4_w_evlr.laz", 1_000),
    ("las/32-1-472-150-76.laz", 5_658),
    ("las/crs/test_epsg_4047.las", 10),
    ("las/crs/test_epsg_4326_axis.las", 10),
    ("las/crs/test_utm17.las", 10),
    ("las/extra.laz", 1_065),
    ("las/extrabytes.las", 1_065),
    ("las/extrabytes.laz", 1_065),
    ("las/file_with_both_wkt_and_geotiff_vlrs.las", 25_408),
    ("las/formats/ellipsoid-1.4.laz", 100_000),
    ("las/formats/pdrf10-1.4.las", 1_024),
    ("las/formats/pdrf10-1.4.laz", 1_024),
    ("las/formats/pdrf10-1.5.las", 1_024),
    ("las/formats/pdrf10-1.5.laz", 1_024),
    ("las/formats/pdrf4-1.3.las", 1_024),
    ("las/formats/pdrf4-1.3.laz", 1_024),
    ("las/formats/pdrf5-1.3.las", 1_024),
    ("las/formats/pdrf5-1.3.laz", 1_024),
    ("las/formats/pdrf6-1.4.las", 1_024),
    ("las/formats/pdrf6-1.4.laz", 1_024),
    ("las/formats/pdrf7-v4-1.4.las", 1_024),
    ("las/formats/pdrf7-v4-1.4.laz", 1_024),
    ("las/formats/pdrf8-1.4.las", 1_024),
    ("las/formats/pdrf8-1.4.laz", 1_024),
    ("las/formats/pdrf9-1.4.las", 1_024),
    ("las/formats/pdrf9-1.4.laz", 1_024),
    ("las/formats/pdrf9-1.5.las", 1_024),
    ("las/formats/pdrf9-1.5.laz", 1_024),
    ("las/formats/points-1.4-pdrf7.las", 3),
    ("las/formats/v1.0_0.las", 1),
    ("las/formats/v1.0_1.las", 1),
    ("las/formats/v1.1_0.las", 1),
    ("las/formats/v1.1_1.las", 1),
    ("las/formats/v1.2_0.las", 1),
    ("las/formats/v1.2_1.las", 1),
    ("las/formats/v1.2_2.las", 1),
    ("las/formats/v1.2_3.las", 1),
    ("las/fullwave.laz", 10_750),
    ("las/plane.laz", 28_185),
    ("las/simple1_1.las", 1_065),
    ("las/simple1_3.las", 999),
    ("las/simple1_4.las", 22_600),
    ("las/test1_4.las", 1_000),
    ("las/vegetation_1_3.las", 10_683),
    // Odd, yet whole.
    ("broken/suite/1.2-empty-geotiff-vlrs.las", 43),
    ("broken/suite/2bytespadding.laz", 1_065),
    ("broken/suite/append-bug.laz", 37_805),
    ("broken/suite/bad_points_1.1.las", 1),
    ("broken/suite/hextest.las", 8),
    ("broken/suite/ign-test_data_0436_6384_LA93_IGN69_single_point.laz", 1),
    ("broken/suite/ign-test_pdalfail_0643_6319_LA93_IGN69.laz", 89),
    ("broken/suite/lots_of_vlr.las", 1),
    ("broken/suite/prec3.las", 110),
    ("broken/suite/spec_3.las", 10),
    ("broken/suite/synthetic_test.las", 1),
    // Truncated: the points that are left are correct, and a warning says so.
    ("broken/derived/las-truncated.las", 2_000),
    ("broken/derived/laz-truncated.laz", 479_524),
    ("broken/derived/copc-truncated.copc.laz", 271_125),
    // Counts that no file holds.
    ("broken/derived/las-count-u32max.las", 2_000),
    ("broken/derived/las14-count-u64max.las", 1_024),
    // The octree's hierarchy is damaged; the points are not read by it.
    ("broken/derived/copc-hierarchy-far.copc.laz", 518_862),
    ("broken/derived/copc-node-key-bad.copc.laz", 518_862),
];

const BROKEN: &[(&str, &str)] = &[
    ("broken/derived/empty.las", "file_empty"),
    ("broken/derived/las-record-len-5.las", "las_record_length"),
    ("broken/derived/las-scale-zero.las", "las_scale"),
    ("broken/derived/las-vlr-count-huge.las", "las_vlr_count"),
    ("broken/suite/broken_coder.laz", "laz_unsupported"),
    ("broken/suite/broken_size.laz", "laz_unsupported"),
    ("broken/suite/broken_version.laz", "laz_unsupported"),
    ("broken/suite/no-points-1.3.laz", "las_no_points"),
];

/// Files of other formats, refused by their first bytes.
const OTHERS: &[(&str, &str)] = &[
    ("broken/derived/one-byte.e57", ""),
    ("broken/derived/empty.glb", "file_empty"),
    ("broken/derived/glb-truncated.glb", "format_unsupported"),
    ("broken/derived/ply-short.ply", "ply_truncated"),
    ("broken/derived/obj-bad.obj", "format_unsupported"),
];

/// Reads every point, in chunks of an odd size; checks the columns' lengths.
fn count(path: &Path) -> Result<u64, Error> {
    let mut source = read::open(path)?;
    let count = each_chunk(source.as_mut(), 33_331, |_| true)?;
    assert_eq!(count, source.info().points, "{}", path.display());
    Ok(count)
}

#[test]
fn every_file_is_read_whole_or_refused_by_name() {
    let Some(data) = data() else { return };
    let good: BTreeMap<_, _> = GOOD.iter().copied().collect();
    let broken: BTreeMap<_, _> = BROKEN.iter().copied().collect();
    let mut files = files_below(data, &is_las);
    files.sort();
    let mut faults = Vec::new();
    for path in &files {
        let name = path.strip_prefix(data).expect("a path in the folder").to_string_lossy().into_owned();
        if name.ends_with("18M.laz") {
            continue;
        }
        let begin = Instant::now();
        let outcome = count(path);
        if begin.elapsed() > Duration::from_secs(20) {
            faults.push(format!("{name} took {:?}", begin.elapsed()));
        }
        match (outcome, good.get(name.as_str()), broken.get(name.as_str())) {
            (Ok(points), Some(&wanted), _) if points == wanted => {}
            (Err(error), None, Some(&code)) if error.code() == code => {
                let message = error.to_string();
                if error.kind() != ErrorKind::BadInput || error.hint().is_empty() || !message.contains(&*path.to_string_lossy()) {
                    faults.push(format!("{name}: an incomplete error: {message}"));
                }
            }
            (outcome, wanted, code) => faults.push(format!("{name}: {outcome:?}, wanted {wanted:?} {code:?}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for (name, _) in GOOD {
        assert!(data.join(name).is_file(), "{name} is not among the test data");
    }
}

#[test]
fn the_points_of_a_truncated_file_are_those_of_the_whole_one() {
    let Some(data) = data() else { return };
    for (cut, whole) in [
        ("broken/derived/las-truncated.las", "aerial/autzen_trim.las"),
        ("broken/derived/copc-truncated.copc.laz", "copc/lone-star.copc.laz"),
    ] {
        let mut sources = [cut, whole].map(|name| read::open(&data.join(name)).expect("a readable file"));
        let mut chunks = [RecordChunk::default(), RecordChunk::default()];
        let mut points = 0;
        for source in &mut sources {
            while source.read_records(&mut chunks[0], Wanted::Positions, 100_000).expect("positions") > 0 {}
            source.rewind().expect("the first point again");
        }
        loop {
            let got = sources[0].read_records(&mut chunks[0], Wanted::Records, 10_000).expect("points");
            if got == 0 {
                break;
            }
            assert_eq!(sources[1].read_records(&mut chunks[1], Wanted::Records, got).expect("points"), got);
            assert_eq!(sources[0].attribute_layout(), sources[1].attribute_layout());
            assert!(
                chunks[0].steps == chunks[1].steps && chunks[0].attribute_bytes == chunks[1].attribute_bytes,
                "{cut}: after {points} points"
            );
            points += got as u64;
        }
        assert_eq!(points, sources[0].info().points, "{cut}");
        let is_reported =
            sources[0].info().warnings.iter().chain(sources[0].warnings()).any(|warning| warning.code.ends_with("_truncated"));
        assert!(is_reported, "{cut}");
    }
}

#[test]
fn the_large_scan_is_whole() {
    let Some(data) = data() else { return };
    let begin = Instant::now();
    assert_eq!(count(&data.join("venue/royal-exhibition-building-18M.laz")).expect("a whole file"), 18_013_602);
    eprintln!("18,013,602 points in {:?}", begin.elapsed());
}

#[test]
fn other_formats_are_named() {
    let Some(data) = data() else { return };
    for (name, code) in OTHERS {
        let error = read::open(&data.join(name)).err().unwrap_or_else(|| panic!("{name} was opened"));
        assert_eq!(error.kind(), ErrorKind::BadInput, "{name}");
        assert!(code.is_empty() || error.code() == *code, "{name}: {error}");
    }
}

#[test]
fn systems_and_units_are_found() {
    let Some(data) = data() else { return };
    for (name, crs, unit) in [
        ("aerial/autzen_trim_7.las", None, Some("foot")),
        // Degrees become metres on a map; those that do not fit the map stay.
        ("aerial/epsg_4326.las", Some("EPSG:32615"), Some("metre")),
        ("las/crs/test_utm17.las", Some("EPSG:32617"), Some("metre")),
        ("las/crs/test_epsg_4326_axis.las", Some("EPSG:4326"), Some("degree")),
        ("aerial/certainty3d-color-utm-feet-navd88.las", Some("EPSG:2229"), Some("us_survey_foot")),
        ("copc/lone-star.copc.laz", None, Some("metre")),
        ("aerial/ign-lidarhd-rgb-classified.laz", Some("EPSG:2154"), Some("metre")),
        ("venue/royal-exhibition-building-1M.laz", None, None),
    ] {
        let inspection = serde_json::to_value(read::inspect(&data.join(name)).expect("a good file")).expect("JSON");
        if let Some(crs) = crs {
            assert_eq!(inspection["crs"], crs, "{name}");
        }
        assert_eq!(inspection["unit"].as_str(), unit, "{name}: {}", inspection["crs"]);
        assert_eq!(inspection["unit_source"], if unit.is_some() { "file" } else { "assumed" }, "{name}");
        assert_eq!(inspection["bounds"].as_array().map(Vec::len), Some(6));
    }
}

#[test]
fn heights_in_another_unit_are_reported() {
    let Some(data) = data() else { return };
    let path = data.join("las/1_4_w_evlr.las");
    let found = read::inspect(&path).expect("a good file");
    assert_eq!((found.unit, found.vertical_unit), (Some(Unit::UsSurveyFoot), Some(Unit::Metre)));
    assert!(found.warnings.iter().any(|warning| warning.code == "unit_vertical_differs"));
    let overrides = read::Override { unit: Some(Unit::Metre), ..read::Override::default() };
    assert_eq!(read::open_with(&path, &overrides).expect("a good file").info().vertical_unit, None);
}

#[test]
fn eight_bit_colours_are_scaled_and_constant_ones_absent() {
    let Some(data) = data() else { return };
    for (name, color, largest) in [
        ("aerial/autzen_trim.las", true, 236 * 257),
        ("aerial/sample_c.las", true, 54_272),
        ("las/formats/v1.2_3.las", true, 65_535),
        ("aerial/4_6_crop.las", false, 0),
    ] {
        let mut source = read::open(&data.join(name)).expect("a good file");
        assert_eq!(source.info().attributes.color, color, "{name}");
        let (mut chunk, mut max) = (PointChunk::default(), 0);
        while source.read_chunk(&mut chunk, 50_000).expect("good points") > 0 {
            max = chunk.colors.iter().flatten().copied().fold(max, u16::max);
        }
        assert_eq!(max, largest, "{name}");
    }
}
