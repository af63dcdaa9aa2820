//! The streaming of one frame: receive finished requests, select tiles, start requests, upload, and list the tiles to draw.

use std::collections::{BTreeMap, HashMap, HashSet};

use bevy::math::DVec3;
use bevy::prelude::*;
use bevy::render::renderer::{RenderDevice, RenderQueue};
use parterre_decode::runs;
use parterre_lod as lod;
use parterre_lod::{Budget, ChosenBlock, ChosenTile, NodeId, Selection};

use super::active_scan::ActiveScan;
use super::fetch::LoadedContent;
use super::occluders::occlusion_map;
use super::spacing::{OwnSpacing, Spacings};
use super::status::{FailedTile, StreamStatus};
use crate::inside::Inside;
use crate::pace::Pace;
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
pub(super) fn receive(mut scan: ResMut<ActiveScan>, time: Res<Time<Real>>) {
    let scan = &mut *scan;
    for request in scan.fetcher.take_finished(time.delta_secs_f64()) {
        let result = request.result.and_then(|loaded| match loaded {
            LoadedContent::Points(packed) => {
                scan.residency.insert(request.node, packed);
                Ok(())
            }
            LoadedContent::Subtree(tileset, folder) => {
                scan.open.tree.attach(request.node, &tileset, &folder)?;
                scan.residency.mark_attached(request.node);
                Ok(())
            }
        });
        if let Err(fault) = result {
            warn!("{} ({})", fault.message, fault.code);
            scan.residency.record_failure(request.node, fault, time.elapsed_secs_f64());
        }
    }
}

/// What a selection depends on.
#[derive(Clone, PartialEq)]
struct Inputs {
    view: lod::View,
    size: UVec2,
    around: Vec<lod::View>,
    budget: Budget,
    inside: Inside,
    /// Whether the walker's surroundings are loaded first: who waits for a floor waits for the tiles in which it is searched for.
    around_first: bool,
    /// Number of known nodes.
    nodes: usize,
    /// Changes of the tiles in memory.
    changes: u64,
    /// The picture to which points are added; `None` where each frame draws anew.
    picture: Option<u64>,
}

/// What the last frame selected.
#[derive(Default)]
pub(super) struct LastSelection {
    inputs: Option<Inputs>,
    selection: Selection,
    /// What is absent of the selection and of the walker's surroundings, the most important first.
    load: Vec<NodeId>,
    touch: Vec<NodeId>,
    /// Absent tiles of the walker's surroundings.
    loading_around: usize,
    /// Whether the same inputs give the same selection again. What is hidden depends on what was drawn before, so that this takes some frames.
    is_settled: bool,
}

