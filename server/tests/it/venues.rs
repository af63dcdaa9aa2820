//! `/api/venues`, `/api/scans`, `/api/jobs`, and errors of addresses and bodies.

use parterre_server::models::versions::{Published, Version};
use serde_json::{Value, json};

use super::support::{TestApp, las, room};

#[test]
fn a_venue_is_added_listed_and_found() {
    let app = TestApp::start();
    let answer = app.client.post("/api/venues", &json!({ "name": "  Théâtre du Châtelet " })).expect(201);
    let made = answer.json();
    assert_eq!(made["slug"], "theatre-du-chatelet");
    assert_eq!(answer.header("location"), Some(format!("/api/venues/{}", made["id"].as_str().unwrap()).as_str()));
    let again = app.client.post("/api/venues", &json!({ "name": "Théâtre du Châtelet" })).expect(201).json();
    assert_eq!(again["slug"], "theatre-du-chatelet-2");
    app.client.venue("Stade 100 % sûr");

    for address in [made["id"].as_str().unwrap(), "theatre-du-chatelet"] {
        let venue = app.client.get(&format!("/api/venues/{address}")).expect(200).json();
        assert_eq!(venue["name"], "Théâtre du Châtelet");
        assert_eq!(venue["scans"], json!([]));
    }
    let all = app.client.get("/api/venues").expect(200).json();
    assert_eq!(all["total"], 3);
    let names: Vec<_> = all["venues"].as_array().unwrap().iter().map(|venue| venue["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Stade 100 % sûr", "Théâtre du Châtelet", "Théâtre du Châtelet"]);
    for (query, count) in [("CHATELET", 2), ("th%C3%A9%C3%A2tre", 2), ("%25", 1), ("_", 0), ("sur", 1)] {
        assert_eq!(app.client.get(&format!("/api/venues?q={query}")).json()["total"], count, "{query}");
    }
    app.client.get(&format!("/api/venues?q={}", "x".repeat(200))).expect(200);
    for query in [&"x".repeat(201), "a%00b", "a%0Ab"] {
        app.client.get(&format!("/api/venues?q={query}")).expect_error(400, "query_invalid");
        app.client.get(&format!("/?q={query}")).expect_error(400, "query_invalid");
    }
    // A name that is another venue's identifier leads to neither's confusion.
    let id = made["id"].as_str().unwrap();
    let confusing = app.client.post("/api/venues", &json!({ "name": id })).expect(201).json();
    assert_eq!(confusing["slug"], format!("venue-{id}"));
    assert_eq!(app.client.get(&format!("/api/venues/{id}")).json()["name"], "Théâtre du Châtelet");
    let page = app.client.get("/api/venues?limit=1&offset=2").json();
    assert_eq!((page["venues"].as_array().unwrap().len(), &page["total"]), (1, &json!(4)));
}

#[test]
fn a_list_has_the_newest_version_and_the_newest_that_is_ready() {
    let app = TestApp::without_worker();
    let venue = app.client.venue("Hall");
    let file = las(&room(100));
    let scans: Vec<Value> = (0..4).map(|_| app.client.upload(&venue, "room.las", &file).expect(202).json()["scan"].clone()).collect();
    let scan = scans[0].clone();
    let other = app.client.upload(&venue, "other.las", &file).expect(202).json()["scan"].clone();
    let mut conn = app.app.database.get().unwrap();
    for version in [1, 2] {
        let published = Published {
            prefix: String::new(),
            files: "[]".into(),
            state: "ready".into(),
            tiles_key: "tiles".into(),
            thumbnail_key: "thumbnail".into(),
            plan_key: "plan".into(),
            report_key: "report".into(),
            report: json!({ "warnings": [{ "code": "unit_assumed", "message": "metres" }] }).to_string(),
            frame: "{}".into(),
            points: 100,
            tiles_bytes: 1000,
            published_at: 1,
        };
        assert!(Version::publish(&mut conn, scan.as_str().unwrap(), version, &published).unwrap());
    }
    drop(conn);
    let listed = app.client.get("/api/venues").expect(200).json()["venues"][0]["scans"].clone();
    let versions = |id: &Value| -> Vec<(Value, Value)> {
        let scan = listed.as_array().unwrap().iter().find(|scan| scan["id"] == *id).unwrap();
        scan["versions"].as_array().unwrap().iter().map(|version| (version["version"].clone(), version["state"].clone())).collect()
    };
    assert_eq!(versions(&scan), [(json!(2), json!("ready")), (json!(4), json!("processing"))]);
    assert_eq!(versions(&other), [(json!(1), json!("processing"))]);
    let card = app.client.get("/").expect(200).text();
    assert!(card.contains(&format!("/pictures/{}/2/thumbnail.png", scan.as_str().unwrap())), "{card}");
    assert_eq!(listed[0]["versions"][0]["warnings"], json!([]), "in brief");
    let whole = app.client.get(&format!("/api/venues/{venue}")).expect(200).json();
    assert_eq!(whole["scans"][0]["versions"].as_array().unwrap().len(), 4);
    assert_eq!(whole["scans"][0]["versions"][1]["warnings"][0]["code"], "unit_assumed");
}

