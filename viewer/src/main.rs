//! Entry point of the desktop viewer: parses the command line, opens the source, and shows a window or draws a picture.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use bevy::app::Last;
use bevy::ecs::message::MessageReader;
use bevy::tasks::block_on;
use clap::Parser as _;
use parterre_viewer::cli::Arguments;
use parterre_viewer::fault::Fault;
use parterre_viewer::source::{self, Address, OpenScan};
use parterre_viewer::stream::active_scan::ActiveScan;
use parterre_viewer::ui::state::CopyView;
use parterre_viewer::{app, screenshot};

/// Time limit for opening the source of a window.
const OPEN_TIMEOUT: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    let raw_arguments: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(&raw_arguments) {
        Ok(arguments) => arguments,
        Err(error) => return report_parse_error(&error, &raw_arguments),
    };
    // bevy panics where there is no graphics driver; the exit code must still be a documented one.
    let result =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&arguments))).unwrap_or_else(|panic| Err(fault_of_panic(&*panic)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Writing fails where the output is closed; the exit code still reports the error.
            let _ = writeln!(std::io::stderr(), "error: {}\n  code: {}\n  hint: {}", fault.message, fault.code, fault.hint);
            if arguments.json {
                let _ = writeln!(std::io::stdout(), "{}", serde_json::json!({ "error": fault }));
            }
            ExitCode::from(fault.exit_code())
        }
    }
}

/// Prints what clap answers: help and version as a success, anything else as an error, also as JSON with `--json`.
fn report_parse_error(error: &clap::Error, raw_arguments: &[OsString]) -> ExitCode {
    // Writing fails where the output is closed; the exit code still reports the error.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    if raw_arguments.iter().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let first_line = text.lines().next().unwrap_or_default();
        let message = first_line.strip_prefix("error: ").unwrap_or(first_line);
        let error = serde_json::json!({ "code": "usage", "message": message, "hint": "parterre-viewer --help lists the options." });
        let _ = writeln!(std::io::stdout(), "{}", serde_json::json!({ "error": error }));
    }
    ExitCode::from(2)
}

fn fault_of_panic(panic: &(dyn std::any::Any + Send)) -> Fault {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("the program stopped without a message");
    if message.contains("Unable to find a GPU") {
        Fault::internal(
            "no_gpu",
            "no graphics driver was found",
            "Install a driver for Vulkan or OpenGL; Debian's mesa-vulkan-drivers draws without a graphics card.",
        )
    } else if message.contains("Failed to build event loop") {
        Fault::internal(
            "window",
            "there is no display for a window",
            "Start the viewer on a machine with a display, or use --screenshot, which needs none.",
        )
    } else {
        Fault::internal("internal", message, "Please report this error with the command line that was used.")
    }
}

fn run(arguments: &Arguments) -> Result<(), Fault> {
    let open = open(arguments)?;
    let settings = arguments.settings();
    if let Some(path) = &arguments.screenshot {
        let state = screenshot::draw_picture(arguments, open, settings, path)?;
        return print_json(arguments, &state);
    }
    if let (Some(views), Some(folder)) = (&arguments.views, &arguments.output) {
        let views = screenshot::read_views(views)?;
        let states = screenshot::draw_views(arguments, open, settings, &views, folder)?;
        return print_json(arguments, &states);
    }
    let mut app = app::window_app(&open.name, settings.clone(), Some(arguments.size));
    app.insert_resource(ActiveScan::new(open, settings.cache_bytes)).insert_resource(arguments.start_view());
    let source = arguments.source.clone();
    app.add_systems(Last, move |mut copies: MessageReader<CopyView>| {
        for CopyView(view) in copies.read() {
            // A closed output is no error.
            let _ = writeln!(std::io::stdout(), "parterre-viewer '{source}' --view '{view}'");
        }
    });
    if app.run().is_error() {
        return Err(Fault::internal(
            "window",
            "the window could not be opened, or it closed unexpectedly",
            "See the messages above; the viewer needs a display and a graphics driver.",
        ));
    }
    Ok(())
}

/// Prints what was drawn, where that is wanted.
fn print_json(arguments: &Arguments, drawn: &impl serde::Serialize) -> Result<(), Fault> {
    if arguments.json {
        let document =
            serde_json::to_string(drawn).map_err(|error| Fault::internal("internal", error.to_string(), "Please report this error."))?;
        // A closed output is no error: the pictures have been written.
        let _ = writeln!(std::io::stdout(), "{document}");
    }
    Ok(())
}

/// Opens the source within a time limit.
fn open(arguments: &Arguments) -> Result<OpenScan, Fault> {
    let address = Address::parse(&arguments.source)?;
    let limit = if arguments.screenshot.is_some() || arguments.views.is_some() { arguments.time_limit() } else { OPEN_TIMEOUT };
    let (sender, opened) = channel();
    std::thread::spawn(move || {
        // The receiver is gone after the time limit.
        let _ = sender.send(block_on(source::open(address)));
    });
    opened.recv_timeout(limit).unwrap_or_else(|_| {
        Err(Fault::storage(
            "open_timeout",
            format!("{} could not be opened within {} s", arguments.source, limit.as_secs()),
            "Check that the service is running and the network works. With --screenshot, a longer --timeout can help.",
        ))
    })
}
