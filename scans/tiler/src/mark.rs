//! What tells one source from another wherever it lies and whatever it is called: its length and a hash of it, of large files
//! of pieces spread evenly over them.
//!
//! Limits: large files that differ between those pieces alone are taken for the same; the first and the last bytes, where
//! counts, bounds and checksums stand, are always among them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use parterre_model::{Error, Result};

/// Bytes of a piece.
const PIECE: u64 = 16 << 10;
/// Pieces of a large file.
const PIECES: u64 = 256;

/// 64-bit FNV-1a.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// The mark of bytes.
pub(super) fn of(bytes: &[u8]) -> String {
    let mut hash = Fnv::new();
    hash.take(bytes);
    format!("{:x}-{:016x}", bytes.len(), hash.0)
}

/// The mark of a file.
pub(super) fn of_file(path: &Path) -> Result<String> {
    let failed = |error| Error::opening(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let mut hash = Fnv::new();
    let mut piece = Vec::new();
    let last = len.saturating_sub(PIECE);
    let pieces = if len > PIECE * PIECES { PIECES } else { len.div_ceil(PIECE).max(1) };
    for number in 0..pieces {
        // Of a small file the pieces meet or overlap: all of it counts.
        let from = if pieces > 1 { (u128::from(last) * u128::from(number) / u128::from(pieces - 1)) as u64 } else { 0 };
        piece.clear();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.by_ref().take(PIECE).read_to_end(&mut piece).map_err(failed)?;
        hash.take(&piece);
    }
    Ok(format!("{len:x}-{:016x}", hash.0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mark = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            of_file(&path).unwrap()
        };
        assert_eq!(mark(b"foobar"), "6-85944171f73967e8");
        assert_eq!(of(b"foobar"), "6-85944171f73967e8");
        assert_eq!(mark(b""), of(b""));
        // One byte anywhere, in a file that is taken whole.
        let mut bytes = vec![7; 3 * PIECE as usize + 11];
        let before = mark(&bytes);
        for at in [0, PIECE as usize, 2 * PIECE as usize + 5, bytes.len() - 1] {
            bytes[at] ^= 1;
            assert_ne!(mark(&bytes), before, "{at}");
            bytes[at] ^= 1;
        }
        let mut large = vec![0; (PIECE * PIECES + 99) as usize];
        let before = mark(&large);
        *large.last_mut().unwrap() = 1;
        assert_ne!(mark(&large), before);
    }
}
