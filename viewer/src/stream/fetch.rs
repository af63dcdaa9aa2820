//! Requests for tiles: a few at a time, cancelled when no longer needed, decoded off the main thread.
//!
//! On the desktop every request has a thread (of the HTTP client or of the task pool), which also decodes. In a browser the
//! responses arrive on the page's only thread and go to workers ([`decoders`](super::decoders)). Where no worker can be started,
//! they wait in a queue and are decoded for a few milliseconds per frame.

use std::collections::HashMap;
#[cfg(target_arch = "wasm32")]
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use parterre_decode::PackedTile;
use parterre_lod::{Content, TileId};
use parterre_tile::tileset::Tileset;
use serde::Serialize;

#[cfg(target_arch = "wasm32")]
use super::decoders::{self, Outcome};
use crate::fault::Fault;
use crate::source::{Store, parse_tileset};
use crate::transfer::transfer;

/// Number of requests at a time. A browser allows about six to one host.
const IN_FLIGHT_MAX: usize = 6;
/// Largest size of a tile. One of 50,000 points has less than 1 MB.
const CONTENT_MAX_BYTES: usize = 32 << 20;
/// A request that receives no data for this time fails. Seconds.
const STALL_TIMEOUT_S: f64 = 30.0;
/// A frame counts for at most this time: a page in the background has no frames for a while. Seconds.
const FRAME_MAX_S: f64 = 1.0;
/// Time for decoding per frame where no worker does it. Milliseconds.
#[cfg(target_arch = "wasm32")]
const DECODE_MS: f64 = 6.0;

/// Decoded content of a response.
pub enum LoadedContent {
    /// The points of a tile.
    Points(PackedTile),
    /// An external tileset, which continues the tree, and its folder.
    Subtree(Box<Tileset>, String),
}

/// A finished request.
pub struct FinishedRequest {
    /// The requested tile.
    pub tile: TileId,
    /// The decoded content, or the error.
    pub result: Result<LoadedContent, Fault>,
}

/// A request in progress, as its thread sees it.
#[derive(Clone)]
struct TileRequest {
    tile: TileId,
    path: String,
    /// Whether the content is an external tileset.
    is_tileset: bool,
    transfer: Arc<TransferState>,
}

/// State shared by the fetcher and the thread of a request. The thread holds a reference as long as it works, so that the
/// fetcher's reference is the only one after the end.
#[derive(Default)]
struct TransferState {
    cancelled: AtomicBool,
    /// Number of chunks received.
    chunks: AtomicU32,
    /// The number under which a worker decodes the response; 0 before.
    #[cfg(target_arch = "wasm32")]
    decoding: AtomicU32,
}

/// Where tiles have been decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Decoded {
    /// Number of workers of the browser that are ready; 0 natively, where tasks decode.
    pub workers: u32,
    /// Number of tiles decoded by workers or tasks.
    pub aside: u64,
    /// Number of tiles decoded by the page's own thread, because there was no worker.
    pub in_page: u64,
}

/// A request in progress, as the fetcher sees it.
struct ActiveTransfer {
    path: String,
    transfer: Arc<TransferState>,
    /// Number of chunks received at the last check.
    chunks: u32,
    /// Time since the last chunk. Seconds.
    idle_s: f64,
}

impl ActiveTransfer {
    /// Adds `delta_s` seconds to the idle time unless chunks arrived; returns whether the transfer has stalled.
    ///
    /// What a worker of the browser decodes has no limit here: the page counts from when the worker begins with it, and every tile comes back.
    fn has_stalled_after(&mut self, delta_s: f64) -> bool {
        #[cfg(target_arch = "wasm32")]
        if self.transfer.decoding.load(Ordering::Relaxed) != 0 {
            return false;
        }
        let chunks = self.transfer.chunks.load(Ordering::Relaxed);
        self.idle_s = if chunks == self.chunks { self.idle_s + delta_s } else { 0.0 };
        self.chunks = chunks;
        self.idle_s >= STALL_TIMEOUT_S
    }

