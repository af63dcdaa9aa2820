//! Jobs over the end of processes: killed, stopped, tried again, given up.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use parterre_server::db::write;
use parterre_server::jobs::attempt::{self, WhenStopped};
use parterre_server::models::jobs::{Job, Lease};
use rustix::process::Signal;
use serde_json::json;

use super::end_to_end::{Service, positions_mm};
use super::support::{Client, PARTERRE, TestApp, las, room, send_signal};

/// Enough points that a job can be met while it works.
const MANY: usize = 4_000_000;

/// Waits until a job works; gives its progress.
fn wait_until_running(client: &Client, job: &str) -> f64 {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let now = client.get(&format!("/api/jobs/{job}")).expect(200).json();
        assert!(!matches!(now["state"].as_str(), Some("done" | "failed")), "too late to interrupt: {now}");
        if now["state"] == "running" && now["stage"] != "queued" && now["progress"].as_f64() > Some(0.0) {
            return now["progress"].as_f64().unwrap();
        }
        assert!(Instant::now() < deadline, "the job does not start: {now}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_killed_service_resumes() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(dir.path(), &[]);
    let venue = service.client.venue("Hall");
    let accepted = service.client.upload(&venue, "hall.las", &las(&room(MANY))).expect(202).json();
    let (scan, job) = (accepted["scan"].as_str().unwrap(), accepted["job"].as_str().unwrap());
    wait_until_running(&service.client, job);
    // Far enough that there is something to resume.
    loop {
        let now = service.client.get(&format!("/api/jobs/{job}")).expect(200).json();
        assert_eq!(now["state"], "running", "too late to interrupt: {now}");
        if !matches!(now["stage"].as_str(), Some("read" | "count" | "distribute")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    service.kill();

    let service = Service::start(dir.path(), &[]);
    let begun = Instant::now();
    assert_eq!(service.client.get(&format!("/api/scans/{scan}")).json()["state"], "processing", "nothing half-published");
    service.client.get(&format!("/tiles/{scan}/1/tileset.json")).expect_error(404, "version_not_ready");
    let job = service.client.wait(job);
    assert_eq!(job["state"], "done", "{job}");
    assert!(begun.elapsed() < Duration::from_secs(25), "it waited for the dead process's lease: {:?}", begun.elapsed());
    let (found, _) = positions_mm(&service.client, &format!("/tiles/{scan}/1/tileset.json"));
    assert_eq!(found.len(), MANY);
    let report = service.client.get(&format!("/tiles/{scan}/1/report.json")).expect(200).json();
    let stages: Vec<&str> = report["timings"].as_array().unwrap().iter().map(|timing| timing["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["sample", "write", "pictures"], "it resumed where the killed one was");
    assert_eq!(fs::read_dir(dir.path().join("work")).unwrap().count(), 0, "the dead attempt's work is gone");
    service.stop();
}

#[test]
fn a_stopped_service_puts_its_job_back() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(dir.path(), &[]);
    let venue = service.client.venue("Hall");
    let accepted = service.client.upload(&venue, "hall.las", &las(&room(MANY))).expect(202).json();
    let job = accepted["job"].as_str().unwrap();
    wait_until_running(&service.client, job);
    let log = service.stop();
    assert!(log.contains("put back into the queue"), "{log}");

    let service = Service::start(dir.path(), &["--no-worker"]);
    let waiting = service.client.get(&format!("/api/jobs/{job}")).json();
    assert_eq!((&waiting["state"], &waiting["progress"]), (&json!("queued"), &json!(0.0)));
    service.stop();
}

#[test]
fn an_interrupted_import_leaves_no_work_and_a_failed_version() {
    let dir = tempfile::tempdir().unwrap();
    let scan = dir.path().join("hall.las");
    fs::write(&scan, las(&room(MANY))).unwrap();
    let data = dir.path().join("data");
    let child = Command::new(PARTERRE)
        .args(["import", scan.to_str().unwrap(), "--venue", "Hall", "--data", data.to_str().unwrap(), "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let work = data.join("work");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !fs::read_dir(&work).is_ok_and(|mut entries| entries.next().is_some()) {
        assert!(Instant::now() < deadline, "the import never worked");
        std::thread::sleep(Duration::from_millis(5));
    }
    send_signal(child.id(), Signal::INT);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    let told: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(told["error"]["code"], "cancelled");
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
    let service = Service::start(&data, &[]);
    let venue = service.client.get("/api/venues/hall").expect(200).json();
    assert_eq!(venue["scans"][0]["state"], "failed");
    let job = service.client.get(&format!("/api/jobs/{}", venue["scans"][0]["versions"][0]["job"].as_str().unwrap())).json();
    assert_eq!((&job["state"], &job["error"]["code"]), (&json!("failed"), &json!("cancelled")));
    assert_ne!(job["stage"], "queued", "it never was in the queue, where a service would have found it");
    service.stop();
}

#[test]
fn a_fault_of_ours_is_tried_again_and_then_told() {
    let app = TestApp::without_worker();
    let venue = app.client.venue("Hall");
    let accepted = app.client.upload(&venue, "room.las", &las(&room(500))).expect(202).json();
    let source = app.files().into_iter().find(|file| file.starts_with("objects/uploads/")).unwrap();
    fs::remove_file(app.dir.path().join(source)).unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let context = app.app.job_context(runtime.handle().clone());
    let worker = parterre_server::jobs::worker::Worker::start(context, std::sync::Arc::clone(&app.app.job_signal)).unwrap();
    let job = app.client.wait(accepted["job"].as_str().unwrap());
    worker.stop();
    assert_eq!((&job["state"], &job["error"]["code"]), (&json!("failed"), &json!("storage_failed")), "{job}");
    assert!(!job.to_string().contains("/objects/"), "{job}");
    let row = Job::find(&mut app.app.database.get().unwrap(), accepted["job"].as_str().unwrap()).unwrap().unwrap();
    assert_eq!(row.attempts, app.app.config.worker.max_attempts);
    assert_eq!(app.client.get(&format!("/api/scans/{}", accepted["scan"].as_str().unwrap())).json()["state"], "failed");
}

#[test]
fn a_lease_belongs_to_one_and_runs_out() {
    let app = TestApp::without_worker();
    let venue = app.client.venue("Hall");
    let accepted = app.client.upload(&venue, "room.las", &las(&room(500))).expect(202).json();
    let id = accepted["job"].as_str().unwrap();
    let mut conn = app.app.database.get().unwrap();
    let lease = |owner, for_ms| Lease { owner, for_ms };
    let first = write(&mut conn, |conn| Job::claim(conn, &lease("first", 60_000))).unwrap().unwrap();
    assert_eq!((first.id.as_str(), first.attempts), (id, 1));
    assert!(write(&mut conn, |conn| Job::claim(conn, &lease("second", 60_000))).unwrap().is_none());
    // The first falls asleep, the second takes over, and the first wakes up with nothing to say.
    assert!(Job::heartbeat(&mut conn, id, &lease("first", -1), "count", 0.5).unwrap());
    let second = write(&mut conn, |conn| Job::claim(conn, &lease("second", 60_000))).unwrap().unwrap();
    assert_eq!((second.attempts, second.interruptions, second.progress), (1, 1, 0.0));
    assert!(!Job::heartbeat(&mut conn, id, &lease("first", 60_000), "count", 0.6).unwrap());
    assert!(!Job::finish(&mut conn, id, "first").unwrap());
    assert!(!Job::put_back(&mut conn, id, "first", 0, false).unwrap());
    assert!(Job::finish(&mut conn, id, "second").unwrap());
    assert_eq!(app.client.get(&format!("/api/jobs/{id}")).json()["state"], "done");
}

#[test]
fn the_folder_of_a_working_attempt_is_not_swept() {
    let app = TestApp::without_worker();
    let venue = app.client.venue("Hall");
    let accepted = app.client.upload(&venue, "room.las", &las(&room(500))).expect(202).json();
    let id = accepted["job"].as_str().unwrap();
    let mut conn = app.app.database.get().unwrap();
    assert!(write(&mut conn, |conn| Job::claim(conn, &Lease { owner: "elsewhere:1:1:x", for_ms: 60_000 })).unwrap().is_some());
    drop(conn);
    let work = app.app.storage.work_dir(id).unwrap();
    let orphan = app.dir.path().join("work").join("01900000-0000-7000-8000-000000000000-ab");
    fs::create_dir_all(&orphan).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    parterre_server::jobs::work_folders::sweep(&app.app.job_context(runtime.handle().clone()));
    assert!(work.path().is_dir() && !orphan.exists());
}

#[test]
fn a_job_that_its_service_never_survives_is_given_up_and_can_be_tried_again() {
    let app = TestApp::without_worker();
    let venue = app.client.venue("Hall");
    let accepted = app.client.upload(&venue, "room.las", &las(&room(500))).expect(202).json();
    let mut conn = app.app.database.get().unwrap();
    for _ in 0..=app.app.config.worker.max_interruptions {
        let lease = Lease { owner: "elsewhere:1:1:x", for_ms: -1 };
        assert!(write(&mut conn, |conn| Job::claim(conn, &lease)).unwrap().is_some());
    }
    drop(conn);
    let id = accepted["job"].as_str().unwrap();
    for attempt in ["a1", "b2"] {
        let left = app.dir.path().join("work").join(format!("{id}-{attempt}"));
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("points"), "of an attempt that died").unwrap();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let context = app.app.job_context(runtime.handle().clone());
    let worker = parterre_server::jobs::worker::Worker::start(context, std::sync::Arc::clone(&app.app.job_signal)).unwrap();
    let job = app.client.wait(id);
    assert_eq!(job["error"]["code"], "job_gave_up", "{job}");
    assert_eq!(fs::read_dir(app.dir.path().join("work")).unwrap().count(), 0, "what the attempts left is gone");
    assert!(app.files().iter().all(|file| file.starts_with("objects/uploads/")), "{:?}", app.files());
    assert_eq!(app.client.get("/api/venues/hall").json()["scans"][0]["state"], "failed");

    let again = app.client.send("POST", &format!("/api/jobs/{id}/retry"), &[], "").expect(202);
    assert_eq!(again.header("location"), Some(format!("/api/jobs/{id}").as_str()));
    assert_eq!((&again.json()["id"], &again.json()["state"]), (&json!(id), &json!("queued")));
    let job = app.client.wait(id);
    worker.stop();
    assert_eq!(job["state"], "done", "{job}");
    app.client.get(&format!("/tiles/{}/1/tileset.json", accepted["scan"].as_str().unwrap())).expect(200);
    app.client.send("POST", &format!("/api/jobs/{id}/retry"), &[], "").expect_error(409, "job_not_failed");
    app.client.send("POST", "/api/jobs/none/retry", &[], "").expect_error(404, "job_not_found");
    app.client.get(&format!("/api/jobs/{id}/retry")).expect_error(405, "method_not_allowed");
}

/// The processes that this one has started and that are still there.
fn children_of(parent: u32) -> Vec<u32> {
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // State and parent follow the name, which is in parentheses and may hold anything.
        let mut fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        fields.next() != Some("Z") && fields.next() == Some(parent.to_string().as_str())
    };
    let all = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    all.filter(is_child).collect()
}

/// Waits until the job has recorded its distributed records; returns the process that works on it.
fn process_with_a_journal(service: &Service, job: &str) -> u32 {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let now = service.client.get(&format!("/api/jobs/{job}")).expect(200).json();
        assert!(matches!(now["state"].as_str(), Some("queued" | "running")), "too late to interrupt: {now}");
        if matches!(now["stage"].as_str(), Some("sample" | "write" | "pictures")) {
            let [process] = children_of(service.child.id())[..] else { panic!("one process a job") };
            return process;
        }
        assert!(Instant::now() < deadline, "the job does not start: {now}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_job_whose_process_is_killed_resumes_and_the_service_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(dir.path(), &[]);
    let venue = service.client.venue("Hall");
    let accepted = service.client.upload(&venue, "hall.las", &las(&room(MANY))).expect(202).json();
    let job = accepted["job"].as_str().unwrap();
    send_signal(process_with_a_journal(&service, job), Signal::KILL);
    service.client.get("/healthz").expect(200);
    let job = service.client.wait(job);
    assert_eq!(job["state"], "done", "{job}");
    let report = service.client.get(&format!("/tiles/{}/1/report.json", accepted["scan"].as_str().unwrap())).expect(200).json();
    assert_eq!(report["points_out"], MANY);
    let stages: Vec<&str> = report["timings"].as_array().unwrap().iter().map(|timing| timing["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["sample", "write", "pictures"], "it resumed from the journal");
    let log = service.stop();
    assert!(log.contains("job_killed") && log.contains("has_progress=true"), "{log}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_process_of_a_job_ends_with_its_service() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(dir.path(), &[]);
    let venue = service.client.venue("Hall");
    let accepted = service.client.upload(&venue, "hall.las", &las(&room(MANY))).expect(202).json();
    let job = accepted["job"].as_str().unwrap();
    let process = process_with_a_journal(&service, job);
    // The number may be given to another process; this file is of this one.
    let program = fs::read_link(format!("/proc/{process}/exe")).unwrap();
    service.kill();
    let deadline = Instant::now() + Duration::from_secs(15);
    while fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|now| now == program) {
        assert!(Instant::now() < deadline, "the process of the job outlives its service");
        std::thread::sleep(Duration::from_millis(20));
    }
    // The next service does not fail over what the process may still have held.
    let service = Service::start(dir.path(), &[]);
    assert_eq!(service.client.wait(job)["state"], "done");
    assert!(!service.stop().contains("will be tried again"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_job_that_is_denied_memory_fails_with_a_code_and_the_service_goes_on() {
    // The program alone fits, the records of the scan do not.
    let app = TestApp::start_with(|config| config.worker.memory_limit_bytes = Some(24 << 20));
    let venue = app.client.venue("Hall");
    let accepted = app.client.upload(&venue, "hall.las", &las(&room(1_000_000))).expect(202).json();
    let id = accepted["job"].as_str().unwrap();
    let job = app.client.wait(id);
    assert_eq!((&job["state"], &job["error"]["code"]), (&json!("failed"), &json!("out_of_memory")), "{job}");
    assert!(job["error"]["hint"].as_str().unwrap().contains("--memory"), "{job}");
    assert_eq!(Job::find(&mut app.app.database.get().unwrap(), id).unwrap().unwrap().attempts, app.app.config.worker.max_attempts);
    app.client.get("/healthz").expect(200);
    assert_eq!(app.client.get("/api/venues/hall").json()["scans"][0]["state"], "failed");
    assert_eq!(app.client.upload(&venue, "more.las", &las(&room(10))).status, 202);
    let more = app.client.get("/api/venues/hall").json()["scans"][1]["versions"][0]["job"].as_str().unwrap().to_owned();
    app.client.wait(&more);
}

#[test]
#[cfg(target_os = "linux")]
fn a_service_that_is_killed_again_and_again_does_not_fail_its_job() {
    let dir = tempfile::tempdir().unwrap();
    let mut job = String::new();
    for start in 0..5 {
        let service = Service::start(dir.path(), &[]);
        if start == 0 {
            let venue = service.client.venue("Hall");
            let accepted = service.client.upload(&venue, "hall.las", &las(&room(MANY))).expect(202).json();
            accepted["job"].as_str().unwrap().clone_into(&mut job);
        }
        // Whether it has just been claimed or is in the middle of it.
        wait_until_running(&service.client, &job);
        service.kill();
    }
    let service = Service::start(dir.path(), &[]);
    let job = service.client.wait(&job);
    assert_eq!(job["state"], "done", "{job}");
    service.stop();
}

#[test]
fn an_attempt_counts_only_without_progress() {
    let app = TestApp::without_worker();
    let venue = app.client.venue("Hall");
    let accepted = app.client.upload(&venue, "room.las", &las(&room(500))).expect(202).json();
    let id = accepted["job"].as_str().unwrap();
    let source = app.files().into_iter().find(|file| file.starts_with("objects/uploads/")).unwrap();
    fs::remove_file(app.dir.path().join(source)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let context = app.app.job_context(runtime.handle().clone());
    let database = &app.app.database;
    let journal = app.app.storage.work_path(id).join(".tiling");
    fs::create_dir_all(&journal).unwrap();
    // Each attempt fails, as the uploaded file is gone; before the first four of them the journal has grown.
    let attempt = |steps: usize| {
        for step in 0..steps {
            fs::write(journal.join(format!("nodes-{step}.json")), "{}").unwrap();
        }
        let stop = std::sync::atomic::AtomicBool::new(false);
        let claimed = loop {
            let lease = Lease { owner: "me", for_ms: 60_000 };
            match write(&mut database.get().unwrap(), |conn| Job::claim(conn, &lease)).unwrap() {
                Some(job) => break job,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let fault = attempt::run(&context, "me", &claimed, &stop, WhenStopped::PutBack, &|_, _| ()).unwrap();
        assert_eq!(fault.unwrap().code, "storage_failed");
        let row = Job::find(&mut database.get().unwrap(), id).unwrap().unwrap();
        (row.state, row.attempts, row.journal_steps)
    };
    assert_eq!(attempt(1), ("queued".into(), 1, 1));
    assert_eq!(attempt(2), ("queued".into(), 1, 2));
    assert_eq!(attempt(5), ("queued".into(), 1, 5));
    assert_eq!(attempt(6), ("queued".into(), 1, 6));
    assert_eq!(attempt(6), ("queued".into(), 2, 6));
    assert_eq!(attempt(6), ("failed".into(), 3, 6));
    app.client.send("POST", &format!("/api/jobs/{id}/retry"), &[], "").expect_error(409, "upload_missing");
}
