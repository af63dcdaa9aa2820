//! Damaged E57 files: whatever the bytes, reading ends soon, within bounded memory, with points or an error with a code.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parterre_model::ErrorKind;
use parterre_model::points::PointChunk;
use parterre_test_support::counting;
use parterre_test_support::e57_files::{
    FLOATS, PAGE, document, file, floats, open, packet, physical, reseal, root, scan, section, simple, varied,
};
use proptest::prelude::*;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Bytes that reading may hold beside the file itself, which is in memory here.
const MEMORY_LIMIT: usize = 200 << 20;

/// Only one test runs at a time: memory held by another one would be counted.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a file and reads everything; returns the code of the error.
fn error_code(file: Vec<u8>) -> Option<&'static str> {
    // Long files may take longer.
    let limit = Duration::from_secs(2) + Duration::from_millis(50) * (file.len() >> 20) as u32;
    let held = counting::HELD.load(Ordering::Relaxed);
    counting::PEAK.store(held, Ordering::Relaxed);
    let begin = Instant::now();
    let outcome = open(file).and_then(|mut source| {
        let announced = source.info().points;
        let (mut chunk, mut points) = (PointChunk::default(), 0);
        loop {
            let count = source.read_chunk(&mut chunk, 10_000)?;
            points += count as u64;
            if count == 0 {
                break;
            }
        }
        assert_eq!(points, announced, "points were lost");
        for index in 0..source.info().images.len().min(10) {
            source.read_image(index).map(drop).or_else(|error| if error.kind() == ErrorKind::BadInput { Ok(()) } else { Err(error) })?;
        }
        Ok(())
    });
    assert!(begin.elapsed() < limit, "{:?}", begin.elapsed());
    let peak = counting::PEAK.load(Ordering::Relaxed).saturating_sub(held);
    assert!(peak < MEMORY_LIMIT, "{peak} bytes were held");
    outcome.err().map(|error| {
        assert_eq!(error.kind(), ErrorKind::BadInput, "{error}");
        assert!(!error.hint().is_empty());
        error.code()
    })
}

fn one_point(xml: &str) -> Option<&'static str> {
    let xs = floats(&[1.0]);
    error_code(file(&section(&[packet(&[&xs, &xs, &xs])]), xml))
}

#[test]
fn damaged_headers_are_refused() {
    let _turn = turn();
    let good = simple(50, "");
    assert_eq!(error_code(good.clone()), None);
    let with = |at: usize, value: u64| {
        let mut file = good.clone();
        file[at..at + 8].copy_from_slice(&value.to_le_bytes());
        reseal(&mut file);
        error_code(file)
    };
    assert_eq!(with(8, 2), Some("e57_header"));
    for page_len in [0, 4, 1023, 1 << 40, u64::MAX] {
        assert_eq!(with(40, page_len), Some("e57_header"), "{page_len}");
    }
    assert_eq!(with(16, u64::MAX), Some("e57_truncated"));
    for place in [u64::MAX, 1 << 40, good.len() as u64, 1022] {
        assert_eq!(with(24, place), Some("e57_truncated"), "{place}");
    }
    for len in [u64::MAX, 1 << 40, good.len() as u64] {
        assert_eq!(with(32, len), Some("e57_truncated"), "{len}");
    }
    assert_eq!(with(32, 0), Some("e57_xml"));
    // Only a warning: a wrong length that is too small.
    assert_eq!(with(16, 0), None);
    for len in [8, 20, 47] {
        assert_eq!(error_code(good[..len].to_vec()), Some("e57_truncated"), "{len}");
    }
    for len in [48, PAGE, good.len() - PAGE, good.len() - 1] {
        assert_eq!(error_code(good[..len].to_vec()), Some("e57_truncated"), "{len}");
    }
}

#[test]
fn pages_that_do_not_match_their_checksum_are_refused() {
    let _turn = turn();
    let good = varied(2_000);
    for page in 0..good.len() / PAGE {
        let mut file = good.clone();
        file[page * PAGE + 500] ^= 0x10;
        assert_eq!(error_code(file), Some("e57_checksum"), "page {page}");
    }
}

#[test]
fn counts_that_the_file_cannot_hold_are_refused() {
    let _turn = turn();
    for count in [2, 1_000_000, u64::MAX] {
        let code = one_point(&document(count, FLOATS, ""));
        assert_eq!(code, Some(if count == 2 { "e57_points_missing" } else { "e57_point_count" }), "{count}");
    }
    let constant = |name: &str| format!("<{name} type=\"Integer\" minimum=\"5\" maximum=\"5\"/>");
    let constants = ["cartesianX", "cartesianY", "cartesianZ"].map(constant).concat();
    for count in [1, 1 << 20] {
        assert_eq!(error_code(file(&section(&[]), &document(count, &constants, ""))), None, "{count}");
    }
    assert_eq!(error_code(file(&section(&[]), &document(u64::MAX, &constants, ""))), Some("e57_point_count"));
    let twice = format!("<data3D type=\"Vector\">{}</data3D>", scan(1 << 20, &constants, "").repeat(2));
    assert_eq!(error_code(file(&section(&[]), &root(&twice))), Some("e57_point_count"));
    // Many scans over the same bytes.
    let many = format!("<data3D type=\"Vector\">{}</data3D>", scan(50, FLOATS, "").repeat(5_000));
    assert_eq!(one_point(&root(&many)), Some("e57_point_count"));
}

