//! Whether the floor lies across Y instead of Z, told from a sample of positions.
//!
//! Floors and ceilings are the largest flat things of a venue, and a venue is wider than high. So along the axis that
//! points up the extent is the smallest and the points crowd at a height. The sample is called doubtful where Y has both and
//! Z has not. A wall scanned alone looks the same: this is a question for a person, and nothing is turned.

use glam::DVec3;

/// Fewer points than this say nothing.
const MIN_POINTS: usize = 500;
/// Width of a crowd, as a share of the longest extent.
const CROWD: f64 = 0.005;
/// Share of the points that a floor has at least.
const MIN_SHARE: f64 = 0.08;
/// How much more crowded Y must be than Z.
const RATIO: f64 = 1.5;
/// The largest height for a width: of the smaller side of the ground.
const MAX_HEIGHT: f64 = 0.7;

/// Why Y seems to point up; `None` where it does not.
pub(super) fn doubt(sample: &[DVec3]) -> Option<String> {
    if sample.len() < MIN_POINTS {
        return None;
    }
    let axes = [0, 1, 2].map(|axis| {
        let mut values: Vec<f64> = sample.iter().map(|position| position[axis]).filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    });
    if axes[0].len() < MIN_POINTS {
        return None;
    }
    // A few strays would make any extent large.
    let at = |axis: usize, share: f64| axes[axis][((axes[axis].len() - 1) as f64 * share).round() as usize];
    let extent = [0, 1, 2].map(|axis| at(axis, 0.99) - at(axis, 0.01));
    let longest = extent.into_iter().fold(0.0, f64::max);
    if longest <= 0.0 || extent[1] > MAX_HEIGHT * extent[0].min(extent[2]) {
        return None;
    }
    let (share, level) = crowd(&axes[1], CROWD * longest);
    let (share_z, _) = crowd(&axes[2], CROWD * longest);
    (share >= MIN_SHARE && share >= RATIO * share_z).then(|| {
        format!(
            "Y seems to point up, not Z: the points reach {:.1} x {:.1} x {:.1} units along x, y and z, and {:.0} % of a sample \
             lie at one y ({:.2}), as a floor's or a ceiling's do, against {:.0} % at one z. Nothing was turned; if Y does point up, import with --up y, else with --up z",
            extent[0],
            extent[1],
            extent[2],
            share * 100.0,
            level,
            share_z * 100.0,
        )
    })
}

/// The largest share of sorted values within a span of `width`, and the middle of that span.
fn crowd(values: &[f64], width: f64) -> (f64, f64) {
    let (mut start, mut most, mut level) = (0, 0, 0.0);
    for (end, value) in values.iter().enumerate() {
        while value - values[start] > width {
            start += 1;
        }
        if end - start + 1 > most {
            most = end - start + 1;
            level = (value + values[start]) * 0.5;
        }
    }
    (most as f64 / values.len() as f64, level)
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

    #[test]
    fn a_room_lying_on_its_side_is_doubted() {
        let room = room();
        assert_eq!(doubt(&room), None);
        let turned: Vec<DVec3> = room.iter().map(|p| DVec3::new(p.x, p.z, -p.y)).collect();
        assert!(doubt(&turned).is_some_and(|text| text.contains("--up y")));
        // Turned about z it is the same room.
        let about: Vec<DVec3> = room.iter().map(|p| DVec3::new(p.y, p.x, p.z)).collect();
        assert_eq!(doubt(&about), None);
    }

    #[test]
    fn too_little_says_nothing() {
        assert_eq!(doubt(&[DVec3::ZERO; 10]), None);
        assert_eq!(doubt(&vec![DVec3::ONE; 1000]), None);
        assert_eq!(doubt(&vec![DVec3::NAN; 1000]), None);
    }
}
