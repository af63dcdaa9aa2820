//! CRC-32C (Castagnoli), the checksum of E57's pages, eight bytes at a time.
//!
//! The polynomial is 0x1EDC6F41, reflected; see RFC 3720, appendix B.4.

const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0_u32; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0x82f6_3b78 } else { value >> 1 };
            bit += 1;
        }
        tables[0][index] = value;
        index += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut index = 0;
        while index < 256 {
            let before = tables[table - 1][index];
            tables[table][index] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            index += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of `data`.
pub(super) fn crc32c(data: &[u8]) -> u32 {
    let byte = |value: u32, shift: u32| ((value >> shift) & 0xff) as usize;
    let mut sum = !0_u32;
    let (words, rest) = data.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in words {
        let low = sum ^ u32::from_le_bytes([a, b, c, d]);
        sum = TABLES[7][byte(low, 0)]
            ^ TABLES[6][byte(low, 8)]
            ^ TABLES[5][byte(low, 16)]
            ^ TABLES[4][byte(low, 24)]
            ^ TABLES[3][usize::from(e)]
            ^ TABLES[2][usize::from(f)]
            ^ TABLES[1][usize::from(g)]
            ^ TABLES[0][usize::from(h)];
    }
    for &next in rest {
        sum = TABLES[0][byte(sum ^ u32::from(next), 0)] ^ (sum >> 8);
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn known_sums() {
        // The check value of the catalogue of CRCs, and the vectors of RFC 3720, B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&[]), 0);
    }
}
