//! `parterre run-job`, hidden: the process of one job or of the check of a file, started by the service and by the commands that read scans.

use clap::Args;

use super::failure::{Failure, Outcome};
use crate::jobs::child;

/// Work on the task that comes on standard input.
#[derive(Debug, Args)]
pub(super) struct RunJob {}

impl RunJob {
    #[expect(clippy::unused_self, reason = "as the other commands are called")]
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
