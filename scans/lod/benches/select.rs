//! The selection of tiles in a tree of 20,000, all in memory, and the map of what is hidden; `make bench-select`.
//!
//! The tiles lie on the floors, walls and roof of a building of 96 m x 64 m with three floors and rooms of 16 m. Each has 50,000 points in about a hundred
//! blocks.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use glam::{DVec3, Vec3};
use parterre_lod::{Block, Budget, OcclusionMap, Residency, ScanId, Source, TileId, Tree, View, select};
use parterre_model::points::Bounds;
use serde_json::{Value, json};

const TILES: usize = 20_000;
const TILE_POINTS: u32 = 50_000;
/// Edge of the root's cube, metres.
const ROOT_M: f64 = 128.0;
/// Cells of the grid from which a tile's points are taken, along an edge.
const GRID: f64 = 224.0;
/// Blocks along an edge of a tile.
const BLOCKS: u32 = 10;
const SIZE_M: DVec3 = DVec3::new(96.0, 64.0, 12.0);
const FLOOR_M: f64 = 4.0;
const ROOM_M: f64 = 16.0;
const THICKNESS_M: f64 = 0.02;
const WIDTH_PX: f64 = 960.0;
const HEIGHT_PX: f64 = 600.0;
const FOV_Y: f64 = std::f64::consts::FRAC_PI_3;

/// The floors, walls and roof, as thin boxes.
fn surfaces() -> Vec<Bounds> {
    let thin = |axis: usize, at: f64| {
        let (mut min, mut max) = (DVec3::ZERO, SIZE_M);
        min[axis] = at;
        max[axis] = at + THICKNESS_M;
        Bounds { min, max }
    };
    [(0, ROOM_M), (1, ROOM_M), (2, FLOOR_M)]
        .into_iter()
        .flat_map(|(axis, step)| (0..=(SIZE_M[axis] / step) as u32).map(move |at| thin(axis, f64::from(at) * step)))
        .collect()
}

fn touches(surfaces: &[Bounds], bounds: &Bounds) -> bool {
    surfaces.iter().any(|surface| surface.min.cmplt(bounds.max).all() && surface.max.cmpgt(bounds.min).all())
}

fn parts(bounds: &Bounds, count: u32) -> impl Iterator<Item = Bounds> {
    let (min, edge) = (bounds.min, bounds.size() / f64::from(count));
    (0..count.pow(3)).map(move |at| {
        let corner = DVec3::new(f64::from(at % count), f64::from(at / count % count), f64::from(at / count.pow(2)));
        Bounds { min: min + corner * edge, max: min + (corner + 1.0) * edge }
    })
}

/// Cells level by level, with the indices of their children, until there are [`TILES`].
fn cells(surfaces: &[Bounds]) -> Vec<(Bounds, Vec<usize>)> {
    let mut cells = vec![(Bounds { min: DVec3::ZERO, max: DVec3::splat(ROOT_M) }, Vec::new())];
    let mut at = 0;
    while cells.len() < TILES {
        for part in parts(&cells[at].0.clone(), 2).filter(|part| touches(surfaces, part)) {
            let child = cells.len();
            cells[at].1.push(child);
            cells.push((part, Vec::new()));
        }
        at += 1;
    }
    cells
}

fn tile(cells: &[(Bounds, Vec<usize>)], at: usize) -> Value {
    let (bounds, children) = &cells[at];
    let (center, half) = (bounds.center(), bounds.size() * 0.5);
    json!({
        "boundingVolume": {"box": [center.x, center.y, center.z, half.x, 0, 0, 0, half.y, 0, 0, 0, half.z]},
        "geometricError": if children.is_empty() { 0.0 } else { bounds.size().x / GRID },
        "content": {"uri": format!("{at}.glb")}, "extras": {"points": TILE_POINTS},
        "children": children.iter().map(|child| tile(cells, *child)).collect::<Vec<_>>(),
    })
}

fn tree(cells: &[(Bounds, Vec<usize>)]) -> Tree {
    let document = json!({
        "asset": {"version": "1.1", "extras": {"parterre": {
            "format_version": 1, "points": 1, "bounds": [0, 0, 0, 1, 1, 1],
            "frame": {"origin_m": [0.0, 0.0, 0.0], "unit": "metre", "unit_source": "file", "crs": null},
            "attributes": {"color": true, "intensity": false, "classification": false, "returns": false, "gps_time": false},
        }}},
        "geometricError": 8.0, "root": tile(cells, 0),
    });
    Tree::from_tileset(&serde_json::from_value(document).expect("a valid document"), "").expect("a valid tileset")
}

