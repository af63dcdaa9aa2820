//! Whether another axis than Z points up, told from a sample of positions and from where scanners stood.
//!
//! What is used, in this order:
//! 1. **Setups** ([`setups`]): scanners stand level and are turned about the vertical only, so that two or more poses give it away.
//! 2. **A single view of a depth camera** ([`camera`]) has the camera's axes; the picture is wider than high.
//! 3. **Surfaces** ([`patches`], [`evidence`]): a building has floors, ceilings and steps, which are level, lie at few heights and reach over its
//!    whole plan; its walls, furniture and people face in all directions around the vertical; and it is wider than high.
//!
//! Each of these could be otherwise in one building, so that an axis is named in place of Z only where they agree: see [`vertical`]. A
//! room that is as high as wide, a corridor or a stair shaft looks the same on its side; nothing is said of it. This is a question for a person,
//! and nothing is turned.

mod camera;
mod evidence;
mod patches;
mod plan;
mod setups;

use glam::DVec3;

use self::evidence::{Axis, Comparison};
use self::patches::Patch;
use self::plan::Plan;
use crate::overrides::Up;
use parterre_model::setup::Setup;

/// Samples of fewer points are not judged.
const LEAST_POINTS: usize = 500;
/// Most points of a sample that are used, which takes about 30 ms.
const MOST_POINTS: usize = 60_000;
/// Share of the points that are left out at each end of an axis when extents are measured: birds, reflections, what is seen through windows.
const OUTERMOST: f64 = 0.01;
/// A sample is judged only where it has this many flat patches, and where the sum of their areas is this many times the square of the longest
/// extent. A floor alone has 0.3 and more; bushes and statues have many small patches; in a sample with few points per area patches are chance.
const LEAST_PATCHES: usize = 12;
const LEAST_AREA: f64 = 0.005;

/// The least sum of logarithms at which another axis is named: see [`vertical`].
const AGREEMENT: f64 = 1.5;
/// The least sum for shapes that look alike on another side: a corridor, longer than [`TUNNEL`] times both other extents, and a place with one
/// large surface across each axis ([`ONE_SIDED`]), such as a street with the front of a house, which may be larger than the ground.
const AGREEMENT_ALIKE: f64 = 2.2;
const TUNNEL: f64 = 5.0;
/// Of the area perpendicular to an axis, the share in one level (all at one coordinate) above which there is no second surface opposite to it,
/// such as a ceiling opposite to a floor. In scans of rooms the fullest level has at most two thirds.
const ONE_SIDED: f64 = 0.8;
/// Largest contribution of each part to the sum, as logarithms: a factor of 4.5 in areas, of 3.3 in extents, of 2.2 in surfaces around an axis.
const MOST_AREAS: f64 = 1.5;
const MOST_FLAT: f64 = 1.2;
const MOST_AROUND: f64 = 0.8;
/// The least logarithm of the ratio of Z's extent to the named axis' extent. It need not be reached where the logarithm of the ratio of areas
/// perpendicular to the two is [`MANY_TIMES`], a factor of 3.3.
const LEAST_FLAT: f64 = 0.1;
const MANY_TIMES: f64 = 1.2;
/// An axis with a smaller extent, metres, is no storey's height (building codes ask for 2.1 to 2.5 m of clear height) and is not named, unless
/// the smaller one of the other extents is [`MUCH_WIDER`] times as long, as on open ground.
const LEAST_STOREY_M: f64 = 2.3;
const MUCH_WIDER: f64 = 4.0;
/// A stair or lift shaft: its extent along Z is above the first and both others below the second, metres. No other axis is named then, unless the
/// logarithm of the ratio of areas perpendicular to it and to Z is above the third: in generated shafts the walls across an axis have at
/// most 3.5 times the area of landings and treads, and in flats on their side floors have more than that times the area of walls.
const SHAFT_HEIGHT_M: f64 = 6.0;
const SHAFT_PLAN_M: f64 = 7.0;
const SHAFT_AREAS: f64 = 1.4;
/// Longest extent above which coordinates without a unit are taken as millimetres here.
const LONGEST_M: f64 = 3000.0;

