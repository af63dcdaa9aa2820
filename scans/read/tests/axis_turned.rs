//! Which axis points up: what is wrong is never said, and scans that lie on their side are found; of those that are upside down only some.
//!
//! Every scan is written as a PLY file in each of the 24 ways in which its axes can be named, and opened. Run with `--nocapture` for the table.

mod axis_support;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use glam::DVec3;
use parterre_model::points::PointChunk;
use parterre_read as read;
use parterre_read::Override;
use parterre_venue::hall::Venue;
use parterre_venue::{scanner, stadium};
use rayon::prelude::*;

use axis_support::Case;

/// Points of a scan that are written: runs of neighbours from all over it.
const RUN: usize = 10_000;
const RUNS: usize = 20;
/// Angles about the vertical, degrees, at which an upright scan is looked at beside the four quarter turns.
const YAWS: [f64; 3] = [3.0, 17.0, 45.0];

/// Directions of a file: for each of its axes the axis of the scan that it has, and its sign.
type Naming = ([usize; 3], [f64; 3]);

/// The 24 namings that mirror nothing.
fn namings() -> Vec<Naming> {
    let mut all = Vec::new();
    for (axes, is_even) in
        [([0, 1, 2], true), ([1, 2, 0], true), ([2, 0, 1], true), ([0, 2, 1], false), ([2, 1, 0], false), ([1, 0, 2], false)]
    {
        for bits in 0..8_u32 {
            if (bits.count_ones() % 2 == 0) == is_even {
                all.push((axes, [0, 1, 2].map(|bit| if bits >> bit & 1 == 1 { -1.0 } else { 1.0 })));
            }
        }
    }
    all
}

/// The message of `axis_suspect` of a file with these points.
fn doubt(points: impl Iterator<Item = DVec3>, count: usize) -> Option<String> {
    let header = format!(
        "ply\nformat binary_little_endian 1.0\nelement vertex {count}\nproperty double x\nproperty double y\nproperty double z\nend_header\n"
    );
    let mut bytes = header.into_bytes();
    bytes.reserve(24 * count);
    bytes.extend(points.flat_map(|point| point.to_array()).flat_map(f64::to_le_bytes));
    let len = bytes.len() as u64;
    let source = read::from_source(Box::new(Cursor::new(bytes)), len, Path::new("turned.ply"), &Override::default());
    let source = source.unwrap_or_else(|error| panic!("{error}"));
    source.info().warnings.iter().find(|warning| warning.code == "axis_suspect").map(|warning| warning.message.clone())
}

/// What was said of a scan in all its positions.
#[derive(Debug)]
struct Outcome {
    name: String,
    /// The first message about the scan where it was upright: there should be none.
    upright: Option<String>,
    /// The first message about a turned position that names another axis than the vertical, or its wrong end without saying that it may be the
    /// other one.
    misnamed: Option<String>,
    /// Positions on the side that were found, of how many; with the right axis.
    found: usize,
    turned: usize,
    /// Positions upside down that were found, of how many.
    upside_down: usize,
    overturned: usize,
}

/// Whether a message about a scan whose axis `place` is the vertical, with this end up, is wrong.
fn is_wrong(message: &str, place: usize, is_up: bool) -> bool {
    let (named, _) = message.split_once(" seems ").expect("a message that begins with an axis");
    let axis = ["X", "Y", "Z"][place];
    let names_both = message.contains("(or, if");
    named.trim_start_matches('-') != axis || (!names_both && named.starts_with('-') == is_up)
}

/// Turns a scan, whose `vertical` is 0, 1 or 2, about all axes, and about the vertical. Of positions that differ by a turn about the vertical
/// only every `step`-th of four is taken. The y axis of a camera points down.
fn judge(case: &Case, vertical: usize, step: usize) -> Outcome {
    let points = &case.points;
    let mut outcome =
        Outcome { name: case.name.clone(), upright: None, misnamed: None, found: 0, turned: 0, upside_down: 0, overturned: 0 };
    let mut met = [[0; 2]; 3];
    for (axes, signs) in namings() {
        let place = axes.iter().position(|&axis| axis == vertical).expect("each axis once");
        let is_up = (signs[place] > 0.0) == (vertical == 2);
        let count = &mut met[place][usize::from(is_up)];
        *count += 1;
        if (*count - 1) % step != 0 {
            continue;
        }
        let turn = |point: &DVec3| DVec3::from_array([0, 1, 2].map(|axis| point[axes[axis]] * signs[axis]));
        let message = doubt(points.iter().map(turn), points.len());
        if (place, is_up) == (2, true) {
            outcome.upright = outcome.upright.take().or(message);
            continue;
        }
        let is_bad = message.as_ref().is_some_and(|message| is_wrong(message, place, is_up));
        let is_found = usize::from(message.is_some() && !is_bad);
        if place == 2 {
            (outcome.overturned, outcome.upside_down) = (outcome.overturned + 1, outcome.upside_down + is_found);
        } else {
            (outcome.turned, outcome.found) = (outcome.turned + 1, outcome.found + is_found);
        }
        outcome.misnamed = outcome.misnamed.take().or(message.filter(|_| is_bad));
    }
    // The file's z is the vertical, up or down: cameras point y down.
    for yaw in YAWS {
        let (sin, cos) = yaw.to_radians().sin_cos();
        let turn = |point: &DVec3| {
            let [x, y, z] = [1, 2, 3].map(|step| point[(vertical + step) % 3]);
            DVec3::new(cos * x - sin * y, sin * x + cos * y, z)
        };
        outcome.upright = outcome.upright.take().or_else(|| doubt(points.iter().map(turn), points.len()));
    }
    outcome
}