    fn cancel(&self) {
        self.transfer.cancelled.store(true, Ordering::Relaxed);
        #[cfg(target_arch = "wasm32")]
        if let id @ 1.. = self.transfer.decoding.load(Ordering::Relaxed) {
            decoders::cancel(id);
        }
    }

    /// Gives up after too long a time without progress, and says why.
    fn give_up(&self) -> Fault {
        self.cancel();
        let message = format!("{}: no data received for {STALL_TIMEOUT_S} s", self.path);
        Fault::storage("no_answer", message, "Check that the service is running and the network works.")
    }

    fn has_ended(&self) -> bool {
        Arc::strong_count(&self.transfer) == 1
    }
}

impl TileRequest {
    fn is_cancelled(&self) -> bool {
        self.transfer.cancelled.load(Ordering::Relaxed)
    }

    fn decode(&self, bytes: &[u8]) -> Result<LoadedContent, Fault> {
        if self.is_tileset {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Ok(LoadedContent::Subtree(Box::new(parse_tileset(bytes, &self.path)?), folder.to_owned()))
        } else {
            Ok(LoadedContent::Points(parterre_decode::decode(bytes)?))
        }
    }
}

/// A response on its way from a request's thread to the fetcher.
enum Response {
    Decoded(Result<LoadedContent, Fault>),
    /// There is no worker to decode it.
    #[cfg(target_arch = "wasm32")]
    Undecoded(Vec<u8>),
}

/// The requests for the tiles of all scans.
pub struct Fetcher {
    in_flight: HashMap<TileId, ActiveTransfer>,
    /// Cancelled transfers that still occupy a connection.
    cancelled: Vec<ActiveTransfer>,
    // A mutex, because bevy's resources must be `Sync` and a receiver is not; only one thread uses it.
    responses: Mutex<Receiver<(TileRequest, Response)>>,
    sender: Sender<(TileRequest, Response)>,
    #[cfg(target_arch = "wasm32")]
    undecoded: VecDeque<(TileRequest, Vec<u8>)>,
    decoded: Decoded,
}

impl Fetcher {
    /// A fetcher without requests.
    #[expect(clippy::new_without_default, reason = "it makes a channel")]
    pub fn new() -> Self {
        let (sender, responses) = channel();
        Self {
            in_flight: HashMap::new(),
            cancelled: Vec::new(),
            responses: Mutex::new(responses),
            sender,
            #[cfg(target_arch = "wasm32")]
            undecoded: VecDeque::new(),
            decoded: Decoded::default(),
        }
    }

    /// Where tiles have been decoded so far.
    pub fn decoded(&self) -> Decoded {
        Decoded {
            #[cfg(target_arch = "wasm32")]
            workers: decoders::ready(),
            ..self.decoded
        }
    }

    /// Whether a tile was requested and its response has not been taken.
    pub fn is_in_flight(&self, tile: TileId) -> bool {
        self.in_flight.contains_key(&tile)
    }

    /// Number of requests in progress.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Cancels the requests of tiles that are not `wanted`; their responses are dropped.
    pub fn cancel_unless(&mut self, wanted: impl Fn(TileId) -> bool) {
        let unwanted = self.in_flight.extract_if(|tile, _| !wanted(*tile)).map(|(_, active)| active);
        self.cancelled.extend(unwanted.inspect(ActiveTransfer::cancel));
    }

    /// Starts a request. Returns `false` where the maximum number is reached, and `true` also for tiles without content and
    /// tiles already requested.
    pub fn start(&mut self, tile: TileId, store: &Store, content: &Content) -> bool {
        let (path, is_tileset) = match content {
            Content::Points(path) => (path.clone(), false),
            Content::Subtree(path) => (path.clone(), true),
            Content::None => return true,
        };
        if self.is_in_flight(tile) {
            return true;
        }
        self.cancelled.retain(|active| !active.has_ended());
        if self.in_flight.len() + self.cancelled.len() >= IN_FLIGHT_MAX {
            return false;
        }
        let transfer = Arc::new(TransferState::default());
        self.in_flight.insert(tile, ActiveTransfer { path: path.clone(), transfer: Arc::clone(&transfer), chunks: 0, idle_s: 0.0 });
        let request = TileRequest { tile, path, is_tileset, transfer };
        let sender = self.sender.clone();
        match store {
            #[cfg(not(target_arch = "wasm32"))]
            Store::Archive { path, index } => read_archive(Arc::clone(path), Arc::clone(index), request, sender),
            Store::Http { base } => read_http(base, request, sender),
        }
        true
    }

