//! Regular work of a running service beside requests and jobs: it removes what interrupted uploads leave in the storage, and the
//! objects of what was deleted.

use actix_web::web::Data;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::app::App;
use crate::purge;

/// The running upkeep; dropping it ends it.
#[derive(Debug)]
pub struct Upkeep {
    task: JoinHandle<()>,
}

impl Upkeep {
    /// Starts it on a runtime: every `storage.sweep_every`. Opening the service has just done the same.
    pub fn start(app: Data<App>, runtime: &Handle) -> Self {
        let task = runtime.spawn(async move {
            let period = app.config.storage.sweep_every;
            let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let app = Data::clone(&app);
                let work = tokio::task::spawn_blocking(move || {
                    app.storage.sweep_incoming();
                    if let Err(error) = purge::remove_listed(&app.database, &app.storage, &Handle::current()) {
                        tracing::warn!("objects of what was deleted could not be removed: {error:#}");
                    }
                });
                if let Err(error) = work.await {
                    tracing::error!(%error, "the storage could not be tidied");
                }
            }
        });
        Self { task }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.task.abort();
    }
}