/// Why another direction than Z seems to point up; `None` where that is not certain enough. `unit_m` is the length of the sample's unit, where
/// it is known.
pub(super) fn doubt(sample: impl FnOnce() -> Vec<DVec3>, setups: &[Setup], unit_m: Option<f64>) -> Option<String> {
    if let Some((up, count)) = setups::up(setups) {
        let ask = ask(up, true);
        return (up != Up::Z).then(|| {
            format!(
                "{} seems to point up, not Z: it is the axis about which {count} scanner positions are turned, and the instruments' own Z points along \
                 it. {ask}",
                name(up)
            )
        });
    }
    let points = thin(&sample());
    if points.len() < LEAST_POINTS {
        return None;
    }
    let scene = Scene::of(&points);
    // A view along Z could also be a roof or a tier high above the origin of an upright scan, which is no nearer than a ceiling.
    let unit = unit_m.unwrap_or(1.0);
    if let Some(view) = camera::view(&points).filter(|view| view.forward != 2 || view.nearest * unit < LEAST_STOREY_M) {
        return (view.vertical != 2).then(|| {
            let (wide, high) = (view.wide_degrees, view.high_degrees);
            let up = along(view.vertical, false);
            format!(
                "{} seems to be the vertical, not Z: the points are one view of a depth camera at the origin, {wide:.0} degrees wide and {high:.0} \
                 degrees high. {}",
                axis_name(view.vertical),
                ask(up, false)
            )
        });
    }
    let scene = scene?;
    let metres = unit * if unit_m.is_none() && scene.extent.max_element() > LONGEST_M { 0.001 } else { 1.0 };
    let axis = vertical(&scene.axes, metres);
    let is_down = scene.ground(axis);
    if axis == 2 {
        return (is_down == Some(true) && scene.is_wide()).then(|| {
            let message = format!(
                "-Z seems to point up: {:.0} % of the flat surfaces in a sample lie at Z = {:.2} all around the other points, as ground does, and \
                 nearly all other points have a smaller Z",
                scene.axes[2].level * 100.0,
                scene.axes[2].height
            );
            format!("{message}. {}", ask(Up::MinusZ, true))
        });
    }
    let found = &scene.axes[axis];
    let up = along(axis, is_down == Some(true));
    let letter = axis_name(axis);
    Some(format!(
        "{} seems to point up, not Z: of the flat surfaces in a sample, {:.0} % are perpendicular to the {letter} axis, as floors and ceilings are \
         to the vertical, {:.0} % in one level at {letter} = {:.2}, and {:.0} % are perpendicular to the Z axis; the points reach {:.1} x {:.1} x \
         {:.1} units along X, Y and Z. {}",
        name(up),
        found.perpendicular * 100.0,
        found.level * 100.0,
        found.height,
        scene.axes[2].perpendicular * 100.0,
        scene.extent.x,
        scene.extent.y,
        scene.extent.z,
        ask(up, is_down.is_some())
    ))
}

/// Which axis the vertical is: 2, Z, unless another one looks much more like it.
///
/// The logarithms of four ratios are added: of the areas perpendicular to the axes, of the areas in their fullest levels, of the extents, and of the
/// areas that are upright around them (which counts in favour only: slopes of stands look alike). In an empty room that is a box, the first three are the ratio of its
/// edges; [`AGREEMENT`] is a room 1.65 times as wide as high. It was chosen on generated scans between what upright rooms, halls and
/// streets reach that are higher than wide (up to 1.2) and what halls on their side have at least (1.6).
fn vertical(axes: &[Axis; 3], metres: f64) -> usize {
    let z = &axes[2];
    let mut best = (2, 0.0);
    for (index, axis) in axes.iter().enumerate().take(2) {
        let more = Comparison::new(axis, z);
        let sum = more.perpendicular.clamp(-MOST_AREAS, MOST_AREAS)
            + more.level.clamp(-MOST_AREAS, MOST_AREAS)
            + more.flat.clamp(-MOST_FLAT, MOST_FLAT)
            + more.around.clamp(0.0, MOST_AROUND);
        let other = &axes[1 - index];
        let is_tunnel = other.extent > TUNNEL * axis.extent.max(z.extent) || z.extent > TUNNEL * axis.extent.max(other.extent);
        let is_low = axis.extent * metres < LEAST_STOREY_M && other.extent.min(z.extent) < MUCH_WIDER * axis.extent;
        let is_shaft = z.extent * metres > SHAFT_HEIGHT_M
            && z.extent > other.extent
            && other.extent.max(axis.extent) * metres < SHAFT_PLAN_M
            && more.perpendicular < SHAFT_AREAS;
        let is_flat = more.flat >= LEAST_FLAT || more.perpendicular >= MANY_TIMES;
        let is_open = axis.level > ONE_SIDED * axis.perpendicular && z.level > ONE_SIDED * z.perpendicular;
        let needed = if is_tunnel || is_open { AGREEMENT_ALIKE } else { AGREEMENT };
        if sum >= needed && is_flat && !is_low && !is_shaft && sum > best.1 {
            best = (index, sum);
        }
    }
    best.0
}

