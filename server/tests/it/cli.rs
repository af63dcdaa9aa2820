//! The command line: exit codes, one JSON document, nothing half-done.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::support::{Client, PARTERRE, STACK_OVERFLOW, TestApp, las, room, send_signal, shared};

fn parterre(arguments: &[&str]) -> Output {
    Command::new(PARTERRE).args(arguments).env_remove("DATABASE_URL").output().unwrap()
}

#[track_caller]
fn json(output: &Output, exit: i32) -> Value {
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn tile_accounts_for_every_point_and_unpack_gives_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("room.las");
    fs::write(&scan, las(&room(120_000))).unwrap();
    let out = dir.path().join("out");
    let report = json(&parterre(&["tile", path(&scan), "-o", path(&out), "--json"]), 0);
    assert_eq!(report["points_in"], 120_000);
    assert_eq!(report["points_in"].as_u64(), Some(report["points_out"].as_u64().unwrap() + report["points_dropped"].as_u64().unwrap()));
    assert!(report["tiles"].as_u64().unwrap() >= 1 && report["bytes"].as_u64().unwrap() > 0 && report["seconds"].is_number());
    assert!(report["warnings"].as_array().unwrap().iter().all(|warning| warning["code"].is_string()));
    let written: Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!(written["points_out"], report["points_out"]);

    for plain in [false, true] {
        let loose = dir.path().join(format!("loose-{plain}"));
        let archive = out.join("tiles.3tz");
        let mut arguments = vec!["unpack", path(&archive), "-o", path(&loose), "--json"];
        if plain {
            arguments.push("--plain");
        }
        let unpacked = json(&parterre(&arguments), 0);
        assert!(unpacked["files"].as_u64() > report["tiles"].as_u64(), "every tile, and the documents");
        let mut points = 0;
        let mut folders = vec![loose.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let file = entry.unwrap().path();
                if file.is_dir() {
                    folders.push(file);
                } else if file.extension().is_some_and(|ending| ending == "glb") {
                    let bytes = fs::read(&file).unwrap();
                    let compressed = bytes.windows(23).any(|window| window == b"EXT_meshopt_compression");
                    assert_eq!(compressed, !plain, "{}", file.display());
                    points += parterre_tile::glb::decode(&bytes).unwrap().iter().map(|part| part.vertices.len()).sum::<usize>();
                }
            }
        }
        assert_eq!(points as u64, report["points_out"].as_u64().unwrap());
        assert!(loose.join("tileset.json").is_file());
    }
}

#[test]
fn inspect_says_what_the_contract_names() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("corner.las");
    fs::write(&scan, las(&[[-1000, 2000, 3000], [4000, 5000, 6500]])).unwrap();
    let found = json(&parterre(&["inspect", path(&scan), "--json"]), 0);
    assert_eq!(found["points"], 2);
    assert_eq!(found["bounds"], serde_json::json!([-1.0, 2.0, 3.0, 4.0, 5.0, 6.5]));
    assert_eq!(found["crs"], Value::Null);
    assert_eq!(found["unit"], Value::Null);
    assert_eq!(found["unit_source"], "assumed");
    assert!(found["format"].as_str().unwrap().contains("LAS"));
    assert!(found["attributes"].is_array() && found["warnings"].is_array());
    let told = parterre(&["inspect", path(&scan)]);
    assert!(told.status.success() && String::from_utf8_lossy(&told.stdout).contains("points      2"), "{told:?}");
}

