//! `/tiles/{scan}/{version}/…`.

use std::io::Read as _;

use e57::{E57Writer, ImageFormat, Quaternion, Record, RecordValue, Transform, Translation, VisualReferenceImageProperties};

use super::support::{Client, TestApp, las, room};

fn published() -> (TestApp, String) {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    let (scan, version) = app.client.publish(&venue, "room.las", &las(&room(150_000)));
    (app, format!("/tiles/{scan}/{version}"))
}

/// The address of a tile, out of the root document.
fn first_tile(client: &Client, base: &str) -> String {
    let tileset = client.get(&format!("{base}/tileset.json")).expect(200).json();
    let mut tile = &tileset["root"];
    loop {
        if let Some(uri) = tile["content"]["uri"].as_str().filter(|uri| uri.contains(".glb")) {
            return format!("{base}/{uri}");
        }
        tile = &tile["children"][0];
    }
}

#[test]
fn each_encoding_has_its_tag_and_gzip_is_the_same_file() {
    let (app, base) = published();
    let client = &app.client;
    let address = format!("{base}/tileset.json");
    let plain = client.get(&address).expect(200);
    assert_eq!(plain.header("content-type"), Some("application/json"));
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    assert_eq!(plain.header("accept-ranges"), Some("bytes"));
    let caching = plain.header("cache-control").unwrap();
    assert!(caching.contains("private") && caching.contains("immutable"), "{caching}");
    let packed = client.get_with(&address, &[("accept-encoding", "gzip, br")]).expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("Accept-Encoding"));
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut inflated).unwrap();
    assert_eq!(inflated, plain.body);
    assert!(packed.body.len() < plain.body.len());

    let (plain_tag, packed_tag) = (plain.header("etag").unwrap(), packed.header("etag").unwrap());
    assert_ne!(plain_tag, packed_tag);
    assert!(plain_tag.starts_with('"') && packed_tag.starts_with('"'), "strong tags");
    let same = client.get_with(&address, &[("if-none-match", plain_tag)]).expect(304);
    assert!(same.body.is_empty());
    assert_eq!(same.header("etag"), Some(plain_tag));
    client.get_with(&address, &[("if-none-match", packed_tag), ("accept-encoding", "gzip")]).expect(304);
    client.get_with(&address, &[("if-none-match", &format!("\"other\", {plain_tag}"))]).expect(304);
    client.get_with(&address, &[("if-none-match", packed_tag)]).expect(200);

    let head = client.send("HEAD", &address, &[], "").expect(200);
    assert_eq!(head.header("content-length"), Some(plain.body.len().to_string().as_str()));
    assert_eq!(head.header("etag"), Some(plain_tag));
    assert!(head.body.is_empty());
}

#[test]
fn parts_come_from_the_plain_form() {
    let (app, base) = published();
    let client = &app.client;
    let tile = first_tile(client, &base);
    let whole = client.get(&tile).expect(200);
    assert_eq!(whole.header("content-type"), Some("model/gltf-binary"));
    assert!(whole.body.starts_with(b"glTF"));
    let len = whole.body.len();
    // Gzip is welcome, and yet the part is of the plain form.
    for (range, expected) in [("bytes=0-3", 0..4), ("bytes=4-", 4..len), ("bytes=-5", len - 5..len)] {
        let part = client.get_with(&tile, &[("range", range), ("accept-encoding", "gzip")]).expect(206);
        assert_eq!(part.header("content-encoding"), None);
        assert_eq!(part.header("content-range"), Some(format!("bytes {}-{}/{len}", expected.start, expected.end - 1).as_str()));
        assert_eq!(part.header("etag"), whole.header("etag"));
        assert_eq!(part.body, whole.body[expected]);
    }
    let outside = client.get_with(&tile, &[("range", &format!("bytes={len}-"))]).expect_error(416, "range_not_satisfiable");
    assert_eq!(outside.header("content-range"), Some(format!("bytes */{len}").as_str()));
    client.get_with(&tile, &[("range", "bytes=0-3"), ("if-range", "\"another\"")]).expect(200);
    client.get_with(&tile, &[("range", "bytes=0-3"), ("if-range", whole.header("etag").unwrap())]).expect(206);
    client.get(&format!("{base}/nothing.glb")).expect_error(404, "tile_not_found");
    client.get(&format!("{base}/../../../parterre.sqlite")).expect(404);
    client.get(&format!("{base}/%2e%2e/%2e%2e/parterre.sqlite")).expect(404);
}

