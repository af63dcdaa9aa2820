//! Entity tags of what people edit, and the conditions under which it is changed.
//!
//! A tag is `"r{revision}"`, or `"r{revision}-{hash}"` where the answer also holds what others than the editor change: a venue's answer
//! lists its scans, and jobs change their state. The tag is strong, since the hash is that of the answer. For `If-Match` the revision
//! decides: what was not edited cannot be lost by an edit.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::controllers::tiles::encoding::is_match;
use crate::error::{ApiError, ApiResult};

/// The tag of something of which the revision says everything.
pub fn of_revision(revision: i32) -> String {
    format!("\"r{revision}\"")
}

/// Answers with a document and its tag, or with 304 where the client has it already.
pub fn answer(request: &HttpRequest, revision: i32, document: &impl Serialize) -> ApiResult {
    let body = serde_json::to_vec(document).map_err(ApiError::internal)?;
    let tag = Sha256::digest(&body).iter().take(8).fold(format!("\"r{revision}-"), |tag, byte| format!("{tag}{byte:02x}")) + "\"";
    let is_known = is_match(request, &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "private, no-cache"));
    Ok(if is_known { response.finish() } else { response.content_type("application/json").body(body) })
}

/// What `If-Match` allows to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `*`: whatever is there.
    Any,
    /// Only these revisions.
    Revisions(Vec<i32>),
}

impl Condition {
    /// The request's condition.
    ///
    /// # Errors
    /// `precondition_required` where it has none.
    pub fn of(request: &HttpRequest) -> ApiResult<Self> {
        let mut values = request.headers().get_all(header::IF_MATCH).peekable();
        if values.peek().is_none() {
            return Err(ApiError::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition_required",
                "the request does not say which state it changes",
                "Send the header If-Match with the ETag of the last GET, so that nobody else's change is lost.",
            ));
        }
        let text: Vec<&str> = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim).collect();
        Ok(if text.contains(&"*") { Self::Any } else { Self::Revisions(text.into_iter().filter_map(revision_of).collect()) })
    }

    /// Whether a revision may be changed.
    ///
    /// # Errors
    /// `precondition_failed`.
    pub fn check(&self, revision: i32) -> ApiResult<()> {
        match self {
            Self::Revisions(allowed) if !allowed.contains(&revision) => Err(changed(revision)),
            _ => Ok(()),
        }
    }
}

/// The revision in a strong tag.
fn revision_of(tag: &str) -> Option<i32> {
    let inner = tag.strip_prefix("\"r")?.strip_suffix('"')?;
    inner.split_once('-').map_or(inner, |(revision, _)| revision).parse().ok()
}

/// The error for a change of something that has been changed meanwhile.
pub fn changed(revision: i32) -> ApiError {
    let error = ApiError::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition_failed",
        "somebody else has changed it meanwhile",
        "Read it again, look at what changed, and send the change again with the new ETag.",
    );
    match HeaderValue::from_str(&of_revision(revision)) {
        Ok(tag) => error.with_header(header::ETAG, tag),
        Err(_) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_revision_decides_and_weak_tags_do_not_count() {
        let condition = |value: &str| Condition::of(&TestRequest::get().insert_header((header::IF_MATCH, value)).to_http_request());
        for (value, allowed) in [
            ("*", true),
            ("\"r3\"", true),
            ("\"r3-0123456789abcdef\"", true),
            ("\"r1\", \"r3\"", true),
            ("\"r2\"", false),
            ("W/\"r3\"", false),
            ("r3", false),
            ("\"r03x\"", false),
            ("", false),
        ] {
            assert_eq!(condition(value).is_ok_and(|condition| condition.check(3).is_ok()), allowed, "{value}");
        }
        let none = Condition::of(&TestRequest::get().to_http_request());
        assert_eq!(none.map_err(|error| error.fault().code.clone()), Err("precondition_required".to_owned()));
    }
}