impl LastSelection {
    /// Selects anew unless nothing has changed; returns whether it did.
    fn update(&mut self, scan: &ActiveScan, rig: &Rig, inputs: Inputs) -> bool {
        let is_same = self.inputs.as_ref() == Some(&inputs);
        if is_same && self.is_settled {
            return false;
        }
        let (tree, residency) = (&scan.open.tree, &scan.residency);
        let origin_m = tree.scan.frame.origin_m;
        let before = &self.selection;
        let mut view = inputs.view.clone();
        view.occlusion = occlusion_map(residency, &before.draw, (rig, origin_m, inputs.size), before.spacing_px, &inputs.inside);
        let mut selection = lod::select(tree, &[view], &|node| residency.state(node), &inputs.budget);
        if inputs.picture.is_some() && self.inputs.as_ref().is_some_and(|before| before.picture == inputs.picture) {
            keep_drawn(&mut selection, &before.draw);
        }
        // Loaded and kept, but not drawn for it.
        let surroundings = lod::select(tree, &inputs.around, &|node| residency.state(node), &AROUND_BUDGET);
        let (first, then) = if inputs.around_first { (&surroundings.load, &selection.load) } else { (&selection.load, &surroundings.load) };
        self.load = first.iter().map(|(node, _)| *node).collect();
        let known: HashSet<NodeId> = self.load.iter().copied().collect();
        self.load.extend(then.iter().map(|(node, _)| *node).filter(|node| !known.contains(node)));
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
    let index: HashMap<NodeId, usize> = selection.draw.iter().enumerate().map(|(index, tile)| (tile.node, index)).collect();
    for before in drawn {
        let Some(&index) = index.get(&before.node) else {
            selection.draw.push(before.clone());
            selection.touch.push(before.node);
            if !selection.wanted.contains(&before.node) {
                selection.wanted.push(before.node);
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
    mut scan: ResMut<ActiveScan>,
    mut status: ResMut<StreamStatus>,
    mut data: ResMut<DrawData>,
    (settings, inside, pace, hidden): (Res<Settings>, Res<Inside>, Res<Pace>, Option<Res<Hidden>>),
    time: Res<Time<Real>>,
    (device, queue): (Res<RenderDevice>, Res<RenderQueue>),
    (mut last, rigs): (Local<LastSelection>, Query<(&Rig, &Camera)>),
) {
    let Ok((rig, camera)) = rigs.single() else { return };
    let Some(size) = camera.physical_target_size().filter(|size| size.x > 0 && size.y > 0) else { return };
    let scan = &mut *scan;
    let now_s = time.elapsed_secs_f64();
    let origin_m = scan.open.tree.scan.frame.origin_m;
    let inputs = Inputs {
        view: camera_view(rig, size, origin_m),
        size,
        around: views_around(rig, size, origin_m, scan.open.tree.scan.bounds),
        budget: Budget { points: pace.budget_points(settings.points_max(), settings.adapt), error_px: settings.error_px },
        inside: inside.clone(),
        around_first: rig.mode == Mode::Walk && rig.walker.is_starting(),
        nodes: scan.open.tree.len(),
        changes: scan.residency.changes(),
        picture: pace.adds_points().then(|| pace.picture()),
    };
    let is_new = last.update(scan, rig, inputs);
    let LastSelection { selection, load, touch, loading_around, .. } = &*last;

    let to_retry = scan.residency.tiles_to_retry();
    let wanted: HashSet<NodeId> = load.iter().chain(&to_retry).copied().collect();
    scan.fetcher.cancel_unless(|node| wanted.contains(&node));
    scan.residency.touch_and_evict(touch, settings.cache_bytes);
    let mut upload_bytes = UPLOAD_BYTES_PER_FRAME;
    for node in load {
        scan.residency.upload(*node, &device, &queue, &mut upload_bytes);
    }
    // A page in the background asks for nothing.
    let may_request = !hidden.is_some_and(|hidden| hidden.0);
    for node in load.iter().chain(&to_retry).filter(|_| may_request) {
        if scan.residency.may_request(*node, now_s) && !scan.fetcher.start(*node, &scan.open.tree.node(*node).content) {
            break;
        }
    }

    if is_new {
        list_tiles(&mut data, scan, selection, pace.adds_points());
        let points = |tile: &DrawTile| {
            tile.blocks.iter().map(|block| u64::from(runs::points(tile.gpu.blocks[block.block as usize].count, block.runs))).sum::<u64>()
        };
        status.drawn_points = data.tiles.iter().map(points).sum();
        status.drawn_tiles = data.tiles.len();
        status.drawn = selection.draw.iter().map(|tile| tile.node).collect();
        status.spacing_px = selection.spacing_px;
        status.budget_reached = selection.budget_reached;
    }
    status.loading = load.len();
    status.loading_around = *loading_around;
    status.loading_peak = if load.is_empty() { 0 } else { status.loading_peak.max(status.loading) };
    status.resident_bytes = scan.residency.bytes();
    status.settled_frames = if load.is_empty() { status.settled_frames + 1 } else { 0 };
    let failed: Vec<FailedTile> = scan
        .residency
        .failed_tiles()
        .into_iter()
        .map(|(node, fault)| FailedTile { name: scan.node_name(node), code: fault.code.clone(), message: fault.message.clone() })
        .collect();
    if status.failed != failed {
        status.failed = failed;
    }
}

/// Lists what the renderer draws of a selection.
fn list_tiles(data: &mut DrawData, scan: &ActiveScan, selection: &Selection, adds_points: bool) {
    let (tree, residency) = (&scan.open.tree, &scan.residency);
    let own = |node| match residency.get(node).map(|tile| tile.points.spacing_m) {
        None => OwnSpacing::Unknown,
        Some(None) => OwnSpacing::OfScan,
        Some(Some(median_m)) => OwnSpacing::Measured(f64::from(median_m)),
    };
    // The points of a still picture are drawn once, so that they get the size that fits all that will be drawn.
    let drawn: Vec<NodeId> = selection.draw.iter().map(|tile| tile.node).collect();
    let spacings = Spacings::of(tree, if adds_points { &selection.wanted } else { &drawn }, &own);
    data.origin_m = tree.scan.frame.origin_m;
    data.spacing_px = selection.spacing_px;
    data.tiles.clear();
    data.tiles.extend(selection.draw.iter().filter_map(|ChosenTile { node, blocks }| {
        let gpu = residency.get(*node)?.gpu.clone()?;
        let runs = |chosen: &ChosenBlock| runs::runs_of_share(gpu.blocks[chosen.block as usize].count, chosen.share);
        let blocks = blocks.iter().map(|chosen| DrawBlock { block: chosen.block, runs: runs(chosen) }).collect();
        Some(DrawTile { key: node.index() as u64, spacing: spacings.tile(*node), blocks, gpu })
    }));
}

/// What the camera sees.
fn camera_view(rig: &Rig, size: UVec2, origin_m: DVec3) -> lod::View {
    let aspect = f64::from(size.x) / f64::from(size.y);
    lod::View::perspective(rig.eye - origin_m, rig.forward(), rig.up(), rig.fov_y, aspect, f64::from(size.y))
}

/// In walk mode, the walker's surroundings, whose points are needed to find the floor; until the walker stands on one, the column in which it is
/// searched for.
fn views_around(rig: &Rig, size: UVec2, origin_m: DVec3, bounds: [f64; 6]) -> Vec<lod::View> {
    if rig.mode != Mode::Walk {
        return Vec::new();
    }
    let is_standing = rig.walker.foot_height_m.is_some();
    let eye = if is_standing { rig.eye } else { rig.walker.place().from } - origin_m;
    let scale = camera_view(rig, size, origin_m).pixels_per_metre_at_1m;
    let around = |eye: DVec3| lod::View::around(eye, WALK_RADIUS_M, scale * 0.5);
    let mut views = vec![around(eye)];
    if !is_standing {
        let [_, _, low_m, _, _, high_m] = bounds;
        let (low_m, high_m) = (low_m - origin_m.z, eye.z.min(high_m - origin_m.z));
        // Spheres that overlap, so that they cover the whole column.
        let spheres = ((high_m - low_m) / (WALK_RADIUS_M * 1.5)).ceil().clamp(0.0, COLUMN_SPHERES_MAX);
        let step_m = (high_m - low_m) / spheres.max(1.0);
        views.extend((0..spheres as u32).map(|sphere| around(eye.with_z(high_m - step_m * (f64::from(sphere) + 0.5)))));
    }
    views
}

#[cfg(test)]
mod tests {
    use parterre_model::points::Bounds;

    use super::*;
    use crate::rig::walker::Walker;

    #[test]
    fn until_a_floor_is_found_tiles_below_the_eye_are_selected() {
        let origin_m = DVec3::new(500.0, 600.0, 30.0);
        let bounds = [480.0, 580.0, 25.0, 520.0, 620.0, 95.0];
        let eye = DVec3::new(500.0, 600.0, 200.0);
        let mut rig = Rig { eye, mode: Mode::Walk, walker: Walker::starting_at(eye), ..Rig::default() };
        let sees = |rig: &Rig, height_m: f64| {
            let center = DVec3::new(0.2, 0.2, height_m - origin_m.z);
            let tile = Bounds { min: center - 0.1, max: center + 0.1 };
            views_around(rig, UVec2::new(640, 360), origin_m, bounds).iter().any(|view| view.sees(&tile))
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
