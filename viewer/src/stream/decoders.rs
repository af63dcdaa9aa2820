//! Decoding in the browser's workers; see `decoders.js` and the crate `parterre-worker`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bevy::log::warn;
use js_sys::{Float64Array, Uint8Array, Uint32Array};
use parterre_decode::{PackedTile, Texel};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};

use crate::fault::{Fault, FaultKind};

/// What became of a tile's bytes.
pub(super) enum Outcome {
    /// A worker has decoded them, or found them at fault.
    Decoded(Result<PackedTile, Fault>),
    /// There are no workers: the bytes as they were.
    Undecoded(Vec<u8>),
}

/// Takes the outcome of one tile.
type Done = Box<dyn FnOnce(Outcome)>;
type OnTile = dyn FnMut(u32, Float64Array, Uint32Array);
type OnFault = dyn FnMut(u32, Option<bool>, String, String, String);

#[wasm_bindgen(module = "/src/stream/decoders.js")]
extern "C" {
    #[wasm_bindgen(js_name = start)]
    fn start_workers(
        tile: &Closure<OnTile>,
        fault: &Closure<OnFault>,
        undecoded: &Closure<dyn FnMut(u32, Uint8Array)>,
        changed: &Closure<dyn FnMut(u32, Option<String>)>,
    );
    #[wasm_bindgen(js_name = decode)]
    fn send(id: u32, bytes: Uint8Array);
    #[wasm_bindgen(js_name = cancel)]
    fn cancel_job(id: u32);
}

thread_local! {
    static JOBS: RefCell<HashMap<u32, Done>> = RefCell::default();
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
    static READY: Cell<u32> = const { Cell::new(0) };
}

/// Starts the workers, which takes a moment; tiles wait meanwhile.
pub(crate) fn start() {
    let tile = Closure::new(|id, numbers: Float64Array, texels: Uint32Array| {
        finish(id, || Outcome::Decoded(tile_of(&numbers, &texels)));
    });
    let fault = Closure::new(|id, is_bad_input: Option<bool>, code: String, message: String, hint: String| {
        let kind = match is_bad_input {
            Some(true) => FaultKind::BadInput,
            Some(false) => FaultKind::Internal,
            // The tile is not at fault, and is asked for again.
            None => FaultKind::Storage,
        };
        finish(id, || Outcome::Decoded(Err(Fault { kind, code, message, hint })));
    });
    let undecoded = Closure::new(|id, bytes: Uint8Array| finish(id, || Outcome::Undecoded(bytes.to_vec())));
    let changed = Closure::new(|ready, why: Option<String>| {
        READY.set(ready);
        if let Some(why) = why {
            warn!("tiles are decoded by the page itself, because no worker could be started: {why} (decoder_unavailable)");
        }
    });
    start_workers(&tile, &fault, &undecoded, &changed);
    // They are called as long as the page is there.
    tile.forget();
    fault.forget();
    undecoded.forget();
    changed.forget();
}

/// Number of workers that are ready.
pub(super) fn ready() -> u32 {
    READY.get()
}

/// Decodes a tile's file. Returns a number, never 0, by which it can be cancelled; `None` where it is done already.
pub(super) fn decode(bytes: &[u8], done: impl FnOnce(Outcome) + 'static) -> Option<u32> {
    let id = LAST_ID.get().wrapping_add(1).max(1);
    LAST_ID.set(id);
    JOBS.with_borrow_mut(|jobs| jobs.insert(id, Box::new(done)));
    // A copy of its own, whose buffer is transferred.
    send(id, Uint8Array::from(bytes));
    JOBS.with_borrow(|jobs| jobs.contains_key(&id)).then_some(id)
}

/// Drops a tile that is no longer wanted: `done` is not called.
pub(super) fn cancel(id: u32) {
    if JOBS.with_borrow_mut(|jobs| jobs.remove(&id)).is_some() {
        cancel_job(id);
    }
}

fn finish(id: u32, outcome: impl FnOnce() -> Outcome) {
    // Not borrowed while it is called: it may start another tile.
    if let Some(done) = JOBS.with_borrow_mut(|jobs| jobs.remove(&id)) {
        done(outcome());
    }
}

/// The tile that a worker has packed. The points are copied once, into the memory from which they are uploaded.
fn tile_of(numbers: &Float64Array, texels: &Uint32Array) -> Result<PackedTile, Fault> {
    let total = texels.length() as usize / 4;
    let read = |range: std::ops::Range<usize>| {
        (range.end <= total).then(|| {
            let mut part = vec![Texel::EMPTY; range.len()];
            let words: &mut [u32] = bytemuck::cast_slice_mut(&mut part);
            texels.subarray(4 * range.start as u32, 4 * range.end as u32).copy_to(words);
            part
        })
    };
    PackedTile::from_numbers(&numbers.to_vec(), read).ok_or_else(|| {
        Fault::internal("tile_decoder_failed", "a worker returned what is not a tile", "Reload the page. If it happens again, report it.")
    })
}