fn blocks(surfaces: &[Bounds], bounds: &Bounds) -> Vec<Block> {
    let near: Vec<Bounds> = surfaces.iter().filter(|surface| touches(std::slice::from_ref(*surface), bounds)).copied().collect();
    let boxes: Vec<Bounds> = parts(bounds, BLOCKS).filter(|part| touches(&near, part)).collect();
    let points = TILE_POINTS / boxes.len().max(1) as u32;
    boxes.into_iter().map(|bounds| Block { bounds, points }).collect()
}

/// What is drawn of the surfaces, seen from `eye`: points 6 pixels apart.
fn drawn_points(eye: DVec3, surfaces: &[Bounds]) -> Vec<(DVec3, Vec<Vec3>)> {
    let mut all = Vec::new();
    for surface in surfaces {
        // Cells of 2 m, each with a spacing that fits its distance.
        let size = surface.size();
        let steps = (size / 2.0).ceil();
        for cell in 0..(steps.x * steps.y * steps.z) as u32 {
            let cell = f64::from(cell);
            let at = DVec3::new(cell % steps.x, (cell / steps.x).floor() % steps.y, (cell / (steps.x * steps.y)).floor());
            let origin = surface.min + at * 2.0;
            let distance_m = (origin + 1.0 - eye).length().max(1.0);
            let spacing_m = 6.0 * distance_m * 2.0 * (FOV_Y * 0.5).tan() / HEIGHT_PX;
            let count = ((2.0 / spacing_m) as u32).clamp(1, 200);
            let axis = if size.x < 1.0 {
                0
            } else if size.y < 1.0 {
                1
            } else {
                2
            };
            let point = |index: u32| {
                let step = 2000 / count;
                let (a, b) = ((index % count * step) as u16, (index / count * step) as u16);
                [[0_u16, a, b], [a, 0, b], [a, b, 0]][axis]
            };
            all.push((origin, (0..count * count).map(|index| Vec3::from_array(point(index).map(f32::from)) * 1e-3).collect()));
        }
    }
    all
}

fn map(eye: DVec3, forward: DVec3, points: &[(DVec3, Vec<Vec3>)]) -> OcclusionMap {
    let right = forward.cross(DVec3::Z).normalize();
    let axes = [forward, right, right.cross(forward)];
    let mut map = OcclusionMap::new(eye, axes, FOV_Y, WIDTH_PX / HEIGHT_PX, 6.0 / HEIGHT_PX);
    for (origin, points) in points {
        map.add(*origin, points);
    }
    map.finish()
}

fn bench(criterion: &mut Criterion) {
    let surfaces = surfaces();
    let cells = cells(&surfaces);
    let tree = tree(&cells);
    assert!(tree.len() >= TILES, "{} tiles", tree.len());
    let blocks: Vec<Vec<Block>> = tree.iter().map(|(_, node)| blocks(&surfaces, &node.bounds)).collect();
    let budget = Budget { points: 2_000_000, error_px: 1.0 };
    // The eye, and where it looks. Views from inside know what is hidden.
    let views = [
        ("overview", DVec3::new(-40.0, -60.0, 60.0), DVec3::new(48.0, 32.0, 0.0), false),
        ("inside", DVec3::new(2.0, 8.0, 2.5), DVec3::new(90.0, 40.0, 2.0), true),
        ("walk", DVec3::new(24.0, 24.0, 1.7), DVec3::new(30.0, 20.0, 1.2), true),
    ];
    for (name, eye, target, is_inside) in views {
        let forward = (target - eye).normalize();
        let view = View::perspective(eye, forward, DVec3::Z, FOV_Y, WIDTH_PX / HEIGHT_PX, HEIGHT_PX);
        let mut run = |what: &str, view: &View, is_in_memory: bool| {
            let state =
                |tile: TileId| if is_in_memory { Residency::Ready(blocks[tile.node.index()].as_slice()) } else { Residency::Absent };
            let views = [view.clone()];
            let sources = [Source { scan: ScanId(0), tree: &tree, views: &views }];
            let chosen = select(&sources, &state, &budget);
            eprintln!("select/{name}{what}: {} tiles, {} points drawn, {:.2} px", chosen.wanted.len(), chosen.points, chosen.spacing_px);
            criterion.bench_function(&format!("select/{name}{what}"), |bencher| {
                bencher.iter(|| select(black_box(&sources), &state, black_box(&budget)));
            });
        };
        run("", &view, true);
        run(", nothing in memory", &view, false);
        if is_inside {
            let points = drawn_points(eye, &surfaces);
            let occlusion = Some(std::sync::Arc::new(map(eye, forward, &points)));
            run(", with what is hidden", &View { occlusion, ..view.clone() }, true);
            criterion.bench_function(&format!("map of what is hidden/{name}"), |bencher| {
                bencher.iter(|| map(black_box(eye), black_box(forward), black_box(&points)));
            });
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
