//! `GET /tiles/{scan}/{version}/tiles.3tz`: the whole tileset as one file, for use without a network.

use actix_files::NamedFile;
use actix_web::HttpRequest;
use actix_web::http::header::{self, ContentDisposition, DispositionParam, DispositionType};
use actix_web::web::{self, Data, Path};
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::controllers::files;
use crate::controllers::tiles::encoding::IMMUTABLE;
use crate::controllers::tiles::file::download_name;
use crate::controllers::tiles::find;
use crate::error::{ApiError, ApiResult};

/// Gives the whole tileset as one archive.
#[utoipa::path(get, path = "/tiles/{scan}/{version}/tiles.3tz", tag = "tiles",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
    ),
    responses(
        (status = 200, description = "The archive (3TZ)"),
        (status = 206, description = "The part that Range asked for"),
        (status = 304, description = "Still the same"),
        (status = 400, description = "Range cannot be read", body = ErrorBody),
        (status = 404, description = "No such version", body = ErrorBody),
        (status = 412, description = "If-Match or If-Unmodified-Since does not hold", body = ErrorBody),
        (status = 416, description = "No such part", body = ErrorBody),
    ))]
pub async fn bundle(app: Data<App>, request: HttpRequest, path: Path<(String, u32)>) -> ApiResult {
    let (scan, version) = path.into_inner();
    let file = web::block(move || {
        let row = find::ready_version(&app, &scan, version)?;
        let key =
            row.tiles_key.ok_or_else(|| ApiError::internal(anyhow::anyhow!("a published version without tiles: {scan} {version}")))?;
        let file = NamedFile::open(app.storage.path(&key)?)?.set_content_disposition(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(download_name(&row.file_name, version, "3tz"))],
        });
        Ok::<_, ApiError>(file.set_content_type("application/vnd.maxar.archive.3tz+zip".parse().map_err(ApiError::internal)?))
    })
    .await??;
    let mut response = files::answer(file, &request)?;
    response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
    Ok(response)
}
