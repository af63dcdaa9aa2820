//! A page template as an answer.

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

use crate::error::ApiResult;

/// Renders a page as HTML. Browsers never keep it: it shows the state at this moment.
pub(super) fn render(page: &impl Template) -> ApiResult {
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").insert_header((header::CACHE_CONTROL, "no-store")).body(page.render()?))
}
