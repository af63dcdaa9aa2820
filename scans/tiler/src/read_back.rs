//! Reading a scan's tiles again, through all its documents.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use parterre_model::points::Bounds;
use parterre_model::{Error, Result};
use parterre_tile::archive::Index;
use parterre_tile::glb::{self, Part};
use parterre_tile::tileset::{Content, ScanExtras, Tile, Tileset};

/// A tile and its points, in the tile frame.
#[derive(Clone, Debug)]
pub struct TileRead {
    /// Path of the content in the archive.
    pub path: String,
    /// 0 at the root; documents do not count.
    pub depth: u32,
    /// Of the tile and everything below it, metres, tile frame.
    pub bounds: Bounds,
    /// Metres.
    pub geometric_error_m: f64,
    /// Points of this tile alone.
    pub parts: Vec<Part>,
}

/// Goes through a scan's tiles from coarse to fine, reading each when it is asked for. After an error it ends.
pub struct ReadBack {
    path: PathBuf,
    file: BufReader<File>,
    index: Index,
    scan: ScanExtras,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    tile: Tile,
    /// Folder of the tile's document, with its slash.
    base: String,
    depth: u32,
    documents: u32,
}

/// Documents within documents; Parterre writes fewer than ten.
const MAX_DOCUMENTS: u32 = 64;

/// Opens an archive to read all its tiles, coarse ones first.
///
/// # Errors
/// `archive_corrupt`, `archive_unsupported`, `tileset_corrupt`, `io`.
pub fn read_back(archive: &Path) -> Result<ReadBack> {
    let open = || -> Result<ReadBack> {
        let file = File::open(archive).map_err(|error| Error::opening(archive, error))?;
        let mut file = BufReader::new(file);
        let index = Index::read(&mut file)?;
        let tileset = document(&index, &mut file, "tileset.json")?;
        let scan = tileset.asset.extras.and_then(|extras| extras.parterre);
        let scan = scan.ok_or_else(|| corrupt("it does not say what Parterre needs to know"))?;
        let root = Waiting { tile: tileset.root, base: String::new(), depth: 0, documents: 0 };
        Ok(ReadBack { path: archive.to_path_buf(), file, index, scan, waiting: VecDeque::from([root]) })
    };
    open().map_err(|error| error.in_file(archive))
}

impl ReadBack {
    /// What the tileset says of the scan.
    pub fn extras(&self) -> &ScanExtras {
        &self.scan
    }

    /// Whole levels from the root down, as many as stay within `max_points` by what the documents say; the root always.
    /// An even view of the whole scan, for pictures.
    ///
    /// # Errors
    /// Those of reading the tiles.
    pub fn overview(mut self, max_points: u64) -> Result<Vec<TileRead>> {
        let mut tiles = Vec::new();
        let mut points = 0_u64;
        while !self.waiting.is_empty() {
            self.open_documents().map_err(|error| error.in_file(&self.path))?;
            let level: u64 = self.waiting.iter().map(|waiting| waiting.tile.extras.map_or(0, |extras| u64::from(extras.points))).sum();
            points = points.saturating_add(level);
            if points > max_points && !tiles.is_empty() {
                break;
            }
            for _ in 0..self.waiting.len() {
                tiles.extend(self.next().transpose()?);
            }
        }
        Ok(tiles)
    }

    /// Replaces waiting links to documents by the documents' roots.
    fn open_documents(&mut self) -> Result<()> {
        for index in 0..self.waiting.len() {
            loop {
                let Waiting { tile, base, documents, .. } = &self.waiting[index];
                let path = tile.content.as_ref().map(|content| path_of(content, base)).transpose()?;
                let Some(path) = path.filter(|path| has_extension(path, "json")) else { break };
                let (root, base) = self.open(&path, *documents)?;
                let waiting = &mut self.waiting[index];
                (waiting.tile, waiting.base) = (root, base);
                waiting.documents += 1;
            }
        }
        Ok(())
    }

    /// Root and folder of the document at `path`, which so many documents lead to.
    fn open(&mut self, path: &str, documents: u32) -> Result<(Tile, String)> {
        if documents >= MAX_DOCUMENTS {
            return Err(corrupt("its documents go round in circles"));
        }
        let inner = document(&self.index, &mut self.file, path)?;
        Ok((inner.root, path.rfind('/').map_or(String::new(), |slash| path[..=slash].to_owned())))
    }

    fn advance(&mut self) -> Result<Option<TileRead>> {
        while let Some(Waiting { tile, base, depth, documents }) = self.waiting.pop_front() {
            let Some(content) = tile.content else {
                self.push(tile.children, &base, depth + 1, documents);
                continue;
            };
            let path = path_of(&content, &base)?;
            if has_extension(&path, "json") {
                let (tile, base) = self.open(&path, documents)?;
                self.waiting.push_front(Waiting { tile, base, depth, documents: documents + 1 });
                continue;
            }
            let parts = self.content(&path)?;
            let bounds = tile.bounding_volume.bounds();
            self.push(tile.children, &base, depth + 1, documents);
            return Ok(Some(TileRead { path, depth, bounds, geometric_error_m: tile.geometric_error, parts }));
        }
        Ok(None)
    }

    fn content(&mut self, path: &str) -> Result<Vec<Part>> {
        let bytes = self.index.read_entry(&mut self.file, path)?;
        glb::decode(&bytes.ok_or_else(|| corrupt(format!("it names {path}, which is not there")))?)
    }

    fn push(&mut self, tiles: Vec<Tile>, base: &str, depth: u32, documents: u32) {
        self.waiting.extend(tiles.into_iter().map(|tile| Waiting { tile, base: base.to_owned(), depth, documents }));
    }
}

impl Iterator for ReadBack {
    type Item = Result<TileRead>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.advance().map_err(|error| error.in_file(&self.path)).transpose();
        if matches!(read, Some(Err(_))) {
            self.waiting.clear();
        }
        read
    }
}

fn document(index: &Index, file: &mut BufReader<File>, path: &str) -> Result<Tileset> {
    let bytes = index.read_entry(file, path)?.ok_or_else(|| corrupt(format!("{path} is not there")))?;
    serde_json::from_slice(&bytes).map_err(|error| corrupt(format!("{path}: {error}")))
}

/// A content's path in the archive, named by a document of the folder `base`.
fn path_of(content: &Content, base: &str) -> Result<String> {
    content.path(base).ok_or_else(|| corrupt(format!("the path {:?} leads out of the archive", content.uri)))
}

pub(crate) fn has_extension(path: &str, wanted: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == wanted)
}

fn corrupt(message: impl Into<String>) -> Error {
    Error::input("tileset_corrupt", format!("the tileset is damaged: {}", message.into()), "Make the tiles again from the scan.")
}
