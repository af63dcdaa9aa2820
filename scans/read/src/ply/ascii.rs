//! Rows of text, a line each, parsed by `ply-rs`.
//!
//! It does not accept "nan", "inf", "1." or ".5", which some programs write: a line that it refuses is split at its blanks
//! and read number by number. All numbers are read as doubles, whatever their declared type.

use std::io::{BufRead, Read};

use ply_rs::parser::Parser;
use ply_rs::ply::{
    Addable as _, BeginList, ElementDef, Property as Value, PropertyAccess, PropertyAccessResult, PropertyDef, PropertyType, ScalarType,
};
use rayon::prelude::*;

use super::header::{Element, Shape};
use super::layout::{Layout, ROLES, Row};
use parterre_model::panics;

/// Longest line, in bytes.
const MAX_LINE: u64 = 1 << 20;
/// Text after which a block of lines ends, in bytes.
const BLOCK_TEXT: usize = 4 << 20;
/// Lines that one thread parses at a time.
const LINES: usize = 1024;

/// Parses the lines of an element.
pub(super) struct Lines {
    /// Names of properties are the digit of their role, or `_` and their index.
    definition: ElementDef,
    end: u8,
}

/// What is wrong with a line.
#[derive(Debug)]
pub(super) enum LineFault {
    Io(std::io::Error),
    /// The file ends before the line.
    End,
    /// What is wrong, and how many lines after the first of those asked for.
    Bad(usize, String),
}

impl Lines {
    pub(super) fn new(element: &Element, layout: &Layout, end: u8) -> Self {
        let mut definition = ElementDef::new(element.name.clone());
        for (index, property) in element.properties.iter().enumerate() {
            let role = layout.fields.iter().position(|field| field.is_some_and(|field| field.property == index));
            let name = role.map_or_else(|| format!("_{index}"), |role| role.to_string());
            let kind = match property.shape {
                Shape::Scalar(_) => PropertyType::Scalar(ScalarType::Double),
                Shape::List { .. } => PropertyType::List(ScalarType::UInt, ScalarType::Double),
            };
            definition.properties.add(PropertyDef::new(name, kind));
        }
        Self { definition, end }
    }

    /// Appends the next `count` rows, fewer where they take more than [`BLOCK_TEXT`], but one at least.
    pub(super) fn read(&self, input: &mut impl BufRead, count: usize, rows: &mut Vec<Row>) -> Result<(), LineFault> {
        let (mut text, mut ends) = (Vec::new(), vec![0]);
        while ends.len() <= count && text.len() < BLOCK_TEXT {
            next_line(input, self.end, &mut text).map_err(|fault| match fault {
                LineFault::Bad(_, what) => LineFault::Bad(ends.len() - 1, what),
                other => other,
            })?;
            ends.push(text.len());
        }
        let parts: Vec<_> = ends
            .par_windows(2)
            .with_min_len(LINES)
            .enumerate()
            .map(|(index, line)| self.row(&text[line[0]..line[1]]).map_err(|what| LineFault::Bad(index, what)))
            .collect();
        rows.reserve(parts.len());
        for part in parts {
            rows.push(part?);
        }
        Ok(())
    }

    /// Skips the rest of a line; `false` where it is too long or the last one.
    pub(super) fn skip_rest(&self, input: &mut impl BufRead) -> std::io::Result<bool> {
        let mut rest = Vec::new();
        input.by_ref().take(MAX_LINE).read_until(self.end, &mut rest)?;
        Ok(rest.last() == Some(&self.end))
    }

    fn row(&self, line: &[u8]) -> Result<Row, String> {
        let line = std::str::from_utf8(line).map_err(|_| "the line is not text".to_owned())?;
        let parsed = panics::catch(|| Parser::<Numbers>::new().read_ascii_element(line, &self.definition))?;
        parsed.map_or_else(|_| self.tolerant_row(line), |numbers| Ok(numbers.row))
    }

    fn tolerant_row(&self, line: &str) -> Result<Row, String> {
        let mut words = line.split_ascii_whitespace();
        let mut row = [0.0; ROLES];
        let mut next = || {
            let word = words.next().ok_or_else(|| {
                format!("there are fewer numbers than the {} that the header announces", self.definition.properties.len())
            })?;
            number(word).ok_or_else(|| format!("\"{}\" is not a number", word.chars().take(40).collect::<String>()))
        };
        for (name, property) in &self.definition.properties {
            let value = next()?;
            if let PropertyType::List(..) = property.data_type {
                if !(value >= 0.0 && value.fract() == 0.0) {
                    return Err(format!("a list cannot have {value} numbers"));
                }
                // The end of the line ends the loop.
                for _ in 0..value as u64 {
                    next()?;
                }
            } else if let Some(value_of_role) = role(name).and_then(|role| row.get_mut(role)) {
                *value_of_role = value;
            }
        }
        Ok(row)
    }
}

/// Reads a number as programs write it.
fn number(word: &str) -> Option<f64> {
    word.parse().ok().or_else(|| {
        // Old Windows libraries write NaN as 1.#QNAN, -1.#IND, nan(ind).
        let lower = word.to_ascii_lowercase();
        (lower.contains("nan") || lower.contains("#ind") || lower.contains("#inf")).then_some(f64::NAN)
    })
}

fn role(name: &str) -> Option<usize> {
    name.parse().ok()
}

/// Appends the next line that is not blank, without its end.
fn next_line(input: &mut impl BufRead, end: u8, text: &mut Vec<u8>) -> Result<(), LineFault> {
    let start = text.len();
    loop {
        let read = input.by_ref().take(MAX_LINE).read_until(end, text).map_err(LineFault::Io)?;
        if read == 0 {
            return Err(LineFault::End);
        }
        if read as u64 == MAX_LINE {
            return Err(LineFault::Bad(0, "a line is longer than 1 MiB".into()));
        }
        while text.len() > start && text.last().is_some_and(u8::is_ascii_whitespace) {
            text.pop();
        }
        if text.len() > start {
            return Ok(());
        }
    }
}

/// Skips the next `count` lines that are not blank.
pub(super) fn skip(input: &mut impl BufRead, end: u8, count: u64) -> Result<(), LineFault> {
    let mut line = Vec::new();
    for _ in 0..count {
        line.clear();
        next_line(input, end, &mut line)?;
    }
    Ok(())
}

/// A row as `ply-rs` fills it, and its numbers without a role.
struct Numbers {
    row: Row,
    rest: Vec<f64>,
}

impl PropertyAccess for Numbers {
    fn new() -> Self {
        Self { row: [0.0; ROLES], rest: Vec::new() }
    }

    fn set_property(&mut self, _: &str, _: Value) -> PropertyAccessResult {
        PropertyAccessResult::Ignored
    }

    fn set_double(&mut self, name: &str, value: f64) -> PropertyAccessResult {
        let digit = name.as_bytes().first().map(|byte| usize::from(byte.wrapping_sub(b'0')));
        match digit.and_then(|role| self.row.get_mut(role)) {
            Some(number) => *number = value,
            None => return PropertyAccessResult::Ignored,
        }
        PropertyAccessResult::Set
    }

    fn begin_list_double(&mut self, _: &str, _: usize) -> BeginList<'_, f64> {
        BeginList::Fill(&mut self.rest)
    }
}
