//! Names of the octree's nodes: a level and a cell on each axis, as COPC and EPT count them.
//!
//! The root is level 0, cell (0, 0, 0). A level halves the edges of the cells of the one above.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A node of the octree. Keys are ordered by level, then by x, y and z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeKey {
    /// Depth below the root.
    pub level: u32,
    /// Cell on each axis, below 2 to the power of the level.
    pub cell: [u32; 3],
}

impl NodeKey {
    /// The node that holds all others.
    pub const ROOT: Self = Self { level: 0, cell: [0; 3] };

    /// Deepest level: cells of it still fit into 31 bits, which is what COPC has for them.
    pub const MAX_LEVEL: u32 = 30;

    /// The node that this one lies in; `None` for the root.
    pub fn parent(self) -> Option<Self> {
        Some(Self { level: self.level.checked_sub(1)?, cell: self.cell.map(|cell| cell >> 1) })
    }

    /// The node of `level` that this one lies in, itself included; `None` for deeper levels.
    pub fn ancestor(self, level: u32) -> Option<Self> {
        let up = self.level.checked_sub(level)?;
        Some(Self { level, cell: self.cell.map(|cell| cell.checked_shr(up).unwrap_or(0)) })
    }

    /// One of the eight nodes in this one; bit 0 of `octant` is the half on x, bit 1 on y, bit 2 on z.
    #[must_use]
    pub fn child(self, octant: u32) -> Self {
        Self { level: self.level + 1, cell: std::array::from_fn(|axis| (self.cell[axis] << 1) | ((octant >> axis) & 1)) }
    }

    /// The eight nodes in this one, by octant.
    pub fn children(self) -> [Self; 8] {
        std::array::from_fn(|octant| self.child(octant as u32))
    }

    /// Which of its parent's eight children it is.
    pub fn octant(self) -> u32 {
        (self.cell[0] & 1) | ((self.cell[1] & 1) << 1) | ((self.cell[2] & 1) << 2)
    }

    /// Whether level and cells go together.
    pub fn is_valid(self) -> bool {
        self.level <= Self::MAX_LEVEL && self.cell.iter().all(|&cell| cell >> self.level == 0)
    }
}

/// `level-x-y-z`.
impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.cell;
        write!(f, "{}-{x}-{y}-{z}", self.level)
    }
}

/// A text that names no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node is named level-x-y-z, with cells below 2 to the power of the level")]
pub struct NotAKey;

impl FromStr for NodeKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let mut numbers = text.split('-').map(str::parse);
        let mut next = || numbers.next().and_then(Result::ok).ok_or(NotAKey);
        let key = Self { level: next()?, cell: [next()?, next()?, next()?] };
        (numbers.next().is_none() && key.is_valid()).then_some(key).ok_or(NotAKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_know_their_parent_and_octant() {
        let key = NodeKey { level: 3, cell: [5, 0, 7] };
        for (octant, child) in key.children().into_iter().enumerate() {
            assert_eq!((child.parent(), child.octant()), (Some(key), octant as u32));
            assert_eq!(child.ancestor(3), Some(key));
            assert_eq!(child.ancestor(0), Some(NodeKey::ROOT));
            assert_eq!(child.ancestor(5), None);
        }
        assert_eq!(key.child(3).cell, [11, 1, 14]);
        assert_eq!(NodeKey::ROOT.parent(), None);
    }

    #[test]
    fn names_go_both_ways() {
        let key = NodeKey { level: 3, cell: [5, 0, 7] };
        assert_eq!(key.to_string(), "3-5-0-7");
        assert_eq!("3-5-0-7".parse(), Ok(key));
        for wrong in ["", "3-5-0", "3-5-0-8", "3-5-0-7-1", "31-0-0-0", "x-0-0-0", "3--5-0-7"] {
            assert_eq!(wrong.parse::<NodeKey>(), Err(NotAKey), "{wrong}");
        }
    }

    #[test]
    fn levels_come_first_in_order() {
        let mut keys = vec!["2-0-0-0", "1-1-1-1", "0-0-0-0", "1-0-1-1", "2-0-0-1"];
        keys.sort_by_key(|key| key.parse::<NodeKey>().expect("a key"));
        assert_eq!(keys, ["0-0-0-0", "1-0-1-1", "1-1-1-1", "2-0-0-0", "2-0-0-1"]);
    }
}
