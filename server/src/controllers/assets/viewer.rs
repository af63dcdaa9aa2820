//! `GET /viewer/{path}`: the built web viewer, out of the folder given with `--web`. It may be built while the service
//! runs, and replaced.
//!
//! The folder holds either one viewer, or `builds/ID/` with the viewer's builds and `current-build.txt` with the ID of the
//! one that is used. A build never changes and pages name the build that they use, so that a browser never gets the
//! script of one build and the WebAssembly of another. Without a build in the address the current one answers.
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
/// What that line begins with when the build has failed.
const FAILED: &str = "failed: ";
/// Names the build that new pages use.
const CURRENT_FILE: &str = "current-build.txt";
/// Holds a folder for each build.
const BUILDS: &str = "builds";

/// State of the web viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebViewer {
    /// It can be opened; its files are below this address, which ends with a slash.
    Ready(String),
    /// It is being built; the line says how far.
    Building(Option<String>),
    /// It could not be built; the line says why and what to do.
    Failed(String),
    /// The service was started without.
    Absent,
}

/// Finds the state of the web viewer. Blocks briefly.
pub fn state(app: &App) -> WebViewer {
    let Some(dir) = &app.config.http.web_dir else { return WebViewer::Absent };
    let complete = |dir: &FilePath| MAIN_FILES.iter().all(|name| dir.join(name).is_file());
    if let Some(build) = current_build(dir).filter(|build| complete(&dir.join(build))) {
        return WebViewer::Ready(format!("/viewer/{build}/"));
    }
    if complete(dir) {
        return WebViewer::Ready("/viewer/".to_owned());
    }
    let status = std::fs::read_to_string(dir.join(STATUS_FILE)).ok();
    let line: Option<String> =
        status.and_then(|text| text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim().chars().take(300).collect()));
    match line {
        Some(line) if line.starts_with(FAILED) => WebViewer::Failed(line[FAILED.len()..].to_owned()),
        line => WebViewer::Building(line),
    }
}

/// The path of the current build within the viewer's folder: `builds/ID`.
fn current_build(dir: &FilePath) -> Option<String> {
    let id = std::fs::read_to_string(dir.join(CURRENT_FILE)).ok()?;
    let id = id.trim();
    is_build_id(id).then(|| format!("{BUILDS}/{id}"))
}

/// Builds are named by a hash of their contents.
fn is_build_id(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a path within the viewer's folder is that of a file of one build, which never changes.
fn is_of_build(name: &str) -> bool {
    let mut parts = name.split('/');
    parts.next() == Some(BUILDS) && parts.next().is_some_and(is_build_id) && parts.next().is_some()
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
        let name = name.clone();
        web::block(move || {
            let build = current_build(&dir).filter(|_| !is_of_build(&name));
            let in_build = build.and_then(|build| open(&dir.join(build).join(&name), brotli, gzip));
            in_build.or_else(|| open(&dir.join(&name), brotli, gzip))
        })
        .await?
    };
    let Some((file, encoding)) = found else { return Err(missing()) };
    let mime = content_type(&name).parse().map_err(ApiError::internal)?;
    let mut response = files::answer(file.set_content_type(mime).prefer_utf8(false), &request)?;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_DISPOSITION);
    let cache = if is_of_build(&name) { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
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
