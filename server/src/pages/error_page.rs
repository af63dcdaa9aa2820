//! Errors as an HTML page.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use askama::Template;

use crate::error::ApiError;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    status: u16,
    title: &'a str,
    message: &'a str,
    hint: &'a str,
}

/// The error as HTML where the client asks for HTML, else as JSON.
pub fn answer(request: &HttpRequest, error: &ApiError) -> HttpResponse<BoxBody> {
    let wants_html =
        request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    let response = error.error_response();
    if !wants_html {
        return response;
    }
    let status = error.status_code();
    let title = if status == StatusCode::NOT_FOUND { "Not found" } else { "The request failed" };
    let fault = error.fault();
    let page = ErrorPage { status: status.as_u16(), title, message: &fault.message, hint: &fault.hint };
    match page.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(html),
        Err(_) => response,
    }
}