/// An even choice of the finite points, no more than [`MOST_POINTS`]: every second or third of a run of a scanner keeps its surfaces.
fn thin(sample: &[DVec3]) -> Vec<DVec3> {
    sample.iter().step_by(sample.len().div_ceil(MOST_POINTS).max(1)).copied().filter(|point| point.is_finite()).collect()
}

/// What is seen in a sample.
struct Scene {
    points: Vec<DVec3>,
    /// Lowest corner and edges of their box, without the outermost points.
    low: DVec3,
    extent: DVec3,
    axes: [Axis; 3],
    patches: Vec<Patch>,
}

impl Scene {
    /// `None` where there are too few flat surfaces.
    fn of(points: &[DVec3]) -> Option<Self> {
        let [low, high] = inner_box(points);
        let extent = high - low;
        let longest = extent.max_element();
        if longest <= 0.0 || extent.min_element() < 0.0 {
            return None;
        }
        let margin = OUTERMOST * longest;
        let (corner, low, high) = (low, low - margin, high + margin);
        let points: Vec<DVec3> = points.iter().copied().filter(|point| point.cmpge(low).all() && point.cmple(high).all()).collect();
        let patches = patches::patches(&points, low, longest + 2.0 * margin);
        let area: f64 = patches.iter().map(|patch| patch.area).sum();
        if patches.len() < LEAST_PATCHES || area < LEAST_AREA * longest * longest {
            return None;
        }
        let axes = evidence::axes(&patches, extent.max(DVec3::splat(1e-6 * longest)));
        Some(Self { points, low: corner, extent, axes, patches })
    }

    /// Where the fullest level across an axis is ground, with all else on one side of it: whether that side is the one of smaller coordinates.
    /// `None` where it is no ground: a floor has a ceiling above it, and a ceiling a floor below; and a flat roof has fronts along its edge,
    /// where ground has houses and trees upon it.
    fn ground(&self, axis: usize) -> Option<bool> {
        const NEARLY_ALL: f64 = 0.97;
        /// A level is another one from this distance on, by the extent along the axis, and from this area, by the ground's.
        const APART: f64 = 0.25;
        const LARGE: f64 = 0.1;
        const THICK: f64 = 0.05;
        let ground = &self.axes[axis];
        let mut plan = Plan::new(self.extent, axis);
        let (mut above, mut below) = (0_u32, 0_u32);
        for point in &self.points {
            let height = point[axis] - ground.height;
            above += u32::from(height > THICK * ground.extent);
            below += u32::from(height < -THICK * ground.extent);
            plan.add(*point - self.low, height.abs() > THICK * ground.extent);
        }
        let total = f64::from(above + below).max(1.0);
        let share = f64::from(above.max(below)) / total;
        let total_area: f64 = self.patches.iter().map(|patch| patch.area).sum();
        let far = self.patches.iter().filter(|patch| (patch.middle[axis] - ground.height).abs() > APART * ground.extent);
        let far = evidence::level_of(far, axis, self.extent) / total_area;
        (share >= NEARLY_ALL && far < LARGE * ground.level && plan.is_ground()).then_some(below > above)
    }

    /// Whether the plan is many times as wide as high, as that of ground is.
    fn is_wide(&self) -> bool {
        self.extent.x.min(self.extent.y) > MUCH_WIDER * self.extent.z
    }
}

