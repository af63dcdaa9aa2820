//! Sources of a scan (a local archive or a service) and how they are opened.
//!
//! A source is a path to a `tiles.3tz` (or to the folder that holds one), the address of a `tileset.json`, or the
//! address of a scan on a service: `http://host/api/scans/ID` (its newest ready version) or `http://host/view/ID/V`.

use std::path::PathBuf;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::Arc;

use parterre_lod::Tree;
use parterre_model::catalog::{self, ScanState};
#[cfg(not(target_arch = "wasm32"))]
use parterre_tile::archive::Index;
use parterre_tile::tileset::Tileset;

use crate::fault::Fault;
use crate::transfer::get;

/// Hint that lists the accepted sources.
const ACCEPTED_SOURCES: &str = "Give the path of a tiles.3tz, or the address of a tileset.json, of a scan (http://host/api/scans/ID) or of its page (http://host/view/ID/1).";

/// Largest size of a root tileset or of a scan's description; both are normally far smaller.
const OPEN_MAX_BYTES: usize = 64 << 20;

/// A parsed source that has not been opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A local archive.
    Archive(PathBuf),
    /// The full address of a tileset.
    Tileset(String),
    /// A scan on a service.
    Scan {
        /// Root address of the service, without a slash at the end.
        service: String,
        /// Identifier of the scan.
        scan: String,
        /// Number of the version; `None`: the newest one that is ready.
        version: Option<u32>,
    },
}

impl Address {
    /// Parses a source as given by the user.
    pub fn parse(source: &str) -> Result<Self, Fault> {
        let unknown = || Fault::input("source_unknown", format!("the source {source:?} cannot be opened"), ACCEPTED_SOURCES);
        let Some((scheme, rest)) = source.split_once("://") else {
            if source.is_empty() {
                return Err(unknown());
            }
            return Ok(Self::Archive(PathBuf::from(source)));
        };
        if !matches!(scheme, "http" | "https") {
            return Err(unknown());
        }
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(unknown());
        }
        if path.rsplit('.').next() == Some("json") {
            return Ok(Self::Tileset(format!("{scheme}://{host}/{path}")));
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (prefix, scan, version) = match parts.as_slice() {
            [prefix @ .., "api", "scans", scan] => (prefix, *scan, None),
            [prefix @ .., "view", scan, version] => (prefix, *scan, Some(version.parse().map_err(|_| unknown())?)),
            _ => return Err(unknown()),
        };
        let service = std::iter::once(host).chain(prefix.iter().copied()).collect::<Vec<_>>().join("/");
        Ok(Self::Scan { service: format!("{scheme}://{service}"), scan: scan.into(), version })
    }
}

/// Where the tiles of an open scan are read from.
#[derive(Clone, Debug)]
pub enum Store {
    /// Entries of a local archive.
    #[cfg(not(target_arch = "wasm32"))]
    Archive {
        /// The archive.
        path: Arc<PathBuf>,
        /// Its index.
        index: Arc<Index>,
    },
    /// Addresses below the tileset's folder.
    Http {
        /// The folder's address, with a slash at the end.
        base: String,
    },
}

impl Store {
    /// The names of an archive and of the folder in which it is, where it is one.
    pub fn name_with_folder(&self) -> Option<String> {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Self::Archive { path, .. } => {
                let path = std::path::absolute(&**path).ok()?;
                let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
                Some(format!("{folder}/{}", path.file_name()?.to_string_lossy()))
            }
            Self::Http { .. } => None,
        }
    }
}

/// A scan whose root tileset has been read.
#[derive(Clone, Debug)]
pub struct OpenScan {
    /// The tree of tiles of the root tileset.
    pub tree: Tree,
    /// Where the tiles are read from.
    pub store: Store,
    /// Name for the window's title and the panel.
    pub name: String,
}

