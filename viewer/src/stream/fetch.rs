//! Requests for tiles: a few at a time, dropped when nobody wants them any more, decoded off the main thread.
//!
//! Natively every request has a thread (of the HTTP client or of the task pool), which also decodes. In a browser bytes
//! arrive on the one thread there is; they wait in a queue and are decoded for a few milliseconds a frame.

use std::collections::HashMap;
#[cfg(target_arch = "wasm32")]
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use parterre_lod::{Content, NodeId};
use parterre_tile::glb;
use parterre_tile::tileset::Tileset;

use crate::fault::Fault;
use crate::points::density::measure;
use crate::source::{Store, parse_tileset};
use crate::transfer::transfer;

/// Requests at a time. A browser allows about six to one host.
const IN_FLIGHT_MAX: usize = 6;
/// A tile of 50,000 points has under 1 MB; what exceeds this is not a tile.
const CONTENT_MAX_BYTES: usize = 32 << 20;
/// A request to which nothing came for so long is given up. Seconds.
const STALLED_S: f64 = 30.0;
/// A frame counts for at most so long: a page that slept did not wait. Seconds.
const FRAME_MAX_S: f64 = 1.0;
/// Milliseconds a frame that decoding may take where it shares the thread with drawing.
#[cfg(target_arch = "wasm32")]
const DECODE_MS: f64 = 6.0;

/// What a request brought.
pub enum Loaded {
    /// A tile's points with their spacing, and its median in metres.
    Points(Vec<glb::Part>, f32),
    /// A tileset that continues the tree, and its folder.
    Subtree(Box<Tileset>, String),
}

/// A finished request.
pub struct Delivery {
    /// For which node.
    pub node: NodeId,
    /// What came.
    pub result: Result<Loaded, Fault>,
}

#[derive(Clone)]
struct Ticket {
    node: NodeId,
    path: String,
    subtree: bool,
    transfer: Arc<Transfer>,
}

/// What a transfer and the fetcher share. Whoever works on the transfer holds it: the fetcher alone holds one that ended.
#[derive(Default)]
struct Transfer {
    cancelled: AtomicBool,
    /// Pieces that came.
    pieces: AtomicU32,
}

/// The fetcher's side of a transfer.
struct Watch {
    path: String,
    transfer: Arc<Transfer>,
    pieces: u32,
    /// Time since the last piece.
    idle_s: f64,
}

impl Watch {
    /// Lets time pass; whether the transfer has stalled.
    fn is_stalled(&mut self, delta_s: f64) -> bool {
        let pieces = self.transfer.pieces.load(Ordering::Relaxed);
        self.idle_s = if pieces == self.pieces { self.idle_s + delta_s } else { 0.0 };
        self.pieces = pieces;
        self.idle_s >= STALLED_S
    }

    fn cancel(&self) {
        self.transfer.cancelled.store(true, Ordering::Relaxed);
    }

    fn has_ended(&self) -> bool {
        Arc::strong_count(&self.transfer) == 1
    }
}

impl Ticket {
    fn is_cancelled(&self) -> bool {
        self.transfer.cancelled.load(Ordering::Relaxed)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Loaded, Fault> {
        if self.subtree {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Ok(Loaded::Subtree(Box::new(parse_tileset(bytes, &self.path)?), folder.to_owned()))
        } else {
            let mut parts = glb::decode(bytes)?;
            let spacing_m = measure(&mut parts);
            Ok(Loaded::Points(parts, spacing_m))
        }
    }
}

enum Answer {
    #[cfg(not(target_arch = "wasm32"))]
    Loaded(Result<Loaded, Fault>),
    #[cfg(target_arch = "wasm32")]
    Bytes(Result<Vec<u8>, Fault>),
}

/// The requests of one scan.
pub struct Fetcher {
    store: Store,
    in_flight: HashMap<NodeId, Watch>,
    /// Cancelled transfers that still hold a connection.
    ending: Vec<Watch>,
    // In a mutex because resources are shared between threads; only one ever uses it.
    answers: Mutex<Receiver<(Ticket, Answer)>>,
    sender: Sender<(Ticket, Answer)>,
    #[cfg(target_arch = "wasm32")]
    undecoded: VecDeque<(Ticket, Result<Vec<u8>, Fault>)>,
}

impl Fetcher {
    /// No requests yet.
    pub fn new(store: Store) -> Self {
        let (sender, answers) = channel();
        Self {
            store,
            in_flight: HashMap::new(),
            ending: Vec::new(),
            answers: Mutex::new(answers),
            sender,
            #[cfg(target_arch = "wasm32")]
            undecoded: VecDeque::new(),
        }
    }

