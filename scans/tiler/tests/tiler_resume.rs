//! Work that was stopped or killed is resumed, and files are added to a scan: the bytes are those of one whole run.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod tiler_support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use glam::DVec3;
use parterre_model::points::PointChunk;
use parterre_model::record::{AttributeLayout, RecordChunk, Wanted};
use parterre_model::{Result, Warning};
use parterre_read::{PointSource, SourceInfo};
use parterre_tiler::{Options, Report, add, tile};
use tiler_support::{Integers, files_of, integers, tile_all};

/// A source that counts how many of its points are read.
struct Counting {
    inner: Integers,
    read: Arc<AtomicU64>,
}

impl PointSource for Counting {
    fn info(&self) -> &SourceInfo {
        self.inner.info()
    }
    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        self.inner.read_chunk(chunk, max)
    }
    fn attribute_layout(&self) -> AttributeLayout {
        self.inner.attribute_layout()
    }
    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let count = self.inner.read_records(chunk, wanted, max)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
    fn rewind(&mut self) -> Result<()> {
        self.inner.rewind()
    }
    fn warnings(&self) -> &[Warning] {
        self.inner.warnings()
    }
}

fn source() -> Integers {
    integers(60_000, DVec3::new(100.0, 200.0, 0.0), 1)
}

fn options(cancel: Option<&Arc<AtomicBool>>) -> Options {
    Options {
        memory_bytes: 1 << 20,
        tile_points: 300,
        cancel: cancel.map(Arc::clone),
        job_fingerprint: Some("this work".into()),
        ..Options::default()
    }
}

/// Runs until `stop` says so of stage and fraction; returns the result and the points read.
fn until(dir: &Path, options: &Options, stop: impl Fn(&str, f64) -> bool + Sync) -> (Result<Report>, u64) {
    let read = Arc::new(AtomicU64::new(0));
    let mut sources: Vec<Box<dyn PointSource>> = vec![Box::new(Counting { inner: source(), read: Arc::clone(&read) })];
    let result = tile(&mut sources, dir, options, &|now| {
        if stop(now.stage, now.fraction) {
            options.cancel.as_ref().unwrap().store(true, Ordering::Relaxed);
        }
    });
    (result, read.load(Ordering::Relaxed))
}

fn whole() -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    tile_all(vec![Box::new(source())], dir.path(), &Options { job_fingerprint: None, ..options(None) }).unwrap();
    files_of(dir.path())
}

#[test]
fn work_stopped_at_any_stage_is_resumed_to_the_same_bytes() {
    let whole = whole();
    for (stage, from, again) in [
        ("count", 0.0, true),
        ("distribute", 0.2, true),
        ("sample", 0.31, false),
        ("sample", 0.6, false),
        ("write", 0.0, false),
        ("pictures", 0.0, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let cancel = Arc::new(AtomicBool::new(false));
        let (result, _) = until(dir.path(), &options(Some(&cancel)), |at, fraction| at == stage && fraction >= from);
        assert_eq!(result.unwrap_err().code(), "cancelled", "{stage}");
        assert!(!dir.path().join("report.json").exists());
        let (result, read) = until(dir.path(), &options(None), |_, _| false);
        result.unwrap();
        assert_eq!(read, if again { 120_000 } else { 0 }, "{stage} {from}");
        assert!(files_of(dir.path()) == whole, "{stage} {from}");
    }
}

#[test]
fn finished_chunks_are_not_made_again_and_damage_is() {
    let whole = whole();
    let dir = tempfile::tempdir().unwrap();
    let cancel = Arc::new(AtomicBool::new(false));
    until(dir.path(), &options(Some(&cancel)), |at, fraction| at == "sample" && fraction > 0.6).0.unwrap_err();
    let work = dir.path().join(".tiling");
    let parts: Vec<_> = std::fs::read_dir(&work).unwrap().map(|entry| entry.unwrap().path()).collect();
    let with = |start: &str, end: &str| {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        parts.iter().filter(|path| name(path).starts_with(start) && name(path).ends_with(end)).cloned().collect::<Vec<_>>()
    };
    let done = with("nodes-", ".json");
    assert!(done.len() > 1 && !with("chunk-", "").is_empty(), "{parts:?}");
    let changed = |path: &Path| path.metadata().unwrap().modified().unwrap();
    let kept = done[0].clone();
    let before = changed(&kept);
    // A damaged node file: its chunk is gone, so all is made again; and a chunk that lost a byte.
    for damage in [false, true] {
        let copy = tempfile::tempdir().unwrap();
        let folder = copy.path().join(".tiling");
        std::fs::create_dir(&folder).unwrap();
        for path in &parts {
            std::fs::copy(path, folder.join(path.file_name().unwrap())).unwrap();
        }
        if damage {
            let part = folder.join(done[1].file_stem().unwrap()).with_extension("bin");
            let mut bytes = std::fs::read(&part).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&part, bytes).unwrap();
        } else {
            let chunk = folder.join(with("chunk-", "")[0].file_name().unwrap());
            let mut bytes = std::fs::read(&chunk).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(&chunk, bytes).unwrap();
        }
        let (result, read) = until(copy.path(), &options(None), |_, _| false);
        result.unwrap();
        assert_eq!(read, 120_000, "damage {damage}");
        assert!(files_of(copy.path()) == whole);
    }
    assert_eq!(before, changed(&kept));
    let (result, read) = until(dir.path(), &options(None), |_, _| false);
    result.unwrap();
    assert_eq!(read, 0);
    assert!(files_of(dir.path()) == whole);
}

#[test]
fn other_work_starts_again_and_two_runs_do_not_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let cancel = Arc::new(AtomicBool::new(false));
    until(dir.path(), &options(Some(&cancel)), |at, _| at == "sample").0.unwrap_err();
    let inside = Arc::new(AtomicU64::new(0));
    let (result, read) = until(dir.path(), &Options { job_fingerprint: Some("other work".into()), ..options(None) }, |_, _| {
        if inside.fetch_add(1, Ordering::Relaxed) == 0 {
            let second = tile_all(vec![Box::new(source())], dir.path(), &options(None));
            assert_eq!(second.unwrap_err().code(), "tiling_in_progress");
        }
        false
    });
    result.unwrap();
    assert_eq!(read, 120_000);
    assert!(files_of(dir.path()) == whole());
}

#[test]
fn a_file_that_is_added_gives_what_all_files_together_give() {
    let first = || integers(30_000, DVec3::new(100.0, 200.0, 0.0), 1);
    let second = || {
        let mut second = integers(9000, DVec3::new(100.0, 200.0, 0.0), 2);
        for (steps, _) in &mut second.points {
            steps[0] += 40_000;
        }
        second
    };
    let options = Options { job_fingerprint: None, ..options(None) };
    let together = tempfile::tempdir().unwrap();
    tile_all(vec![Box::new(first()), Box::new(second())], together.path(), &options).unwrap();
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(add(vec![Box::new(first())], dir.path(), &options, &|_| ()).unwrap_err().code(), "nothing_to_add_to");
    tile_all(vec![Box::new(first())], dir.path(), &options).unwrap();
    let report = add(vec![Box::new(second())], dir.path(), &options, &|_| ()).unwrap();
    assert_eq!((report.points_in, report.points_out), (39_000, 39_000));
    let (found, wanted) = (files_of(dir.path()), files_of(together.path()));
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (name, bytes) in &found {
        assert!(*bytes == wanted[name], "{name}");
    }
}
