//! Pictures as PNG files, and their sizes.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};

use parterre_model::{Error, Result};

/// Largest edge of a picture.
pub const MAX_PIXELS: u32 = 8192;

/// Encodes a picture as PNG.
pub fn png(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(|error| Error::Internal(format!("a picture could not be encoded: {error}")))?;
    Ok(bytes.into_inner())
}

/// Checks the size of a picture that is asked for.
pub(crate) fn check_size(width: u32, height: u32) -> Result<()> {
    if (1..=MAX_PIXELS).contains(&width) && (1..=MAX_PIXELS).contains(&height) {
        return Ok(());
    }
    Err(Error::input("picture_size", format!("a picture of {width} x {height} pixels was asked for"), "Ask for 1 to 8192 pixels an edge."))
}
