//! Files are added to a scan once and whole, whenever a run is stopped, and the report accounts for all of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod tiler_support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glam::DVec3;
use parterre_model::Result;
use parterre_model::record::Grid;
use parterre_tiler::{Options, Report, add, tile};
use tiler_support::{Integers, files_of, integers, tile_all};

/// A part of a site, each name at a position of its own.
fn part(name: &str) -> Integers {
    let number = i32::from(name.as_bytes()[0] - b'a');
    let mut part = integers(12_000, DVec3::new(100.0, 200.0, 0.0), 1 + number as u64);
    for (steps, _) in &mut part.points {
        steps[0] += 15_000 * number;
    }
    part
}

fn options(names: &[&str], cancel: Option<&Arc<AtomicBool>>) -> Options {
    Options {
        memory_bytes: 1 << 20,
        tile_points: 300,
        cancel: cancel.map(Arc::clone),
        job_fingerprint: Some(format!("work on {names:?}")),
        source_fingerprints: names.iter().map(|&name| name.to_owned()).collect(),
        ..Options::default()
    }
}

fn tile_parts(names: &[&str], dir: &Path) {
    tile_all(names.iter().map(|name| Box::new(part(name)) as _).collect(), dir, &options(names, None)).unwrap();
}

fn add_part(name: &str, dir: &Path) -> Result<Report> {
    add(vec![Box::new(part(name))], dir, &options(&[name], None), &|_| ())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, to).unwrap();
        }
    }
}

fn assert_same(found: &Path, wanted: &Path, what: &str) {
    let (found, wanted) = (files_of(found), files_of(wanted));
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in &found {
        assert!(*bytes == wanted[name], "{what}: {name}");
    }
}

