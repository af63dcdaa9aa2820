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
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn register(proxy: Res<EventLoopProxyWrapper>) {
    PROXY.set(Some((**proxy).clone()));
}

/// Asks for a frame, for what comes from outside the app.
#[cfg(target_arch = "wasm32")]
pub fn wake() {
    PROXY.with_borrow(|proxy| {
        if let Some(proxy) = proxy {
            // The event loop is gone only when the page is.
            let _ = proxy.send_event(WinitUserEvent::WakeUp);
        }
    });
}
