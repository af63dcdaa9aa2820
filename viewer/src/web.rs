//! Entry point of the web viewer: `viewer.js` loads this module and calls [`start`]; the other functions give the state
//! and control the camera.
//!
//! The page and the app run on one thread and exchange data through two thread-local variables.

use std::cell::RefCell;

use bevy::math::DVec3;
use bevy::prelude::*;
use parterre_lod::ScanId;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::app::window_app;
use crate::camera::request::CameraRequest;
use crate::fault::Fault;
use crate::input::devices::Gamepad;
use crate::pace::{Pace, Phase};
use crate::rig::mode::Mode;
use crate::settings::{ColorBy, Settings};
use crate::source::{self, Address, OpenScan};
use crate::state::ViewerState;
use crate::stream::decoders;
use crate::stream::scans::{Move, Opened, Scans, Unopened};
use crate::tools::registry::ToolRegistry;
use crate::ui::state::{CopyView, UiState};
use crate::view_address::View;
use crate::wake::wake;

/// Messages about one address that are shown at most.
const NOTICES_MAX: usize = 3;

/// A scan and how it is moved, or why it could not be opened.
type OpenResult = Result<(OpenScan, Move), Unopened>;

/// Calls of the page since the last frame.
#[derive(Default)]
struct Inbox {
    /// Number of scans that are being opened.
    opening: usize,
    /// Sources that have been opened or could not be, with their places in the order in which they were given.
    opened: Vec<(usize, OpenResult)>,
    /// Scans to close, and scans to show or hide, by their numbers.
    scans: Vec<(u32, ScanChange)>,
    requests: Vec<CameraRequest>,
    settings: Vec<SettingsChange>,
    /// Views by their addresses.
    views: Vec<String>,
    /// Tools to start or end.
    tools: Vec<(String, bool)>,
    gamepad: Option<Gamepad>,
}

#[wasm_bindgen]
extern "C" {
    /// Tells the page the view that is shown, for its address.
    #[wasm_bindgen(catch, js_namespace = ["window", "parterre"], js_name = viewChanged)]
    fn view_changed(view: &str) -> Result<(), JsValue>;
    /// Lets the page copy the address of a view.
    #[wasm_bindgen(catch, js_namespace = ["window", "parterre"], js_name = copyAddress)]
    fn copy_address(view: &str) -> Result<(), JsValue>;
}

/// Settings that a page changes; those left out stay.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsChange {
    /// Maximum number of points drawn.
    budget: Option<f64>,
    /// Whether fewer points are drawn where the device is slow.
    adapt: Option<bool>,
    /// Whether edges are shaded.
    edl: Option<bool>,
    /// What the colour shows: `rgb`, `intensity` or `height`.
    color: Option<String>,
    /// Factor on the size of points.
    point_size: Option<f32>,
    /// Whether one sees into closed rooms from outside.
    see_inside: Option<bool>,
    /// Whether the panel is shown.
    panel: Option<bool>,
}

impl SettingsChange {
    /// Whether every value can be used.
    fn is_valid(&self) -> bool {
        self.budget.is_none_or(f64::is_finite)
            && self.point_size.is_none_or(|size| size.is_finite() && size > 0.0)
            && self.color.as_deref().is_none_or(|name| ColorBy::from_name(name).is_some())
    }

    fn apply(&self, settings: &mut Settings, ui: &mut UiState) {
        if let Some(points) = self.budget {
            settings.budget_points = points.clamp(1e3, 1e8) as u64;
        }
        settings.adapt = self.adapt.unwrap_or(settings.adapt);
        settings.edl = self.edl.unwrap_or(settings.edl);
        settings.color_by = self.color.as_deref().and_then(ColorBy::from_name).unwrap_or(settings.color_by);
        settings.point_size = self.point_size.map_or(settings.point_size, |size| size.clamp(0.1, 10.0));
        settings.see_inside = self.see_inside.unwrap_or(settings.see_inside);
        ui.panel = self.panel.unwrap_or(ui.panel);
    }
}

/// What a page wants with a scan.
#[derive(Clone, Copy, Debug)]
enum ScanChange {
    Show(bool),
    Close,
}

/// Where a page wants a scan to lie.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OpenOptions {
    /// Its name in the panel.
    name: Option<String>,
    /// Metres from where its coordinates place it.
    r#move: [f64; 3],
    /// Degrees anticlockwise about its origin, seen from above.
    turn: f64,
}