#[test]
fn inspect_reads_several_files_with_overrides() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("room.las");
    fs::write(&scan, las(&room(900))).unwrap();
    let ply = dir.path().join("more.ply");
    let rows = (0..100).map(|i| format!("{}.5 {}.25 1", i % 10, i / 10)).collect::<Vec<_>>().join("\n");
    let head = "ply\nformat ascii 1.0\nelement vertex 100\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
    fs::write(&ply, format!("{head}{rows}\n")).unwrap();
    let found = json(&parterre(&["inspect", path(&scan), path(&ply), "--json", "--unit", "foot", "--up", "z"]), 0);
    assert_eq!((&found["points"], &found["files"][1]["points"]), (&1000.into(), &100.into()));
    for file in found["files"].as_array().unwrap() {
        assert_eq!((&file["unit"], &file["unit_source"]), (&"foot".into(), &"user".into()));
        let (size, bounds) = (&file["size_m"], &file["bounds"]);
        let edge = bounds[3].as_f64().unwrap() - bounds[0].as_f64().unwrap();
        assert!((size[0].as_f64().unwrap() - 0.3048 * edge).abs() < 1e-9, "{file}");
    }
    for what in ["copc_bytes", "tiles_bytes", "temporary_bytes", "seconds"] {
        assert!(found["estimate"][what].as_u64().unwrap() > 0, "{found}");
    }
    let told = parterre(&["inspect", path(&scan), path(&ply)]);
    assert!(told.status.success() && String::from_utf8_lossy(&told.stdout).contains("1,000 points"), "{told:?}");
    assert_eq!(json(&parterre(&["inspect", path(&scan), "--json", "--crs", "EPSG:99999"]), 3)["error"]["code"], "crs_invalid");
    let wkt = dir.path().join("site.wkt");
    fs::write(&wkt, r#"LOCAL_CS["site",UNIT["foot",0.3048]]"#).unwrap();
    let found = json(&parterre(&["inspect", path(&scan), "--json", "--crs", &format!("@{}", path(&wkt))]), 0);
    assert_eq!(found["unit"], "foot");
    assert!(found["crs"].as_str().unwrap().starts_with("LOCAL_CS"));

    let out = dir.path().join("out");
    let report = json(&parterre(&["tile", path(&scan), path(&ply), "-o", path(&out), "--up", "y", "--json"]), 0);
    assert_eq!(report["points_out"], 1000);
    assert!(report["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "axis_turned"), "{report}");
}

#[test]
fn sweep_reports_and_migrations_are_undone() {
    let dir = tempfile::tempdir().unwrap();
    let data = path(dir.path());
    let done = json(&parterre(&["migrate", "--data", data, "--json"]), 0);
    assert_eq!(done["migrations"].as_array().unwrap().len(), 4);
    let stray = dir.path().join("objects/uploads/0190-stray");
    fs::create_dir_all(&stray).unwrap();
    let file = fs::File::create(stray.join("source.bin")).unwrap();
    assert_eq!(json(&parterre(&["sweep", "--data", data, "--json"]), 0)["unnamed"], serde_json::json!([]), "it is young");
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_hours(2)).unwrap();
    let told = parterre(&["sweep", "--data", data]);
    assert!(told.status.success() && String::from_utf8_lossy(&told.stdout).contains("uploads/0190-stray/source.bin"), "{told:?}");
    assert!(stray.exists(), "only reported");
    assert_eq!(json(&parterre(&["sweep", "--remove", "--data", data, "--json"]), 0)["removed"], 1);
    assert!(!stray.exists());
    let undone = json(&parterre(&["migrate", "--down", "1", "--data", data, "--json"]), 0);
    assert_eq!(undone["undone"].as_array().unwrap().len(), 1);
    let again = json(&parterre(&["migrate", "--data", data, "--json"]), 0);
    assert_eq!(again["migrations"], undone["undone"]);
    assert_eq!(parterre(&["migrate", "--down", "0", "--data", data]).status.code(), Some(2));
}

#[test]
fn exit_codes_say_who_has_to_act() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("minutes.las");
    fs::write(&text, "These are the minutes of the meeting.\n").unwrap();
    let out = dir.path().join("out");
    let data = dir.path().join("data");
    let blocked = dir.path().join("blocked");
    fs::write(&blocked, "a file where a folder should be").unwrap();
    let scan = dir.path().join("room.las");
    fs::write(&scan, las(&room(100))).unwrap();
    let none = dir.path().join("none.las");
    let in_use = dir.path().join("in-use");
    fs::create_dir_all(in_use.join(".tiling")).unwrap();
    let lock = fs::File::create(in_use.join(".tiling/lock")).unwrap();
    lock.try_lock().unwrap();
    let cases: &[(&[&str], i32)] = &[
        (&["nonsense"], 2),
        (&["tile", path(&scan)], 2),
        (&["serve", "--listen", "0.0.0.0:0", "--data", path(&data)], 2),
        (&["serve", "--database", "mysql://x"], 2),
        (&["import", path(&scan), "--venue", "  ", "--data", path(&data)], 2),
        (&["inspect", path(&text)], 3),
        (&["inspect", path(&none)], 3),
        (&["tile", path(&text), "-o", path(&out)], 3),
        (&["tile", path(&scan), "-o", path(&out), "--memory", "191"], 2),
        (&["import", path(&text), "--venue", "Hall", "--data", path(&data)], 3),
        (&["unpack", path(&text), "-o", path(&out)], 3),
        (&["tile", path(&scan), "-o", path(&blocked)], 4),
        (&["tile", path(&scan), "-o", path(&in_use)], 4),
        (&["retry", "none", "--data", path(&data)], 3),
        (&["run-job"], 2),
        (&["migrate", "--data", path(&blocked)], 4),
        (&["import", path(&scan), "--venue", "Hall", "--data", path(&blocked)], 4),
        (&["migrate", "--database", "postgres://nobody@127.0.0.1:1/none"], 4),
    ];
    for (arguments, exit) in cases {
        let told = parterre(arguments);
        assert_eq!(told.status.code(), Some(*exit), "{arguments:?} {told:?}");
        assert!(told.stdout.is_empty() && !told.stderr.is_empty(), "{arguments:?} {told:?}");
        let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let error = json(&parterre(&with_json), *exit);
        for key in ["code", "message", "hint"] {
            assert!(error["error"][key].as_str().is_some_and(|text| !text.is_empty()), "{arguments:?} {error}");
        }
    }
    assert!(!out.join("tiles.3tz").exists());
}

