//! `GET /viewer/{path}`: files of the built web viewer, from the folder given with `--web`. It may be built while the service
//! runs.
//!
//! If `FILE.br` or `FILE.gz` exists beside `FILE` and the client accepts that encoding, it is sent instead: it makes the
//! viewer's WebAssembly megabytes smaller.

use std::path::{Path as FilePath, PathBuf};

use actix_files::NamedFile;
use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, Path};

use crate::app::App;
use crate::controllers::assets::embedded::content_type;
use crate::controllers::files;
use crate::controllers::tiles::encoding::accepts;
use crate::error::{ApiError, ApiResult};

/// Files that the viewer needs.
const MAIN_FILES: [&str; 2] = ["parterre_viewer_bg.wasm", "parterre_viewer.js"];
/// File in which the build writes its progress, one line.
const STATUS_FILE: &str = "build-status.txt";

/// State of the web viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebViewer {
    /// Ready to open.
    Ready,
    /// Being built; the line describes the progress.
    Building(Option<String>),
    /// Not part of this service.
    Absent,
}

/// Finds the state of the web viewer. Blocks briefly.
pub fn state(app: &App) -> WebViewer {
    let Some(dir) = &app.config.http.web_dir else { return WebViewer::Absent };
    if MAIN_FILES.iter().all(|name| dir.join(name).is_file()) {
        return WebViewer::Ready;
    }
    let status = std::fs::read_to_string(dir.join(STATUS_FILE)).ok();
    let line =
        status.and_then(|text| text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim().chars().take(200).collect()));
    WebViewer::Building(line)
}

/// Answers with a file of the web viewer.
pub async fn viewer(app: Data<App>, request: HttpRequest, path: Path<String>) -> ApiResult {
    let name = path.into_inner();
    let missing = || {
        ApiError::new(
            actix_web::http::StatusCode::NOT_FOUND,
            "viewer_not_found",
            format!("the web viewer has no file {name:?}"),
            "If the viewer is still being built, wait until it is.",
        )
    };
    // Plain names only: nothing can lead out of the folder.
    let plain = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'));
    let Some(dir) = app.config.http.web_dir.clone().filter(|_| plain) else { return Err(missing()) };
    let (brotli, gzip) = (accepts(&request, "br"), accepts(&request, "gzip"));
    let found = {
        let path = dir.join(&name);
        web::block(move || open(&path, brotli, gzip)).await?
    };
    let Some((file, encoding)) = found else { return Err(missing()) };
    let mime = content_type(&name).parse().map_err(ApiError::internal)?;
    let mut response = files::answer(file.set_content_type(mime).prefer_utf8(false), &request)?;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_DISPOSITION);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(response)
}

fn open(path: &FilePath, brotli: bool, gzip: bool) -> Option<(NamedFile, Option<&'static str>)> {
    let plain_modified = path.metadata().ok().filter(std::fs::Metadata::is_file)?.modified().ok();
    for (wanted, ending, encoding) in [(brotli, "br", "br"), (gzip, "gz", "gzip")] {
        let packed = PathBuf::from(format!("{}.{ending}", path.display()));
        // A packed file that is older than the plain one belongs to an earlier build.
        let fresh = wanted && packed.metadata().is_ok_and(|metadata| metadata.modified().ok() >= plain_modified);
        if fresh && let Ok(file) = NamedFile::open(packed) {
            return Some((file, Some(encoding)));
        }
    }
    NamedFile::open(path).ok().map(|file| (file, None))
}
