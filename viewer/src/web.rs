//! Entry point of the web viewer: `viewer.js` loads this module and calls [`start`]; the other functions give the state
//! and control the camera.
//!
//! The page and the app run on one thread and exchange data through two thread-local variables.

use std::cell::RefCell;

use bevy::math::DVec3;
use bevy::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::app::window_app;
use crate::camera::request::CameraRequest;
use crate::fault::Fault;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::source::{self, Address, OpenScan};
use crate::state::ViewerState;
use crate::stream::active_scan::ActiveScan;

/// Calls of the page since the last frame.
#[derive(Default)]
struct Inbox {
    opened: Option<Result<OpenScan, Fault>>,
    requests: Vec<CameraRequest>,
    budget_points: Option<u64>,
}

thread_local! {
    static INBOX: RefCell<Inbox> = RefCell::default();
    static STATE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Starts the viewer in the canvas `#parterre-canvas` and opens the tileset at `address`: a full address, or a path
/// on the page's host. The panel shows `name`, or a part of the address without it.
#[wasm_bindgen]
pub fn start(address: String, name: Option<String>) {
    console_error_panic_hook::set_once();
    let settings = Settings::default();
    wasm_bindgen_futures::spawn_local(async move {
        let opened = match parse_address(&address) {
            Ok(address) => source::open(address).await.map(|open| match name {
                Some(name) => OpenScan { name, ..open },
                None => open,
            }),
            Err(fault) => Err(fault),
        };
        INBOX.with_borrow_mut(|inbox| inbox.opened = Some(opened));
    });
    let mut app = window_app("Scan", settings, None);
    app.add_systems(PreUpdate, read_inbox).add_systems(Last, publish);
    app.run();
}

/// The state of the last frame as JSON; see [`ViewerState`].
#[wasm_bindgen]
pub fn state_json() -> String {
    STATE.with_borrow(Clone::clone)
}

/// Looks from an eye at a target: `[ex, ey, ez, tx, ty, tz]`, scan frame, metres.
/// Returns `false` where these are not six finite numbers.
#[wasm_bindgen]
pub fn look(camera: &[f64]) -> bool {
    let &[ex, ey, ez, tx, ty, tz] = camera else { return false };
    if camera.iter().any(|number| !number.is_finite()) {
        return false;
    }
    send_request(CameraRequest::Look(DVec3::new(ex, ey, ez), DVec3::new(tx, ty, tz)));
    true
}

/// Changes the mode: `orbit`, `fly` or `walk`. Returns `false` for any other name.
#[wasm_bindgen]
pub fn mode(name: &str) -> bool {
    let mode = Mode::from_name(name);
    if let Some(mode) = mode {
        send_request(CameraRequest::Mode(mode));
    }
    mode.is_some()
}

/// Returns to the start view.
#[wasm_bindgen]
pub fn reset() {
    send_request(CameraRequest::Reset);
}

/// Sets the maximum number of points drawn.
#[wasm_bindgen]
pub fn budget(points: f64) {
    INBOX.with_borrow_mut(|inbox| inbox.budget_points = Some(points.clamp(1e3, 1e8) as u64));
}

fn send_request(request: CameraRequest) {
    INBOX.with_borrow_mut(|inbox| inbox.requests.push(request));
}

fn parse_address(address: &str) -> Result<Address, Fault> {
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    if address.starts_with('/') { Address::parse(&format!("{origin}{address}")) } else { Address::parse(address) }
}

fn read_inbox(
    mut commands: Commands,
    mut settings: ResMut<Settings>,
    mut state: ResMut<ViewerState>,
    mut requests: MessageWriter<CameraRequest>,
    scan: Option<Res<ActiveScan>>,
) {
    let mut inbox = INBOX.take();
    if let Some(points) = inbox.budget_points {
        settings.budget_points = points;
    }
    match inbox.opened.take() {
        Some(Ok(open)) => commands.insert_resource(ActiveScan::new(open, settings.cache_bytes)),
        Some(Err(fault)) => {
            state.loading = 0;
            state.error = Some(fault);
        }
        None => {}
    }
    if scan.is_some() {
        requests.write_batch(inbox.requests);
    } else if !inbox.requests.is_empty() {
        // Kept until the scan is open.
        INBOX.with_borrow_mut(|next_inbox| next_inbox.requests = inbox.requests);
    }
}

fn publish(state: Res<ViewerState>) {
    if let Ok(json) = serde_json::to_string(&*state) {
        STATE.with_borrow_mut(|published| *published = json);
    }
}
