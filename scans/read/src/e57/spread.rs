//! A sample of positions spread over a file, for judging which axis points up.
//!
//! Scans keep the order of the instrument, column by column: a block of points shows neighbouring columns, and blocks in many directions show
//! the whole place. Between blocks only the heads of packets are read.

use glam::DVec3;

use super::assemble;
use super::pages::Pages;
use super::ranges::Ranges;
use super::scan::Scan;
use super::vector::{Columns, Vector};
use parterre_model::Result;
use parterre_model::points::{Attributes, PointChunk};

/// Most scans that are sampled, how many points of all of them are read (some 10 ms), and how many of these are given.
const SCANS: usize = 32;
const READ: usize = 400_000;
const KEPT: usize = 60_000;
/// Places at which these points are read, in all scans together, and in each at least. In a scan alone, 16 places are 22 degrees apart.
const BLOCKS: usize = 16;
const LEAST_BLOCKS: usize = 4;
/// Heads of packets that are read in all: those of 1.3 GB, as a packet has up to 64 KiB.
const PACKETS: usize = 20_000;
/// Points decoded at a time.
const DECODED: usize = 8_192;

/// Positions of scans spread over the file. A scan of which only the beginning can be reached is left out.
pub(super) fn positions(pages: &mut Pages, scans: &[Scan], ranges: &[Ranges]) -> Result<Vec<DVec3>> {
    let usable: Vec<(&Scan, Ranges)> =
        scans.iter().zip(ranges.iter().copied()).filter(|(scan, _)| scan.points > 0 && scan.fields.is_ok()).collect();
    let chosen = usable.len().min(SCANS);
    let mut out = Vec::new();
    for index in 0..chosen {
        let (scan, ranges) = usable[index * usable.len() / chosen];
        let mut of_scan = Vec::new();
        if sample(pages, scan, ranges, chosen, &mut of_scan)? {
            out.append(&mut of_scan);
        }
    }
    Ok(out)
}

/// Appends positions of blocks spread over a scan, one of `chosen` that share what is read; returns whether all of it was reached.
fn sample(pages: &mut Pages, scan: &Scan, ranges: Ranges, chosen: usize, out: &mut Vec<DVec3>) -> Result<bool> {
    let positions = Attributes::default();
    let blocks = (BLOCKS / chosen).max(LEAST_BLOCKS) as u64;
    let block = scan.points.min((READ / chosen) as u64).div_ceil(blocks);
    let step = (block * blocks).div_ceil((KEPT / chosen) as u64).max(1) as usize;
    let (mut columns, mut chunk) = (Box::<Columns>::default(), PointChunk::default());
    let mut vector = Vector::open(pages, scan)?;
    for index in 0..blocks {
        let start = (scan.points - block) * index / (blocks - 1);
        let mut at = scan.points - vector.left();
        if !vector.skip(pages, start.saturating_sub(at), PACKETS / chosen)? {
            return Ok(false);
        }
        at = scan.points - vector.left();
        while at < start + block {
            let most = DECODED.min((start + block - at) as usize);
            let count = vector.block(pages, most, |role| assemble::is_wanted(role, positions), &mut columns)?;
            if count == 0 {
                break;
            }
            chunk.clear();
            assemble::append(scan, ranges, positions, 0, count, &columns, &mut chunk);
            let skipped = (step - at as usize % step) % step;
            out.extend(chunk.positions.iter().skip(skipped).step_by(step));
            at += count as u64;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use parterre_test_support::e57_files::{FLOATS, document, file, floats, packet, section};

    /// Each field's values end elsewhere in each packet: after skipping, they must still be those of one point.
    #[test]
    fn values_that_packets_cut_anywhere_stay_together_after_skipping() {
        const POINTS: u32 = 1_000_000;
        let streams = [1.0, 2.0, 3.0].map(|factor| floats(&(0..POINTS).map(|n| n as f32 * factor).collect::<Vec<_>>()));
        let mut packets = Vec::new();
        for index in 0..streams[0].len().div_ceil(5003) {
            let piece = |stream: usize, len: usize| streams[stream].chunks(len).nth(index).unwrap_or_default();
            packets.push(packet(&[piece(0, 5003), piece(1, 7001), piece(2, 6002)]));
        }
        let bytes = file(&section(&packets), &document(u64::from(POINTS), FLOATS, ""));
        let len = bytes.len() as u64;
        let mut source = crate::open::reader(Box::new(Cursor::new(bytes)), len, Path::new("cut.e57")).expect("a readable file");
        let sample = source.sample().expect("a sample");
        assert!((50_000..=70_000).contains(&sample.len()), "{}", sample.len());
        assert!(sample.iter().all(|point| (point.y, point.z) == (2.0 * point.x, 3.0 * point.x)));
        for part in 0..20 {
            let range = f64::from(part) * 50_000.0..f64::from(part + 1) * 50_000.0;
            assert!(sample.iter().any(|point| range.contains(&point.x)), "{range:?}");
        }
    }
}
