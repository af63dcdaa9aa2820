//! All routes of the service.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, FormConfig, JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};

use crate::controllers::{assets, jobs, meta, scans, tiles, uploads, venues};
use crate::error::ApiError;
use crate::pages;

/// Adds the routes.
pub fn configure(routes: &mut ServiceConfig, max_json_bytes: usize) {
    routes
        .app_data(json(max_json_bytes))
        .app_data(FormConfig::default().limit(max_json_bytes).error_handler(|error, _| {
            let message = format!("the form cannot be read: {error}");
            ApiError::new(StatusCode::BAD_REQUEST, "form_invalid", message, "Send it from the service's own page.").into()
        }))
        .app_data(PathConfig::default().error_handler(|error, _| {
            ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("the address cannot be read: {error}"), "Check the address.").into()
        }))
        .app_data(QueryConfig::default().error_handler(|error, _| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "query_invalid",
                format!("the query cannot be read: {error}"),
                "Check the part of the address after the question mark.",
            )
            .into()
        }))
        // The JSON API.
        .service(resource("/api/venues", "GET, HEAD, POST").get(venues::list::list).post(venues::create::create))
        .service(resource("/api/venues/{venue}", "GET, HEAD").get(venues::show::show))
        .service(resource("/api/venues/{venue}/uploads/{file}", "PUT").put(uploads::create::create))
        .service(resource("/api/scans/{scan}", "GET, HEAD").get(scans::show::show))
        .service(resource("/api/jobs/{job}", "GET, HEAD").get(jobs::show::show))
        .service(resource("/api/jobs/{job}/retry", "POST").post(jobs::retry::create))
        .service(resource("/api/openapi.json", "GET, HEAD").get(meta::openapi::openapi))
        .service(resource("/healthz", "GET, HEAD").get(meta::health::health))
        // Files.
        .service(resource("/tiles/{scan}/{version}/tiles.3tz", "GET, HEAD").get(tiles::bundle::bundle))
        .service(
            resource("/tiles/{scan}/{version}/{name:points\\.copc\\.laz|report\\.json|setups\\.json}", "GET, HEAD").get(tiles::file::file),
        )
        .service(resource("/tiles/{scan}/{version}/{name:images/[^/]+}", "GET, HEAD").get(tiles::file::image))
        .service(resource("/tiles/{scan}/{version}/{path:.*}", "GET, HEAD").get(tiles::show::show))
        .service(resource("/pictures/{scan}/{version}/{name}", "GET, HEAD").get(scans::picture::picture))
        .service(resource("/static/{path:.*}", "GET, HEAD").get(assets::embedded::embedded))
        .service(resource("/viewer/{path:.*}", "GET, HEAD").get(assets::viewer::viewer))
        .service(resource("/favicon.ico", "GET, HEAD").get(assets::embedded::favicon))
        // Pages.
        .service(resource("/", "GET, HEAD, POST").get(pages::catalogue::catalogue).post(pages::catalogue::create_venue))
        .service(resource("/venues/{venue}", "GET, HEAD").get(pages::venue::venue))
        .service(resource("/jobs/{job}/retry", "POST").post(pages::retry::retry))
        .service(resource("/view/{scan}/{version}", "GET, HEAD").get(pages::view::view))
        .default_service(web::to(not_found));
}

fn json(max_bytes: usize) -> JsonConfig {
    use actix_web::error::JsonPayloadError as E;
    JsonConfig::default().limit(max_bytes).error_handler(move |error, _| {
        match error {
            E::Overflow { .. } | E::OverflowKnownLength { .. } => ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the body is larger than {max_bytes} bytes"),
                "Send less; files go to PUT /api/venues/{id}/uploads/{file name}.",
            ),
            E::ContentType => ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_type_invalid",
                "the body is not declared as JSON",
                "Send the header Content-Type: application/json.",
            ),
            error => ApiError::new(
                StatusCode::BAD_REQUEST,
                "json_invalid",
                format!("the body cannot be read: {error}"),
                "Send a JSON document as docs/api.md describes it.",
            ),
        }
        .into()
    })
}

/// A resource that answers 405 to all methods that it has no handler for; `Allow` lists those it has.
struct MethodResource {
    resource: Resource,
}

fn resource(path: &str, allow: &'static str) -> MethodResource {
    let refuse = move |request: HttpRequest| async move {
        let error = ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("the method {} is not allowed for this address", request.method()),
            "Use a method that the header Allow lists.",
        );
        Err::<HttpResponse, _>(error.with_header(header::ALLOW, HeaderValue::from_static(allow)))
    };
    MethodResource { resource: web::resource(path.to_owned()).default_service(web::to(refuse)) }
}

macro_rules! methods {
    ($($name:ident: $($method:ident),+;)+) => {
        impl MethodResource {
            $(fn $name<F, Args>(self, handler: F) -> Self
            where
                F: actix_web::Handler<Args>,
                Args: actix_web::FromRequest + 'static,
                F::Output: actix_web::Responder + 'static,
            {
                Self { resource: self.resource $(.route(web::$method().to(handler.clone())))+ }
            })+
        }
    };
}

methods! {
    get: get, head;
    post: post;
    put: put;
}

impl actix_web::dev::HttpServiceFactory for MethodResource {
    fn register(self, config: &mut actix_web::dev::AppService) {
        self.resource.register(config);
    }
}

async fn not_found(request: HttpRequest) -> HttpResponse {
    let error = ApiError::not_found("not_found", format!("there is no page or file at {}", request.path()));
    pages::error_page::answer(&request, &error)
}
