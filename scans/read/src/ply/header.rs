//! The header of a PLY file: its encoding and its elements, with bounds on everything that it announces.
//!
//! `ply-rs` parses the lines after they were normalized: any kind of line end is accepted, blank lines and comments are removed, and in names
//! characters that it does not accept (brackets, `#`) are replaced by `_`.

use std::collections::HashSet;
use std::io::{BufRead, Read};

use ply_rs::parser::{Parser, Reader};
use ply_rs::ply::{DefaultElement, Encoding, PropertyType, ScalarType};

use parterre_model::panics;
use parterre_model::{Error, Result};

/// Longest header read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Most elements of a header.
const MAX_ELEMENTS: usize = 64;
/// Most properties of an element. Files with learned radiance have about 60.
const MAX_PROPERTIES: usize = 1024;

pub(super) const DAMAGED_HINT: &str = "The file is damaged or not a PLY file: copy it again from its source, or export it again.";

/// How the elements are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Text, a line an element.
    Ascii,
    /// Binary, the least significant byte first.
    Little,
    /// Binary, the most significant byte first.
    Big,
}

/// The type of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Kind {
    /// Bytes of a number in a binary file.
    pub(super) fn len(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// The number at the start of `bytes`, which are long enough.
    pub(super) fn number(self, bytes: &[u8], coding: Coding) -> f64 {
        macro_rules! number {
            ($type:ty) => {{
                let bytes = std::array::from_fn(|i| bytes[i]);
                f64::from(if coding == Coding::Big { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) })
            }};
        }
        match self {
            Self::I8 => number!(i8),
            Self::U8 => number!(u8),
            Self::I16 => number!(i16),
            Self::U16 => number!(u16),
            Self::I32 => number!(i32),
            Self::U32 => number!(u32),
            Self::F32 => number!(f32),
            Self::F64 => number!(f64),
        }
    }
}

impl From<&ScalarType> for Kind {
    fn from(scalar: &ScalarType) -> Self {
        match scalar {
            ScalarType::Char => Self::I8,
            ScalarType::UChar => Self::U8,
            ScalarType::Short => Self::I16,
            ScalarType::UShort => Self::U16,
            ScalarType::Int => Self::I32,
            ScalarType::UInt => Self::U32,
            ScalarType::Float => Self::F32,
            ScalarType::Double => Self::F64,
        }
    }
}

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One number.
    Scalar(Kind),
    /// A count, then so many numbers.
    List {
        /// Type of the count: a whole number.
        count: Kind,
        /// Type of the numbers.
        item: Kind,
    },
}

/// A property of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) shape: Shape,
}

/// Rows of one kind: vertices, faces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) count: u64,
    pub(super) properties: Vec<Property>,
}

impl Element {
    /// Fewest bytes of a row in a binary file: lists are empty then.
    pub(super) fn shortest_row(&self) -> u64 {
        let len = |property: &Property| match property.shape {
            Shape::Scalar(kind) | Shape::List { count: kind, .. } => kind.len() as u64,
        };
        self.properties.iter().map(len).sum()
    }

    /// Whether every row of a binary file has as many bytes.
    pub(super) fn is_fixed(&self) -> bool {
        self.properties.iter().all(|property| matches!(property.shape, Shape::Scalar(_)))
    }
}

/// A header that was read.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) coding: Coding,
    pub(super) elements: Vec<Element>,
    /// Where the first row begins.
    pub(super) len: u64,
    /// What ends a line of text.
    pub(super) line_end: u8,
}

/// Reads a header from the file's first byte on; leaves the reader behind it. The outer error is the system's.
///
/// # Errors
/// `ply_header`.
pub(super) fn read(input: &mut impl BufRead) -> std::io::Result<Result<Header>> {
    let mut lines = Lines { input: input.take(MAX_BYTES), line: Vec::new(), len: 0, end: b'\n' };
    if !lines.first()? {
        return Ok(Err(refused("the first line of the file is not \"ply\"")));
    }
    let mut kept = vec!["ply".to_owned()];
    while kept.last().is_none_or(|line| line != "end_header") {
        if !lines.next()? {
            let what = if lines.input.limit() == 0 { "is longer than 1 MiB" } else { "ends before its end_header line" };
            return Ok(Err(refused(format!("the header {what}"))));
        }
        let text = String::from_utf8_lossy(&lines.line);
        let text = text.trim();
        if !(text.is_empty() || text.starts_with("comment") || text.starts_with("obj_info")) {
            kept.push(known_name(text));
        }
    }
    Ok(parse(&kept).map(|(coding, elements)| Header { coding, elements, len: lines.len, line_end: lines.end }))
}

