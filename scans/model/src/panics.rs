//! Turning panics of other libraries into errors.
//!
//! Some decoders, LAZ among them, use assertions and unchecked indexing on bytes of the file, and so panic on damaged files.
//! Every call into them goes through [`catch`], on the thread that makes the call, and a panic is returned as its message. The
//! process' panic hook prints nothing for these panics and works as before for all others. Needs `panic = "unwind"`.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside of [`catch`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`.
///
/// After a panic, what `work` borrows may be partly changed: the caller must not use it any more.
///
/// # Errors
/// The message of the panic, if `work` panics.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                previous(info);
            }
        }));
    });
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
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
    use super::catch;

    #[test]
    fn a_panic_is_returned_as_its_message() {
        assert_eq!(catch(|| 7), Ok(7));
        let nothing: Option<u8> = std::hint::black_box(None);
        assert_eq!(catch(|| nothing.expect("nothing there")), Err("nothing there".to_owned()));
        let index = std::hint::black_box(9);
        assert!(catch(|| [1, 2, 3][index]).is_err_and(|text| text.contains("out of bounds")));
    }

    #[test]
    fn panics_on_worker_threads_are_caught_there() {
        let work = |i: usize| move || catch(|| assert!(i.is_multiple_of(2), "odd {i}"));
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|i| scope.spawn(work(i))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic leaves the thread")).collect()
        });
        for (i, result) in results.into_iter().enumerate() {
            assert_eq!(result, if i % 2 == 0 { Ok(()) } else { Err(format!("odd {i}")) });
        }
    }
}
