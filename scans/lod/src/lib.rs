//! Which tiles to draw and which to load: pure functions of the tree, the views, what is resident and the budget.
//!
//! A frame goes: camera → [`View`] → [`select`] → draw, load and touch lists. The same arguments always give the same
//! lists, so the choice is tested with tables of frames and the viewer holds no selection state of its own. [`Tree`]
//! grows while external tilesets arrive; [`cache::Cache`] decides what leaves memory.

pub mod cache;
mod select;
mod tree;
mod view;

pub use select::{Budget, Residency, Selection, select};
pub use tree::{Content, Node, NodeId, Tree};
pub use view::{Plane, View};
