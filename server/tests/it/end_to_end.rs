//! The real program, from the upload of a real scan to every point of every tile.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use glam::DVec3;
use parterre_model::points::PointChunk;
use parterre_tile::glb;
use parterre_tile::tileset::{Tile, Tileset};
use rustix::process::Signal;

use super::support::{Client, PARTERRE, send_signal, shared};

/// A running `parterre serve`.
pub struct Service {
    pub child: Child,
    pub client: Client,
    log: mpsc::Receiver<String>,
}

impl Service {
    pub fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(PARTERRE)
            .args(["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"])
            .args(more)
            .env_remove("DATABASE_URL")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (send, log) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            let _ = send.send(text);
        });
        let Some(base) = line.trim().strip_prefix("listening on ") else {
            panic!("the service did not start: {line:?} {:?}", log.recv_timeout(Duration::from_secs(5)))
        };
        Self { child, client: Client::new(base), log }
    }

    /// Ends it as an operator does; gives its log.
    pub fn stop(mut self) -> String {
        // The standard library sends SIGKILL only.
        send_signal(self.child.id(), Signal::TERM);
        let ended = self.child.wait().unwrap();
        let log = self.log.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
        assert!(ended.success(), "{ended} {log}");
        log
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Every position in the tiles below an address, in the scan frame, millimetres; and how many tiles.
pub fn positions_mm(client: &Client, tileset: &str) -> (Vec<[i64; 3]>, usize) {
    let root: Tileset = serde_json::from_slice(&client.get(tileset).expect(200).body).unwrap();
    let origin = root.root.transform.map_or(DVec3::ZERO, |matrix| DVec3::new(matrix[12], matrix[13], matrix[14]));
    let mut found = Vec::new();
    let mut tiles = 0;
    let mut open: Vec<(String, Tile)> = vec![(tileset.to_owned(), root.root)];
    while let Some((document, tile)) = open.pop() {
        let bounds = tile.bounding_volume.obb;
        if let Some(content) = &tile.content {
            let address = format!("{}/{}", document.rsplit_once('/').unwrap().0, content.uri);
            let body = client.get(&address).expect(200).body;
            if Path::new(&address).extension().is_some_and(|ending| ending == "json") {
                let inner: Tileset = serde_json::from_slice(&body).unwrap();
                open.push((address.clone(), inner.root));
            } else {
                tiles += 1;
                let before = found.len();
                for part in glb::decode(&body).unwrap() {
                    for vertex in &part.vertices {
                        let at = part.position_m(vertex);
                        let off = (at - DVec3::new(bounds[0], bounds[1], bounds[2])).abs();
                        let half = DVec3::new(bounds[3], bounds[7], bounds[11]);
                        assert!(off.cmple(half + 1e-6).all(), "{address}: {at} lies outside its box");
                        let mm = ((origin + at) * 1e3).round();
                        found.push([mm.x as i64, mm.y as i64, mm.z as i64]);
                    }
                }
                assert_eq!(tile.extras.map(|extras| extras.points as usize), Some(found.len() - before), "{address}");
            }
        }
        open.extend(tile.children.into_iter().map(|child| (document.clone(), child)));
    }
    (found, tiles)
}

/// Every position of a file of metres, in millimetres.
pub fn source_mm(file: &Path) -> Vec<[i64; 3]> {
    let mut source = parterre_read::open(file).unwrap();
    let mut chunk = PointChunk::default();
    let mut found = Vec::new();
    loop {
        chunk.clear();
        if source.read_chunk(&mut chunk, 100_000).unwrap() == 0 {
            return found;
        }
        found.extend(chunk.positions.iter().map(|at| {
            let mm = (*at * 1e3).round();
            [mm.x as i64, mm.y as i64, mm.z as i64]
        }));
    }
}

#[test]
fn every_point_of_a_real_scan_comes_back() {
    let Some(file) = shared("venue/royal-exhibition-building-1M.laz") else { return };
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(dir.path(), &["--memory", "256"]);
    let client = &service.client;
    let venue = client.venue("Royal Exhibition Building");
    let (scan, version) = client.publish(&venue, "royal-exhibition-building-1M.laz", &fs::read(&file).unwrap());
    let shown = client.get(&format!("/api/scans/{scan}")).expect(200).json();
    assert_eq!(shown["versions"][0]["points"], 1_000_000);

    let (mut found, tiles) = positions_mm(client, &format!("/tiles/{scan}/{version}/tileset.json"));
    assert_eq!(found.len(), 1_000_000);
    assert!(tiles > 10, "only {tiles} tiles");
    // The file's own step is 1 mm, and so is the tiles': not a point may move.
    let mut expected = source_mm(&file);
    found.sort_unstable();
    expected.sort_unstable();
    let moved = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
    assert_eq!(moved, 0, "{moved} positions are not those of the file");

    let log = service.stop();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
}
