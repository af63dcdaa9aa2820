//! The pages, and the files of the web viewer.

use std::fs;

use super::support::{TestApp, las, room};

#[test]
fn the_catalogue_and_a_venue_show_what_there_is() {
    let app = TestApp::start();
    assert!(app.client.get("/").expect(200).text().contains("The catalogue is empty"));
    let entered =
        app.client.send("POST", "/", &[("content-type", "application/x-www-form-urlencoded")], "name=%3Cb%3EHall%3C%2Fb%3E").expect(303);
    let address = entered.header("location").unwrap().to_owned();
    assert_eq!(address, "/venues/b-hall-b");
    let page = app.client.get(&address).expect(200).text();
    assert!(page.contains("No scan yet") && page.contains("&#60;b&#62;Hall"), "{page}");
    assert!(!page.contains("<b>Hall"), "names are escaped");

    let (scan, _) = app.client.publish("b-hall-b", "room.las", &las(&room(2000)));
    let page = app.client.get(&address).expect(200).text();
    for shown in
        ["room.las", "2,000", "assumed: metres", &format!("/tiles/{scan}/1/tileset.json"), "tiles.3tz", "thumbnail.png", "plan-1.png"]
    {
        assert!(page.contains(shown), "{shown} is missing in {page}");
    }
    let elsewhere = [("x-forwarded-host", "elsewhere.example"), ("forwarded", "host=elsewhere.example")];
    assert!(!app.client.get_with(&address, &elsewhere).expect(200).text().contains("elsewhere.example"));
    let catalogue = app.client.get("/").expect(200).text();
    assert!(catalogue.contains(&format!("/pictures/{scan}/1/thumbnail.png")) && catalogue.contains("Ready"), "{catalogue}");
    app.client.get("/?page=4294967295").expect(200);
    assert!(app.client.get("/?q=nobody").text().contains("No venue has"));

    let lost = app.client.get_with("/venues/none", &[("accept", "text/html,*/*")]).expect(404);
    assert!(lost.header("content-type").unwrap().starts_with("text/html") && lost.text().contains("Not found"));
}

#[test]
fn a_failed_file_is_told_on_its_page() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    let mut file = las(&room(50));
    // Every point out of reach of a number: the header is fine, what comes after is not.
    for axis in 0..3 {
        file[155 + 8 * axis..163 + 8 * axis].copy_from_slice(&1e300_f64.to_le_bytes());
    }
    let accepted = app.client.upload(&venue, "far.las", &file).expect(202).json();
    let job = app.client.wait(accepted["job"].as_str().unwrap());
    assert_eq!(job["state"], "failed", "{job}");
    let page = app.client.get("/venues/hall").expect(200).text();
    assert!(page.contains("Failed") && page.contains(job["error"]["code"].as_str().unwrap()), "{page}");
    let id = job["id"].as_str().unwrap();
    assert!(page.contains(&format!("action=\"/jobs/{id}/retry\" method=\"post\"")) && page.contains("Try again"), "{page}");
    let foreign = [("origin", "http://elsewhere.example")];
    app.client.send("POST", &format!("/jobs/{id}/retry"), &foreign, "").expect_error(403, "origin_not_allowed");
    app.client.send("POST", &format!("/api/jobs/{id}/retry"), &foreign, "").expect_error(403, "origin_not_allowed");
    assert_eq!(app.client.get(&format!("/api/jobs/{id}")).json()["state"], "failed");
    // Pressed twice: both times the page is shown.
    for _ in 0..2 {
        let again = app.client.send("POST", &format!("/jobs/{id}/retry"), &[], "").expect(303);
        assert_eq!(again.header("location"), Some("/venues/hall"));
    }
    assert_eq!(app.client.wait(id)["state"], "failed", "the file is still at fault");
    let lost = app.client.send("POST", "/jobs/none/retry", &[("accept", "text/html")], "").expect(404);
    assert!(lost.text().contains("Not found"));
}