    /// Whether a node was asked for and has not arrived.
    pub fn is_in_flight(&self, node: NodeId) -> bool {
        self.in_flight.contains_key(&node)
    }

    /// Requests on their way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Gives up the requests that `wanted` denies; their answers will not be delivered.
    pub fn cancel_unless(&mut self, wanted: impl Fn(NodeId) -> bool) {
        let unwanted = self.in_flight.extract_if(|node, _| !wanted(*node)).map(|(_, watch)| watch);
        self.ending.extend(unwanted.inspect(Watch::cancel));
    }

    /// Starts a request; `false` where the cap is reached. Nodes without content and nodes in flight count as started.
    pub fn start(&mut self, node: NodeId, content: &Content) -> bool {
        let (path, subtree) = match content {
            Content::Points(path) => (path.clone(), false),
            Content::Subtree(path) => (path.clone(), true),
            Content::None => return true,
        };
        if self.is_in_flight(node) {
            return true;
        }
        self.ending.retain(|watch| !watch.has_ended());
        if self.in_flight.len() + self.ending.len() >= IN_FLIGHT_MAX {
            return false;
        }
        let transfer = Arc::new(Transfer::default());
        self.in_flight.insert(node, Watch { path: path.clone(), transfer: Arc::clone(&transfer), pieces: 0, idle_s: 0.0 });
        let ticket = Ticket { node, path, subtree, transfer };
        let sender = self.sender.clone();
        match &self.store {
            #[cfg(not(target_arch = "wasm32"))]
            Store::Archive { path, index } => read_archive(Arc::clone(path), Arc::clone(index), ticket, sender),
            Store::Http { base } => request(base, ticket, sender),
        }
        true
    }

    /// What arrived since the last call, `delta_s` seconds ago, and what stalled.
    pub fn deliveries(&mut self, delta_s: f64) -> Vec<Delivery> {
        let mut arrived: Vec<(Ticket, Answer)> = Vec::new();
        if let Ok(answers) = self.answers.get_mut() {
            arrived.extend(answers.try_iter());
        }
        let mut deliveries = Vec::new();
        for (ticket, answer) in arrived {
            match answer {
                #[cfg(not(target_arch = "wasm32"))]
                Answer::Loaded(result) => self.deliver(&ticket, result, &mut deliveries),
                #[cfg(target_arch = "wasm32")]
                Answer::Bytes(result) => self.undecoded.push_back((ticket, result)),
            }
        }
        #[cfg(target_arch = "wasm32")]
        self.decode_some(&mut deliveries);
        self.give_up_stalled(delta_s.min(FRAME_MAX_S), &mut deliveries);
        deliveries
    }

