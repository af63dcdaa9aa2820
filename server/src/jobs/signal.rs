//! Wakes the worker when a job is added.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes a waiting worker.
#[derive(Debug, Default)]
pub struct JobSignal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl JobSignal {
    /// Wakes the worker, or keeps it from waiting the next time.
    pub fn notify(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits for [`JobSignal::notify`], for at most that time.
    pub fn wait(&self, at_most: Duration) {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut is_set, _) = self.changed.wait_timeout_while(is_set, at_most, |is_set| !*is_set).unwrap_or_else(PoisonError::into_inner);
        *is_set = false;
    }
}
