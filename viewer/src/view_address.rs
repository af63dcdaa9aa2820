//! A view as text, for the address of a page (`#…`) and for `--view`: the same text gives the same view again.
//!
//! `eye=12.5,3,1.7&target=20,3,1.2&mode=walk&color=height&cut=6`; every part may be left out. What cannot be used is left out too, and named.

use std::fmt::Write as _;

use bevy::math::DVec3;
use percent_encoding::percent_decode_str;

use crate::rig::mode::Mode;
use crate::settings::{ColorBy, Settings};

/// Coordinates beyond this are on no map of the Earth. Metres.
const COORDINATE_MAX_M: f64 = 1e8;
/// Longer texts are cut off in messages. Characters.
const SHOWN_CHARACTERS: usize = 40;
/// A longer text is no view. Bytes.
const TEXT_MAX: usize = 2000;

/// What an address says of the view; what it does not say stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Eye and target; scan frame, metres.
    pub look: Option<(DVec3, DVec3)>,
    /// The camera's mode.
    pub mode: Option<Mode>,
    /// What the colour shows.
    pub color: Option<ColorBy>,
    /// Points above this height are hidden. Scan frame, metres.
    pub cut_above_m: Option<f64>,
}

impl View {
    /// Changes the settings that belong to the view. A view that names any part of itself and no cut has none.
    pub fn apply(&self, settings: &mut Settings) {
        settings.color_by = self.color.unwrap_or(settings.color_by);
        if *self != Self::default() {
            settings.cut_above_m = self.cut_above_m;
        }
    }

    /// The view as text, without the `#`.
    pub fn format(&self) -> String {
        let mut parts = Vec::new();
        if let Some((eye, target)) = self.look {
            parts.push(format!("eye={}", position(eye)));
            parts.push(format!("target={}", position(target)));
        }
        parts.extend(self.mode.map(|mode| format!("mode={}", mode.name())));
        parts.extend(self.color.map(|color| format!("color={}", color.name())));
        parts.extend(self.cut_above_m.map(|cut_m| format!("cut={}", number(cut_m))));
        parts.join("&")
    }

    /// Reads a view from text, with or without a `#` or an address before it. Also returns a sentence for each part that cannot be used.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let text = text.rsplit_once('#').map_or(text, |(_, view)| view).trim();
        if text.len() > TEXT_MAX {
            return (Self::default(), vec!["The address of the view is too long.".into()]);
        }
        let mut view = Self::default();
        let mut problems = Vec::new();
        let (mut eye, mut target) = (None, None);
        for part in text.split('&').filter(|part| !part.is_empty()) {
            // Some programs write `,` and `=` in addresses as `%2C` and `%3D`.
            let part = percent_decode_str(part).decode_utf8_lossy();
            let (name, value) = part.split_once('=').unwrap_or((&part, ""));
            let is_understood = match name {
                "eye" => read(value, parse_position, &mut eye),
                "target" => read(value, parse_position, &mut target),
                "mode" => read(value, Mode::from_name, &mut view.mode),
                "color" => read(value, ColorBy::from_name, &mut view.color),
                "cut" => read(value, parse_number, &mut view.cut_above_m),
                _ => false,
            };
            if !is_understood {
                let shown: String = part.chars().filter(|letter| !letter.is_control()).take(SHOWN_CHARACTERS).collect();
                problems.push(format!("The address of the view has a part that cannot be used: {shown}"));
            }
        }
        match (eye, target) {
            (Some(eye), Some(target)) if eye.distance(target) > 1e-3 => view.look = Some((eye, target)),
            (None, None) => {}
            _ => problems.push("The address of the view needs an eye and a target, two different positions.".into()),
        }
        (view, problems)
    }
}

/// Reads a value where it can be used; returns whether it can.
fn read<T>(value: &str, parse: impl Fn(&str) -> Option<T>, into: &mut Option<T>) -> bool {
    let parsed = parse(value);
    let is_understood = parsed.is_some();
    if is_understood {
        *into = parsed;
    }
    is_understood
}

