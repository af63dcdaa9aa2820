//! What the tiler promises of the tree: no point is lost, boxes hold what is in them, errors shrink, bytes repeat.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::float_cmp, reason = "these numbers are copied, not computed")]

mod tiler_support;

use std::collections::HashMap;
use std::path::Path;

use glam::{DVec3, I64Vec3};
use parterre_lod::{Content as LodContent, Tree};
use parterre_tile::archive::Index;
use parterre_tile::tileset::{Tile, Tileset};
use parterre_tiler::{Options, TileRead, read_back};
use proptest::prelude::*;
use tiler_support::{Point, Random, room, run};

type Seen = (I64Vec3, [u8; 3], u16, u8);

fn sorted(mut points: Vec<Seen>) -> Vec<Seen> {
    points.sort_unstable_by_key(|(position, color, intensity, class)| (position.to_array(), *color, *intensity, *class));
    points
}

fn wanted(points: &[Point]) -> Vec<Seen> {
    let seen = |point: &Point| ((point.position * 1000.0).round().as_i64vec3(), point.color, point.intensity, point.classification);
    sorted(points.iter().filter(|point| point.position.is_finite()).map(seen).collect())
}

fn tiles(dir: &Path) -> Vec<TileRead> {
    read_back(&dir.join("tiles.3tz")).unwrap().collect::<Result<_, _>>().unwrap()
}

fn found(dir: &Path) -> Vec<Seen> {
    let reader = read_back(&dir.join("tiles.3tz")).unwrap();
    let origin = reader.extras().frame.origin_m;
    let mut points = Vec::new();
    for tile in reader {
        for part in tile.unwrap().parts {
            for (vertex, extra) in part.vertices.iter().zip(&part.extras) {
                let position = ((origin + part.position_m(vertex)) * 1000.0).round().as_i64vec3();
                let [red, green, blue, _] = vertex.color;
                points.push((position, [red, green, blue], extra.intensity, extra.classification));
            }
        }
    }
    sorted(points)
}

/// Checks every promise on the points and the tree; returns the number of tiles.
fn check(points: Vec<Point>, options: &Options) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let report = run(points.clone(), dir.path(), options).unwrap();
    let wanted = wanted(&points);
    assert_eq!(report.points_in, points.len() as u64);
    assert_eq!(report.points_out, wanted.len() as u64);
    assert_eq!(report.points_in, report.points_out + report.points_dropped);
    assert!(found(dir.path()) == wanted, "points are not the same");
    assert_eq!(report.bytes, dir.path().join("tiles.3tz").metadata().unwrap().len());
    let mut names: Vec<String> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut listed: Vec<&str> = report.files.iter().map(|file| file.name.as_str()).chain(["report.json"]).collect();
    listed.sort_unstable();
    names.sort_unstable();
    assert_eq!(names, listed);
    let tiles = tiles(dir.path());
    assert_eq!(tiles.len() as u64, report.tiles);
    check_tree(dir.path());
    tiles.len()
}

/// Boxes and errors through all documents.
fn check_tree(dir: &Path) {
    let contents: HashMap<String, TileRead> = tiles(dir).into_iter().map(|tile| (tile.path.clone(), tile)).collect();
    let mut archive = std::fs::File::open(dir.join("tiles.3tz")).unwrap();
    let index = Index::read(&mut archive).unwrap();
    let mut open = |path: &str| -> Tileset { serde_json::from_slice(&index.read_entry(&mut archive, path).unwrap().unwrap()).unwrap() };
    let root = open("tileset.json");
    assert_eq!(root.root.refine.as_deref(), Some("ADD"));
    assert!(root.root.transform.is_some());
    let mut waiting = vec![(root.root, f64::INFINITY, None)];
    let mut in_document = 0;
    while let Some((tile, error_above, box_above)) = waiting.pop() {
        in_document += 1;
        let own = bounds(&tile);
        if let Some((min, max)) = box_above {
            assert!(own.0.cmpge(min - 1e-9).all() && own.1.cmple(max + 1e-9).all(), "{own:?} leaves {min} {max}");
        }
        assert!(tile.geometric_error <= error_above, "{} > {error_above}", tile.geometric_error);
        let uri = &tile.content.as_ref().unwrap().uri;
        assert!(!uri.contains(".3tz"));
        if let Some(content) = contents.get(uri) {
            let held: usize = content.parts.iter().map(|part| part.vertices.len()).sum();
            assert_eq!(tile.extras.unwrap().points as usize, held);
            let mut tight = parterre_model::points::Bounds::EMPTY;
            for part in &content.parts {
                tight = tight.union(part.bounds());
            }
            assert!(tight.min.cmpge(own.0 - 1e-9).all() && tight.max.cmple(own.1 + 1e-9).all());
            if tile.children.is_empty() {
                assert_eq!(tile.geometric_error, 0.0, "{uri}");
                assert!((tight.size() + 1e-3 - (own.1 - own.0)).abs().max_element() < 1e-9, "{uri} is not tight");
            } else {
                // Cells that are too small to be cut hold all points of one place.
                let of_one_place = tile.children.iter().all(|child| child.geometric_error == 0.0) && tight.size().max_element() < 1.0;
                assert!(tile.geometric_error > 0.0 || of_one_place, "{uri}");
            }
        } else {
            let inner = open(uri);
            assert_eq!(inner.root.refine.as_deref(), Some("ADD"));
            assert!(inner.root.transform.is_none());
            assert_eq!(inner.geometric_error, tile.geometric_error);
            assert_eq!(count(&inner.root), count(&inner.root).min(520), "documents stay small");
            waiting.push((inner.root, tile.geometric_error, Some(own)));
        }
        waiting.extend(tile.children.into_iter().map(|child| (child, tile.geometric_error, Some(own))));
    }
    assert!(in_document >= contents.len());
}

