//! The points of a scan (`CompressedVector`): a section of packets, each with a part of every field's byte stream.
//!
//! A stream continues from packet to packet: a value may begin in one and end in the next, and a packet need not have the same
//! number of values of each field. Points are decoded once all their fields were read. Index packets and ignored ones are skipped.
//!
//! Memory: a packet has at most 64 KiB; of streams that are ahead of the others at most [`MAX_AHEAD`] bytes are kept, more are an
//! error.

use super::pages::Pages;
use super::scan::{Coding, ROLES, Role, Scan};
use parterre_model::{Error, Result};

/// Most bytes of streams that wait for other streams.
const MAX_AHEAD: usize = 8 << 20;
/// Zeros behind a stream's bytes, so that a value can be taken from a whole window.
const PAD: usize = 16;
const SECTION_HEADER_LEN: u64 = 32;
const HINT: &str = "The scan's points are damaged: export the file again.";

/// Decoded values, one column a [`Role`].
pub(super) type Columns = [Vec<f64>; ROLES];

/// Reader of the points of one scan.
pub(super) struct Vector {
    /// Logical place of the next packet, and of the section's end.
    next: u64,
    end: u64,
    /// One for each field that is read.
    streams: Vec<Stream>,
    /// For each stream of a packet its place in `streams`.
    place_of: Vec<Option<usize>>,
    packet: Vec<u8>,
    left: u64,
    total: u64,
    /// Packets passed over by [`Vector::skip`].
    skipped: usize,
}

