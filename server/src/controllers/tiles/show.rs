//! `GET /tiles/{scan}/{version}/{path}`: a file of a version's tileset, from its archive or from memory.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use parterre_model::catalog::ErrorBody;
use parterre_tile::archive::{Entry, Method};

use crate::app::App;
use crate::archives::Archive;
use crate::controllers::sliced_body::SlicedBody;
use crate::controllers::tiles::encoding::{self, IMMUTABLE, Part};
use crate::controllers::tiles::find;
use crate::error::{ApiError, ApiResult};
use crate::tile_cache::Tile;

/// Largest file of a tileset that is sent; tiles are far smaller.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Answers with a file of a version's tileset; `tileset.json` is the root.
#[utoipa::path(get, path = "/tiles/{scan}/{version}/{path}", tag = "tiles",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
        ("path" = String, Path, description = "tileset.json, or a path in it"),
    ),
    responses(
        (status = 200, description = "The file; as gzip if the client accepts that and the archive holds it deflated"),
        (status = 206, description = "The requested range, not encoded"),
        (status = 304, description = "Not modified"),
        (status = 404, description = "No such file", body = ErrorBody),
        (status = 416, description = "The range lies outside the file", body = ErrorBody),
    ))]
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<(String, u32, String)>) -> ApiResult {
    let (scan, version, path) = path.into_inner();
    let archive = if let Some(archive) = app.archives.get(&scan, version) {
        archive
    } else {
        let app = Data::clone(&app);
        web::block(move || find::archive(&app, &scan, version)).await??
    };
    // A range is answered from the plain form, whatever encodings are accepted.
    let has_range = request.headers().contains_key(header::RANGE);
    let accepts_gzip = !has_range && encoding::accepts_gzip(&request);
    let tile = if let Some(tile) = app.tile_cache.get(archive.id(), &path, accepts_gzip) {
        tile
    } else {
        if request.headers().contains_key(header::IF_NONE_MATCH)
            && let Some(response) = not_modified(&archive, &request, path.clone(), accepts_gzip).await?
        {
            return Ok(response);
        }
        let load = load(Arc::clone(&archive), path.clone(), accepts_gzip);
        app.tile_cache.get_or_load(archive.id(), &path, accepts_gzip, load).await?
    };
    answer(&request, &path, tile)
}

/// Answers 304 where the client has the file already: only the archive's index is read.
async fn not_modified(archive: &Arc<Archive>, request: &HttpRequest, path: String, accepts_gzip: bool) -> ApiResult<Option<HttpResponse>> {
    let archive = Arc::clone(archive);
    let entry = web::block(move || entry(&archive, &path)).await??;
    let is_gzip = accepts_gzip && entry.method == Method::Deflate;
    let tag = encoding::etag(&entry, is_gzip);
    if !encoding::is_match(request, &tag) {
        return Ok(None);
    }
    let etag = HeaderValue::from_str(&tag).map_err(ApiError::internal)?;
    Ok(Some(with_headers(HttpResponse::NotModified(), etag, is_gzip).finish()))
}

/// Answers with a tile that is in memory.
fn answer(request: &HttpRequest, path: &str, tile: Tile) -> ApiResult {
    let Tile { entry, is_gzip, etag, bytes } = tile;
    if encoding::is_match(request, &etag) {
        return Ok(with_headers(HttpResponse::NotModified(), etag, is_gzip).finish());
    }
    let part = if is_gzip { Part::Whole } else { encoding::requested_part(request, &etag, entry.len) };
    let (mut response, bytes) = match part {
        Part::Whole => (with_headers(HttpResponse::Ok(), etag, is_gzip), bytes),
        Part::Bytes { start, end } => {
            let mut response = with_headers(HttpResponse::PartialContent(), etag, is_gzip);
            response.insert_header((header::CONTENT_RANGE, format!("bytes {start}-{}/{}", end - 1, entry.len)));
            (response, bytes.slice(start as usize..end as usize))
        }
        Part::Outside => {
            let value = HeaderValue::from_str(&format!("bytes */{}", entry.len)).map_err(ApiError::internal)?;
            return Err(ApiError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                format!("the file has {} bytes", entry.len),
                "Ask for a range within the file.",
            )
            .with_header(header::CONTENT_RANGE, value));
        }
    };
    response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(encoding::content_type(path))));
    Ok(response.body(BoxBody::new(SlicedBody::new(bytes))))
}

fn with_headers(mut response: HttpResponseBuilder, etag: HeaderValue, is_gzip: bool) -> HttpResponseBuilder {
    response
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header((header::VARY, "Accept-Encoding"));
    if is_gzip {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    } else {
        response.insert_header((header::ACCEPT_RANGES, "bytes"));
    }
    response
}

fn entry(archive: &Archive, path: &str) -> ApiResult<Entry> {
    let found = archive.entry(path).map_err(ApiError::storage)?;
    found.ok_or_else(|| ApiError::not_found("tile_not_found", format!("the tileset has no {path:?}")))
}

/// Reads a tile from its archive in the form in which it is sent: as gzip where the client accepts it and the archive holds
/// the entry deflated, plain and checked against its CRC otherwise.
async fn load(archive: Arc<Archive>, path: String, accepts_gzip: bool) -> ApiResult<Tile> {
    let tile = web::block(move || {
        let entry = entry(&archive, &path)?;
        if entry.len > MAX_FILE_BYTES {
            return Err(ApiError::storage(anyhow::anyhow!("an entry of {} bytes", entry.len)));
        }
        let stored = archive.read(entry)?;
        let is_gzip = accepts_gzip && entry.method == Method::Deflate;
        let bytes = if is_gzip { encoding::gzip(&entry, &stored) } else { entry.inflate(stored).map_err(ApiError::storage)? };
        let etag = HeaderValue::from_str(&encoding::etag(&entry, is_gzip)).map_err(ApiError::internal)?;
        Ok(Tile { entry, is_gzip, etag, bytes: bytes.into() })
    });
    tile.await?
}
