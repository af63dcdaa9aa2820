//! The process of a task, seen from the service or a command: started, told to stop, and its end understood.
//!
//! Jobs and checks of files have processes of their own for two reasons: memory goes back to the system when they end, and a decoder that
//! aborts or runs out of memory ends the task alone. The process is this program itself with the subcommand `run-job`; see [`super::protocol`] for
//! what is said over its pipes. It never outlives the service: the end of its standard input stops it.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::error::JobError;
use super::protocol::{Failure, Message, Task};

/// Name of the hidden subcommand.
pub const SUBCOMMAND: &str = "run-job";
/// How often a request to stop is looked for.
const TICK: Duration = Duration::from_millis(100);
/// Longest line of standard error that is kept, in bytes.
const MAX_LOG_LINE: u64 = 2000;
/// Longest message, in bytes: reports grow by some hundred bytes for each setup and picture of a scan.
const MAX_MESSAGE: u64 = 256 << 20;

/// Why a process gave no result.
#[derive(Debug)]
pub enum ProcessError {
    /// It could not be started or not be waited for.
    NotRun(anyhow::Error),
    /// It said that its work failed.
    Failed(Failure),
    /// It was told to stop.
    Stopped,
    /// It ended without saying anything. The cause is for the log.
    Ended(End, anyhow::Error),
}

/// How a process ended that said nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Memory was denied to it.
    OutOfMemory,
    /// By a signal that others send: hang-up, interrupt, kill, terminate.
    Killed,
    /// By a signal that its own fault causes, such as an abort or a segmentation fault.
    Crashed,
    /// By itself, without a signal.
    WithoutResult,
}

impl From<ProcessError> for JobError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::NotRun(cause) => Self::internal(cause),
            ProcessError::Failed(failure) => failure.into(),
            ProcessError::Stopped => Self::Cancelled,
            ProcessError::Ended(End::OutOfMemory, cause) => Self::service("out_of_memory", cause),
            ProcessError::Ended(End::Killed, cause) => Self::service("job_killed", cause),
            ProcessError::Ended(End::Crashed | End::WithoutResult, cause) => Self::service("job_crashed", cause),
        }
    }
}

/// Runs a task in a process of its own and returns its result. `name` identifies the task in the log: the job's identifier, or the file that
/// is checked. `observe` gets stage and fraction. When `shall_stop` says so the process is told to stop, and killed where it has not
/// ended after `stop_time`.
///
/// # Errors
/// See [`ProcessError`].
pub fn run(
    program: &Path,
    name: &str,
    task: &Task,
    shall_stop: &(dyn Fn() -> bool + Sync),
    stop_time: Duration,
    observe: &(dyn Fn(&str, f64) + Sync),
) -> Result<String, ProcessError> {
    let task = serde_json::to_string(task).map_err(|error| ProcessError::NotRun(error.into()))?;
    let mut child = start(program).map_err(ProcessError::NotRun)?;
    tracing::debug!(task = name, pid = child.id(), "process of the task started");
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let child = Mutex::new(child);
    let (has_ended, said_on_stderr) = (AtomicBool::new(false), StandardError::default());
    let (child, has_ended) = (&child, &has_ended);
    let (said, status) = std::thread::scope(|scope| {
        scope.spawn(|| stderr.map(|stderr| said_on_stderr.log(name, stderr)));
        let shall_stop = || shall_stop() || said_on_stderr.is_memory_denied.load(Ordering::SeqCst);
        let stopper = scope.spawn(move || stop_when_needed(stdin, &task, child, &shall_stop, stop_time, has_ended));
        let said = stdout.and_then(|stdout| listen(name, stdout, observe));
        let status = wait(child, stop_time);
        has_ended.store(true, Ordering::SeqCst);
        stopper.thread().unpark();
        (said, status)
    });
    match said {
        Some(Message::Done { report }) => Ok(report),
        // Told to stop because memory was denied to it, and not by the caller: that is no wish to stop.
        Some(Message::Failed(failure)) if !matches!(failure, Failure::Cancelled) || shall_stop() => Err(ProcessError::Failed(failure)),
        _ if shall_stop() => Err(ProcessError::Stopped),
        _ => {
            let status = status.map_err(|error| ProcessError::NotRun(error.into()))?;
            Err(unexpected_end(status, &said_on_stderr))
        }
    }
}

fn start(program: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.arg(SUBCOMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        // A group of its own: Ctrl-C in a terminal reaches the service alone, which stops the process in order.
        command.arg0("parterre").process_group(0);
    }
    // A backtrace of denied memory asks for memory itself and can wait for ever.
    command.env("RUST_BACKTRACE", "0");
    command.spawn().with_context(|| format!("failed to start {}", program.display()))
}

