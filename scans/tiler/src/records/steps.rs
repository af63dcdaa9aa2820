//! The coordinates of a record.

use parterre_model::record::COORDINATES_BYTES;

/// The steps on three axes that a record begins with.
#[inline]
pub(crate) fn steps_of(record: &[u8]) -> [i32; 3] {
    let r = &record[..COORDINATES_BYTES];
    [
        i32::from_le_bytes([r[0], r[1], r[2], r[3]]),
        i32::from_le_bytes([r[4], r[5], r[6], r[7]]),
        i32::from_le_bytes([r[8], r[9], r[10], r[11]]),
    ]
}
