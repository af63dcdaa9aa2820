//! Flat patches of the surfaces in a sample of points.
//!
//! The cube around the sample is cut into eight again and again. A cell whose points lie in one plane becomes a patch; one with few points that do
//! not is searched for the plane that most of them lie in, which separates a tread from its riser and a seat from its back. Large walls so
//! become few large patches and furniture many small ones. What counts is the area of patches and not their points: surfaces near a scanner
//! have a hundred times as many points as far ones.
//!
//! The same points in the same order give the same patches.

use glam::{DMat3, DVec3};
use parterre_model::eigen::symmetric_eigen;

/// A flat piece of surface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    /// Middle of its points.
    pub(super) middle: DVec3,
    /// Direction across it, of length 1; either of the two.
    pub(super) normal: DVec3,
    /// Area, in squares of the unit of the points: of the rectangle in which even points would spread as much.
    pub(super) area: f64,
}

/// Halvings of the cube's edge: the smallest cells are a 1024th of it, 5 cm in a hall of 50 m.
const HALVINGS: u32 = 10;
/// Largest cells that are searched, a 16th of the edge: a storey or a wall panel is a few of them.
const FIRST: u32 = 4;
/// Points of a patch. Three make a plane; eight that lie in one by chance are rare: below 1 % for points without order.
const LEAST: usize = 8;
/// Thickness of a patch by its width, as standard deviations: noise of 20 mm on a patch of 1 m, or a normal that is off by 3 degrees.
const THIN: f64 = 0.06;
/// Width of a patch by its length: less is a line of a scanner, which has no normal.
const NARROW: f64 = 0.1;
/// Cells with more points than this are cut before they are searched for mixed planes.
const MOST_MIXED: usize = 96;
/// Planes tried in such a cell. A plane with half of the points is hit by one of three points in eight: missed 16 times once in nine.
const TRIES: u32 = 16;
/// Distance from a tried plane at which a point still belongs to it, by the size of the points' box.
const NEAR: f64 = 0.03;

/// The patches of finite points within the cube that begins at `low` and has that edge.
pub(super) fn patches(points: &[DVec3], low: DVec3, edge: f64) -> Vec<Patch> {
    let steps = f64::from(1_u32 << HALVINGS);
    let place = |point: DVec3| {
        let cell = ((point - low) * (steps / edge)).clamp(DVec3::ZERO, DVec3::splat(steps - 1.0)).as_uvec3();
        spread(cell.x) | (spread(cell.y) << 1) | (spread(cell.z) << 2)
    };
    let mut cells: Vec<Member> = points.iter().map(|&point| Member { cell: place(point), point }).collect();
    cells.sort_by_key(|member| member.cell);
    let mut out = Vec::new();
    split(&mut cells, 0, &mut out);
    out
}

/// A point with its smallest cell, in Morton order.
#[derive(Clone, Copy)]
struct Member {
    cell: u32,
    point: DVec3,
}

/// Puts two zeros between the bits of a number of [`HALVINGS`] bits.
fn spread(value: u32) -> u32 {
    let mut x = value & 0x3ff;
    x = (x | (x << 16)) & 0x0300_00ff;
    x = (x | (x << 8)) & 0x0300_f00f;
    x = (x | (x << 4)) & 0x030c_30c3;
    (x | (x << 2)) & 0x0924_9249
}

/// Takes patches from the points of a cell, in Morton order.
fn split(mut members: &mut [Member], level: u32, out: &mut Vec<Patch>) {
    if members.len() < LEAST {
        return;
    }
    if level >= FIRST {
        if let Some(patch) = fit(members) {
            out.push(patch);
            return;
        }
        if members.len() <= MOST_MIXED {
            while let Some((patch, rest)) = strongest(members) {
                out.push(patch);
                members = &mut members[..rest];
            }
            if members.len() < LEAST {
                return;
            }
            members.sort_by_key(|member| member.cell);
        }
    }
    if level == HALVINGS {
        return;
    }
    let shift = 3 * (HALVINGS - level - 1);
    while let Some(first) = members.first() {
        let child = first.cell >> shift;
        let end = members.partition_point(|member| member.cell >> shift <= child);
        let (own, others) = members.split_at_mut(end);
        split(own, level + 1, out);
        members = others;
    }
}