#[test]
fn answers_are_the_same_from_memory_and_from_the_archive() {
    for tile_cache_bytes in [0, 64 << 20] {
        let app = TestApp::start_with(|config| config.http.tile_cache_bytes = tile_cache_bytes);
        let client = &app.client;
        let (scan, version) = client.publish(&client.venue("Hall"), "room.las", &las(&room(150_000)));
        let base = format!("/tiles/{scan}/{version}");
        let bundle = client.get(&format!("{base}/tiles.3tz")).expect(200).body;
        let mut archive = std::io::Cursor::new(&bundle);
        let index = parterre_tile::archive::Index::read(&mut archive).unwrap();
        let tile = first_tile(client, &base);
        for address in [tile, format!("{base}/tileset.json")] {
            let stored = index.read_entry(&mut archive, address.strip_prefix(&format!("{base}/")).unwrap()).unwrap().unwrap();
            let mut tags = Vec::new();
            // Each request once while the tile is not in memory, and again.
            for _ in 0..3 {
                let plain = client.get(&address).expect(200);
                assert!(plain.body == stored, "{address}");
                let packed = client.get_with(&address, &[("accept-encoding", "gzip")]).expect(200);
                let body = match packed.header("content-encoding") {
                    Some("gzip") => {
                        let mut inflated = Vec::new();
                        flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut inflated).unwrap();
                        inflated
                    }
                    other => {
                        assert_eq!(other, None);
                        packed.body.clone()
                    }
                };
                assert!(body == stored, "{address}");
                let [plain_tag, packed_tag] = [&plain, &packed].map(|answer| answer.header("etag").unwrap().to_owned());
                for (encoding, tag, length) in [("identity", &plain_tag, plain.body.len()), ("gzip", &packed_tag, packed.body.len())] {
                    let same = client.get_with(&address, &[("accept-encoding", encoding), ("if-none-match", tag)]).expect(304);
                    assert_eq!((same.header("etag"), same.body.len()), (Some(tag.as_str()), 0));
                    let other = client.get_with(&address, &[("accept-encoding", encoding), ("if-none-match", "\"other\"")]).expect(200);
                    assert_eq!((other.header("etag"), other.body.len()), (Some(tag.as_str()), length));
                    let head = client.send("HEAD", &address, &[("accept-encoding", encoding)], "").expect(200);
                    assert_eq!((head.header("etag"), head.body.len()), (Some(tag.as_str()), 0));
                    assert_eq!(head.header("content-length"), Some(length.to_string().as_str()));
                }
                let part = client.get_with(&address, &[("range", "bytes=2-9"), ("accept-encoding", "gzip")]).expect(206);
                assert!(part.body == stored[2..10] && part.header("content-encoding").is_none());
                assert_eq!(part.header("etag"), Some(plain_tag.as_str()));
                client.get_with(&address, &[("range", "bytes=2-9"), ("if-none-match", &plain_tag)]).expect(304);
                tags.push((plain_tag, packed_tag));
            }
            assert!(tags.windows(2).all(|two| two[0] == two[1]), "{tags:?}");
        }
        client.get(&format!("{base}/nothing.glb")).expect_error(404, "tile_not_found");
        client.get_with(&format!("{base}/nothing.glb"), &[("if-none-match", "*")]).expect_error(404, "tile_not_found");
        let held = app.app.tile_cache.bytes();
        assert_eq!(held > 0, tile_cache_bytes > 0, "{held} bytes are held");
    }
}

#[test]
fn what_is_not_published_is_not_answered_from_memory() {
    let (app, base) = published();
    let client = &app.client;
    let tile = first_tile(client, &base);
    client.get(&tile).expect(200);
    let (at, _) = base.rsplit_once('/').unwrap();
    for version in [0, 2, 4_294_967_295_u32] {
        client.get(&tile.replace(&base, &format!("{at}/{version}"))).expect_error(404, "version_not_found");
    }
    let another = app.client.venue("Another");
    let (scan, _) = client.publish(&another, "room.las", &las(&room(20_000)));
    let of_another = first_tile(client, &format!("/tiles/{scan}/1"));
    assert!(client.get(&of_another).expect(200).body != client.get(&tile).expect(200).body, "each scan has its own tiles");
}

#[test]
fn the_bundle_is_the_whole_archive() {
    let (app, base) = published();
    let client = &app.client;
    let bundle = client.get(&format!("{base}/tiles.3tz")).expect(200);
    assert!(bundle.body.starts_with(b"PK"));
    assert!(bundle.header("content-disposition").unwrap().contains("room-v1.3tz"));
    let part = client.get_with(&format!("{base}/tiles.3tz"), &[("range", "bytes=-22")]).expect(206);
    assert_eq!(part.body, bundle.body[bundle.body.len() - 22..]);

    for kept in [&bundle, &part] {
        assert!(kept.header("cache-control").unwrap().contains("immutable"));
    }
    let address = format!("{base}/tiles.3tz");
    let outside = client.get_with(&address, &[("range", "bytes=99999999999-")]).expect_error(416, "range_not_satisfiable");
    assert_eq!(outside.header("content-range"), Some(format!("bytes */{}", bundle.body.len()).as_str()));
    let other = client.get_with(&address, &[("if-match", "\"another\"")]).expect_error(412, "precondition_failed");
    for error in [outside, other] {
        assert_eq!(error.header("cache-control"), Some("no-store"), "an error is not the file");
    }

    let mut archive = std::io::Cursor::new(&bundle.body);
    let index = parterre_tile::archive::Index::read(&mut archive).unwrap();
    let inside = index.read_entry(&mut archive, "tileset.json").unwrap().unwrap();
    assert_eq!(inside, client.get(&format!("{base}/tileset.json")).body);
}

