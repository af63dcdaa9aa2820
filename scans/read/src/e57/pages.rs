//! The outermost layer of E57: the file is a sequence of pages, each ending in a checksum of the rest.
//!
//! A **physical** offset counts the bytes of the file, a **logical** one leaves the checksums out. Offsets in the file are
//! physical, lengths are logical. Pages are read in runs, which get longer while reading is sequential. A page is checked
//! when its data are first used: what is not read is not checked.

use std::io::{BufRead, Read, SeekFrom};
use std::path::{Path, PathBuf};

use super::crc::crc32c;
use super::xml::XML_HINT;
use crate::source::Source;
use parterre_model::{Error, Result};

const CHECKSUM_LEN: usize = 4;
/// Pages of the first run, and of the longest.
const RUN_PAGES: [usize; 2] = [8, 256];
/// Length of the file's header.
pub(super) const HEADER_LEN: usize = 48;

pub(super) const TRUNCATED_HINT: &str = "The file is incomplete: copy or export it again.";

/// The first 48 bytes, checked against the file's length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) version: [u32; 2],
    /// Where the XML begins, physical.
    pub(super) xml_offset: u64,
    pub(super) xml_len: u64,
    /// Length that the file should have.
    pub(super) announced_len: u64,
}

/// The pages of a file.
pub(super) struct Pages {
    input: Box<dyn Source>,
    name: PathBuf,
    page_len: usize,
    /// Whole pages of the file.
    count: u64,
    run: Vec<u8>,
    run_first: u64,
    /// Which pages of the run were checked.
    checked: Vec<bool>,
    /// Length of the next run, in pages.
    ahead: usize,
    /// Logical offset of the next byte.
    at: u64,
}

