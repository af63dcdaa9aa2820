//! One tile's points as binary glTF: quantized, and compressed with `EXT_meshopt_compression`.
//!
//! How a tile lies in its file:
//! - One node, one mesh and one primitive of mode POINTS for each [`Part`], the points of one cell of [`CELL_M`]. The
//!   node's matrix scales the normalized 16-bit positions to millimetres, moves them to the part's origin and turns Z up
//!   into glTF's Y up: (x, y, z) becomes (x, z, -y). Its numbers are f64 in the JSON, so that the origin loses nothing.
//! - Buffer view 0 holds the vertices of all parts, 12 bytes each: `POSITION` (u16 x 3, normalized, Z up), two spare
//!   bytes, `COLOR_0` (u8 x 3, normalized), one spare byte.
//! - Buffer view 1, where there are extras, has 8 bytes a point, because glTF wants each attribute at a multiple of
//!   four: `_INTENSITY` (u16), two zeros, `_CLASSIFICATION` (u8), three zeros. `EXT_structural_metadata` describes them.
//! - The last two buffer views, where the surfaces are known: one of 4 bytes a point, `NORMAL` (i8 x 3, normalized, Z up) and one zero byte, and one of
//!   8 bytes, `_EXTENT` (u8 x 4), `_SPACING` (u8) and three zeros; [`surface`] says what their codes mean. The node's matrix
//!   turns normals as it turns positions, since it scales all axes alike. Compressed, the view of the normals has the filter OCTAHEDRAL, with as few
//!   bits as hold the tile's normals exactly.
//! - Compressed, all views are meshopt streams of version 0 (the only one that `EXT_meshopt_compression` allows) in the
//!   binary chunk, and buffer 1 is a placeholder without data. Plain, the binary chunk holds the views as they are.
//!
//! Colour: scanners give sRGB, glTF wants `COLOR_0` linear, and `CesiumJS` and three.js turn it back into sRGB when they
//! draw; sRGB written as it is would look washed out. So `COLOR_0` is linear. Eight bits of it cannot tell dark shades
//! apart, so the three spare bytes hold, for red, green and blue, what is missing from the exact sRGB value: two's
//! complement, mostly 0. [`decode`] adds it and gives the scanner's colours unchanged. `asset.extras.parterre.color` is
//! `linear+residual` in such files; without it the spare bytes are ignored.
//!
//! Limits: reads what [`encode`] writes and files of the same shape; everything else is `tile_unsupported`. Damage is
//! `tile_corrupt`. Memory is bounded by the length of the file and by a number of points, see [`decode`].

pub mod color;
mod decode;
mod normal;
mod part;
pub mod surface;

pub use self::decode::decode;
pub use self::normal::Normal;
pub use self::part::{CELL_M, Extra, Part, Vertex};
pub use self::surface::Surface;