fn refused(message: impl Into<String>) -> Error {
    Error::input("ply_header", message, DAMAGED_HINT)
}

fn refused_line(line: &str, what: &str) -> Error {
    let shown: String = line.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    refused(format!("the header's line \"{shown}\": {what}"))
}

fn parse(lines: &[String]) -> Result<(Coding, Vec<Element>)> {
    check_lines(lines)?;
    let mut text = lines.join("\n");
    text.push('\n');
    let mut reader = Reader::new(text.as_bytes());
    let header = panics::catch(|| Parser::<DefaultElement>::new().read_header(&mut reader)).map_err(refused)?.map_err(|error| {
        let line = error.line().and_then(|number| lines.get(number.checked_sub(1)?));
        line.map_or_else(|| refused(error.to_string()), |line| refused_line(line, "this is not a valid line of a PLY header"))
    })?;
    if header.version.major != 1 {
        return Err(refused(format!("PLY {}.{} cannot be read", header.version.major, header.version.minor)));
    }
    let coding = match header.encoding {
        Encoding::Ascii => Coding::Ascii,
        Encoding::BinaryLittleEndian => Coding::Little,
        Encoding::BinaryBigEndian => Coding::Big,
    };
    let mut elements = Vec::new();
    for (name, element) in &header.elements {
        let mut properties = Vec::new();
        for (name, property) in &element.properties {
            let shape = match &property.data_type {
                PropertyType::Scalar(kind) => Shape::Scalar(kind.into()),
                PropertyType::List(count, item) => Shape::List { count: count.into(), item: item.into() },
            };
            if matches!(shape, Shape::List { count, .. } if count.is_float()) {
                return Err(refused(format!("the length of the list {name} is not an integer")));
            }
            properties.push(Property { name: name.clone(), shape });
        }
        elements.push(Element { name: name.clone(), count: element.count as u64, properties });
    }
    Ok((coding, elements))
}

/// Refuses duplicate names, of which the parser would keep the last one, and too many elements or properties.
fn check_lines(lines: &[String]) -> Result<()> {
    let (mut elements, mut properties) = (HashSet::new(), HashSet::new());
    for line in lines {
        let mut words = line.split(' ');
        let (names, most, name) = match words.next() {
            Some("element") => {
                properties.clear();
                (&mut elements, MAX_ELEMENTS, words.next())
            }
            Some("property") => (&mut properties, MAX_PROPERTIES, words.next_back()),
            _ => continue,
        };
        if !names.insert(name.unwrap_or_default()) {
            return Err(refused_line(line, "this name is used twice"));
        }
        if names.len() > most {
            return Err(refused_line(line, &format!("there are more than {most} of its kind")));
        }
    }
    Ok(())
}

/// The line with the name of a property as the parser accepts it.
fn known_name(text: &str) -> String {
    let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.first() != Some(&"property") {
        return words.join(" ");
    }
    // Some programs write names of several words.
    let at = if words.get(1) == Some(&"list") { 4 } else { 2 };
    let name = words.split_off(at.min(words.len())).join("_");
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
    let name = if name.starts_with(|c: char| c.is_ascii_digit() || c == '-') { format!("_{name}") } else { name };
    words.push(&name);
    words.join(" ")
}

/// Lines ended by LF, CR LF or CR; which, the first one says.
struct Lines<R> {
    input: std::io::Take<R>,
    line: Vec<u8>,
    /// Bytes taken so far.
    len: u64,
    end: u8,
}

