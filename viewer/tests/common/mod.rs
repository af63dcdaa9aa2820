//! Helpers of the viewer's tests: a small tiled demo venue, and running the program.

#![expect(unreachable_pub, reason = "each test is a crate of its own and shares this as a module")]
#![allow(dead_code, reason = "not every test uses everything")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use parterre_encode::archive::Writer;
use parterre_read as read;
use parterre_tile::archive::Index;
use parterre_tiler as tiler;
use parterre_venue as venue;

/// A tiled demo venue in a folder of its own.
pub struct Demo {
    folder: tempfile::TempDir,
    /// Number of points in the tiles.
    pub points: u64,
}

impl Demo {
    /// Path of the archive of tiles.
    pub fn archive(&self) -> PathBuf {
        self.folder.path().join("tiles.3tz")
    }

    /// Path of the folder, which also contains `scan.laz`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The demo venue with a tenth of its usual points, the same in every run.
pub static DEMO: LazyLock<Demo> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    venue::demo(folder.path(), &venue::Options { seed: 7, points: 400_000 }, &|_| {}).expect("the demo venue is made");
    let mut sources = [read::open(&folder.path().join("scan.laz")).expect("the scan is read")];
    let options = tiler::Options { tile_points: 20_000, ..tiler::Options::default() };
    let report = tiler::tile(&mut sources, folder.path(), &options, &|_| {}).expect("the scan is tiled");
    Demo { folder, points: report.points_out }
});

/// Runs the viewer.
pub fn viewer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parterre-viewer")).args(arguments).output().expect("the viewer starts")
}

/// The JSON document on stdout of a run that succeeded.
pub fn state(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document on stdout")
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// Copies an archive and changes what its tileset says of the scan.
pub fn with_tileset(archive: &Path, changed: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut file = File::open(archive).expect("the archive is there");
    let index = Index::read(&mut file).expect("the archive is sound");
    let mut writer = Writer::new(File::create(changed).expect("a file"));
    let mut change = Some(change);
    for path in index.paths(&mut file).expect("paths") {
        let mut bytes = index.read_entry(&mut file, &path).expect("sound").expect("there");
        if path == "tileset.json" {
            let mut tileset: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            if let Some(change) = change.take() {
                change(&mut tileset["asset"]["extras"]["parterre"]);
            }
            bytes = serde_json::to_vec(&tileset).expect("JSON");
        }
        writer.add(path, bytes).expect("an entry");
    }
    writer.finish().expect("the archive is written");
}

/// Copies an archive without some facts of the scan.
pub fn without_facts(archive: &Path, changed: &Path, facts: &[&str]) {
    with_tileset(archive, changed, |scan| {
        for fact in facts {
            scan.as_object_mut().and_then(|scan| scan.remove(*fact)).unwrap_or_else(|| panic!("there is no {fact}"));
        }
    });
}
