//! The scene: the open scans, where each lies, the requests for their tiles, and the tiles in memory.
//!
//! Each scan has its own tree and tile frame. All scans share the requests, the memory for tiles and the point budget.
//!
//! The scene's frame is the scan frame of the first scan. Scans that name the same coordinate reference system are placed by it: where tiles say
//! how they lie on the Earth, by that, because the axes of two such scans differ by a small turn. Heights are those of the system, not above the tangent plane.
//! All other scans keep their own coordinates, which need not have anything to do with each other; the panel says so.

use bevy::math::{DMat4, DVec2, DVec3};
use bevy::prelude::*;
use parterre_lod::{Content, ScanId, TileId};
use parterre_model::frame::Frame;
use parterre_model::points::Bounds;

use super::fetch::Fetcher;
use super::residency::{Residency, ResidentTile};
use crate::fault::Fault;
use crate::placement::Placement;
use crate::source::OpenScan;

/// A scan is recognized in an overview where it has at least this share of the picture's width.
const OVERVIEW_SHARE_MIN: f64 = 0.03;
/// Half an edge of what is shown while nothing is open. Metres.
const EMPTY_M: f64 = 5.0;

/// A scan of the scene.
pub struct Scan {
    /// Identifies it as long as the program runs.
    pub id: ScanId,
    /// The opened source; its tree grows when external tilesets are loaded.
    pub open: OpenScan,
    /// Where it lies.
    pub placement: Placement,
    /// Whether it is drawn, picked and walked on. A hidden scan requests no tiles.
    pub is_visible: bool,
    /// Where it would lie if nobody had moved it.
    unmoved: Placement,
}

/// How a scan is moved from where its coordinates place it: turned about its origin (anticlockwise, radians), then moved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Move {
    /// Metres.
    pub by_m: DVec3,
    /// Radians.
    pub turn_rad: f64,
}

/// A source that could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unopened {
    /// Its path or address, as it was given.
    pub source: String,
    /// Why.
    #[serde(flatten)]
    pub fault: Fault,
}

impl Scan {
    fn frame(&self) -> &Frame {
        &self.open.tree.scan.frame
    }

    /// Its bounds. Scene frame, metres.
    pub fn bounds(&self) -> Bounds {
        let [x0, y0, z0, x1, y1, z1] = self.open.tree.scan.bounds;
        let origin_m = self.frame().origin_m;
        let in_tile_frame = Bounds { min: DVec3::new(x0, y0, z0) - origin_m, max: DVec3::new(x1, y1, z1) - origin_m };
        self.placement.scene_bounds(&in_tile_frame)
    }
}

/// The scene.
#[derive(Resource)]
pub struct Scans {
    list: Vec<Scan>,
    /// Sources that could not be opened.
    pub unopened: Vec<Unopened>,
    /// The requests for tiles.
    pub fetcher: Fetcher,
    /// The tiles in memory.
    pub residency: Residency,
    last_id: u32,
    revision: u64,
    /// Whether the scene's Y axis points to the north.
    has_north: bool,
}

/// Sources that have been opened, and those that could not be.
#[derive(Default)]
pub struct Opened {
    /// In the order in which they were given.
    pub scans: Vec<(OpenScan, Move)>,
    /// The others.
    pub unopened: Vec<Unopened>,
}

impl Scans {
    /// No scans; later at most `cache_bytes` of tiles are kept in memory.
    pub fn new(cache_bytes: u64) -> Self {
        Self {
            list: Vec::new(),
            unopened: Vec::new(),
            fetcher: Fetcher::new(),
            residency: Residency::new(cache_bytes),
            last_id: 0,
            revision: 0,
            has_north: false,
        }
    }

    /// Adds what has been opened.
    pub fn add_all(&mut self, opened: Opened) {
        for (open, moved) in opened.scans {
            self.add(open, moved);
        }
        self.unopened.extend(opened.unopened);
    }

