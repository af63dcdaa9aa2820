//! The points of a tile in main memory, with fast queries: heights of the points around a position, nearest point along a ray.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bevy::math::{DVec2, DVec3, Vec3};
use parterre_decode::{PackedPart, PackedTile, runs};
use parterre_model::points::Bounds;

use crate::facing::is_seen_from_behind;

/// Smallest width of a cell of the grid. Metres.
const CELL_MIN_M: f64 = 0.25;
/// Largest number of cells along one side of a tile.
const CELLS_MAX: f64 = 160.0;

/// Number of grids built so far, in all tiles.
static GRIDS_BUILT: AtomicU64 = AtomicU64::new(0);

/// Changes when a query has built the grid of a tile, which then takes more memory: [`TilePoints::bytes`].
pub fn grids_built() -> u64 {
    GRIDS_BUILT.load(Ordering::Acquire)
}

/// The points of a tile in main memory.
pub struct TilePoints {
    parts: Vec<PartPoints>,
    blocks: Vec<BlockRange>,
    bounds: Bounds,
    /// Median distance between neighbouring points, metres.
    pub spacing_m: Option<f32>,
    grid: OnceLock<Grid>,
}

/// The points of one cell of a tile.
struct PartPoints {
    /// Lower corner of the cell in the tile frame, metres.
    origin_m: DVec3,
    /// In the order of `parterre_decode`.
    points: Vec<Point>,
}

/// A point.
#[derive(Clone, Copy)]
struct Point {
    /// Millimetres from the part's origin.
    position: [u16; 3],
    /// Octahedral, or `parterre_decode::NO_NORMAL`.
    normal: [i8; 2],
}

/// Which points are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Those up to this height. Tile frame, metres.
    pub highest_m: f64,
    /// Only those whose surface faces the eye.
    pub hides_backs: bool,
}

impl Shown {
    /// Whether a point is drawn, given its height, its normal and the vector from it to the eye.
    pub fn shows(&self, height_m: f64, normal: [i8; 2], to_eye: Vec3) -> bool {
        height_m <= self.highest_m && !(self.hides_backs && is_seen_from_behind(normal, to_eye))
    }
}

/// Where a block's points are.
struct BlockRange {
    part: u32,
    first: u32,
    count: u32,
}

impl PartPoints {
    fn position_m(&self, point: Point) -> DVec3 {
        self.origin_m + DVec3::from_array(point.position.map(f64::from)) * 1e-3
    }
}

/// Index of the points by the cells of a horizontal grid, built on the first query.
struct Grid {
    min: DVec2,
    cell_m: f64,
    columns: usize,
    rows: usize,
    /// Index in `points` of each cell's first entry, row by row, and at last the number of entries.
    starts: Vec<u32>,
    /// Index of the part and of the vertex in it, for each point, sorted by cell.
    points: Vec<(u16, u32)>,
}

impl TilePoints {
    /// The positions of a decoded tile.
    pub fn new(tile: &PackedTile) -> Self {
        let mut bounds = Bounds::EMPTY;
        let mut blocks = Vec::new();
        let mut part_points = |(index, part): (usize, &PackedPart)| {
            bounds = bounds.union(part.bounds());
            let mut points = Vec::new();
            for block in &part.blocks {
                blocks.push(BlockRange { part: index as u32, first: points.len() as u32, count: block.count });
                let texels = &part.texels[block.first as usize..(block.first + block.count) as usize];
                points.extend(texels.iter().map(|texel| Point { position: texel.position(), normal: texel.normal() }));
            }
            PartPoints { origin_m: part.origin_m, points }
        };
        let parts = tile.parts.iter().enumerate().map(&mut part_points).collect();
        Self { parts, blocks, bounds, spacing_m: tile.spacing_m, grid: OnceLock::new() }
    }

    /// A share of a block's points: the origin of their part (tile frame, metres), the points relative to it, and their octahedral normals.
    pub fn block(&self, block: u32, share: f64) -> Option<(DVec3, impl Iterator<Item = (Vec3, [i8; 2])>)> {
        let BlockRange { part, first, count } = *self.blocks.get(block as usize)?;
        let part = &self.parts[part as usize];
        let end = first + runs::points(count, runs::runs_of_share(count, share));
        let points = part.points[first as usize..end as usize].iter();
        Some((part.origin_m, points.map(|point| (Vec3::from_array(point.position.map(f32::from)) * 1e-3, point.normal))))
    }

