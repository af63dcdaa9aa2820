//! What people enter about venues and scans, and how it is published and deleted; on SQLite and on PostgreSQL.

use std::fs;
use std::time::Duration;

use diesel::prelude::*;
use parterre_server::sweep;
use serde_json::{Value, json};

use super::postgres::on_both;
use super::support::{Answer, Client, TestApp, las, room};

impl Client {
    fn patch(&self, path: &str, tag: &str, body: &Value) -> Answer {
        self.send("PATCH", path, &[("content-type", "application/json"), ("if-match", tag)], body.to_string())
    }

    fn tag(&self, path: &str) -> String {
        self.get(path).expect(200).header("etag").unwrap().to_owned()
    }

    fn act(&self, scan: &str, version: u64, action: &str) -> Answer {
        self.send("POST", &format!("/api/scans/{scan}/versions/{version}/{action}"), &[], "")
    }

    fn states(&self, scan: &str) -> Vec<String> {
        let shown = self.get(&format!("/api/scans/{scan}")).expect(200).json();
        shown["versions"].as_array().unwrap().iter().map(|version| version["publication"].as_str().unwrap().to_owned()).collect()
    }

    fn form(&self, path: &str, values: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let body = values.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&");
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")], body)
    }
}

#[test]
fn a_venue_is_described_and_changed_under_a_condition() {
    on_both(|app| {
        let client = &app.client;
        let fields = json!({
            "name": "Théâtre de la Ville", "local_name": "劇場", "kind": "theatre", "address": "2 place du Châtelet", "city": "Paris",
            "country": "fr", "position": { "lon": 2.3475, "lat": 48.8572 }, "capacity": 987, "sensitivity": "sensitive", "notes": "Two\nlines",
            "contacts": [{ "role": "Security", "phone": "+33 1 00 00 00 00" }], "something": "else",
        });
        let made = client.post("/api/venues", &fields).expect(201).json();
        let path = format!("/api/venues/{}", made["id"].as_str().unwrap());
        let shown = client.get(&path).expect(200);
        let tag = shown.header("etag").unwrap().to_owned();
        assert!(tag.starts_with("\"r1-"), "a strong tag: {tag}");
        let venue = shown.json();
        for field in ["name", "local_name", "kind", "address", "city", "position", "capacity", "sensitivity", "notes"] {
            assert_eq!(venue[field], fields[field], "{field}");
        }
        assert_eq!((&venue["country"], &venue["contacts"][0]["role"], &venue["revision"]), (&json!("FR"), &json!("Security"), &json!(1)));
        assert_eq!(client.get("/api/venues?q=%E5%8A%87%E5%A0%B4").json()["total"], 1, "found by its local name");
        client.get_with(&path, &[("if-none-match", &tag)]).expect(304);

        let json = [("content-type", "application/json")];
        client.send("PATCH", &path, &json, "{\"capacity\":1}").expect_error(428, "precondition_required");
        client.send("DELETE", &path, &[], "").expect_error(428, "precondition_required");
        for wrong in ["\"r0\"", "\"r2\"", "W/\"r1\"", "\"nonsense\""] {
            client.patch(&path, wrong, &json!({ "capacity": 1 })).expect_error(412, "precondition_failed");
        }
        let changed = client.patch(&path, &tag, &json!({ "capacity": 1000, "notes": null })).expect(200);
        let now = changed.json();
        assert_eq!(
            (&now["capacity"], &now["notes"], &now["city"], &now["revision"]),
            (&json!(1000), &json!(null), &json!("Paris"), &json!(2))
        );
        assert_eq!(now["updated"]["by"]["id"], "local-desk");
        client.patch(&path, &tag, &json!({ "capacity": 2 })).expect_error(412, "precondition_failed");
        client.send("DELETE", &path, &[("if-match", &tag)], "").expect_error(412, "precondition_failed");
        let tag = changed.header("etag").unwrap().to_owned();
        for (body, code) in [
            (json!({ "nom": 1 }), "field_unknown"),
            (json!({ "slug": "x" }), "field_unknown"),
            (json!({ "capacity": 0 }), "field_invalid"),
            (json!({ "capacity": -5 }), "field_invalid"),
            (json!({ "kind": "barn" }), "field_invalid"),
            (json!({ "position": { "lon": 500, "lat": 0 } }), "field_invalid"),
            (json!({ "name": "\u{200b}" }), "name_invalid"),
            (json!({ "notes": "a\u{0}b" }), "field_invalid"),
        ] {
            client.patch(&path, &tag, &body).expect_error(422, code);
        }
        client.patch(&path, &tag, &json!([1])).expect_error(400, "json_invalid");
        // What a job changes is no conflict for somebody who edits.
        client.publish(&path[12..], "room.las", &las(&room(500)));
        assert_ne!(client.tag(&path), tag);
        client.patch(&path, &tag, &json!({ "city": "Lyon" })).expect(200);
        client.patch(&path, "*", &json!({ "city": "Paris" })).expect(200);
        let history = client.get(&format!("{path}/history")).expect(200).json();
        let actions: Vec<&str> = history.as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["changed", "changed", "added", "changed", "added"]);
        assert_eq!(history[3]["fields"], json!(["capacity", "notes"]));
    });
}