/// A file of a data folder's objects that ends in `name`.
fn object(app: &TestApp, name: &str) -> Vec<u8> {
    let path = app.files().into_iter().find(|file| file.starts_with("objects/scans/") && file.ends_with(name)).unwrap();
    std::fs::read(app.dir.path().join(path)).unwrap()
}

#[test]
fn copc_is_given_in_parts_that_make_the_file() {
    let (app, base) = published();
    let client = &app.client;
    let stored = object(&app, "points.copc.laz");
    assert_eq!(&stored[377..381], b"copc", "the info record is the first");
    let address = format!("{base}/points.copc.laz");
    let whole = client.get(&address).expect(200);
    assert!(whole.body == stored, "the file as it is stored");
    assert_eq!(whole.header("content-type"), Some("application/vnd.laszip+copc"));
    assert_eq!(whole.header("content-disposition"), Some("attachment; filename=\"room-v1.copc.laz\""));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert!(whole.header("cache-control").unwrap().contains("immutable"));
    let tag = whole.header("etag").unwrap();

    let mut joined = Vec::new();
    while joined.len() < stored.len() {
        let end = (joined.len() + 100_000).min(stored.len()) - 1;
        let wanted = format!("bytes={}-{end}", joined.len());
        let part = client.get_with(&address, &[("range", &wanted), ("accept-encoding", "gzip"), ("if-range", tag)]).expect(206);
        assert_eq!(part.header("content-range"), Some(format!("bytes {}-{end}/{}", joined.len(), stored.len()).as_str()));
        assert_eq!(part.header("content-encoding").unwrap_or("identity"), "identity");
        joined.extend(part.body);
    }
    assert!(joined == stored, "the parts make the file");
    let tail = client.get_with(&address, &[("range", "bytes=-100")]).expect(206);
    assert!(tail.body == stored[stored.len() - 100..]);

    let head = client.send("HEAD", &address, &[], "").expect(200);
    assert_eq!((head.header("content-length"), head.header("etag")), (Some(stored.len().to_string().as_str()), Some(tag)));
    assert!(head.body.is_empty());
    client.get_with(&address, &[("if-none-match", tag)]).expect(304);
    let past = format!("bytes={}-", stored.len());
    client.get_with(&address, &[("range", &past)]).expect_error(416, "range_not_satisfiable");
    client.send("PUT", &address, &[], "x").expect_error(405, "method_not_allowed");
}

