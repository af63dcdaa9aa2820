//! Keyboard, mouse and touch, gathered into what the user wants of the camera in this frame.

use bevy::ecs::system::SystemParam;
use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::input::touch::Touches;
use bevy::math::DVec2;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::input::EguiWantsInput;

use super::request::CameraRequest;
use crate::rig::mode::Mode;

/// A wheel that reports pixels moves about this many a notch.
const PIXELS_PER_NOTCH: f32 = 100.0;

/// What the user wants of the camera in this frame. Lengths are in logical pixels of the picture.
#[derive(Resource, Clone, Debug, Default)]
pub struct Intent {
    /// Drag to turn, x to the right, y downwards.
    pub turn_px: DVec2,
    /// Drag to shift.
    pub shift_px: DVec2,
    /// Notches of the wheel, or of a pinch, towards.
    pub zoom: f64,
    /// Where the zoom aims, -1 to 1 with y upwards.
    pub at: DVec2,
    /// Whether a drag began in this frame.
    pub began: bool,
    /// Keys: x right, y forward, z up; -1, 0 or 1 each.
    pub go: bevy::math::DVec3,
    /// Faster.
    pub fast: bool,
    /// Logical size of the picture.
    pub size_px: DVec2,
}

/// What is held between frames.
#[derive(Default)]
pub(super) struct Held {
    /// Dragging outside the panel.
    dragging: bool,
}

/// The input devices; none of them is there where there is no window.
#[derive(SystemParam)]
pub(super) struct Devices<'w> {
    keys: Option<Res<'w, ButtonInput<KeyCode>>>,
    buttons: Option<Res<'w, ButtonInput<MouseButton>>>,
    touches: Option<Res<'w, Touches>>,
    motion: Option<Res<'w, AccumulatedMouseMotion>>,
    scroll: Option<Res<'w, AccumulatedMouseScroll>>,
}

pub(super) fn read(
    mut intent: ResMut<Intent>,
    mut held: Local<Held>,
    mut requests: MessageWriter<CameraRequest>,
    windows: Query<&Window, With<PrimaryWindow>>,
    devices: Devices,
    panel: Option<Res<EguiWantsInput>>,
) {
    *intent = Intent::default();
    let Ok(window) = windows.single() else { return };
    let Devices { keys, buttons, touches, motion, scroll } = devices;
    intent.size_px = DVec2::new(f64::from(window.width()), f64::from(window.height())).max(DVec2::ONE);
    let panel_has_pointer = panel.as_ref().is_some_and(|panel| panel.wants_any_pointer_input());
    let panel_has_keys = panel.as_ref().is_some_and(|panel| panel.wants_any_keyboard_input());
    let size_px = intent.size_px;
    let ndc = |position: Vec2| {
        let position = position.as_dvec2() / size_px;
        DVec2::new(position.x * 2.0 - 1.0, 1.0 - position.y * 2.0)
    };
    intent.at = window.cursor_position().map(ndc).unwrap_or_default();

    if let (Some(buttons), Some(motion)) = (buttons, motion) {
        let any = [MouseButton::Left, MouseButton::Right, MouseButton::Middle];
        if buttons.any_just_pressed(any) && !panel_has_pointer {
            held.dragging = true;
            intent.began = true;
        }
        if !buttons.any_pressed(any) {
            held.dragging = false;
        }
        if held.dragging && !intent.began {
            let delta = motion.delta.as_dvec2();
            if buttons.pressed(MouseButton::Left) {
                intent.turn_px += delta;
            } else {
                intent.shift_px += delta;
            }
        }
    }
    if let Some(scroll) = scroll.filter(|_| !panel_has_pointer) {
        let notches = match scroll.unit {
            MouseScrollUnit::Line => scroll.delta.y,
            MouseScrollUnit::Pixel => scroll.delta.y / PIXELS_PER_NOTCH,
        };
        intent.zoom += f64::from(notches).clamp(-2.0, 2.0);
    }
    if let Some(touches) = touches.filter(|_| !panel_has_pointer) {
        read_touches(&touches, &mut intent, ndc);
    }
    if let Some(keys) = keys.filter(|_| !panel_has_keys) {
        read_keys(&keys, &mut intent, &mut requests);
    }
}

/// One finger turns; two shift together and zoom by their distance.
fn read_touches(touches: &Touches, intent: &mut Intent, ndc: impl Fn(Vec2) -> DVec2) {
    let fingers: Vec<_> = touches.iter().collect();
    match fingers.as_slice() {
        [] => {}
        [finger] => {
            intent.turn_px += finger.delta().as_dvec2();
            intent.began |= touches.any_just_pressed();
        }
        [a, b, ..] => {
            let (now, before) = (a.position().distance(b.position()), a.previous_position().distance(b.previous_position()));
            if now > 1.0 && before > 1.0 {
                // A notch brings 15 % nearer.
                intent.zoom += f64::from(now / before).ln() / f64::ln(1.0 / 0.85);
            }
            intent.shift_px += (a.delta() + b.delta()).as_dvec2() * 0.5;
            intent.at = ndc(a.position().midpoint(b.position()));
            intent.began |= touches.any_just_pressed();
        }
    }
}

fn read_keys(keys: &ButtonInput<KeyCode>, intent: &mut Intent, requests: &mut MessageWriter<CameraRequest>) {
    let axis = |positive: [KeyCode; 2], negative: [KeyCode; 2]| {
        f64::from(i8::from(keys.any_pressed(positive)) - i8::from(keys.any_pressed(negative)))
    };
    intent.go.x = axis([KeyCode::KeyD, KeyCode::ArrowRight], [KeyCode::KeyA, KeyCode::ArrowLeft]);
    intent.go.y = axis([KeyCode::KeyW, KeyCode::ArrowUp], [KeyCode::KeyS, KeyCode::ArrowDown]);
    intent.go.z = axis([KeyCode::KeyE, KeyCode::PageUp], [KeyCode::KeyQ, KeyCode::PageDown]);
    intent.fast = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    let modes = [
        (Mode::Orbit, [KeyCode::Digit1, KeyCode::KeyO]),
        (Mode::Fly, [KeyCode::Digit2, KeyCode::KeyF]),
        (Mode::Walk, [KeyCode::Digit3, KeyCode::KeyG]),
    ];
    for (mode, either) in modes {
        if keys.any_just_pressed(either) {
            requests.write(CameraRequest::Mode(mode));
        }
    }
    if keys.any_just_pressed([KeyCode::Home, KeyCode::KeyR]) {
        requests.write(CameraRequest::Reset);
    }
}
