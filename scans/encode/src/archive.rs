//! Writing a 3TZ archive from front to back: no seeking, sizes and CRC in the local headers, the same bytes for the same
//! entries.

use std::io::Write;

use serde::{Deserialize, Serialize};
use zlib_rs::{DeflateConfig, ReturnCode, Strategy};

use parterre_model::{Error, Result};
use parterre_tile::archive::{Entry, INDEX_PATH, Method, path_hash, zip};

/// 1 January 1980, the first day in ZIP.
const DATE: u16 = 0x0021;
/// Deflate is kept where it saves at least 3 %.
const WORTHWHILE_PERCENT: usize = 97;

/// A compressed entry, ready to be written; made on any thread.
#[derive(Clone, Debug)]
pub struct Packed {
    path: String,
    data: Vec<u8>,
    len: u64,
    crc32: u32,
    method: Method,
}

impl Packed {
    /// Packs an entry. JSON is always deflated, so that it can be sent as gzip; everything else where that saves at
    /// least 3 %, and only with run lengths and Huffman codes: a full search for repetitions saves 1 % more in
    /// tiles, which have their own compression, and takes as long as all other work on them.
    ///
    /// # Errors
    /// `internal` for a path that is not plain ASCII below the archive's root or that holds `.3tz`.
    pub fn new(path: impl Into<String>, bytes: Vec<u8>) -> Result<Self> {
        let path = path.into();
        if !path.is_ascii() || !zip::is_plain(&path) || path.contains(".3tz") || path == INDEX_PATH || path.len() > 1000 {
            return Err(Error::Internal(format!("{path:?} cannot be a path in an archive")));
        }
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        let (crc32, len) = (crc.sum(), bytes.len());
        let is_json = std::path::Path::new(&path).extension().is_some_and(|extension| extension == "json");
        let deflated = deflate(&bytes, is_json)?;
        let worthwhile = deflated.len() <= len / 100 * WORTHWHILE_PERCENT;
        let (data, method) = if is_json || worthwhile { (deflated, Method::Deflate) } else { (bytes, Method::Stored) };
        Ok(Self { path, data, len: len as u64, crc32, method })
    }

    /// The original bytes of the entry; checks their CRC.
    ///
    /// # Errors
    /// As [`Entry::inflate`].
    pub fn unpack(self) -> Result<Vec<u8>> {
        let compressed_len = self.data.len() as u64;
        Entry { data_offset: 0, compressed_len, len: self.len, crc32: self.crc32, method: self.method }.inflate(self.data)
    }

    /// Bytes in the archive.
    pub fn compressed_len(&self) -> usize {
        self.data.len()
    }

    /// Takes the compressed bytes out, to be stored elsewhere until [`PackedMeta::with_data`].
    pub fn take_data(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }

    /// Everything about the entry except its path and its bytes.
    pub fn meta(&self) -> PackedMeta {
        PackedMeta { len: self.len, crc32: self.crc32, is_deflated: self.method == Method::Deflate }
    }
}

/// Everything about a compressed entry except its path and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedMeta {
    len: u64,
    crc32: u32,
    is_deflated: bool,
}

impl PackedMeta {
    /// The entry with the bytes that [`Packed::take_data`] took.
    pub fn with_data(self, path: String, data: Vec<u8>) -> Packed {
        let method = if self.is_deflated { Method::Deflate } else { Method::Stored };
        Packed { path, data, len: self.len, crc32: self.crc32, method }
    }
}

struct Record {
    path: String,
    offset: u64,
    compressed_len: u64,
    len: u64,
    crc32: u32,
    method: Method,
}

/// Writes an archive. It can be read only after [`Writer::finish`].
pub struct Writer<W: Write> {
    out: W,
    offset: u64,
    records: Vec<Record>,
    /// Values from this one on go into the ZIP64 fields.
    wide_from: u64,
}

impl<W: Write> Writer<W> {
    /// Begins an archive at the current position of `out`, which becomes offset 0.
    pub fn new(out: W) -> Self {
        Self { out, offset: 0, records: Vec::new(), wide_from: u64::from(u32::MAX) }
    }

