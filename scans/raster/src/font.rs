//! A bitmap font of 5 x 7 pixels with what a plan's legend needs.

use image::{Rgb, RgbImage};

const WIDTH: u32 = 5;
const HEIGHT: u32 = 7;

/// Rows of a glyph, from the top; the highest of five bits is the left pixel.
fn glyph(letter: char) -> [u8; 7] {
    match letter {
        '0' => [14, 17, 19, 21, 25, 17, 14],
        '1' => [4, 12, 4, 4, 4, 4, 14],
        '2' => [14, 17, 1, 2, 4, 8, 31],
        '3' => [31, 2, 4, 2, 1, 17, 14],
        '4' => [2, 6, 10, 18, 31, 2, 2],
        '5' => [31, 16, 30, 1, 1, 17, 14],
        '6' => [6, 8, 16, 30, 17, 17, 14],
        '7' => [31, 1, 2, 4, 8, 8, 8],
        '8' => [14, 17, 17, 14, 17, 17, 14],
        '9' => [14, 17, 17, 15, 1, 2, 12],
        '.' => [0, 0, 0, 0, 0, 12, 12],
        '-' => [0, 0, 0, 31, 0, 0, 0],
        '+' => [0, 4, 4, 31, 4, 4, 0],
        'm' => [0, 0, 26, 21, 21, 21, 21],
        'k' => [16, 16, 18, 20, 24, 20, 18],
        't' => [8, 8, 28, 8, 8, 9, 6],
        'o' => [0, 0, 14, 17, 17, 17, 14],
        'f' => [6, 9, 8, 28, 8, 8, 8],
        'l' => [12, 4, 4, 4, 4, 4, 14],
        'r' => [0, 0, 22, 25, 16, 16, 16],
        'z' => [0, 0, 31, 2, 4, 8, 31],
        'c' => [0, 0, 15, 16, 16, 16, 15],
        'e' => [0, 0, 14, 17, 31, 16, 14],
        'u' => [0, 0, 17, 17, 17, 19, 13],
        'v' => [0, 0, 17, 17, 17, 10, 4],
        'y' => [0, 0, 17, 17, 15, 1, 14],
        _ => [0; 7],
    }
}

/// Pixels that a text takes in width.
pub(super) fn width(text: &str, scale: u32) -> u32 {
    text.chars().count() as u32 * (WIDTH + 1) * scale
}

/// Pixels that a text takes in height.
pub(super) fn height(scale: u32) -> u32 {
    HEIGHT * scale
}

/// Writes a text with its upper left corner at (`x`, `y`); what falls outside is left out.
pub(super) fn write(picture: &mut RgbImage, text: &str, x: u32, y: u32, scale: u32, ink: Rgb<u8>) {
    for (i, letter) in text.chars().enumerate() {
        let left = x + i as u32 * (WIDTH + 1) * scale;
        for (row, bits) in (0_u32..).zip(glyph(letter)) {
            for column in (0..WIDTH).filter(|column| bits >> (WIDTH - 1 - column) & 1 == 1) {
                for (dx, dy) in (0..scale).flat_map(|dx| (0..scale).map(move |dy| (dx, dy))) {
                    if let Some(pixel) = picture.get_pixel_mut_checked(left + column * scale + dx, y + row * scale + dy) {
                        *pixel = ink;
                    }
                }
            }
        }
    }
}
