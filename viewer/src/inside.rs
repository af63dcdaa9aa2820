//! Looking into closed rooms from outside.
//!
//! Where the normals of a scan tell the visible side of surfaces, points of surfaces that are seen from behind are not drawn: from outside one looks through
//! the roof and the near walls into every room, without cutting. Where they do not, the roof is cut off, if there is one.
//!
//! Normals that were turned by the free space around them are often wrong outdoors, where nothing is opposite a surface. So they count only in scans of
//! buildings.
//!
//! This is on in orbit and fly mode while the eye is outside of the rooms: above a roof, or beside a wall. Who is in a room sees all of it: seats and curtains
//! have normals to either side, and walls were not always scanned from the side on which one stands. It can be switched off in the settings.
//!
//! What is left out is decided for each scan, because some have normals and others have none; whether the eye is in a room, by the points of all.

use std::collections::BTreeMap;

use bevy::math::DVec3;
use bevy::prelude::*;
use parterre_lod::ScanId;
use parterre_tile::tileset::Orientation;

use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::stream::scans::{Scan, Scans};
use crate::walk::columns::Columns;
use crate::walk::tile_points::Shown;

/// What of each scan is not drawn, so that one can look into it.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct LookInside {
    scans: BTreeMap<ScanId, Inside>,
}

impl LookInside {
    /// What of a scan is not drawn.
    pub fn of(&self, scan: ScanId) -> Inside {
        self.scans.get(&scan).cloned().unwrap_or_default()
    }

    /// Which points of a scan are drawn; heights in its tile frame.
    pub fn shown(&self, scan: &Scan) -> Shown {
        self.of(scan.id).shown(scan.placement.origin_m().z)
    }

    /// Whether anything of the scans that are shown is left out for the look inside.
    pub fn is_open(&self, scans: &Scans) -> bool {
        scans.visible().any(|scan| self.of(scan.id).is_open())
    }

    /// The lowest height above which points of a scan that is shown are left out. Scene frame, metres.
    pub fn cut_above_m(&self, scans: &Scans) -> Option<f64> {
        scans.visible().filter_map(|scan| self.of(scan.id).cut_above_m).min_by(f64::total_cmp)
    }
}

/// What of a scan is not drawn, so that one can look into it. Follows from the settings, the mode and the scan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inside {
    /// Whether points are left out whose surface is seen from behind.
    pub hides_backs: bool,
    /// Points above this height are left out: the height set by the user, or that below the roof. Scene frame, metres.
    pub cut_above_m: Option<f64>,
    /// Whether the roof is cut off.
    cuts_roof: bool,
    roof: Roof,
}

/// The scan's roof.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Roof {
    /// The coarsest tile is not in memory yet.
    #[default]
    Unknown,
    /// No roof covers most of the scan.
    None,
    /// The height just below it; tile frame, metres.
    Below(f64),
}

/// Share of a scan's plan under roofs from which it is a scan of a building. Outdoors trees and passages make a tenth; of a room at least a third is left by
/// furniture and by what was seen through its windows.
const BUILDING_SHARE: f64 = 0.25;

/// What a tileset says of the sides of surfaces.
#[derive(Clone, Copy, Debug)]
struct Surfaces {
    orientation: Option<Orientation>,
    roofed_share: Option<f64>,
}

impl Inside {
    /// Whether anything is left out for the look inside.
    pub fn is_open(&self) -> bool {
        self.hides_backs || self.cuts_roof
    }

    /// Which points are drawn, for a tile frame whose origin is at this height.
    pub fn shown(&self, origin_height_m: f64) -> Shown {
        let highest_m = self.cut_above_m.map_or(f64::INFINITY, |cut_m| cut_m - origin_height_m);
        Shown { highest_m, hides_backs: self.hides_backs }
    }

    /// Sets what is left out; `may_look`: the settings and the mode allow it.
    fn set(&mut self, may_look: bool, surfaces: Surfaces, cut_by_user_m: Option<f64>, origin_height_m: f64) {
        let Surfaces { orientation, roofed_share } = surfaces;
        let roof_m = match self.roof {
            Roof::Below(height_m) if may_look => Some(height_m),
            _ => None,
        };
        self.hides_backs = match orientation {
            Some(Orientation::Setups) => may_look,
            Some(Orientation::FreeSpace | Orientation::Other) => {
                may_look && roofed_share.map_or(roof_m.is_some(), |share| share >= BUILDING_SHARE)
            }
            None => false,
        };
        let roof_m = roof_m.filter(|_| orientation.is_none() && cut_by_user_m.is_none());
        self.cuts_roof = roof_m.is_some();
        self.cut_above_m = cut_by_user_m.or(roof_m.map(|roof_m| roof_m + origin_height_m));
    }
}

/// Radius of the column around the eye in which floor and roof are looked for. Metres.
const COLUMN_RADIUS_M: f64 = 1.0;
/// Points below and above the eye that make a floor and a roof: more than stray ones.
const SURFACE_POINTS: usize = 3;
/// Points nearer than this are neither: the eye may pass through a surface. Metres.
const NEAR_M: f64 = 0.2;

/// Whether the camera may look through walls: not while walking. A walker that is still on its way to the floor comes from outside.
fn may_look_inside(rig: &Rig) -> bool {
    rig.mode != Mode::Walk || rig.walker.foot_height_m.is_none()
}

/// Whether an eye is in a room, given the heights of the points straight below and above it: between a floor and a roof.
fn is_in_room(heights_m: &[f64], eye_m: f64) -> bool {
    let count = |is_surface: &dyn Fn(f64) -> bool| heights_m.iter().filter(|height| is_surface(**height)).count();
    count(&|height_m| height_m < eye_m - NEAR_M) >= SURFACE_POINTS && count(&|height_m| height_m > eye_m + NEAR_M) >= SURFACE_POINTS
}

