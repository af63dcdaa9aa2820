//! Problems of a file that do not stop the work.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A problem that does not stop the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code in snake case. A constant of the program, or text from a report that was read.
    pub code: Cow<'static, str>,
    /// What was found, where, and what was done about it.
    pub message: String,
}

impl Warning {
    /// A warning with one of the program's codes.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::Warning;

    #[test]
    fn a_warning_comes_back_from_json_as_it_was_written() {
        let warning = Warning::new("crs_projected", "degrees were projected");
        let text = serde_json::to_string(&warning).expect("a warning as JSON");
        assert_eq!(text, r#"{"code":"crs_projected","message":"degrees were projected"}"#);
        assert_eq!(serde_json::from_str::<Warning>(&text).expect("a warning again"), warning);
    }
}