    /// Packs and writes an entry.
    ///
    /// # Errors
    /// As [`Packed::new`] and [`Writer::write`].
    pub fn add(&mut self, path: impl Into<String>, bytes: Vec<u8>) -> Result<()> {
        self.write(Packed::new(path, bytes)?)
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// `io`.
    pub fn write(&mut self, entry: Packed) -> Result<()> {
        let Packed { path, data, len, crc32, method } = entry;
        let record = Record { path, offset: self.offset, compressed_len: data.len() as u64, len, crc32, method };
        let header = self.local_header(&record);
        self.put(&header)?;
        self.put(&data)?;
        self.records.push(record);
        Ok(())
    }

    /// Writes index and directory; returns the sink and the archive's length.
    ///
    /// # Errors
    /// `io`; `internal` where two entries have the same path.
    pub fn finish(mut self) -> Result<(W, u64)> {
        let mut slots: Vec<([u64; 2], u64)> = self.records.iter().map(|record| (path_hash(&record.path), record.offset)).collect();
        slots.sort_unstable();
        if slots.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::Internal("two entries of an archive have the same path".into()));
        }
        let data: Vec<u8> = slots.iter().flat_map(|&([low, high], offset)| [low, high, offset]).flat_map(u64::to_le_bytes).collect();
        let mut crc = flate2::Crc::new();
        crc.update(&data);
        let len = data.len() as u64;
        self.write(Packed { path: INDEX_PATH.into(), data, len, crc32: crc.sum(), method: Method::Stored })?;

        let directory_offset = self.offset;
        for record in std::mem::take(&mut self.records) {
            let bytes = self.directory_record(&record);
            self.put(&bytes)?;
        }
        let count = slots.len() as u64 + 1;
        let end = self.end(count, directory_offset);
        self.put(&end)?;
        self.out.flush().map_err(io)?;
        Ok((self.out, self.offset))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(io)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// The ZIP64 field and the 32-bit values beside it.
    fn narrow<const N: usize>(&self, values: [u64; N], all: bool) -> ([u32; N], Vec<u8>) {
        let any = values.iter().any(|&value| value >= self.wide_from);
        let is_wide = |value: u64| value >= self.wide_from || (all && any);
        let wide: Vec<u8> = values.into_iter().filter(|&value| is_wide(value)).flat_map(u64::to_le_bytes).collect();
        let mut extra = Vec::new();
        if !wide.is_empty() {
            extra.extend_from_slice(&zip::EXTRA64.to_le_bytes());
            extra.extend_from_slice(&(wide.len() as u16).to_le_bytes());
            extra.extend_from_slice(&wide);
        }
        (values.map(|value| if is_wide(value) { u32::MAX } else { value as u32 }), extra)
    }

    /// Version, flags, method, time, date, CRC and sizes, as both headers have them.
    fn common(record: &Record, [len, compressed_len]: [u32; 2], version: u16) -> Vec<u8> {
        let method: u16 = match record.method {
            Method::Stored => 0,
            Method::Deflate => 8,
        };
        let mut bytes: Vec<u8> = [version, 0, method, 0, DATE].into_iter().flat_map(u16::to_le_bytes).collect();
        bytes.extend([record.crc32, compressed_len, len].into_iter().flat_map(u32::to_le_bytes));
        bytes.extend_from_slice(&(record.path.len() as u16).to_le_bytes());
        bytes
    }

    fn local_header(&self, record: &Record) -> Vec<u8> {
        // A local header has to hold both sizes in its ZIP64 field or none.
        let (sizes, extra) = self.narrow([record.len, record.compressed_len], true);
        let mut bytes = zip::LOCAL.to_le_bytes().to_vec();
        bytes.extend(Self::common(record, sizes, version(&extra)));
        bytes.extend_from_slice(&(extra.len() as u16).to_le_bytes());
        bytes.extend_from_slice(record.path.as_bytes());
        bytes.extend(extra);
        bytes
    }

    fn directory_record(&self, record: &Record) -> Vec<u8> {
        let ([len, compressed_len, offset], extra) = self.narrow([record.len, record.compressed_len, record.offset], false);
        let mut bytes = zip::CENTRAL.to_le_bytes().to_vec();
        bytes.extend_from_slice(&version(&extra).to_le_bytes());
        bytes.extend(Self::common(record, [len, compressed_len], version(&extra)));
        // Extra field, comment, disk, internal and external attributes.
        bytes.extend([extra.len() as u16, 0, 0, 0, 0, 0].into_iter().flat_map(u16::to_le_bytes));
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(record.path.as_bytes());
        bytes.extend(extra);
        bytes
    }

