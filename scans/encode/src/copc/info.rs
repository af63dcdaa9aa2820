//! The record `copc` 1: the octree's cube, the spacing of points in its root, and the place of the hierarchy.

use super::header::Header;
use super::totals::Totals;

/// Length of the record's content.
pub const LEN: usize = 160;

/// The content; reserved fields are 0.
pub(super) fn bytes(header: &Header, totals: &Totals, root_offset: u64, root_len: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(LEN);
    for value in header.center.to_array().into_iter().chain([header.half_size, header.spacing]) {
        out.extend(value.to_le_bytes());
    }
    out.extend(root_offset.to_le_bytes());
    out.extend(root_len.to_le_bytes());
    let times = if totals.points == 0 { [0.0; 2] } else { totals.gps_time };
    for value in times {
        out.extend(value.to_le_bytes());
    }
    out.resize(LEN, 0);
    out
}
