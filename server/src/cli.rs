//! The command line.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | internal fault |
//! | 2 | the command line is wrong |
//! | 3 | the input cannot be used |
//! | 4 | storage, database, memory or the port failed |
//! | 130 | stopped by Ctrl-C |
//!
//! With `--json`, standard output is exactly one JSON document: the result, or `{"error": {code, message, hint}}`. Progress and
//! all text for people go to standard error. A reader that closes its end of the pipe is no error.

mod check;
mod data;
mod demo;
mod failure;
mod follow;
mod import;
mod inspect;
mod memory;
mod migrate;
mod output;
mod overrides;
mod progress;
mod retry;
mod run_job;
mod serve;
mod stop;
mod sweep;
mod tile;
mod unpack;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use parterre_model::catalog::Fault;

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
    /// Bring the database up to date, or undo the last migrations.
    Migrate(migrate::Migrate),
    /// Find files that nothing in the catalogue names, and what the catalogue names that is missing.
    Sweep(sweep::Sweep),
    /// Put a scan file into the catalogue and make its tiles.
    Import(import::Import),
    /// Try a failed job again.
    Retry(retry::Retry),
    /// Make points.copc.laz, tiles.3tz and report.json from scan files.
    Tile(tile::Tile),
    /// Show the contents of scan files, and time and space that tiling them needs.
    Inspect(inspect::Inspect),
    /// Write a tiles.3tz as loose files.
    Unpack(unpack::Unpack),
    /// Make a demo venue: scan.laz and truth.json.
    Demo(demo::Demo),
    /// The process of one job, or of the check of a file.
    #[command(name = process::SUBCOMMAND, hide = true)]
    RunJob(run_job::RunJob),
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
        Command::Sweep(command) => command.run(json),
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

/// Prints help and version to standard output; everything else is an error, as JSON with `--json`.
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
