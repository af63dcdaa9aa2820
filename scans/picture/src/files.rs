//! The files of a view: pictures as PNG, one number a pixel as raw values, and the list of views.
//!
//! Raw files are little endian, row by row from the top, without a header; their size is that of the picture beside them.

use std::fs;
use std::path::Path;

use image::{ImageReader, RgbImage};
use parterre_model::{Error, Result};
use serde::{Deserialize, Serialize};

/// A camera as `views.json` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedCamera {
    /// Name, which is also that of the view's files.
    pub name: String,
    /// Eye and target in the scan frame, metres.
    pub camera: [f64; 6],
}

/// Reads a picture; `Ok(None)` where the file is missing.
pub fn read_png(path: &Path) -> Result<Option<RgbImage>> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let reader = ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Png);
    let picture = reader.decode().map_err(|error| {
        Error::input("picture_png", format!("the file is no picture: {error}"), "Draw the picture again.").in_file(path)
    })?;
    Ok(Some(picture.to_rgb8()))
}

/// Writes a picture.
pub fn write_png(path: &Path, picture: &RgbImage) -> Result<()> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|error| Error::Internal(format!("a picture could not be encoded: {error}")))?;
    write(path, &bytes.into_inner())
}

/// Reads `pixels` values of a raw file; `Ok(None)` where the file is missing.
pub fn read_raw(path: &Path, pixels: usize) -> Result<Option<Vec<f32>>> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    if bytes.len() != pixels * 4 {
        let message = format!("{} bytes instead of the {} of {pixels} values", bytes.len(), pixels * 4);
        return Err(Error::input("picture_raw", message, "Draw it in the size of the reference.").in_file(path));
    }
    Ok(Some(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()))
}

/// Writes a raw file.
pub fn write_raw(path: &Path, values: &[f32]) -> Result<()> {
    write(path, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

/// Reads a JSON file.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|source| Error::io("read", path, source))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::input("picture_json", format!("not the expected JSON: {error}"), "Make the file again.").in_file(path))
}

/// Writes a JSON file.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::Internal(format!("{}: {error}", path.display())))?;
    write(path, &bytes)
}

pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::io("read", path, source)),
    }
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|source| Error::io("write", path, source))
}