/// What was found of a group.
struct Summary {
    /// Scans with a warning although they were upright.
    upright: usize,
    /// Scans of which a turned position got a warning that names a wrong axis.
    misnamed: usize,
    /// Share of the positions on their side that got the right warning.
    found: f64,
}

/// Prints the table of a group.
fn summarize(group: &str, outcomes: &[Outcome]) -> Summary {
    eprintln!("\n{group:<48} upright    on its side  upside down  wrong axis");
    for outcome in outcomes {
        let Outcome { name, upright, misnamed, found, turned, upside_down, overturned } = outcome;
        let upright_text = if upright.is_some() { "WARNED" } else { "no warning" };
        let misnamed_text = if misnamed.is_some() { "yes" } else { "no" };
        eprintln!("{name:<48} {upright_text:<10} {found:>2} of {turned:<2}     {upside_down:>2} of {overturned:<2}     {misnamed_text}");
        for message in upright.iter().chain(misnamed) {
            eprintln!("    {message}");
        }
    }
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
    let (found, turned) = (sum(|outcome| outcome.found), sum(|outcome| outcome.turned));
    let (upside_down, overturned) = (sum(|outcome| outcome.upside_down), sum(|outcome| outcome.overturned));
    let summary = Summary {
        upright: sum(|outcome| usize::from(outcome.upright.is_some())),
        misnamed: sum(|outcome| usize::from(outcome.misnamed.is_some())),
        found: share(found, turned),
    };
    eprintln!(
        "{group}: of {} scans {} warned about upright, {} with a wrong axis when turned; found: {:.1} % of {turned} on their side, {:.1} % of {overturned} upside down",
        outcomes.len(),
        summary.upright,
        summary.misnamed,
        summary.found * 100.0,
        share(upside_down, overturned) * 100.0
    );
    summary
}

/// Checks a group: no warning about an upright scan, at most so many scans whose wrong axis is named when they are turned, and at least this share of
/// the positions on their side found.
#[track_caller]
fn check(group: &str, outcomes: &[Outcome], most_misnamed: usize, least_found: f64) {
    let Summary { upright, misnamed, found } = summarize(group, outcomes);
    assert_eq!(upright, 0, "{group}");
    assert!(misnamed <= most_misnamed, "{group}: {misnamed}");
    assert!(found >= least_found, "{group}: {found}");
}

fn judge_all(cases: &[Case]) -> Vec<Outcome> {
    cases.par_iter().map(|case| judge(case, 2, 2)).collect()
}

/// The demo hall as a whole, and its parts.
fn halls(seeds: std::ops::Range<u64>) -> (Vec<Case>, Vec<Case>) {
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for seed in seeds {
        let samples = scanner::scan(&Venue::concert_hall(seed), seed, 40_000, &|_| ());
        let points: Vec<DVec3> = samples.iter().map(|sample| DVec3::from_array(sample.position.map(f64::from)) * 0.001).collect();
        for (name, low, high) in [
            ("foyer", [0.0, 0.0, -0.5], [9.7, 30.0, 10.0]),
            ("stalls", [10.0, 3.5, -2.0], [32.0, 26.5, 13.5]),
            ("stage", [32.0, 3.5, -2.0], [43.0, 26.5, 13.5]),
            ("side corridor", [10.0, 0.0, -1.0], [45.0, 3.4, 4.0]),
            ("stair core", [0.0, 0.0, -4.0], [7.8, 6.5, 10.0]),
            ("basement", [0.0, 0.0, -4.0], [16.0, 30.0, -0.4]),
        ] {
            let is_in = |point: &&DVec3| point.cmpge(low.into()).all() && point.cmple(high.into()).all();
            parts.push(Case { name: format!("demo hall, {name} alone, {seed}"), points: points.iter().filter(is_in).copied().collect() });
        }
        whole.push(Case { name: format!("demo hall {seed}"), points });
    }
    (whole, parts)
}

/// The first points of a stadium, whose points come in no order.
fn stadiums(seeds: std::ops::Range<u64>) -> Vec<Case> {
    let dir = tempfile::tempdir().expect("a folder");
    let one = |seed: u64| {
        let path = dir.path().join(format!("{seed}.las"));
        stadium::write(&path, 40_000, seed, &std::sync::atomic::AtomicBool::new(false), &|_| ()).expect("a stadium");
        Case { name: format!("stadium {seed}"), points: points_of(&path) }
    };
    seeds.map(one).collect()
}

