//! `parterre run-job`, hidden: the process of one job, started by the service, by `import` and by `retry`.

use clap::Args;

use super::failure::{Failure, Outcome};
use crate::jobs::child;

/// Work on the job that comes on standard input.
#[derive(Debug, Args)]
pub(super) struct RunJob {}

impl RunJob {
    pub(super) fn run(self) -> Outcome {
        child::run().map_err(|error| {
            let fault = error.fault();
            // For the log of the service, or for somebody who has called this by hand.
            Failure::new(
                2,
                &fault.code,
                format!("the first line of standard input is no job: {error:?}"),
                "The service starts this command by itself.",
            )
        })
    }
}
