//! Uncompressed point records.

use std::io::{Read, Seek, SeekFrom};

use super::Input;
use super::header::{Header, TRUNCATED_HINT};
use super::raw::{Fault, RawRecords};
use crate::error::Error;

/// Records as they lie in the file.
pub(super) struct Plain {
    input: Input,
    data_offset: u64,
    record_len: u64,
    points: u64,
    next: u64,
}

impl Plain {
    pub(super) fn new(input: Input, header: &Header) -> Self {
        Self { input, data_offset: header.data_offset, record_len: header.record_len as u64, points: header.points, next: 0 }
    }
}

impl RawRecords for Plain {
    fn read(&mut self, out: &mut Vec<u8>, wanted: u64) -> Result<(), Fault> {
        let count = wanted.min(self.points - self.next);
        let start = out.len();
        out.resize(start + (count * self.record_len) as usize, 0);
        self.input.seek(SeekFrom::Start(self.data_offset + self.next * self.record_len))?;
        self.input.read_exact(&mut out[start..]).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                Fault::Input(Error::input("las_truncated", "the file ended while its points were read", TRUNCATED_HINT))
            }
            _ => Fault::Io(error),
        })?;
        self.next += count;
        Ok(())
    }

    fn go_to(&mut self, point: u64) -> bool {
        self.next = point.min(self.points);
        true
    }
}