#[test]
fn changes_at_the_same_time_are_never_lost() {
    on_both(|app| {
        let path = format!("/api/venues/{}", app.client.venue("Hall"));
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                let (client, path) = (app.client.clone(), path.clone());
                std::thread::spawn(move || {
                    let mut conflicts = 0;
                    for step in 0..4 {
                        loop {
                            let shown = client.get(&path).expect(200);
                            let notes = shown.json()["notes"].as_str().unwrap_or_default().to_owned();
                            let answer = client.patch(
                                &path,
                                shown.header("etag").unwrap(),
                                &json!({ "notes": format!("{notes}\n{thread}.{step}") }),
                            );
                            match answer.status {
                                200 => break,
                                412 => conflicts += 1,
                                other => panic!("{other}: {}", answer.text()),
                            }
                        }
                    }
                    conflicts
                })
            })
            .collect();
        let conflicts: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        let venue = app.client.get(&path).json();
        let mut lines: Vec<String> = venue["notes"].as_str().unwrap().lines().map(ToOwned::to_owned).collect();
        lines.sort();
        let expected: Vec<String> = (0..6).flat_map(|thread| (0..4).map(move |step| format!("{thread}.{step}"))).collect();
        assert_eq!(lines, expected);
        assert_eq!(venue["revision"], 25);
        assert!(conflicts > 0, "the threads never met");
    });
}

#[test]
fn a_version_goes_from_draft_to_published_and_supersedes_the_one_before() {
    on_both(|app| {
        let client = &app.client;
        let venue = client.venue("Hall");
        let (scan, _) = client.publish(&venue, "room.las", &las(&room(3000)));
        client.publish(&venue, "room.las", &las(&room(2000)));
        assert_eq!(client.states(&scan), ["draft", "draft"]);
        client.act(&scan, 1, "publish").expect_error(409, "transition_not_allowed");
        client.act(&scan, 3, "submit").expect_error(404, "version_not_found");
        client.act("none", 1, "submit").expect_error(404, "scan_not_found");
        let submitted = client.post(&format!("/api/scans/{scan}/versions/1/submit"), &json!({ "note": "please" })).expect(200).json();
        assert_eq!(
            (&submitted["publication"], &submitted["publication_changed"]["by"]["name"]),
            (&json!("in_review"), &json!("Local desk"))
        );
        client.act(&scan, 1, "submit").expect_error(409, "transition_not_allowed");
        assert_eq!(client.act(&scan, 1, "publish").expect(200).json()["publication"], "published");
        client.act(&scan, 2, "submit").expect(200);
        client.act(&scan, 2, "publish").expect(200);
        assert_eq!(client.states(&scan), ["superseded", "published"]);
        client.act(&scan, 2, "withdraw").expect(200);
        client.act(&scan, 2, "withdraw").expect_error(409, "transition_not_allowed");
        client.act(&scan, 1, "submit").expect(200);
        client.act(&scan, 1, "publish").expect(200);
        assert_eq!(client.states(&scan), ["published", "withdrawn"]);
        client.send("POST", &format!("/api/scans/{scan}/versions/1/withdraw"), &[], "{").expect_error(400, "json_invalid");
        client
            .send("POST", &format!("/api/scans/{scan}/versions/1/withdraw"), &[], "{\"note\":\"a\\u0000\"}")
            .expect_error(422, "field_invalid");
        let history = client.get(&format!("/api/venues/{venue}/history")).json();
        let note = history.as_array().unwrap().iter().find(|event| event["note"] == "please").unwrap();
        assert_eq!((&note["action"], &note["subject_id"]), (&json!("submitted"), &json!(format!("{scan}/1"))));

        // The database itself refuses a second published version.
        let sql = "UPDATE versions SET publication = 'published'";
        let refused = diesel::sql_query(sql).execute(&mut *app.app.database.get().unwrap());
        assert!(
            matches!(refused, Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _))),
            "{refused:?}"
        );

        // Published at the same time: one of them in the end, whichever.
        for version in 3..=6 {
            client.publish(&venue, "room.las", &las(&room(1000 + version as usize)));
            client.act(&scan, version, "submit").expect(200);
        }
        let threads: Vec<_> = (3..=6)
            .map(|version| {
                let (client, scan) = (client.clone(), scan.clone());
                std::thread::spawn(move || client.act(&scan, version, "publish").expect(200))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let states = client.states(&scan);
        let of = |state: &str| states.iter().filter(|found| *found == state).count();
        assert_eq!((of("published"), of("superseded"), of("withdrawn")), (1, 4, 1), "{states:?}");
    });
}

