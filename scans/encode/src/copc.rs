//! COPC: every point with all attributes, in one LAZ file whose chunks are the nodes of the octree.
//!
//! A file is LAS 1.4 of point format 6, 7 or 8, compressed in chunks of differing size, and holds in this order: the
//! header, the record `copc` 1 at byte 375 ([`info`]), the `LASzip` record, the CRS as WKT ([`wkt`]), the description of the extra bytes
//! where there are some, the chunks in the order in which [`Writer::node`] gets them, the table of chunks and
//! the hierarchy ([`hierarchy`]). Nothing in it depends on the clock: the same nodes in the same order give the same
//! bytes.
//!
//! [`NodeEncoder`] compresses nodes on as many threads as there are; [`Writer`] puts them into the file one after the
//! other.

pub mod header;
pub mod hierarchy;
pub mod info;
pub mod node_encoder;
pub mod totals;
pub mod wkt;
pub mod writer;

pub use self::header::Header;
pub use self::node_encoder::NodeEncoder;
pub use self::totals::Totals;
pub use self::writer::Writer;
