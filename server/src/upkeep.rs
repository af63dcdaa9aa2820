//! Regular work of a running service beside requests and jobs: it removes what interrupted uploads leave in the storage.

use actix_web::web::Data;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::app::App;

/// The running upkeep; dropping it ends it.
#[derive(Debug)]
pub struct Upkeep {
    task: JoinHandle<()>,
}

impl Upkeep {
    /// Starts it on a runtime: at once, and then every `storage.sweep_every`.
    pub fn start(app: Data<App>, runtime: &Handle) -> Self {
        let task = runtime.spawn(async move {
            let mut ticks = tokio::time::interval(app.config.storage.sweep_every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let storage = app.storage.clone();
                if let Err(error) = tokio::task::spawn_blocking(move || storage.sweep_incoming()).await {
                    tracing::error!(%error, "interrupted uploads could not be looked for");
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