impl Vector {
    /// Goes to the first packet of a scan. The scan must have fields and points.
    pub(super) fn open(pages: &mut Pages, scan: &Scan) -> Result<Self> {
        let Some(start) = pages.logical(scan.offset) else {
            return Err(section(scan, format!("begins at byte {}, which is not in the data of the file", scan.offset)));
        };
        let mut head = [0; SECTION_HEADER_LEN as usize];
        pages.seek(start);
        pages.read_exact(&mut head)?;
        let number = |at: usize| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|index| head[at + index]));
        if head[0] != 1 {
            return Err(section(scan, format!("at byte {} is of kind {}, not 1", scan.offset, head[0])));
        }
        // A wrong length or a missing offset of the data does no harm: packets have their own lengths.
        let end = start.checked_add(number(8)).filter(|&end| end >= start + SECTION_HEADER_LEN && end <= pages.logical_len());
        let next = pages.logical(number(16)).filter(|&next| next >= start + SECTION_HEADER_LEN);
        let mut place_of = vec![None; scan.streams as usize];
        let mut streams = Vec::new();
        for (place, field) in scan.fields.iter().flat_map(|fields| fields.iter()).enumerate() {
            if let Some(entry) = place_of.get_mut(field.stream as usize) {
                *entry = Some(place);
            }
            streams.push(Stream { role: field.role, coding: field.coding, bytes: vec![0; PAD], bit: 0 });
        }
        Ok(Self {
            next: next.unwrap_or(start + SECTION_HEADER_LEN),
            end: end.unwrap_or(pages.logical_len()),
            streams,
            place_of,
            packet: Vec::new(),
            left: scan.points,
            total: scan.points,
            skipped: 0,
        })
    }

    /// Points not returned yet.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Puts the next values, at most `most`, into the columns of the `wanted` roles and empties the others; returns how many
    /// points these are, 0 at the end alone.
    pub(super) fn block(&mut self, pages: &mut Pages, most: usize, wanted: impl Fn(Role) -> bool, columns: &mut Columns) -> Result<usize> {
        let target = self.left.min(most as u64) as usize;
        let mut count = self.available();
        while count < target {
            let ahead = self.streams.iter().map(|stream| stream.bytes.len()).sum::<usize>();
            if self.next >= self.end || ahead > MAX_AHEAD {
                break;
            }
            self.read_packet(pages)?;
            count = self.available();
        }
        count = count.min(target);
        if count == 0 && target > 0 {
            let why = if self.next >= self.end { "its data end" } else { "its fields have different numbers of values" };
            let done = self.total - self.left;
            return Err(Error::input("e57_points_missing", format!("{why} after {done} of {} points", self.total), HINT));
        }
        columns.iter_mut().for_each(Vec::clear);
        for stream in &mut self.streams {
            let column = &mut columns[stream.role as usize];
            if wanted(stream.role) {
                stream.take(count, column);
            }
            stream.bit += count * stream.coding.width() as usize;
        }
        self.left -= count as u64;
        Ok(count)
    }

    /// Passes over the next `count` points. Of packets that have none but such, only the heads are read, `most_packets` at most since
    /// the section's begin; returns whether that was enough. After `false` no further points can be read.
    pub(super) fn skip(&mut self, pages: &mut Pages, count: u64, most_packets: usize) -> Result<bool> {
        let count = count.min(self.left);
        self.left -= count;
        for stream in &mut self.streams {
            stream.bit = stream.bit.saturating_add((count as usize).saturating_mul(stream.coding.width() as usize));
        }
        loop {
            let is_ahead = self.streams.iter().all(|stream| stream.coding.width() == 0 || stream.bit >= (stream.bytes.len() - PAD) * 8);
            if count == 0 || !is_ahead || self.next >= self.end {
                return Ok(true);
            }
            if self.skipped >= most_packets {
                return Ok(false);
            }
            if !self.skip_packet(pages)? {
                return Ok(true);
            }
        }
    }

    /// Passes over the next packet, where no stream needs anything of it; else stays before it, and `false` is returned.
    fn skip_packet(&mut self, pages: &mut Pages) -> Result<bool> {
        let at = self.next;
        pages.seek(at);
        let mut head = [0; 6];
        if self.end - at < head.len() as u64 {
            return Ok(false);
        }
        pages.read_exact(&mut head)?;
        let len = u64::from(u16::from_le_bytes([head[2], head[3]])) + 1;
        let count = usize::from(u16::from_le_bytes([head[4], head[5]]));
        let lengths_end = 6 + 2 * count as u64;
        if matches!(head[0], 0 | 2) && (4..=self.end - at).contains(&len) {
            self.next += len;
            self.skipped += 1;
            return Ok(true);
        }
        // What is wrong with the packet is said by reading it.
        if head[0] != 1 || count != self.place_of.len() || lengths_end > len || len > self.end - at {
            return Ok(false);
        }
        self.packet.resize(2 * count, 0);
        pages.read_exact(&mut self.packet)?;
        let lengths: Vec<usize> = self.packet.chunks_exact(2).map(|len| usize::from(u16::from_le_bytes([len[0], len[1]]))).collect();
        let is_needed = |(place, &len): (&Option<usize>, &usize)| {
            place.is_some_and(|place| {
                let stream = &self.streams[place];
                stream.coding.width() > 0 && stream.bit < (stream.bytes.len() - PAD + len) * 8
            })
        };
        if lengths_end + lengths.iter().sum::<usize>() as u64 > len || self.place_of.iter().zip(&lengths).any(is_needed) {
            return Ok(false);
        }
        for (place, &len) in self.place_of.iter().zip(&lengths) {
            if let Some(place) = *place {
                self.streams[place].pass_over(len);
            }
        }
        self.next += len;
        self.skipped += 1;
        Ok(true)
    }

    /// Points that all streams have.
    fn available(&self) -> usize {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.streams.iter().filter_map(Stream::available).fold(most, usize::min)
    }

    fn read_packet(&mut self, pages: &mut Pages) -> Result<()> {
        let at = self.next;
        let fault = |what: String| Err(Error::input("e57_packet", format!("the packet at byte {at} of the data {what}"), HINT));
        pages.seek(at);
        let mut head = [0; 4];
        pages.read_exact(&mut head)?;
        let len = usize::from(u16::from_le_bytes([head[2], head[3]])) + 1;
        if len < 4 || len as u64 > self.end - at {
            return fault(format!("has an impossible length of {len} bytes"));
        }
        self.next += len as u64;
        match head[0] {
            0 | 2 => return Ok(()),
            1 => {}
            kind => return fault(format!("is of the unknown kind {kind}")),
        }
        self.packet.resize(len - 4, 0);
        pages.read_exact(&mut self.packet)?;
        let count = self.packet.get(..2).map_or(0, |bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])));
        let lengths_end = 2 + 2 * count;
        if count != self.place_of.len() || lengths_end > self.packet.len() {
            return fault(format!("has {count} streams, where the scan has {} fields", self.place_of.len()));
        }
        let (lengths, mut data) = self.packet.split_at(lengths_end);
        for (place, len) in self.place_of.iter().zip(lengths[2..].chunks_exact(2)) {
            let Some((piece, rest)) = data.split_at_checked(usize::from(u16::from_le_bytes([len[0], len[1]]))) else {
                return fault("is shorter than its streams".to_owned());
            };
            data = rest;
            if let Some(place) = *place {
                self.streams[place].append(piece);
            }
        }
        Ok(())
    }
}

fn section(scan: &Scan, what: String) -> Error {
    Error::input("e57_section", format!("the section of the points of {:?} {what}", scan.name), HINT)
}

/// The values of one field that wait to be decoded.
struct Stream {
    role: Role,
    coding: Coding,
    /// Bytes, then [`PAD`] zeros.
    bytes: Vec<u8>,
    /// The next value's first bit.
    bit: usize,
}