    /// Adds an opened scan.
    pub fn add(&mut self, open: OpenScan, moved: Move) -> ScanId {
        let frame = &open.tree.scan.frame;
        let related = self.list.iter().find_map(|other| Some(other.unmoved.then(&within(other.frame(), frame)?)));
        let unmoved = related.unwrap_or_else(|| Placement::new(frame.origin_m, 0.0));
        let placement = Placement::new(unmoved.origin_m() + moved.by_m, unmoved.turn_rad() + moved.turn_rad);
        if self.list.is_empty() {
            self.has_north = frame.ecef_from_tile.is_some();
        }
        self.last_id += 1;
        let id = ScanId(self.last_id);
        let mut open = open;
        self.distinguish(&mut open);
        self.list.push(Scan { id, open, placement, is_visible: true, unmoved });
        self.revision += 1;
        id
    }

    /// Gives a scan, and those that have the same name, names that differ: most archives are called `tiles.3tz`.
    fn distinguish(&mut self, open: &mut OpenScan) {
        let name = open.name.clone();
        let mut same = self.list.iter_mut().map(|scan| &mut scan.open).filter(|other| other.name == name).peekable();
        if same.peek().is_some() {
            same.chain([&mut *open]).for_each(|open| open.name = open.store.name_with_folder().unwrap_or_else(|| name.clone()));
        }
        let name = open.name.clone();
        let is_taken = |name: &str| self.list.iter().any(|scan| scan.open.name == name);
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        open.name = std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(name.clone());
    }

    /// Removes a scan and its tiles. Returns whether there was one.
    pub fn close(&mut self, id: ScanId) -> bool {
        let before = self.list.len();
        self.list.retain(|scan| scan.id != id);
        self.residency.forget(id);
        self.revision += 1;
        self.list.len() < before
    }

    /// Shows or hides a scan. Returns whether there is one.
    pub fn set_visible(&mut self, id: ScanId, is_visible: bool) -> bool {
        let Some(scan) = self.list.iter_mut().find(|scan| scan.id == id) else { return false };
        if scan.is_visible != is_visible {
            scan.is_visible = is_visible;
            self.revision += 1;
        }
        true
    }

    /// Number of scans opened so far.
    pub fn opened(&self) -> u32 {
        self.last_id
    }

    /// Changes whenever a scan is opened, closed, shown or hidden.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// A scan.
    pub fn get(&self, id: ScanId) -> Option<&Scan> {
        self.list.iter().find(|scan| scan.id == id)
    }

    /// A scan, to change its tree.
    pub fn get_mut(&mut self, id: ScanId) -> Option<&mut Scan> {
        self.list.iter_mut().find(|scan| scan.id == id)
    }

    /// All open scans, in the order in which they were opened.
    pub fn iter(&self) -> impl Iterator<Item = &Scan> {
        self.list.iter()
    }

    /// The scans that are shown.
    pub fn visible(&self) -> impl Iterator<Item = &Scan> + Clone {
        self.list.iter().filter(|scan| scan.is_visible)
    }

    /// Whether the scene's Y axis points to the north.
    pub fn has_north(&self) -> bool {
        self.has_north
    }

    /// Whether no scan is open.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Number of known nodes of all trees. A tileset that continues a tree changes which tiles are wanted.
    pub fn nodes(&self) -> usize {
        self.list.iter().map(|scan| scan.open.tree.len()).sum()
    }

    /// Number of points of all scans that are shown.
    pub fn points(&self) -> u64 {
        self.visible().map(|scan| scan.open.tree.scan.points).sum()
    }

    /// The bounds of the scans that are shown; of all scans where none is. Scene frame, metres.
    pub fn bounds(&self) -> Bounds {
        let around = |scans: &mut dyn Iterator<Item = &Scan>| scans.fold(Bounds::EMPTY, |bounds, scan| bounds.union(scan.bounds()));
        let candidates = [around(&mut self.visible()), around(&mut self.iter())];
        let empty = Bounds { min: DVec3::splat(-EMPTY_M), max: DVec3::splat(EMPTY_M) };
        candidates.into_iter().find(|bounds| !bounds.is_empty()).unwrap_or(empty)
    }

