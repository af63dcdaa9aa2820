//! The desktop viewer's entry: reads the command line, opens the source, and shows a window or draws a picture.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use bevy::tasks::block_on;
use clap::Parser as _;
use parterre_viewer::cli::Arguments;
use parterre_viewer::fault::Fault;
use parterre_viewer::source::{self, Address, OpenScan};
use parterre_viewer::stream::active_scan::ActiveScan;
use parterre_viewer::{app, screenshot};

/// How long a window waits for its source.
const OPEN_LIMIT: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(&given) {
        Ok(arguments) => arguments,
        Err(error) => return not_parsed(&error, &given),
    };
    // The engine panics where there is no graphics driver; the exit code must still be one of those promised.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&arguments))).unwrap_or_else(|panic| Err(panicked(&*panic)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Nobody may be listening; the exit code tells it all the same.
            let _ = writeln!(std::io::stderr(), "error: {}\n  code: {}\n  hint: {}", fault.message, fault.code, fault.hint);
            if arguments.json {
                let _ = writeln!(std::io::stdout(), "{}", serde_json::json!({ "error": fault }));
            }
            ExitCode::from(fault.exit_code())
        }
    }
}

/// Help and version are no error; the rest is one, as JSON where that is asked for.
fn not_parsed(error: &clap::Error, given: &[OsString]) -> ExitCode {
    // Nobody may be listening; the exit code tells it all the same.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    if given.iter().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        let error = serde_json::json!({ "code": "usage", "message": message, "hint": "parterre-viewer --help lists the options." });
        let _ = writeln!(std::io::stdout(), "{}", serde_json::json!({ "error": error }));
    }
    ExitCode::from(2)
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Fault {
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
    if message.contains("Unable to find a GPU") {
        Fault::internal("no_gpu", "no graphics driver was found", "Install one; Debian's mesa-vulkan-drivers draws in software.")
    } else if message.contains("Failed to build event loop") {
        Fault::internal("window", "there is no display for a window", "Start it where there is a display; --screenshot draws without one.")
    } else {
        Fault::internal("internal", message, "Please report this with the command that led to it.")
    }
}

fn run(arguments: &Arguments) -> Result<(), Fault> {
    let open = open(arguments)?;
    let settings = arguments.settings();
    if let Some(path) = &arguments.screenshot {
        let state = screenshot::take(arguments, open, settings, path)?;
        if arguments.json {
            let document =
                serde_json::to_string(&state).map_err(|error| Fault::internal("internal", error.to_string(), "Please report this."))?;
            // A reader that has gone away has what it wanted.
            let _ = writeln!(std::io::stdout(), "{document}");
        }
        return Ok(());
    }
    let mut app = app::window_app(&open.name, settings.clone(), Some(arguments.size));
    app.insert_resource(ActiveScan::new(open, settings.cache_bytes)).insert_resource(arguments.start_view());
    if app.run().is_error() {
        return Err(Fault::internal(
            "window",
            "the window could not be kept open",
            "See the messages above; a display and a graphics driver are needed.",
        ));
    }
    Ok(())
}

/// Opens the source; for a picture, within its time limit.
fn open(arguments: &Arguments) -> Result<OpenScan, Fault> {
    let address = Address::parse(&arguments.source)?;
    let limit = if arguments.screenshot.is_some() { arguments.time_limit() } else { OPEN_LIMIT };
    let (sender, opened) = channel();
    std::thread::spawn(move || {
        // Nobody listens any more once the time is over.
        let _ = sender.send(block_on(source::open(address)));
    });
    opened.recv_timeout(limit).unwrap_or_else(|_| {
        Err(Fault::storage(
            "open_timeout",
            format!("{} was not open after {} s", arguments.source, limit.as_secs()),
            "Check that the service runs, and the network; or give a picture a longer --timeout.",
        ))
    })
}
