//! Elements of an E57 file's XML, as small trees in memory.

use quick_xml::events::BytesStart;

use parterre_model::Error;

pub(super) const XML_HINT: &str = "The description inside the file is damaged: export the file again.";
/// Bytes that are kept of a name and of an attribute's value.
const MAX_ATTRIBUTE: usize = 256;
/// Attributes of an element that are kept.
const MAX_ATTRIBUTES: usize = 16;

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

/// The element that a start tag opens, without content.
pub(super) fn element_of(start: &BytesStart<'_>) -> Element {
    let text = |bytes: &[u8]| clip(&String::from_utf8_lossy(bytes), MAX_ATTRIBUTE).to_owned();
    // Limits of numbers and places in the file hold no entities; anything else is not looked at.
    let attributes = start.attributes().flatten().take(MAX_ATTRIBUTES);
    let attributes = attributes.map(|attribute| (text(attribute.key.as_ref()), text(&attribute.value))).collect();
    Element { name: text(start.name().as_ref()), attributes, ..Element::default() }
}

/// The character that a predefined entity of XML stands for; empty for any other.
pub(super) fn entity(name: &[u8]) -> &'static str {
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
