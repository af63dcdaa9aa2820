//! 3TZ: a ZIP64 whose last entry indexes the paths by MD5, so that one entry is found without the ZIP directory.
//!
//! Two ways to read. With `Read + Seek`: [`Index::read`], [`Index::entry`], [`Index::read_entry`]. With range requests,
//! where the bytes come from elsewhere:
//! 1. read the last [`TAIL_BYTES`] of the archive, or all of it where it is shorter: [`Tail::parse`];
//! 2. read [`Tail::index_range`]: [`Index::parse`], once for an archive;
//! 3. for each path, read [`Index::header_range`]: [`Entry::parse`];
//! 4. read [`Entry::data_range`]: [`Entry::inflate`], or send the bytes as they are. Deflate becomes gzip between
//!    [`GZIP_HEADER`] and [`Entry::gzip_trailer`].
//!
//! Every length and offset is checked against the archive's length before it is used; a damaged archive is
//! `archive_corrupt`, one that uses what 3TZ rules out `archive_unsupported`. Memory is bounded by what the archive's
//! own bytes can hold.

mod entry;
mod error;
mod index;
mod read;
pub mod zip;

pub use self::entry::{Entry, GZIP_HEADER, INDEX_PATH, MAX_ENTRY_BYTES, Method};
pub use self::index::{Index, TAIL_BYTES, Tail, path_hash};