fn count(tile: &Tile) -> usize {
    1 + tile.children.iter().map(count).sum::<usize>()
}

fn bounds(tile: &Tile) -> (DVec3, DVec3) {
    let obb = tile.bounding_volume.obb;
    let (center, half) = (DVec3::new(obb[0], obb[1], obb[2]), DVec3::new(obb[3], obb[7], obb[11]));
    (center - half, center + half)
}

fn small(tile_points: usize, memory_bytes: u64) -> Options {
    Options { tile_points, memory_bytes, ..Options::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_points(
        positions in prop::collection::vec([-300_000..300_000_i64, -300_000..300_000_i64, -40_000..40_000_i64], 1..3000),
        at in [-5_000_000..5_000_000_i64, -5_000_000..5_000_000_i64, -400..8000_i64],
        tile_points in 16..400_usize, memory_bytes in 1_u64..400_000, seed: u64,
    ) {
        let mut random = Random(seed);
        let at = I64Vec3::from_array(at) * 1000;
        let points = positions.into_iter().map(|mm| random.point((at + I64Vec3::from_array(mm)).as_dvec3() / 1000.0)).collect();
        check(points, &small(tile_points, memory_bytes));
    }

    #[test]
    fn clustered_points(
        clusters in prop::collection::vec((prop::array::uniform3(-40_000_000..40_000_000_i64).prop_map(I64Vec3::from_array), 1..300_usize, 1..2000_i64), 1..6),
        tile_points in 16..100_usize, memory_bytes in 1_u64..100_000, seed: u64,
    ) {
        let mut random = Random(seed);
        let mut points = Vec::new();
        for (at, count, size) in clusters {
            for _ in 0..count {
                let mut off = || (random.next() % size as u64) as i64;
                let mm = at / 2 + I64Vec3::new(off(), off(), off());
                points.push(random.point(mm.as_dvec3() / 1000.0));
            }
        }
        check(points, &small(tile_points, memory_bytes));
    }
}

#[test]
fn a_room_in_many_chunks_and_documents() {
    let points = room(120_000, DVec3::new(40.0, 25.0, 9.0), DVec3::new(321_000.0, 5_812_000.0, 30.0), 1);
    let count = check(points, &small(60, 100_000));
    assert!(count > 1000, "{count}");
}

#[test]
fn an_overview_has_whole_levels_within_its_budget() {
    let dir = tempfile::tempdir().unwrap();
    run(room(100_000, DVec3::new(40.0, 25.0, 9.0), DVec3::ZERO, 9), dir.path(), &small(100, 1 << 20)).unwrap();
    let all = tiles(dir.path());
    assert!(all.is_sorted_by_key(|tile| tile.depth), "through documents too");
    let points = |tiles: &[TileRead]| tiles.iter().flat_map(|tile| &tile.parts).map(|part| part.vertices.len()).sum::<usize>();
    for budget in [0, 1000, 20_000, 1_000_000] {
        let some = read_back(&dir.path().join("tiles.3tz")).unwrap().overview(budget).unwrap();
        let deepest = some.last().unwrap().depth;
        assert_eq!(some.len(), all.iter().filter(|tile| tile.depth <= deepest).count(), "{budget}");
        assert!(points(&some) as u64 <= budget || deepest == 0, "{budget}");
        let next = points(&all.iter().filter(|tile| tile.depth <= deepest + 1).cloned().collect::<Vec<_>>());
        assert!(next as u64 > budget || next == 100_000);
    }
}

#[test]
fn the_level_of_detail_tree_takes_every_document() {
    let dir = tempfile::tempdir().unwrap();
    let report = run(room(100_000, DVec3::new(40.0, 25.0, 9.0), DVec3::ZERO, 9), dir.path(), &small(60, 1 << 20)).unwrap();
    let mut archive = std::fs::File::open(dir.path().join("tiles.3tz")).unwrap();
    let index = Index::read(&mut archive).unwrap();
    let mut open = |path: &str| -> Tileset { serde_json::from_slice(&index.read_entry(&mut archive, path).unwrap().unwrap()).unwrap() };
    let mut tree = Tree::from_tileset(&open("tileset.json"), "").unwrap();
    let mut documents = 0;
    loop {
        let links = tree.iter().filter(|(_, node)| node.children.is_empty());
        let link = links.filter_map(|(id, node)| match &node.content {
            LodContent::Subtree(path) => Some((id, path.clone())),
            _ => None,
        });
        let Some((id, path)) = link.min_by_key(|(id, _)| id.index()) else { break };
        tree.attach(id, &open(&path), "").unwrap();
        documents += 1;
    }
    assert!(documents > 1);
    let points: Vec<u64> =
        (tree.iter().filter(|(_, node)| matches!(node.content, LodContent::Points(_)))).map(|(_, node)| u64::from(node.points)).collect();
    assert_eq!(points.len() as u64, report.tiles);
    assert_eq!(points.iter().sum::<u64>(), 100_000);
}

#[test]
fn shapes_that_are_no_rooms() {
    let mut random = Random(5);
    let options = small(100, 50_000);
    check(vec![random.point(DVec3::new(1.5, 2.5, 3.5))], &options);
    check((0..3000).map(|_| random.point(DVec3::new(-7.0, 0.001, 1e6))).collect(), &options);
    check((0..3000).map(|x| random.point(DVec3::new(f64::from(x) * 0.25, 4.0, -2.0))).collect(), &options);
    check((0..3600).map(|n| random.point(DVec3::new(f64::from(n % 60), f64::from(n / 60), 0.0))).collect(), &options);
    let far = (0..4000).map(|n| random.point(DVec3::new(f64::from(n % 2) * 49_000.0 + f64::from(n % 77) * 0.001, 0.0, 0.0)));
    check(far.collect(), &options);
    let volume = (0..20_000).map(|_| {
        let position = DVec3::new(random.share(), random.share(), random.share()) * 30.0;
        random.point((position * 1000.0).round() / 1000.0)
    });
    check(volume.collect(), &options);
}

#[test]
fn identical_points_beyond_a_tile_are_cut_into_several() {
    let mut random = Random(6);
    let levels = 27;
    let count = check((0..20_000).map(|_| random.point(DVec3::ONE)).collect(), &small(100, 1));
    // The smallest cube has 16 steps along its edge: a node on each level from there to the deepest has as many.
    // What lies above them takes a point.
    assert_eq!(count, levels + 1);

    // With neighbours, so that cells above take from the pieces; and one whose first tile is all there is.
    let mut points: Vec<Point> = (0..60_000).map(|_| random.point(DVec3::new(3.0, 2.0, 1.0))).collect();
    points.extend((0..7000).map(|_| random.point(DVec3::new(3.001, 2.0, 1.0))));
    points.extend(room(5000, DVec3::splat(6.0), DVec3::ZERO, 12));
    let count = check(points, &small(20, 1));
    assert!(count >= 2 * 20 + 5000 / 60, "{count}");
    check((0..201).map(|_| random.point(DVec3::ONE)).collect(), &small(100, 1));
}

/// Most points that a tile may have where `crowd` points at most lie in the same small cell.
fn most_in_a_tile(tile_points: usize, crowd: usize) -> usize {
    (3 * tile_points).max(crowd.div_ceil(11))
}

#[test]
fn a_stray_far_away_leaves_room_below_crowded_places() {
    let mut random = Random(16);
    // At steps of 0.1 mm the tree is as deep as keys go.
    let stray = DVec3::new(49_000.0, 49_000.0, 0.0);
    let places = [DVec3::ZERO, DVec3::new(0.001, 0.0, 0.0), DVec3::new(0.0, 0.0, 0.02), DVec3::new(0.05, 0.05, 0.05)];
    let mut points = vec![random.point(stray)];
    for (number, place) in places.into_iter().enumerate() {
        points.extend((0..[30_000, 1500, 4000, 90][number]).map(|_| random.point(place)));
    }
    points.extend((0..5000).map(|n| random.point(DVec3::new(f64::from(n % 90), f64::from(n / 90), 7_000.0) * 0.001)));
    let bound = most_in_a_tile(100, points.len());
    let mut made = Vec::new();
    // With memory for all points, and with too little.
    for memory in [1 << 28, 1] {
        let options = small(100, memory);
        let count = check(points.clone(), &options);
        assert!(count >= points.len() / bound, "{count}");
        let dir = tempfile::tempdir().unwrap();
        run(points.clone(), dir.path(), &options).unwrap();
        let largest = tiles(dir.path()).iter().map(|tile| tile.parts.iter().map(|part| part.vertices.len()).sum::<usize>()).max();
        assert!(largest.unwrap() <= bound, "{largest:?} above {bound}");
        let file = std::fs::File::open(dir.path().join("points.copc.laz")).unwrap();
        let mut reader = las::CopcReader::new(std::io::BufReader::new(file)).unwrap();
        let info = reader.header().copc_info_vlr().unwrap();
        let entries: Vec<_> = reader.hierarchy_entries().filter(|entry| entry.point_count > 0).collect();
        for entry in entries {
            let cell = entry.key.bounds(&info);
            let data = reader.read_entry(&entry).unwrap();
            for ((x, y), z) in data.x().zip(data.y()).zip(data.z()) {
                let (low, high) = (DVec3::new(cell.min.x, cell.min.y, cell.min.z), DVec3::new(cell.max.x, cell.max.y, cell.max.z));
                let at = DVec3::new(x, y, z);
                assert!(at.cmpge(low - 1e-6).all() && at.cmple(high + 1e-6).all(), "{at} outside of {:?}", entry.key);
            }
        }
        made.push(std::fs::read(dir.path().join("points.copc.laz")).unwrap());
    }
    assert!(made[0] == made[1]);
}

#[test]
fn tiles_hold_about_what_was_asked_for() {
    let points = room(400_000, DVec3::new(30.0, 20.0, 8.0), DVec3::ZERO, 2);
    let dir = tempfile::tempdir().unwrap();
    let report = run(points, dir.path(), &small(5000, 1 << 30)).unwrap();
    let largest = tiles(dir.path()).iter().map(|tile| tile.parts.iter().map(|part| part.vertices.len()).sum::<usize>()).max();
    assert!(largest.unwrap() <= 15_000, "{largest:?}");
    let mean = report.points_out / report.tiles;
    assert!((1000..=7500).contains(&mean), "{mean}");
}

#[test]
fn coarse_tiles_come_first_and_look_even() {
    let points = room(300_000, DVec3::new(30.0, 30.0, 6.0), DVec3::ZERO, 3);
    let dir = tempfile::tempdir().unwrap();
    let report = run(points, dir.path(), &small(4000, 1 << 30)).unwrap();
    let tiles = tiles(dir.path());
    assert_eq!(tiles[0].depth, 0);
    let root = &tiles[0];
    // On the floor every square of three spacings has a point, and none has a crowd.
    let step = root.geometric_error_m * 3.0;
    let mut squares: HashMap<(i64, i64), usize> = HashMap::new();
    for part in &root.parts {
        for vertex in &part.vertices {
            let position = report.frame.scan_from_tile(part.position_m(vertex));
            if position.z < 0.0005 {
                *squares.entry(((position.x / step) as i64, (position.y / step) as i64)).or_default() += 1;
            }
        }
    }
    let across = (30.0 / step) as i64;
    for x in 0..across {
        for y in 0..across {
            let count = squares.get(&(x, y)).copied().unwrap_or(0);
            assert!((3..=20).contains(&count), "{count} points at {x} {y}");
        }
    }
    assert!(tiles.is_sorted_by_key(|tile| tile.depth));
}

#[test]
fn the_same_points_give_the_same_bytes() {
    let points = room(50_000, DVec3::new(20.0, 10.0, 5.0), DVec3::ZERO, 4);
    let archive = || {
        let dir = tempfile::tempdir().unwrap();
        run(points.clone(), dir.path(), &small(500, 300_000)).unwrap();
        std::fs::read(dir.path().join("tiles.3tz")).unwrap()
    };
    assert!(archive() == archive());
}

#[test]
fn every_byte_may_be_wrong() {
    let points = room(3000, DVec3::new(20.0, 10.0, 5.0), DVec3::ZERO, 7);
    let dir = tempfile::tempdir().unwrap();
    run(points, dir.path(), &small(200, 1 << 20)).unwrap();
    let good = std::fs::read(dir.path().join("tiles.3tz")).unwrap();
    let path = dir.path().join("bad.3tz");
    let mut random = Random(8);
    for _ in 0..300 {
        let mut bytes = good.clone();
        let at = random.next() as usize % bytes.len();
        bytes[at] ^= 1 << (random.next() % 8);
        bytes.truncate(bytes.len() - (random.next() % 2 * random.next() % 100) as usize);
        std::fs::write(&path, bytes).unwrap();
        if let Ok(reader) = read_back(&path) {
            for tile in reader.take(100) {
                let _ = tile;
            }
        }
        let _ = parterre_tiler::unpack(&path, &dir.path().join("out"), true);
    }
}