/// Sends the task, then keeps the pipe open until the process shall stop: the task is cancelled, or the process was denied memory and may not
/// be able to end by itself.
fn stop_when_needed(
    stdin: Option<ChildStdin>,
    task: &str,
    child: &Mutex<Child>,
    shall_stop: &dyn Fn() -> bool,
    stop_time: Duration,
    has_ended: &AtomicBool,
) {
    let Some(mut stdin) = stdin else { return };
    // A process that has ended already says why by its status.
    let _ = writeln!(stdin, "{task}").and_then(|()| stdin.flush());
    while !has_ended.load(Ordering::SeqCst) && !shall_stop() {
        std::thread::park_timeout(TICK);
    }
    let _ = stdin.write_all(b"stop\n");
    let asked = Instant::now();
    while !has_ended.load(Ordering::SeqCst) {
        if asked.elapsed() >= stop_time {
            kill(child);
            return;
        }
        std::thread::park_timeout(TICK);
    }
}

/// Reads messages until the process closes its output; returns the result, if there is one.
fn listen(name: &str, stdout: impl Read, observe: &(dyn Fn(&str, f64) + Sync)) -> Option<Message> {
    let mut reader = BufReader::new(stdout);
    loop {
        let line = match read_line(&mut reader, MAX_MESSAGE) {
            Ok(Some(line)) => line,
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(task = name, %error, "the output of the process could not be read");
                return None;
            }
        };
        match serde_json::from_slice(&line) {
            Ok(Message::Progress { stage, fraction }) => observe(&stage, fraction),
            Ok(result) => return Some(result),
            Err(error) => tracing::warn!(task = name, %error, "a line of the process is no message"),
        }
    }
}

/// The next line, without what it has beyond `max_bytes`; `None` at the end.
fn read_line(reader: &mut impl BufRead, max_bytes: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.by_ref().take(max_bytes).read_until(b'\n', &mut line)?;
    if line.len() as u64 == max_bytes && line.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
    }
    Ok((!line.is_empty()).then_some(line))
}

