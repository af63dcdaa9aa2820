//! Thumbnail and plan of a scan, drawn from the coarse levels of its tiles: enough points for a picture, however large
//! the scan is.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, bail};
use glam::DVec3;
use parterre_scans::raster::{self, ColoredPoint};
use parterre_scans::tile::archive::Index;
use parterre_scans::tile::glb;
use parterre_scans::tile::tileset::{Tile, Tileset};

/// Points that a picture is drawn from, at most about.
const PICTURE_POINTS: usize = 2_000_000;

/// Width and height of a thumbnail.
const THUMBNAIL: (u32, u32) = (640, 400);
/// Width and height of a plan, at most.
const PLAN: (u32, u32) = (1200, 900);

/// Two PNGs.
#[derive(Debug)]
pub struct Pictures {
    /// The scan seen from a corner above.
    pub thumbnail: Vec<u8>,
    /// The scan seen from above.
    pub plan: Vec<u8>,
}

/// Draws both pictures.
pub fn draw(points: &[ColoredPoint]) -> anyhow::Result<Pictures> {
    Ok(Pictures {
        thumbnail: raster::thumbnail(points, THUMBNAIL.0, THUMBNAIL.1).context("failed to draw the thumbnail")?,
        plan: raster::plan(points, PLAN.0, PLAN.1).context("failed to draw the plan")?,
    })
}

/// Reads tiles level by level, coarse ones first, until there are enough points. Positions are in the scan frame.
pub fn coarse_points(archive: &Path) -> anyhow::Result<Vec<ColoredPoint>> {
    let mut file = BufReader::new(File::open(archive).with_context(|| format!("failed to open {}", archive.display()))?);
    let index = Index::read(&mut file)?;
    let mut read = |path: &str| -> anyhow::Result<Vec<u8>> {
        index.read_entry(&mut file, path)?.with_context(|| format!("{path} is missing in the tiles"))
    };
    let root: Tileset = serde_json::from_slice(&read("tileset.json")?).context("tileset.json is damaged")?;
    let origin = root.root.transform.map_or(DVec3::ZERO, |matrix| DVec3::new(matrix[12], matrix[13], matrix[14]));
    let mut points = Vec::new();
    let mut queue: VecDeque<(String, Tile)> = VecDeque::from([(String::new(), root.root)]);
    while let Some((folder, tile)) = queue.pop_front() {
        if points.len() >= PICTURE_POINTS {
            break;
        }
        if let Some(content) = &tile.content {
            let path = resolve(&folder, &content.uri)?;
            if Path::new(&path).extension().is_some_and(|ending| ending == "json") {
                let inner: Tileset = serde_json::from_slice(&read(&path)?).with_context(|| format!("{path} is damaged"))?;
                queue.push_back((folder_of(&path).to_owned(), inner.root));
            } else {
                for part in glb::decode(&read(&path)?).with_context(|| format!("failed to read {path}"))? {
                    points.extend(part.vertices.iter().map(|vertex| {
                        let [r, g, b, _] = vertex.color;
                        ColoredPoint { position: origin + part.position_m(vertex), color: [r, g, b] }
                    }));
                }
            }
        }
        queue.extend(tile.children.into_iter().map(|child| (folder.clone(), child)));
    }
    if points.is_empty() {
        bail!("the tiles hold no point");
    }
    Ok(points)
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path in the archive of an address in a document that lies in `folder`.
fn resolve(folder: &str, uri: &str) -> anyhow::Result<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in uri.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    bail!("{uri} leads out of the tileset");
                }
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_inside() -> anyhow::Result<()> {
        assert_eq!(resolve("", "tiles/0.glb")?, "tiles/0.glb");
        assert_eq!(resolve("sub/a", "../b.json")?, "sub/b.json");
        assert_eq!(resolve("sub", "./x/y.glb")?, "sub/x/y.glb");
        assert!(resolve("sub", "../../x").is_err());
        Ok(())
    }
}
