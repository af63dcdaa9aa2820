//! The public header block of LAS 1.0 to 1.5, checked against the file's length before anything relies on it.

use glam::DVec3;

use parterre_model::points::Bounds;
use parterre_model::record::MAX_EXTRA_BYTES;
use parterre_model::{Error, Result, Warning};

/// Length of the header of LAS 1.0 to 1.2, the shortest.
const SHORTEST: usize = 227;
/// Length of the header of LAS 1.4.
const LAS_1_4: u16 = 375;
/// Bytes of a point record by point format, without extra bytes.
const RECORD_LENGTHS: [u16; 11] = [20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67];
/// Steps of coordinates outside of these, in any unit, are a sign of damage: an atom is a hundred thousand of the finest.
const FINEST_SCALE: f64 = 1e-15;
const COARSEST_SCALE: f64 = 1e9;
const VLR_HEADER_LEN: u64 = 54;
/// Most variable length records that a file may have.
const MAX_VLRS: u64 = 100_000;
/// Points that one byte of LAZ may hold. Identical points reach about 500.
const LAZ_POINTS_PER_BYTE: u64 = 1000;

pub(super) const TRUNCATED_HINT: &str = "The file was cut short, often by a broken copy or upload: copy it again from its source.";
pub(super) const DAMAGED_HINT: &str = "The file is damaged: copy it again from its source, or export it again.";

/// The checked header.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// Minor version; the major one is 1.
    pub(super) minor: u8,
    /// Point format, 0 to 10.
    pub(super) point_format: u8,
    /// Whether points are compressed.
    pub(super) compressed: bool,
    /// Bytes of a point record.
    pub(super) record_len: usize,
    /// Points announced.
    pub(super) points: u64,
    /// Offset at which points end: that of what follows them, or the end of the file.
    pub(super) data_end: u64,
    /// Where points begin.
    pub(super) data_offset: u64,
    /// Where variable length records begin.
    pub(super) head_len: u64,
    /// Number of variable length records.
    pub(super) vlr_count: u64,
    /// Where extended variable length records begin, and how many there are.
    pub(super) evlrs: Option<(u64, u64)>,
    /// Step of the stored integers.
    pub(super) scale: DVec3,
    /// Position of the integer zero.
    pub(super) offset: DVec3,
    /// As the header announces them; may be invalid.
    pub(super) bounds: Bounds,
    /// Whether the standard's flag says that the CRS is WKT.
    pub(super) wkt: bool,
    /// Whether GPS times are standard GPS time less 1e9 seconds.
    pub(super) gps_standard_time: bool,
    /// Length of the file.
    pub(super) file_len: u64,
}

impl Header {
    /// Reads and checks a header. `bytes` are the file's first, up to 375 of them.
    pub(super) fn parse(bytes: &[u8], file_len: u64, warnings: &mut Vec<Warning>) -> Result<Self> {
        if bytes.len() < SHORTEST {
            return Err(Error::input(
                "las_truncated",
                format!("the file ends within its header, after {} of at least {SHORTEST} bytes", bytes.len()),
                TRUNCATED_HINT,
            ));
        }
        let field = Fields(bytes);
        let (major, minor) = (bytes[24], bytes[25]);
        if major != 1 || minor > 5 {
            return Err(Error::input(
                "las_version",
                format!("LAS version {major}.{minor} cannot be read"),
                "LAS 1.0 to 1.4 can be read: export the scan as LAS 1.4.",
            ));
        }
        let head_len = field.u16(94);
        let needed = if minor >= 4 { LAS_1_4 } else { SHORTEST as u16 };
        if head_len < needed {
            return Err(Error::input(
                "las_header_size",
                format!("the header gives its length as {head_len} bytes; LAS 1.{minor} has at least {needed}"),
                DAMAGED_HINT,
            ));
        }
        if bytes.len() < usize::from(needed) {
            return Err(Error::input("las_truncated", format!("the file ends within its header of {head_len} bytes"), TRUNCATED_HINT));
        }
        if minor == 5 {
            warnings.push(Warning::new("las_version_newer", "LAS 1.5 is read as LAS 1.4"));
        }
        let data_offset = u64::from(field.u32(96));
        if data_offset > file_len || data_offset < u64::from(head_len) {
            return Err(Error::input(
                "las_data_offset",
                format!(
                    "the header places the points at byte {data_offset}, which is not between its own end ({head_len}) and the end of the file ({file_len})"
                ),
                DAMAGED_HINT,
            ));
        }
        let vlr_count = u64::from(field.u32(100));
        let vlr_room = (data_offset - u64::from(head_len)) / VLR_HEADER_LEN;
        if vlr_count > vlr_room.min(MAX_VLRS) {
            return Err(Error::input(
                "las_vlr_count",
                format!("the header announces {vlr_count} variable length records, but there is room for {vlr_room}"),
                DAMAGED_HINT,
            ));
        }
        let (point_format, compressed) = (bytes[104] & 0x3f, bytes[104] & 0xc0 != 0);
        let Some(&shortest_record) = RECORD_LENGTHS.get(usize::from(point_format)) else {
            return Err(Error::input(
                "las_point_format",
                format!("point format {point_format} cannot be read"),
                "Point formats 0 to 10 can be read: export the scan with point format 7 (with colour) or 6.",
            ));
        };
        let record_len = field.u16(105);
        if record_len < shortest_record || record_len - shortest_record > MAX_EXTRA_BYTES {
            return Err(Error::input(
                "las_record_length",
                format!(
                    "point records of {record_len} bytes do not fit point format {point_format}, whose records have {shortest_record} bytes and up to {MAX_EXTRA_BYTES} more"
                ),
                DAMAGED_HINT,
            ));
        }
        let evlrs = (minor >= 4).then(|| (field.u64(235), u64::from(field.u32(243)))).filter(|&(_, count)| count > 0);
        let waveforms = (minor >= 3 && head_len >= 235 && bytes.len() >= 235).then(|| field.u64(227));
        let after = |place: &u64| (data_offset + 1..file_len).contains(place);
        let data_end = [waveforms, evlrs.map(|(start, _)| start)].into_iter().flatten().filter(after).min().unwrap_or(file_len);
        let header = Self {
            minor,
            point_format,
            compressed,
            record_len: usize::from(record_len),
            points: point_count(&field, minor, warnings),
            data_offset,
            data_end,
            head_len: u64::from(head_len),
            vlr_count,
            evlrs,
            scale: field.vec(131),
            offset: field.vec(155),
            bounds: Bounds {
                min: DVec3::new(field.f64(187), field.f64(203), field.f64(219)),
                max: DVec3::new(field.f64(179), field.f64(195), field.f64(211)),
            },
            wkt: field.u16(6) & 0x10 != 0,
            gps_standard_time: minor >= 2 && field.u16(6) & 1 != 0,
            file_len,
        };
        header.check(warnings)?;
        Ok(header)
    }