    /// The requests that finished or stalled since the last call, which was `delta_s` seconds ago.
    pub fn take_finished(&mut self, delta_s: f64) -> Vec<FinishedRequest> {
        let mut arrived: Vec<(TileRequest, Response)> = Vec::new();
        if let Ok(responses) = self.responses.get_mut() {
            arrived.extend(responses.try_iter());
        }
        let mut finished = Vec::new();
        for (request, response) in arrived {
            match response {
                Response::Decoded(result) => {
                    self.decoded.aside += u64::from(matches!(result, Ok(LoadedContent::Points(_))));
                    self.finish(&request, result, &mut finished);
                }
                #[cfg(target_arch = "wasm32")]
                Response::Undecoded(bytes) => self.undecoded.push_back((request, bytes)),
            }
        }
        #[cfg(target_arch = "wasm32")]
        self.decode_some(&mut finished);
        self.fail_stalled(delta_s.min(FRAME_MAX_S), &mut finished);
        finished
    }

    /// Ends the requests that received no data for too long.
    fn fail_stalled(&mut self, delta_s: f64, finished: &mut Vec<FinishedRequest>) {
        self.cancelled.retain_mut(|active| !active.has_ended() && !active.has_stalled_after(delta_s));
        for (tile, active) in self.in_flight.extract_if(|_, active| active.has_stalled_after(delta_s)) {
            finished.push(FinishedRequest { tile, result: Err(active.give_up()) });
        }
    }

    /// Decodes responses for which there was no worker, within the time limit of a frame.
    #[cfg(target_arch = "wasm32")]
    fn decode_some(&mut self, finished: &mut Vec<FinishedRequest>) {
        let start = bevy::platform::time::Instant::now();
        while start.elapsed().as_secs_f64() * 1e3 < DECODE_MS {
            let Some((request, bytes)) = self.undecoded.pop_front() else { break };
            if request.is_cancelled() {
                continue;
            }
            self.decoded.in_page += 1;
            self.finish(&request, request.decode(&bytes), finished);
        }
    }

    /// Adds a decoded response to the finished requests, unless its request was cancelled.
    fn finish(&mut self, request: &TileRequest, result: Result<LoadedContent, Fault>, finished: &mut Vec<FinishedRequest>) {
        if !request.is_cancelled() {
            self.in_flight.remove(&request.tile);
            finished.push(FinishedRequest { tile: request.tile, result });
        }
    }
}

/// Starts the reading of a tile from an archive.
#[cfg(not(target_arch = "wasm32"))]
fn read_archive(
    archive: Arc<std::path::PathBuf>,
    index: Arc<parterre_tile::archive::Index>,
    request: TileRequest,
    sender: Sender<(TileRequest, Response)>,
) {
    use parterre_model::Error;

    let read = move |request: &TileRequest| -> Result<LoadedContent, Fault> {
        let mut file = std::fs::File::open(&*archive).map_err(|error| Error::io("open", &*archive, error))?;
        let bytes = index
            .read_entry(&mut file, &request.path)?
            .ok_or_else(|| Fault::input("tile_missing", format!("{} is not in the archive", request.path), "Tile the scan again."))?;
        request.decode(&bytes)
    };
    let task = async move {
        if !request.is_cancelled() {
            let result = read(&request);
            send(&sender, request, Response::Decoded(result));
        }
    };
    bevy::tasks::AsyncComputeTaskPool::get().spawn(task).detach();
}