    fn give_up_stalled(&mut self, delta_s: f64, deliveries: &mut Vec<Delivery>) {
        self.ending.retain_mut(|watch| !watch.has_ended() && !watch.is_stalled(delta_s));
        for (node, watch) in self.in_flight.extract_if(|_, watch| watch.is_stalled(delta_s)) {
            watch.cancel();
            let message = format!("{}: nothing came for {STALLED_S} s", watch.path);
            let result = Err(Fault::storage("no_answer", message, "Check that the service runs, and the network."));
            deliveries.push(Delivery { node, result });
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn decode_some(&mut self, deliveries: &mut Vec<Delivery>) {
        let start = bevy::platform::time::Instant::now();
        while start.elapsed().as_secs_f64() * 1e3 < DECODE_MS {
            let Some((ticket, bytes)) = self.undecoded.pop_front() else { break };
            if ticket.is_cancelled() {
                continue;
            }
            let result = bytes.and_then(|bytes| ticket.decode(&bytes));
            self.deliver(&ticket, result, deliveries);
        }
    }

    fn deliver(&mut self, ticket: &Ticket, result: Result<Loaded, Fault>, deliveries: &mut Vec<Delivery>) {
        if !ticket.is_cancelled() {
            self.in_flight.remove(&ticket.node);
            deliveries.push(Delivery { node: ticket.node, result });
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn read_archive(
    archive: Arc<std::path::PathBuf>,
    index: Arc<parterre_tile::archive::Index>,
    ticket: Ticket,
    sender: Sender<(Ticket, Answer)>,
) {
    use parterre_model::Error;

    let read = move |ticket: &Ticket| -> Result<Loaded, Fault> {
        let mut file = std::fs::File::open(&*archive).map_err(|error| Error::io("open", &*archive, error))?;
        let bytes = index
            .read_entry(&mut file, &ticket.path)?
            .ok_or_else(|| Fault::input("tile_missing", format!("{} is not in the archive", ticket.path), "Tile the scan again."))?;
        ticket.decode(&bytes)
    };
    let task = async move {
        if !ticket.is_cancelled() {
            let result = read(&ticket);
            // Nobody listens any more once the scan is closed.
            let _ = sender.send((ticket, Answer::Loaded(result)));
        }
    };
    bevy::tasks::AsyncComputeTaskPool::get().spawn(task).detach();
}

fn request(base: &str, ticket: Ticket, sender: Sender<(Ticket, Answer)>) {
    let watched = Arc::clone(&ticket.transfer);
    let go_on = move || {
        watched.pieces.fetch_add(1, Ordering::Relaxed);
        !watched.cancelled.load(Ordering::Relaxed)
    };
    transfer(format!("{base}{}", ticket.path), CONTENT_MAX_BYTES, go_on, move |result| {
        #[cfg(not(target_arch = "wasm32"))]
        let answer = Answer::Loaded(result.and_then(|bytes| ticket.decode(&bytes)));
        #[cfg(target_arch = "wasm32")]
        let answer = Answer::Bytes(result);
        // Nobody listens any more once the scan is closed.
        let _ = sender.send((ticket.clone(), answer));
    });
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;
    use std::time::Duration;

    use parterre_lod::Tree;

    use super::*;

    /// A service that takes requests and never answers, until the other end hangs up.
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
    fn a_request_without_progress_fails_by_the_clock() {
        let mut fetcher = Fetcher::new(Store::Http { base: silent() });
        let content = Content::Points("t/0.glb".into());
        assert!(fetcher.start(Tree::ROOT, &content));
        std::thread::sleep(Duration::from_millis(100));
        assert!(fetcher.deliveries(1000.0).is_empty(), "a page that slept did not wait");
        for _ in 0..28 {
            assert!(fetcher.deliveries(1.0).is_empty());
        }
        assert_eq!(fetcher.in_flight(), 1);
        let late = fetcher.deliveries(1.0);
        let fault = late.into_iter().next().and_then(|delivery| delivery.result.err()).expect("given up");
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("no_answer", 4));
        assert!(fault.message.contains("t/0.glb"));
        assert_eq!(fetcher.in_flight(), 0);
    }

    #[test]
    fn cancelled_transfers_count_until_they_end() {
        let mut fetcher = Fetcher::new(Store::Http { base: silent() });
        let content = Content::Points("t/0.glb".into());
        for _ in 0..IN_FLIGHT_MAX {
            assert!(fetcher.start(Tree::ROOT, &content));
            fetcher.cancel_unless(|_| false);
            assert!(!fetcher.is_in_flight(Tree::ROOT));
        }
        assert!(!fetcher.start(Tree::ROOT, &content), "their connections are still taken");
        for _ in 0..=STALLED_S as u32 {
            assert!(fetcher.deliveries(1.0).is_empty(), "nobody is told of what was cancelled");
        }
        assert!(fetcher.start(Tree::ROOT, &content));
    }
}
