//! All routes of the service, each method with the right that it needs; see [`access`](crate::access).

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, FormConfig, JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};

use crate::access::{self, Right};
use crate::controllers::{assets, configurations, jobs, levels, meta, pictures, scans, tiles, uploads, venues, versions};
use crate::error::ApiError;
use crate::pages;

/// A route: a path, and what each of its methods needs.
#[derive(Clone, Debug)]
pub struct Route {
    /// Path, with its parameters.
    pub path: &'static str,
    /// Methods and their rights. `HEAD` is answered where `GET` is.
    pub methods: Vec<(Method, Right)>,
}

/// Makes [`routes`] and `add_routes` of one list, so that there is no route without a right.
macro_rules! routes {
    ($($path:literal: $($method:ident $right:ident $handler:path),+;)+) => {
        /// Every route, in the order in which they are tried.
        pub fn routes() -> Vec<Route> {
            vec![$(Route { path: $path, methods: vec![$((Method::$method, Right::$right)),+] }),+]
        }

        fn add_routes(routes: &mut ServiceConfig) {
            $({
                let resource = refuse_others(web::resource($path), &[$(Method::$method),+]);
                $(let resource = with(resource, Method::$method, $handler);)+
                let rights: &'static [(Method, Right)] = const { &[$((Method::$method, Right::$right)),+] };
                routes.service(resource.wrap(from_fn(move |request: ServiceRequest, next: Next<BoxBody>| access::ask(rights, request, next))));
            })+
        }
    };
}

routes! {
    // The JSON API.
    "/api/venues": GET See venues::list::list, POST Edit venues::create::create;
    "/api/venues/{venue}": GET See venues::show::show, PATCH Edit venues::update::update, DELETE Delete venues::withdraw::withdraw;
    "/api/venues/{venue}/restore": POST Delete venues::withdraw::restore;
    "/api/venues/{venue}/purge": POST Delete venues::purge::purge;
    "/api/venues/{venue}/history": GET See venues::history::history;
    "/api/venues/{venue}/uploads/{file}": PUT Upload uploads::create::create;
    "/api/venues/{venue}/levels": GET See levels::list, POST Edit levels::create;
    "/api/levels/{level}": GET See levels::show, PATCH Edit levels::update, DELETE Edit levels::remove;
    "/api/venues/{venue}/configurations": GET See configurations::list, POST Edit configurations::create;
    "/api/configurations/{configuration}": GET See configurations::show, PATCH Edit configurations::update, DELETE Edit configurations::remove;
    "/api/venues/{venue}/pictures/{picture}": GET See pictures::show, PUT Edit pictures::create, DELETE Edit pictures::remove;
    "/api/scans/{scan}": GET See scans::show::show;
    "/api/scans/{scan}/compare": GET See versions::compare::compare;
    "/api/scans/{scan}/versions/{version}": GET See versions::show::show, PATCH Edit versions::update::update;
    "/api/scans/{scan}/versions/{version}/submit": POST Edit versions::publication::submit;
    "/api/scans/{scan}/versions/{version}/publish": POST Publish versions::publication::publish;
    "/api/scans/{scan}/versions/{version}/withdraw": POST Publish versions::publication::withdraw;
    "/api/scans/{scan}/versions/{version}/purge": POST Delete versions::purge::purge;
    "/api/jobs/{job}": GET See jobs::show::show;
    "/api/jobs/{job}/retry": POST Upload jobs::retry::create;
    "/api/openapi.json": GET Open meta::openapi::openapi;
    "/healthz": GET Open meta::health::health;
    // Files.
    "/tiles/{scan}/{version}/tiles.3tz": GET See tiles::bundle::bundle;
    "/tiles/{scan}/{version}/{name:points\\.copc\\.laz|report\\.json|setups\\.json}": GET See tiles::file::file;
    "/tiles/{scan}/{version}/{name:images/[^/]+}": GET See tiles::file::image;
    "/tiles/{scan}/{version}/{path:.*}": GET See tiles::show::show;
    "/pictures/{scan}/{version}/{name}": GET See scans::picture::picture;
    "/static/{path:.*}": GET Open assets::embedded::embedded;
    "/viewer/{path:.*}": GET Open assets::viewer::viewer;
    "/favicon.ico": GET Open assets::embedded::favicon;
    // Pages.
    "/": GET See pages::catalogue::catalogue, POST Edit pages::catalogue::create_venue;
    "/venues/{venue}": GET See pages::venue::venue;
    "/venues/{venue}/edit": GET Edit pages::venue_edit::show, POST Edit pages::venue_edit::save;
    "/venues/{venue}/levels": POST Edit pages::levels::add;
    "/levels/{level}": GET Edit pages::levels::show, POST Edit pages::levels::save;
    "/venues/{venue}/configurations": GET Edit pages::configurations::new, POST Edit pages::configurations::add;
    "/configurations/{configuration}": GET Edit pages::configurations::show, POST Edit pages::configurations::save;
    "/venues/{venue}/delete": GET Delete pages::delete::show, POST Delete pages::delete::withdraw;
    "/venues/{venue}/restore": POST Delete pages::delete::restore;
    "/venues/{venue}/purge": POST Delete pages::delete::purge;
    "/scans/{scan}/compare": GET See pages::compare::compare;
    "/scans/{scan}/{version}": GET See pages::version::show;
    "/scans/{scan}/{version}/survey": GET Edit pages::survey::show, POST Edit pages::survey::save;
    "/scans/{scan}/{version}/submit": POST Edit pages::version::submit;
    "/scans/{scan}/{version}/publish": POST Publish pages::version::publish;
    "/scans/{scan}/{version}/withdraw": POST Publish pages::version::withdraw;
    "/scans/{scan}/{version}/purge": POST Delete pages::version::purge;
    "/jobs/{job}/retry": POST Upload pages::retry::retry;
    "/view/{scan}/{version}": GET See pages::view::view;
}

/// Adds the routes, and how what they take is read.
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
        }));
    add_routes(routes);
    routes.default_service(web::to(not_found));
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

/// Lets a resource answer 405 to all other methods; `Allow` lists those that it has.
fn refuse_others(resource: Resource, methods: &[Method]) -> Resource {
    let mut allow = String::new();
    for method in methods {
        let separator = if allow.is_empty() { "" } else { ", " };
        let head = if *method == Method::GET { ", HEAD" } else { "" };
        allow.extend([separator, method.as_str(), head]);
    }
    let allow = HeaderValue::from_str(&allow).unwrap_or(HeaderValue::from_static(""));
    let refuse = move |request: HttpRequest| {
        let allow = allow.clone();
        async move {
            let error = ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!("the method {} is not allowed for this address", request.method()),
                "Use a method that the header Allow lists.",
            );
            Err::<HttpResponse, _>(error.with_header(header::ALLOW, allow))
        }
    };
    resource.default_service(web::to(refuse))
}

/// Adds the handler of a method.
fn with<F, Args>(resource: Resource, method: Method, handler: F) -> Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let resource = if method == Method::GET { resource.route(web::head().to(handler.clone())) } else { resource };
    resource.route(web::method(method).to(handler))
}

async fn not_found(request: HttpRequest) -> HttpResponse {
    let error = ApiError::not_found("not_found", format!("there is no page or file at {}", request.path()));
    pages::error_page::answer(&request, &error)
}
