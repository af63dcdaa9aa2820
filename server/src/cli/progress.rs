//! A progress bar on standard error; a line from time to time if that is no terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows a progress from 0 to 1 and the name of the current step.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    last_line: Mutex<Instant>,
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
        Self { bar, last_line: Mutex::new(Instant::now()) }
    }

    pub(super) fn set(&self, what: &str, fraction: f64) {
        let fraction = fraction.clamp(0.0, 1.0);
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
            bar.set_position((fraction * 1000.0) as u64);
            return;
        }
        let mut last_line = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        if last_line.elapsed() >= LINE_EVERY {
            *last_line = Instant::now();
            // Progress that cannot be printed is no reason to stop.
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
