//! What of an archive of tiles goes over the wire, and for what: `wire_bytes TILES.3TZ` prints JSON.
//!
//! A tile's buffer views are counted as they lie in it, compressed: the first one of each primitive, positions and colours, apart from
//! the attributes; what is left of an entry (JSON, headers, padding) and the tilesets are `other`.

use std::fs::File;
use std::io::{BufReader, Write as _};

use parterre_tile::archive::Index;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Bytes of a tile.
#[derive(Default)]
struct Tile {
    points: u64,
    position_color: u64,
    attributes: u64,
}

fn main() -> Result<()> {
    let path = std::env::args_os().nth(1).ok_or("usage: wire_bytes TILES.3TZ")?;
    let mut archive = BufReader::new(File::open(path)?);
    let index = Index::read(&mut archive)?;
    let (mut sum, mut tiles, mut all) = (Tile::default(), 0_u64, 0_u64);
    for path in index.paths(&mut archive)? {
        let entry = index.entry(&mut archive, &path)?.ok_or("an entry that the index does not know")?;
        all += entry.compressed_len;
        if path.rsplit('.').next() != Some("glb") {
            continue;
        }
        let tile = measure(&index.read_entry(&mut archive, &path)?.ok_or("an entry that is gone")?)?;
        tiles += 1;
        sum.points += tile.points;
        sum.position_color += tile.position_color;
        sum.attributes += tile.attributes;
    }
    let a_point = |bytes: u64| bytes as f64 / sum.points.max(1) as f64;
    let document = json!({
        "tiles": tiles,
        "points": sum.points,
        "bytes": all,
        "position_color_bytes": sum.position_color,
        "attribute_bytes": sum.attributes,
        "position_color_a_point": a_point(sum.position_color),
        "all_a_point": a_point(all),
    });
    Ok(writeln!(std::io::stdout(), "{document}")?)
}

fn measure(glb: &[u8]) -> Result<Tile> {
    let length = glb.get(12..16).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes).ok_or("a tile without a head")?;
    let document: Value = serde_json::from_slice(glb.get(20..20 + length as usize).ok_or("a tile that ends in its JSON")?)?;
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let mut tile = Tile::default();
    let mut of_positions = Vec::new();
    for mesh in document["meshes"].as_array().into_iter().flatten() {
        for primitive in mesh["primitives"].as_array().into_iter().flatten() {
            let position = &document["accessors"][number(&primitive["attributes"]["POSITION"]) as usize];
            tile.points += number(&position["count"]);
            of_positions.push(number(&position["bufferView"]));
        }
    }
    for (index, view) in document["bufferViews"].as_array().into_iter().flatten().enumerate() {
        let compressed = &view["extensions"]["EXT_meshopt_compression"]["byteLength"];
        let bytes = number(if compressed.is_null() { &view["byteLength"] } else { compressed });
        if of_positions.contains(&(index as u64)) {
            tile.position_color += bytes;
        } else {
            tile.attributes += bytes;
        }
    }
    Ok(tile)
}
