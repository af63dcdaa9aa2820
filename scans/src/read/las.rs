//! LAS and LAZ.

use std::path::Path;

use crate::error::{Error, Result};
use crate::read::PointSource;

/// Opens a LAS or LAZ file.
pub fn open(path: &Path) -> Result<Box<dyn PointSource>> {
    let _ = path;
    Err(Error::Internal("the LAS reader is not here yet".into()))
}
