//! Rules for text that people type: names of venues, names of files, and what is searched for.
//!
//! All of them go through [`clean`] first, so that no name is invisible, hides characters where they cannot be needed, or turns the
//! writing direction of the text around it. Names that look the same may still differ, for example in how an accent is encoded. By Unicode's own properties,
//!
//! - bidirectional controls are removed (`Bidi_Control`), and so is everything else that draws nothing by itself
//!   (`Default_Ignorable_Code_Point`): zero-width spaces, soft hyphens, Hangul fillers, tags and so on;
//! - variation selectors stay behind, and joiners between, characters outside ASCII: Persian, the scripts of India,
//!   Mongolian, variants of Chinese characters and emoji need them;
//! - a name needs a visible character: a letter, digit, punctuation mark or symbol ([`has_visible`]). Accents alone,
//!   blanks, and code points without an agreed shape are none.

use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory, JoinControl, VariationSelector};
use icu_properties::{CodePointMapData, CodePointSetData};
use parterre_model::catalog::Fault;

/// Longest name of a venue and longest text to search for, in characters.
pub const MAX_NAME_CHARS: usize = 200;
/// Longest file name kept, in bytes.
pub const MAX_FILE_NAME_BYTES: usize = 200;
/// Longest ending that is kept when a file name is shortened, in bytes.
const MAX_ENDING_BYTES: usize = 16;
/// Characters that fonts draw as nothing although Unicode lists them as symbols or letters: the empty Braille pattern, the
/// object replacement character, the null notehead, and two Egyptian blanks.
const BLANK: [char; 5] = ['\u{2800}', '\u{fffc}', '\u{1d159}', '\u{13441}', '\u{13442}'];

/// The text without white space around it and without characters that are not seen; see the [module](self).
pub fn clean(given: &str) -> String {
    let mut text = String::with_capacity(given.len());
    let mut can_be_modified = false;
    for c in given.chars() {
        if is_modifier(c) {
            if can_be_modified && !text.ends_with(c) {
                text.push(c);
            }
        } else if !is_unseen(c) {
            can_be_modified = !c.is_ascii() && !c.is_whitespace();
            if !can_be_modified {
                text.truncate(text.trim_end_matches(is_joiner).len());
            }
            text.push(c);
        }
    }
    text.trim_end_matches(is_joiner).trim().to_owned()
}

/// Whether the text has a character that can be seen.
pub fn has_visible(text: &str) -> bool {
    text.chars().any(is_visible)
}

/// The name under which a venue is kept.
///
/// # Errors
/// `name_invalid`.
pub fn venue_name(given: &str) -> Result<String, Fault> {
    let name = clean(given);
    let problem = if name.chars().any(is_control) {
        "a venue's name must not have line breaks or other control characters".to_owned()
    } else if !has_visible(&name) {
        "a venue's name needs at least one visible character".to_owned()
    } else if name.chars().count() > MAX_NAME_CHARS {
        format!("a venue's name has at most {MAX_NAME_CHARS} characters")
    } else {
        return Ok(name);
    };
    Err(Fault::new("name_invalid", problem, "Choose the name that people know the venue by."))
}

/// One line of text with at least one visible character, or nothing.
///
/// # Errors
/// What is wrong, to be said after the field's name.
pub fn line(given: &str, max_chars: usize) -> Result<Option<String>, String> {
    let text = clean(given);
    if text.chars().any(is_control) {
        return Err("must not have line breaks or other control characters".to_owned());
    }
    bounded(text, max_chars)
}

/// Several lines of text with at least one visible character, or nothing.
///
/// # Errors
/// What is wrong, to be said after the field's name.
pub fn block(given: &str, max_chars: usize) -> Result<Option<String>, String> {
    // As forms send them.
    let lines: Vec<String> = given.replace("\r\n", "\n").split('\n').map(clean).collect();
    if lines.iter().flat_map(|line| line.chars()).any(|c| is_control(c) && c != '\t') {
        return Err("must not have control characters other than line breaks".to_owned());
    }
    bounded(lines.join("\n").trim().to_owned(), max_chars)
}

fn bounded(text: String, max_chars: usize) -> Result<Option<String>, String> {
    if text.chars().count() > max_chars {
        return Err(format!("has at most {max_chars} characters"));
    }
    if text.is_empty() {
        return Ok(None);
    }
    if has_visible(&text) { Ok(Some(text)) } else { Err("has no visible character".to_owned()) }
}

/// The name under which a file is kept: the last part of the given path, cleaned, without control characters, and not longer than
/// 200 bytes; the ending stays.
///
/// # Errors
/// `file_name_invalid` where nothing visible is left before the ending.
pub fn file_name(given: &str) -> Result<String, Fault> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let without_controls: String = last.chars().filter(|c| !is_control(*c)).collect();
    let clean = clean(&without_controls);
    let name = clean.trim_matches('.').trim();
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() < MAX_ENDING_BYTES => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    if !has_visible(stem) {
        return Err(Fault::new("file_name_invalid", "the file has no name with a visible character", "Give it a name such as hall.laz."));
    }
    let end = stem.floor_char_boundary(MAX_FILE_NAME_BYTES - ending.len());
    Ok(format!("{}{ending}", stem[..end].trim_end()))
}

