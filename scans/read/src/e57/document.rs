//! The XML section of an E57 file, read as a stream: of files with hundreds of setups it is tens of megabytes long.
//!
//! One scan or picture is in memory at a time, as a small tree of its needed elements, from which a descriptor is made. Elements of the
//! standard have no namespace prefix and are found by their names. Other elements are skipped, however long. All counts and
//! lengths that are kept are limited, so that no file needs more than about 100 MiB.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::pages::{Header, Pages, TRUNCATED_HINT, XmlSection};
use super::pictures::{Picture, pictures_of};
use super::scan::Scan;
use super::xml::{Element, clip, element_of, entity, invalid};
use parterre_model::{Error, Result};

/// Scans and pictures of a file; point sources are 16-bit numbers.
const MAX_ITEMS: usize = 65_535;
/// Elements of one scan or picture that are kept.
const MAX_ELEMENTS: usize = 4_096;
const MAX_DEPTH: usize = 64;
const MAX_TEXT: usize = 64 << 10;
/// Length of one tag or text.
const MAX_PIECE: usize = 16 << 20;

/// Child elements of a scan and of a picture that are read.
const SCAN_PARTS: &[&str] =
    &["guid", "name", "pose", "points", "intensityLimits", "colorLimits", "cartesianBounds", "sphericalBounds", "acquisitionStart"];
const PICTURE_PARTS: &[&str] = &[
    "guid",
    "name",
    "pose",
    "associatedData3DGuid",
    "visualReferenceRepresentation",
    "pinholeRepresentation",
    "sphericalRepresentation",
    "cylindricalRepresentation",
];

/// Content of the XML.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The text of `coordinateMetadata`, where it is not empty.
    pub(super) crs: Option<String>,
    pub(super) scans: Vec<Scan>,
    pub(super) pictures: Vec<Picture>,
}

/// Reads the document that `header` points to.
pub(super) fn read(pages: &mut Pages, header: &Header) -> Result<Document> {
    let place = format!("byte {}, {} long", header.xml_offset, header.xml_len);
    let Some(start) = pages.logical(header.xml_offset) else {
        let message = format!("the XML ({place}) begins after the end of the file");
        return Err(Error::input("e57_truncated", message, TRUNCATED_HINT));
    };
    if header.xml_len > pages.logical_len() - start {
        return Err(Error::input("e57_truncated", format!("the XML ({place}) goes beyond the end of the file"), TRUNCATED_HINT));
    }
    pages.seek(start);
    let section = XmlSection { pages, left: header.xml_len, budget: MAX_PIECE, fault: None };
    let mut parser = Parser { reader: Reader::from_reader(section), buffer: Vec::new(), kept: 0 };
    parser.reader.config_mut().expand_empty_elements = true;
    parser.document()
}

struct Parser<'a> {
    reader: Reader<XmlSection<'a>>,
    buffer: Vec<u8>,
    /// Elements kept of the current scan or picture.
    kept: usize,
}

enum XmlPart {
    Open(Element),
    Text(String),
    Close,
    End,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Document> {
        let mut document = Document::default();
        loop {
            match self.next_part()? {
                XmlPart::Open(root) if root.name == "e57Root" => break,
                XmlPart::Open(_) | XmlPart::End => return Err(invalid("the XML has no element e57Root at its top")),
                XmlPart::Text(_) | XmlPart::Close => {}
            }
        }
        loop {
            match self.next_part()? {
                XmlPart::Open(part) => match part.name.as_str() {
                    "coordinateMetadata" => {
                        self.kept = 0;
                        let text = self.content(part, None, 1)?.text;
                        document.crs = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
                    }
                    "data3D" => self.items(SCAN_PARTS, |item| {
                        let place = document.scans.len();
                        document.scans.push(Scan::of(&item, place)?);
                        check_count(document.scans.len(), "scans")
                    })?,
                    "images2D" => self.items(PICTURE_PARTS, |item| {
                        document.pictures.extend(pictures_of(&item));
                        check_count(document.pictures.len(), "pictures")
                    })?,
                    _ => self.skip()?,
                },
                XmlPart::Text(_) => {}
                XmlPart::Close => return Ok(document),
                XmlPart::End => return Err(invalid("the XML ends within e57Root")),
            }
        }
    }