impl OpenOptions {
    fn moved(&self) -> Option<Move> {
        let moved = Move { by_m: DVec3::from_array(self.r#move), turn_rad: self.turn.to_radians() };
        (moved.by_m.is_finite() && moved.turn_rad.is_finite()).then_some(moved)
    }
}

thread_local! {
    static INBOX: RefCell<Inbox> = RefCell::default();
    static STATE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Starts the viewer in the canvas `#parterre-canvas` and opens the tilesets at `addresses`: full addresses, or paths
/// on the page's host. The panel shows `name` for the first, or a part of the address without it. `view`: the view to start with, as [`View`] writes it.
#[wasm_bindgen]
pub fn start(addresses: Vec<String>, name: Option<String>, view: Option<String>) {
    console_error_panic_hook::set_once();
    decoders::start();
    INBOX.with_borrow_mut(|inbox| inbox.views.extend(view));
    let mut name = name;
    for address in addresses {
        start_opening(address, name.take(), Move::default());
    }
    let mut app = window_app("Scan", Settings::default(), None);
    app.add_systems(PreUpdate, read_inbox).add_systems(Last, (publish, publish_view, copy));
    app.run();
}

/// Opens a further scan. `options`: a JSON object with some of the fields `name`, `move` (`[x, y, z]`, metres) and `turn` (degrees). Returns `false` where it is
/// not one.
#[wasm_bindgen]
pub fn open(address: String, options: &str) -> bool {
    let Some((options, moved)) =
        serde_json::from_str::<OpenOptions>(options).ok().and_then(|options| Some((options.clone(), options.moved()?)))
    else {
        return false;
    };
    start_opening(address, options.name, moved);
    true
}

/// Shows or hides a scan, by its number in the state.
#[wasm_bindgen]
pub fn show_scan(id: u32, is_visible: bool) {
    change_scan(id, ScanChange::Show(is_visible));
}

/// Closes a scan, by its number in the state.
#[wasm_bindgen]
pub fn close_scan(id: u32) {
    change_scan(id, ScanChange::Close);
}

fn change_scan(id: u32, change: ScanChange) {
    INBOX.with_borrow_mut(|inbox| inbox.scans.push((id, change)));
    wake();
}

fn start_opening(address: String, name: Option<String>, moved: Move) {
    let place = INBOX.with_borrow_mut(|inbox| {
        inbox.opening += 1;
        inbox.opening + inbox.opened.len()
    });
    wasm_bindgen_futures::spawn_local(async move {
        let opened = match parse_address(&address) {
            Ok(parsed) => source::open(parsed).await,
            Err(fault) => Err(fault),
        };
        let opened = match opened {
            Ok(open) => Ok((OpenScan { name: name.unwrap_or_else(|| open.name.clone()), ..open }, moved)),
            Err(fault) => Err(Unopened { source: address, fault }),
        };
        INBOX.with_borrow_mut(|inbox| {
            inbox.opening -= 1;
            inbox.opened.push((place, opened));
        });
        wake();
    });
}

/// The state of the last frame as JSON; see [`ViewerState`].
#[wasm_bindgen]
pub fn state_json() -> String {
    STATE.with_borrow(Clone::clone)
}

/// Looks from an eye at a target: `[ex, ey, ez, tx, ty, tz]`, scene frame, metres.
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

/// Changes settings, given as a JSON object with some of the fields `budget`, `adapt`, `edl`, `color`, `point_size`, `see_inside` and
/// `panel`. Returns `false` where it is not one.
#[wasm_bindgen]
pub fn settings(json: &str) -> bool {
    let Some(change) = serde_json::from_str::<SettingsChange>(json).ok().filter(SettingsChange::is_valid) else { return false };
    INBOX.with_borrow_mut(|inbox| inbox.settings.push(change));
    wake();
    true
}

/// Shows the view of an address, given with or without its `#`; what cannot be used is named in a message.
#[wasm_bindgen]
pub fn show_view(text: String) {
    INBOX.with_borrow_mut(|inbox| inbox.views.push(text));
    wake();
}

/// Starts or ends a tool.
#[wasm_bindgen]
pub fn tool(name: String, is_active: bool) {
    INBOX.with_borrow_mut(|inbox| inbox.tools.push((name, is_active)));
    wake();
}

/// Takes the state of a gamepad: its axes, y downwards, and the values of its buttons, in the browsers' standard layout; both empty where there
/// is none any more. Returns whether it is being used, so that its state will be needed again soon.
#[wasm_bindgen]
pub fn gamepad(axes: &[f64], buttons: &[f64]) -> bool {
    thread_local! {
        static BEFORE: RefCell<Gamepad> = RefCell::default();
    }
    let now = Gamepad::from_browser(axes, buttons);
    let before = BEFORE.replace(now);
    if now.is_used() || before.is_used() || now.is_connected != before.is_connected {
        INBOX.with_borrow_mut(|inbox| inbox.gamepad = Some(now));
        wake();
    }
    now.is_used()
}

fn send_request(request: CameraRequest) {
    INBOX.with_borrow_mut(|inbox| inbox.requests.push(request));
    wake();
}

fn parse_address(address: &str) -> Result<Address, Fault> {
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    if address.starts_with('/') { Address::parse(&format!("{origin}{address}")) } else { Address::parse(address) }
}

fn read_inbox(
    (mut settings, mut ui): (ResMut<Settings>, ResMut<UiState>),
    (mut gamepad, mut tools): (ResMut<Gamepad>, ResMut<ToolRegistry>),
    mut state: ResMut<ViewerState>,
    mut requests: MessageWriter<CameraRequest>,
    mut scans: ResMut<Scans>,
) {
    let mut inbox = INBOX.take();
    for change in &inbox.settings {
        change.apply(&mut settings, &mut ui);
    }
    if let Some(now) = inbox.gamepad.take() {
        *gamepad = now;
        ui.has_gamepad = now.is_connected;
    }
    if inbox.opening == 0 && !inbox.opened.is_empty() {
        // All at once, so that the first view shows all of them.
        inbox.opened.sort_by_key(|(place, _)| *place);
        let mut opened = Opened::default();
        for (_, result) in inbox.opened.drain(..) {
            match result {
                Ok(scan) => opened.scans.push(scan),
                Err(unopened) => opened.unopened.push(unopened),
            }
        }
        if scans.is_empty() && opened.scans.is_empty() {
            state.loading = 0;
            state.error = opened.unopened.first().map(|unopened| unopened.fault.clone());
        }
        scans.add_all(opened);
    }
    for (id, change) in inbox.scans.drain(..) {
        match change {
            ScanChange::Show(is_visible) => scans.set_visible(ScanId(id), is_visible),
            ScanChange::Close => scans.close(ScanId(id)),
        };
    }
    // Counted on while the futures run.
    INBOX.with_borrow_mut(|next| (next.opening, next.opened) = (inbox.opening, std::mem::take(&mut inbox.opened)));
    let is_open = scans.opened() > 0;
    if is_open {
        for text in &inbox.views {
            let (view, problems) = View::parse(text);
            // Those of the last address alone, and not hundreds.
            ui.notices = problems.into_iter().take(NOTICES_MAX).collect();
            view.apply(&mut settings);
            requests.write_batch(CameraRequest::of_view(&view));
        }
        requests.write_batch(inbox.requests);
        inbox.tools.iter().for_each(|(name, is_active)| tools.set_active(name, *is_active));
    } else {
        // Kept until the scan is open.
        INBOX.with_borrow_mut(|next| (next.views, next.requests, next.tools) = (inbox.views, inbox.requests, inbox.tools));
    }
}

fn publish(state: Res<ViewerState>) {
    if let Ok(json) = serde_json::to_string(&*state) {
        STATE.with_borrow_mut(|published| *published = json);
    }
}

/// Tells the page the view when it stands still: while it moves, an address of every frame is of no use to anybody.
fn publish_view(state: Res<ViewerState>, pace: Res<Pace>, mut last: Local<String>) {
    let is_searching_floor = state.mode == Mode::Walk.name() && state.level.is_none();
    if pace.phase != Phase::Moving && !is_searching_floor && !state.view.is_empty() && *last != state.view {
        last.clone_from(&state.view);
        // A page without this function needs no address.
        let _ = view_changed(&state.view);
    }
}

fn copy(mut copies: MessageReader<CopyView>) {
    for CopyView(view) in copies.read() {
        let _ = copy_address(view);
    }
}
