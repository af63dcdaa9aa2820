//! Detecting a file's format by its first bytes.

/// Bytes from the start of the file that [`detect_format`] needs; fewer are enough for most formats.
pub(crate) const HEAD_LEN: usize = 64;

/// Format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// E57.
    E57,
    /// LAS or LAZ.
    Las,
    /// PLY.
    Ply,
    /// A known format that cannot be read: its name.
    Unsupported(&'static str),
    /// Readable text of no known format.
    Text,
    /// Anything else.
    Unknown,
}

const MAGIC: &[(&[u8], &str)] = &[
    (b"glTF", "binary glTF (glb) model"),
    (b"pnts", "3D Tiles point cloud tile (pnts)"),
    (b"b3dm", "3D Tiles model tile (b3dm)"),
    (b"# .PCD", "PCD point cloud"),
    (b"VERSION .7", "PCD point cloud"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"PK\x05\x06", "empty ZIP archive"),
    (b"\x1f\x8b", "gzip-compressed file"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed file"),
    (b"BZh", "bzip2-compressed file"),
    (b"\xfd7zXZ\0", "xz-compressed file"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"ISO-10303-21", "STEP or IFC model"),
    (b"%PDF", "PDF document"),
    (b"\x89PNG", "PNG picture"),
    (b"\xff\xd8\xff", "JPEG picture"),
    (b"II*\0", "TIFF picture"),
    (b"MM\0*", "TIFF picture"),
    (b"\x89HDF", "HDF5 file"),
    (b"SQLite format 3", "SQLite database"),
    (b"solid ", "STL model"),
    (b"Kaydara FBX", "FBX model"),
];

/// Detects the format of a file that begins with `head`; LAS needs at least 4 bytes.
pub(crate) fn detect_format(head: &[u8]) -> Format {
    if head.starts_with(b"LASF") {
        return Format::Las;
    }
    if head.starts_with(b"ASTM-E57") {
        return Format::E57;
    }
    if is_ply(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)) {
        return Format::Ply;
    }
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Format::Unsupported(name);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if !text.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..)) {
        return Format::Unknown;
    }
    match text.trim_ascii_start().first() {
        Some(b'<') => Format::Unsupported("XML or HTML document"),
        Some(b'{' | b'[') => Format::Unsupported("JSON document"),
        Some(byte) if byte.is_ascii() => Format::Text,
        _ => Format::Unknown,
    }
}

/// Whether the first line is "ply".
fn is_ply(head: &[u8]) -> bool {
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    line.len() < head.len() && line.trim_ascii() == b"ply"
}

#[cfg(test)]
mod tests {
    use super::{Format, detect_format};

    #[test]
    fn formats_are_detected_by_their_first_bytes() {
        assert_eq!(detect_format(b"LASF\0\0"), Format::Las);
        assert_eq!(detect_format(b"ASTM-E57\x01\0"), Format::E57);
        for ply in ["ply\nformat ascii 1.0\n", "ply\r\n", "ply \rformat", "\u{feff}ply\n"] {
            assert_eq!(detect_format(ply.as_bytes()), Format::Ply, "{ply}");
        }
        assert_eq!(detect_format(b"plywood\n"), Format::Text);
        assert_eq!(detect_format(b"{\"asset\":{}}"), Format::Unsupported("JSON document"));
        assert_eq!(detect_format(b"\xef\xbb\xbf<?xml"), Format::Unsupported("XML or HTML document"));
        assert_eq!(detect_format(b"1.0 2.0 3.0\n4 5 6\n"), Format::Text);
        assert_eq!(detect_format(b"LAS\0\x01\x02"), Format::Unknown);
        assert_eq!(detect_format(b""), Format::Unknown);
    }
}
