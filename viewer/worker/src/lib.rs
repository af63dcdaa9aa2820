//! The program of the browser's workers, which decode tiles so that the page's own thread only moves and draws. `decode_worker.js` loads it.
//!
//! Natively it is empty: there, tiles are decoded by tasks.

#![cfg(target_arch = "wasm32")]

use js_sys::{Array, Float64Array, Uint32Array};
use parterre_decode::{PackedTile, decode as decode_tile};
use parterre_model::ErrorKind;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// Decodes a tile's file: `[numbers, texels]`, a `Float64Array` and a `Uint32Array` with buffers of their own; see `parterre_decode::flat`.
/// For a file at fault throws `[is_bad_input, code, message, hint]`.
#[wasm_bindgen]
pub fn decode(bytes: &[u8]) -> Result<Array, Array> {
    match decode_tile(bytes) {
        Ok(tile) => Ok(Array::of2(&Float64Array::from(tile.to_numbers().as_slice()), &texels(&tile))),
        Err(error) => Err(Array::of4(
            &JsValue::from_bool(error.kind() == ErrorKind::BadInput),
            &JsValue::from_str(error.code()),
            &JsValue::from_str(&error.to_string()),
            &JsValue::from_str(error.hint()),
        )),
    }
}

/// The points of all parts.
fn texels(tile: &PackedTile) -> Uint32Array {
    let all = Uint32Array::new_with_length(4 * tile.parts.iter().map(|part| part.texels.len() as u32).sum::<u32>());
    let mut first = 0;
    for part in &tile.parts {
        let words: &[u32] = bytemuck::cast_slice(&part.texels);
        let end = first + words.len() as u32;
        all.subarray(first, end).copy_from(words);
        first = end;
    }
    all
}
