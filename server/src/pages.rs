//! The pages that people open: HTML made from `assets/web/templates`.

pub mod catalogue;
pub mod format;
pub mod not_found;
pub mod retry;
pub mod venue;
pub mod view;

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

use crate::error::ApiResult;

/// A page as an answer. Never kept by browsers: it shows what is now.
fn render(page: &impl Template) -> ApiResult {
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").insert_header((header::CACHE_CONTROL, "no-store")).body(page.render()?))
}
