//! Dividing a tile's points into blocks of neighbours.
//!
//! A tile that contains the eye has most of its points beside and behind the eye, and many far away. Drawn block by block, those outside the picture are
//! left out, and of those far away only a few are drawn. A block has about [`BLOCK_POINTS`] points: the fewer, the less is drawn in vain, but each costs a draw call.
//!
//! Points come in Morton order, so that a run of them lies together, except where the order jumps from one cell of the octree to another. A block
//! therefore ends at the largest jump near its wanted end.

use std::ops::Range;

use parterre_tile::glb::Vertex;

/// Points wanted in a block.
pub const BLOCK_POINTS: usize = 512;
/// Most blocks of a part.
const BLOCKS_MAX: usize = 256;

/// Divides points in Morton order into ranges of neighbours. No range is empty.
pub fn divide(vertices: &[Vertex]) -> Vec<Range<usize>> {
    let count = vertices.len();
    let blocks = count.div_ceil(BLOCK_POINTS).min(BLOCKS_MAX);
    if blocks <= 1 {
        return if count == 0 { Vec::new() } else { std::iter::once(0..count).collect() };
    }
    let points = count / blocks;
    let mut ranges = Vec::with_capacity(blocks);
    let mut start = 0;
    for block in 1..blocks {
        let middle = block * count / blocks;
        let search = middle - points / 3..middle + points / 3;
        let end = search.max_by_key(|&index| (jump(vertices, index), std::cmp::Reverse(index.abs_diff(middle)))).unwrap_or(middle);
        ranges.push(start..end);
        start = end;
    }
    ranges.push(start..count);
    ranges
}

/// Distance between a point and the one before, along the axis where it is largest. Millimetres.
fn jump(vertices: &[Vertex], index: usize) -> u16 {
    let (before, after) = (vertices[index - 1].position, vertices[index].position);
    (0..3).map(|axis| before[axis].abs_diff(after[axis])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vertex(x: u16) -> Vertex {
        Vertex { position: [x, 0, 0], ..Vertex::default() }
    }

    #[test]
    fn blocks_follow_each_other_without_gaps() {
        for count in [0, 1, 511, 512, 513, 1025, 50_000, 200_000] {
            let vertices: Vec<Vertex> = (0..count).map(|at| vertex((at % 65_536) as u16)).collect();
            let ranges = divide(&vertices);
            let mut end = 0;
            for range in &ranges {
                assert!(range.start == end && !range.is_empty(), "{count}");
                end = range.end;
            }
            assert_eq!(end, count);
            assert!(ranges.len() <= BLOCKS_MAX);
            let largest = ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
            assert!(largest <= (count / BLOCKS_MAX).max(BLOCK_POINTS) * 2, "{count}: {largest}");
        }
    }

    #[test]
    fn a_block_ends_where_the_order_jumps() {
        let vertices: Vec<Vertex> = (0..1024u16).map(|at| vertex(if at < 450 { at } else { at + 10_000 })).collect();
        assert_eq!(divide(&vertices), [0..450, 450..1024]);
    }
}
