//! Long lines of a text must not pile up in memory. A program of its own, for what it holds is counted.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::Ordering;

use glam::DVec3;
use parterre_model::points::PointChunk;
use parterre_read as read;
use parterre_read::Override;
use parterre_test_support::counting;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const LINES: u64 = 200;
const LINE: u64 = 1_000_000;
const ROW: &[u8] = b"1 2 3\n";

/// A header and lines of a million bytes, which lie nowhere.
struct Long {
    head: Vec<u8>,
    at: u64,
}

impl Long {
    fn new() -> Self {
        let head =
            format!("ply\nformat ascii 1.0\nelement vertex {LINES}\nproperty float x\nproperty float y\nproperty float z\nend_header\n");
        Self { head: head.into_bytes(), at: 0 }
    }

    fn len(&self) -> u64 {
        self.head.len() as u64 + LINES * LINE
    }
}

impl Read for Long {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let head = self.head.len() as u64;
        let count = (self.len().saturating_sub(self.at)).min(out.len() as u64) as usize;
        for byte in &mut out[..count] {
            *byte = match self.at.checked_sub(head).map(|at| at % LINE) {
                None => self.head[self.at as usize],
                Some(at) => (at + ROW.len() as u64).checked_sub(LINE).map_or(b' ', |at| ROW[at as usize]),
            };
            self.at += 1;
        }
        Ok(count)
    }
}

impl Seek for Long {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len().saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

#[test]
fn long_lines_are_read_a_few_at_a_time() {
    let long = Long::new();
    let len = long.len();
    let mut source = read::from_source(Box::new(long), len, Path::new("made/long.ply"), &Override::default()).expect("a text");
    let mut chunk = PointChunk::default();
    assert_eq!(source.read_chunk(&mut chunk, 1_000).expect("all rows") as u64, LINES);
    assert!(chunk.positions.iter().all(|&position| position == DVec3::new(1.0, 2.0, 3.0)));
    let peak = counting::PEAK.load(Ordering::Relaxed);
    assert!(peak < 32 << 20, "{peak} bytes were held, of a text of {len}");
}
