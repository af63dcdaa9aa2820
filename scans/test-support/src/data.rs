//! The real scans of `../shared/data`, which are not part of the project.

use std::path::{Path, PathBuf};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

/// The folder of the test data. Where it is absent, prints so and returns `None`: the test is to be skipped.
pub fn data() -> Option<&'static Path> {
    let data = Path::new(DATA);
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("skipped: there is no test data at {DATA}");
    None
}

/// A file of the test data. Where it is absent, prints so and returns `None`: the test is to be skipped.
pub fn data_file(name: &str) -> Option<PathBuf> {
    let path = Path::new(DATA).join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: there is no {}", path.display());
    None
}

/// The files in a folder and in the folders below it that `accept` returns true for.
///
/// # Panics
/// Where a folder cannot be read.
pub fn files_below(dir: &Path, accept: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(files_below(&path, accept));
        } else if accept(&path) {
            files.push(path);
        }
    }
    files
}

/// Whether a file's name ends in `.las` or `.laz`.
pub fn is_las(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("las") || ending.eq_ignore_ascii_case("laz"))
}
