//! `PUT /api/venues/{venue}/uploads/{file}`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use super::end_to_end::Service;
use super::support::{STACK_OVERFLOW, TestApp, las, room, shared};

#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_crashes_its_reader_is_refused_and_the_service_goes_on() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    for _ in 0..2 {
        let answer = app.client.upload(&venue, "crash.laz", STACK_OVERFLOW).expect_error(422, "file_crashes_reader");
        assert!(answer.json()["error"]["message"].as_str().unwrap().starts_with("crash.laz: "), "{}", answer.text());
    }
    assert_eq!(app.files(), Vec::<String>::new(), "a refused upload is removed");
    app.client.get("/healthz").expect(200);
    app.client.publish(&venue, "room.las", &las(&room(300)));
}

/// A check whose process is this shell script: the answer's status and code.
#[cfg(unix)]
fn checked_by(script: &str) -> (u16, String) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    // Written by another process: a file that this one has open for writing could not be run while another test starts a process.
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$2" && chmod +x "$2""#;
    let mut command = std::process::Command::new("sh");
    assert!(command.args(["-c", write, "sh", script]).arg(&program).status().unwrap().success());
    let app = TestApp::start_with(|config| {
        config.worker.program = if script.is_empty() { "/nowhere/parterre".into() } else { program.clone() };
        config.worker.check_time = Duration::from_secs(1);
        config.worker.stop_time = Duration::from_secs(1);
    });
    let venue = app.client.venue("Hall");
    let answer = app.client.upload(&venue, "room.las", &las(&room(30)));
    assert_eq!(app.files(), Vec::<String>::new(), "{}", answer.text());
    app.client.get("/healthz").expect(200);
    (answer.status, answer.json()["error"]["code"].as_str().unwrap().to_owned())
}

#[test]
#[cfg(unix)]
fn every_end_of_a_check_has_an_answer() {
    for (script, status, code) in [
        ("kill -ABRT $$", 422, "file_crashes_reader"),
        ("kill -SEGV $$", 422, "file_crashes_reader"),
        ("exec sleep 60", 422, "file_check_timeout"),
        ("echo 'memory allocation of 12 bytes failed' >&2; kill -ABRT $$", 422, "out_of_memory"),
        ("kill -KILL $$", 503, "check_killed"),
        ("exit 2", 500, "internal"),
        ("", 500, "internal"),
    ] {
        assert_eq!(checked_by(script), (status, code.to_owned()), "{script:?}");
    }
}

#[test]
fn a_file_becomes_a_version_and_the_same_name_the_next() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    let file = las(&room(3000));
    let (scan, version) = app.client.publish(&venue, "room.las", &file);
    assert_eq!(version, 1);
    let (again, version) = app.client.publish("hall", "room.las", &las(&room(2000)));
    assert_eq!((&again, version), (&scan, 2));
    let (other, version) = app.client.publish(&venue, "other.las", &file);
    assert_ne!(other, scan);
    assert_eq!(version, 1);

    // A list has what a card shows: the newest version, in brief.
    let listed = app.client.get("/api/venues").expect(200).json()["venues"][0]["scans"].clone();
    let newest: Vec<_> =
        listed.as_array().unwrap().iter().map(|scan| (scan["versions"].as_array().unwrap().len(), &scan["versions"][0])).collect();
    assert_eq!((newest[0].0, &newest[0].1["version"], &newest[0].1["points"]), (1, &json!(2), &json!(2000)));
    assert_eq!((newest[1].0, &newest[1].1["version"]), (1, &json!(1)));
    assert_eq!((&newest[0].1["frame"], &newest[0].1["warnings"]), (&json!(null), &json!([])));

    let shown = app.client.get(&format!("/api/scans/{scan}")).expect(200).json();
    assert_eq!(shown["state"], "ready");
    assert_eq!(shown["name"], "room.las");
    let versions = shown["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!((&versions[0]["points"], &versions[1]["points"]), (&json!(3000), &json!(2000)));
    assert_eq!(versions[0]["bytes"], file.len());
    assert_eq!(versions[0]["frame"]["unit_source"], "assumed");
    assert!(versions[0]["sha256"].as_str().unwrap().len() == 64);
    assert!(!versions[0]["warnings"].as_array().unwrap().is_empty(), "an assumed unit is worth a warning");
    for key in ["thumbnail", "plan"] {
        let picture = app.client.get(versions[0][key].as_str().unwrap()).expect(200);
        assert_eq!(picture.header("content-type"), Some("image/png"));
        assert!(picture.body.starts_with(b"\x89PNG"));
        let tag = picture.header("etag").unwrap();
        app.client.get_with(versions[0][key].as_str().unwrap(), &[("if-none-match", tag)]).expect(304);
    }
    assert!(app.files().iter().all(|file| file.starts_with("objects/uploads/") || file.starts_with("objects/scans/")), "{:?}", app.files());
}