    /// Every point. Tile frame, metres.
    pub fn positions(&self) -> impl Iterator<Item = DVec3> + Clone {
        self.parts.iter().flat_map(|part| part.points.iter().map(|point| part.position_m(*point)))
    }

    /// Tight bounds in the tile frame.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Number of points.
    pub fn count(&self) -> u64 {
        self.parts.iter().map(|part| part.points.len() as u64).sum()
    }

    /// Size of the points in memory, and of the grid where a query has built it. Bytes.
    pub fn bytes(&self) -> u64 {
        self.count() * size_of::<Point>() as u64 + self.grid.get().map_or(0, Grid::bytes)
    }

    fn grid(&self) -> &Grid {
        let mut is_new = false;
        let grid = self.grid.get_or_init(|| {
            is_new = true;
            Grid::new(&self.parts, &self.bounds)
        });
        if is_new {
            GRIDS_BUILT.fetch_add(1, Ordering::Release);
        }
        grid
    }

    /// Appends the heights of all points within the horizontal distance `radius_m` of `center`; tile frame, metres.
    pub fn heights(&self, center: DVec2, radius_m: f64, heights_m: &mut Vec<f64>) {
        self.for_each_near(center, radius_m, |position| heights_m.push(position.z));
    }

    /// Visits all points within the horizontal distance `radius_m` of `center`; tile frame, metres.
    pub fn for_each_near(&self, center: DVec2, radius_m: f64, mut visit: impl FnMut(DVec3)) {
        let radius = DVec2::splat(radius_m);
        let (low, high) = (center - radius, center + radius);
        if high.cmplt(self.bounds.min.truncate()).any() || low.cmpgt(self.bounds.max.truncate()).any() {
            return;
        }
        let grid = self.grid();
        let (low, high) = (grid.cell(low), grid.cell(high));
        for row in low.1..=high.1 {
            let start = grid.starts[row * grid.columns + low.0] as usize;
            let end = grid.starts[row * grid.columns + high.0 + 1] as usize;
            for &(part, vertex) in &grid.points[start..end] {
                let part = &self.parts[usize::from(part)];
                let position = part.position_m(part.points[vertex as usize]);
                if position.truncate().distance_squared(center) <= radius_m * radius_m {
                    visit(position);
                }
            }
        }
    }

    /// The distance along a ray to the nearest point within a cone around it, if that is less than `nearest_m`; tile frame,
    /// metres. `direction` has length 1; `cone_tan` is the tangent of half the cone's angle. Only points that are `shown` count.
    pub fn pick(&self, eye: DVec3, direction: DVec3, cone_tan: f64, nearest_m: f64, shown: &Shown) -> Option<f64> {
        let to_center = self.bounds.center() - eye;
        let along = to_center.dot(direction);
        let radius = self.bounds.size().length() * 0.5;
        let distance_from_ray = (to_center - direction * along).length();
        if along + radius < 0.0 || along - radius > nearest_m || distance_from_ray > radius + (along + radius) * cone_tan {
            return None;
        }
        let mut nearest_m = nearest_m;
        let mut found = None;
        for part in &self.parts {
            for point in &part.points {
                let position = part.position_m(*point);
                let to_point = position - eye;
                let along = to_point.dot(direction);
                if along > 0.1
                    && along < nearest_m
                    && (to_point - direction * along).length_squared() < (along * cone_tan).powi(2)
                    && shown.shows(position.z, point.normal, -to_point.as_vec3())
                {
                    nearest_m = along;
                    found = Some(along);
                }
            }
        }
        found
    }
}

impl Grid {
    fn new(parts: &[PartPoints], bounds: &Bounds) -> Self {
        let size = bounds.size().truncate().max(DVec2::ZERO);
        let cell_m = (size.max_element() / CELLS_MAX).max(CELL_MIN_M);
        let columns = (size.x / cell_m) as usize + 1;
        let rows = (size.y / cell_m) as usize + 1;
        let mut grid = Self { min: bounds.min.truncate(), cell_m, columns, rows, starts: vec![0; columns * rows + 1], points: Vec::new() };
        let cells: Vec<u32> = parts
            .iter()
            .flat_map(|part| part.points.iter().map(|point| part.position_m(*point).truncate()))
            .map(|position| {
                let (column, row) = grid.cell(position);
                (row * columns + column) as u32
            })
            .collect();
        for cell in &cells {
            grid.starts[*cell as usize + 1] += 1;
        }
        for cell in 0..columns * rows {
            grid.starts[cell + 1] += grid.starts[cell];
        }
        let mut next = grid.starts.clone();
        grid.points = vec![(0, 0); cells.len()];
        let entries =
            parts.iter().enumerate().flat_map(|(part, points)| (0..points.points.len()).map(move |vertex| (part as u16, vertex as u32)));
        for (entry, cell) in entries.zip(cells) {
            grid.points[next[cell as usize] as usize] = entry;
            next[cell as usize] += 1;
        }
        grid
    }