fn parse_number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.abs() <= COORDINATE_MAX_M)
}

fn parse_position(text: &str) -> Option<DVec3> {
    let numbers: Option<Vec<f64>> = text.split(',').map(parse_number).collect();
    if let &[x, y, z] = numbers?.as_slice() { Some(DVec3::new(x, y, z)) } else { None }
}

/// Tenths of millimetres: less is not seen.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn position(at: DVec3) -> String {
    let mut text = number(at.x);
    // Writing to a string cannot fail.
    let _ = write!(text, ",{},{}", number(at.y), number(at.z));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view() -> View {
        View {
            look: Some((DVec3::new(321_500.25, -3.0, 1.7), DVec3::new(321_510.0, 0.000_04, -0.000_01))),
            mode: Some(Mode::Walk),
            color: Some(ColorBy::Height),
            cut_above_m: Some(6.5),
        }
    }

    #[test]
    fn a_view_is_written_and_read() {
        let text = view().format();
        assert_eq!(text, "eye=321500.25,-3,1.7&target=321510,0,0&mode=walk&color=height&cut=6.5");
        for written in [text.clone(), format!("#{text}"), format!("http://host/view/x/1#{text}"), text.replace(',', "%2C")] {
            let (read, problems) = View::parse(&written);
            assert_eq!((read.format(), problems), (text.clone(), vec![]), "{written}");
        }
        assert_eq!(View::parse(""), (View::default(), vec![]));
        assert_eq!(View::default().format(), "");
    }

    #[test]
    fn what_cannot_be_used_is_named_and_the_rest_is_used() {
        let rows = [
            ("eye=1,2,3&target=1,2,3&mode=fly", "needs an eye and a target"),
            ("eye=1,2,3&mode=fly", "needs an eye and a target"),
            ("eye=NaN,2,3&target=1,inf,3&mode=fly", "eye=NaN,2,3"),
            ("eye=1,2&mode=fly", "eye=1,2"),
            ("eye=1,2,3,4&mode=fly", "eye=1,2,3,4"),
            ("mode=fly&cut=high", "cut=high"),
            ("mode=fly&cut=1e300", "cut=1e300"),
            ("mode=fly&color=red", "color=red"),
            ("mode=fly&mode=swim", "mode=swim"),
            ("mode=fly&%zz%4", "%zz%4"),
            // A sign is no digit.
            ("mode=fly&cut=%+5", "cut=%+5"),
            ("mode=fly&cut=%-1", "cut=%-1"),
            ("mode=fly&cut=%F0%9F6", "cut=\u{fffd}6"),
            ("mode=fly&section", "section"),
        ];
        for (text, named) in rows {
            let (view, problems) = View::parse(text);
            assert_eq!((view.mode, view.look), (Some(Mode::Fly), None), "{text}");
            assert!(problems.iter().any(|problem| problem.contains(named)), "{text}: {problems:?}");
        }
        let (view, problems) = View::parse(&format!("mode=walk&{}", "x".repeat(3000)));
        assert!(view == View::default() && problems.len() == 1);
        let (_, problems) = View::parse(&"ä".repeat(300));
        assert!(problems[0].chars().count() < 120, "{problems:?}");
    }

    #[test]
    fn a_view_without_a_cut_removes_it() {
        let mut settings = Settings::default();
        view().apply(&mut settings);
        assert_eq!((settings.color_by, settings.cut_above_m), (ColorBy::Height, Some(6.5)));
        View::default().apply(&mut settings);
        assert_eq!(settings.cut_above_m, Some(6.5), "an empty address says nothing");
        View { mode: Some(Mode::Fly), ..View::default() }.apply(&mut settings);
        assert_eq!((settings.color_by, settings.cut_above_m), (ColorBy::Height, None));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in ".{0,80}") {
            let (view, _) = View::parse(&text);
            let (again, problems) = View::parse(&view.format());
            prop_assert!(problems.len() <= 1, "only two positions that are the same after rounding: {:?}", problems);
            prop_assert_eq!(again.mode, view.mode);
        }
    }
}