impl Pages {
    /// Reads the header of a file of `len` bytes.
    pub(super) fn open(mut input: Box<dyn Source>, len: u64, name: &Path) -> Result<(Self, Header)> {
        let mut head = [0; HEADER_LEN];
        input.seek(SeekFrom::Start(0)).map_err(|error| Error::io("read", name, error))?;
        let mut got = 0;
        while got < HEADER_LEN {
            match input.read(&mut head[got..]) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", name, error)),
            }
        }
        if !head[..got].starts_with(b"ASTM-E57") {
            return Err(Error::input("format_unknown", "the file does not begin with the signature of E57", "Choose an E57 file."));
        }
        if got < HEADER_LEN {
            return Err(Error::input("e57_truncated", format!("the file has only {got} bytes; the header alone has 48"), TRUNCATED_HINT));
        }
        let u32_at = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let u64_at = |at: usize| u64::from(u32_at(at)) | (u64::from(u32_at(at + 4)) << 32);
        let header = Header { version: [u32_at(8), u32_at(12)], announced_len: u64_at(16), xml_offset: u64_at(24), xml_len: u64_at(32) };
        let page_len = u64_at(40);
        let invalid = |message: String| Error::input("e57_header", message, "The header is damaged: export the file again.");
        if header.version[0] != 1 {
            let [major, minor] = header.version;
            return Err(invalid(format!("the file is of version {major}.{minor}; only version 1 can be read")));
        }
        // The standard allows 1024 only.
        if !(64..=1 << 20).contains(&page_len) || !page_len.is_multiple_of(4) {
            return Err(invalid(format!("the header gives a page length of {page_len} bytes, which is not possible")));
        }
        if header.announced_len > len {
            return Err(Error::input(
                "e57_truncated",
                format!("the file has {len} bytes of the {} that its header announces", header.announced_len),
                TRUNCATED_HINT,
            ));
        }
        let pages = Self {
            input,
            name: name.to_path_buf(),
            page_len: page_len as usize,
            count: len / page_len,
            run: Vec::new(),
            run_first: 0,
            checked: Vec::new(),
            ahead: RUN_PAGES[0],
            at: 0,
        };
        Ok((pages, header))
    }

    fn data_len(&self) -> usize {
        self.page_len - CHECKSUM_LEN
    }

    /// Bytes of the file without its checksums.
    pub(super) fn logical_len(&self) -> u64 {
        self.count * self.data_len() as u64
    }

    /// The logical offset of a physical one; `None` after the end and within a checksum.
    pub(super) fn logical(&self, physical: u64) -> Option<u64> {
        let (page, within) = (physical / self.page_len as u64, physical % self.page_len as u64);
        (page < self.count && within < self.data_len() as u64).then(|| page * self.data_len() as u64 + within)
    }

    /// Sets the logical offset of the next byte; one after the end reads as the end.
    pub(super) fn seek(&mut self, logical: u64) {
        self.at = logical;
    }

    /// The rest of the current page; empty at the end of the file.
    fn page(&mut self) -> Result<&[u8]> {
        let (page, within) = (self.at / self.data_len() as u64, (self.at % self.data_len() as u64) as usize);
        if page >= self.count {
            return Ok(&[]);
        }
        let run_end = self.run_first + self.checked.len() as u64;
        if !(self.run_first..run_end).contains(&page) {
            self.load(page, page == run_end)?;
        }
        let index = (page - self.run_first) as usize;
        let whole = &self.run[index * self.page_len..(index + 1) * self.page_len];
        let (data, sum) = whole.split_at(self.page_len - CHECKSUM_LEN);
        if !self.checked[index] {
            // The one big-endian number of the format.
            if sum != crc32c(data).to_be_bytes() {
                return Err(Error::input(
                    "e57_checksum",
                    format!("page {page} of {} (byte {}) does not match its checksum", self.count, page * self.page_len as u64),
                    "The file was damaged on a disk or during a copy: copy it again from its source.",
                ));
            }
            self.checked[index] = true;
        }
        Ok(&data[within..])
    }

    fn load(&mut self, page: u64, in_order: bool) -> Result<()> {
        self.ahead = if in_order { (self.ahead * 2).min(RUN_PAGES[1]) } else { RUN_PAGES[0] };
        let pages = (self.count - page).min(self.ahead as u64) as usize;
        self.checked.clear();
        self.run.resize(pages * self.page_len, 0);
        let read = self.input.seek(SeekFrom::Start(page * self.page_len as u64)).and_then(|_| self.input.read_exact(&mut self.run));
        read.map_err(|error| match error.kind() {
            // The length was checked: only a file that shrinks meanwhile ends early.
            std::io::ErrorKind::UnexpectedEof => Error::input("e57_truncated", "the file ended while it was read", TRUNCATED_HINT),
            _ => Error::io("read", &self.name, error),
        })?;
        self.run_first = page;
        self.checked.resize(pages, false);
        Ok(())
    }

    /// Fills `out` from the current position on.
    pub(super) fn read_exact(&mut self, out: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < out.len() {
            let data = self.page()?;
            if data.is_empty() {
                return Err(Error::input(
                    "e57_truncated",
                    format!("{} bytes are missing at the end of the file", out.len() - filled),
                    TRUNCATED_HINT,
                ));
            }
            let count = data.len().min(out.len() - filled);
            out[filled..filled + count].copy_from_slice(&data[..count]);
            filled += count;
            self.at += count as u64;
        }
        Ok(())
    }
}

/// The XML section of a file as a plain reader.
///
/// A parser of XML keeps a whole tag or text in memory: at most `budget` bytes are returned until it is set again.
pub(super) struct XmlSection<'a> {
    pub(super) pages: &'a mut Pages,
    pub(super) left: u64,
    pub(super) budget: usize,
    /// Why reading failed, which [`std::io::Error`] cannot say.
    pub(super) fault: Option<Error>,
}

impl Read for XmlSection<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let data = self.fill_buf()?;
        let count = data.len().min(out.len());
        out[..count].copy_from_slice(&data[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for XmlSection<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.left > 0 && self.budget == 0 {
            let message = "the XML has a tag or text of more than 16 MiB";
            self.fault = Some(Error::input("e57_xml", message, XML_HINT));
            return Err(std::io::Error::other(message));
        }
        let most = (self.budget as u64).min(self.left) as usize;
        match self.pages.page() {
            Ok(data) => Ok(&data[..data.len().min(most)]),
            Err(fault) => {
                let message = fault.to_string();
                self.fault = Some(fault);
                Err(std::io::Error::other(message))
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.pages.at += count as u64;
        self.left = self.left.saturating_sub(count as u64);
        self.budget = self.budget.saturating_sub(count);
    }
}
