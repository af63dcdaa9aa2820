//! A service in this process on a port of its own, a client that takes every status as an answer, and small scan files.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use parterre_server::app::App;
use parterre_server::config::Config;
use parterre_server::jobs::worker::Worker;
use parterre_server::models::jobs::Job;
use parterre_server::service;
use parterre_server::upkeep::Upkeep;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Sends a signal to a process that a test has started. Not by the program `kill`, which a bare Debian does not have.
pub fn send_signal(process: u32, signal: Signal) {
    let process = Pid::from_raw(process.cast_signed()).expect("the number of a process");
    kill_process(process, signal).expect("the process is there");
}

/// The program under test.
pub const PARTERRE: &str = env!("CARGO_BIN_EXE_parterre");

/// A LAZ of 1,043 bytes, made by fuzzing: decoding the times of its points overflows the stack, which ends a process by `SIGABRT`.
pub const STACK_OVERFLOW: &[u8] = include_bytes!("../data/laz-stack-overflow.laz");

/// A file of the shared test data; says so where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: the test data {} is not there", file.display());
    None
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: attohttpc::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body, once the status is checked.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Checks status and code of an error, and that it says something.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        let body = answer.json();
        assert_eq!(body["error"]["code"], code, "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        assert!(body["error"]["hint"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        answer
    }
}

/// A client of one service.
#[derive(Clone, Debug)]
pub struct Client {
    pub base: String,
}

