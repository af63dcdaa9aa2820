//! Access checks for every request, and security headers for every answer.
//!
//! There are no accounts yet, so everyone who can reach the service may do everything. It therefore listens on loopback only,
//! and refuses what a web page from elsewhere could make a browser on the same machine send: a request under a foreign
//! name (DNS rebinding) or from a foreign origin. Programs that send neither are let through.
//!
//! Who sends a request and whether they may is asked in [`access`](crate::access). A request that was answered without having been asked
//! there is a fault of ours: its answer is thrown away.

use std::fmt;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use crate::access;
use crate::app::App;
use crate::error::ApiError;

/// What pages may load: resources of this service, WebAssembly, and images made in the page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
     font-src 'self'; connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The middleware.
pub async fn guard(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = match check(request.request()) {
        Ok(()) if request.method() == Method::PUT => next.call(request).await.map_err(Guarded)?.map_into_boxed_body(),
        Ok(()) => answer_in_time(request, next).await.map_err(Guarded)?,
        Err(error) => {
            let response = error.error_response();
            request.into_response(response)
        }
    };
    if response.status().as_u16() < 400 && !access::was_asked(response.request()) {
        let cause = anyhow::anyhow!("{} was answered, and nobody asked whether it is allowed", response.request().path());
        let error = ApiError::internal(cause).error_response();
        response = response.into_response(error);
    }
    add_headers(response.headers_mut());
    Ok(response)
}

/// An error that passes the middleware: the answer built from it gets the same headers as every other.
#[derive(Debug)]
struct Guarded(actix_web::Error);

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl ResponseError for Guarded {
    fn status_code(&self) -> StatusCode {
        self.0.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.0.error_response();
        add_headers(response.headers_mut());
        response
    }
}

/// Answers within the configured time, or with `request_stalled`. Uploads are not limited here; time for sending the body of an
/// answer does not count.
async fn answer_in_time(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let time = request.app_data::<Data<App>>().map_or(Duration::from_secs(30), |app| app.config.http.answer_time);
    match tokio::time::timeout(time, next.call(request)).await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_stalled", "the request took too long", "Send it again.").into()),
    }
}

fn check(request: &HttpRequest) -> Result<(), ApiError> {
    let host = host(request)?;
    for origin in request.headers().get_all(header::ORIGIN) {
        let own =
            origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://")).is_some_and(|name| name.eq_ignore_ascii_case(host));
        if !own {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "the request comes from a page of another origin",
                "Open the service's own pages; other sites may not use it.",
            ));
        }
    }
    // No name or identifier has this character, and PostgreSQL cannot even be asked for it.
    if request.uri().path().contains("%00") {
        return Err(ApiError::not_found("not_found", "there is nothing at an address with a null character"));
    }
    Ok(())
}

/// The host name and port that the request is addressed to: a loopback name. Headers of proxies are not used.
///
/// # Errors
/// `host_not_allowed`.
pub fn host(request: &HttpRequest) -> Result<&str, ApiError> {
    let given = request.headers().get(header::HOST).map(HeaderValue::as_bytes).or(request.uri().authority().map(|a| a.as_str().as_bytes()));
    given.and_then(|given| std::str::from_utf8(given).ok()).filter(|host| is_loopback_name(host)).ok_or_else(|| {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "host_not_allowed",
            "the service answers only under a loopback name of this machine",
            "Open it as http://localhost or http://127.0.0.1 with its port.",
        )
    })
}

/// Whether a `Host` names this machine's loopback, whatever the port (a tunnel may use another).
fn is_loopback_name(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) => (name, port.strip_prefix(':')),
            None => return false,
        },
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return false;
    }
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn add_headers(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_accepted() {
        for own in ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "127.0.0.1", "[::1]:8080", "[::1]"] {
            assert!(is_loopback_name(own), "{own}");
        }
        for foreign in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "0.0.0.0",
            "10.0.0.1:8080",
            "[::1",
            "localhost:x",
            "localhost:99999",
        ] {
            assert!(!is_loopback_name(foreign), "{foreign}");
        }
    }
}
