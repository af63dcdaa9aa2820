//! Reading scan files of any supported format in chunks. The format is detected by the first bytes, never by the file name.
//!
//! [`open`] gives a [`PointSource`]; [`inspect`] describes a file without reading all its points; [`open_all`] opens the
//! files of one scan.

mod adapt;
mod detect;
pub mod e57;
pub mod inspect;
pub mod las;
mod open;
mod overrides;
pub mod ply;
mod precision;
mod source;
mod sources;

pub use inspect::{Inspection, inspect};
pub use open::{from_source, open, open_with};
pub use overrides::{Override, Up};
pub use precision::Precision;
pub use source::{PointSource, Source, SourceInfo};
pub use sources::open_all;