#[test]
fn invalid_xml_is_refused() {
    let _turn = turn();
    let point = scan(1, FLOATS, "");
    let data = |content: &str| root(&format!("<data3D type=\"Vector\">{content}</data3D>"));
    assert_eq!(one_point(&data(&point)), None);
    for xml in [
        "",
        "no XML",
        "<e57Root",
        "<e57Root>",
        "<other/>",
        "<e57Root><data3D></e57Root>",
        "<e57Root><data3D><vectorChild>",
        "\u{feff}<e57Root><data3D><vectorChild><points/></vectorChild></data3D></e57Root>",
        &data(&point.replace("recordCount=\"1\"", "recordCount=\"one\"")),
        &data(&point.replace("fileOffset=\"48\"", "")),
        &root(&"<a>".repeat(100_000)),
        &data(&format!("<vectorChild>{}</vectorChild>", "<pose>".repeat(5_000))),
        &data(&scan(1, &"<x type=\"Float\"/>".repeat(5_000), "")),
    ] {
        assert_eq!(one_point(xml), Some("e57_xml"), "{xml:.80}");
    }
    // Odd, yet readable.
    for xml in [
        data(&format!("{point}<other><deep>text</deep></other><!-- said --><?done?>")),
        format!(
            "<!DOCTYPE e57Root [<!ENTITY a \"&a;&a;\">]>{}",
            data(&point.replace("<points", "<name type=\"String\">&a;&#65;&lt;</name><points"))
        ),
        data(&point.replace("<points", &format!("<description>{}</description><points", "long ".repeat(1 << 20)))),
        data(&point.replace("<points", &format!("<name type=\"String\">{}</name><points", "long ".repeat(1 << 20)))),
        data(&format!("{point}<vectorChild type=\"Structure\"/>")),
    ] {
        assert_eq!(one_point(&xml), None, "{xml:.80}");
    }
    assert_eq!(one_point(&data(&format!("<name>{}</name>{point}", "x".repeat(17 << 20)))), Some("e57_xml"));
    assert_eq!(one_point(&data(&scan(0, FLOATS, "").repeat(65_536))), Some("e57_too_many"));
    assert_eq!(one_point(&data(&format!("{point}{}", scan(0, FLOATS, "").repeat(65_534)))), None);
}

#[test]
fn invalid_fields_and_sections_are_refused() {
    let _turn = turn();
    for (prototype, code) in [
        (FLOATS.replace("cartesianZ", "cartesianW"), "e57_fields"),
        (FLOATS.replace("type=\"Float\"", "type=\"String\""), "e57_fields"),
        (FLOATS.replace("type=\"Float\"", "type=\"Integer\" minimum=\"7\" maximum=\"6\""), "e57_fields"),
        (FLOATS.replace("type=\"Float\"", "type=\"Integer\" minimum=\"a\" maximum=\"b\""), "e57_fields"),
        (format!("{FLOATS}<intensity type=\"Float\"/>"), "e57_packet"),
        (String::new(), "e57_fields"),
    ] {
        assert_eq!(one_point(&document(1, &prototype, "")), Some(code), "{prototype}");
    }
    let xs = floats(&[1.0]);
    let good = packet(&[&xs, &xs, &xs]);
    let with = |packets: &[Vec<u8>]| error_code(file(&section(packets), &document(1, FLOATS, "")));
    assert_eq!(with(std::slice::from_ref(&good)), None);
    assert_eq!(with(&[vec![9, 0, 3, 0], good.clone()]), Some("e57_packet"));
    assert_eq!(with(&[vec![2, 0, 1, 0], good.clone()]), Some("e57_packet"));
    assert_eq!(with(&[vec![1, 0, 3, 0]]), Some("e57_packet"));
    assert_eq!(with(&[packet(&[&xs, &xs])]), Some("e57_packet"));
    assert_eq!(with(&[packet(&[&xs, &xs, &xs, &xs])]), Some("e57_packet"));
    assert_eq!(with(&[packet(&[&xs, &xs, &[]])]), Some("e57_points_missing"));
    assert_eq!(with(&[]), Some("e57_points_missing"));
    let mut long = good.clone();
    long[6] = 0xff;
    assert_eq!(with(&[long]), Some("e57_packet"));
    let mut section = section(&[good]);
    section[0] = 0;
    assert_eq!(error_code(file(&section, &document(1, FLOATS, ""))), Some("e57_section"));
    for place in ["1020", "99999999999", "18446744073709551615"] {
        let xml = document(1, FLOATS, "").replace("\"48\"", &format!("\"{place}\""));
        assert_eq!(one_point(&xml), Some("e57_section"), "{place}");
    }
    // Within the XML.
    assert_eq!(one_point(&document(1, FLOATS, "").replace("\"48\"", "\"148\"")), Some("e57_section"));
}

