//! A progress bar on stderr; where that is no terminal, a line now and then.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Silence is not longer than this.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Progress from 0 to 1 with the name of what is being done.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    told: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1000);
            if let Ok(style) = ProgressStyle::with_template("{msg:12} [{bar:40}] {percent:>3} %  {elapsed_precise}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar, told: Mutex::new(Instant::now()) }
    }

    pub(super) fn set(&self, what: &str, fraction: f64) {
        let fraction = fraction.clamp(0.0, 1.0);
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
            bar.set_position((fraction * 1000.0) as u64);
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= LINE_EVERY {
            *told = Instant::now();
            // Progress that cannot be told is no reason to stop.
            let _ = writeln!(std::io::stderr().lock(), "{what}: {:.0} %", fraction * 100.0);
        }
    }

    pub(super) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done();
    }
}
