//! Fingerprints of files: the length of a file and a hash of its content, independent of name and folder. Of files above 4 MiB only 256 pieces
//! spread evenly over them are hashed.
//!
//! Limits: large files that differ only between those pieces get the same fingerprint; the first and the last bytes, which hold counts, bounds and
//! checksums, are always hashed.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::records::hash::Fnv;
use parterre_model::{Error, Result};
use parterre_read::Override;

/// Bytes of a piece.
const PIECE: u64 = 16 << 10;
/// Pieces of a large file.
const PIECES: u64 = 256;

/// The fingerprint of bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    let mut hash = Fnv::new();
    hash.update(bytes);
    format!("{:x}-{:016x}", bytes.len(), hash.sum())
}

/// The fingerprint of a file.
pub(crate) fn of_file(path: &Path) -> Result<String> {
    let failed = |error| Error::opening(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let mut hash = Fnv::new();
    let mut piece = Vec::new();
    let last = len.saturating_sub(PIECE);
    let pieces = if len > PIECE * PIECES { PIECES } else { len.div_ceil(PIECE).max(1) };
    for number in 0..pieces {
        // The pieces of a small file touch or overlap: all of it is hashed.
        let from = if pieces > 1 { (u128::from(last) * u128::from(number) / u128::from(pieces - 1)) as u64 } else { 0 };
        piece.clear();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.by_ref().take(PIECE).read_to_end(&mut piece).map_err(failed)?;
        hash.update(&piece);
    }
    Ok(format!("{len:x}-{:016x}", hash.sum()))
}

/// Fingerprint of each file, wherever it lies: its length and a hash of its content.
///
/// # Errors
/// `file_not_found`, `io`.
pub fn source_fingerprints(files: &[PathBuf]) -> Result<Vec<String>> {
    files.iter().map(|file| of_file(file)).collect()
}

/// Fingerprint of a job: paths, lengths and modification times of its files, and the overrides given for them.
///
/// # Errors
/// `file_not_found`, `io`.
pub fn job_fingerprint(files: &[PathBuf], overrides: &Override) -> Result<String> {
    let mut parts = vec![serde_json::to_string(overrides).map_err(|error| Error::Internal(error.to_string()))?];
    for file in files {
        let failed = |error| Error::opening(file, error);
        let path = file.canonicalize().map_err(failed)?;
        let metadata = path.metadata().map_err(failed)?;
        let changed = metadata.modified().map_err(failed)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        parts.push(format!("{} {} {}", path.display(), metadata.len(), changed.as_nanos()));
    }
    Ok(parts.join("\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_depends_on_the_content_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let fingerprint = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            of_file(&path).unwrap()
        };
        assert_eq!(fingerprint(b"foobar"), "6-85944171f73967e8");
        assert_eq!(of_bytes(b"foobar"), "6-85944171f73967e8");
        assert_eq!(fingerprint(b""), of_bytes(b""));
        // One byte anywhere, in a file that is hashed whole.
        let mut bytes = vec![7; 3 * PIECE as usize + 11];
        let before = fingerprint(&bytes);
        for at in [0, PIECE as usize, 2 * PIECE as usize + 5, bytes.len() - 1] {
            bytes[at] ^= 1;
            assert_ne!(fingerprint(&bytes), before, "{at}");
            bytes[at] ^= 1;
        }
        let mut large = vec![0; (PIECE * PIECES + 99) as usize];
        let before = fingerprint(&large);
        *large.last_mut().unwrap() = 1;
        assert_ne!(fingerprint(&large), before);
    }
}
