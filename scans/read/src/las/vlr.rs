//! Variable length records, before the points and (extended) after them. Only those that are needed are kept.

use std::io::{self, Read, Seek, SeekFrom};

use super::header::Header;
use parterre_crs as crs;
use parterre_crs::declared::Crs;
use parterre_model::Warning;

/// Records longer than this are not read.
const MAX_LEN: u64 = 1 << 20;
/// Most extended records that are read.
const MAX_EVLRS: u64 = 10_000;

/// Content of the records.
#[derive(Debug, Default)]
pub(super) struct VariableRecords {
    pub(super) laszip: Option<Vec<u8>>,
    pub(super) copc: bool,
    /// Descriptions of extra bytes, 192 bytes each; several records add up.
    pub(super) extra_bytes: Vec<u8>,
    wkt: Option<String>,
    geokeys: Option<Vec<u8>>,
    geo_doubles: Vec<u8>,
}

impl VariableRecords {
    /// Reads the records that lie where the header says; one that is longer than the space for records ends reading with a warning.
    pub(super) fn read<R: Read + Seek>(source: &mut R, header: &Header, warnings: &mut Vec<Warning>) -> io::Result<Self> {
        let mut records = Self::default();
        let mut at = header.head_len;
        for index in 0..header.vlr_count {
            let end = header.data_offset;
            if at + 54 > end {
                warnings.push(overrun("variable length record", index, header.vlr_count));
                break;
            }
            source.seek(SeekFrom::Start(at))?;
            let mut head = [0; 54];
            source.read_exact(&mut head)?;
            let len = u64::from(u16::from_le_bytes([head[20], head[21]]));
            if at + 54 + len > end {
                warnings.push(overrun("variable length record", index, header.vlr_count));
                break;
            }
            records.take(source, &head, len)?;
            at += 54 + len;
        }
        if let Some((start, count)) = header.evlrs {
            records.read_extended(source, header, start, count, warnings)?;
        }
        Ok(records)
    }

    fn read_extended<R: Read + Seek>(
        &mut self,
        source: &mut R,
        header: &Header,
        start: u64,
        count: u64,
        warnings: &mut Vec<Warning>,
    ) -> io::Result<()> {
        let mut at = start;
        for index in 0..count.min(MAX_EVLRS) {
            let room = header.file_len.checked_sub(at).and_then(|room| room.checked_sub(60));
            let Some(room) = room.filter(|_| at >= header.head_len) else {
                warnings.push(overrun("extended variable length record", index, count));
                break;
            };
            source.seek(SeekFrom::Start(at))?;
            let mut head = [0; 60];
            source.read_exact(&mut head)?;
            let len = u64::from_le_bytes(std::array::from_fn(|i| head[20 + i]));
            if len > room {
                warnings.push(overrun("extended variable length record", index, count));
                break;
            }
            self.take(source, &head, len)?;
            at += 60 + len;
        }
        Ok(())
    }

    fn take<R: Read>(&mut self, source: &mut R, head: &[u8], len: u64) -> io::Result<()> {
        if len > MAX_LEN {
            return Ok(());
        }
        let user = head[2..18].split(|&byte| byte == 0).next().unwrap_or_default();
        let id = u16::from_le_bytes([head[18], head[19]]);
        let mut body = |len: u64| {
            let mut bytes = vec![0; len as usize];
            source.read_exact(&mut bytes).map(|()| bytes)
        };
        match (user, id) {
            (b"laszip encoded", 22204) => self.laszip = Some(body(len)?),
            (b"copc", 1) => self.copc = true,
            (b"LASF_Projection", 2112) if self.wkt.is_none() => self.wkt = Some(String::from_utf8_lossy(&body(len)?).into_owned()),
            (b"LASF_Projection", 34735) => self.geokeys = Some(body(len)?),
            (b"LASF_Projection", 34736) => self.geo_doubles = body(len)?,
            (b"LASF_Spec", 4) if self.extra_bytes.len() as u64 + len <= MAX_LEN => self.extra_bytes.append(&mut body(len)?),
            _ => {}
        }
        Ok(())
    }

    /// The CRS as WKT, as the file has it.
    pub(super) fn wkt(&self) -> Option<&str> {
        self.wkt.as_deref().map(|wkt| wkt.trim_matches(|c: char| c == '\0' || c.is_whitespace())).filter(|wkt| !wkt.is_empty())
    }

    /// The CRS: the form that the header's flag selects, or the other one where that has none.
    pub(super) fn crs(&self, wkt_first: bool) -> Crs {
        let wkt = self.wkt.as_deref().map(crs::wkt::read).unwrap_or_default();
        let keys = self.geokeys.as_deref().map(|keys| crs::geokeys::read(keys, &self.geo_doubles)).unwrap_or_default();
        let (mut first, other) = if wkt_first || keys.name.is_none() { (wkt, keys) } else { (keys, wkt) };
        if let (Some(taken), Some(left)) = (&first.name, &other.name)
            && let (true, true) = (taken.starts_with("EPSG"), left.starts_with("EPSG"))
            && taken != left
        {
            let (this, that) = if wkt_first { ("WKT", "GeoTIFF keys") } else { ("GeoTIFF keys", "WKT") };
            let message = format!("the {this} of the file give {taken}, its {that} {left}: the former are used, as the header says");
            first.warnings.push(Warning::new("crs_disagree", message));
        }
        if first.is_empty() {
            let mut warnings = std::mem::take(&mut first.warnings);
            first = other;
            warnings.append(&mut first.warnings);
            first.warnings = warnings;
        } else if first.unit.is_none() && other.unit.is_some() {
            first.unit = other.unit;
            first.warnings.retain(|warning| warning.code != "unit_unknown");
        }
        first
    }
}

fn overrun(what: &str, index: u64, count: u64) -> Warning {
    Warning::new(
        "las_vlr_overrun",
        format!("{what} {} of {count} is longer than the space that it is in: it and those after it are not read", index + 1),
    )
}
