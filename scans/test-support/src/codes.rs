//! Codes of warnings, for comparing them with lists.

use std::borrow::Cow;

use parterre_model::Warning;

/// A warning's code, which is one of the program's constants unless the warning was read back from a report.
///
/// # Panics
/// Where it was read back.
pub fn code_of(warning: &Warning) -> &'static str {
    match warning.code {
        Cow::Borrowed(code) => code,
        Cow::Owned(ref code) => panic!("{code} was read back"),
    }
}