#[test]
fn only_what_is_ready_is_reviewed() {
    let app = TestApp::without_worker();
    let accepted = app.client.upload(&app.client.venue("Hall"), "room.las", &las(&room(100))).expect(202).json();
    let scan = accepted["scan"].as_str().unwrap();
    app.client.act(scan, 1, "submit").expect_error(409, "version_not_ready");
    app.client.act(scan, 1, "withdraw").expect(200);
    let purge = format!("/api/scans/{scan}/versions/1/purge");
    app.client.post(&purge, &json!({ "name": "room.las" })).expect_error(409, "version_processing");
    let mut conn = app.app.database.get().unwrap();
    diesel::sql_query("UPDATE versions SET state = 'failed'").execute(&mut *conn).unwrap();
    app.client.act(scan, 1, "submit").expect_error(409, "version_failed");
}

#[test]
fn a_survey_is_fixed_by_the_review_but_for_its_age() {
    on_both(|app| {
        let client = &app.client;
        let venue = client.venue("Hall");
        let (scan, _) = client.publish(&venue, "room.las", &las(&room(500)));
        let path = format!("/api/scans/{scan}/versions/1");
        let shown = client.get(&path).expect(200);
        assert!(shown.header("etag").unwrap().starts_with("\"r0-"));
        assert_eq!(shown.json()["sources"][0]["sha256"], shown.json()["sha256"]);
        client.send("PATCH", &path, &[("content-type", "application/json")], "{}").expect_error(428, "precondition_required");
        let survey = json!({ "captured_on": "2024-05-01", "captured_by": "Survey & Co", "instrument": "TLS", "method": "terrestrial",
            "accuracy_m": 0.006, "coverage": "all but the roof", "reverify_on": "2025-05-01", "notes": "n" });
        let saved = client.patch(&path, &client.tag(&path), &survey).expect(200).json();
        for (field, value) in survey.as_object().unwrap() {
            assert_eq!(saved["survey"][field], *value, "{field}");
        }
        assert_eq!((&saved["is_stale"], &saved["survey"]["revision"]), (&json!(true), &json!(1)));
        client.patch(&path, "\"r0\"", &json!({ "notes": "other" })).expect_error(412, "precondition_failed");
        client.patch(&path, "*", &json!({ "captured_on": "2024-02-31" })).expect_error(422, "field_invalid");
        let page = client.get("/venues/hall").expect(200).text();
        assert!(page.contains("is old") && page.contains("2025-05-01"), "{page}");
        assert!(client.get("/").text().contains("Old"));
        assert!(client.get(&format!("/scans/{scan}/1")).expect(200).text().contains("This scan is old"));
        client.act(&scan, 1, "submit").expect(200);
        client.patch(&path, "*", &json!({ "instrument": "other" })).expect_error(409, "survey_fixed");
        let renewed = client.patch(&path, "*", &json!({ "reverify_on": "2999-01-01" })).expect(200).json();
        assert_eq!((&renewed["is_stale"], &renewed["survey"]["instrument"]), (&json!(false), &json!("TLS")));
        client.act(&scan, 1, "withdraw").expect(200);
        client.patch(&path, "*", &json!({ "instrument": "other" })).expect(200);
    });
}

