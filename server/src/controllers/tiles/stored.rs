//! Answers with a file that was made of a published version: COPC, report, setups, pictures, the whole archive.

use actix_files::NamedFile;
use actix_web::HttpRequest;
use actix_web::http::header::{self, ContentDisposition, DispositionParam, DispositionType};
use actix_web::web::{self, Data};

use crate::app::App;
use crate::controllers::files;
use crate::controllers::tiles::encoding::IMMUTABLE;
use crate::controllers::tiles::find;
use crate::error::{ApiError, ApiResult};
use crate::models::versions::Version;

/// A stored file and how it is sent.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// Key in the storage.
    pub key: String,
    /// Media type.
    pub content_type: &'static str,
    /// Name under which a browser saves it; without one the browser shows it.
    pub save_as: Option<String>,
}

/// Finds the version, lets `choose` name the file of it, and answers with that file or the part that was asked for.
///
/// # Errors
/// `version_not_found`, `version_not_ready`, `version_failed`, those of `choose` and of [`files::answer`].
pub async fn answer(
    app: Data<App>,
    request: &HttpRequest,
    scan: String,
    version: u32,
    choose: impl FnOnce(&Version) -> ApiResult<StoredFile> + Send + 'static,
) -> ApiResult {
    let file = web::block(move || {
        let StoredFile { key, content_type, save_as } = choose(&find::ready_version(&app, &scan, version)?)?;
        let disposition = match save_as {
            Some(name) => {
                ContentDisposition { disposition: DispositionType::Attachment, parameters: vec![DispositionParam::Filename(name)] }
            }
            None => ContentDisposition { disposition: DispositionType::Inline, parameters: Vec::new() },
        };
        let file = NamedFile::open(app.storage.path(&key)?)?
            .set_content_type(content_type.parse().map_err(ApiError::internal)?)
            .set_content_disposition(disposition);
        Ok::<_, ApiError>(file)
    })
    .await??;
    let mut response = files::answer(file, request)?;
    response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
    Ok(response)
}

/// The name under which a browser saves something made of an uploaded file.
pub fn download_name(file_name: &str, version: u32, ending: &str) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' }).collect();
    format!("{plain}-v{version}.{ending}")
}