impl Stream {
    fn append(&mut self, piece: &[u8]) {
        self.bytes.truncate(self.bytes.len() - PAD);
        // After skipping, the next value may lie behind all bytes.
        let used = (self.bit / 8).min(self.bytes.len());
        // Moving the rest is worth it once as much was used as is left.
        if used * 2 >= self.bytes.len() {
            self.bytes.drain(..used);
            self.bit -= used * 8;
        }
        self.bytes.extend_from_slice(piece);
        self.bytes.resize(self.bytes.len() + PAD, 0);
    }

    /// Leaves out all bytes that were read and the next `len`, of which none is needed.
    fn pass_over(&mut self, len: usize) {
        let passed = self.bytes.len() - PAD + len;
        self.bytes.drain(..self.bytes.len() - PAD);
        self.bit = self.bit.saturating_sub(passed * 8);
    }

    /// Number of whole values that were read; `None` for a constant, which needs no bytes.
    fn available(&self) -> Option<usize> {
        ((self.bytes.len() - PAD) * 8).saturating_sub(self.bit).checked_div(self.coding.width() as usize)
    }

    /// Appends the next `count` values, which must have been read.
    fn take(&self, count: usize, out: &mut Vec<f64>) {
        match self.coding {
            Coding::Single => {
                let (values, _) = self.bytes[self.bit / 8..].as_chunks::<4>();
                out.extend(values[..count].iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))));
            }
            Coding::Double => {
                let (values, _) = self.bytes[self.bit / 8..].as_chunks::<8>();
                out.extend(values[..count].iter().map(|&bytes| f64::from_le_bytes(bytes)));
            }
            Coding::Integer { min, width, scale, offset } => {
                let value = |raw: u64| min.wrapping_add_unsigned(raw) as f64 * scale + offset;
                let from = self.bit / 8;
                match (width, self.bit % 8) {
                    (0, _) => out.resize(out.len() + count, value(0)),
                    (8, 0) => out.extend(self.bytes[from..from + count].iter().map(|&byte| value(u64::from(byte)))),
                    (16, 0) => {
                        let (values, _) = self.bytes[from..].as_chunks::<2>();
                        out.extend(values[..count].iter().map(|&bytes| value(u64::from(u16::from_le_bytes(bytes)))));
                    }
                    (32, 0) => {
                        let (values, _) = self.bytes[from..].as_chunks::<4>();
                        out.extend(values[..count].iter().map(|&bytes| value(u64::from(u32::from_le_bytes(bytes)))));
                    }
                    _ => out.extend((0..count).map(|index| value(self.window(self.bit + index * width as usize, width)))),
                }
            }
        }
    }

    /// `width` bits, 1 to 64, from a bit on; the lowest come first.
    fn window(&self, bit: usize, width: u32) -> u64 {
        let at = bit / 8;
        let mask = u64::MAX >> (u64::BITS - width);
        // The pad makes both windows whole.
        if width <= 56 {
            let bytes = self.bytes[at..].first_chunk::<8>().copied().unwrap_or_default();
            (u64::from_le_bytes(bytes) >> (bit % 8)) & mask
        } else {
            let bytes = self.bytes[at..].first_chunk::<16>().copied().unwrap_or_default();
            (u128::from_le_bytes(bytes) >> (bit % 8)) as u64 & mask
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(coding: Coding) -> Stream {
        Stream { role: Role::X, coding, bytes: vec![0; PAD], bit: 0 }
    }

    #[test]
    fn values_of_any_width_go_on_from_piece_to_piece() {
        for width in 1..=64_u32 {
            let mask = u64::MAX >> (64 - width);
            let wanted: Vec<u64> = (1..=50_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask).collect();
            let mut bits: Vec<u8> = wanted.iter().flat_map(|value| (0..width).map(move |bit| (value >> bit & 1) as u8)).collect();
            bits.resize(bits.len().next_multiple_of(8), 0);
            let bytes: Vec<u8> = bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect();
            let mut stream = stream(Coding::Integer { min: 0, width, scale: 1.0, offset: 0.0 });
            let mut got = Vec::new();
            for piece in bytes.chunks(7) {
                stream.append(piece);
                let count = stream.available().expect("bits").min(50 - got.len());
                stream.take(count, &mut got);
                stream.bit += count * width as usize;
            }
            assert_eq!(got, wanted.iter().map(|&value| value.cast_signed() as f64).collect::<Vec<_>>(), "{width} bits");
        }
    }

    #[test]
    fn constants_take_no_bytes() {
        let stream = stream(Coding::Integer { min: 7, width: 0, scale: 0.5, offset: 1.0 });
        let mut got = Vec::new();
        assert_eq!(stream.available(), None);
        stream.take(3, &mut got);
        assert_eq!(got, [4.5; 3]);
    }
}