/// Waits for the end of a process that has closed its output or told its result; one that does not end is killed.
fn wait(child: &Mutex<Child>, stop_time: Duration) -> std::io::Result<ExitStatus> {
    let asked = Instant::now();
    loop {
        // Not held while waiting, so that it can be killed.
        if let Some(status) = child.lock().unwrap_or_else(PoisonError::into_inner).try_wait()? {
            return Ok(status);
        }
        if asked.elapsed() >= stop_time {
            kill(child);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(child: &Mutex<Child>) {
    if let Err(error) = child.lock().unwrap_or_else(PoisonError::into_inner).kill() {
        tracing::warn!(%error, "the process of a task could not be killed");
    }
}

/// What the process has said on standard error.
#[derive(Debug, Default)]
struct StandardError {
    /// The last line.
    tail: Mutex<String>,
    /// Whether a line was what Rust's or C++'s runtime says when memory is denied, before it aborts.
    is_memory_denied: AtomicBool,
}

impl StandardError {
    /// Writes what comes to the service's log.
    fn log(&self, name: &str, stderr: impl Read) {
        let mut reader = BufReader::new(stderr);
        while let Ok(Some(line)) = read_line(&mut reader, MAX_LOG_LINE) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if !text.is_empty() {
                tracing::warn!(task = name, "process of the task: {text}");
                let is_denied = text.starts_with("memory allocation of ") || text.contains("std::bad_alloc");
                self.is_memory_denied.fetch_or(is_denied, Ordering::SeqCst);
                *self.tail.lock().unwrap_or_else(PoisonError::into_inner) = text;
            }
        }
    }
}

/// The error of a process that ended without a result.
fn unexpected_end(status: ExitStatus, said: &StandardError) -> ProcessError {
    let end = match signal(status) {
        _ if said.is_memory_denied.load(Ordering::SeqCst) => End::OutOfMemory,
        // Never sent by a process to itself.
        Some(1 | 2 | 9 | 15) => End::Killed,
        Some(_) => End::Crashed,
        None => End::WithoutResult,
    };
    let last = said.tail.lock().unwrap_or_else(PoisonError::into_inner);
    ProcessError::Ended(end, anyhow::anyhow!("the process ended without a result: {status}; last line: {last:?}"))
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;

    use super::super::protocol::TileTask;
    use super::*;

    fn task(dir: &Path) -> Task {
        Task::Tile(TileTask {
            source: dir.join("source"),
            work_dir: dir.join("work"),
            file_name: "hall.las".into(),
            overrides: parterre_read::Override::default(),
            fingerprint: String::new(),
            memory_bytes: 1,
            memory_limit_bytes: 1,
            tile_points: 1,
        })
    }

    /// Runs a shell script as the program; returns its end and what was observed.
    fn run_script(script: &str, cancel: &AtomicBool) -> anyhow::Result<(Result<String, JobError>, Vec<String>)> {
        let dir = tempfile::tempdir()?;
        let program = dir.path().join("program");
        // Written by another process: a file that this one has open for writing could not be run while another test starts a process.
        let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$2" && chmod +x "$2""#;
        let made = Command::new("sh").args(["-c", write, "sh", script]).arg(&program).status()?;
        anyhow::ensure!(made.success(), "the script could not be written");
        let observed = Mutex::new(Vec::new());
        let observe = |stage: &str, fraction: f64| {
            if let Ok(mut observed) = observed.lock() {
                observed.push(format!("{stage} {fraction}"));
            }
        };
        let shall_stop = || cancel.load(Ordering::SeqCst);
        let result = run(&program, "job", &task(dir.path()), &shall_stop, Duration::from_millis(300), &observe);
        Ok((result.map_err(JobError::from), observed.into_inner().unwrap_or_default()))
    }

    #[test]
    fn every_way_to_end_without_a_result_has_a_code() -> anyhow::Result<()> {
        for (script, code) in [
            ("kill -9 $$", "job_killed"),
            ("kill -TERM $$", "job_killed"),
            ("kill -ABRT $$", "job_crashed"),
            ("kill -SEGV $$", "job_crashed"),
            ("exit 101", "job_crashed"),
            ("exit 0", "job_crashed"),
            ("echo no message; exit 0", "job_crashed"),
            ("echo 'memory allocation of 12 bytes failed' >&2; kill -ABRT $$", "out_of_memory"),
            ("echo 'memory allocation of 12 bytes failed' >&2; echo note: of a backtrace >&2; exec sleep 60", "out_of_memory"),
            (
                r#"echo 'memory allocation of 12 bytes failed' >&2; read task; read stop; echo '{"failed":{"kind":"cancelled"}}'"#,
                "out_of_memory",
            ),
            (
                "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo 'memory allocation of 1 bytes failed' >&2; kill -ABRT $$",
                "out_of_memory",
            ),
            ("echo 'terminate called after throwing std::bad_alloc' >&2; kill -ABRT $$", "out_of_memory"),
            (r#"echo '{"failed":{"kind":"service","code":"disk_full","cause":"x"}}'"#, "disk_full"),
            (r#"echo '{"failed":{"kind":"bad_input","code":"las_scale","message":"m","hint":"h"}}'; exec sleep 60"#, "las_scale"),
        ] {
            let (result, _) = run_script(script, &AtomicBool::new(false))?;
            assert_eq!(result.err().map(|error| error.fault().code).as_deref(), Some(code), "{script}");
        }
        let missing =
            run(Path::new("/nowhere/parterre"), "job", &task(Path::new("/")), &|| false, TICK, &|_, _| ()).map_err(JobError::from);
        assert_eq!(missing.err().map(|error| error.fault().code).as_deref(), Some("internal"));
        Ok(())
    }

    #[test]
    fn the_task_arrives_and_progress_and_report_come_back() -> anyhow::Result<()> {
        let script = r#"read task; case "$task" in *hall.las*) ;; *) exit 1 ;; esac
echo '{"progress":{"stage":"count","fraction":0.25}}'
echo '{"done":{"report":"{}"}}'"#;
        let (result, observed) = run_script(script, &AtomicBool::new(false))?;
        assert_eq!(result.ok().as_deref(), Some("{}"));
        assert_eq!(observed, ["count 0.25"]);
        Ok(())
    }

    #[test]
    fn a_process_that_shall_stop_is_told_so_and_then_killed() -> anyhow::Result<()> {
        for script in ["read task; read stop; [ \"$stop\" = stop ] && exit 0; exec sleep 60", "exec sleep 60"] {
            let cancel = Arc::new(AtomicBool::new(false));
            let raise = std::thread::spawn({
                let cancel = Arc::clone(&cancel);
                move || {
                    std::thread::sleep(Duration::from_millis(200));
                    cancel.store(true, Ordering::SeqCst);
                }
            });
            let started = Instant::now();
            let (result, _) = run_script(script, &cancel)?;
            assert!(matches!(result, Err(JobError::Cancelled)), "{result:?}");
            assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
            assert!(raise.join().is_ok());
        }
        Ok(())
    }
}