#[test]
fn names_that_cannot_be_used_are_refused() {
    let app = TestApp::start();
    for name in ["", "   ", "a\nb", "a\u{0}", &"x".repeat(201)] {
        app.client.post("/api/venues", &json!({ "name": name })).expect_error(422, "name_invalid");
    }
    for name in ["\u{202e}", "\u{200b}", " \u{200b}\u{200d} ", "\u{3164}", "\u{2800}", "\u{ad}", "\u{fe0f}", "\u{e0041}", "\u{301}"] {
        let told = app.client.post("/api/venues", &json!({ "name": name })).expect_error(422, "name_invalid").json();
        assert!(told["error"]["message"].as_str().unwrap().contains("visible"), "{told}");
        let form = format!("name={}", name.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat());
        app.client.send("POST", "/", &[("content-type", "application/x-www-form-urlencoded")], form).expect_error(422, "name_invalid");
    }
    assert_eq!(app.client.get("/api/venues").json()["total"], 0);
}

#[test]
fn names_keep_what_can_be_seen() {
    let app = TestApp::start();
    let id = app.client.venue("\u{202e}Grand\u{200b} Hall\u{2069}");
    let venue = app.client.get(&format!("/api/venues/{id}")).expect(200).json();
    assert_eq!((&venue["name"], &venue["slug"]), (&json!("Grand Hall"), &json!("grand-hall")));
    assert_eq!(app.client.get("/api/venues?q=gr%E2%80%8Band").expect(200).json()["total"], 1);
}

#[test]
fn a_list_is_bounded_and_says_so() {
    let app = TestApp::start();
    for number in 0..3 {
        app.client.venue(&format!("Hall {number}"));
    }
    for (query, limit, count) in [
        ("", 100, 3),
        ("?limit=2", 2, 2),
        ("?limit=500", 500, 3),
        ("?limit=501", 500, 3),
        ("?limit=100000000", 500, 3),
        ("?limit=18446744073709551615", 500, 3),
        ("?limit=0", 1, 1),
        ("?limit=2&offset=2", 2, 1),
        ("?offset=18446744073709551615", 100, 0),
    ] {
        let list = app.client.get(&format!("/api/venues{query}")).expect(200).json();
        let venues = list["venues"].as_array().unwrap().len();
        assert_eq!((&list["limit"], venues, &list["total"]), (&json!(limit), count, &json!(3)), "{query}");
    }
    for query in ["limit=-1", "limit=18446744073709551616", "offset=-1", "limit=many"] {
        app.client.get(&format!("/api/venues?{query}")).expect_error(400, "query_invalid");
    }
}

#[test]
fn every_error_is_json_with_a_stable_code() {
    let app = TestApp::start();
    let client = &app.client;
    for (path, code) in [
        ("/nowhere", "not_found"),
        ("/api/venues/none", "venue_not_found"),
        ("/api/scans/none", "scan_not_found"),
        ("/api/jobs/none", "job_not_found"),
        ("/tiles/none/1/tileset.json", "version_not_found"),
        ("/tiles/none/1/tiles.3tz", "version_not_found"),
        ("/tiles/none/99999999999/tileset.json", "not_found"),
        ("/tiles/none/x/tileset.json", "not_found"),
        ("/pictures/none/1/plan.png", "version_not_found"),
        ("/venues/none", "venue_not_found"),
        ("/view/none/1", "version_not_found"),
        ("/static/none.css", "not_found"),
        ("/viewer/parterre_viewer.js", "viewer_not_found"),
    ] {
        client.get(path).expect_error(404, code);
    }
    let json = [("content-type", "application/json")];
    client.send("POST", "/api/venues", &json, "{").expect_error(400, "json_invalid");
    client.send("POST", "/api/venues", &json, "{\"nom\":1}").expect_error(400, "json_invalid");
    client.send("POST", "/api/venues", &[("content-type", "text/plain")], "{}").expect_error(415, "content_type_invalid");
    client.send("POST", "/api/venues", &json, format!("{{\"name\":\"{}\"}}", "x".repeat(100_000))).expect_error(413, "body_too_large");
    client.get("/api/venues?limit=x").expect_error(400, "query_invalid");
    client.send("POST", "/", &[("content-type", "application/x-www-form-urlencoded")], "nom=1").expect_error(400, "form_invalid");
    let refused = client.send("DELETE", "/api/venues", &[], "").expect_error(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET, HEAD, POST"));
    client.send("POST", "/api/scans/x", &json, "{}").expect_error(405, "method_not_allowed");
}

#[test]
fn the_description_names_every_route_of_the_contract() {
    let app = TestApp::start();
    let description = app.client.get("/api/openapi.json").expect(200).json();
    let paths = description["paths"].as_object().unwrap();
    for path in [
        "/api/venues",
        "/api/venues/{venue}",
        "/api/venues/{venue}/uploads/{file}",
        "/api/jobs/{job}",
        "/api/scans/{scan}",
        "/tiles/{scan}/{version}/{path}",
        "/healthz",
    ] {
        assert!(paths.contains_key(path), "{path} is missing in {:?}", paths.keys());
    }
    assert!(description["components"]["schemas"]["ErrorBody"].is_object());
    assert_eq!(app.client.get("/healthz").expect(200).json()["status"], "ok");
}
