//! Archives of tiles.

use std::io::Cursor;

use parterre_model::Error;
use parterre_tile::archive::{Entry, Index, TAIL_BYTES, Tail};

use super::common::check_error;

/// A 3TZ archive, read in both ways.
pub fn archive(bytes: &[u8]) {
    let len = bytes.len() as u64;
    let mut reader = Cursor::new(bytes);
    let index = match Index::read(&mut reader) {
        Ok(index) => index,
        Err(error) => return check_error(&error),
    };
    match index.paths(&mut reader) {
        Ok(paths) => {
            for path in paths.iter().take(32) {
                if let Err(error) = index.read_entry(&mut reader, path) {
                    check_error(&error);
                }
            }
        }
        Err(error) => check_error(&error),
    }
    let at = |range: std::ops::Range<u64>| bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?);
    let ranged = || -> Result<(), Error> {
        let tail = Tail::parse(at(len.saturating_sub(TAIL_BYTES)..len).expect("the tail lies in the archive"), len)?;
        let index = Index::parse(at(tail.index_range()).expect("the index lies in the archive"), &tail)?;
        for path in ["tileset.json", "0.glb", "t/0.glb"] {
            let Some(range) = index.header_range(path) else { continue };
            let header = at(range.clone()).expect("the header lies in the archive");
            let entry = Entry::parse(header, range.start, path, len)?;
            entry.inflate(at(entry.data_range()).expect("the data lies in the archive").to_vec())?;
        }
        Ok(())
    };
    if let Err(error) = ranged() {
        check_error(&error);
    }
}
