//! Input of a frame from keyboard, mouse and touch screen, independent of the device.

use bevy::ecs::system::SystemParam;
use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::input::touch::Touches;
use bevy::math::DVec2;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::input::EguiWantsInput;

use super::request::CameraRequest;
use crate::rig::mode::Mode;

/// Wheels that report pixels report about this many per notch.
const PIXELS_PER_NOTCH: f32 = 100.0;

/// The user's input for the camera in this frame. Lengths are in logical pixels.
#[derive(Resource, Clone, Debug, Default)]
pub struct CameraInput {
    /// Drag with the left button or one finger: x to the right, y downwards.
    pub rotate_px: DVec2,
    /// Drag with another button or two fingers: x to the right, y downwards.
    pub pan_px: DVec2,
    /// Notches of the wheel, or their equivalent for a pinch; positive zooms in.
    pub zoom: f64,
    /// Position of the pointer in the picture, -1 to 1, y upwards.
    pub pointer: DVec2,
    /// Whether a drag started in this frame.
    pub drag_started: bool,
    /// Movement keys: x right, y forward, z up; -1, 0 or 1 each.
    pub move_keys: bevy::math::DVec3,
    /// Whether Shift is held.
    pub fast: bool,
    /// Size of the picture in logical pixels.
    pub size_px: DVec2,
}

/// State of a mouse drag between frames.
#[derive(Default)]
pub(super) struct DragState {
    /// Whether a drag that started outside the panel is in progress.
    dragging: bool,
}

/// The input devices. They do not exist in an app without a window.
#[derive(SystemParam)]
pub(super) struct Devices<'w> {
    keys: Option<Res<'w, ButtonInput<KeyCode>>>,
    buttons: Option<Res<'w, ButtonInput<MouseButton>>>,
    touches: Option<Res<'w, Touches>>,
    motion: Option<Res<'w, AccumulatedMouseMotion>>,
    scroll: Option<Res<'w, AccumulatedMouseScroll>>,
}

pub(super) fn read(
    mut input: ResMut<CameraInput>,
    mut drag: Local<DragState>,
    mut requests: MessageWriter<CameraRequest>,
    windows: Query<&Window, With<PrimaryWindow>>,
    devices: Devices,
    panel: Option<Res<EguiWantsInput>>,
) {
    *input = CameraInput::default();
    let Ok(window) = windows.single() else { return };
    let Devices { keys, buttons, touches, motion, scroll } = devices;
    input.size_px = DVec2::new(f64::from(window.width()), f64::from(window.height())).max(DVec2::ONE);
    let panel_has_pointer = panel.as_ref().is_some_and(|panel| panel.wants_any_pointer_input());
    let panel_has_keys = panel.as_ref().is_some_and(|panel| panel.wants_any_keyboard_input());
    let size_px = input.size_px;
    let ndc = |position: Vec2| {
        let position = position.as_dvec2() / size_px;
        DVec2::new(position.x * 2.0 - 1.0, 1.0 - position.y * 2.0)
    };
    input.pointer = window.cursor_position().map(ndc).unwrap_or_default();

    if let (Some(buttons), Some(motion)) = (buttons, motion) {
        let all_buttons = [MouseButton::Left, MouseButton::Right, MouseButton::Middle];
        if buttons.any_just_pressed(all_buttons) && !panel_has_pointer {
            drag.dragging = true;
            input.drag_started = true;
        }
        if !buttons.any_pressed(all_buttons) {
            drag.dragging = false;
        }
        if drag.dragging && !input.drag_started {
            let delta = motion.delta.as_dvec2();
            if buttons.pressed(MouseButton::Left) {
                input.rotate_px += delta;
            } else {
                input.pan_px += delta;
            }
        }
    }
    if let Some(scroll) = scroll.filter(|_| !panel_has_pointer) {
        let notches = match scroll.unit {
            MouseScrollUnit::Line => scroll.delta.y,
            MouseScrollUnit::Pixel => scroll.delta.y / PIXELS_PER_NOTCH,
        };
        input.zoom += f64::from(notches).clamp(-2.0, 2.0);
    }
    if let Some(touches) = touches.filter(|_| !panel_has_pointer) {
        read_touches(&touches, &mut input, ndc);
    }
    if let Some(keys) = keys.filter(|_| !panel_has_keys) {
        read_keys(&keys, &mut input, &mut requests);
    }
}

/// One finger rotates; two fingers pan by their common movement and zoom by the change of their distance.
fn read_touches(touches: &Touches, input: &mut CameraInput, ndc: impl Fn(Vec2) -> DVec2) {
    let fingers: Vec<_> = touches.iter().collect();
    match fingers.as_slice() {
        [] => {}
        [finger] => {
            input.rotate_px += finger.delta().as_dvec2();
            input.drag_started |= touches.any_just_pressed();
        }
        [a, b, ..] => {
            let (now, before) = (a.position().distance(b.position()), a.previous_position().distance(b.previous_position()));
            if now > 1.0 && before > 1.0 {
                // A notch of the wheel reduces the distance by 15 %.
                input.zoom += f64::from(now / before).ln() / f64::ln(1.0 / 0.85);
            }
            input.pan_px += (a.delta() + b.delta()).as_dvec2() * 0.5;
            input.pointer = ndc(a.position().midpoint(b.position()));
            input.drag_started |= touches.any_just_pressed();
        }
    }
}

fn read_keys(keys: &ButtonInput<KeyCode>, input: &mut CameraInput, requests: &mut MessageWriter<CameraRequest>) {
    let axis = |positive: [KeyCode; 2], negative: [KeyCode; 2]| {
        f64::from(i8::from(keys.any_pressed(positive)) - i8::from(keys.any_pressed(negative)))
    };
    input.move_keys.x = axis([KeyCode::KeyD, KeyCode::ArrowRight], [KeyCode::KeyA, KeyCode::ArrowLeft]);
    input.move_keys.y = axis([KeyCode::KeyW, KeyCode::ArrowUp], [KeyCode::KeyS, KeyCode::ArrowDown]);
    input.move_keys.z = axis([KeyCode::KeyE, KeyCode::PageUp], [KeyCode::KeyQ, KeyCode::PageDown]);
    input.fast = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    let modes = [
        (Mode::Orbit, [KeyCode::Digit1, KeyCode::KeyO]),
        (Mode::Fly, [KeyCode::Digit2, KeyCode::KeyF]),
        (Mode::Walk, [KeyCode::Digit3, KeyCode::KeyG]),
    ];
    for (mode, mode_keys) in modes {
        if keys.any_just_pressed(mode_keys) {
            requests.write(CameraRequest::Mode(mode));
        }
    }
    if keys.any_just_pressed([KeyCode::Home, KeyCode::KeyR]) {
        requests.write(CameraRequest::Reset);
    }
}