/// `before` as a run that publishes leaves it when it is killed after `done` files; `after` is how it was when all were in their places.
fn killed_while_publishing(before: &Path, after: &Path, done: usize) -> tempfile::TempDir {
    let list: serde_json::Value = serde_json::from_slice(&std::fs::read(after.join(".tiling/publish.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    copy(before, dir.path());
    copy(&after.join(".tiling"), &dir.path().join(".tiling"));
    for (index, name) in list["names"].as_array().unwrap().iter().enumerate() {
        let name = name.as_str().unwrap();
        let to = if index < done { dir.path().join(name) } else { dir.path().join(".tiling").join(name) };
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(after.join(name), to).unwrap();
    }
    dir
}

/// The folder at the moment when all is published and nothing cleaned.
fn caught(run: impl FnOnce(&(dyn Fn(parterre_tiler::Progress) + Sync)), dir: &Path) -> tempfile::TempDir {
    let copied = tempfile::tempdir().unwrap();
    run(&|now| {
        if now.fraction >= 1.0 && dir.join(".tiling/publish.json").exists() {
            copy(dir, copied.path());
        }
    });
    assert!(copied.path().join(".tiling/publish.json").exists());
    copied
}

#[test]
fn adding_that_was_killed_adds_once() {
    let [both, first, dir] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    tile_parts(&["a", "b"], both.path());
    tile_parts(&["a"], first.path());
    copy(first.path(), dir.path());
    let add_second =
        |progress: &(dyn Fn(_) + Sync)| drop(add(vec![Box::new(part("b"))], dir.path(), &options(&["b"], None), progress).unwrap());
    let after = caught(add_second, dir.path());
    assert_same(dir.path(), both.path(), "in one go");
    let files = files_of(both.path()).len();
    for done in 0..=files {
        let killed = killed_while_publishing(first.path(), after.path(), done);
        assert_eq!(add_part("b", killed.path()).unwrap().points_out, 24_000, "{done}");
        assert_same(killed.path(), both.path(), &format!("killed after {done} files"));
        assert_eq!(add_part("b", killed.path()).unwrap_err().code(), "already_added");
        assert_eq!(add_part("a", killed.path()).unwrap_err().code(), "already_added");
        assert_same(killed.path(), both.path(), "what is refused changes nothing");
    }
    // Killed while it cleaned, with the list gone already; and a folder that was being removed.
    let killed = killed_while_publishing(first.path(), after.path(), files);
    for name in ["publish.json", "work.json"] {
        let _ = std::fs::remove_file(killed.path().join(".tiling").join(name));
    }
    copy(&after.path().join(".tiling"), &killed.path().join(".tiling-trash"));
    assert_eq!(add_part("b", killed.path()).unwrap_err().code(), "already_added");
    assert_same(killed.path(), both.path(), "killed while cleaning");
}

#[test]
fn published_files_that_were_removed_are_made_again() {
    let [whole, empty, dir] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    tile_parts(&["a"], whole.path());
    let run =
        |progress: &(dyn Fn(_) + Sync)| drop(tile(&mut [Box::new(part("a")) as _], dir.path(), &options(&["a"], None), progress).unwrap());
    let after = caught(run, dir.path());
    let files = files_of(whole.path()).len();
    for (done, removed) in [(files, "plan-1.png"), (files, "report.json"), (files - 1, "points.copc.laz")] {
        let killed = killed_while_publishing(empty.path(), after.path(), done);
        std::fs::remove_file(killed.path().join(removed)).unwrap();
        tile_parts(&["a"], killed.path());
        assert_same(killed.path(), whole.path(), removed);
    }
}

#[test]
fn adding_is_resumed_but_not_for_another_scan() {
    let [both, all, dir, kept] = [(); 4].map(|()| tempfile::tempdir().unwrap());
    tile_parts(&["a", "b"], both.path());
    tile_parts(&["a", "c", "b"], all.path());
    tile_parts(&["a"], dir.path());
    let cancel = Arc::new(AtomicBool::new(false));
    let stop = |now: parterre_tiler::Progress| {
        if now.stage == "sample" && now.fraction > 0.5 {
            cancel.store(true, Ordering::Relaxed);
        }
    };
    let stopped = add(vec![Box::new(part("b"))], dir.path(), &options(&["b"], Some(&cancel)), &stop);
    assert_eq!(stopped.unwrap_err().code(), "cancelled");
    assert!(dir.path().join(".tiling/work.json").exists());
    copy(dir.path(), kept.path());
    add_part("b", kept.path()).unwrap();
    assert_same(kept.path(), both.path(), "resumed");
    // The same work on a scan that has got another part meanwhile.
    let work = tempfile::tempdir().unwrap();
    copy(&dir.path().join(".tiling"), work.path());
    add_part("c", dir.path()).unwrap();
    copy(work.path(), &dir.path().join(".tiling"));
    assert_eq!(add_part("b", dir.path()).unwrap().points_out, 36_000);
    assert_same(dir.path(), all.path(), "started again");
}

#[test]
fn points_left_out_and_warnings_are_reported_once() {
    let on_the_earth = |name: &str, far: usize| {
        let mut part = part(name);
        part.grid = Grid { offset: DVec3::new(500_000.0, 5_500_000.0, 100.0), ..part.grid };
        part.info.grid = Some(part.grid);
        part.info.crs = Some("EPSG:25832".into());
        part.points.iter_mut().take(far).for_each(|(steps, _)| steps[1] = 1_000_000_000);
        part
    };
    let [together, dir] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let both = vec![Box::new(on_the_earth("a", 3)) as _, Box::new(on_the_earth("b", 4)) as _];
    let wanted = tile_all(both, together.path(), &options(&["a", "b"], None)).unwrap();
    tile_all(vec![Box::new(on_the_earth("a", 3))], dir.path(), &options(&["a"], None)).unwrap();
    let found = add(vec![Box::new(on_the_earth("b", 4))], dir.path(), &options(&["b"], None), &|_| ()).unwrap();
    assert_eq!((found.points_in, found.points_out, found.points_dropped), (24_000, 23_993, 7));
    assert_eq!((wanted.points_in, &wanted.dropped), (found.points_in, &found.dropped));
    assert_eq!(found.sources, ["a", "b"]);
    let told = |report: &Report| {
        let mut told: Vec<_> = report.warnings.iter().map(|warning| (warning.code.clone(), warning.message.clone())).collect();
        told.sort();
        told
    };
    assert_eq!(told(&found), told(&wanted));
    for name in ["points.copc.laz", "tiles.3tz", "thumbnail.png", "plan-1.png"] {
        let [found, wanted] = [&dir, &together].map(|dir| std::fs::read(dir.path().join(name)).unwrap());
        assert!(found == wanted, "{name}");
    }
}

#[test]
fn finer_steps_that_are_added_give_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    tile_parts(&["a"], dir.path());
    let finer = |scale: f64| {
        let mut part = part("b");
        part.grid.scale = DVec3::splat(scale);
        part.info.grid = Some(part.grid);
        vec![Box::new(part) as _]
    };
    let told = |report: &Report| report.warnings.iter().filter(|warning| warning.code == "add_coarser").count();
    let report = add(finer(0.01), dir.path(), &options(&["b"], None), &|_| ()).unwrap();
    assert_eq!(told(&report), 0);
    let report = add(finer(0.0001), dir.path(), &options(&["c"], None), &|_| ()).unwrap();
    assert_eq!(told(&report), 1);
    // And once for all, by the reports of those that are added later.
    let report = add_part("d", dir.path()).unwrap();
    assert_eq!((told(&report), report.sources), (1, ["a", "b", "c", "d"].map(str::to_owned).to_vec()));
}