#[test]
fn levels_are_proposed_named_and_kept_apart() {
    on_both(|app| {
        let client = &app.client;
        let venue = client.venue("Hall");
        client.publish(&venue, "room.las", &las(&room(20_000)));
        let path = format!("/api/venues/{venue}/levels");
        let list = client.get(&path).expect(200).json();
        let proposed = list["proposed"].as_array().unwrap();
        assert!(!proposed.is_empty() && list["levels"] == json!([]), "{list}");
        let floor = proposed[0]["floor_m"].as_f64().unwrap();
        let made = client.post(&path, &json!({ "name": "Parterre", "floor_m": floor })).expect(201);
        let level = made.json();
        assert_eq!((&level["ordinal"], &level["name"]), (&json!(0), &json!("Parterre")));
        let after = client.get(&path).json();
        assert_eq!(after["proposed"].as_array().unwrap().len(), proposed.len() - 1, "a named level is proposed no more");
        client.post(&path, &json!({ "name": "Cellar", "ordinal": -1 })).expect(201);
        client.post(&path, &json!({ "name": "Again", "ordinal": 0 })).expect_error(409, "level_exists");
        assert_eq!(client.post(&path, &json!({ "name": "Balcony" })).expect(201).json()["ordinal"], 1);
        client.post(&path, &json!({ "name": " " })).expect_error(422, "name_invalid");
        client.post(&path, &json!({ "name": "X", "ordinal": 9000 })).expect_error(422, "field_invalid");
        client.post(&path, &json!({ "ordinal": 7 })).expect_error(400, "json_invalid");
        let names: Vec<Value> = client.get(&path).json()["levels"].as_array().unwrap().iter().map(|level| level["name"].clone()).collect();
        assert_eq!(names, ["Cellar", "Parterre", "Balcony"]);

        let own = format!("/api/levels/{}", level["id"].as_str().unwrap());
        assert_eq!(made.header("location"), Some(own.as_str()));
        client.patch(&own, &client.tag(&own), &json!({ "ordinal": 1 })).expect_error(409, "level_exists");
        let changed = client.patch(&own, made.header("etag").unwrap(), &json!({ "name": "Stalls", "ordinal": null })).expect(200).json();
        assert_eq!((&changed["name"], &changed["ordinal"], &changed["revision"]), (&json!("Stalls"), &json!(0), &json!(2)));
        client.send("DELETE", &own, &[("if-match", "\"r1\"")], "").expect_error(412, "precondition_failed");
        client.send("DELETE", &own, &[("if-match", "\"r2\"")], "").expect(204);
        client.get(&own).expect_error(404, "level_not_found");
    });
}

#[test]
fn configurations_are_added_changed_and_removed() {
    on_both(|app| {
        let client = &app.client;
        let path = format!("/api/venues/{}/configurations", client.venue("Hall"));
        let fields = json!({ "name": "Concert, standing", "valid_from": "2026-01-01", "valid_to": "2026-12-31", "stage": "North end, 12 x 8 m",
            "seating": "none", "barriers": "front of stage", "locked_doors": ["D4", "D5"], "capacity": 4200, "notes": null });
        let made = client.post(&path, &fields).expect(201);
        for (field, value) in fields.as_object().unwrap() {
            assert_eq!(made.json()[field], *value, "{field}");
        }
        client.post(&path, &json!({ "name": "Seated" })).expect(201);
        client
            .post(&path, &json!({ "name": "X", "valid_from": "2026-02-01", "valid_to": "2026-01-01" }))
            .expect_error(422, "field_invalid");
        assert_eq!(client.get(&path).expect(200).json()["configurations"].as_array().unwrap().len(), 2);
        let own = made.header("location").unwrap().to_owned();
        let tag = client.tag(&own);
        client.patch(&own, &tag, &json!({ "locked_doors": ["D4"], "capacity": null })).expect(200);
        client.patch(&own, &tag, &json!({ "capacity": 1 })).expect_error(412, "precondition_failed");
        client.send("PATCH", &own, &[("content-type", "application/json")], "{}").expect_error(428, "precondition_required");
        client.send("DELETE", &own, &[], "").expect_error(428, "precondition_required");
        client.send("DELETE", &own, &[("if-match", &client.tag(&own))], "").expect(204);
        client.get(&own).expect_error(404, "configuration_not_found");
    });
}