/// Opens a source: requests the address of the tiles from the service, and reads the root tileset.
///
/// Reading a local archive blocks the thread.
pub async fn open(address: Address) -> Result<OpenScan, Fault> {
    match address {
        #[cfg(not(target_arch = "wasm32"))]
        Address::Archive(path) => open_archive(path),
        #[cfg(target_arch = "wasm32")]
        Address::Archive(path) => Err(Fault::input(
            "source_unknown",
            format!("{:?} is a file path, and a web page cannot read files", path.display()),
            ACCEPTED_SOURCES,
        )),
        Address::Tileset(url) => open_tileset(&url, None).await,
        Address::Scan { service, scan, version } => {
            let url = format!("{service}/api/scans/{scan}");
            let bytes = get(&url, OPEN_MAX_BYTES).await?;
            let scan: catalog::Scan = serde_json::from_slice(&bytes).map_err(|error| {
                Fault::input(
                    "scan_unreadable",
                    format!("the response of {url} does not describe a scan: {error}"),
                    "Check the address and that it belongs to a Parterre service.",
                )
            })?;
            let tileset = tileset_of(&scan, version)?;
            open_tileset(&format!("{service}{tileset}"), Some(scan.name)).await
        }
    }
}

/// Path of the tileset on the service, of the given version or of the newest one that is ready.
fn tileset_of(scan: &catalog::Scan, version: Option<u32>) -> Result<String, Fault> {
    let found = match version {
        Some(number) => scan.versions.iter().find(|version| version.version == number),
        None => scan.versions.iter().rev().find(|version| version.state == ScanState::Ready).or(scan.versions.last()),
    };
    let Some(found) = found else {
        let missing = version.map_or_else(|| "versions".to_owned(), |number| format!("version {number}"));
        return Err(Fault::input(
            "version_unknown",
            format!("the scan {:?} has no {missing}", scan.name),
            "Open another version, or use the address of the scan without a version.",
        ));
    };
    match (found.state, &found.tileset) {
        (ScanState::Ready, Some(tileset)) => Ok(tileset.clone()),
        (ScanState::Failed, _) => Err(Fault::input(
            "scan_failed",
            format!("the scan {:?} could not be tiled", scan.name),
            "The scan's page gives the reason; import a corrected file.",
        )),
        _ => Err(Fault::input(
            "scan_processing",
            format!("the scan {:?} is still being tiled", scan.name),
            "Try again in a moment; the scan's page shows the progress.",
        )),
    }
}

async fn open_tileset(url: &str, name: Option<String>) -> Result<OpenScan, Fault> {
    let bytes = get(url, OPEN_MAX_BYTES).await?;
    let base = url.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let tree = root_tree(&bytes, url)?;
    Ok(OpenScan { tree, store: Store::Http { base }, name: name.unwrap_or_else(|| short_name(url)) })
}

/// The part of an address that identifies the tileset: `abc/1` of `http://host/tiles/abc/1/tileset.json`.
fn short_name(url: &str) -> String {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let parts: Vec<&str> = path.split('/').skip(1).filter(|part| !matches!(*part, "" | "tiles" | "tileset.json")).collect();
    if parts.is_empty() { url.to_owned() } else { parts.join("/") }
}

fn root_tree(bytes: &[u8], location: &str) -> Result<Tree, Fault> {
    let tileset = parse_tileset(bytes, location)?;
    Tree::from_tileset(&tileset, "").map_err(|error| {
        let mut fault = Fault::from(error);
        fault.message = format!("{location}: {}", fault.message);
        fault
    })
}

/// Parses a tileset; `location` is its address or path, for the message.
pub(crate) fn parse_tileset(bytes: &[u8], location: &str) -> Result<Tileset, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        Fault::input("tileset_corrupt", format!("{location} is not a tileset: {error}"), "Check the address, or tile the scan again.")
    })
}

#[cfg(not(target_arch = "wasm32"))]
fn open_archive(mut path: PathBuf) -> Result<OpenScan, Fault> {
    use parterre_model::Error;

    if path.is_dir() {
        path.push("tiles.3tz");
    }
    let io = |action, source| Fault::from(Error::io(action, path.clone(), source));
    let mut file = std::fs::File::open(&path).map_err(|error| Fault::from(Error::opening(&path, error)))?;
    if let Some(fault) = scan_file_fault(&mut file, &path).map_err(|error| io("read", error))? {
        return Err(fault);
    }
    let index = Index::read(&mut file).map_err(|error| error.in_file(&path))?;
    let bytes = index.read_entry(&mut file, "tileset.json").map_err(|error| error.in_file(&path))?.ok_or_else(|| {
        Fault::input("archive_incomplete", format!("{} contains no tileset.json", path.display()), "Tile the scan again.")
    })?;
    let tree = root_tree(&bytes, &path.display().to_string())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(OpenScan { tree, store: Store::Archive { path: Arc::new(path), index: Arc::new(index) }, name })
}

