//! The LAS 1.4 header: what it says, and its 375 bytes.

use glam::DVec3;

use super::totals::Totals;
use parterre_model::frame::Unit;
use parterre_model::record::{AttributeLayout, Grid};

/// Length of the header.
pub const LEN: usize = 375;

/// What a file says about its points, known before they are written.
#[derive(Clone, Debug)]
pub struct Header {
    /// Layout of the records.
    pub layout: AttributeLayout,
    /// Grid of the coordinates, in the file's unit.
    pub grid: Grid,
    /// Centre of the octree's cube, in the file's unit.
    pub center: DVec3,
    /// Half the edge of the cube, in the file's unit.
    pub half_size: f64,
    /// Distance of neighbouring points in the root, in the file's unit; each level halves it.
    pub spacing: f64,
    /// `EPSG:n`, WKT, or nothing for a scan in a local system.
    pub crs: Option<String>,
    /// Unit of the coordinates; of x and y alone where there is a `vertical_unit`.
    pub unit: Unit,
    /// Unit of the heights, where it is another one.
    pub vertical_unit: Option<Unit>,
    /// Whether GPS times are adjusted standard GPS time (GPS seconds less 1e9), and not seconds of the week.
    pub gps_standard_time: bool,
}

/// Offsets and counts of the parts of the file.
pub(super) struct FileOffsets {
    pub(super) data_offset: u64,
    pub(super) vlr_count: u32,
    pub(super) evlr_offset: u64,
    pub(super) evlr_count: u32,
}

/// The CRS is WKT.
const WKT_FLAG: u16 = 1 << 4;
/// GPS times are adjusted standard GPS time: less 1e9 seconds.
const STANDARD_TIME_FLAG: u16 = 1;
/// Added to the point format: the points are compressed.
const COMPRESSED: u8 = 0x80;

/// The bytes of the header. No date, no GUID (the same points give the same bytes), and no legacy counts, as the standard demands for point formats
/// above 5.
pub(super) fn bytes(header: &Header, totals: &Totals, offsets: &FileOffsets) -> Vec<u8> {
    let mut out = Vec::with_capacity(offsets.data_offset as usize + 8);
    out.extend(b"LASF");
    out.extend([0; 2]); // file source
    out.extend((WKT_FLAG | if header.gps_standard_time { STANDARD_TIME_FLAG } else { 0 }).to_le_bytes());
    out.extend([0; 16]); // GUID
    out.extend([1, 4]);
    out.extend(text::<32>("Parterre"));
    out.extend(text::<32>(concat!("Parterre ", env!("CARGO_PKG_VERSION"))));
    out.extend([0; 4]); // day and year
    out.extend((LEN as u16).to_le_bytes());
    out.extend((offsets.data_offset as u32).to_le_bytes());
    out.extend(offsets.vlr_count.to_le_bytes());
    out.push(header.layout.point_format() | COMPRESSED);
    out.extend((header.layout.record_len() as u16).to_le_bytes());
    out.extend([0; 24]); // legacy counts
    let grid = header.grid;
    for value in grid.scale.to_array().into_iter().chain(grid.offset.to_array()) {
        out.extend(value.to_le_bytes());
    }
    // The formula that readers use for each point, so that the bounds are exact. A negative scale swaps them.
    let [a, b] = if totals.points == 0 { [grid.offset; 2] } else { totals.steps.map(|steps| grid.position(steps)) };
    for axis in 0..3 {
        out.extend(a[axis].max(b[axis]).to_le_bytes());
        out.extend(a[axis].min(b[axis]).to_le_bytes());
    }
    out.extend([0; 8]); // waveforms
    out.extend(offsets.evlr_offset.to_le_bytes());
    out.extend(offsets.evlr_count.to_le_bytes());
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
