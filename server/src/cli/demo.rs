//! `parterre demo`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use parterre_model::Error;
use parterre_venue as venue;

use super::failure::{Failure, Outcome};
use super::progress::Progress;
use super::{output, stop};
use crate::pages::format;

/// Make a demo venue: scan.laz and truth.json; or, with --stadium, a large scan to measure with.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder for scan.laz and truth.json, created if missing; with --stadium a file that ends in .las or .laz.
    #[arg(short, long, value_name = "DIR|FILE")]
    output: PathBuf,
    /// Seed of the random numbers; the same seed makes the same venue.
    #[arg(long, default_value_t = venue::Options::default().seed)]
    seed: u64,
    /// Approximate number of points.
    #[arg(long, default_value_t = venue::Options::default().points, value_parser = clap::value_parser!(u64).range(venue::MIN_POINTS..=venue::MAX_POINTS))]
    points: u64,
    /// Make one file with a stadium of so many random points instead.
    #[arg(long, value_name = "POINTS", conflicts_with = "points", value_parser = clap::value_parser!(u64).range(1..=venue::stadium::MAX_POINTS))]
    stadium: Option<u64>,
}

impl Demo {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        match self.stadium {
            Some(points) => self.stadium(points, as_json),
            None => self.hall(as_json),
        }
    }

    fn stadium(self, points: u64, as_json: bool) -> Outcome {
        let stop = stop::on_signals();
        let progress = Progress::new();
        let made = venue::stadium::write(&self.output, points, self.seed, &stop, &|fraction| progress.set("writing", fraction))?;
        progress.done();
        if as_json {
            return output::json(&made);
        }
        let size = format::bytes(made.bytes);
        output::line(&format!("{}: {}, {size}, {:.1} s", self.output.display(), format::points(made.points), made.seconds))
    }

    fn hall(self, as_json: bool) -> Outcome {
        let io = |action, path: &Path| {
            let path = path.to_path_buf();
            move |error| Failure::from(Error::io(action, path, error))
        };
        std::fs::create_dir_all(&self.output).map_err(io("make", &self.output))?;
        // Written to a temporary folder and renamed: a stopped run leaves no partial files.
        let work = tempfile::Builder::new().prefix(".demo-").tempdir_in(&self.output).map_err(io("make", &self.output))?;
        let stop = stop::on_signals();
        let progress = Progress::new();
        let options = venue::Options { seed: self.seed, points: self.points };
        let made = std::thread::scope(|scope| {
            let working = scope.spawn(|| venue::demo(work.path(), &options, &|fraction| progress.set("scanning", fraction)));
            while !working.is_finished() {
                if stop.load(Ordering::SeqCst) {
                    // The generator cannot be interrupted, and its result is not needed.
                    let _ = std::fs::remove_dir_all(work.path());
                    std::process::exit(130);
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            working.join().map_err(|_| Error::Internal("the demo venue's generator panicked".into()))
        })
        .map_err(Failure::from)?
        .map_err(Failure::from)?;
        progress.done();
        for name in ["scan.laz", "truth.json"] {
            let to = self.output.join(name);
            std::fs::rename(work.path().join(name), &to).map_err(io("write", &to))?;
        }
        if as_json {
            return output::json(&made);
        }
        output::line(&format!(
            "{}: {} from {} positions, {:.1} s",
            self.output.join("scan.laz").display(),
            format::points(made.points),
            made.setups,
            made.seconds
        ))
    }
}