    /// Calls `take` with each structure of a vector, with its children of the given names.
    fn items(&mut self, parts: &[&str], mut take: impl FnMut(Element) -> Result<()>) -> Result<()> {
        loop {
            match self.next_part()? {
                XmlPart::Open(item) if item.name == "vectorChild" => {
                    self.kept = 0;
                    take(self.content(item, Some(parts), 1)?)?;
                }
                XmlPart::Open(_) => self.skip()?,
                XmlPart::Text(_) => {}
                XmlPart::Close => return Ok(()),
                XmlPart::End => return Err(invalid("the XML ends within a list")),
            }
        }
    }

    /// The element with its content; children of other names than `parts` are skipped.
    fn content(&mut self, mut element: Element, parts: Option<&[&str]>, depth: usize) -> Result<Element> {
        self.kept += 1;
        if self.kept > MAX_ELEMENTS || depth > MAX_DEPTH {
            return Err(invalid(format!(
                "an item of the XML has more than {MAX_ELEMENTS} elements, or more than {MAX_DEPTH} within one another"
            )));
        }
        loop {
            match self.next_part()? {
                XmlPart::Open(child) if parts.is_none_or(|parts| parts.contains(&child.name.as_str())) => {
                    let child = self.content(child, None, depth + 1)?;
                    element.children.push(child);
                }
                XmlPart::Open(_) => self.skip()?,
                XmlPart::Text(text) => element.text.push_str(clip(&text, MAX_TEXT.saturating_sub(element.text.len()))),
                XmlPart::Close => return Ok(element),
                XmlPart::End => return Err(invalid("the XML ends within an element")),
            }
        }
    }

    /// Skips the content of the element just opened.
    fn skip(&mut self) -> Result<()> {
        let mut depth = 1;
        while depth > 0 {
            match self.event(|event, _| match event {
                Event::Start(_) => 1,
                Event::End(_) => -1,
                Event::Eof => i64::MAX,
                _ => 0,
            })? {
                i64::MAX => return Err(invalid("the XML ends within an element")),
                step => depth += step,
            }
            if depth > MAX_DEPTH as i64 {
                return Err(invalid(format!("the XML has more than {MAX_DEPTH} elements within one another")));
            }
        }
        Ok(())
    }

    fn next_part(&mut self) -> Result<XmlPart> {
        loop {
            let part = self.event(|event, _| match event {
                Event::Start(start) => Some(XmlPart::Open(element_of(&start))),
                Event::End(_) => Some(XmlPart::Close),
                Event::Text(text) => Some(XmlPart::Text(String::from_utf8_lossy(&text).into_owned())),
                Event::CData(text) => Some(XmlPart::Text(String::from_utf8_lossy(&text).into_owned())),
                Event::GeneralRef(reference) => Some(XmlPart::Text(match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => entity(&reference).to_owned(),
                })),
                Event::Eof => Some(XmlPart::End),
                _ => None,
            })?;
            if let Some(part) = part {
                return Ok(part);
            }
        }
    }

    fn event<T>(&mut self, take: impl FnOnce(Event<'_>, u64) -> T) -> Result<T> {
        self.buffer.clear();
        // The memory of one large tag or text is not kept.
        self.buffer.shrink_to(1 << 16);
        self.reader.get_mut().budget = MAX_PIECE;
        let position = self.reader.buffer_position();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => Ok(take(event, position)),
            Err(error) => {
                let fault = self.reader.get_mut().fault.take();
                Err(fault.unwrap_or_else(|| invalid(format!("the XML is not well-formed at its byte {position}: {error}"))))
            }
        }
    }
}

fn check_count(count: usize, what: &str) -> Result<()> {
    if count > MAX_ITEMS {
        let hint = "Split the file: export its setups in several files.";
        return Err(Error::input("e57_too_many", format!("the file has more than {MAX_ITEMS} {what}"), hint));
    }
    Ok(())
}
