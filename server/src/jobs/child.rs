//! The process of a task, seen from inside: reads its task, limits its memory, tiles or checks a file, and says how it goes. It touches neither
//! the database nor the storage, only the file and the job's work folder.

use std::any::Any;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parterre_read as read;
use parterre_tiler as tiler;

use super::error::JobError;
use super::memory_limit;
use super::protocol::{CheckTask, Message, Task, TileTask};

/// Progress is sent no more often than this, except when the stage changes.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// The tiler stops within this time after the service has ended; else the process ends without it.
const STOP_TIME: Duration = Duration::from_secs(5);
/// How long the process of an attempt that died may still hold the work folder: [`STOP_TIME`], and some more on a busy machine.
const FOLDER_TIME: Duration = Duration::from_secs(20);

/// Runs the task that comes in the first line of standard input and writes messages to standard output; see
/// [`super::protocol`].
///
/// # Errors
/// The first line is no task; nothing has been done then. Failures of the task itself are messages.
pub fn run() -> Result<(), JobError> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(JobError::internal)?;
    let task: Task = serde_json::from_str(&line).map_err(JobError::internal)?;
    let cancel = Arc::new(AtomicBool::new(false));
    let output = Mutex::new(io::stdout());
    let result = memory_limit::apply(task.memory_limit_bytes())
        .map_err(JobError::internal)
        .and_then(|()| stop_with_the_service(&cancel, matches!(task, Task::Check(_))))
        .and_then(|()| contained(|| work(&task, &cancel, &output)));
    let message = match result {
        Ok(report) => Message::Done { report },
        Err(error) => Message::Failed(error.into()),
    };
    send(&output, &message);
    Ok(())
}

/// Raises `cancel` when the service says so or has ended, which closes the pipe. A process whose service has ended does not
/// stay longer than [`STOP_TIME`]; with `at_once`, for work that leaves nothing behind, it ends without delay.
fn stop_with_the_service(cancel: &Arc<AtomicBool>, at_once: bool) -> Result<(), JobError> {
    let cancel = Arc::clone(cancel);
    let watch = move || {
        // Whatever comes: a line, the end, an error.
        let _ = io::stdin().lock().read_line(&mut String::new());
        cancel.store(true, Ordering::SeqCst);
        if at_once {
            std::process::exit(1);
        }
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::thread::sleep(STOP_TIME);
        std::process::exit(1);
    };
    std::thread::Builder::new().name("stop".into()).spawn(watch).map(drop).map_err(|error| JobError::service("out_of_memory", error))
}

/// Does the work; a panic becomes an error.
fn contained(work: impl FnOnce() -> Result<String, JobError>) -> Result<String, JobError> {
    let result = catch_unwind(AssertUnwindSafe(work));
    result.unwrap_or_else(|payload| Err(of_panic(payload.as_ref())))
}

/// The error of a panic. The standard library and rayon panic where the system denies a thread its stack.
fn of_panic(payload: &(dyn Any + Send)) -> JobError {
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("a panic without a message");
    let is_denied = text.contains("failed to spawn thread") || text.contains("ThreadPoolBuildError");
    let code = if is_denied { "out_of_memory" } else { "internal" };
    JobError::service(code, anyhow::anyhow!("the process panicked: {text}"))
}

fn work(task: &Task, cancel: &Arc<AtomicBool>, output: &Mutex<impl Write + Send>) -> Result<String, JobError> {
    match task {
        Task::Tile(task) => tile(task, cancel, output),
        Task::Check(task) => check(task).map(|()| "null".into()),
    }
}

fn check(task: &CheckTask) -> Result<(), JobError> {
    read::open_with(&task.source, &task.overrides).map(drop).map_err(|error| JobError::of_file(error, &task.file_name))
}

