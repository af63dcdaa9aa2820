//! Lists the files that are built into the service (`assets/web/static` and the viewer's web shell), so that the binary
//! needs nothing beside it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let web = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../assets/web");
    let mut list = String::from("&[\n");
    for (folder, prefix) in [("static", ""), ("viewer", "viewer/")] {
        let folder = web.join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        for file in files(&folder)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Writing to a string cannot fail.
            let path = file.canonicalize()?.display().to_string();
            let _ = writeln!(list, "    ({:?}, include_bytes!({path:?}) as &[u8]),", format!("{prefix}{name}"));
        }
    }
    list.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("embedded.rs");
    fs::write(out, list)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