/// What is searched for in names.
///
/// # Errors
/// `query_invalid`.
pub fn search(given: &str) -> Result<String, Fault> {
    let text = clean(given);
    if text.chars().count() > MAX_NAME_CHARS || text.chars().any(is_control) {
        return Err(Fault::new(
            "query_invalid",
            format!("a search text has at most {MAX_NAME_CHARS} characters and no control characters"),
            "Search for a part of the venue's name.",
        ));
    }
    Ok(text)
}

/// Controls, and Unicode's separators of lines and paragraphs.
fn is_control(c: char) -> bool {
    matches!(category(c), GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator)
}

/// Says whether the characters around it are joined.
fn is_joiner(c: char) -> bool {
    CodePointSetData::new::<JoinControl>().contains(c)
}

/// Changes how the character before it is drawn, or joined with the next.
fn is_modifier(c: char) -> bool {
    is_joiner(c) || CodePointSetData::new::<VariationSelector>().contains(c)
}

/// Draws nothing by itself and is no white space.
fn is_unseen(c: char) -> bool {
    // Marks of annotated text, which are meant for programs.
    matches!(c, '\u{fff9}'..='\u{fffb}')
        || CodePointSetData::new::<BidiControl>().contains(c)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn is_visible(c: char) -> bool {
    use GeneralCategory as G;
    let is_shape = !matches!(
        category(c),
        G::Control
            | G::Format
            | G::Surrogate
            | G::PrivateUse
            | G::Unassigned
            | G::SpaceSeparator
            | G::LineSeparator
            | G::ParagraphSeparator
            | G::NonspacingMark
            | G::SpacingMark
            | G::EnclosingMark
    );
    is_shape && !is_unseen(c) && !BLANK.contains(&c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts in which nothing can be seen.
    const INVISIBLE: &[(&str, &str)] = &[
        ("nothing", ""),
        ("spaces", "   "),
        ("no-break, em and ideographic space", "\u{a0}\u{2003}\u{3000}"),
        ("zero-width space", "\u{200b}"),
        ("right-to-left override", "\u{202e}"),
        ("every embedding and override", "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}"),
        ("isolates", "\u{2066}\u{2067}\u{2068}\u{2069}"),
        ("direction marks", "\u{200e}\u{200f}\u{61c}"),
        ("joiners", "\u{200c}\u{200d}"),
        ("word joiner and invisible operators", "\u{2060}\u{2061}\u{2062}\u{2063}\u{2064}"),
        ("byte order mark", "\u{feff}"),
        ("soft hyphen", "\u{ad}"),
        ("combining grapheme joiner", "\u{34f}"),
        ("Hangul fillers", "\u{115f}\u{1160}\u{3164}\u{ffa0}"),
        ("Khmer inherent vowels", "\u{17b4}\u{17b5}"),
        ("Mongolian vowel separator and selectors", "\u{180b}\u{180e}\u{180f}"),
        ("variation selectors", "\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}"),
        ("tags", "\u{e0001}\u{e0041}\u{e007f}"),
        ("deprecated format characters", "\u{206a}\u{206f}"),
        ("annotation marks", "\u{fff9}\u{fffa}\u{fffb}"),
        ("musical format characters", "\u{1d173}\u{1d17a}"),
        ("empty Braille pattern", "\u{2800}"),
        ("null notehead", "\u{1d159}"),
        ("object replacement", "\u{fffc}"),
        ("Egyptian blanks", "\u{13441}\u{13442}"),
        ("accents alone", "\u{300}\u{301}\u{20dd}"),
        ("a vowel sign alone", "\u{93e}"),
        ("private use", "\u{e000}\u{f8ff}\u{10fffd}"),
        ("unassigned and noncharacters", "\u{fffe}\u{10ffff}\u{e0fff}"),
        ("spaces and fillers mixed", " \u{3164}\u{200b} \u{2800} "),
    ];

    #[test]
    fn names_in_which_nothing_can_be_seen_are_refused() {
        for (what, text) in INVISIBLE {
            assert!(!has_visible(&clean(text)), "{what}");
            assert_eq!(venue_name(text).map_err(|fault| fault.code), Err("name_invalid".to_owned()), "{what}");
            assert_eq!(file_name(text).map_err(|fault| fault.code), Err("file_name_invalid".to_owned()), "{what}");
            let with_ending = file_name(&format!("{text}.a.las"));
            assert!(with_ending.is_ok_and(|name| name.ends_with("a.las")), "{what}: what is left is a name");
        }
        assert!(file_name("\u{2800}.las").is_err(), "an ending alone is no name");
    }

    #[test]
    fn names_of_many_scripts_stay_as_they_are() {
        for name in [
            "Théâtre du Châtelet",
            "Stade 100 % sûr №2",
            "東京文化会館",
            "국립극장",
            "Большой театр",
            "أوبرا دبي",
            "היכל התרבות",
            "नेशनल स्टेडियम",
            "โรงละครแห่งชาติ",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "葛\u{e0100}飾",
            "\u{1f3df}\u{fe0f} Arena",
            "\u{1f468}\u{200d}\u{1f3a4}",
            "Cafe\u{301}",
            "❤",
            "7",
            "???",
        ] {
            assert_eq!(venue_name(name).as_deref(), Ok(name));
            assert_eq!(file_name(&format!("{name}.laz")).as_deref(), Ok(format!("{name}.laz").as_str()));
        }
    }

    #[test]
    fn what_is_not_seen_is_removed_from_names() {
        for (given, kept) in [
            ("Saal\u{202e}sal.", "Saalsal."),
            ("\u{2067}Hall\u{2069}", "Hall"),
            ("Ha\u{200b}l\u{ad}l\u{feff}", "Hall"),
            ("Hall\u{200d}", "Hall"),
            ("Café\u{200d}", "Café"),
            ("Café\u{200c} bar", "Café bar"),
            ("\u{645}\u{200c}\u{200c}\u{200c}\u{62e}", "\u{645}\u{200c}\u{62e}"),
            ("1\u{fe0f}", "1"),
            ("\u{3164}Hall\u{3164}", "Hall"),
            ("Hall\u{e0041}\u{e007f}", "Hall"),
            ("\u{200b} Hall \u{200b}", "Hall"),
            ("\u{61c}Hall\u{200f}\u{200e}", "Hall"),
        ] {
            assert_eq!(venue_name(given).as_deref(), Ok(kept), "{given:?}");
            assert_eq!(search(given).as_deref(), Ok(kept), "{given:?}");
        }
    }

    #[test]
    fn no_code_point_draws_nothing_or_turns_the_text_in_a_cleaned_name() {
        for c in '\0'..=char::MAX {
            let cleaned = clean(&format!("a{c}b"));
            assert!(cleaned.starts_with('a') && cleaned.ends_with('b'), "{:x}", c as u32);
            if CodePointSetData::new::<BidiControl>().contains(c) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) {
                assert_eq!(cleaned, "ab", "{:x}", c as u32);
            } else if !matches!(c, '\u{fff9}'..='\u{fffb}') {
                assert_eq!(cleaned, format!("a{c}b"), "{:x}", c as u32);
            }
            if c.is_alphanumeric() && !BLANK.contains(&c) && is_visible(c) {
                assert!(venue_name(&c.to_string()).is_ok(), "{:x}", c as u32);
            }
        }
    }

    #[test]
    fn control_characters_and_long_names_are_refused() {
        for name in ["a\nb", "a\u{0}", "a\u{7f}b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b"] {
            assert_eq!(venue_name(name).map_err(|fault| fault.code), Err("name_invalid".to_owned()), "{name:?}");
            assert_eq!(search(name).map_err(|fault| fault.code), Err("query_invalid".to_owned()), "{name:?}");
        }
        assert!(venue_name(&"é".repeat(MAX_NAME_CHARS)).is_ok() && venue_name(&"é".repeat(MAX_NAME_CHARS + 1)).is_err());
        assert!(search(&"é".repeat(MAX_NAME_CHARS)).is_ok() && search(&"é".repeat(MAX_NAME_CHARS + 1)).is_err());
        assert_eq!(search("").as_deref(), Ok(""));
    }

    #[test]
    fn file_names_are_made_safe() {
        for (given, kept) in [
            ("hall.laz", "hall.laz"),
            ("../../etc/passwd", "passwd"),
            ("C:\\scans\\hall.las", "hall.las"),
            ("Saal\u{202e}sal.\n1.las", "Saalsal.1.las"),
            (".las", "las"),
            ("a\u{2028}b.las", "ab.las"),
        ] {
            assert_eq!(file_name(given).as_deref(), Ok(kept), "{given:?}");
        }
        for nothing in ["", ".", "..", "a/..", "\u{0}", "  ", "x/"] {
            assert!(file_name(nothing).is_err(), "{nothing:?}");
        }
        let long = file_name(&format!("{}.laz", "é".repeat(300))).unwrap_or_default();
        assert!(long.len() <= MAX_FILE_NAME_BYTES && long.ends_with("é.laz"), "{long}");
        let endless = file_name(&format!("a.{}", "é".repeat(300))).unwrap_or_default();
        assert!(endless.len() <= MAX_FILE_NAME_BYTES && endless.starts_with("a.é"), "{endless}");
    }
}
