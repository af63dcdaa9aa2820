//! Containing panics of code that was not written for hostile input.
//!
//! The LAZ decoder asserts and indexes on bytes it has just read. Every call into it goes through [`contained`], on
//! whatever thread it runs, and a panic comes back as its message. The process' panic hook stays silent for these and
//! works as before for all others. Needs `panic = "unwind"`.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic becomes its message.
///
/// What `work` borrows may be left half-changed by a panic: the caller throws it away.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
    let outer = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(outer);
    result.map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::contained;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(contained(|| 7), Ok(7));
        let nothing: Option<u8> = std::hint::black_box(None);
        assert_eq!(contained(|| nothing.expect("nothing there")), Err("nothing there".to_owned()));
        let index = std::hint::black_box(9);
        assert!(contained(|| [1, 2, 3][index]).is_err_and(|text| text.contains("out of bounds")));
    }

    #[test]
    fn panics_on_worker_threads_are_contained_where_they_happen() {
        use rayon::prelude::*;
        let results: Vec<_> = (0..64).into_par_iter().map(|i| contained(|| assert!(i % 2 == 0, "odd {i}"))).collect();
        for (i, result) in results.into_iter().enumerate() {
            assert_eq!(result, if i % 2 == 0 { Ok(()) } else { Err(format!("odd {i}")) });
        }
    }
}
