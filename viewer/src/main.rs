//! Entry point of the desktop viewer: parses the command line, opens the sources, and shows a window or draws a picture.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bevy::app::Last;
use bevy::ecs::message::MessageReader;
use bevy::tasks::block_on;
use parterre_viewer::cli::Arguments;
use parterre_viewer::fault::Fault;
use parterre_viewer::source::{self, Address, OpenScan};
use parterre_viewer::stream::scans::{Opened, Scans, Unopened};
use parterre_viewer::ui::state::CopyView;
use parterre_viewer::{app, screenshot};

/// Time limit for opening the sources of a window.
const OPEN_TIMEOUT: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    let raw_arguments: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::parse_all(&raw_arguments) {
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
    let opened = open(arguments)?;
    for Unopened { source, fault } in &opened.unopened {
        // A closed output is no error.
        let _ = writeln!(
            std::io::stderr(),
            "warning: the source {source} is left out: {}\n  code: {}\n  hint: {}",
            fault.message,
            fault.code,
            fault.hint
        );
    }
    let settings = arguments.settings();
    if let Some(path) = &arguments.screenshot {
        let state = screenshot::draw_picture(arguments, opened, settings, path)?;
        return print_json(arguments, &state);
    }
    if let (Some(views), Some(folder)) = (&arguments.views, &arguments.output) {
        let views = screenshot::read_views(views)?;
        let states = screenshot::draw_views(arguments, opened, settings, &views, folder)?;
        return print_json(arguments, &states);
    }
    let names: Vec<&str> = opened.scans.iter().map(|(open, _)| open.name.as_str()).collect();
    let mut app = app::window_app(&names.join(", "), settings, Some(arguments.size));
    app.insert_resource(arguments.start_view());
    app.world_mut().resource_mut::<Scans>().add_all(opened);
    let sources: Vec<String> = arguments.sources.iter().map(|source| format!("'{source}'")).collect();
    let moves = arguments.moves.iter().map(|(number, moved)| {
        let [x, y, z] = moved.by_m.to_array();
        format!(" --move {number}:{x},{y},{z},{}", moved.turn_rad.to_degrees())
    });
    let sources = sources.join(" ") + &moves.collect::<String>();
    app.add_systems(Last, move |mut copies: MessageReader<CopyView>| {
        for CopyView(view) in copies.read() {
            // A closed output is no error.
            let _ = writeln!(std::io::stdout(), "parterre-viewer {sources} --view '{view}'");
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

/// Opens the sources, all at the same time and within one time limit. Those that cannot be opened are left out, unless that is all of them.
fn open(arguments: &Arguments) -> Result<Opened, Fault> {
    let limit = if arguments.screenshot.is_some() || arguments.views.is_some() { arguments.time_limit() } else { OPEN_TIMEOUT };
    let deadline = Instant::now() + limit;
    let opening: Vec<_> = arguments.sources.iter().map(|source| start_opening(source)).collect();
    let mut opened = Opened::default();
    for ((index, source), opening) in arguments.sources.iter().enumerate().zip(opening) {
        let left = deadline.saturating_duration_since(Instant::now());
        let result = opening.and_then(|result| {
            result.recv_timeout(left).unwrap_or_else(|_| {
                Err(Fault::storage(
                    "open_timeout",
                    format!("{source} could not be opened within {} s", limit.as_secs()),
                    "Check that the service is running and the network works. With --screenshot, a longer --timeout can help.",
                ))
            })
        });
        match result {
            Ok(open) => opened.scans.push((open, arguments.move_of(index))),
            Err(fault) => opened.unopened.push(Unopened { source: source.clone(), fault }),
        }
    }
    if opened.scans.is_empty() && !opened.unopened.is_empty() {
        return Err(opened.unopened.swap_remove(0).fault);
    }
    Ok(opened)
}

/// Opens a source on a thread of its own.
fn start_opening(source: &str) -> Result<Receiver<Result<OpenScan, Fault>>, Fault> {
    let address = Address::parse(source)?;
    let (sender, opened) = channel();
    std::thread::spawn(move || {
        // The receiver is gone after the time limit.
        let _ = sender.send(block_on(source::open(address)));
    });
    Ok(opened)
}
