//! `parterre unpack`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use parterre_scans::Error;
use parterre_scans::tile::archive::Index;
use parterre_scans::tile::glb;
use parterre_scans::tile::tileset::{Tile, Tileset};
use serde_json::json;

use super::progress::Progress;
use super::{Failure, Outcome, output, stop};
use crate::jobs::pictures::resolve;
use crate::pages::format;

/// Write a tiles.3tz as loose files.
#[derive(Debug, Args)]
pub(super) struct Unpack {
    /// The archive.
    archive: PathBuf,
    /// Folder for the files; made where it is missing.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Write tiles without meshopt compression, for validators.
    #[arg(long)]
    plain: bool,
}

impl Unpack {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let stop = stop::on_signals();
        let damaged = |message: String| {
            let hint = "Make it anew with parterre tile, or copy it again.";
            Failure::from(Error::input("archive_damaged", message, hint).in_file(&self.archive))
        };
        let file = File::open(&self.archive).map_err(|error| Error::io("open", &self.archive, error))?;
        let mut file = BufReader::new(file);
        let index = Index::read(&mut file).map_err(|error| error.in_file(&self.archive))?;
        let progress = Progress::new();
        // Documents are read ahead of the tiles that they name; only they are kept in the queue.
        let mut queue: VecDeque<String> = VecDeque::from(["tileset.json".to_owned()]);
        let (mut files, mut bytes_written, mut tiles) = (0_u64, 0_u64, 0_u64);
        while let Some(path) = queue.pop_front() {
            if stop.load(Ordering::SeqCst) {
                return Err(Failure::stopped());
            }
            let bytes = index
                .read_entry(&mut file, &path)
                .map_err(|error| error.in_file(&self.archive))?
                .ok_or_else(|| damaged(format!("{path} is missing in the archive")))?;
            let bytes = if Path::new(&path).extension().is_some_and(|ending| ending == "json") {
                let document: Tileset = serde_json::from_slice(&bytes).map_err(|error| damaged(format!("{path} cannot be read: {error}")))?;
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let mut found = Vec::new();
                contents(&document.root, &mut found);
                for uri in found {
                    queue.push_back(resolve(folder, uri).map_err(|error| damaged(error.to_string()))?);
                }
                if self.plain { plain_document(&bytes).map_err(|error| damaged(format!("{path} cannot be read: {error}")))? } else { bytes }
            } else {
                tiles += 1;
                if self.plain { glb::encode(&glb::decode(&bytes).map_err(|error| error.in_file(&self.archive))?, false)? } else { bytes }
            };
            self.write(&path, &bytes)?;
            files += 1;
            bytes_written += bytes.len() as u64;
            progress.set("unpacking", files as f64 / (files + queue.len() as u64) as f64);
        }
        progress.done();
        if as_json {
            return output::json(&json!({ "files": files, "tiles": tiles, "bytes": bytes_written }));
        }
        output::line(&format!("{}: {files} files, {}", self.output.display(), format::bytes(bytes_written)))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Outcome {
        let to = self.output.join(path);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::io("make", folder, error))?;
        }
        std::fs::write(&to, bytes).map_err(|error| Error::io("write", &to, error))?;
        Ok(())
    }
}

fn contents<'a>(tile: &'a Tile, found: &mut Vec<&'a str>) {
    // Tilesets that we write are shallow; a document that nests deeper than serde reads never gets here.
    found.extend(tile.content.as_ref().map(|content| content.uri.as_str()));
    for child in &tile.children {
        contents(child, found);
    }
}

/// A tileset document that no longer says that its tiles need meshopt.
fn plain_document(bytes: &[u8]) -> serde_json::Result<Vec<u8>> {
    const MESHOPT: &str = "EXT_meshopt_compression";
    let mut document: serde_json::Value = serde_json::from_slice(bytes)?;
    for list in ["extensionsUsed", "extensionsRequired"] {
        if let Some(names) = document.pointer_mut(&format!("/extensions/3DTILES_content_gltf/{list}")).and_then(|names| names.as_array_mut()) {
            names.retain(|name| name != MESHOPT);
        }
    }
    serde_json::to_vec(&document)
}
