//! `GET /healthz`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data};
use diesel::prelude::*;
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::schema::venues;

/// Reports whether the service works: the database answers.
#[utoipa::path(get, path = "/healthz", tag = "service", responses(
    (status = 200, description = "The service works"),
    (status = 503, description = "The database cannot be used", body = ErrorBody),
))]
pub async fn health(app: Data<App>) -> ApiResult {
    web::block(move || {
        let mut conn = app.database.get()?;
        venues::table.select(venues::id).first::<String>(&mut *conn).optional()?;
        Ok::<_, ApiError>(())
    })
    .await??;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })))
}
