//! On which side of a surface one sees it.
//!
//! The setup that measured a point saw it from the visible side. Where no setup is known, free space decides ([`Sides::is_back`]): rays go out from both
//! sides through the grid of [`Occupancy`]. From the visible side they reach other surfaces of the room, some metres away; from the other side they meet the
//! other face of the wall after 5 to 50 cm, or leave the scan, since nobody scans the inside of a wall or the ground.
//!
//! Limits: the inside of a closed object that is wider than the space around it looks like a room; so does a building that was scanned from
//! outside alone, if it is not larger than [`FAR_M`]. Faces nearer to each other than two cells of the grid are not told apart.

use glam::DVec3;

use crate::distribute::occupancy::{KeyMap, Occupancy};
use crate::octree::cube::Cube;
use parterre_model::setup::Setup;
use parterre_tile::tileset::Orientation;

/// How far rays go. In a venue the floor or a wall is nearer than this.
const FAR_M: f64 = 20.0;
/// Distances above this count the same: a larger room is no better proof.
const ENOUGH_M: f64 = 10.0;
/// Where rays start, in cells: beyond the cells that the surface itself may be in.
const START_CELLS: f64 = 1.5;

/// Edge of the regions in which small surfaces share their answers, and distance of parallel surfaces that do not: the two faces of a wall are farther apart.
const REGION_M: f64 = 0.25;
const APART_M: f64 = 0.08;

/// Answers for the regions of a block.
#[derive(Default)]
pub(crate) struct Regions {
    /// Whether the visible side is opposite to the normal of surfaces in a plane of some direction.
    flat: KeyMap<bool>,
    /// Where there is free space.
    rough: KeyMap<DVec3>,
}

impl Regions {
    pub(crate) fn clear(&mut self) {
        self.flat.clear();
        self.rough.clear();
    }
}

/// How the visible side of a surface is found.
pub(crate) struct Sides {
    /// Positions of the setups, metres along the axes of the file; `None` of those without a pose.
    setups_m: Vec<Option<DVec3>>,
    space: Option<Space>,
}

/// The grid of occupied cells and where it is.
struct Space {
    grid: Occupancy,
    /// Lower corner and edges of a cell, metres along the axes of the file.
    corner_m: DVec3,
    cell_m: DVec3,
}

impl Sides {
    /// For the setups of a scan and the grid of its points; `metres` are the lengths of the file's units.
    pub(crate) fn new(setups: &[Setup], grid: Option<&Occupancy>, cube: &Cube, metres: DVec3) -> Self {
        let position = |setup: &Setup| Some(setup.position * metres).filter(|position| setup.posed && position.is_finite());
        let space = grid.map(|grid| Space {
            corner_m: cube.corner * metres,
            cell_m: metres * cube.edge_at(cube.bits) * grid.cell_steps(),
            grid: grid.clone(),
        });
        Self { setups_m: setups.iter().map(position).collect(), space }
    }

    /// What a tileset says of it.
    pub(crate) fn orientation(&self) -> Option<Orientation> {
        let has_setups = self.setups_m.iter().any(Option::is_some);
        if has_setups { Some(Orientation::Setups) } else { self.space.as_ref().map(|_| Orientation::FreeSpace) }
    }

    /// Where the scanner stood that measured a point of this source, if that is known.
    #[inline]
    pub(crate) fn setup_m(&self, source: u16) -> Option<DVec3> {
        // Setups count from 1; 0 is none.
        self.setups_m.get(usize::from(source).wrapping_sub(1)).copied().flatten()
    }

    /// Whether the visible side of a surface is opposite to `normal`, by free space. Where both sides look the same, up is visible.
    pub(crate) fn is_back(&self, position_m: DVec3, normal: DVec3) -> bool {
        let [front, back] =
            self.space.as_ref().map_or([0.0; 2], |space| [space.free_m(position_m, normal), space.free_m(position_m, -normal)]);
        back > front || (front >= back && back >= front && normal.z < 0.0)
    }
}

impl Sides {
    /// As [`Sides::is_back`] for a flat surface: found once for those of a region that lie in about the same plane.
    pub(crate) fn is_flat_back(&self, regions: &mut Regions, position_m: DVec3, normal: DVec3) -> bool {
        if self.space.is_none() {
            return self.is_back(position_m, normal);
        }
        // Its direction to about 30 degrees.
        let coarse = (normal * 1.4).round();
        let offset = (position_m.dot(coarse.normalize_or(normal)) / APART_M).floor();
        let key = region(position_m) ^ mixed(coarse.as_ivec3().to_array()).rotate_left(21) ^ (offset as i64 as u64).rotate_left(43);
        *regions.flat.entry(key).or_insert_with(|| self.is_back(position_m, normal))
    }

