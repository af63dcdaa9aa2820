//! `GET /tiles/{scan}/{version}/{path}`: a file of a version's tileset, out of its archive.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use parterre_model::catalog::ErrorBody;
use parterre_tile::archive::{Entry, Method};

use crate::app::App;
use crate::archives::Archive;
use crate::controllers::tiles::encoding::{self, IMMUTABLE, Part};
use crate::controllers::tiles::find;
use crate::error::{ApiError, ApiResult};

/// Largest file of a tileset that is inflated here; tiles are far smaller.
const MAX_INFLATED: u64 = 256 << 20;

/// Gives a file of a version's tileset; `tileset.json` is where it begins.
#[utoipa::path(get, path = "/tiles/{scan}/{version}/{path}", tag = "tiles",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
        ("path" = String, Path, description = "tileset.json, or a path that it names"),
    ),
    responses(
        (status = 200, description = "The file; as gzip where the client takes it and the archive has it so"),
        (status = 206, description = "The part that Range asked for, of the plain form"),
        (status = 304, description = "Still the same"),
        (status = 404, description = "No such file", body = ErrorBody),
        (status = 416, description = "Range lies outside", body = ErrorBody),
    ))]
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<(String, u32, String)>) -> ApiResult {
    let (scan, version, path) = path.into_inner();
    let (archive, entry) = {
        let path = path.clone();
        web::block(move || {
            let archive = find::archive(&app, &scan, version)?;
            let entry = archive
                .entry(&path)
                .map_err(ApiError::storage)?
                .ok_or_else(|| ApiError::not_found("tile_not_found", format!("the tileset has no {path:?}")))?;
            Ok::<_, ApiError>((archive, entry))
        })
        .await??
    };
    // Who asks for a part gets it from the plain form, whatever encodings are welcome.
    let plain_tag = encoding::etag(&entry, false);
    let range = encoding::requested_range(&request, &plain_tag);
    let gzip = entry.method == Method::Deflate && range.is_none() && encoding::accepts_gzip(&request);
    let tag = encoding::etag(&entry, gzip);
    if encoding::is_match(&request, &tag) {
        return Ok(with_headers(HttpResponse::NotModified(), &tag, gzip).finish());
    }
    let part = range.map_or(Part::Whole, |range| encoding::range(range, entry.len));
    if part == Part::Outside {
        let value = HeaderValue::from_str(&format!("bytes */{}", entry.len)).map_err(ApiError::internal)?;
        return Err(ApiError::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range_not_satisfiable",
            format!("the file has {} bytes", entry.len),
            "Ask for a part that lies inside.",
        )
        .with_header(header::CONTENT_RANGE, value));
    }
    let bytes = web::block(move || read(&archive, entry, gzip)).await??;
    let mut response = match part {
        Part::Bytes { start, end } => {
            let mut response = with_headers(HttpResponse::PartialContent(), &tag, gzip);
            response.insert_header((header::CONTENT_RANGE, format!("bytes {start}-{}/{}", end - 1, entry.len)));
            response.body(bytes.slice(start as usize..end as usize))
        }
        Part::Whole | Part::Outside => with_headers(HttpResponse::Ok(), &tag, gzip).body(bytes),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(encoding::content_type(&path)));
    Ok(response.map_body(|_, body| BoxBody::new(body)))
}

fn with_headers(mut response: HttpResponseBuilder, tag: &str, gzip: bool) -> HttpResponseBuilder {
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header((header::VARY, "Accept-Encoding"));
    if gzip {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    } else {
        response.insert_header((header::ACCEPT_RANGES, "bytes"));
    }
    response
}

fn read(archive: &Archive, entry: Entry, gzip: bool) -> ApiResult<bytes::Bytes> {
    if entry.len > MAX_INFLATED {
        return Err(ApiError::storage(anyhow::anyhow!("an entry announces {} bytes", entry.len)));
    }
    let content = archive.read(entry)?;
    if gzip {
        return Ok(encoding::gzip(&entry, &content.bytes).into());
    }
    Ok(entry.inflate(content.bytes).map_err(ApiError::storage)?.into())
}