/// Starts the download of a tile from a service.
fn read_http(base: &str, request: TileRequest, sender: Sender<(TileRequest, Response)>) {
    let state = Arc::clone(&request.transfer);
    let should_continue = move || {
        state.chunks.fetch_add(1, Ordering::Relaxed);
        !state.cancelled.load(Ordering::Relaxed)
    };
    transfer(format!("{base}{}", request.path), CONTENT_MAX_BYTES, should_continue, move |result| {
        #[cfg(not(target_arch = "wasm32"))]
        send(&sender, request.clone(), Response::Decoded(result.and_then(|bytes| request.decode(&bytes))));
        #[cfg(target_arch = "wasm32")]
        match result {
            Ok(bytes) if !request.is_tileset => decode_aside(&bytes, request.clone(), sender.clone()),
            result => send(&sender, request.clone(), Response::Decoded(result.and_then(|bytes| request.decode(&bytes)))),
        }
    });
}

/// Gives a tile to a worker.
#[cfg(target_arch = "wasm32")]
fn decode_aside(bytes: &[u8], request: TileRequest, sender: Sender<(TileRequest, Response)>) {
    let state = Arc::clone(&request.transfer);
    let id = decoders::decode(bytes, move |outcome| {
        request.transfer.decoding.store(0, Ordering::Relaxed);
        // What is waiting for the page's thread is progress too.
        request.transfer.chunks.fetch_add(1, Ordering::Relaxed);
        let response = match outcome {
            Outcome::Decoded(result) => Response::Decoded(result.map(LoadedContent::Points)),
            Outcome::Undecoded(bytes) => Response::Undecoded(bytes),
        };
        send(&sender, request, response);
    });
    state.decoding.store(id.unwrap_or(0), Ordering::Relaxed);
}

fn send(sender: &Sender<(TileRequest, Response)>, request: TileRequest, response: Response) {
    // The receiver is gone where the scan has been closed.
    let _ = sender.send((request, response));
    #[cfg(target_arch = "wasm32")]
    crate::wake::wake();
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;
    use std::time::Duration;

    use parterre_lod::{ScanId, Tree};

    use super::*;

    const ROOT: TileId = TileId { scan: ScanId(1), node: Tree::ROOT };

    /// A service that accepts connections and never responds. Returns its address.
    fn silent() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}/", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || stream.read_to_end(&mut Vec::new()));
            }
        });
        address
    }

    #[test]
    fn a_request_without_progress_fails_after_a_time_limit() {
        let mut fetcher = Fetcher::new();
        let store = Store::Http { base: silent() };
        let content = Content::Points("t/0.glb".into());
        assert!(fetcher.start(ROOT, &store, &content));
        std::thread::sleep(Duration::from_millis(100));
        assert!(fetcher.take_finished(1000.0).is_empty(), "a long frame counts for one second only");
        for _ in 0..28 {
            assert!(fetcher.take_finished(1.0).is_empty());
        }
        assert_eq!(fetcher.in_flight(), 1);
        let late = fetcher.take_finished(1.0);
        let fault = late.into_iter().next().and_then(|request| request.result.err()).expect("the request failed");
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("no_answer", 4));
        assert!(fault.message.contains("t/0.glb"));
        assert_eq!(fetcher.in_flight(), 0);
    }

    #[test]
    fn cancelled_transfers_count_as_requests_until_they_end() {
        let mut fetcher = Fetcher::new();
        let store = Store::Http { base: silent() };
        let content = Content::Points("t/0.glb".into());
        for _ in 0..IN_FLIGHT_MAX {
            assert!(fetcher.start(ROOT, &store, &content));
            fetcher.cancel_unless(|_| false);
            assert!(!fetcher.is_in_flight(ROOT));
        }
        assert!(!fetcher.start(ROOT, &store, &content), "their connections are still in use");
        for _ in 0..=STALL_TIMEOUT_S as u32 {
            assert!(fetcher.take_finished(1.0).is_empty(), "cancelled requests are not reported");
        }
        assert!(fetcher.start(ROOT, &store, &content));
    }
}