/// The plane that most of the points lie in, at least a third of them. Moves its points to the end and returns how many are before them.
fn strongest(members: &mut [Member]) -> Option<(Patch, usize)> {
    let count = members.len();
    if count < LEAST {
        return None;
    }
    let (low, high) =
        members.iter().fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(low, high), member| (low.min(member.point), high.max(member.point)));
    let near = NEAR * (high - low).max_element();
    // A sequence of its own: the outcome must depend on nothing but the points.
    let mut state = 0x9e37_79b9_u32 ^ count as u32;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % count
    };
    let (mut most, mut best) = (0, (DVec3::ZERO, 0.0));
    for _ in 0..TRIES {
        let [a, b, c] = [draw(), draw(), draw()].map(|index| members[index].point);
        let normal = (b - a).cross(c - a).normalize_or_zero();
        if normal == DVec3::ZERO {
            continue;
        }
        let offset = normal.dot(a);
        let inside = members.iter().filter(|member| (normal.dot(member.point) - offset).abs() <= near).count();
        if inside > most {
            (most, best) = (inside, (normal, offset));
        }
    }
    if most < LEAST || most * 3 < count {
        return None;
    }
    let mut rest = 0;
    for index in 0..count {
        if (best.0.dot(members[index].point) - best.1).abs() > near {
            members.swap(index, rest);
            rest += 1;
        }
    }
    Some((fit(&members[rest..])?, rest))
}

/// The plane of the points, by the eigenvectors of their covariance; `None` where they lie in none.
fn fit(members: &[Member]) -> Option<Patch> {
    let origin = members.first()?.point;
    let count = members.len() as f64;
    let (mut sum, mut squares, mut mixed) = (DVec3::ZERO, DVec3::ZERO, DVec3::ZERO);
    for member in members {
        let d = member.point - origin;
        sum += d;
        squares += d * d;
        mixed += DVec3::new(d.y * d.z, d.z * d.x, d.x * d.y);
    }
    let mean = sum / count;
    let v = squares / count - mean * mean;
    let m = mixed / count - DVec3::new(mean.y * mean.z, mean.z * mean.x, mean.x * mean.y);
    let covariance = DMat3::from_cols(DVec3::new(v.x, m.z, m.y), DVec3::new(m.z, v.y, m.x), DVec3::new(m.y, m.x, v.z));
    let (values, vectors) = symmetric_eigen(covariance);
    let [thin, narrow, wide] = values.map(|value| value.max(0.0).sqrt());
    let is_flat = narrow > 0.0 && thin <= THIN * narrow && narrow >= NARROW * wide;
    // Even points on a length have a standard deviation of a square root of twelfth of it.
    is_flat.then(|| Patch { middle: origin + mean, normal: vectors[0], area: 12.0 * narrow * wide })
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn two_walls_and_a_floor_are_told_apart() {
        let mut points = Vec::new();
        for i in 0..80 {
            for j in 0..80 {
                let (u, v) = (f64::from(i) * 0.05, f64::from(j) * 0.05);
                points.extend([DVec3::new(u, v, 0.0), DVec3::new(u, 0.0, v), DVec3::new(0.0, u, v)]);
            }
        }
        let found = patches(&points, DVec3::ZERO, 4.0);
        let mut area = DVec3::ZERO;
        for patch in &found {
            let normal = patch.normal.abs();
            assert!(normal.max_element() > 0.99, "{patch:?}");
            area[normal.max_position()] += patch.area;
        }
        for axis in 0..3 {
            assert!((9.0..=18.0).contains(&area[axis]), "{area}");
        }
    }

    #[test]
    fn points_without_order_have_no_patches() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let points: Vec<DVec3> = (0..8000).map(|_| DVec3::new(rng.random(), rng.random(), rng.random()) * 20.0).collect();
        let area: f64 = patches(&points, DVec3::ZERO, 20.0).iter().map(|patch| patch.area).sum();
        assert!(area < 24.0, "{area}: a hundredth of the outside of their cube");
    }
}