fn tile(task: &TileTask, cancel: &Arc<AtomicBool>, output: &Mutex<impl Write + Send>) -> Result<String, JobError> {
    let of_file = |error| JobError::of_file(error, &task.file_name);
    let sent = Mutex::new((String::new(), Instant::now()));
    let progress = |stage: &str, fraction: f64| {
        let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.0 != stage || sent.1.elapsed() >= PROGRESS_EVERY {
            *sent = (stage.to_owned(), Instant::now());
            send(output, &Message::Progress { stage: stage.to_owned(), fraction });
        }
    };
    progress("read", 0.0);
    let options = tiler::Options {
        memory_bytes: task.memory_bytes,
        tile_points: task.tile_points,
        cancel: Some(Arc::clone(cancel)),
        job_fingerprint: Some(task.fingerprint.clone()),
        ..tiler::Options::default()
    };
    let started = Instant::now();
    loop {
        let source = read::open_with(&task.source, &task.overrides).map_err(of_file)?;
        match tiler::tile(&mut [source], &task.work_dir, &options, &|now| progress(now.stage, now.fraction)) {
            // The process of the attempt before is about to end.
            Err(error) if error.code() == "tiling_in_progress" && started.elapsed() < FOLDER_TIME && !cancel.load(Ordering::SeqCst) => {
                std::thread::sleep(Duration::from_millis(100));
            }
            result => return serde_json::to_string(&result.map_err(of_file)?).map_err(JobError::internal),
        }
    }
}

/// Writes a message as one line. The service may have ended: nobody listens then, and the process is about to stop.
fn send(output: &Mutex<impl Write>, message: &Message) {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(output, "{}", serde_json::json!(message)).and_then(|()| output.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(dir: &std::path::Path, source: &str) -> TileTask {
        TileTask {
            source: dir.join(source),
            work_dir: dir.join("work"),
            file_name: "hall.ply".into(),
            overrides: read::Override::default(),
            fingerprint: "this".into(),
            memory_bytes: 64 << 20,
            memory_limit_bytes: u64::MAX,
            tile_points: 1000,
        }
    }

    fn messages(output: Mutex<Vec<u8>>) -> Vec<Message> {
        let bytes = output.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    #[test]
    fn progress_and_report_are_sent_and_a_fault_names_the_uploaded_file() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let rows = (0..500).map(|i| format!("{} {} 1\n", i % 25, i / 25)).collect::<Vec<_>>().concat();
        let head = "ply\nformat ascii 1.0\nelement vertex 500\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
        std::fs::write(dir.path().join("source.bin"), format!("{head}{rows}"))?;
        let (cancel, output) = (Arc::default(), Mutex::new(Vec::new()));
        let report = contained(|| tile(&task(dir.path(), "source.bin"), &cancel, &output)).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let report: serde_json::Value = serde_json::from_str(&report)?;
        assert_eq!(report["points_out"], 500);
        let stages: Vec<String> = messages(output)
            .into_iter()
            .map(|message| if let Message::Progress { stage, .. } = message { stage } else { String::new() })
            .collect();
        assert_eq!(stages.first().map(String::as_str), Some("read"));
        assert!(stages.iter().any(|stage| stage == "sample"), "{stages:?}");

        std::fs::write(dir.path().join("text.bin"), "These are the minutes of the meeting.\n")?;
        let failed = contained(|| tile(&task(dir.path(), "text.bin"), &cancel, &Mutex::new(Vec::new())));
        let Err(JobError::BadInput(fault)) = failed else { anyhow::bail!("{failed:?}") };
        assert!(fault.message.starts_with("hall.ply: "), "{fault:?}");
        Ok(())
    }

    #[test]
    fn a_thread_without_memory_is_told_from_other_panics() {
        let code = |text: &'static str| of_panic(&text).fault().code;
        assert_eq!(code("failed to spawn thread: Os { code: 11, kind: WouldBlock }"), "out_of_memory");
        assert_eq!(code("The global thread pool has not been initialized.: ThreadPoolBuildError { kind: IOError(…) }"), "out_of_memory");
        assert_eq!(code("index out of bounds"), "internal");
    }
}
