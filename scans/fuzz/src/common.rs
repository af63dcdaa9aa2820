//! What the checks share.

use std::io::Cursor;
use std::path::Path;
use std::sync::Once;

use parterre_model::{Error, ErrorKind};
use parterre_read as read;
use parterre_read::{Override, PointSource};

/// Makes the calling thread the only one of rayon's global pool, so that parallel iterators run on it at once: handing work to another
/// thread and waiting for it takes much longer than reading a small file.
///
/// Not for [`super::tiler`], which waits on this thread for threads of its own that use the pool.
pub fn decode_on_this_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails where the pool was used before, as in tests, where it does no harm.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    });
}

/// Checks an error: bytes in memory can be invalid, but neither storage nor the program may fail.
pub fn check_error(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::BadInput, "{}: {error}", error.code());
    assert!(!error.code().is_empty() && !error.hint().is_empty() && !error.to_string().is_empty());
}

/// Opens a scan file; `None` where it is refused.
pub fn open(bytes: &[u8], overrides: &Override) -> Option<Box<dyn PointSource>> {
    let source = read::from_source(Box::new(Cursor::new(bytes.to_vec())), bytes.len() as u64, Path::new("fuzzed"), overrides);
    source.inspect_err(check_error).ok()
}