/// The box of all points but the [`OUTERMOST`] ones.
fn inner_box(points: &[DVec3]) -> [DVec3; 2] {
    let (mut low, mut high) = (DVec3::ZERO, DVec3::ZERO);
    let last = points.len() - 1;
    let left_out = (last as f64 * OUTERMOST).round() as usize;
    for axis in 0..3 {
        let mut values: Vec<f64> = points.iter().map(|point| point[axis]).collect();
        low[axis] = *values.select_nth_unstable_by(left_out, f64::total_cmp).1;
        high[axis] = *values.select_nth_unstable_by(last - left_out, f64::total_cmp).1;
    }
    [low, high]
}

fn along(axis: usize, down: bool) -> Up {
    match (axis, down) {
        (0, false) => Up::X,
        (0, true) => Up::MinusX,
        (1, false) => Up::Y,
        (1, true) => Up::MinusY,
        (_, false) => Up::Z,
        (_, true) => Up::MinusZ,
    }
}

fn axis_name(axis: usize) -> &'static str {
    ["X", "Y", "Z"][axis]
}

fn name(up: Up) -> &'static str {
    match up {
        Up::X => "X",
        Up::Y => "Y",
        Up::Z => "Z",
        Up::MinusX => "-X",
        Up::MinusY => "-Y",
        Up::MinusZ => "-Z",
    }
}

/// What a person can do; both directions where it is not known which end is up.
fn ask(up: Up, is_certain: bool) -> String {
    let own = name(up).to_ascii_lowercase();
    let other = own.strip_prefix('-').map_or_else(|| format!("-{own}"), str::to_owned);
    let opposite = if is_certain { String::new() } else { format!(" (or, if the result is upside down, with --up {other})") };
    format!("Nothing was turned; if this is right, import with --up {own}{opposite}, else with --up z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A room of 20 x 12 x 5 m with points on floor, walls and ceiling, Z up.
    fn room() -> Vec<DVec3> {
        let mut points = Vec::new();
        for i in 0..60 {
            for j in 0..60 {
                let (u, v) = (f64::from(i) / 59.0, f64::from(j) / 59.0);
                points.push(DVec3::new(20.0 * u, 12.0 * v, 0.0));
                if (i + j) % 3 == 0 {
                    points.push(DVec3::new(20.0 * u, 12.0 * v, 5.0));
                    points.push(DVec3::new(20.0 * u, 0.0, 5.0 * v));
                    points.push(DVec3::new(0.0, 12.0 * u, 5.0 * v));
                }
            }
        }
        points
    }

    fn turned(turn: impl Fn(DVec3) -> DVec3) -> Option<String> {
        doubt(|| room().into_iter().map(turn).collect(), &[], None)
    }

    #[test]
    fn a_room_lying_on_its_side_is_doubted() {
        assert_eq!(turned(|p| p), None);
        assert!(turned(|p| DVec3::new(p.x, p.z, -p.y)).is_some_and(|text| text.contains("--up y")));
        assert!(turned(|p| DVec3::new(p.z, p.x, p.y)).is_some_and(|text| text.contains("--up x") && text.contains("--up -x")));
        // Turned about z it is the same room.
        assert_eq!(turned(|p| DVec3::new(p.y, -p.x, p.z)), None);
        assert_eq!(turned(|p| DVec3::new(0.8 * p.x - 0.6 * p.y, 0.6 * p.x + 0.8 * p.y, p.z)), None);
    }

    #[test]
    fn too_little_says_nothing() {
        assert_eq!(doubt(|| vec![DVec3::ZERO; 10], &[], None), None);
        assert_eq!(doubt(|| vec![DVec3::ONE; 1000], &[], None), None);
        assert_eq!(doubt(|| vec![DVec3::NAN; 1000], &[], None), None);
        assert_eq!(doubt(|| vec![DVec3::INFINITY; 1000], &[], None), None);
        let line: Vec<DVec3> = (0..1000).map(|i| DVec3::Y * f64::from(i)).collect();
        assert_eq!(doubt(|| line, &[], None), None);
    }
}