    /// As [`Sides::is_back`] for points that are on no plane, such as leaves of trees: their normals point to where most free space is in the region.
    pub(crate) fn is_rough_back(&self, regions: &mut Regions, position_m: DVec3, normal: DVec3) -> bool {
        let Some(space) = &self.space else { return self.is_back(position_m, normal) };
        let free = regions.rough.entry(region(position_m)).or_insert_with(|| {
            let axes = [DVec3::X, DVec3::Y, DVec3::Z];
            axes.into_iter().map(|axis| axis * (space.ray_m(position_m, axis, axis) - space.ray_m(position_m, -axis, -axis))).sum()
        });
        let side = free.dot(normal);
        side < 0.0 || (side <= 0.0 && normal.z < 0.0)
    }
}

/// Key of the region that a position is in.
fn region(position_m: DVec3) -> u64 {
    mixed((position_m / REGION_M).floor().as_ivec3().to_array())
}

fn mixed(values: [i32; 3]) -> u64 {
    values.into_iter().fold(0, |key: u64, value| (key ^ u64::from(value as u32)).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(29))
}

impl Space {
    /// Free distance on the side of a surface that `normal` points to, added up over some rays. A ray that meets nothing does not count: there is no
    /// surface from which a scanner could have seen this one.
    fn free_m(&self, position_m: DVec3, normal: DVec3) -> f64 {
        let (across, along) = normal.any_orthonormal_pair();
        let rays = [normal, normal + across, normal - across, normal + along, normal - along];
        rays.into_iter().map(|ray| self.ray_m(position_m, normal, ray.normalize())).sum()
    }

    /// Free distance along a ray that starts on the side `beside` of a surface, at most [`ENOUGH_M`]; 0 where it meets nothing.
    fn ray_m(&self, position_m: DVec3, beside: DVec3, ray: DVec3) -> f64 {
        let start = (position_m - self.corner_m) / self.cell_m + beside * START_CELLS;
        self.grid.first_hit(start, ray / self.cell_m, FAR_M).map_or(0.0, |free_m| free_m.min(ENOUGH_M))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::octree::common_grid::CommonGrid;

    /// Two rooms of 8 x 6 x 3 m with a wall of 20 cm between them, on a slab of 30 cm over a cellar as large as one of them.
    #[test]
    fn faces_of_walls_and_floors_point_into_their_rooms() {
        let cube = Cube::new(&CommonGrid::new(DVec3::splat(0.001), DVec3::ZERO, true), [0; 3], [20_000, 8_000, 10_000]).unwrap();
        let mut grid = Occupancy::new(&cube, DVec3::ONE);
        let rooms =
            [([0, 0, 3_300], [8_000, 6_000, 6_300]), ([8_200, 0, 3_300], [16_200, 6_000, 6_300]), ([0, 0, 0], [8_000, 6_000, 3_000])];
        for (from, to) in rooms {
            for axis in 0..3 {
                let [a, b] = [(axis + 1) % 3, (axis + 2) % 3];
                for side in [from[axis], to[axis]] {
                    for u in (from[a]..to[a]).step_by(40) {
                        for v in (from[b]..to[b]).step_by(40) {
                            let mut steps = [0; 3];
                            (steps[axis], steps[a], steps[b]) = (side, u, v);
                            grid.add(cube.tree_coordinates(steps));
                        }
                    }
                }
            }
        }
        let sides = Sides::new(&[], Some(&grid), &cube, DVec3::ONE);
        assert_eq!(sides.orientation(), Some(Orientation::FreeSpace));
        for (from, to) in rooms {
            let [from, to] = [from, to].map(|corner| DVec3::from_array(corner.map(f64::from)) / 1000.0);
            for axis in 0..3 {
                for (face, inwards) in [(from, 1.0), (to, -1.0)] {
                    let mut place = from + (to - from) * DVec3::new(0.4, 0.55, 0.45);
                    place[axis] = face[axis];
                    let mut normal = DVec3::ZERO;
                    normal[axis] = inwards;
                    assert!(!sides.is_back(place, normal) && sides.is_back(place, -normal), "{place} {normal}");
                }
            }
        }
        // Nothing is known of a field: up.
        let empty = Sides::new(&[], None, &cube, DVec3::ONE);
        assert!(!empty.is_back(DVec3::ONE, DVec3::Z) && empty.is_back(DVec3::ONE, DVec3::NEG_Z) && empty.orientation().is_none());
    }
}