#[test]
fn the_largest_numbers_of_scans_and_pictures_are_read() {
    let _turn = turn();
    let fields = [
        "cartesianX",
        "cartesianY",
        "cartesianZ",
        "cartesianInvalidState",
        "sphericalRange",
        "sphericalAzimuth",
        "sphericalElevation",
        "sphericalInvalidState",
        "intensity",
        "isIntensityInvalid",
        "colorRed",
        "colorGreen",
        "colorBlue",
        "isColorInvalid",
        "returnIndex",
        "returnCount",
        "timeStamp",
        "isTimeStampInvalid",
    ];
    let prototype = fields.map(|field| format!("<{field} type=\"Float\"/>")).concat();
    let texts = format!("<name type=\"String\">{0}</name><guid type=\"String\">{0}</guid>", "n".repeat(400));
    let scans = scan(0, &prototype, &texts).repeat(65_534);
    let image = "<visualReferenceRepresentation><pngImage type=\"Blob\" fileOffset=\"48\" length=\"9\"/></visualReferenceRepresentation>";
    let images = format!("<vectorChild>{texts}<associatedData3DGuid>x</associatedData3DGuid>{image}</vectorChild>").repeat(65_535);
    let xml = root(&format!("<data3D>{}{scans}</data3D><images2D>{images}</images2D>", scan(1, FLOATS, "")));
    drop((scans, images));
    assert_eq!(one_point(&xml), None);
}

#[test]
fn streams_of_different_lengths_are_refused() {
    let _turn = turn();
    let piece = vec![0; 60_000];
    let packets = vec![packet(&[&piece, &[], &[]]); 1_000];
    let points = 60_000 / 4 * 1_000 / 4;
    assert_eq!(error_code(file(&section(&packets), &document(points, FLOATS, ""))), Some("e57_points_missing"));
}

#[test]
fn pictures_that_do_not_fit_into_the_file_are_left_out() {
    let _turn = turn();
    let image = |offset: u64, len: u64| {
        format!(
            "<images2D type=\"Vector\"><vectorChild type=\"Structure\"><visualReferenceRepresentation type=\"Structure\">\
             <pngImage type=\"Blob\" fileOffset=\"{offset}\" length=\"{len}\"/></visualReferenceRepresentation></vectorChild></images2D>"
        )
    };
    for (offset, len, kept) in [(48, 50, 1), (48, u64::MAX, 0), (48, 0, 0), (1 << 50, 10, 0), (1022, 10, 0), (u64::MAX, u64::MAX, 0)] {
        let xml = document(1, FLOATS, "").replace("</e57Root>", &format!("{}</e57Root>", image(offset, len)));
        let xs = floats(&[1.0]);
        let bytes = file(&section(&[packet(&[&xs, &xs, &xs])]), &xml);
        assert_eq!(error_code(bytes.clone()), None);
        assert_eq!(open(bytes).expect("a good file").info().images.len(), kept, "{offset} {len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(
        kind in 0..3_u8,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        xml in any::<bool>(),
    ) {
        let _turn = turn();
        let mut file = match kind {
            0 => varied(300),
            1 => simple(100, "<pose type=\"Structure\"><rotation type=\"Structure\"><w type=\"Float\">1</w></rotation></pose>"),
            _ => varied(3),
        };
        let from = if xml { physical(48) } else { 8 };
        let len = file.len();
        // The XML lies at the end.
        let from = if xml { len - (len - from).min(6 * PAGE) } else { from };
        for (index, value) in flips {
            file[from + index.index(len - from)] = value;
        }
        reseal(&mut file);
        error_code(file);
    }

    #[test]
    fn cut_files_never_panic(points in 1..400_i64, cut in any::<prop::sample::Index>()) {
        let _turn = turn();
        let mut file = varied(points);
        file.truncate(1 + cut.index(file.len() - 1));
        let len = file.len() as u64;
        // The header has the new length, so that the missing end is found later.
        if file.len() >= PAGE {
            file[16..24].copy_from_slice(&len.to_le_bytes());
            reseal(&mut file);
        }
        if file.starts_with(b"ASTM-E57") {
            prop_assert!(error_code(file).is_some());
        }
    }
}
