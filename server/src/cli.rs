//! The command line.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | a fault of ours |
//! | 2 | the command line is wrong |
//! | 3 | the input cannot be used |
//! | 4 | storage, database, memory or the port failed |
//! | 130 | stopped by Ctrl-C |
//!
//! With `--json` stdout gets exactly one JSON document: the result, or `{"error": {code, message, hint}}`. Progress and
//! everything meant for people goes to stderr. A reader that closes its end of the pipe is no error.

mod demo;
mod follow;
mod import;
mod inspect;
mod migrate;
mod output;
mod progress;
mod retry;
mod run_job;
mod serve;
mod stop;
mod tile;
mod unpack;
mod wishes;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use parterre_model::ErrorKind;
use parterre_model::catalog::Fault;

use crate::db::DatabaseUrl;
use crate::jobs::process;

/// 3D scans of venues: catalogue service and tools.
#[derive(Debug, Parser)]
#[command(name = "parterre", version, propagate_version = true, after_help = EXIT_CODES)]
struct Cli {
    /// One JSON document on stdout, errors too.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 internal fault, 2 usage, 3 bad input, 4 storage, database, memory or port, 130 stopped.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the catalogue service.
    Serve(serve::Serve),
    /// Bring the database up to date.
    Migrate(migrate::Migrate),
    /// Put a scan file into the catalogue and make its tiles.
    Import(import::Import),
    /// Try a failed job again.
    Retry(retry::Retry),
    /// Make tiles.3tz and report.json out of scan files.
    Tile(tile::Tile),
    /// Say what scan files hold and what tiling them takes.
    Inspect(inspect::Inspect),
    /// Write a tiles.3tz as loose files.
    Unpack(unpack::Unpack),
    /// Make a demo venue: scan.laz and truth.json.
    Demo(demo::Demo),
    /// The process of one job.
    #[command(name = process::SUBCOMMAND, hide = true)]
    RunJob(run_job::RunJob),
}

/// Where the catalogue is.
#[derive(Clone, Debug, Args)]
struct DataArgs {
    /// Folder of the catalogue: database and objects.
    #[arg(long, value_name = "DIR", default_value = "data", env = "PARTERRE_DATA")]
    data: PathBuf,
    /// SQLite file or postgres:// address, if not DIR/parterre.sqlite.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true, value_parser = DatabaseUrl::parse)]
    database: Option<DatabaseUrl>,
}

impl DataArgs {
    fn database(&self) -> DatabaseUrl {
        self.database.clone().unwrap_or_else(|| DatabaseUrl::in_dir(&self.data))
    }
}

/// Why a command ended badly.
#[derive(Debug)]
struct Failure {
    exit: u8,
    fault: Fault,
    /// Causes, for people only.
    causes: Vec<String>,
}

type Outcome = Result<(), Failure>;

impl Failure {
    fn new(exit: u8, code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { exit, fault: Fault::new(code, message, hint), causes: Vec::new() }
    }

    fn usage(message: impl Into<String>, hint: &str) -> Self {
        Self::new(2, "usage", message, hint)
    }

    fn stopped() -> Self {
        Self::from(parterre_model::Error::Cancelled)
    }

    /// Of database or storage.
    fn catalogue(error: &anyhow::Error) -> Self {
        let message = format!("{error}");
        let hint = "Check the folder given with --data and the address given with --database, and that the disk is not full.";
        let causes = error.chain().skip(1).map(ToString::to_string).collect();
        Self { exit: 4, fault: Fault::new("catalogue_failed", message, hint), causes }
    }

    fn internal(error: &anyhow::Error) -> Self {
        let hint = "Please report this with the command that led to it.";
        Self { exit: 1, fault: Fault::new("internal", format!("{error:#}"), hint), causes: Vec::new() }
    }
}

impl From<parterre_model::Error> for Failure {
    fn from(error: parterre_model::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::BadInput => 3,
            ErrorKind::Storage => 4,
            ErrorKind::Cancelled => 130,
            ErrorKind::Internal => 1,
        };
        Self { exit, fault: Fault::from(&error), causes: Vec::new() }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, &arguments),
    };
    let json = cli.json;
    let outcome = match cli.command {
        Command::Serve(command) => command.run(json),
        Command::Migrate(command) => command.run(json),
        Command::Import(command) => command.run(json),
        Command::Tile(command) => command.run(json),
        Command::Inspect(command) => command.run(json),
        Command::Unpack(command) => command.run(json),
        Command::Demo(command) => command.run(json),
        Command::Retry(command) => command.run(json),
        Command::RunJob(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure.fault, &failure.causes, json);
            ExitCode::from(failure.exit)
        }
    }
}

/// Help and version go to stdout and are no error; the rest is one, as JSON where that is asked for.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if !error.use_stderr() || !arguments.iter().any(|argument| argument == "--json") {
        // A closed pipe is all that can go wrong here.
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    output::failure(&Fault::new("usage", message, "parterre --help lists commands and options."), &[], true);
    ExitCode::from(2)
}
