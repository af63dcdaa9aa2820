//! The assembly of the HTTP service: shared state, routes, and the middleware around every answer.

use actix_web::App as HttpApp;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use tracing_actix_web::TracingLogger;

use crate::app::App;
use crate::{guard, router};

/// Builds the HTTP service of one HTTP worker thread.
pub fn build(
    app: Data<App>,
) -> HttpApp<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<impl MessageBody>, Error = actix_web::Error, InitError = ()>,
> {
    let max_json_bytes = app.config.http.max_json_bytes;
    HttpApp::new()
        .app_data(app)
        .configure(|routes| router::configure(routes, max_json_bytes))
        .wrap(from_fn(guard::guard))
        .wrap(TracingLogger::default())
}
