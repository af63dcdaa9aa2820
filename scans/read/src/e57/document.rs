//! The XML section of an E57 file, read as a stream: of files with hundreds of setups it is tens of megabytes long.
//!
//! One scan or picture is in memory at a time, as a small tree of the parts that are wanted; from it a descriptor is made,
//! and the tree is forgotten. Names are compared without their namespace's prefix only where the standard's own elements
//! are meant: those carry none. Elements nobody asks for are passed over, however long. All counts and lengths that are
//! kept have a limit, so that no file makes more of it than about 100 MiB.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::pages::{Header, Pages, Stretch, TRUNCATED_HINT};
use super::pictures::{Picture, pictures_of};
use super::scan::Scan;
use parterre_model::{Error, Result};

pub(super) const XML_HINT: &str = "The description inside the file is damaged: export the file again.";
/// Scans and pictures of a file; point sources are 16-bit numbers.
const MAX_ITEMS: usize = 65_535;
/// Elements of one scan or picture that are kept.
const MAX_ELEMENTS: usize = 4_096;
const MAX_DEPTH: usize = 64;
const MAX_TEXT: usize = 64 << 10;
const MAX_ATTRIBUTE: usize = 256;
/// Length of one tag or text.
const MAX_PIECE: usize = 16 << 20;

/// Parts of a scan and of a picture that mean something here.
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

/// What the XML says.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The text of `coordinateMetadata`, where it is not empty.
    pub(super) crs: Option<String>,
    pub(super) scans: Vec<Scan>,
    pub(super) pictures: Vec<Picture>,
}

/// An element with what was kept of its content.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// With the namespace's prefix, if it has one.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A number; an empty element counts as 0, as the standard has it. `None` where there is none or no number.
    pub(super) fn number_of(&self, name: &str) -> Option<f64> {
        let text = self.child(name)?.text.trim();
        if text.is_empty() { Some(0.0) } else { text.parse().ok() }
    }
}

/// Reads the document that `header` points to.
pub(super) fn read(pages: &mut Pages, header: &Header) -> Result<Document> {
    let place = format!("byte {}, {} long", header.xml_offset, header.xml_len);
    let Some(start) = pages.logical(header.xml_offset) else {
        let message = format!("the XML ({place}) begins behind the end of the file");
        return Err(Error::input("e57_truncated", message, TRUNCATED_HINT));
    };
    if header.xml_len > pages.logical_len() - start {
        return Err(Error::input("e57_truncated", format!("the XML ({place}) goes beyond the end of the file"), TRUNCATED_HINT));
    }
    pages.go_to(start);
    let stretch = Stretch { pages, left: header.xml_len, budget: MAX_PIECE, fault: None };
    let mut parser = Parser { reader: Reader::from_reader(stretch), buffer: Vec::new(), kept: 0 };
    parser.reader.config_mut().expand_empty_elements = true;
    parser.document()
}

struct Parser<'a> {
    reader: Reader<Stretch<'a>>,
    buffer: Vec<u8>,
    /// Elements kept of the item at hand.
    kept: usize,
}

enum Step {
    Open(Element),
    Text(String),
    Close,
    End,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Document> {
        let mut document = Document::default();
        loop {
            match self.step()? {
                Step::Open(root) if root.name == "e57Root" => break,
                Step::Open(_) | Step::End => return Err(invalid("the XML has no element e57Root at its top")),
                Step::Text(_) | Step::Close => {}
            }
        }
        loop {
            match self.step()? {
                Step::Open(part) => match part.name.as_str() {
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
                Step::Text(_) => {}
                Step::Close => return Ok(document),
                Step::End => return Err(invalid("the XML ends within e57Root")),
            }
        }
    }

    /// Hands each structure of a vector to `take`, with its parts of the given names.
    fn items(&mut self, parts: &[&str], mut take: impl FnMut(Element) -> Result<()>) -> Result<()> {
        loop {
            match self.step()? {
                Step::Open(item) if item.name == "vectorChild" => {
                    self.kept = 0;
                    take(self.content(item, Some(parts), 1)?)?;
                }
                Step::Open(_) => self.skip()?,
                Step::Text(_) => {}
                Step::Close => return Ok(()),
                Step::End => return Err(invalid("the XML ends within a list")),
            }
        }
    }

    /// The element with its content; children of other names than `parts` are passed over.
    fn content(&mut self, mut element: Element, parts: Option<&[&str]>, depth: usize) -> Result<Element> {
        self.kept += 1;
        if self.kept > MAX_ELEMENTS || depth > MAX_DEPTH {
            return Err(invalid(format!(
                "an item of the XML has more than {MAX_ELEMENTS} elements, or more than {MAX_DEPTH} within one another"
            )));
        }
        loop {
            match self.step()? {
                Step::Open(child) if parts.is_none_or(|parts| parts.contains(&child.name.as_str())) => {
                    let child = self.content(child, None, depth + 1)?;
                    element.children.push(child);
                }
                Step::Open(_) => self.skip()?,
                Step::Text(text) => element.text.push_str(clip(&text, MAX_TEXT.saturating_sub(element.text.len()))),
                Step::Close => return Ok(element),
                Step::End => return Err(invalid("the XML ends within an element")),
            }
        }
    }

    /// Passes over the content of the element just opened.
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

    fn step(&mut self) -> Result<Step> {
        loop {
            let step = self.event(|event, _| match event {
                Event::Start(start) => Some(Step::Open(element_of(&start))),
                Event::End(_) => Some(Step::Close),
                Event::Text(text) => Some(Step::Text(String::from_utf8_lossy(&text).into_owned())),
                Event::CData(text) => Some(Step::Text(String::from_utf8_lossy(&text).into_owned())),
                Event::GeneralRef(reference) => Some(Step::Text(match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => entity(&reference).to_owned(),
                })),
                Event::Eof => Some(Step::End),
                _ => None,
            })?;
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    fn event<T>(&mut self, take: impl FnOnce(Event<'_>, u64) -> T) -> Result<T> {
        self.buffer.clear();
        // One large piece must not keep its memory.
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

fn element_of(start: &BytesStart<'_>) -> Element {
    let text = |bytes: &[u8]| clip(&String::from_utf8_lossy(bytes), MAX_ATTRIBUTE).to_owned();
    // Limits of numbers and places in the file hold no entities; anything else is not looked at.
    let attributes = start.attributes().flatten().take(16);
    let attributes = attributes.map(|attribute| (text(attribute.key.as_ref()), text(&attribute.value))).collect();
    Element { name: text(start.name().as_ref()), attributes, ..Element::default() }
}

fn entity(name: &[u8]) -> &'static str {
    match name {
        b"lt" => "<",
        b"gt" => ">",
        b"amp" => "&",
        b"quot" => "\"",
        b"apos" => "'",
        _ => "",
    }
}

/// At most `most` bytes of a text, whole characters.
pub(super) fn clip(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::input("e57_xml", message, XML_HINT)
}

fn check_count(count: usize, what: &str) -> Result<()> {
    if count > MAX_ITEMS {
        let hint = "Split the file: export its setups in several files.";
        return Err(Error::input("e57_too_many", format!("the file has more than {MAX_ITEMS} {what}"), hint));
    }
    Ok(())
}
