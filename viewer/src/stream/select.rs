//! The streaming of one frame: receive finished requests, select tiles, start requests, upload, and list the tiles to draw.

use std::collections::{BTreeMap, HashMap, HashSet};

use bevy::math::DVec3;
use bevy::prelude::*;
use bevy::render::renderer::{RenderDevice, RenderQueue};
use parterre_decode::runs;
use parterre_lod as lod;
use parterre_lod::{Budget, ChosenBlock, ChosenTile, NodeId, ScanId, Selection, TileId};
use parterre_model::points::Bounds;

use super::fetch::LoadedContent;
use super::occluders::Occluders;
use super::scans::{Scan, Scans};
use super::spacing::{OwnSpacing, Spacings};
use super::status::{FailedTile, StreamStatus};
use crate::inside::LookInside;
use crate::pace::Pace;
use crate::placement::Placement;
use crate::render::data::{DrawBlock, DrawData, DrawTile};
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::wake::Hidden;

/// Bytes uploaded to the graphics card per frame, so that many tiles at once do not delay a frame.
const UPLOAD_BYTES_PER_FRAME: i64 = 8 << 20;
/// Radius around a walker in which fine tiles are selected, whatever the direction of view. Metres.
const WALK_RADIUS_M: f64 = 4.0;
/// Points around a walker that are kept in memory at most, and their spacing in pixels: a floor needs no finer points.
const AROUND_BUDGET: Budget = Budget { points: 600_000, error_px: 4.0 };
/// Maximum number of spheres that cover the column below a walker without a floor.
const COLUMN_SPHERES_MAX: f64 = 24.0;

/// Takes the finished requests and stores their tiles.
pub(super) fn receive(mut scans: ResMut<Scans>, time: Res<Time<Real>>) {
    // Written only where something has changed.
    let finished = scans.bypass_change_detection().fetcher.take_finished(time.delta_secs_f64());
    for request in finished {
        let id = request.tile;
        // Its scan may have been closed meanwhile.
        let Some(scan) = scans.get_mut(id.scan) else { continue };
        let result = request.result.and_then(|loaded| match loaded {
            LoadedContent::Points(packed) => Ok(Some(packed)),
            LoadedContent::Subtree(tileset, folder) => {
                scan.open.tree.attach(id.node, &tileset, &folder)?;
                Ok(None)
            }
        });
        match result {
            Ok(Some(packed)) => scans.residency.insert(id, packed),
            Ok(None) => scans.residency.mark_attached(id),
            Err(fault) => {
                warn!("{} ({})", fault.message, fault.code);
                scans.residency.record_failure(id, fault, time.elapsed_secs_f64());
            }
        }
    }
}

/// What a selection depends on.
#[derive(Clone, PartialEq)]
struct Inputs {
    /// What is seen of each scan that is shown.
    scans: Vec<ScanInputs>,
    size: UVec2,
    budget: Budget,
    inside: LookInside,
    /// Whether the walker's surroundings are loaded first: who waits for a floor waits for the tiles in which it is searched for.
    around_first: bool,
    /// Number of known nodes.
    nodes: usize,
    /// Changes of the tiles in memory.
    changes: u64,
    /// The picture to which points are added; `None` where each frame draws anew.
    picture: Option<u64>,
}

/// The views of a scan, in its tile frame.
#[derive(Clone, PartialEq)]
struct ScanInputs {
    scan: ScanId,
    view: lod::View,
    around: Vec<lod::View>,
}

/// What the last frame selected.
#[derive(Default)]
pub(super) struct LastSelection {
    inputs: Option<Inputs>,
    selection: Selection,
    /// What is absent of the selection and of the walker's surroundings, the most important first.
    load: Vec<TileId>,
    touch: Vec<TileId>,
    /// Absent tiles of the walker's surroundings.
    loading_around: usize,
    /// Whether the same inputs give the same selection again. What is hidden depends on what was drawn before, so that this takes some frames.
    is_settled: bool,
}

