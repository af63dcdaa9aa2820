//! Sources that cannot be opened, and services whose tiles fail: exit codes, error codes and messages.

mod common;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use common::{DEMO, state, text, viewer};
use parterre_tile::archive::Index;

fn assert_refused(source: &str, exit_code: i32, code: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let picture = folder.path().join("never.png");
    let output = viewer(&[source, "--screenshot", text(&picture), "--json"]);
    assert_eq!(output.status.code(), Some(exit_code), "{source}: {}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(answer["error"]["code"], code, "{answer}");
    let is_present = |field: &str| answer["error"][field].as_str().is_some_and(|text| !text.is_empty());
    assert!(is_present("message") && is_present("hint"), "{answer}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(code) && !stderr.contains("panicked"), "{stderr}");
    assert!(!picture.exists());
}

#[test]
fn missing_files_and_other_files_are_bad_input() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_refused(text(&folder.path().join("none.3tz")), 3, "file_not_found");
    assert_refused(text(&DEMO.folder().join("scan.laz")), 3, "source_not_tiled");
    assert_refused("ftp://127.0.0.1/tileset.json", 3, "source_unknown");
    let cut = folder.path().join("cut.3tz");
    let whole = std::fs::read(DEMO.archive()).expect("the archive is read");
    for bytes in [&b"not an archive"[..], &[], &whole[..whole.len() / 2]] {
        std::fs::write(&cut, bytes).expect("a file is written");
        let output = viewer(&[text(&cut), "--screenshot", "/nowhere/x.png"]);
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn an_unreachable_service_is_a_network_error() {
    // A port on which nothing listens.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    assert_refused(&format!("http://127.0.0.1:{port}/tileset.json"), 4, "unreachable");
}

#[test]
fn a_service_that_does_not_respond_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let source = format!("http://{}/api/scans/demo", listener.local_addr().expect("an address"));
    let start = std::time::Instant::now();
    let output = viewer(&[&source, "--screenshot", "/nowhere/never.png", "--timeout", "1", "--json"]);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(answer["error"]["code"], "open_timeout", "{answer}");
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    assert_eq!(viewer(&[]).status.code(), Some(2));
    assert_eq!(viewer(&["a.3tz", "--camera", "1,2,3"]).status.code(), Some(2));
    for wrong in [["--camera", "1,2,3"], ["--point-size", "NaN"], ["--point-size", "-1"], ["--cut-above", "NaN"], ["--nothing", "x"]] {
        let output = viewer(&[["a.3tz", "--screenshot", "/nowhere/x.png", "--json"].as_slice(), &wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        assert_eq!(answer["error"]["code"], "usage", "{answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|message| message.contains(wrong[0])), "{answer}");
    }
    assert_eq!(viewer(&["--help", "--json"]).status.code(), Some(0));
}

#[test]
fn without_a_display_there_is_no_window() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parterre-viewer"));
    let command = command.arg(DEMO.archive()).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    let output = command.output().expect("the viewer starts");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("code: window") && stderr.contains("--screenshot") && !stderr.contains("report"), "{stderr}");
}

/// A service with one scan, whose tiles come from the demo's archive. Paths that end with `broken` always fail.
struct Service {
    address: String,
    /// Number of requests by path.
    requests: Arc<Mutex<HashMap<String, u32>>>,
}

impl Service {
    fn start(broken: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(HashMap::new()));
        let service = Self { address, requests: Arc::clone(&requests) };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let requests = Arc::clone(&requests);
                std::thread::spawn(move || serve(&stream, broken, &requests));
            }
        });
        service
    }

    fn requests(&self, path: &str) -> u32 {
        self.requests.lock().expect("no thread panicked with the lock").get(path).copied().unwrap_or(0)
    }
}

fn serve(mut stream: &TcpStream, broken: &str, requests: &Mutex<HashMap<String, u32>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(path) = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)) else { return };
    // The rest of the request ends at an empty line.
    let _ = lines.find(String::is_empty);
    *requests.lock().expect("no thread panicked with the lock").entry(path.clone()).or_default() += 1;
    let (status, body) = answer(&path, broken);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // The viewer may close the connection early.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn answer(path: &str, broken: &str) -> (&'static str, Vec<u8>) {
    if path.ends_with(broken) {
        return (
            "500 Internal Server Error",
            br#"{"error":{"code":"storage","message":"the disk failed","hint":"Contact the operator."}}"#.to_vec(),
        );
    }
    let entry = match path {
        "/api/scans/demo" => {
            let version = serde_json::json!({
                "version": 1, "state": "ready", "tileset": "/tiles/demo/1/tileset.json", "thumbnail": null, "plan": null, "points": DEMO.points,
                "file_name": "scan.laz", "bytes": 1, "sha256": "", "job": "j", "created_at": "2026-01-01T00:00:00Z",
            });
            let scan = serde_json::json!({"id": "demo", "venue": "v", "name": "scan.laz", "state": "ready", "versions": [version]});
            return ("200 OK", scan.to_string().into_bytes());
        }
        path => path.strip_prefix("/tiles/demo/1/").unwrap_or_default(),
    };
    let mut file = File::open(DEMO.archive()).expect("the archive is there");
    match Index::read(&mut file).and_then(|index| index.read_entry(&mut file, entry)).expect("the archive is sound") {
        Some(bytes) => ("200 OK", bytes),
        None => ("404 Not Found", Vec::new()),
    }
}

/// Draws a picture of `source`; returns the viewer's state.
fn draw(source: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let picture = folder.path().join("drawn.png");
    state(&viewer(&[source, "--screenshot", text(&picture), "--size", "320x180", "--json", "--camera", "16,15,2.2,36,15,1.2"]))
}

#[test]
fn a_services_scan_is_drawn_by_its_address_and_by_its_page() {
    let service = Service::start("nothing is broken");
    let by_scan = draw(&format!("{}/api/scans/demo", service.address));
    assert_eq!(by_scan["failed"], serde_json::json!([]));
    let by_page = draw(&format!("{}/view/demo/1", service.address));
    assert_eq!(by_scan["drawn_points"], by_page["drawn_points"]);
    assert_refused(&format!("{}/api/scans/other", service.address), 3, "http_status");
    assert_refused(&format!("{}/view/demo/9", service.address), 3, "version_unknown");
}

#[test]
fn a_tile_that_fails_is_retried_and_reported_and_the_others_are_drawn() {
    let whole = draw(&format!("{}/api/scans/demo", Service::start("nothing is broken").address));
    let broken = "t/1-1-0-0.glb";
    let service = Service::start(broken);
    let state = draw(&format!("{}/api/scans/demo", service.address));
    assert_eq!(state["failed"], serde_json::json!([broken]));
    // Where the other tiles take long, a further retry may follow.
    let requests = service.requests(&format!("/tiles/demo/1/{broken}"));
    assert!((4..8).contains(&requests), "{requests} requests; one and three retries are expected");
    let (drawn, all) = (state["drawn_points"].as_u64().unwrap_or(0), whole["drawn_points"].as_u64().unwrap_or(0));
    assert!(drawn > all / 2 && drawn < all, "{drawn} of {all}");
}

#[test]
fn where_every_tile_fails_their_error_is_reported() {
    let service = Service::start(".glb");
    assert_refused(&format!("{}/api/scans/demo", service.address), 4, "storage");
}