impl Client {
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into() }
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        let method = attohttpc::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = attohttpc::RequestBuilder::new(method, format!("{}{path}", self.base))
            .follow_redirects(false)
            .timeout(Duration::from_mins(2))
            .bytes(body);
        for (name, value) in headers {
            request = request.header(attohttpc::header::HeaderName::from_bytes(name.as_bytes()).unwrap(), *value);
        }
        let (status, headers, body) = request.send().unwrap().split();
        Answer { status: status.as_u16(), headers, body: body.bytes().unwrap() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string())
    }

    pub fn upload(&self, venue: &str, name: &str, bytes: &[u8]) -> Answer {
        self.send("PUT", &format!("/api/venues/{venue}/uploads/{name}"), &[], bytes)
    }

    /// Adds a venue; returns its identifier.
    pub fn venue(&self, name: &str) -> String {
        let made = self.post("/api/venues", &serde_json::json!({ "name": name })).expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Waits for a job's end; gives its last state. Progress must not go back within one attempt.
    #[track_caller]
    pub fn wait(&self, job: &str) -> Value {
        let deadline = Instant::now() + Duration::from_mins(3);
        loop {
            let job = self.get(&format!("/api/jobs/{job}")).expect(200).json();
            let progress = job["progress"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&progress), "{job}");
            if matches!(job["state"].as_str(), Some("done" | "failed")) {
                return job;
            }
            assert!(Instant::now() < deadline, "the job does not end: {job}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Uploads a file and waits until it is published; gives scan and version.
    #[track_caller]
    pub fn publish(&self, venue: &str, name: &str, bytes: &[u8]) -> (String, u64) {
        let accepted = self.upload(venue, name, bytes).expect(202).json();
        let job = self.wait(accepted["job"].as_str().unwrap());
        assert_eq!(job["state"], "done", "{job}");
        (accepted["scan"].as_str().unwrap().to_owned(), accepted["version"].as_u64().unwrap())
    }

    /// Sends bytes as they are and gives everything that comes back.
    pub fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.base.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// A service in this process. At its end no job may be open.
pub struct TestApp {
    pub client: Client,
    pub dir: TempDir,
    pub app: Data<App>,
    worker: Option<Worker>,
    upkeep: Option<Upkeep>,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
    runtime: tokio::runtime::Handle,
    leftover_jobs_allowed: bool,
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A service without a worker: jobs stay in the queue.
    pub fn without_worker() -> Self {
        let mut app = Self::start();
        app.stop_worker();
        app
    }

    pub fn start_with(settings: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::in_dir(dir.path());
        config.worker.poll = Duration::from_millis(100);
        config.worker.memory_bytes = 128 << 20;
        // The program of this process is the tests.
        config.worker.program = PARTERRE.into();
        config.worker.backoff = Duration::from_millis(20);
        settings(&mut config);
        let app = Data::new(App::open(config).unwrap());
        let (send, receive) = mpsc::channel();
        let thread = std::thread::spawn({
            let app = Data::clone(&app);
            move || {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                runtime.block_on(async {
                    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                    let address = listener.local_addr().unwrap();
                    let server = HttpServer::new(move || service::build(Data::clone(&app)))
                        .workers(2)
                        .disable_signals()
                        .shutdown_timeout(1)
                        .listen(listener)
                        .unwrap()
                        .run();
                    send.send((address, server.handle(), tokio::runtime::Handle::current())).unwrap();
                    server.await.unwrap();
                });
            }
        });
        let (address, server, runtime): (SocketAddr, _, _) = receive.recv().unwrap();
        let worker = Worker::start(app.job_context(runtime.clone()), Arc::clone(&app.job_signal)).unwrap();
        let upkeep = Some(Upkeep::start(Data::clone(&app), &runtime));
        let client = Client::new(format!("http://{address}"));
        Self { client, dir, app, worker: Some(worker), upkeep, server, thread: Some(thread), runtime, leftover_jobs_allowed: false }
    }

    /// The runtime of the service.
    pub fn runtime(&self) -> tokio::runtime::Handle {
        self.runtime.clone()
    }

    /// Ends the worker: from here on jobs stay as they are.
    pub fn stop_worker(&mut self) {
        self.worker = None;
        self.leftover_jobs_allowed = true;
    }

    /// Files under the data folder's objects and work, relative.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.dir.path().join("objects"), self.dir.path().join("work")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push(entry.path().strip_prefix(self.dir.path()).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.worker = None;
        self.upkeep = None;
        self.runtime.block_on(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if std::thread::panicking() || self.leftover_jobs_allowed {
            return;
        }
        let open = Job::open(&mut self.app.database.get().unwrap()).unwrap();
        assert!(open.is_empty(), "jobs are left over: {open:?}");
    }
}

/// A LAS 1.2 file, point format 0, step 1 mm, of these points in millimetres.
pub fn las(points: &[[i32; 3]]) -> Vec<u8> {
    let mut file = vec![0; 227];
    file[..4].copy_from_slice(b"LASF");
    file[24..26].copy_from_slice(&[1, 2]);
    file[94..96].copy_from_slice(&227_u16.to_le_bytes());
    file[96..100].copy_from_slice(&227_u32.to_le_bytes());
    file[105..107].copy_from_slice(&20_u16.to_le_bytes());
    file[107..111].copy_from_slice(&(points.len() as u32).to_le_bytes());
    file[111..115].copy_from_slice(&(points.len() as u32).to_le_bytes());
    for axis in 0..3 {
        file[131 + 8 * axis..139 + 8 * axis].copy_from_slice(&0.001_f64.to_le_bytes());
        let coordinates = points.iter().map(|point| f64::from(point[axis]) * 0.001);
        let (min, max) = coordinates.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), at| (min.min(at), max.max(at)));
        file[179 + 16 * axis..187 + 16 * axis].copy_from_slice(&max.to_le_bytes());
        file[187 + 16 * axis..195 + 16 * axis].copy_from_slice(&min.to_le_bytes());
    }
    for point in points {
        for coordinate in point {
            file.extend_from_slice(&coordinate.to_le_bytes());
        }
        // Intensity, one return of one, class, angle, user data, source.
        file.extend_from_slice(&[100, 0, 0b0000_1001, 2, 0, 0, 0, 0]);
    }
    file
}

/// A room of 8 x 6 x 4 m with `count` points on its floor and walls; the same each time.
pub fn room(count: usize) -> Vec<[i32; 3]> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: i32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as i32
    };
    (0..count)
        .map(|i| match i % 3 {
            0 => [next(8000), next(6000), 0],
            1 => [next(8000), 0, next(4000)],
            _ => [0, next(6000), next(4000)],
        })
        .collect()
}