impl LastSelection {
    /// Selects anew unless nothing has changed; returns whether it did.
    fn update(&mut self, scans: &Scans, rig: &Rig, inputs: Inputs) -> bool {
        let is_same = self.inputs.as_ref() == Some(&inputs);
        if is_same && self.is_settled {
            return false;
        }
        let before = &self.selection;
        let occluders = Occluders::new(scans, &before.draw, (rig, inputs.size), before.spacing_px, &inputs.inside);
        let seen: Vec<(&Scan, Vec<lod::View>, &[lod::View])> = inputs
            .scans
            .iter()
            .filter_map(|ScanInputs { scan, view, around }| {
                let scan = scans.get(*scan)?;
                let occlusion = occluders.as_ref().map(|occluders| occluders.in_frame_of(rig, &scan.placement));
                Some((scan, vec![lod::View { occlusion, ..view.clone() }], around.as_slice()))
            })
            .collect();
        let select = |sources: &[lod::Source<'_>], budget: &Budget| lod::select(sources, &|tile| scans.residency.state(tile), budget);
        let views: Vec<lod::Source<'_>> =
            seen.iter().map(|(scan, views, _)| lod::Source { scan: scan.id, tree: &scan.open.tree, views }).collect();
        let mut selection = select(&views, &inputs.budget);
        if inputs.picture.is_some() && self.inputs.as_ref().is_some_and(|before| before.picture == inputs.picture) {
            keep_drawn(&mut selection, &before.draw);
        }
        // Loaded and kept, but not drawn for it.
        let around: Vec<lod::Source<'_>> =
            seen.iter().map(|(scan, _, views)| lod::Source { scan: scan.id, tree: &scan.open.tree, views }).collect();
        let surroundings = select(&around, &AROUND_BUDGET);
        let (first, then) = if inputs.around_first { (&surroundings.load, &selection.load) } else { (&selection.load, &surroundings.load) };
        self.load = first.iter().map(|(tile, _)| *tile).collect();
        let known: HashSet<TileId> = self.load.iter().copied().collect();
        self.load.extend(then.iter().map(|(tile, _)| *tile).filter(|tile| !known.contains(tile)));
        self.loading_around = surroundings.load.len();
        self.touch = selection.touch.iter().chain(&surroundings.touch).copied().collect();
        self.is_settled = is_same && selection == self.selection;
        self.selection = selection;
        self.inputs = Some(inputs);
        true
    }
}

/// Keeps in a still picture what it has already: a block that turns out to be hidden by what was added since is drawn, and stays.
fn keep_drawn(selection: &mut Selection, drawn: &[ChosenTile]) {
    let index: HashMap<TileId, usize> = selection.draw.iter().enumerate().map(|(index, chosen)| (chosen.tile, index)).collect();
    for before in drawn {
        let Some(&index) = index.get(&before.tile) else {
            selection.draw.push(before.clone());
            selection.touch.push(before.tile);
            if !selection.wanted.contains(&before.tile) {
                selection.wanted.push(before.tile);
            }
            continue;
        };
        let mut blocks: BTreeMap<u32, ChosenBlock> = selection.draw[index].blocks.iter().map(|block| (block.block, *block)).collect();
        for block in &before.blocks {
            let now = blocks.entry(block.block).or_insert(*block);
            now.share = now.share.max(block.share);
        }
        selection.draw[index].blocks = blocks.into_values().collect();
    }
}

/// Selects the tiles to draw and starts requests for the missing ones.
pub(super) fn select(
    mut scans: ResMut<Scans>,
    mut status: ResMut<StreamStatus>,
    mut data: ResMut<DrawData>,
    (settings, inside, pace, hidden): (Res<Settings>, Res<LookInside>, Res<Pace>, Option<Res<Hidden>>),
    time: Res<Time<Real>>,
    (device, queue): (Res<RenderDevice>, Res<RenderQueue>),
    (mut last, rigs): (Local<LastSelection>, Query<(&Rig, &Camera)>),
) {
    let Ok((rig, camera)) = rigs.single() else { return };
    let Some(size) = camera.physical_target_size().filter(|size| size.x > 0 && size.y > 0) else { return };
    let scans = scans.bypass_change_detection();
    let now_s = time.elapsed_secs_f64();
    let of_scan = |scan: &Scan| ScanInputs {
        scan: scan.id,
        view: camera_view(rig, size, scan),
        around: views_around(rig, size, (&scan.placement, &scan.bounds())),
    };
    let inputs = Inputs {
        scans: scans.visible().map(of_scan).collect(),
        size,
        budget: Budget { points: pace.budget_points(settings.points_max(), settings.adapt), error_px: settings.error_px },
        inside: inside.clone(),
        around_first: rig.mode == Mode::Walk && rig.walker.is_starting(),
        nodes: scans.nodes(),
        changes: scans.residency.changes(),
        picture: pace.adds_points().then(|| pace.picture()),
    };
    let is_new = last.update(scans, rig, inputs);
    let LastSelection { selection, load, touch, loading_around, .. } = &*last;

    let is_shown = |scans: &Scans, tile: TileId| scans.get(tile.scan).is_some_and(|scan| scan.is_visible);
    let to_retry: Vec<TileId> = scans.residency.tiles_to_retry().into_iter().filter(|tile| is_shown(scans, *tile)).collect();
    let wanted: HashSet<TileId> = load.iter().chain(&to_retry).copied().collect();
    scans.fetcher.cancel_unless(|tile| wanted.contains(&tile));
    scans.residency.touch_and_evict(touch, settings.cache_bytes);
    let mut upload_bytes = UPLOAD_BYTES_PER_FRAME;
    for tile in load {
        scans.residency.upload(*tile, &device, &queue, &mut upload_bytes);
    }
    // A page in the background asks for nothing.
    let may_request = !hidden.is_some_and(|hidden| hidden.0);
    for tile in load.iter().chain(&to_retry).filter(|_| may_request) {
        if scans.residency.may_request(*tile, now_s) && !scans.request(*tile) {
            break;
        }
    }

    if is_new {
        list_tiles(&mut data, scans, selection, pace.adds_points());
        let points = |tile: &DrawTile| {
            tile.blocks.iter().map(|block| u64::from(runs::points(tile.gpu.blocks[block.block as usize].count, block.runs))).sum::<u64>()
        };
        status.drawn_points = data.tiles.iter().map(points).sum();
        status.drawn_tiles = data.tiles.len();
        status.drawn = selection.draw.iter().map(|chosen| chosen.tile).collect();
        status.spacing_px = selection.spacing_px;
        status.budget_reached = selection.budget_reached;
    }
    status.loading = load.len();
    status.loading_around = *loading_around;
    status.loading_peak = if load.is_empty() { 0 } else { status.loading_peak.max(status.loading) };
    status.resident_bytes = scans.residency.bytes();
    status.settled_frames = if load.is_empty() { status.settled_frames + 1 } else { 0 };
    let failed: Vec<FailedTile> = scans
        .residency
        .failed_tiles()
        .into_iter()
        .filter(|(tile, _)| is_shown(scans, *tile))
        .map(|(tile, fault)| FailedTile { name: scans.tile_name(tile), code: fault.code.clone(), message: fault.message.clone() })
        .collect();
    if status.failed != failed {
        status.failed = failed;
    }
}

/// Lists what the renderer draws of a selection.
fn list_tiles(data: &mut DrawData, scans: &Scans, selection: &Selection, adds_points: bool) {
    // The points of a still picture are drawn once, so that they get the size that fits all that will be drawn.
    let drawn: Vec<TileId> = if adds_points { selection.wanted.clone() } else { selection.draw.iter().map(|chosen| chosen.tile).collect() };
    let spacings: BTreeMap<ScanId, Spacings> = scans
        .visible()
        .map(|scan| {
            let own = |node| match scans.residency.get(TileId { scan: scan.id, node }).map(|tile| tile.points.spacing_m) {
                None => OwnSpacing::Unknown,
                Some(None) => OwnSpacing::OfScan,
                Some(Some(median_m)) => OwnSpacing::Measured(f64::from(median_m)),
            };
            let nodes: Vec<NodeId> = drawn.iter().filter(|tile| tile.scan == scan.id).map(|tile| tile.node).collect();
            (scan.id, Spacings::of(&scan.open.tree, &nodes, &own))
        })
        .collect();
    data.spacing_px = selection.spacing_px;
    data.tiles.clear();
    data.tiles.extend(selection.draw.iter().filter_map(|ChosenTile { tile: TileId { scan, node }, blocks }| {
        let gpu = scans.residency.get(TileId { scan: *scan, node: *node })?.gpu.clone()?;
        let runs = |chosen: &ChosenBlock| runs::runs_of_share(gpu.blocks[chosen.block as usize].count, chosen.share);
        let blocks = blocks.iter().map(|chosen| DrawBlock { block: chosen.block, runs: runs(chosen) }).collect();
        let key = u64::from(scan.0) << 32 | node.index() as u64;
        Some(DrawTile { key, scan: scan.0, spacing: spacings.get(scan)?.tile(*node), blocks, gpu })
    }));
}

/// What the camera sees of a scan, in its tile frame.
fn camera_view(rig: &Rig, size: UVec2, scan: &Scan) -> lod::View {
    let aspect = f64::from(size.x) / f64::from(size.y);
    let [forward, up] = [rig.forward(), rig.up()].map(|direction| scan.placement.tile_from_direction(direction));
    lod::View::perspective(scan.placement.tile_from_scene(rig.eye), forward, up, rig.fov_y, aspect, f64::from(size.y))
}

/// In walk mode, the walker's surroundings in the tile frame of a scan with this placement and these bounds (scene frame), whose points are needed to find
/// the floor; until the walker stands on one, the column in which it is searched for.
fn views_around(rig: &Rig, size: UVec2, (placement, bounds): (&Placement, &Bounds)) -> Vec<lod::View> {
    if rig.mode != Mode::Walk {
        return Vec::new();
    }
    let is_standing = rig.walker.foot_height_m.is_some();
    let eye = placement.tile_from_scene(if is_standing { rig.eye } else { rig.walker.place().from });
    let scale = f64::from(size.y) / (2.0 * (rig.fov_y * 0.5).tan());
    let around = |eye: DVec3| lod::View::around(eye, WALK_RADIUS_M, scale * 0.5);
    let mut views = vec![around(eye)];
    if !is_standing {
        let origin_m = placement.origin_m();
        let (low_m, high_m) = (bounds.min.z - origin_m.z, eye.z.min(bounds.max.z - origin_m.z));
        // Spheres that overlap, so that they cover the whole column.
        let spheres = ((high_m - low_m) / (WALK_RADIUS_M * 1.5)).ceil().clamp(0.0, COLUMN_SPHERES_MAX);
        let step_m = (high_m - low_m) / spheres.max(1.0);
        views.extend((0..spheres as u32).map(|sphere| around(eye.with_z(high_m - step_m * (f64::from(sphere) + 0.5)))));
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::walker::Walker;

    #[test]
    fn until_a_floor_is_found_tiles_below_the_eye_are_selected() {
        let origin_m = DVec3::new(500.0, 600.0, 30.0);
        let placement = Placement::new(origin_m, 0.0);
        let bounds = Bounds { min: DVec3::new(480.0, 580.0, 25.0), max: DVec3::new(520.0, 620.0, 95.0) };
        let eye = DVec3::new(500.0, 600.0, 200.0);
        let mut rig = Rig { eye, mode: Mode::Walk, walker: Walker::starting_at(eye), ..Rig::default() };
        let sees = |rig: &Rig, height_m: f64| {
            let center = DVec3::new(0.2, 0.2, height_m - origin_m.z);
            let tile = Bounds { min: center - 0.1, max: center + 0.1 };
            views_around(rig, UVec2::new(640, 360), (&placement, &bounds)).iter().any(|view| view.sees(&tile))
        };
        for height_m in 25..=95 {
            assert!(sees(&rig, f64::from(height_m)), "{height_m}");
        }
        rig.walker.foot_height_m = Some(40.0);
        rig.eye.z = 41.7;
        assert!(sees(&rig, 40.0) && !sees(&rig, 60.0) && !sees(&rig, 25.0));
        // The eye stays where it is while a floor is searched for elsewhere.
        rig.walker = Walker::starting_at(eye.with_z(50.0));
        rig.eye = DVec3::new(0.0, 0.0, 400.0);
        assert!(sees(&rig, 30.0) && sees(&rig, 50.0) && !sees(&rig, 90.0));
    }
}
