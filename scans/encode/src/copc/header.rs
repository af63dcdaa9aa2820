//! The 375 bytes of the LAS 1.4 header.

use super::{Header, Totals};

/// Length of the header.
pub const LEN: usize = 375;

/// Where things lie in the file.
pub(super) struct Places {
    pub(super) data_offset: u64,
    pub(super) vlr_count: u32,
    pub(super) evlr_offset: u64,
    pub(super) evlr_count: u32,
}

/// The CRS is WKT.
const WKT_FLAG: u16 = 1 << 4;
/// GPS times are standard GPS time less 1e9 seconds.
const STANDARD_TIME_FLAG: u16 = 1;
/// On top of the point format: the points are compressed.
const COMPRESSED: u8 = 0x80;

/// No date, no GUID and no counts for readers before LAS 1.4, as the standard asks for point formats above 5.
pub(super) fn bytes(header: &Header, totals: &Totals, places: &Places) -> Vec<u8> {
    let mut out = Vec::with_capacity(places.data_offset as usize + 8);
    out.extend(b"LASF");
    out.extend([0; 2]); // file source
    out.extend((WKT_FLAG | if header.gps_standard_time { STANDARD_TIME_FLAG } else { 0 }).to_le_bytes());
    out.extend([0; 16]); // GUID
    out.extend([1, 4]);
    out.extend(text::<32>("Parterre"));
    out.extend(text::<32>(concat!("Parterre ", env!("CARGO_PKG_VERSION"))));
    out.extend([0; 4]); // day and year
    out.extend((LEN as u16).to_le_bytes());
    out.extend((places.data_offset as u32).to_le_bytes());
    out.extend(places.vlr_count.to_le_bytes());
    out.push(header.format.point_format() | COMPRESSED);
    out.extend((header.format.record_len() as u16).to_le_bytes());
    out.extend([0; 24]); // counts of old
    let grid = header.grid;
    for value in grid.scale.to_array().into_iter().chain(grid.offset.to_array()) {
        out.extend(value.to_le_bytes());
    }
    // The same sum that readers take for each point: the bounds are met exactly. A negative scale swaps them.
    let [a, b] = if totals.points == 0 { [grid.offset; 2] } else { totals.steps.map(|steps| grid.position(steps)) };
    for axis in 0..3 {
        out.extend(a[axis].max(b[axis]).to_le_bytes());
        out.extend(a[axis].min(b[axis]).to_le_bytes());
    }
    out.extend([0; 8]); // waveforms
    out.extend(places.evlr_offset.to_le_bytes());
    out.extend(places.evlr_count.to_le_bytes());
    out.extend(totals.points.to_le_bytes());
    for count in totals.by_return {
        out.extend(count.to_le_bytes());
    }
    debug_assert_eq!(out.len(), LEN);
    out
}

/// ASCII in a field of fixed length.
pub(super) fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    field.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    field
}
