//! Turning a scan so that the axis that points up becomes Z: quarter and half turns, under which whole numbers stay exact.

use glam::{DMat3, DQuat, DVec3};

use crate::overrides::Up;
use parterre_model::points::Bounds;
use parterre_model::record::Grid;

/// A rotation by a multiple of 90 degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turn {
    /// Which of the file's axes becomes each of the new ones.
    axes: [usize; 3],
    /// 1 or -1 for each of the new axes.
    signs: [f64; 3],
}

impl Turn {
    /// The rotation that takes `up` to Z; `None` where that is Z already. The axis that is turned about keeps its place: (x, y, z) becomes
    ///
    /// | up | new x, y, z |
    /// | --- | --- |
    /// | Y | x, -z, y |
    /// | -Y | x, z, -y |
    /// | X | -z, y, x |
    /// | -X | z, y, -x |
    /// | -Z | x, -y, -z |
    pub(super) fn of(up: Up) -> Option<Self> {
        let (axes, signs) = match up {
            Up::Z => return None,
            Up::Y => ([0, 2, 1], [1.0, -1.0, 1.0]),
            Up::MinusY => ([0, 2, 1], [1.0, 1.0, -1.0]),
            Up::X => ([2, 1, 0], [-1.0, 1.0, 1.0]),
            Up::MinusX => ([2, 1, 0], [1.0, 1.0, -1.0]),
            Up::MinusZ => ([0, 1, 2], [1.0, -1.0, -1.0]),
        };
        Some(Self { axes, signs })
    }

    /// A position after the turn.
    pub(super) fn position(self, position: DVec3) -> DVec3 {
        DVec3::from_array(self.axes.map(|axis| position[axis])) * DVec3::from_array(self.signs)
    }

    /// Whole numbers in the order of the new axes; the grid's scales have the signs.
    pub(super) fn steps(self, steps: [i32; 3]) -> [i32; 3] {
        self.axes.map(|axis| steps[axis])
    }

    /// The grid of [`Turn::steps`]; scales may be negative.
    pub(super) fn grid(self, grid: Grid) -> Grid {
        Grid { scale: self.position(grid.scale), offset: self.position(grid.offset) }
    }

    /// The box after the turn.
    pub(super) fn bounds(self, bounds: Bounds) -> Bounds {
        if bounds.is_empty() {
            return bounds;
        }
        let mut turned = Bounds::EMPTY;
        turned.include(self.position(bounds.min));
        turned.include(self.position(bounds.max));
        turned
    }

    /// The turn as a rotation of directions.
    pub(super) fn rotation(self) -> DQuat {
        let columns = [DVec3::X, DVec3::Y, DVec3::Z].map(|axis| self.position(axis));
        DQuat::from_mat3(&DMat3::from_cols(columns[0], columns[1], columns[2]))
    }

    /// Whether the file's z axis still points up or down afterwards.
    pub(super) fn keeps_z(self) -> bool {
        self.axes[2] == 2
    }

    /// The axis that points up before the turn: "Y", "-X".
    pub(super) fn up(self) -> String {
        let sign = if self.signs[2] < 0.0 { "-" } else { "" };
        format!("{sign}{}", ["X", "Y", "Z"][self.axes[2]])
    }

    /// What became of x, y and z, in words: "x, -z, y".
    pub(super) fn name(self) -> String {
        let part = |index: usize| {
            let sign = if self.signs[index] < 0.0 { "-" } else { "" };
            format!("{sign}{}", ["x", "y", "z"][self.axes[index]])
        };
        format!("{}, {}, {}", part(0), part(1), part(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_becomes_z_and_nothing_is_mirrored() {
        for (up, direction) in
            [(Up::X, DVec3::X), (Up::MinusX, -DVec3::X), (Up::Y, DVec3::Y), (Up::MinusY, -DVec3::Y), (Up::MinusZ, -DVec3::Z)]
        {
            let turn = Turn::of(up).expect("a turn");
            assert_eq!(turn.position(direction), DVec3::Z, "{up:?}");
            let [x, y, z] = [DVec3::X, DVec3::Y, DVec3::Z].map(|axis| turn.position(axis));
            assert_eq!(x.cross(y), z, "{up:?} is a rotation");
            let there = DVec3::new(1.0, 2.0, 3.0);
            assert!((turn.rotation() * there - turn.position(there)).length() < 1e-12, "{up:?}");
        }
        assert_eq!(Turn::of(Up::Z), None);
        assert_eq!(Turn::of(Up::Y).map(Turn::name).as_deref(), Some("x, -z, y"));
    }

    #[test]
    fn steps_and_their_grid_give_the_turned_positions() {
        let grid = Grid { scale: DVec3::new(0.001, 0.002, 0.004), offset: DVec3::new(10.0, 20.0, 30.0) };
        let steps = [7, -8, 9];
        for up in [Up::X, Up::MinusX, Up::Y, Up::MinusY, Up::MinusZ] {
            let turn = Turn::of(up).expect("a turn");
            let turned = turn.grid(grid).position(turn.steps(steps));
            assert!((turned - turn.position(grid.position(steps))).length() < 1e-12, "{up:?}");
        }
    }
}