    /// What an overview shows: the bounds of all scans that are shown; where these lie so far apart that one would see nothing of them, of the first of them.
    /// Scene frame, metres.
    pub fn overview(&self) -> Vec<Bounds> {
        let all: Vec<Bounds> = self.visible().map(Scan::bounds).collect();
        let extent_m = self.bounds().size().length();
        let is_seen = |bounds: &Bounds| bounds.size().length() >= OVERVIEW_SHARE_MIN * extent_m;
        match all.first() {
            None => vec![self.bounds()],
            Some(first) if !all.iter().any(is_seen) => vec![*first],
            Some(_) => all,
        }
    }

    /// Whether scans are open whose coordinates have nothing to do with each other, as far as is known.
    pub fn are_apart(&self) -> bool {
        let is_apart = |first: &Scan, other: &Scan| within(first.frame(), other.frame()).is_none();
        self.list.split_first().is_some_and(|(first, others)| others.iter().any(|other| is_apart(first, other)))
    }

    /// The tiles in memory of the scans that are shown.
    pub fn tiles(&self) -> impl Iterator<Item = (&Scan, &ResidentTile)> {
        self.residency.iter().filter_map(|(id, tile)| Some((self.get(id.scan).filter(|scan| scan.is_visible)?, tile)))
    }

    /// Requests a tile. Returns `false` where so many requests are in progress that it must wait.
    pub(super) fn request(&mut self, tile: TileId) -> bool {
        let Some(scan) = self.list.iter().find(|scan| scan.id == tile.scan) else { return true };
        self.fetcher.start(tile, &scan.open.store, &scan.open.tree.node(tile.node).content)
    }

    /// Heights of the points in memory within a horizontal distance of a position, of the scans that are shown. Scene frame, metres.
    pub fn heights(&self, position: DVec2, radius_m: f64) -> Vec<f64> {
        let mut heights_m = Vec::new();
        self.for_each_near(position, radius_m, |point| heights_m.push(point.z));
        heights_m
    }

    /// Visits the points in memory within a horizontal distance of a position, of the scans that are shown. Scene frame, metres.
    pub fn for_each_near(&self, position: DVec2, radius_m: f64, mut visit: impl FnMut(DVec3)) {
        for (scan, tile) in self.tiles() {
            let center = scan.placement.tile_from_scene(position.extend(0.0)).truncate();
            tile.points.for_each_near(center, radius_m, |point| visit(scan.placement.scene_from_tile(point)));
        }
    }

    /// The coarsest tile of a scan, which has points of the whole scan; `None` while it is not in memory.
    pub fn coarsest(&self, scan: &Scan) -> Option<&ResidentTile> {
        let (node, _) = scan.open.tree.iter().find(|(_, node)| matches!(node.content, Content::Points(_)))?;
        self.residency.get(TileId { scan: scan.id, node })
    }

    /// The address of a tile's content, for messages, with the scan's name where there are several; empty where it has none.
    pub fn tile_name(&self, id: TileId) -> String {
        let Some(scan) = self.get(id.scan) else { return String::new() };
        match &scan.open.tree.node(id.node).content {
            Content::Points(uri) | Content::Subtree(uri) if self.list.len() > 1 => format!("{}: {uri}", scan.open.name),
            Content::Points(uri) | Content::Subtree(uri) => uri.clone(),
            Content::None => String::new(),
        }
    }
}

/// Whether any scan is open, for systems that need one.
pub fn any_open(scans: Res<Scans>) -> bool {
    !scans.is_empty()
}

