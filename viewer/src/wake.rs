//! What comes from outside the app: whether anybody can see it, and calls for a frame while none is drawn.

use bevy::prelude::*;
#[cfg(target_arch = "wasm32")]
use bevy::winit::{EventLoopProxy, EventLoopProxyWrapper, WinitUserEvent};

/// Whether the window is hidden, for example a page in the background.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct Hidden(pub bool);

#[cfg(target_arch = "wasm32")]
thread_local! {
    static PROXY: std::cell::RefCell<Option<EventLoopProxy<WinitUserEvent>>> = const { std::cell::RefCell::new(None) };
    static IS_AWAKE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn register(proxy: Res<EventLoopProxyWrapper>) {
    PROXY.set(Some((**proxy).clone()));
}

/// Says whether the next frame comes by itself, without a call of [`wake`].
#[cfg(target_arch = "wasm32")]
pub(crate) fn set_awake(is_awake: bool) {
    IS_AWAKE.set(is_awake);
}

/// Asks for a frame, for what comes from outside the app.
///
/// Only once until it comes: each time the event loop gives up the animation frame that it waits for and asks for the next one, so that a page that
/// calls in every animation frame would never see a frame drawn.
#[cfg(target_arch = "wasm32")]
pub fn wake() {
    if IS_AWAKE.replace(true) {
        return;
    }
    PROXY.with_borrow(|proxy| match proxy {
        // The event loop is gone only when the page is.
        Some(proxy) => drop(proxy.send_event(WinitUserEvent::WakeUp)),
        None => IS_AWAKE.set(false),
    });
}