#[test]
#[cfg(unix)]
fn a_file_that_crashes_its_reader_is_an_error_and_no_abort() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("crash.laz");
    fs::write(&scan, STACK_OVERFLOW).unwrap();
    let good = dir.path().join("room.las");
    fs::write(&good, las(&room(100))).unwrap();
    let (out, data) = (dir.path().join("out"), dir.path().join("data"));
    let cases: &[&[&str]] = &[
        &["inspect", path(&scan)],
        &["inspect", path(&good), path(&scan)],
        &["tile", path(&scan), "-o", path(&out)],
        &["import", path(&scan), "--venue", "Hall", "--data", path(&data)],
    ];
    for arguments in cases {
        let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let error = json(&parterre(&with_json), 3);
        assert_eq!(error["error"]["code"], "file_crashes_reader", "{arguments:?} {error}");
        assert!(error["error"]["message"].as_str().unwrap().contains("crash.laz"), "{error}");
        let told = parterre(arguments);
        let text = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.code() == Some(3) && text.contains("[file_crashes_reader]"), "{told:?}");
        assert!(!text.contains("panicked") && !text.contains("overflow"), "{text}");
    }
    assert!(!out.exists() && !data.exists(), "nothing is written for a file that is refused");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_name_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join(std::ffi::OsStr::from_bytes(b"th\xe9\xe2tre.las"));
    fs::write(&scan, las(&room(100))).unwrap();
    let told = Command::new(PARTERRE).arg("inspect").arg(&scan).output().unwrap();
    assert!(told.status.success() && String::from_utf8_lossy(&told.stdout).contains("points      100"), "{told:?}");
}

#[test]
fn broken_files_are_told_by_name() {
    let Some(folder) = shared("broken/derived") else { return };
    let out = tempfile::tempdir().unwrap();
    for name in ["empty.las", "las-scale-zero.las", "las-record-len-5.las", "e57-truncated.e57"] {
        let file = folder.join(name);
        let document = json(&parterre(&["tile", path(&file), "-o", path(out.path()), "--json"]), 3);
        assert!(document["error"]["message"].as_str().unwrap().contains(name), "{document}");
    }
    // What is left of a cut-off file is a scan.
    let report = json(&parterre(&["tile", path(&folder.join("las-truncated.las")), "-o", path(out.path()), "--json"]), 0);
    assert_eq!(report["warnings"][0]["code"], "las_truncated", "{report}");
}

