//! Requests for tiles: a few at a time, dropped when nobody wants them any more, decoded off the main thread.
//!
//! Natively every request has a thread (of the HTTP client or of the task pool), which also decodes. In a browser bytes
//! arrive on the one thread there is; they wait in a queue and are decoded for a few milliseconds a frame.

use std::collections::HashMap;
#[cfg(target_arch = "wasm32")]
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use ehttp::streaming::Part as HttpPart;
use parterre_scans::lod::{Content, NodeId};
use parterre_scans::tile::glb;
use parterre_scans::tile::tileset::Tileset;

use crate::fault::Fault;
use crate::points::density::measure;
use crate::source::{Store, parse_tileset, refused, unreachable};

/// Requests at a time. A browser allows about six to one host.
const IN_FLIGHT_MAX: usize = 6;
/// A tile of 50,000 points has under 1 MB; what exceeds this is not a tile.
const CONTENT_MAX_BYTES: usize = 256 << 20;
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
    cancelled: Arc<AtomicBool>,
}

impl Ticket {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
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
    in_flight: HashMap<NodeId, Arc<AtomicBool>>,
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
        self.in_flight.retain(|node, cancelled| {
            let keep = wanted(*node);
            if !keep {
                cancelled.store(true, Ordering::Relaxed);
            }
            keep
        });
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
        if self.in_flight.len() >= IN_FLIGHT_MAX {
            return false;
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        self.in_flight.insert(node, Arc::clone(&cancelled));
        let ticket = Ticket { node, path, subtree, cancelled };
        let sender = self.sender.clone();
        match &self.store {
            #[cfg(not(target_arch = "wasm32"))]
            Store::Archive { path, index } => read_archive(Arc::clone(path), Arc::clone(index), ticket, sender),
            Store::Http { base } => request(base, ticket, sender),
        }
        true
    }

    /// What arrived since the last call.
    pub fn deliveries(&mut self) -> Vec<Delivery> {
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
        deliveries
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
    index: Arc<parterre_scans::tile::archive::Index>,
    ticket: Ticket,
    sender: Sender<(Ticket, Answer)>,
) {
    use parterre_scans::Error;

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

/// The bytes of an answer while they come in.
#[derive(Default)]
struct Body {
    /// Status and its words, where it is not a success.
    refused: Option<(u16, String)>,
    bytes: Vec<u8>,
}

fn request(base: &str, ticket: Ticket, sender: Sender<(Ticket, Answer)>) {
    let url = format!("{base}{}", ticket.path);
    let request = ehttp::Request::get(&url);
    let body = Mutex::new(Body::default());
    ehttp::streaming::fetch(request, move |part| {
        if ticket.is_cancelled() {
            // Ends the transfer.
            return ControlFlow::Break(());
        }
        let Ok(mut body) = body.lock() else { return ControlFlow::Break(()) };
        let result = match part {
            Ok(HttpPart::Response(response)) => {
                if !response.ok {
                    body.refused = Some((response.status, response.status_text));
                }
                return ControlFlow::Continue(());
            }
            Ok(HttpPart::Chunk(chunk)) if !chunk.is_empty() => {
                body.bytes.extend_from_slice(&chunk);
                if body.bytes.len() <= CONTENT_MAX_BYTES {
                    return ControlFlow::Continue(());
                }
                Err(Fault::input("tile_too_large", format!("{url} is larger than any tile"), "Tile the scan again."))
            }
            Ok(HttpPart::Chunk(_)) => match body.refused.take() {
                Some((status, text)) => Err(refused(&url, status, &text, &body.bytes)),
                None => Ok(std::mem::take(&mut body.bytes)),
            },
            Err(error) => Err(unreachable(&url, &error)),
        };
        #[cfg(not(target_arch = "wasm32"))]
        let answer = Answer::Loaded(result.and_then(|bytes| ticket.decode(&bytes)));
        #[cfg(target_arch = "wasm32")]
        let answer = Answer::Bytes(result);
        // Nobody listens any more once the scan is closed.
        let _ = sender.send((ticket.clone(), answer));
        ControlFlow::Break(())
    });
}