#[test]
fn a_version_names_everything_that_was_made_of_it() {
    let (app, base) = published();
    let client = &app.client;
    let scan = base.split('/').nth(2).unwrap();
    let version = client.get(&format!("/api/scans/{scan}")).expect(200).json()["versions"][0].clone();
    assert_eq!(version["copc"], format!("{base}/points.copc.laz"));
    assert_eq!(version["copc_bytes"], object(&app, "points.copc.laz").len());
    assert_eq!(version["bundle_bytes"], object(&app, "tiles.3tz").len());
    // The room is 8 x 6 m large and has no ceiling.
    let plans = version["plans"].as_array().unwrap();
    assert_eq!(plans.len(), 1, "{version}");
    assert!((plans[0]["area_m2"].as_f64().unwrap() - 48.0).abs() < 5.0, "{version}");
    assert!(plans[0]["floor_m"].as_f64().unwrap().abs() < 0.02, "{version}");
    let plan = client.get(plans[0]["url"].as_str().unwrap()).expect(200);
    assert_eq!(plan.header("content-type"), Some("image/png"));
    assert!(plan.body == client.get(version["plan"].as_str().unwrap()).expect(200).body, "the only level is the largest");
    client.get(&format!("/pictures/{scan}/1/plan-2.png")).expect_error(404, "picture_not_found");
    client.get(&format!("/pictures/{scan}/1/plan-..%2Freport.json")).expect_error(404, "picture_not_found");
    let figures = &version["figures"];
    assert!((figures["coverage_m2"].as_f64().unwrap() - 48.0).abs() < 5.0, "{figures}");
    assert!(figures["noise_m"].as_f64().unwrap() < 0.001, "{figures}");

    let report = client.get(version["report"].as_str().unwrap()).expect(200);
    assert_eq!(report.header("content-type"), Some("application/json"));
    let report = report.json();
    assert_eq!((&report["points_in"], &report["points_out"]), (&version["points"], &version["points"]));
    let mut listed: Vec<&str> = report["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    listed.push("report.json");
    listed.sort_unstable();
    let mut stored: Vec<String> = app.files().into_iter().filter(|file| file.starts_with("objects/scans/")).collect();
    for file in &mut stored {
        *file = file.rsplit('/').next().unwrap().to_owned();
    }
    stored.sort_unstable();
    assert_eq!(stored, listed, "each file of the report is stored, and nothing else");

    // The file says nothing of where the scanner stood.
    assert_eq!((&version["setups"], &version["images"]), (&serde_json::Value::Null, &0.into()));
    client.get(&format!("{base}/setups.json")).expect_error(404, "file_not_found");
    client.get(&format!("{base}/images/0001.jpg")).expect_error(404, "file_not_found");
    client.get(&format!("/tiles/{scan}/7/points.copc.laz")).expect_error(404, "version_not_found");
    let page = client.get("/venues/hall").expect(200).text();
    for wanted in [version["copc"].as_str().unwrap(), plans[0]["url"].as_str().unwrap(), "from the surface", "m² seen from above"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
}

/// A picture of one grey pixel.
#[rustfmt::skip]
const PNG: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41,
    0x54, 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0x00, 0x00, 0x00, 0x00, 0x49,
    0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// The room as a scan from one place, with a picture.
fn e57_with_picture(place: [f64; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = E57Writer::new(&mut bytes, "a room").unwrap();
    let prototype = vec![Record::CARTESIAN_X_F64, Record::CARTESIAN_Y_F64, Record::CARTESIAN_Z_F64];
    let mut scan = writer.add_pointcloud("scan", prototype).unwrap();
    scan.set_name(Some("Stage door".into()));
    let [x, y, z] = place;
    scan.set_transform(Some(Transform { rotation: Quaternion { w: 1.0, x: 0.0, y: 0.0, z: 0.0 }, translation: Translation { x, y, z } }));
    for point in room(5_000) {
        scan.add_point(point.map(|millimetres| RecordValue::Double(f64::from(millimetres) / 1000.0)).to_vec()).unwrap();
    }
    scan.finalize().unwrap();
    let mut picture = writer.add_image("picture").unwrap();
    picture.set_name("From the door");
    picture.set_pointcloud_guid("scan");
    let size = VisualReferenceImageProperties { width: 1, height: 1 };
    picture.add_visual_reference(ImageFormat::Png, &mut &PNG[..], size, None).unwrap();
    picture.finalize().unwrap();
    writer.finalize().unwrap();
    drop(writer);
    bytes.into_inner()
}

#[test]
fn setups_and_pictures_are_given_as_the_file_has_them() {
    let app = TestApp::start();
    let client = &app.client;
    let place = [10.0, 20.0, 1.5];
    let (scan, version) = client.publish(&client.venue("Hall"), "room.e57", &e57_with_picture(place));
    let base = format!("/tiles/{scan}/{version}");
    let told = client.get(&format!("/api/scans/{scan}")).expect(200).json()["versions"][0].clone();
    assert_eq!((&told["setups"], &told["images"]), (&format!("{base}/setups.json").into(), &1.into()));

    let setups = client.get(told["setups"].as_str().unwrap()).expect(200);
    assert_eq!(setups.header("content-type"), Some("application/json"));
    assert!(setups.header("cache-control").unwrap().contains("immutable"));
    let setups = setups.json();
    assert_eq!((setups["setups"].as_array().unwrap().len(), setups["images"].as_array().unwrap().len()), (1, 1), "{setups}");
    let (setup, image) = (&setups["setups"][0], &setups["images"][0]);
    assert_eq!((&setup["name"], &setup["position"], &setup["points"]), (&"Stage door".into(), &place.as_slice().into(), &5_000.into()));
    assert_eq!((&image["file"], &image["setup"], &image["bytes"]), (&"images/0001.png".into(), &0.into(), &PNG.len().into()));

    let address = format!("{base}/{}", image["file"].as_str().unwrap());
    let picture = client.get(&address).expect(200);
    assert_eq!(picture.header("content-type"), Some("image/png"));
    assert!(picture.header("cache-control").unwrap().contains("immutable"));
    assert!(picture.body == PNG, "the picture as it lies in the scan");
    let part = client.get_with(&address, &[("range", "bytes=1-3")]).expect(206);
    assert_eq!(part.body, b"PNG");
    client.get_with(&address, &[("if-none-match", picture.header("etag").unwrap())]).expect(304);
    for name in ["0002.png", "0001.jpg", "..%2Fsetups.json"] {
        client.get(&format!("{base}/images/{name}")).expect(404);
    }
}