fn png() -> Vec<u8> {
    // 1 x 1, grey.
    let hex = "89504e470d0a1a0a0000000d4948445200000001000000010800000000 3a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082";
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn pictures_are_checked_shown_and_removed_with_their_files() {
    on_both(|app| {
        let client = &app.client;
        let venue = client.venue("Hall");
        let put = |name: &str, body: &[u8]| client.send("PUT", &format!("/api/venues/{venue}/pictures/{name}"), &[], body);
        let made = put("front.png?caption=Main%20entrance", &png()).expect(201).json();
        assert_eq!((&made["width"], &made["media_type"], &made["caption"]), (&json!(1), &json!("image/png"), &json!("Main entrance")));
        let url = made["url"].as_str().unwrap();
        let shown = client.get(url).expect(200);
        assert_eq!((shown.body.as_slice(), shown.header("content-type")), (png().as_slice(), Some("image/png")));
        assert!(client.get("/venues/hall").text().contains("Main entrance"));
        for (body, code) in [(&b"<svg/>"[..], "picture_unsupported"), (b"", "picture_unsupported"), (&png()[..40], "picture_broken")] {
            put("x.png", body).expect_error(422, code);
        }
        put("x.png", &vec![0; (15 << 20) + 1]).expect_error(413, "picture_too_large");
        assert_eq!(app.files().iter().filter(|file| file.starts_with("objects/pictures/")).count(), 1);
        let other = client.venue("Other");
        let id = made["id"].as_str().unwrap();
        client.get(&format!("/api/venues/{other}/pictures/{id}")).expect_error(404, "picture_not_found");
        client.send("DELETE", url, &[], "").expect(204);
        client.get(url).expect_error(404, "picture_not_found");
        assert!(app.files().is_empty(), "{:?}", app.files());
    });
}

#[test]
fn deleting_takes_two_steps_and_objects_stay_while_a_row_names_them() {
    on_both(|app| {
        let client = &app.client;
        let (first, second) = (client.venue("First"), client.venue("Second"));
        let file = las(&room(2000));
        let (scan, _) = client.publish(&first, "room.las", &file);
        client.publish(&second, "copy.las", &file);
        let uploads = || app.files().into_iter().filter(|file| file.starts_with("objects/uploads/")).collect::<Vec<_>>();
        assert_eq!(uploads().len(), 1, "the same content is stored once: {:?}", uploads());
        client.publish(&first, "room.las", &las(&room(1000)));
        assert_eq!(uploads().len(), 2);
        client.get(&format!("/tiles/{scan}/1/tileset.json")).expect(200);

        // A version.
        let purge = |scan: &str, version: u64, name: &str| {
            client.post(&format!("/api/scans/{scan}/versions/{version}/purge"), &json!({ "name": name }))
        };
        purge(&scan, 1, "room.las").expect_error(409, "not_withdrawn");
        client.act(&scan, 1, "withdraw").expect(200);
        purge(&scan, 1, "Room.las").expect_error(422, "name_mismatch");
        purge(&scan, 1, "room.las").expect(204);
        purge(&scan, 1, "room.las").expect_error(404, "version_not_found");
        client.get(&format!("/tiles/{scan}/1/tileset.json")).expect_error(404, "version_not_found");
        assert_eq!(uploads().len(), 2, "the other venue still names the file");
        assert!(!app.files().iter().any(|file| file.starts_with(&format!("objects/scans/{scan}/1/"))), "{:?}", app.files());
        // Numbers are not used again.
        client.act(&scan, 2, "withdraw").expect(200);
        client.publish(&first, "room.las", &las(&room(500)));
        purge(&scan, 2, "room.las").expect(204);
        let left = client.get(&format!("/api/scans/{scan}")).json();
        assert_eq!((left["versions"].as_array().unwrap().len(), &left["versions"][0]["version"]), (1, &json!(3)));
        assert_eq!(client.publish(&first, "room.las", &las(&room(400))).1, 4);

        // The venue.
        client.send("PUT", &format!("/api/venues/{second}/pictures/a.png"), &[], png()).expect(201);
        client.post(&format!("/api/venues/{second}/levels"), &json!({ "name": "Parterre" })).expect(201);
        client.post(&format!("/api/venues/{second}/configurations"), &json!({ "name": "Seated" })).expect(201);
        let path = format!("/api/venues/{second}");
        client.post(&format!("{path}/purge"), &json!({ "name": "Second" })).expect_error(409, "not_withdrawn");
        let withdrawn = client.send("DELETE", &path, &[("if-match", &client.tag(&path))], "").expect(200);
        assert_eq!(withdrawn.json()["withdrawn"]["by"]["id"], "local-desk");
        assert_eq!(client.get("/api/venues").json()["total"], 1, "not in the lists");
        assert_eq!(client.get("/api/venues?state=withdrawn").json()["venues"][0]["name"], "Second");
        client.patch(&path, "*", &json!({ "city": "x" })).expect_error(409, "venue_withdrawn");
        client.upload(&second, "more.las", &file).expect_error(409, "venue_withdrawn");
        client.post(&format!("{path}/levels"), &json!({ "name": "X" })).expect_error(409, "venue_withdrawn");
        client.post(&format!("{path}/restore"), &json!({})).expect(200);
        client.send("DELETE", &path, &[("if-match", &client.tag(&path))], "").expect(200);
        client.post(&format!("{path}/purge"), &json!({ "name": "First" })).expect_error(422, "name_mismatch");
        client.post(&format!("{path}/purge"), &json!({ "name": "Second" })).expect(204);
        client.get(&path).expect_error(404, "venue_not_found");
        let names_first = |file: &String| file.contains(&scan) || file.starts_with("objects/uploads/");
        assert!(app.files().iter().all(names_first) && uploads().len() == 2, "{:?}", app.files());
        let nothing = sweep::run(&app.app.database, &app.app.storage, &app.runtime(), Duration::ZERO, false).unwrap();
        assert!(nothing.unnamed.is_empty() && nothing.missing.is_empty() && nothing.listed_for_removal == 0, "{nothing:?}");
    });
}

#[test]
fn a_sweep_finds_what_is_missing_and_what_nothing_names() {
    on_both(|app| {
        let (scan, _) = app.client.publish(&app.client.venue("Hall"), "room.las", &las(&room(500)));
        let objects = app.dir.path().join("objects");
        fs::create_dir_all(objects.join("uploads/0190-stray")).unwrap();
        fs::write(objects.join("uploads/0190-stray/source.bin"), b"abc").unwrap();
        let plan = app.files().into_iter().find(|file| file.ends_with("/plan-1.png")).unwrap();
        fs::remove_file(app.dir.path().join(&plan)).unwrap();
        let sweep = |young, remove| sweep::run(&app.app.database, &app.app.storage, &app.runtime(), young, remove).unwrap();
        assert!(sweep(sweep::YOUNG, true).unnamed.is_empty(), "young files may be about to be named");
        let found = sweep(Duration::ZERO, false);
        assert_eq!(found.unnamed.len(), 1, "{found:?}");
        assert_eq!((found.unnamed[0].key.as_str(), found.unnamed[0].bytes), ("uploads/0190-stray/source.bin", 3));
        assert_eq!((found.missing.len(), found.missing[0].named_by.as_str()), (1, format!("version {scan}/1").as_str()));
        assert!(plan.ends_with(&found.missing[0].key), "{found:?}");
        assert_eq!(sweep(Duration::ZERO, true).removed, 1);
        assert!(!objects.join("uploads/0190-stray").exists());
        assert!(sweep(Duration::ZERO, false).unnamed.is_empty());
    });
}

#[test]
fn objects_of_a_purge_that_was_cut_off_are_removed_later() {
    let app = TestApp::start_with(|config| config.storage.sweep_every = Duration::from_millis(50));
    let (scan, _) = app.client.publish(&app.client.venue("Hall"), "room.las", &las(&room(500)));
    app.client.act(&scan, 1, "withdraw").expect(200);
    // The rows go, as in a process that ends right after.
    let mut conn = app.app.database.get().unwrap();
    parterre_server::db::write(&mut conn, |conn| {
        let row = parterre_server::models::versions::Version::find(conn, &scan, 1)?.unwrap();
        let venue = parterre_server::models::scans::Scan::find(conn, &scan)?.unwrap().venue_id;
        parterre_server::purge::version(conn, &venue, &row, &parterre_server::person::Person::COMMAND_LINE, None)
    })
    .unwrap();
    for _ in 0..200 {
        if app.files().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("left behind: {:?}", app.files());
}

#[test]
fn two_versions_are_compared() {
    on_both(|app| {
        let client = &app.client;
        let venue = client.venue("Hall");
        let (scan, _) = client.publish(&venue, "room.las", &las(&room(3000)));
        let higher: Vec<[i32; 3]> = room(2000).into_iter().map(|[x, y, z]| [x, y, z * 2]).collect();
        client.publish(&venue, "room.las", &las(&higher));
        let path = format!("/api/scans/{scan}/versions/2");
        client.patch(&path, "*", &json!({ "instrument": "TLS" })).expect(200);
        let found = client.get(&format!("/api/scans/{scan}/compare?from=1&to=2")).expect(200).json();
        assert_eq!(found["points"], -1000);
        assert!((found["bounds_m"][5].as_f64().unwrap() - 4.0).abs() < 0.1, "{found}");
        assert_eq!(
            (&found["same_files"], &found["warnings_new"], &found["warnings_kept"][0]["code"]),
            (&json!(false), &json!([]), &json!("unit_assumed"))
        );
        let instrument = found["differences"].as_array().unwrap().iter().find(|difference| difference["field"] == "instrument").unwrap();
        assert_eq!((&instrument["from"], &instrument["to"]), (&json!(null), &json!("TLS")));
        client.get(&format!("/api/scans/{scan}/compare?from=1&to=9")).expect_error(404, "version_not_found");
        client.get(&format!("/api/scans/{scan}/compare?from=1")).expect_error(400, "query_invalid");
        let page = client.get(&format!("/scans/{scan}/compare?from=1&to=2")).expect(200).text();
        assert!(page.contains("−1,000") && page.contains("Highest point") && page.contains("TLS"), "{page}");
    });
}

#[test]
fn forms_keep_what_was_entered_when_somebody_else_saved() {
    on_both(|app| {
        let client = &app.client;
        let id = client.post("/api/venues", &json!({ "name": "Hall", "city": "Paris", "capacity": 100 })).expect(201).json()["id"].clone();
        let path = format!("/api/venues/{}", id.as_str().unwrap());
        let page = client.get("/venues/hall/edit").expect(200).text();
        assert!(page.contains("name=\"revision\" value=\"1\"") && page.contains("value=\"Paris\""), "{page}");
        // Somebody else saves in between.
        client.patch(&path, "*", &json!({ "city": "Lyon", "capacity": 200 })).expect(200);
        let mine = [
            ("revision", "1"),
            ("name", "Hall"),
            ("city", "Paris"),
            ("capacity", "300"),
            ("address", "Rue <1>"),
            ("kind", "arena"),
            ("sensitivity", "standard"),
        ];
        let again = client.form("/venues/hall/edit", &mine).expect(409).text();
        assert!(again.contains("somebody else saved meanwhile") && again.contains("Local desk"), "{again}");
        assert!(again.contains("your value: 300") && again.contains("name=\"revision\" value=\"2\""), "{again}");
        assert!(
            again.contains("value=\"Lyon\"") && again.contains("value=\"300\"") && again.contains("value=\"Rue &#60;1&#62;\""),
            "{again}"
        );
        assert_eq!(client.get(&path).json()["capacity"], 200, "nothing is saved yet");
        let joined = [
            ("revision", "2"),
            ("name", "Hall"),
            ("city", "Lyon"),
            ("capacity", "300"),
            ("address", "Rue <1>"),
            ("kind", "arena"),
            ("sensitivity", "standard"),
            ("contact-1-name", "Ada"),
        ];
        assert_eq!(client.form("/venues/hall/edit", &joined).expect(303).header("location"), Some("/venues/hall"));
        let now = client.get(&path).json();
        assert_eq!((&now["city"], &now["capacity"], &now["contacts"][0]["name"]), (&json!("Lyon"), &json!(300), &json!("Ada")));
        // What cannot be used comes back with all that was entered.
        let wrong = [("revision", "3"), ("name", ""), ("address", "Kept"), ("latitude", "x")];
        let refused = client.form("/venues/hall/edit", &wrong).expect(422).text();
        assert!(refused.contains("Not saved") && refused.contains("value=\"Kept\"") && refused.contains("value=\"x\""), "{refused}");
        client.form("/venues/hall/edit", &[("name", "X")]).expect(400);

        // The same for configurations, levels and surveys.
        client.form("/venues/hall/configurations", &[("name", "Concert"), ("locked_doors", "D1\r\nD2")]).expect(303);
        let own = client.get(&format!("{path}/configurations")).json()["configurations"][0]["id"].clone();
        let own = own.as_str().unwrap();
        client.patch(&format!("/api/configurations/{own}"), "*", &json!({ "stage": "north" })).expect(200);
        let again = client
            .form(&format!("/configurations/{own}"), &[("revision", "1"), ("name", "Gala"), ("locked_doors", "D1\nD2")])
            .expect(409)
            .text();
        assert!(again.contains("north") && again.contains("value=\"Gala\""), "{again}");
        client.form(&format!("/configurations/{own}"), &[("revision", "1"), ("remove", "1")]).expect(412);
        client.form(&format!("/configurations/{own}"), &[("revision", "2"), ("remove", "1")]).expect(303);

        client.form("/venues/hall/levels", &[("name", "Parterre"), ("ordinal", "0")]).expect(303);
        let level = client.get(&format!("{path}/levels")).json()["levels"][0]["id"].clone();
        let level = format!("/levels/{}", level.as_str().unwrap());
        assert!(client.get(&level).expect(200).text().contains("value=\"Parterre\""));
        client.form(&level, &[("revision", "1"), ("name", "Stalls"), ("ordinal", "0"), ("floor_m", "-1,5")]).expect(303);
        client.form(&level, &[("revision", "1"), ("name", "Pit"), ("ordinal", "0")]).expect(409);
        assert!(client.get("/venues/hall").text().contains("−1.5 m"));

        let (scan, _) = client.publish(&path[12..], "room.las", &las(&room(500)));
        let survey = format!("/scans/{scan}/1/survey");
        client.form(&survey, &[("revision", "0"), ("instrument", "TLS"), ("accuracy_m", "0.01")]).expect(303);
        let late = client.form(&survey, &[("revision", "0"), ("method", "SLAM")]).expect(409).text();
        assert!(late.contains("value=\"TLS\"") && late.contains("value=\"SLAM\""), "{late}");
    });
}

#[test]
fn the_page_of_a_version_leads_through_review_and_deleting() {
    on_both(|app| {
        let client = &app.client;
        let (scan, _) = client.publish(&client.venue("Hall"), "room.las", &las(&room(500)));
        let page = format!("/scans/{scan}/1");
        let shown = client.get(&page).expect(200).text();
        assert!(shown.contains("Submit for review") && !shown.contains("checked-people"), "{shown}");
        client.form(&format!("{page}/submit"), &[("note", "first")]).expect(303);
        let shown = client.get(&page).expect(200).text();
        assert!(shown.contains("checked-people") && shown.contains("checked-unit") && shown.contains("In review"), "{shown}");
        client.form(&format!("{page}/publish"), &[("checked-people", "1")]).expect(422);
        let all = ["pictures", "report", "coverage", "people", "unit"].map(|name| (format!("checked-{name}"), "1"));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        client.form(&format!("{page}/publish"), &all).expect(303);
        assert!(client.get(&page).text().contains("Checked: pictures, report, coverage, no people, unit."));
        assert!(client.get("/venues/hall").text().contains("publication-published"));
        client.form(&format!("{page}/withdraw"), &[("note", "a person is in it")]).expect(303);
        client.form(&format!("{page}/purge"), &[("name", "x")]).expect(422);
        assert_eq!(client.form(&format!("{page}/purge"), &[("name", "room.las")]).expect(303).header("location"), Some("/venues/hall"));
        client.get(&format!("/api/scans/{scan}")).expect_error(404, "scan_not_found");

        assert!(client.get("/venues/hall/delete").expect(200).text().contains("Step 1 of 2"));
        client.form("/venues/hall/delete", &[("revision", "0")]).expect(412);
        client.form("/venues/hall/delete", &[("revision", "1")]).expect(303);
        assert!(
            client.get("/venues/hall/delete").text().contains("Step 2 of 2") && client.get("/").text().contains("waiting to be deleted")
        );
        client.form("/venues/hall/restore", &[]).expect(303);
        client.form("/venues/hall/delete", &[("revision", "3")]).expect(303);
        client.form("/venues/hall/purge", &[("name", "Hall")]).expect(303);
        client.get("/api/venues/hall").expect_error(404, "venue_not_found");
    });
}