impl<R: BufRead> Lines<R> {
    /// Reads "ply" and finds what ends a line; false where it is not there.
    fn first(&mut self) -> std::io::Result<bool> {
        let mut byte = [0];
        while self.line.len() < 64 && self.input.read(&mut byte)? == 1 {
            self.len += 1;
            if byte[0] == b'\n' {
                break;
            }
            if byte[0] == b'\r' {
                if self.input.fill_buf()?.first() == Some(&b'\n') {
                    self.input.consume(1);
                    self.len += 1;
                } else {
                    self.end = b'\r';
                }
                break;
            }
            self.line.push(byte[0]);
        }
        let line = self.line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.line);
        Ok(line.trim_ascii() == b"ply")
    }

    /// Reads the next line; false where none ends before the file does.
    fn next(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        self.len += self.input.read_until(self.end, &mut self.line)? as u64;
        Ok(self.line.pop_if(|last| *last == self.end).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &[u8]) -> Result<Header> {
        read(&mut std::io::Cursor::new(text)).expect("bytes in memory")
    }

    fn lines(count: u32, line: impl Fn(u32) -> String) -> String {
        (0..count).map(|i| line(i) + "\n").collect()
    }

    #[test]
    fn any_line_end_and_blank_lines() {
        let text = "ply\nformat binary_big_endian 1.0\n\ncomment any thing [ ]\nobj_info\nelement vertex 12\nproperty float64 x \n\
                    property list uint8 int32 names\nelement face 3\nend_header\n";
        for end in ["\n", "\r\n", "\r"] {
            let bytes = [text.replace('\n', end).as_bytes(), b"\n\r"].concat();
            let found = header(&bytes).expect(end);
            assert_eq!((found.coding, found.len), (Coding::Big, bytes.len() as u64 - 2), "{end:?}");
            assert_eq!(found.line_end, end.as_bytes()[end.len() - 1]);
            let vertex = &found.elements[0];
            assert_eq!((vertex.name.as_str(), vertex.count, vertex.shortest_row(), vertex.is_fixed()), ("vertex", 12, 9, false));
            assert_eq!(found.elements[1].count, 3);
        }
        let mixed = header(b"ply \nformat ascii 1.0\nelement vertex 1\nproperty int x\nend_header\r\n").expect("mixed ends");
        assert_eq!(mixed.len, 66);
    }

    #[test]
    fn odd_names_are_kept_as_far_as_possible() {
        let found =
            header(b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float scalar_Scalar field #2\nproperty float 3d\nend_header\n");
        let names: Vec<String> = found.expect("a header").elements.remove(0).properties.into_iter().map(|p| p.name).collect();
        assert_eq!(names, ["scalar_Scalar_field__2", "_3d"]);
    }

    #[test]
    fn hostile_headers_are_refused() {
        let begin = "ply\nformat ascii 1.0\n";
        for (text, expected) in [
            ("plyx\n".to_owned(), "first line"),
            (format!("{begin}element vertex 1\nproperty int x\nproperty float x\nend_header\n"), "used twice"),
            ("ply".to_owned(), "ends before"),
            ("ply\nend_header\n".to_owned(), "No format"),
            ("ply\nformat ascii 2.0\nend_header\n".to_owned(), "2.0 cannot be read"),
            (format!("{begin}format binary_little_endian 1.0\nend_header\n"), "little_endian"),
            (format!("{begin}element vertex 99999999999999999999999\nend_header\n"), "not a valid line"),
            (format!("{begin}element vertex -1\nend_header\n"), "not a valid line"),
            (format!("{begin}property float x\nend_header\n"), "not a valid line"),
            (format!("{begin}element a 1\nelement a 2\nend_header\n"), "used twice"),
            (format!("{begin}element a 1\nproperty list float int x\nend_header\n"), "not an integer"),
            (format!("{begin}element a 1\nproperty int64 x\nend_header\n"), "not a valid line"),
            (format!("{begin}element a 1\n{}end_header\n", lines(1025, |i| format!("property int p{i}"))), "1024"),
            (format!("{begin}{}end_header\n", lines(65, |i| format!("element e{i} 1"))), "64"),
            (format!("{begin}comment {}", "x".repeat(2 << 20)), "1 MiB"),
        ] {
            let error = header(text.as_bytes()).expect_err(expected);
            assert_eq!(error.code(), "ply_header");
            assert!(error.to_string().contains(expected), "{error} lacks {expected}");
        }
    }
}