#[test]
fn what_is_no_scan_is_refused_and_leaves_nothing() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    app.client.upload(&venue, "empty.las", b"").expect_error(422, "file_empty");
    let good = las(&room(100));
    let mut nan_scale = good.clone();
    nan_scale[131..139].copy_from_slice(&f64::NAN.to_le_bytes());
    let mut zero_scale = good.clone();
    zero_scale[131..139].copy_from_slice(&0.0_f64.to_le_bytes());
    let mut many = good.clone();
    many[107..111].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut offset = good.clone();
    offset[96..100].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut format = good.clone();
    format[104] = 63;
    let bad: [(&str, &[u8]); 8] = [
        ("text.las", b"These are the minutes of the meeting.\n"),
        ("nothing.las", &[0; 4096]),
        ("no-points.las", &las(&[])[..]),
        ("nan-scale.las", &nan_scale),
        ("zero-scale.las", &zero_scale),
        ("offset.las", &offset),
        ("format.las", &format),
        ("header.las", &good[..100]),
    ];
    for (name, bytes) in bad {
        let answer = app.client.upload(&venue, name, bytes).expect(422);
        let error = answer.json()["error"].clone();
        assert!(error["message"].as_str().unwrap().starts_with(name), "the file is named as it was given: {error}");
        assert!(!answer.text().contains(app.dir.path().to_str().unwrap()), "no path of ours: {error}");
    }
    assert_eq!(app.files(), Vec::<String>::new());
    assert_eq!(app.client.get(&format!("/api/venues/{venue}")).json()["scans"], json!([]));
    // A count beyond the file's length is not believed, and told.
    let (scan, _) = app.client.publish(&venue, "many.las", &many);
    let version = app.client.get(&format!("/api/scans/{scan}")).expect(200).json()["versions"][0].clone();
    assert_eq!(version["points"], 100, "{version}");
    assert!(version["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "las_truncated"), "{version}");
}

#[test]
fn broken_files_end_in_a_clear_error_or_a_ready_scan() {
    let Some(folder) = shared("broken") else { return };
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    let mut tried = 0;
    for part in ["derived", "suite"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !path.is_file() {
                continue;
            }
            tried += 1;
            let answer = app.client.upload(&venue, &name, &fs::read(&path).unwrap());
            let end = if answer.status == 202 {
                let accepted = answer.json();
                let job = app.client.wait(accepted["job"].as_str().unwrap());
                let scan = app.client.get(&format!("/api/scans/{}", accepted["scan"].as_str().unwrap())).expect(200).json();
                if job["state"] == "done" {
                    assert_eq!(scan["state"], "ready", "{name}");
                } else {
                    assert_eq!(scan["state"], "failed", "{name}");
                    let code = job["error"]["code"].as_str().unwrap();
                    assert!(!matches!(code, "internal" | "storage_failed" | "job_gave_up"), "{name}: {job}");
                    assert_eq!(scan["versions"][0]["tileset"], json!(null), "{name}");
                }
                job.to_string()
            } else {
                assert!((400..500).contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
                assert!(answer.json()["error"]["code"].is_string());
                answer.text()
            };
            assert!(!end.contains("/objects/") && !end.contains("/work/"), "{name} shows a path of ours: {end}");
        }
    }
    assert!(tried > 30, "only {tried} files");
    app.client.get("/healthz").expect(200);
}

#[test]
fn larger_than_allowed_is_refused_announced_or_not() {
    let app = TestApp::start_with(|config| config.storage.max_upload_bytes = 100_000);
    let venue = app.client.venue("Hall");
    let file = las(&room(10_000));
    app.client.upload(&venue, "big.las", &file).expect_error(413, "upload_too_large");
    // In pieces, without saying how many.
    let mut body = format!(
        "PUT /api/venues/{venue}/uploads/big.las HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for _ in 0..30 {
        body.push_str("1388\r\n");
        body.push_str(&"x".repeat(5000));
        body.push_str("\r\n");
    }
    body.push_str("0\r\n\r\n");
    let answer = app.client.raw(&body);
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("upload_too_large"), "{answer}");
    assert_eq!(app.files(), Vec::<String>::new());
    app.client.publish(&venue, "small.las", &las(&room(1000)));
}

