//! An archive as loose files, for tools that read no archive.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::read_back::has_extension;
use parterre_model::{Error, Result};
use parterre_tile::archive::Index;
use parterre_tile::glb;

/// Writes every file of the archive below `dir`, which is made where it is not there. `plain` decodes meshopt, for
/// tools that do not know it. Returns the number of files.
///
/// # Errors
/// `archive_corrupt`, also for paths that lead out of `dir`, `archive_unsupported`, `tile_corrupt`, `tile_unsupported`,
/// `io`. What was written before an error stays.
pub fn unpack(archive: &Path, dir: &Path, plain: bool) -> Result<u64> {
    let file = File::open(archive).map_err(|error| Error::opening(archive, error))?;
    let mut file = BufReader::new(file);
    let mut files = 0;
    let mut unpack = || -> Result<()> {
        let index = Index::read(&mut file)?;
        for path in index.paths(&mut file)? {
            let Some(mut bytes) = index.read_entry(&mut file, &path)? else {
                return Err(Error::input(
                    "archive_corrupt",
                    format!("the archive is damaged: its index lacks {path}"),
                    "Copy it again, or make the tiles again.",
                ));
            };
            if plain && has_extension(&path, "glb") {
                bytes = parterre_encode::glb::encode(&glb::decode(&bytes)?, false)?;
            }
            if plain && has_extension(&path, "json") {
                bytes = without_meshopt(bytes)?;
            }
            let to = dir.join(&path);
            let parent = to.parent().unwrap_or(dir);
            std::fs::create_dir_all(parent).map_err(|error| Error::io("write", parent, error))?;
            std::fs::write(&to, bytes).map_err(|error| Error::io("write", &to, error))?;
            files += 1;
        }
        Ok(())
    };
    unpack().map_err(|error| error.in_file(archive))?;
    Ok(files)
}

/// A document that does not announce meshopt in its content any more.
fn without_meshopt(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(&bytes) else { return Ok(bytes) };
    for list in ["extensionsUsed", "extensionsRequired"] {
        let list = document.pointer_mut(&format!("/extensions/3DTILES_content_gltf/{list}"));
        if let Some(list) = list.and_then(serde_json::Value::as_array_mut) {
            list.retain(|name| name != "EXT_meshopt_compression");
        }
    }
    serde_json::to_vec(&document).map_err(|error| Error::Internal(error.to_string()))
}