    fn check(&self, warnings: &mut Vec<Warning>) -> Result<()> {
        if !self.scale.is_finite() || self.scale.cmpeq(DVec3::ZERO).any() {
            return Err(Error::input(
                "las_scale",
                format!("the scale of the coordinates is {}: every axis needs a finite number other than zero", self.scale),
                "The coordinates cannot be computed without it: export the scan again.",
            ));
        }
        let step = self.scale.abs();
        if step.min_element() < FINEST_SCALE || step.max_element() > COARSEST_SCALE {
            return Err(Error::input(
                "las_scale",
                format!(
                    "the scale of the coordinates is {}: a scan cannot have steps of less than {FINEST_SCALE} or more than {COARSEST_SCALE}",
                    self.scale
                ),
                "The file is damaged: export the scan anew.",
            ));
        }
        if self.scale.cmplt(DVec3::ZERO).any() {
            warnings.push(Warning::new(
                "las_scale_negative",
                format!("the scale of the coordinates is negative on an axis ({}): it is used as it is", self.scale),
            ));
        }
        if !self.offset.is_finite() {
            return Err(Error::input(
                "las_offset",
                format!("the offset of the coordinates is {}: every axis needs a finite number", self.offset),
                "The coordinates cannot be computed without it: export the scan again.",
            ));
        }
        if matches!(self.point_format, 4 | 5 | 9 | 10) {
            warnings.push(Warning::new("waveform_dropped", "waveforms of points are not read: COPC and tiles cannot store them"));
        }
        Ok(())
    }

    /// Refuses counts that no compressed file of this length can hold.
    pub(super) fn check_compressed_count(&self) -> Result<()> {
        let bytes = self.file_len - self.data_offset;
        if self.points == 0 {
            return Err(no_points());
        }
        if self.points / LAZ_POINTS_PER_BYTE > bytes {
            return Err(Error::input(
                "las_point_count",
                format!("the header announces {} points, more than {bytes} bytes of compressed points can hold", self.points),
                DAMAGED_HINT,
            ));
        }
        Ok(())
    }

    /// "LAS 1.2 point format 3".
    pub(super) fn format(&self) -> String {
        let name = if self.compressed { "LAZ" } else { "LAS" };
        format!("{name} 1.{} point format {}", self.minor, self.point_format)
    }

    /// Bytes of a record before its extra bytes.
    pub(super) fn standard_len(&self) -> usize {
        usize::from(RECORD_LENGTHS[usize::from(self.point_format)])
    }
}

/// The error of a file without a point.
pub(super) fn no_points() -> Error {
    Error::input("las_no_points", "the file has no points", "Export the scan again and check that points are selected.")
}

/// The warning about another number of points than the header announces.
pub(super) fn count_corrected(announced: u64, found: u64) -> Warning {
    Warning::new("las_count_corrected", format!("the header announces {announced} points, but the file has {found}, which are read"))
}

/// LAS 1.4 has a count of 64 bits and keeps the old one for old readers; some writers fill only the old one.
fn point_count(field: &Fields<'_>, minor: u8, warnings: &mut Vec<Warning>) -> u64 {
    let legacy = u64::from(field.u32(107));
    if minor < 4 {
        return legacy;
    }
    let count = field.u64(247);
    if count == 0 {
        return legacy;
    }
    if legacy != 0 && legacy != count {
        warnings.push(Warning::new(
            "las_counts_differ",
            format!("the header announces {count} points and, in the field for old readers, {legacy}: the former is used"),
        ));
    }
    count
}

/// Little-endian fields of a block that is known to be long enough.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|i| self.0[at + i])
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes(at))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }

    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.bytes(at))
    }

    fn vec(&self, at: usize) -> DVec3 {
        DVec3::new(self.f64(at), self.f64(at + 8), self.f64(at + 16))
    }
}