#[test]
fn the_viewer_may_appear_while_the_service_runs() {
    let web = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(|config| config.http.web_dir = Some(web.path().to_path_buf()));
    let venue = app.client.venue("Hall");
    let (scan, _) = app.client.publish(&venue, "room.las", &las(&room(2000)));
    let (page, view) = ("/venues/hall", format!("/view/{scan}/1"));
    fs::write(web.path().join("build-status.txt"), "compiling\nlinking, 97 %\n").unwrap();
    for address in [page, &view] {
        let text = app.client.get(address).expect(200).text();
        assert!(text.contains("The web viewer is being built") && text.contains("linking, 97 %"), "{text}");
    }
    assert!(!app.client.get(page).text().contains("href=\"/view/"));

    fs::write(web.path().join("parterre_viewer_bg.wasm"), b"\0asm").unwrap();
    fs::write(web.path().join("parterre_viewer.js"), b"export default 1").unwrap();
    fs::write(web.path().join("parterre_viewer_bg.wasm.br"), b"packed").unwrap();
    assert!(app.client.get(page).text().contains(&format!("href=\"{view}\"")));
    let shell = app.client.get(&view).expect(200).text();
    assert!(shell.contains(&format!("<meta name=\"parterre-tileset\" content=\"/tiles/{scan}/1/tileset.json\">")), "{shell}");
    assert!(shell.contains("id=\"parterre-canvas\"") && shell.contains("id=\"parterre-loading\""));

    let wasm = "/viewer/parterre_viewer_bg.wasm";
    let plain = app.client.get(wasm).expect(200);
    assert_eq!(plain.header("content-type"), Some("application/wasm"));
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    assert_eq!(plain.body, b"\0asm");
    let packed = app.client.get_with(wasm, &[("accept-encoding", "gzip, deflate, br")]).expect(200);
    assert_eq!((packed.header("content-encoding"), packed.header("content-type")), (Some("br"), Some("application/wasm")));
    assert_eq!(packed.body, b"packed");
    assert_ne!(packed.header("etag"), plain.header("etag"));
    app.client.get_with(wasm, &[("if-none-match", plain.header("etag").unwrap())]).expect(304);
    app.client.get_with(wasm, &[("range", "bytes=100-")]).expect_error(416, "range_not_satisfiable");
    app.client.get_with(wasm, &[("if-match", "\"another\"")]).expect_error(412, "precondition_failed");
    for path in ["/viewer/../parterre.sqlite", "/viewer/%2e%2e/parterre.sqlite", "/viewer/", "/viewer/.hidden"] {
        app.client.get(path).expect(404);
    }
}

#[test]
fn a_failed_build_of_the_viewer_says_what_to_do() {
    let web = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(|config| config.http.web_dir = Some(web.path().to_path_buf()));
    let (scan, _) = app.client.publish(&app.client.venue("Hall"), "room.las", &las(&room(2000)));
    fs::write(web.path().join("build-status.txt"), "failed: compiling <b>. Then run again: make run\n").unwrap();
    for address in ["/venues/hall", &format!("/view/{scan}/1")] {
        let text = app.client.get(address).expect(200).text();
        assert!(text.contains("The web viewer could not be built"), "{text}");
        assert!(text.contains("compiling &#60;b&#62;. Then run again: make run") && !text.contains("failed: "), "{text}");
    }
}

#[test]
fn a_page_keeps_the_build_of_the_viewer_that_it_began_with() {
    let web = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(|config| config.http.web_dir = Some(web.path().to_path_buf()));
    let (scan, _) = app.client.publish(&app.client.venue("Hall"), "room.las", &las(&room(2000)));
    let view = format!("/view/{scan}/1");
    let names = ["parterre_viewer.js", "parterre_viewer_bg.wasm"];
    let publish = |id: &str| {
        let folder = web.path().join("builds").join(id);
        fs::create_dir_all(&folder).unwrap();
        for name in names {
            fs::write(folder.join(name), format!("{name} of {id}")).unwrap();
            fs::write(folder.join(format!("{name}.gz")), format!("packed {name} of {id}")).unwrap();
        }
        fs::write(web.path().join("current-build.txt"), format!("{id}\n")).unwrap();
    };
    let program = || {
        let page = app.client.get(&view).expect(200).text();
        let (_, rest) = page.split_once("<meta name=\"parterre-program\" content=\"").expect("the page names its build");
        rest.split_once('"').unwrap().0.to_owned()
    };

    publish("0a1b2c");
    let first = program();
    assert_eq!(first, "/viewer/builds/0a1b2c/");
    publish("3d4e5f");
    let second = program();
    assert_eq!(second, "/viewer/builds/3d4e5f/");
    for (address, id) in [(&first, "0a1b2c"), (&second, "3d4e5f")] {
        for name in names {
            let plain = app.client.get(&format!("{address}{name}")).expect(200);
            assert_eq!(plain.text(), format!("{name} of {id}"));
            assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
            let packed = app.client.get_with(&format!("{address}{name}"), &[("accept-encoding", "gzip")]).expect(200);
            assert_eq!((packed.header("content-encoding"), packed.header("vary")), (Some("gzip"), Some("Accept-Encoding")));
            assert_eq!(packed.body, format!("packed {name} of {id}").into_bytes());
            assert_ne!(packed.header("etag"), plain.header("etag"));
        }
    }
    // Without a build in the address: the current one, asked for again each time.
    let current = app.client.get("/viewer/parterre_viewer.js").expect(200);
    assert_eq!((current.text().as_str(), current.header("cache-control")), ("parterre_viewer.js of 3d4e5f", Some("no-cache")));

    // A pointer that names no build leads nowhere, out of the folder least of all.
    for id in ["", "..", "../..", "3d4e5f/..", "ffff"] {
        fs::write(web.path().join("current-build.txt"), id).unwrap();
        assert!(app.client.get(&view).expect(200).text().contains("The web viewer is being built"), "{id:?}");
        app.client.get("/viewer/parterre_viewer.js").expect_error(404, "viewer_not_found");
    }
}
