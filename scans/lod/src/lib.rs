//! Which tiles to draw and which to load: pure functions of the tree, the views, what is resident and the budget.
//!
//! A frame goes: camera → [`View`] → [`select`] → draw, load and touch lists. A scene may have several scans, each with its own [`Tree`] and tile frame; all
//! share one budget and one spacing in the picture. The same arguments always give the same lists, so the choice is tested with tables of frames and the viewer holds no selection state of its own. [`Tree`]
//! grows while external tilesets arrive; [`OcclusionMap`] tells what is behind surfaces; [`cache::Cache`] decides what leaves memory.

pub mod cache;
mod needed;
mod occlusion;
mod select;
mod tree;
mod view;

pub use needed::share;
pub use occlusion::OcclusionMap;
pub use select::{Block, Budget, ChosenBlock, ChosenTile, Residency, ResidencyOf, ScanId, Selection, Source, TileId, select};
pub use tree::{Content, Node, NodeId, Tree};
pub use view::{Plane, View};
