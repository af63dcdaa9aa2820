//! Persons who act in the catalogue.
//!
//! There are no accounts yet: two persons stand for everybody. [`access`](crate::access) decides who sends a request.

use std::borrow::Cow;

use parterre_model::catalog as api;

/// A person who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    id: Cow<'static, str>,
}

impl Person {
    /// Whoever uses the service while there are no accounts.
    pub const LOCAL_DESK: Self = Self { id: Cow::Borrowed("local-desk") };
    /// Whoever uses the command line.
    pub const COMMAND_LINE: Self = Self { id: Cow::Borrowed("command-line") };

    /// Identifier, as it is stored with what the person did.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The person of a stored identifier, as the API shows them.
pub fn shown(id: &str) -> api::Person {
    let name = match id {
        "local-desk" => "Local desk",
        "command-line" => "Command line",
        other => other,
    };
    api::Person { id: id.to_owned(), name: name.to_owned() }
}
