//! `GET /pictures/{scan}/{version}/{name}`: thumbnail and plans of a version.

use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::controllers::tiles::encoding::{IMMUTABLE, is_match};
use crate::controllers::tiles::find;
use crate::error::{ApiError, ApiResult};

/// Gives a picture of a version: `thumbnail.png`, the plan of a level, or `plan.png`, that of the largest level.
#[utoipa::path(get, path = "/pictures/{scan}/{version}/{name}", tag = "scans",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
        ("name" = String, Path, description = "thumbnail.png, plan.png, or plan-1.png and so on, the lowest level's first"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/png"),
        (status = 304, description = "Still the same"),
        (status = 404, description = "No such picture", body = ErrorBody),
    ))]
pub async fn picture(app: Data<App>, request: HttpRequest, path: Path<(String, u32, String)>) -> ApiResult {
    let (scan, version, name) = path.into_inner();
    // The pictures of a version never change, so its name is enough of a tag.
    let etag = format!("\"{scan}-{version}-{name}\"");
    let row = {
        let (app, scan) = (Data::clone(&app), scan.clone());
        web::block(move || find::ready_version(&app, &scan, version)).await??
    };
    let key = match name.as_str() {
        "thumbnail.png" => row.thumbnail_key,
        "plan.png" => row.plan_key,
        // Pictures out of the scan's file have another address.
        name if name.starts_with("plan-") => row.key_of(name),
        _ => None,
    };
    let key = key.ok_or_else(|| ApiError::not_found("picture_not_found", format!("there is no picture {name:?}")))?;
    let mut response = if is_match(&request, &etag) {
        HttpResponse::NotModified().finish()
    } else {
        HttpResponse::Ok().content_type("image/png").body(app.storage.get(&key).await?)
    };
    let headers = response.headers_mut();
    if let Ok(etag) = header::HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, IMMUTABLE);
    Ok(response)
}
