//! Reading scan files in chunks, whatever the format; the format is told by the first bytes, never by the name.
//!
//! [`open`] gives a [`PointSource`]; [`inspect`] tells what is in a file without reading its points; [`open_all`] opens the
//! files of one scan.

mod adapt;
pub mod e57;
pub mod inspect;
pub mod las;
mod open;
mod overrides;
pub mod ply;
mod sniff;
mod source;
mod sources;

pub use inspect::{Inspection, inspect};
pub use open::{from_source, open, open_with};
pub use overrides::{Override, Up};
pub use source::{PointSource, Source, SourceInfo};
pub use sources::open_all;
