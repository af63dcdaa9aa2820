//! `tileset.json` of 3D Tiles 1.1, as far as Parterre writes and reads it.
//!
//! The root tileset carries Parterre's own facts in `asset.extras.parterre` ([`ScanExtras`]).

use glam::DVec3;
use serde::{Deserialize, Serialize};

use parterre_model::frame::Frame;
use parterre_model::points::{Attributes, Bounds};

/// Version of the layout written in `asset.extras.parterre.format_version`.
pub const FORMAT_VERSION: u32 = 1;

/// A tileset document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tileset {
    /// Version and extras.
    pub asset: Asset,
    /// Metres.
    pub geometric_error: f64,
    /// Root tile.
    pub root: Tile,
    /// glTF extensions in the content, in the standard's own place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<serde_json::Value>,
    /// Standard list of extensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions_used: Vec<String>,
}

/// `asset`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// "1.1".
    pub version: String,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
    /// Ours, in the root tileset only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extras: Option<AssetExtras>,
}

/// `asset.extras`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssetExtras {
    /// Parterre's own facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parterre: Option<ScanExtras>,
}

/// What the viewer needs to know of a scan before the first tile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScanExtras {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Where the scan lies.
    pub frame: Frame,
    /// Attributes in the tiles.
    pub attributes: Attributes,
    /// Points in all tiles.
    pub points: u64,
    /// Bounds in the scan frame, metres, `[minx, miny, minz, maxx, maxy, maxz]`.
    pub bounds: [f64; 6],
    /// 2nd and 98th percentile of intensity, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intensity_range: Option<[u16; 2]>,
    /// Whether the tiles have normals. Not in older documents, whose tiles have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normals: Option<Normals>,
    /// A good place to start walking. Not in older documents, and not where no floor was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// Share of the plan, where anything was scanned, that has a roof or a ceiling over a room: 0 to a tenth outdoors, a third and more in a building. Not in older
    /// documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roofed_share: Option<f64>,
}

/// A place where a person can stand, and where to look from there. Scan frame, metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The eye, at a person's height above the floor.
    pub eye: DVec3,
    /// A point in the direction of view.
    pub target: DVec3,
}

/// What is known of the normals in the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normals {
    /// How the side of the surface was found that the normals point to; `None` where they may point to either side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oriented: Option<Orientation>,
}

/// How normals were turned to the visible side of their surfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// Towards the setup of the scanner that measured the point; where that is not known, as [`Orientation::FreeSpace`].
    Setups,
    /// Towards the side with more free space.
    FreeSpace,
    /// In a way that this version does not know.
    #[serde(other)]
    Other,
}

/// One tile.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tile {
    /// Tight box.
    pub bounding_volume: BoundingVolume,
    /// Metres.
    pub geometric_error: f64,
    /// "ADD" at the root; inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refine: Option<String>,
    /// Column-major 4x4; the root tileset's root has the frame's origin as translation. Others have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<[f64; 16]>,
    /// A `.glb`, or a `.json` with an external tileset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Children.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Tile>,
    /// Points in this tile's own content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extras: Option<TileExtras>,
}

/// `extras` of a tile.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct TileExtras {
    /// Points in this tile's own content.
    pub points: u32,
}

/// `boundingVolume`: a box of centre and three half axes, axis-aligned in the tile frame.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BoundingVolume {
    /// Centre, x half axis, y half axis, z half axis.
    #[serde(rename = "box")]
    pub obb: [f64; 12],
}

impl BoundingVolume {
    /// The axis-aligned box around it, tile frame. Not finite where the document's numbers are not.
    pub fn bounds(&self) -> Bounds {
        let [cx, cy, cz, ax, ay, az, bx, by, bz, dx, dy, dz] = self.obb;
        let center = DVec3::new(cx, cy, cz);
        let half = DVec3::new(ax, ay, az).abs() + DVec3::new(bx, by, bz).abs() + DVec3::new(dx, dy, dz).abs();
        Bounds { min: center - half, max: center + half }
    }
}

/// `content`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Content {
    /// Relative to the document.
    pub uri: String,
}

impl Content {
    /// The content's path relative to the root tileset's folder, where `base` is the folder of the document that names it.
    /// `None` where the address leaves the root tileset's folder or is no plain path.
    pub fn path(&self, base: &str) -> Option<String> {
        if self.uri.contains([':', '\\', '?', '#']) {
            return None;
        }
        let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
        for part in self.uri.split('/') {
            match part {
                "" => return None,
                "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normals_are_optional_and_how_they_are_oriented_too() {
        let read = |text: &str| serde_json::from_str::<Normals>(text).map(|normals| normals.oriented).ok();
        assert_eq!(read("{}"), Some(None));
        assert_eq!(read(r#"{"oriented":"setups"}"#), Some(Some(Orientation::Setups)));
        assert_eq!(read(r#"{"oriented":"free_space"}"#), Some(Some(Orientation::FreeSpace)));
        assert_eq!(read(r#"{"oriented":"by hand"}"#), Some(Some(Orientation::Other)));
    }

    #[test]
    fn a_start_is_an_eye_and_a_target() {
        let start: Start = serde_json::from_str(r#"{"eye":[1,2,3.7],"target":[4,5,6]}"#).expect("a start");
        assert_eq!(start, Start { eye: DVec3::new(1.0, 2.0, 3.7), target: DVec3::new(4.0, 5.0, 6.0) });
        assert_eq!(serde_json::to_string(&start).expect("JSON"), r#"{"eye":[1.0,2.0,3.7],"target":[4.0,5.0,6.0]}"#);
        assert!(serde_json::from_str::<Start>(r#"{"eye":[1,2],"target":[4,5,6]}"#).is_err());
    }

    #[test]
    fn addresses_stay_inside() {
        let path = |base: &str, uri: &str| Content { uri: uri.into() }.path(base);
        assert_eq!(path("", "t/0.glb").as_deref(), Some("t/0.glb"));
        assert_eq!(path("s", "../t/1.glb").as_deref(), Some("t/1.glb"));
        for uri in ["", "/etc/passwd", "../x", "a/../../x", "a//x", "http://x/y", "a\\b", "x?y", "x#y"] {
            assert_eq!(path("", uri), None, "{uri}");
        }
    }
}
