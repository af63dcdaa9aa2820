//! Hashes that are the same on every machine.

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// 64-bit FNV-1a of bytes that come in pieces.
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(FNV_OFFSET)
    }

    /// Takes the next bytes in.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }

    /// The hash of the bytes so far.
    pub(crate) fn sum(&self) -> u64 {
        self.0
    }
}

/// Hash of a record, to order records at the same position independently of the order in which they are read. FNV-1a, then two mixing steps:
/// FNV alone leaves its high bits nearly equal for records that differ in their last bytes.
pub(crate) fn hash(record: &[u8]) -> u64 {
    let mut fnv = Fnv::new();
    fnv.update(record);
    let mixed = (fnv.0 ^ fnv.0 >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}
