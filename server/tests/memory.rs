//! The memory that commands of the real program take.
//!
//! A program of its own: a process counts as its own what its parent held when it was started, so that the parent must be small.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use wait4::Wait4 as _;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn tiling_keeps_to_its_memory_or_says_the_least_that_is_possible() {
    let scan = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/venue/royal-exhibition-building-1M.laz"));
    if !scan.exists() {
        eprintln!("skipped: the test data {} is not there", scan.display());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tile = |memory: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_parterre"))
            .args(["tile", path(scan), "-o", path(&dir.path().join(memory)), "--memory", memory, "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        (child.wait4().unwrap(), serde_json::from_str::<Value>(&text).unwrap())
    };
    let (used, refused) = tile("191");
    assert_eq!((used.status.code(), &refused["error"]["code"]), (Some(2), &Value::from("memory_too_small")), "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("192 MiB"), "{refused}");
    for memory in ["192", "256"] {
        let (used, report) = tile(memory);
        assert!(used.status.success() && report["points_out"] == 1_000_000, "{report}");
        let peak_mib = used.rusage.maxrss >> 20;
        assert!(peak_mib <= memory.parse::<u64>().unwrap(), "--memory {memory} took {peak_mib} MiB");
    }
}
