//! Opening a file by its first bytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::overrides::Override;
use crate::source::{PointSource, Source};
use crate::{adapt, detect, e57, las, ply};
use parterre_model::{Error, Result};

const HINT: &str = "LAS, LAZ, COPC, E57 and PLY files can be read: export the scan as one of them.";

/// Opens a file by its first bytes.
pub fn open(path: &Path) -> Result<Box<dyn PointSource>> {
    open_with(path, &Override::default())
}

/// Opens a file by its first bytes; `overrides` replace what the file says of itself.
///
/// Fails with `file_not_found`, `file_empty`, `format_unknown`, `format_unsupported` and `not_a_file`, with `io` where the system refuses,
/// with the format's own codes, and with `crs_invalid` where the CRS in `overrides` is not one.
pub fn open_with(path: &Path, overrides: &Override) -> Result<Box<dyn PointSource>> {
    let file = File::open(path).map_err(|error| Error::opening(path, error))?;
    let metadata = file.metadata().map_err(|error| Error::io("read", path, error))?;
    if !metadata.is_file() {
        return Err(Error::input("not_a_file", "this is a folder or a device", "Name one file of a scan.").in_file(path));
    }
    from_source(Box::new(file), metadata.len(), path, overrides)
}

/// As [`open_with`], of bytes of the given length that lie anywhere; `name` stands for the file in messages.
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, overrides: &Override) -> Result<Box<dyn PointSource>> {
    adapt::adapt(reader(source, len, name)?, overrides).map_err(|error| error.in_file(name))
}

/// The reader of the file's format, without overrides.
pub(crate) fn reader(mut source: Box<dyn Source>, len: u64, name: &Path) -> Result<Box<dyn PointSource>> {
    let failed = |error| Error::io("read", name, error);
    let mut head = Vec::with_capacity(detect::HEAD_LEN);
    source.seek(SeekFrom::Start(0)).map_err(failed)?;
    source.by_ref().take(detect::HEAD_LEN as u64).read_to_end(&mut head).map_err(failed)?;
    source.seek(SeekFrom::Start(0)).map_err(failed)?;
    if head.is_empty() {
        return Err(Error::input("file_empty", "the file is empty", "Copy it again from its source.").in_file(name));
    }
    match detect::detect_format(&head) {
        detect::Format::E57 => e57::reader(source, len, name),
        detect::Format::Las => las::reader(source, len, name),
        detect::Format::Ply => ply::reader(source, len, name),
        detect::Format::Unsupported(format) => {
            Err(Error::input("format_unsupported", format!("this looks like: {format}; it cannot be read yet"), HINT).in_file(name))
        }
        detect::Format::Text => {
            Err(Error::input("format_unsupported", "this looks like a text file; it cannot be read yet", HINT).in_file(name))
        }
        detect::Format::Unknown => {
            Err(Error::input("format_unknown", "the file's first bytes are those of no known format", HINT).in_file(name))
        }
    }
}