#[test]
fn a_closed_pipe_is_no_error_and_help_is_help() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("room.las");
    fs::write(&scan, las(&room(100))).unwrap();
    let mut child =
        Command::new(PARTERRE).args(["inspect", path(&scan), "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let end = child.wait_with_output().unwrap();
    assert!(end.status.success() && end.stderr.is_empty(), "{end:?}");
    let help = parterre(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Exit codes"), "{help:?}");
}

#[test]
fn serve_tells_its_address_as_one_document() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(PARTERRE)
        .args(["serve", "--listen", "127.0.0.1:0", "--data", path(dir.path()), "--json"])
        .env_remove("DATABASE_URL")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let base = told["listening"].as_str().unwrap();
    assert!(base.starts_with("http://127.0.0.1:"), "{line}");
    Client::new(base).get("/healthz").expect(200);
    send_signal(child.id(), Signal::TERM);
    assert!(child.wait().unwrap().success());
    line.clear();
    stdout.read_to_string(&mut line).unwrap();
    assert_eq!(line, "", "nothing but the document");
}

#[test]
fn import_enters_a_venue_once_and_a_version_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("room.las");
    fs::write(&scan, las(&room(5000))).unwrap();
    let data = dir.path().join("data");
    let arguments = ["import", path(&scan), "--venue", "Grand Hall", "--data", path(&data), "--json"];
    let first = json(&parterre(&arguments), 0);
    assert_eq!((&first["slug"], &first["version"], &first["report"]["points_out"]), (&"grand-hall".into(), &1.into(), &5000.into()));
    let second = json(&parterre(&arguments), 0);
    assert_eq!((&second["venue"], &second["scan"], &second["version"]), (&first["venue"], &first["scan"], &2.into()));
    assert_eq!(json(&parterre(&["migrate", "--data", path(&data), "--json"]), 0)["migrations"], serde_json::json!([]));
}

#[test]
fn a_failed_job_is_tried_again_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("room.las");
    fs::write(&scan, las(&room(4_000_000))).unwrap();
    let data = dir.path().join("data");
    let child = Command::new(PARTERRE)
        .args(["import", path(&scan), "--venue", "Hall", "--data", path(&data), "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let journal = data.join("work");
    while !fs::read_dir(&journal).is_ok_and(|mut entries| entries.next().is_some()) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    send_signal(child.id(), Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let app = TestApp::start_with(|config| {
        let here = parterre_server::config::Config::in_dir(&data);
        (config.database, config.storage) = (here.database, here.storage);
    });
    let venue = app.client.get("/api/venues/hall").json();
    let (job, number) = (&venue["scans"][0]["versions"][0]["job"], &venue["scans"][0]["versions"][0]["version"]);
    let again = json(&parterre(&["retry", job.as_str().unwrap(), "--data", path(&data), "--json"]), 0);
    assert_eq!((&again["job"], &again["version"], &again["report"]["points_out"]), (job, number, &4_000_000.into()));
    assert_eq!(app.client.get("/api/venues/hall").json()["scans"][0]["state"], "ready");
    let error = json(&parterre(&["retry", job.as_str().unwrap(), "--data", path(&data), "--json"]), 3);
    assert_eq!(error["error"]["code"], "job_not_failed");
}

#[test]
fn the_demo_is_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut made = Vec::new();
    for name in ["a", "b"] {
        let out = dir.path().join(name);
        let told = json(&parterre(&["demo", "-o", path(&out), "--seed", "7", "--points", "20000", "--json"]), 0);
        assert!(told["points"].as_u64().unwrap() > 5000, "{told}");
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2, "nothing but scan.laz and truth.json");
        made.push((fs::read(out.join("scan.laz")).unwrap(), fs::read(out.join("truth.json")).unwrap()));
    }
    assert!(made[0] == made[1]);
}

#[test]
fn tiling_that_was_killed_resumes_to_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("room.las");
    fs::write(&scan, las(&room(600_000))).unwrap();
    let [whole, killed] = ["whole", "killed"].map(|name| dir.path().join(name));
    json(&parterre(&["tile", path(&scan), "-o", path(&whole), "--json"]), 0);
    let mut child = Command::new(PARTERRE)
        .args(["tile", path(&scan), "-o", path(&killed), "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Once its records are distributed there is something to go on from; on Unix this is SIGKILL.
    let survey = killed.join(".tiling/work.json");
    while !survey.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(survey.exists() && !killed.join("report.json").exists(), "killed on the way");
    let report = json(&parterre(&["tile", path(&scan), "-o", path(&killed), "--json"]), 0);
    assert!(report["timings"].as_array().unwrap().iter().all(|timing| timing["stage"] != "count"), "nothing is read again: {report}");
    assert!(!killed.join(".tiling").exists());
    for file in report["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        assert!(fs::read(whole.join(name)).unwrap() == fs::read(killed.join(name)).unwrap(), "{name}");
    }
    let told = |dir: &Path| {
        let mut report: Value = serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap();
        for key in ["seconds", "timings", "temporary_bytes"] {
            report.as_object_mut().unwrap().remove(key);
        }
        report
    };
    assert_eq!(told(&whole), told(&killed));
    let again = json(&parterre(&["tile", path(&scan), "-o", path(&whole), "--add", "--json"]), 3);
    assert_eq!(again["error"]["code"], "already_added", "{again}");
}
