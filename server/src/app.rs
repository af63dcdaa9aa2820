//! A service put together: state that requests share, and the middleware around every answer.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use tracing_actix_web::TracingLogger;

use crate::archives::Archives;
use crate::config::Config;
use crate::db::Database;
use crate::jobs::Context;
use crate::jobs::signal::JobSignal;
use crate::storage::Storage;
use crate::{guard, router};

/// Tile archives kept open.
const OPEN_ARCHIVES: usize = 64;

/// What requests share.
#[derive(Debug)]
pub struct App {
    /// Settings.
    pub config: Config,
    /// Rows.
    pub database: Database,
    /// Files.
    pub storage: Storage,
    /// Tile archives that are open.
    pub archives: Archives,
    /// Wakes the worker.
    pub job_signal: Arc<JobSignal>,
}

impl App {
    /// Opens database and storage and brings the tables up to date. Blocks.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        let storage = Storage::open(&config.storage.dir)?;
        storage.sweep_incoming();
        let database = Database::open(&config.database)?;
        Ok(Self { config, database, storage, archives: Archives::new(OPEN_ARCHIVES), job_signal: Arc::new(JobSignal::default()) })
    }

    /// What jobs of this service work with.
    pub fn job_context(&self, runtime: tokio::runtime::Handle) -> Context {
        Context { database: self.database.clone(), storage: self.storage.clone(), config: self.config.worker.clone(), runtime }
    }
}

/// The service for one HTTP worker thread.
pub fn service(
    app: Data<App>,
) -> actix_web::App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<impl MessageBody>, Error = actix_web::Error, InitError = ()>,
> {
    let max_json_bytes = app.config.http.max_json_bytes;
    actix_web::App::new()
        .app_data(app)
        .configure(|routes| router::configure(routes, max_json_bytes))
        .wrap(from_fn(guard::guard))
        .wrap(TracingLogger::default())
}
