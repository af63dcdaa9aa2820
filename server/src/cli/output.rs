//! Output of commands.

use std::io::{self, Write as _};

use parterre_model::catalog::{ErrorBody, Fault};
use serde::Serialize;

use super::failure::Failure;

/// Prints one JSON document.
pub(super) fn json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failure::internal(&error.into()))?;
    line(&text)
}

/// Prints a line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(4, "io", format!("failed to write to standard output: {error}"), "Check where the output goes."))
        }
        _ => Ok(()),
    }
}

/// Prints an error: as JSON on standard output, or for people on standard error.
pub(super) fn failure(fault: &Fault, causes: &[String], as_json: bool) {
    if as_json {
        // An error while printing an error cannot be reported.
        let _ = json(&ErrorBody { error: fault.clone() });
        return;
    }
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "error: {} [{}]", fault.message, fault.code);
    for cause in causes {
        let _ = writeln!(err, "  because: {cause}");
    }
    if !fault.hint.is_empty() {
        let _ = writeln!(err, "  hint: {}", fault.hint);
    }
}

/// A warning for people, on stderr.
pub(super) fn warning(text: &str) {
    let _ = writeln!(io::stderr().lock(), "warning: {text}");
}
