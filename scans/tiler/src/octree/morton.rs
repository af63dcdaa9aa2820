//! Morton codes: one number for three coordinates, so that points sorted by it lie cell by cell at every level.

use parterre_tile::id::NodeKey;

/// Levels of the octree that a Morton code covers: bits of each coordinate.
pub(crate) const MORTON_LEVELS: u32 = 21;

/// The 21 low bits of `value` with two zero bits between neighbours.
#[inline]
fn spread(value: u32) -> u64 {
    let mut value = u64::from(value) & 0x1f_ffff;
    value = (value | value << 32) & 0x001f_0000_0000_ffff;
    value = (value | value << 16) & 0x001f_0000_ff00_00ff;
    value = (value | value << 8) & 0x100f_00f0_0f00_f00f;
    value = (value | value << 4) & 0x10c3_0c30_c30c_30c3;
    (value | value << 2) & 0x1249_2492_4924_9249
}

/// Morton code (bits interleaved, x lowest) of three numbers of 21 bits.
#[inline]
pub(crate) fn morton([x, y, z]: [u32; 3]) -> u64 {
    spread(x) | spread(y) << 1 | spread(z) << 2
}

/// Every third bit of `code`, from the lowest on.
#[inline]
fn gather(code: u64) -> u32 {
    let mut code = code & 0x1249_2492_4924_9249;
    code = (code | code >> 2) & 0x10c3_0c30_c30c_30c3;
    code = (code | code >> 4) & 0x100f_00f0_0f00_f00f;
    code = (code | code >> 8) & 0x001f_0000_ff00_00ff;
    code = (code | code >> 16) & 0x001f_0000_0000_ffff;
    ((code | code >> 32) & 0x1f_ffff) as u32
}

/// The three numbers of a Morton code.
#[inline]
pub(crate) fn coordinates_of(code: u64) -> [u32; 3] {
    [gather(code), gather(code >> 1), gather(code >> 2)]
}

/// The cell below `key` that a Morton code of `digits` octal digits names, the first digit the highest.
pub(crate) fn descend(key: NodeKey, code: u64, digits: u32) -> NodeKey {
    (0..digits).rev().fold(key, |key, digit| key.child((code >> (3 * digit) & 7) as u32))
}

/// Key for sorting cells of one level in Morton order; two codes, since one holds 21 bits of an axis.
pub(crate) fn morton_order(cell: [u32; 3]) -> (u64, u64) {
    (morton(cell.map(|cell| cell >> MORTON_LEVELS)), morton(cell.map(|cell| cell & ((1 << MORTON_LEVELS) - 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn morton_codes_interleave_x_first() {
        assert_eq!(morton([1, 0, 0]), 1);
        assert_eq!(morton([0, 1, 0]), 2);
        assert_eq!(morton([0, 0, 1]), 4);
        assert_eq!(morton([3, 0, 0]), 9);
        assert_eq!(morton([0x1f_ffff; 3]), (1 << 63) - 1);
        for numbers in [[0, 0, 0], [5, 2, 7], [0x1f_ffff, 0, 0x10_0001], [0x12_3456, 0x0f_edcb, 1]] {
            assert_eq!(coordinates_of(morton(numbers)), numbers);
        }
        assert_eq!(descend(NodeKey::ROOT, morton([5, 2, 7]), 3), NodeKey { level: 3, cell: [5, 2, 7] });
    }
}