    fn bytes(&self) -> u64 {
        (self.starts.len() * size_of::<u32>() + self.points.len() * size_of::<(u16, u32)>()) as u64
    }

    /// Column and row of a position, limited to the grid.
    fn cell(&self, position: DVec2) -> (usize, usize) {
        let cell = ((position - self.min) / self.cell_m).max(DVec2::ZERO);
        ((cell.x as usize).min(self.columns - 1), (cell.y as usize).min(self.rows - 1))
    }
}

#[cfg(test)]
mod tests {
    use parterre_tile::glb;

    use super::*;

    /// Two parts: a floor of 2 m x 2 m at 1 m with a point every 10 cm, and one point 70 m away.
    fn tile() -> TilePoints {
        let floor = (0..20).flat_map(|x| (0..20).map(move |y| glb::Vertex { position: [x * 100, y * 100, 1000], ..Default::default() }));
        let near = glb::Part { vertices: floor.collect(), surfaces: vec![glb::Surface::default(); 400], ..Default::default() };
        let far = glb::Part {
            origin_m: DVec3::new(65.535, 0.0, 0.0),
            vertices: vec![glb::Vertex { position: [4465, 1000, 500], ..Default::default() }],
            ..Default::default()
        };
        TilePoints::new(&PackedTile::new(vec![near, far]))
    }

    #[test]
    fn heights_are_those_of_the_points_within_the_radius() {
        let tile = tile();
        let mut heights = Vec::new();
        tile.heights(DVec2::new(1.0, 1.0), 0.15, &mut heights);
        // The point itself, four at 10 cm, four at 14 cm.
        assert_eq!(heights, [1.0; 9]);
        heights.clear();
        tile.heights(DVec2::new(70.0, 1.0), 0.25, &mut heights);
        assert_eq!(heights, [0.5]);
        heights.clear();
        tile.heights(DVec2::new(30.0, 1.0), 0.25, &mut heights);
        tile.heights(DVec2::new(-5.0, 1.0), 0.25, &mut heights);
        assert!(heights.is_empty());
    }

    #[test]
    fn the_grid_of_a_query_counts_as_memory() {
        let tile = tile();
        let (before, built) = (tile.bytes(), grids_built());
        assert_eq!(before, 401 * 8);
        tile.heights(DVec2::new(30.0, 100.0), 0.25, &mut Vec::new());
        assert_eq!(tile.bytes(), before, "a place outside of the tile needs no grid");
        tile.heights(DVec2::new(30.0, 1.0), 0.25, &mut Vec::new());
        assert!(tile.bytes() >= before + 401 * 8 && grids_built() > built, "{}", tile.bytes());
        let (after, columns) = (tile.bytes(), (70.0_f64 / CELL_MIN_M) as u64);
        assert!(after <= before + 401 * 8 + (columns + 2) * 10 * 4, "{after}");
    }

    #[test]
    fn a_ray_picks_the_nearest_point_in_its_cone() {
        let tile = tile();
        let eye = DVec3::new(1.0, 1.0, 3.0);
        let all = Shown { highest_m: f64::INFINITY, hides_backs: false };
        assert_eq!(tile.pick(eye, DVec3::NEG_Z, 0.01, f64::INFINITY, &all), Some(2.0));
        assert_eq!(tile.pick(eye, DVec3::Z, 0.01, f64::INFINITY, &all), None);
        assert_eq!(tile.pick(eye, DVec3::NEG_Z, 0.01, 1.5, &all), None, "a nearer point was found before");
        assert_eq!(tile.pick(eye, DVec3::NEG_Z, 0.01, f64::INFINITY, &Shown { highest_m: 0.9, ..all }), None, "it is hidden");
        // The floor's normals point up.
        let fronts = Shown { hides_backs: true, ..all };
        assert_eq!(tile.pick(eye, DVec3::NEG_Z, 0.01, f64::INFINITY, &fronts), Some(2.0));
        let below = DVec3::new(1.0, 1.0, -1.0);
        assert_eq!(tile.pick(below, DVec3::Z, 0.01, f64::INFINITY, &all), Some(2.0));
        assert_eq!(tile.pick(below, DVec3::Z, 0.01, f64::INFINITY, &fronts), None, "it is seen from behind");
    }
}