/// The placement of a scan's tile frame in that of another scan; `None` where they have no coordinate reference system in common.
fn within(outer: &Frame, inner: &Frame) -> Option<Placement> {
    if outer.crs.is_none() || outer.crs != inner.crs {
        return None;
    }
    let by_coordinates = inner.origin_m - outer.origin_m;
    match (outer.ecef_from_tile, inner.ecef_from_tile) {
        (None, None) => Some(Placement::new(by_coordinates, 0.0)),
        (Some(outer), Some(inner)) => {
            let outer_from_inner = DMat4::from_cols_array(&outer).inverse() * DMat4::from_cols_array(&inner);
            let north = outer_from_inner.transform_vector3(DVec3::Y);
            let origin_m = outer_from_inner.transform_point3(DVec3::ZERO).with_z(by_coordinates.z);
            Some(Placement::new(origin_m, (-north.x).atan2(north.y))).filter(|_| origin_m.is_finite() && north.is_finite())
        }
        // One of them was tiled when the system was not known.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use parterre_lod::Tree;
    use serde_json::json;

    use super::*;
    use crate::source::Store;

    /// A scan of 40 m x 30 m x 10 m around its origin.
    fn scan(name: &str, origin_m: [f64; 3], crs: Option<&str>, ecef_from_tile: Option<[f64; 16]>) -> OpenScan {
        let [x, y, z] = origin_m;
        let mut frame = json!({"origin_m": origin_m, "unit": "metre", "unit_source": "file", "crs": crs});
        if let Some(matrix) = ecef_from_tile {
            frame["ecef_from_tile"] = json!(matrix.as_slice());
        }
        let tileset = serde_json::from_value(json!({
            "asset": {"version": "1.1", "extras": {"parterre": {
                "format_version": 1, "points": 100, "bounds": [x - 20.0, y - 15.0, z, x + 20.0, y + 15.0, z + 10.0], "frame": frame,
                "attributes": {"color": true, "intensity": false, "classification": false, "returns": false, "gps_time": false},
            }}},
            "geometricError": 8.0,
            "root": {"boundingVolume": {"box": [0, 0, 5, 20, 0, 0, 0, 15, 0, 0, 0, 5]}, "geometricError": 0.5, "content": {"uri": "t/0.glb"}},
        }))
        .expect("a valid document");
        let tree = Tree::from_tileset(&tileset, "").expect("a valid tileset");
        OpenScan { tree, store: Store::Http { base: "http://127.0.0.1:9/".into() }, name: name.into() }
    }

    /// East, north and up at a place on a sphere. Radians.
    fn on_earth(latitude: f64, longitude: f64) -> [f64; 16] {
        let ((sin_lat, cos_lat), (sin_lon, cos_lon)) = (latitude.sin_cos(), longitude.sin_cos());
        let up = DVec3::new(cos_lat * cos_lon, cos_lat * sin_lon, sin_lat);
        let east = DVec3::new(-sin_lon, cos_lon, 0.0);
        let columns = [east.extend(0.0), up.cross(east).extend(0.0), up.extend(0.0), (up * 6.37e6).extend(1.0)];
        DMat4::from_cols(columns[0], columns[1], columns[2], columns[3]).to_cols_array()
    }

    fn opened(scans: impl IntoIterator<Item = OpenScan>) -> Scans {
        let mut all = Scans::new(1 << 20);
        all.add_all(Opened { scans: scans.into_iter().map(|open| (open, Move::default())).collect(), unopened: Vec::new() });
        all
    }

    #[test]
    fn scans_are_placed_by_their_system_or_keep_their_own_coordinates() {
        let [first, second] = [[500_000.0, 5_500_000.0, 100.0], [501_000.0, 5_500_010.0, 107.0]];
        let rows = [
            ("the same system", Some("EPSG:25832"), Some("EPSG:25832"), false),
            ("different systems", Some("EPSG:25832"), Some("EPSG:25833"), true),
            ("one without a system", Some("EPSG:25832"), None, true),
            ("both without a system", None, None, true),
        ];
        for (what, of_first, of_second, are_apart) in rows {
            let scans = opened([scan("a", first, of_first, None), scan("b", second, of_second, None)]);
            let placements: Vec<Placement> = scans.iter().map(|scan| scan.placement).collect();
            assert_eq!(placements, [first, second].map(|origin_m| Placement::new(DVec3::from_array(origin_m), 0.0)), "{what}");
            assert_eq!(scans.are_apart(), are_apart, "{what}");
        }
        assert!(!opened([scan("a", first, None, None)]).are_apart(), "there is only one");
    }

    #[test]
    fn georeferenced_scans_are_placed_on_the_earth_at_the_heights_of_their_system() {
        let latitude = 49_f64.to_radians();
        // A kilometre to the east.
        let turn = 1000.0 / (6.37e6 * latitude.cos());
        let crs = Some("EPSG:25832");
        let first = scan("a", [500_000.0, 5_500_000.0, 100.0], crs, Some(on_earth(latitude, 0.15)));
        // The grid of the map is turned, so that the coordinates differ by something else.
        let second = scan("b", [500_999.0, 5_500_030.0, 107.0], crs, Some(on_earth(latitude, 0.15 + turn)));
        let scans = opened([first, second]);
        let placement = scans.iter().nth(1).expect("two scans").placement;
        let from_first = placement.origin_m() - DVec3::new(500_000.0, 5_500_000.0, 100.0);
        assert!((from_first - DVec3::new(1000.0, 0.09, 7.0)).abs().max_element() < 0.01, "{from_first}");
        assert!((placement.turn_rad() - turn * latitude.sin()).abs() < 1e-7, "{}", placement.turn_rad());
        assert!(scans.has_north() && !scans.are_apart());
    }

    #[test]
    fn hidden_and_closed_scans_do_not_count() {
        let mut scans = opened([scan("a", [0.0; 3], None, None), scan("b", [100.0, 0.0, 0.0], None, None)]);
        let ids: Vec<ScanId> = scans.iter().map(|scan| scan.id).collect();
        assert_eq!((scans.points(), scans.bounds().max.x), (200, 120.0));
        let revision = scans.revision();
        assert!(scans.set_visible(ids[1], false) && scans.revision() > revision);
        assert_eq!((scans.points(), scans.bounds().max.x, scans.visible().count()), (100, 20.0, 1));
        assert!(scans.set_visible(ids[0], false));
        assert_eq!((scans.points(), scans.bounds().max.x), (0, 120.0), "where nothing is shown, the view stays as large as all scans");
        assert!(scans.close(ids[0]) && !scans.close(ids[0]) && !scans.set_visible(ids[0], true));
        assert!(scans.close(ids[1]) && scans.is_empty() && scans.bounds().size().length() > 1.0);
        let again = scans.add(scan("a", [0.0; 3], None, None), Move::default());
        assert!(!ids.contains(&again), "a number is never used again");
    }

    #[test]
    fn an_overview_shows_all_scans_unless_they_lie_too_far_apart() {
        let near = opened([scan("a", [0.0; 3], None, None), scan("b", [300.0, 0.0, 0.0], None, None)]);
        assert_eq!(near.overview(), near.iter().map(Scan::bounds).collect::<Vec<_>>());
        let far = opened([scan("a", [0.0; 3], None, None), scan("b", [600_000.0, 5e6, 0.0], None, None)]);
        assert_eq!(far.overview(), [far.iter().next().expect("two scans").bounds()]);
        assert_eq!(opened([]).overview().len(), 1, "of nothing too");
    }

    #[test]
    fn names_differ_and_moves_turn_about_the_origin() {
        let mut scans = opened([scan("hall", [0.0; 3], None, None), scan("hall", [0.0; 3], None, None)]);
        let moved = Move { by_m: DVec3::new(100.0, 0.0, 2.0), turn_rad: std::f64::consts::FRAC_PI_2 };
        scans.add(scan("hall", [10.0, 0.0, 0.0], None, None), moved);
        assert_eq!(scans.iter().map(|scan| scan.open.name.as_str()).collect::<Vec<_>>(), ["hall", "hall (2)", "hall (3)"]);
        let bounds = scans.iter().last().expect("three scans").bounds();
        assert!(
            (bounds.min - DVec3::new(95.0, -20.0, 2.0)).length() < 1e-9 && (bounds.max - DVec3::new(125.0, 20.0, 12.0)).length() < 1e-9,
            "{bounds:?}"
        );
    }
}
