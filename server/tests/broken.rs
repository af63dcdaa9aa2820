//! Every broken file of the test data through the real program: a result that accounts for its points or a clear error, in bounded memory,
//! never a crash or a hang.
//!
//! A program of its own: a process counts as its own what its parent held when it was started, so that the parent must be small.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use wait4::Wait4 as _;

/// The most memory that a broken file may cost.
const MEMORY_LIMIT: u64 = 256 << 20;
/// What takes so long hangs; a machine that is busy with other things gets time enough.
const WATCHDOG_S: &str = "20";

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// Runs the program under the watchdog. The document on its standard output where all is as it must be, else what is not.
fn run(arguments: &[&str]) -> Result<(i32, Value), String> {
    let dir = tempfile::tempdir().unwrap();
    let [out, err] = ["out", "err"].map(|name| dir.path().join(name));
    let child = Command::new("timeout")
        .args(["--signal=KILL", WATCHDOG_S, env!("CARGO_BIN_EXE_parterre"), "--json"])
        .args(arguments)
        .env_remove("DATABASE_URL")
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out).unwrap())
        .stderr(std::fs::File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let used = child.wait4().unwrap();
    let said = std::fs::read_to_string(&err).unwrap();
    let fail = |what: String| Err(format!("{what}; it said: {said}"));
    let exit = match used.status.code() {
        Some(code @ (0 | 3)) => code,
        Some(137) | None => return fail(format!("it was killed after {WATCHDOG_S} s")),
        Some(code) => return fail(format!("it ended with code {code}")),
    };
    if said.contains("panicked") {
        return fail("it panicked".into());
    }
    if used.rusage.maxrss > MEMORY_LIMIT {
        return fail(format!("it held {} MiB", used.rusage.maxrss >> 20));
    }
    match serde_json::from_slice(&std::fs::read(&out).unwrap()) {
        Ok(document) => Ok((exit, document)),
        Err(error) => fail(format!("its standard output is no JSON: {error}")),
    }
}

/// An error that names itself, what happened, and what to do.
fn check_error(document: &Value) -> Result<(), String> {
    let text = |field: &str| document["error"][field].as_str().unwrap_or_default();
    let code = text("code");
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_code && code != "internal" && !text("message").is_empty() && !text("hint").is_empty() {
        return Ok(());
    }
    Err(format!("an unclear error: {document}"))
}

/// Every warning has a code and says something.
fn check_warnings(document: &Value) -> Result<(), String> {
    let warnings = document["warnings"].as_array().ok_or("no list of warnings")?;
    let whole = warnings
        .iter()
        .all(|warning| [&warning["code"], &warning["message"]].iter().all(|text| text.as_str().is_some_and(|text| !text.is_empty())));
    if whole { Ok(()) } else { Err(format!("an unclear warning: {warnings:?}")) }
}

fn check(file: &Path) -> Result<String, String> {
    let name = file.to_str().ok_or("a name that is no text")?;
    let (exit, found) = run(&["inspect", name]).map_err(|fault| format!("inspect: {fault}"))?;
    if exit == 0 { check_warnings(&found) } else { check_error(&found) }.map_err(|fault| format!("inspect: {fault}"))?;

    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let (tiled, report) = run(&["tile", name, "-o", out.to_str().unwrap()]).map_err(|fault| format!("tile: {fault}"))?;
    if tiled != 0 {
        check_error(&report).map_err(|fault| format!("tile: {fault}"))?;
        if out.join("tiles.3tz").exists() || out.join("report.json").exists() {
            return Err("tile: an error, and yet it left a result".into());
        }
        return Ok(report["error"]["code"].to_string());
    }
    check_warnings(&report).map_err(|fault| format!("tile: {fault}"))?;
    let number = |field: &str| report[field].as_u64().ok_or_else(|| format!("tile: no number of {field}"));
    let [points_in, points_out, dropped] = [number("points_in")?, number("points_out")?, number("points_dropped")?];
    let warnings = report["warnings"].as_array().unwrap();
    if points_in != points_out + dropped {
        return Err(format!("tile: {points_in} points went in, {points_out} came out, {dropped} were dropped"));
    }
    if dropped > 0 && !warnings.iter().any(|warning| warning["code"].as_str().unwrap().starts_with("points_")) {
        return Err(format!("tile: {dropped} points were dropped without a word"));
    }
    if exit != 0 {
        return Err("tile: made a result of what inspect refused".into());
    }
    // Everything the header announces is read, or the format's reader says something about it.
    let is_a_readers = |code: &str| ["las_", "laz_", "e57_", "ply_", "points_"].iter().any(|prefix| code.starts_with(prefix));
    if found["points"].as_u64() != Some(points_in) && !warnings.iter().any(|warning| warning["code"].as_str().is_some_and(is_a_readers)) {
        return Err(format!("tile: {} points were announced and {points_in} read, without a word", found["points"]));
    }
    if !out.join("tiles.3tz").is_file() || !out.join("report.json").is_file() {
        return Err("tile: no result where one was reported".into());
    }
    let codes: Vec<_> = warnings.iter().map(|warning| warning["code"].as_str().unwrap()).collect();
    Ok(format!("{points_out} of {points_in} points {codes:?}"))
}

#[test]
fn every_broken_file_has_a_clear_end() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/broken"));
    if !data.is_dir() {
        eprintln!("skipped: there is no test data at {}", data.display());
        return;
    }
    let mut files = Vec::new();
    walk(data, &mut files);
    files.sort();
    assert!(files.len() > 100, "only {} files at {}", files.len(), data.display());
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = file.strip_prefix(data).unwrap().display();
                    match check(file) {
                        Ok(end) => eprintln!("{name}: {end}"),
                        Err(fault) => faults.lock().unwrap().push(format!("{name}: {fault}")),
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