/// The eye for which it was found out whether it is in a room, and the state of the tiles in memory then.
#[derive(Default)]
pub struct LastEye {
    eye: DVec3,
    /// Number of tiles inserted, and the revision of the list of scans.
    state: (u64, u64),
    is_in_room: bool,
}

impl LastEye {
    /// Whether an eye is in a room, as far as the points in memory show it.
    fn is_in_room(&mut self, scans: &Scans, eye: DVec3) -> bool {
        let state = (scans.residency.insertions(), scans.revision());
        if (self.eye, self.state) != (eye, state) {
            *self = Self { eye, state, is_in_room: is_in_room(&scans.heights(eye.truncate(), COLUMN_RADIUS_M), eye.z) };
        }
        self.is_in_room
    }
}

/// Updates [`LookInside`]; runs when the camera has been moved, before tiles are selected.
pub fn update(
    mut inside: ResMut<LookInside>,
    mut last_eye: Local<LastEye>,
    (settings, scans): (Res<Settings>, Res<Scans>),
    rigs: Query<&Rig>,
) {
    let mut next = LookInside { scans: scans.iter().map(|scan| (scan.id, inside.of(scan.id))).collect() };
    for scan in scans.iter() {
        if let Some(of_scan) = next.scans.get_mut(&scan.id).filter(|of_scan| of_scan.roof == Roof::Unknown)
            && let Some(coarsest) = scans.coarsest(scan)
        {
            let height_m = Columns::new(coarsest.points.positions()).and_then(|columns| columns.roof_m());
            of_scan.roof = height_m.map_or(Roof::None, Roof::Below);
        }
    }
    let mut set = |may_look| {
        for scan in scans.iter() {
            let extras = &scan.open.tree.scan;
            let surfaces = Surfaces { orientation: extras.normals.and_then(|normals| normals.oriented), roofed_share: extras.roofed_share };
            if let Some(of_scan) = next.scans.get_mut(&scan.id) {
                of_scan.set(may_look, surfaces, settings.cut_above_m, scan.placement.origin_m().z);
            }
        }
        next.is_open(&scans)
    };
    // The points around the eye are looked at only where something would be left out: finding them takes a grid of each tile there.
    if set(settings.see_inside && rigs.iter().all(may_look_inside)) && rigs.iter().any(|rig| last_eye.is_in_room(&scans, rig.eye)) {
        set(false);
    }
    inside.set_if_neq(next);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backs_are_hidden_or_the_roof_is_cut_where_there_is_one() {
        let [setups, free] = [Some(Orientation::Setups), Some(Orientation::FreeSpace)];
        let roof = Some(9.0);
        let rows = [
            ("a hall", roof, setups, Some(0.8), None, (true, None)),
            ("a hall without setups", roof, free, Some(0.8), None, (true, None)),
            ("a stadium with roofs over its stands", None, free, Some(0.6), None, (true, None)),
            ("outdoors", None, free, Some(0.1), None, (false, None)),
            ("outdoors with setups", None, setups, Some(0.1), None, (true, None)),
            ("a hall, tiled before the share was known", roof, free, None, None, (true, None)),
            ("outdoors, tiled before", None, free, None, None, (false, None)),
            ("a hall without normals", roof, None, None, None, (false, Some(109.0))),
            ("the user's cut counts", roof, None, None, Some(104.0), (false, Some(104.0))),
            ("also with normals", roof, free, Some(0.8), Some(104.0), (true, Some(104.0))),
            ("outdoors without normals", None, None, None, None, (false, None)),
        ];
        for (what, roof_m, orientation, roofed_share, cut_m, expected) in rows {
            let surfaces = Surfaces { orientation, roofed_share };
            let mut inside = Inside { roof: roof_m.map_or(Roof::None, Roof::Below), ..Inside::default() };
            inside.set(true, surfaces, cut_m, 100.0);
            assert_eq!((inside.hides_backs, inside.cut_above_m), expected, "{what}");
            assert_eq!(inside.is_open(), expected.0 || (expected.1.is_some() && cut_m.is_none()), "{what}");
            inside.set(false, surfaces, cut_m, 100.0);
            assert_eq!((inside.hides_backs, inside.cut_above_m, inside.is_open()), (false, cut_m, false), "{what}, switched off");
        }
    }

    #[test]
    fn a_room_has_a_floor_and_a_roof() {
        let floor = [0.0, 0.01, 0.02, 0.01];
        let roof = [8.0, 8.1, 8.0];
        let hall = [floor.as_slice(), &roof].concat();
        assert!(is_in_room(&hall, 1.7) && is_in_room(&hall, 7.5));
        assert!(!is_in_room(&hall, 9.0), "above the roof");
        assert!(!is_in_room(&hall, 8.05), "within the roof");
        assert!(!is_in_room(&hall, -3.0), "below the floor");
        assert!(!is_in_room(&floor, 1.7), "in the open");
        assert!(!is_in_room(&[floor.as_slice(), &[5.0]].concat(), 1.7), "a stray point");
        assert!(!is_in_room(&[], 1.7), "outside of the scan");
    }

    #[test]
    fn walls_are_whole_for_who_stands_on_a_floor() {
        let mut rig = Rig::default();
        assert!(may_look_inside(&rig));
        rig.mode = Mode::Fly;
        assert!(may_look_inside(&rig));
        rig.mode = Mode::Walk;
        assert!(may_look_inside(&rig), "on the way down");
        rig.walker.foot_height_m = Some(0.0);
        assert!(!may_look_inside(&rig));
    }
}
