//! The one place that is asked who sends a request and whether they may do what it asks for.
//!
//! Every route of the [router](crate::router) names the [`Right`] that each of its methods needs. [`ask`] runs before the handler,
//! calls [`decide`], and leaves an [`Access`] with the request; handlers take it as an argument to know who acts. The
//! [guard](crate::guard) answers nothing but errors to a request that has none, so that a route that was added some other way gives
//! nothing away.
//!
//! There are no accounts yet: whoever can reach the service is at the desk of the machine that it runs on. That person is called "Local
//! desk" and may do everything. Accounts and grants are to be looked up in [`decide`] and nowhere else.

use std::future::{Ready, ready};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, ResponseError as _};

use crate::error::ApiError;
use crate::person::Person;

/// What a request needs to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Use what has nothing to do with venues: styles, scripts, the API's description, the service's health.
    Open,
    /// See venues, scans, plans and tiles.
    See,
    /// Change what is said about a venue and its scans.
    Edit,
    /// Upload scans and start jobs again.
    Upload,
    /// Decide what is published.
    Publish,
    /// Delete.
    Delete,
}

/// What a request is about, by the parameters of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The catalogue as a whole.
    Catalogue,
    /// A venue, by identifier or slug.
    Venue(&'a str),
    /// A scan.
    Scan(&'a str),
    /// A job.
    Job(&'a str),
    /// A level of a venue.
    Level(&'a str),
    /// A configuration of a venue.
    Configuration(&'a str),
}

impl<'a> Subject<'a> {
    fn of(request: &'a HttpRequest) -> Self {
        let parameter = |name| request.match_info().get(name);
        parameter("venue")
            .map(Self::Venue)
            .or_else(|| parameter("scan").map(Self::Scan))
            .or_else(|| parameter("job").map(Self::Job))
            .or_else(|| parameter("level").map(Self::Level))
            .or_else(|| parameter("configuration").map(Self::Configuration))
            .unwrap_or(Self::Catalogue)
    }
}

/// A request that was allowed.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who acts.
    pub person: Person,
    /// What they were allowed.
    pub right: Right,
}

/// Whether the sender of a request may do this, and who they are.
///
/// # Errors
/// None yet: everybody may do everything.
#[expect(clippy::unnecessary_wraps, reason = "with accounts it refuses")]
fn decide(_request: &HttpRequest, right: Right, _subject: Subject<'_>) -> Result<Access, ApiError> {
    Ok(Access { person: Person::LOCAL_DESK, right })
}

/// The middleware of each route: asks for the right that `rights` gives for the request's method. A method that is not listed gets no
/// access; the route refuses it.
pub async fn ask(
    rights: &[(Method, Right)],
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // What answers GET answers HEAD.
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let right = rights.iter().find(|(listed, _)| listed == method).map(|(_, right)| *right);
    if let Some(right) = right {
        let decided = decide(request.request(), right, Subject::of(request.request()));
        match decided {
            Ok(access) => drop(request.extensions_mut().insert(access)),
            Err(error) => return Ok(request.into_response(error.error_response())),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Whether the request went through [`ask`] and was allowed.
pub fn was_asked(request: &HttpRequest) -> bool {
    request.extensions().contains::<Access>()
}

impl FromRequest for Access {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let access = request.extensions().get::<Self>().cloned();
        ready(access.ok_or_else(|| ApiError::internal(anyhow::anyhow!("nobody asked whether {} is allowed", request.path()))))
    }
}
