//! `GET /static/{path}`: style sheets, scripts and icons that are built into the service.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest as _, Sha256};

use crate::controllers::tiles::encoding::is_match;
use crate::error::{ApiError, ApiResult};

const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

struct Asset {
    bytes: &'static [u8],
    etag: String,
}

static ASSETS: LazyLock<HashMap<&str, Asset>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(name, bytes)| {
            let digest = Sha256::digest(bytes);
            let etag = digest.iter().take(12).fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}")) + "\"";
            (*name, Asset { bytes, etag })
        })
        .collect()
});

/// Answers with a built-in file. Browsers ask each time and get 304 while it is unchanged: another build may have another file.
pub async fn embedded(request: HttpRequest, path: Path<String>) -> ApiResult {
    answer(&request, &path)
}

/// Answers with the icon of the catalogue.
pub async fn favicon(request: HttpRequest) -> ApiResult {
    answer(&request, "favicon.svg")
}

fn answer(request: &HttpRequest, name: &str) -> ApiResult {
    let asset = ASSETS.get(name).ok_or_else(|| ApiError::not_found("not_found", format!("there is no file {name:?}")))?;
    if is_match(request, &asset.etag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, asset.etag.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .finish());
    }
    Ok(HttpResponse::Ok()
        .content_type(content_type(name))
        .insert_header((header::ETAG, asset.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(asset.bytes))
}

/// Media type of a file, by its extension.
pub fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
