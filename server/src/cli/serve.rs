//! `parterre serve`.

use std::io::IsTerminal as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::web::Data;
use clap::Args;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::memory::MemoryArgs;
use crate::app::App;
use crate::config::{Config, HttpConfig, StorageConfig, WorkerConfig};
use crate::jobs::worker::Worker;
use crate::service;
use crate::upkeep::Upkeep;

/// Run the catalogue service.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: DataArgs,
    /// Address to listen on. Loopback only: there are no accounts yet.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Number of following ports to try when the port is in use.
    #[arg(long, value_name = "COUNT", default_value_t = 0, num_args = 0..=1, default_missing_value = "20", require_equals = true)]
    port_search: u16,
    /// Folder with the built web viewer; it may appear while the service runs.
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// Largest upload, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 50 << 10, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    max_upload: u64,
    #[command(flatten)]
    memory: MemoryArgs,
    /// Memory for frequently requested tiles, in MiB; 0 turns the cache off.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(..=1 << 20))]
    tile_cache: u64,
    /// Seconds without a heartbeat after which another worker takes a job.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..))]
    lease: u64,
    /// Do not work on jobs in this process.
    #[arg(long)]
    no_worker: bool,
}

impl Serve {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        if !self.listen.ip().is_loopback() {
            return Err(Failure::usage(
                format!("{} is not a loopback address", self.listen),
                "There are no accounts yet, so the service listens on this machine only. Use 127.0.0.1:PORT, and a tunnel (ssh -L) from elsewhere.",
            ));
        }
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,tracing_actix_web=warn"));
        // Only tests have another subscriber, which stays.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init();

        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::internal(&error.into()))?;
        // The port first: if it is in use, the error does not wait for the database.
        let listener = bind(self.listen, self.port_search)?;
        let no_worker = self.no_worker;
        let app = Data::new(App::open(self.config()?).map_err(|error| Failure::catalogue(&error))?);
        let worker = if no_worker {
            None
        } else {
            let context = app.job_context(runtime.handle().clone());
            Some(Worker::start(context, Arc::clone(&app.job_signal)).map_err(|error| Failure::internal(&error))?)
        };
        let upkeep = Upkeep::start(Data::clone(&app), runtime.handle());
        let result = runtime.block_on(serve(app, listener, as_json));
        drop(upkeep);
        if let Some(worker) = worker {
            worker.stop();
        }
        result
    }

    fn config(self) -> Result<Config, Failure> {
        Ok(Config {
            database: self.data.database(),
            storage: StorageConfig { dir: self.data.data, max_upload_bytes: self.max_upload << 20, ..StorageConfig::default() },
            http: HttpConfig {
                listen: self.listen,
                port_search: self.port_search,
                web_dir: self.web,
                tile_cache_bytes: self.tile_cache << 20,
                ..HttpConfig::default()
            },
            worker: WorkerConfig { memory_bytes: self.memory.bytes()?, lease: Duration::from_secs(self.lease), ..WorkerConfig::default() },
        })
    }
}

fn bind(address: SocketAddr, search: u16) -> Result<TcpListener, Failure> {
    let mut candidate = address;
    for step in 0..=search {
        let Some(port) = address.port().checked_add(step) else { break };
        candidate.set_port(port);
        match TcpListener::bind(candidate) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && step < search => {}
            Err(error) => {
                return Err(Failure::new(
                    4,
                    "listen_failed",
                    format!("failed to listen on {candidate}: {error}"),
                    "Choose another port with --listen, or let --port-search find one.",
                ));
            }
        }
    }
    Err(Failure::new(4, "listen_failed", format!("no free port after {address}"), "Choose another port with --listen."))
}

async fn serve(app: Data<App>, listener: TcpListener, as_json: bool) -> Outcome {
    let failed = |error: std::io::Error| {
        Failure::new(4, "listen_failed", format!("failed to serve: {error}"), "Choose another address with --listen.")
    };
    let address = listener.local_addr().map_err(failed)?;
    let server = HttpServer::new(move || service::build(Data::clone(&app))).shutdown_timeout(5).listen(listener).map_err(failed)?.run();
    let url = format!("http://{address}");
    // Scripts wait for this line, so the document is one line too; a closed pipe does not keep the service from serving.
    let line = if as_json { json!({ "listening": url }).to_string() } else { format!("listening on {url}") };
    let _ = super::output::line(&line);
    server.await.map_err(failed)
}