#[test]
fn a_broken_off_upload_leaves_nothing() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    let mut stream = TcpStream::connect(app.client.base.trim_start_matches("http://")).unwrap();
    write!(stream, "PUT /api/venues/{venue}/uploads/hall.las HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n").unwrap();
    stream.write_all(&vec![7; 20 << 20]).unwrap();
    wait_until("the upload reaches the storage", || !app.files().is_empty());
    drop(stream);
    wait_until("its files are removed", || app.files().is_empty());
    assert_eq!(app.client.get(&format!("/api/venues/{venue}")).json()["scans"], json!([]));
}

#[test]
fn an_upload_that_breaks_off_between_its_pieces_leaves_nothing() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    // Without a length: only the missing last piece says that it is not whole.
    let mut stream = TcpStream::connect(app.client.base.trim_start_matches("http://")).unwrap();
    write!(stream, "PUT /api/venues/{venue}/uploads/hall.las HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    write!(stream, "5\r\nabcde\r\n").unwrap();
    wait_until("the upload reaches the storage", || !app.files().is_empty());
    drop(stream);
    wait_until("its files are removed", || app.files().is_empty());
}

#[test]
fn a_running_service_removes_what_dead_uploads_left_and_nothing_else() {
    let app = TestApp::start_with(|config| config.storage.sweep_every = Duration::from_millis(50));
    let venue = app.client.venue("Hall");
    let folder = app.dir.path().join("objects/incoming");
    let file = las(&room(3000));
    let mut stream = TcpStream::connect(app.client.base.trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "PUT /api/venues/{venue}/uploads/hall.las HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        file.len()
    )
    .unwrap();
    stream.write_all(&file[..1000]).unwrap();
    wait_until("the upload reaches the storage", || app.files().len() >= 2);
    let in_progress = app.files();
    let long_ago = SystemTime::now() - Duration::from_hours(100);
    let make = |name: &str, modified: SystemTime| fs::File::create(folder.join(name)).unwrap().set_modified(modified).unwrap();
    for name in &in_progress {
        fs::File::options().write(true).open(app.dir.path().join(name)).unwrap().set_modified(long_ago).unwrap();
    }
    // Of a process that was killed: its lock is free. And of one that could not lock.
    make("0190-killed.lock", SystemTime::now());
    make("0190-killed#1", SystemTime::now());
    make("0190-unlocked#1", long_ago);
    make("0190-unlocked-new#1", SystemTime::now());
    wait_until("dead uploads are removed", || {
        !app.files().iter().any(|file| file.contains("0190-killed") || file.ends_with("0190-unlocked#1"))
    });
    // Some sweeps more.
    std::thread::sleep(Duration::from_millis(300));
    assert!(folder.join("0190-unlocked-new#1").exists(), "it may still be written to");
    assert!(in_progress.iter().all(|file| app.dir.path().join(file).exists()), "{in_progress:?} {:?}", app.files());
    fs::remove_file(folder.join("0190-unlocked-new#1")).unwrap();

    stream.write_all(&file[1000..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    wait_until("the lock is released", || !app.files().iter().any(|file| file.starts_with("objects/incoming/")));
    let accepted: serde_json::Value = serde_json::from_str(&answer[answer.find("\r\n\r\n").unwrap() + 4..]).unwrap();
    assert_eq!(app.client.wait(accepted["job"].as_str().unwrap())["state"], "done");
}

#[test]
fn what_a_killed_service_was_receiving_is_removed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let incoming = || -> Vec<_> {
        fs::read_dir(dir.path().join("objects/incoming")).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
    };
    let service = Service::start(dir.path(), &[]);
    let venue = service.client.venue("Hall");
    let mut stream = TcpStream::connect(service.client.base.trim_start_matches("http://")).unwrap();
    write!(stream, "PUT /api/venues/{venue}/uploads/hall.las HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n").unwrap();
    stream.write_all(&vec![7; 100_000]).unwrap();
    wait_until("the upload reaches the storage", || incoming().len() >= 2);
    service.kill();
    assert!(incoming().len() >= 2, "killed on the way: {:?}", incoming());
    let next = Service::start(dir.path(), &[]);
    assert!(incoming().is_empty(), "removed before the first request: {:?}", incoming());
    // A service that answers also listens for the signal that stops it.
    next.client.get("/healthz").expect(200);
    next.stop();
}

#[test]
fn file_names_lead_nowhere_else() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    let file = las(&room(100));
    let (scan, _) = app.client.publish(&venue, "..%2f..%2fescape.las", &file);
    assert_eq!(app.client.get(&format!("/api/scans/{scan}")).json()["name"], "escape.las");
    let (scan, _) = app.client.publish(&venue, "Saal%20%231%20%C3%A9t%C3%A9%0A%25.las", &file);
    assert_eq!(app.client.get(&format!("/api/scans/{scan}")).json()["name"], "Saal #1 été%.las");
    // Longer than what is kept, and three times as long again once it is encoded.
    let hall = "東京文化会館大ホール";
    let encoded = format!("{}-A.las", hall.repeat(20).bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat());
    let (scan, _) = app.client.publish(&venue, &encoded, &file);
    let name = app.client.get(&format!("/api/scans/{scan}")).json()["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with(hall) && name.contains(".las") && (190..=200).contains(&name.len()), "{name}");
    for nothing in ["..%2f", "%E2%80%AE", "%E2%80%8B.%E2%80%8B", "%E2%A0%80.las"] {
        app.client.upload(&venue, nothing, &file).expect_error(422, "file_name_invalid");
    }
    let (scan, _) = app.client.publish(&venue, "Sa%E2%80%AEal%E2%80%8B.las", &file);
    assert_eq!(app.client.get(&format!("/api/scans/{scan}")).json()["name"], "Saal.las");
    app.client.upload("none", "a.las", &file).expect_error(404, "venue_not_found");
    assert!(app.files().iter().all(|file| file.starts_with("objects/")), "{:?}", app.files());
}

#[test]
fn overrides_are_kept_with_the_job() {
    let app = TestApp::start();
    let venue = app.client.venue("Hall");
    let file = las(&room(2000));
    let plain = app.client.publish(&venue, "plain.las", &file).0;
    let accepted = app.client.upload(&venue, "overridden.las?up=y&unit=centimetre&crs=EPSG%3A25832", &file).expect(202).json();
    let job = app.client.wait(accepted["job"].as_str().unwrap());
    assert_eq!(job["state"], "done", "{job}");
    let of = |scan: &str| app.client.get(&format!("/api/scans/{scan}")).expect(200).json()["versions"][0].clone();
    let (plain, overridden) = (of(&plain), of(accepted["scan"].as_str().unwrap()));
    assert_eq!((&overridden["frame"]["unit"], &overridden["frame"]["unit_source"]), (&json!("centimetre"), &json!("user")));
    assert_eq!((&overridden["frame"]["crs"], &plain["frame"]["crs"]), (&json!("EPSG:25832"), &json!(null)));
    let codes: Vec<&str> = overridden["warnings"].as_array().unwrap().iter().filter_map(|warning| warning["code"].as_str()).collect();
    assert!(codes.contains(&"axis_turned") && codes.contains(&"unit_converted") && !codes.contains(&"unit_assumed"), "{codes:?}");
    // What was z is y now, the other way round, and a hundredth as long.
    let side = |version: &serde_json::Value, at: usize| version["bounds"][at].as_f64().unwrap();
    let edge = |version: &serde_json::Value, axis: usize| side(version, axis + 3) - side(version, axis);
    for (axis, before) in [(0, 0), (1, 2), (2, 1)] {
        assert!((edge(&overridden, axis) * 100.0 - edge(&plain, before)).abs() < 0.2, "{plain} {overridden}");
    }

    for (query, code) in [
        ("up=w", "up_invalid"),
        ("unit=parsec", "unit_invalid"),
        ("crs=EPSG:99999", "crs_invalid"),
        ("crs=Lambert", "crs_invalid"),
        ("axis=y", "query_invalid"),
    ] {
        app.client.upload(&venue, &format!("refused.las?{query}"), &file).expect_error(400, code);
    }
    let accepted = app.client.upload(&venue, "empty.las?up=&unit=&crs=", &file).expect(202).json();
    assert_eq!(app.client.wait(accepted["job"].as_str().unwrap())["state"], "done");
}