/// Runs of neighbouring points from all over a file.
fn points_of(path: &Path) -> Vec<DVec3> {
    let mut source = read::open(path).unwrap_or_else(|error| panic!("{error}"));
    let (mut chunk, mut all) = (PointChunk::default(), Vec::new());
    while source.read_chunk(&mut chunk, 65_536).unwrap_or_else(|error| panic!("{error}")) > 0 {
        all.extend(chunk.positions.iter().copied().filter(|position| position.is_finite()));
    }
    let runs = all.len().div_ceil(RUN);
    let kept = runs.min(RUNS);
    (0..kept).flat_map(|index| all[index * runs / kept * RUN..].iter().take(RUN).copied()).collect()
}

#[test]
fn whole_venues_are_found_on_their_side_and_left_alone_upright() {
    let (mut cases, parts) = halls(1..3);
    cases.extend(stadiums(1..3));
    check("whole venues", &judge_all(&cases), 0, 0.99);
    // A part may be as high as it is wide, and a sample of it thin: what counts is that none gets a warning where it is upright.
    check("parts of the demo hall", &judge_all(&parts), 4, 0.38);
}

/// Sites as real buildings lie: their walls are parallel to no axis.
fn at_an_angle(seeds: std::ops::Range<u64>) -> Vec<Case> {
    let mut cases = axis_support::cases(seeds);
    for (index, case) in cases.iter_mut().enumerate() {
        let (sin, cos) = (0.2 + 0.37 * index as f64 % 1.1).sin_cos();
        for point in &mut case.points {
            *point = DVec3::new(cos * point.x - sin * point.y, sin * point.x + cos * point.y, point.z);
        }
    }
    cases
}

#[test]
fn sites_at_an_angle_to_the_axes_are_found_on_their_side() {
    check("sites at an angle", &judge_all(&at_an_angle(4..5)), 0, 0.99);
}

#[test]
fn sites_along_the_axes_are_left_alone_upright() {
    // Exactly parallel to the axes, and many as high as they are wide: boxes that could lie on any side.
    check("sites along the axes", &judge_all(&axis_support::cases(6..7)), 4, 0.60);
}

#[test]
#[ignore = "takes a minute: the same of many more sites"]
fn many_sites_are_left_alone_upright() {
    check("many sites at an angle", &judge_all(&at_an_angle(8..14)), 0, 0.95);
    check("many sites along the axes", &judge_all(&axis_support::cases(8..14)), 20, 0.60);
}

#[test]
fn real_scans_are_found_on_their_side_and_left_alone_upright() {
    let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let outcomes: Vec<Outcome> = [
        ("venue/royal-exhibition-building-1M.laz", 2),
        ("venue/royal-exhibition-building-200k-utmlike.laz", 2),
        ("sim/duplex-sim.laz", 2),
        ("sim/duplex-sim.e57", 2),
        ("ply/room_scan1.ply", 2),
        // One view of a camera each, y down.
        ("ply/office1-rgb.ply", 1),
        ("ply/office1-rgb-with-nan.ply", 1),
        ("aerial/4_6_crop.las", 2),
        ("aerial/autzen-thin.las", 2),
        ("aerial/autzen_trim.las", 2),
        ("aerial/certainty3d-color-utm-feet-navd88.las", 2),
        ("aerial/hexbin-crop.las", 2),
        ("aerial/ign-lidarhd-rgb-classified.laz", 2),
        ("aerial/ign_77050_classified.laz", 2),
        ("aerial/mvk-thin.las", 2),
        ("aerial/sample_c.las", 2),
        ("aerial/warsaw_small.las", 2),
        ("copc/lone-star.copc.laz", 2),
        ("las/file_with_both_wkt_and_geotiff_vlrs.las", 2),
        ("las/fullwave.laz", 2),
        ("las/plane.laz", 2),
    ]
    .into_par_iter()
    .filter_map(|(name, vertical)| {
        let path = data.join(name);
        if !path.is_file() {
            eprintln!("skipped: {} is not there", path.display());
            return None;
        }
        Some(judge(&Case { name: name.into(), points: points_of(&path) }, vertical, 1))
    })
    .collect();
    if outcomes.is_empty() {
        return;
    }
    check("real scans", &outcomes, 0, 0.99);
}

#[test]
fn objects_that_are_no_building_are_left_alone() {
    let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    for name in ["e57/bunnyFloat.e57", "e57/ColouredCubeFloat.e57", "ply/cycloidal.ply"] {
        let path = data.join(name);
        if !path.is_file() {
            eprintln!("skipped: {} is not there", path.display());
            continue;
        }
        let outcome = judge(&Case { name: name.into(), points: points_of(&path) }, 2, 1);
        assert!(outcome.upright.is_none() && outcome.misnamed.is_none() && outcome.found == 0, "{outcome:?}");
    }
}