/// The error for a LAS or LAZ file that was given instead of its tiles; `None` for other files.
#[cfg(not(target_arch = "wasm32"))]
fn scan_file_fault(file: &mut std::fs::File, path: &std::path::Path) -> std::io::Result<Option<Fault>> {
    use std::io::{Read as _, Seek as _};

    let mut magic = [0; 4];
    let mut read = 0;
    while read < magic.len() {
        match file.read(&mut magic[read..])? {
            0 => break,
            count => read += count,
        }
    }
    file.rewind()?;
    Ok((&magic == b"LASF").then(|| {
        Fault::input(
            "source_not_tiled",
            format!("{} is a scan file, not an archive of tiles", path.display()),
            "Tile the scan first: parterre tile FILE -o DIR, then open DIR/tiles.3tz.",
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(service: &str, scan: &str, version: Option<u32>) -> Address {
        Address::Scan { service: service.into(), scan: scan.into(), version }
    }

    #[test]
    fn sources_are_parsed() {
        let table = [
            ("venue/tiles.3tz", Address::Archive("venue/tiles.3tz".into())),
            ("http://h:8080/tiles/a/1/tileset.json", Address::Tileset("http://h:8080/tiles/a/1/tileset.json".into())),
            ("https://h/t/tileset.json?x=1#y", Address::Tileset("https://h/t/tileset.json".into())),
            ("http://127.0.0.1:8080/api/scans/abc", scan("http://127.0.0.1:8080", "abc", None)),
            ("http://h/view/abc/3", scan("http://h", "abc", Some(3))),
            ("https://h/parterre/view/abc/3/", scan("https://h/parterre", "abc", Some(3))),
        ];
        for (source, expected) in table {
            assert_eq!(Address::parse(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn other_sources_are_refused() {
        for source in ["", "ftp://h/tileset.json", "http://", "http://h", "http://h/venues/1", "http://h/view/abc/new"] {
            let fault = Address::parse(source).expect_err(source);
            assert_eq!((fault.code.as_str(), fault.exit_code()), ("source_unknown", 3), "{source}");
        }
    }

    fn version(number: u32, state: ScanState) -> catalog::Version {
        // In the form of a service's response, so that new fields do not break the test.
        let tileset = (state == ScanState::Ready).then(|| catalog::tileset_path("s", number));
        serde_json::from_value(serde_json::json!({
            "version": number, "state": state, "tileset": tileset, "file_name": "a.laz", "bytes": 1, "sha256": "", "job": "j",
            "created_at": "2026-01-01T00:00:00Z",
        }))
        .expect("a version")
    }

    #[test]
    fn the_newest_ready_version_is_opened() {
        let mut scan = catalog::Scan {
            id: "s".into(),
            venue: "v".into(),
            name: "a.laz".into(),
            state: ScanState::Processing,
            versions: vec![version(1, ScanState::Ready), version(2, ScanState::Ready), version(3, ScanState::Processing)],
        };
        assert_eq!(tileset_of(&scan, None).as_deref(), Ok("/tiles/s/2/tileset.json"));
        assert_eq!(tileset_of(&scan, Some(1)).as_deref(), Ok("/tiles/s/1/tileset.json"));
        assert_eq!(tileset_of(&scan, Some(3)).expect_err("not ready").code, "scan_processing");
        assert_eq!(tileset_of(&scan, Some(4)).expect_err("no such").code, "version_unknown");
        scan.versions = vec![version(1, ScanState::Failed)];
        assert_eq!(tileset_of(&scan, None).expect_err("failed").code, "scan_failed");
    }

    #[test]
    fn the_name_is_the_identifying_part_of_the_address() {
        assert_eq!(short_name("http://h:8080/tiles/abc/1/tileset.json"), "abc/1");
        assert_eq!(short_name("https://h/tileset.json"), "https://h/tileset.json");
    }
}