    fn end(&self, count: u64, directory_offset: u64) -> Vec<u8> {
        let size = self.offset - directory_offset;
        let ([size32, offset32], wide) = self.narrow([size, directory_offset], false);
        let mut bytes = Vec::new();
        if !wide.is_empty() || count >= u64::from(u16::MAX) {
            bytes.extend_from_slice(&zip::END64.to_le_bytes());
            bytes.extend_from_slice(&(zip::END64_BYTES as u64 - 12).to_le_bytes());
            bytes.extend([45_u16, 45].into_iter().flat_map(u16::to_le_bytes));
            bytes.extend([0_u32, 0].into_iter().flat_map(u32::to_le_bytes));
            bytes.extend([count, count, size, directory_offset].into_iter().flat_map(u64::to_le_bytes));
            bytes.extend_from_slice(&zip::LOCATOR64.to_le_bytes());
            bytes.extend_from_slice(&0_u32.to_le_bytes());
            bytes.extend_from_slice(&self.offset.to_le_bytes());
            bytes.extend_from_slice(&1_u32.to_le_bytes());
        }
        let count = count.min(u64::from(u16::MAX)) as u16;
        bytes.extend_from_slice(&zip::END.to_le_bytes());
        bytes.extend([0, 0, count, count].into_iter().flat_map(u16::to_le_bytes));
        bytes.extend([size32, offset32].into_iter().flat_map(u32::to_le_bytes));
        bytes.extend_from_slice(&0_u16.to_le_bytes());
        bytes
    }
}

/// Raw deflate of the bytes, with a search for repetitions or only for runs of one byte.
fn deflate(bytes: &[u8], with_repetitions: bool) -> Result<Vec<u8>> {
    let fault = |error: &dyn std::fmt::Display| Error::Internal(format!("deflate: {error}"));
    if with_repetitions {
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::with_capacity(bytes.len() / 2), flate2::Compression::default());
        return (deflate.write_all(bytes)).and_then(|()| deflate.finish()).map_err(|error| fault(&error));
    }
    let config = DeflateConfig { window_bits: -15, strategy: Strategy::Rle, ..DeflateConfig::default() };
    let mut deflated = vec![0; zlib_rs::compress_bound(bytes.len())];
    let (written, code) = zlib_rs::compress_slice(&mut deflated, bytes, config);
    if code != ReturnCode::Ok {
        return Err(fault(&format!("{code:?}")));
    }
    let len = written.len();
    deflated.truncate(len);
    Ok(deflated)
}

fn version(extra: &[u8]) -> u16 {
    if extra.is_empty() { 20 } else { 45 }
}

fn io(source: std::io::Error) -> Error {
    Error::io("write", "the archive", source)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Cursor;

    use super::*;
    use parterre_tile::archive::Index;

    #[test]
    fn zip64_fields_are_written_and_read() {
        let mut writer = Writer::new(Vec::new());
        writer.wide_from = 1;
        writer.add("a.bin", vec![7; 3]).unwrap();
        writer.add("b.json", b"[1, 2, 3]".repeat(20)).unwrap();
        let (bytes, len) = writer.finish().unwrap();
        assert_eq!(bytes.len() as u64, len);
        assert!(bytes.windows(4).any(|window| window == zip::END64.to_le_bytes()));
        let mut archive = Cursor::new(&bytes);
        let index = Index::read(&mut archive).unwrap();
        assert_eq!(index.read_entry(&mut archive, "a.bin").unwrap().unwrap(), [7; 3]);
        assert_eq!(index.read_entry(&mut archive, "b.json").unwrap().unwrap(), b"[1, 2, 3]".repeat(20));
        assert_eq!(index.paths(&mut archive).unwrap(), ["a.bin", "b.json"]);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in ["", "/a", "../a", "a/../b", "a//b", "c:a", "a\\b", "x.3tz/y", INDEX_PATH, "ä"] {
            assert_eq!(Packed::new(path, Vec::new()).unwrap_err().code(), "internal", "{path}");
        }
    }
}
