//! `GET /pictures/{scan}/{version}/{name}`: thumbnail and plans of a version.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::controllers::tiles::stored::{self, StoredFile};
use crate::error::{ApiError, ApiResult};

/// Answers with a picture of a version: `thumbnail.png`, the plan of a level, or `plan.png`, that of the largest level.
#[utoipa::path(get, path = "/pictures/{scan}/{version}/{name}", tag = "scans",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
        ("name" = String, Path, description = "thumbnail.png, plan.png, or plan-1.png and so on, the lowest level's first"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/png"),
        (status = 206, description = "The requested range", content_type = "image/png"),
        (status = 304, description = "Not modified"),
        (status = 404, description = "No such picture", body = ErrorBody),
        (status = 416, description = "The range lies outside the file", body = ErrorBody),
    ))]
pub async fn picture(app: Data<App>, request: HttpRequest, path: Path<(String, u32, String)>) -> ApiResult {
    let (scan, version, name) = path.into_inner();
    stored::answer(app, &request, scan, version, move |row| {
        let key = match name.as_str() {
            "thumbnail.png" => row.thumbnail_key.clone(),
            "plan.png" => row.plan_key.clone(),
            // Pictures out of the scan's file have another address.
            name if name.starts_with("plan-") => row.key_of(name),
            _ => None,
        };
        let key = key.ok_or_else(|| ApiError::not_found("picture_not_found", format!("there is no picture {name:?}")))?;
        Ok(StoredFile { key, content_type: "image/png", save_as: None })
    })
    .await
}
