//! Reading of the devices: what each control did in this frame, apart from what the panel takes for itself.

use std::collections::HashSet;

use bevy::ecs::system::SystemParam;
use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::input::touch::Touches;
use bevy::math::DVec2;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::input::EguiWantsInput;
use bevy_egui::{EguiContext, PrimaryEguiContext, egui};

use super::intents::Intents;
use super::map::{Axis, Change, Control, InputMap, Signal};

/// Wheels that report pixels report about this many per notch.
const PIXELS_PER_NOTCH: f32 = 100.0;
/// A press that moves further is a drag and no click. Logical pixels; a finger is less steady than a mouse.
const CLICK_PX: f32 = 6.0;
const TAP_PX: f32 = 14.0;
/// Number of buttons of a gamepad in the browsers' standard layout.
const BUTTONS: usize = 17;
/// A button whose value exceeds this is pressed.
const PRESSED: f32 = 0.5;

/// The state of a gamepad. Only the web viewer fills it, from the browser: natively, it needs a library of the system that is rarely there.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct Gamepad {
    /// Whether there is one.
    pub is_connected: bool,
    /// Left stick x and y, right stick x and y; y upwards. -1 to 1.
    pub sticks: [f32; 4],
    /// 0 to 1 for each button, in the browsers' standard layout.
    pub buttons: [f32; BUTTONS],
}

impl Gamepad {
    /// A gamepad of which a browser says this: `axes` with y downwards, and the values of its buttons.
    pub fn from_browser(axes: &[f64], buttons: &[f64]) -> Self {
        let number = |values: &[f64], index: usize| values.get(index).copied().filter(|number| number.is_finite()).unwrap_or(0.0) as f32;
        let tilt = |index: usize| number(axes, index).clamp(-1.0, 1.0);
        Self {
            is_connected: !axes.is_empty() || !buttons.is_empty(),
            sticks: [tilt(0), -tilt(1), tilt(2), -tilt(3)],
            buttons: std::array::from_fn(|index| number(buttons, index).clamp(0.0, 1.0)),
        }
    }

    /// Whether a stick is tilted or a button is pressed.
    pub fn is_used(&self) -> bool {
        self.sticks.iter().chain(&self.buttons).any(|value| value.abs() > 0.1)
    }
}

/// A press of a mouse button or a finger that may become a click.
#[derive(Clone, Copy, Debug)]
struct Press {
    position: Vec2,
    moved_px: f32,
}

/// What must be remembered between frames.
#[derive(Default)]
pub(super) struct Memory {
    /// Whether a drag that started outside the panel is in progress.
    is_dragging: bool,
    press: Option<Press>,
    /// The fingers that touched the picture and not the panel.
    fingers: HashSet<u64>,
    tap: Option<Press>,
    gamepad: Gamepad,
}

/// The input devices. They do not exist in an app without a window.
#[derive(SystemParam)]
pub(super) struct Devices<'w> {
    keys: Option<Res<'w, ButtonInput<KeyCode>>>,
    buttons: Option<Res<'w, ButtonInput<MouseButton>>>,
    touches: Option<Res<'w, Touches>>,
    motion: Option<Res<'w, AccumulatedMouseMotion>>,
    scroll: Option<Res<'w, AccumulatedMouseScroll>>,
    gamepad: Res<'w, Gamepad>,
}

/// The signals of a frame, and where the pointer is.
struct Reading<'a> {
    intents: &'a mut Intents,
    signals: Vec<Signal>,
    /// Whether a position is on the panel or another part of the interface.
    is_on_panel: &'a dyn Fn(Vec2) -> bool,
}

pub(super) fn read(
    mut intents: ResMut<Intents>,
    map: Res<InputMap>,
    mut memory: Local<Memory>,
    windows: Query<&Window, With<PrimaryWindow>>,
    devices: Devices,
    time: Res<Time>,
    (panel, mut contexts): (Option<Res<EguiWantsInput>>, Query<&mut EguiContext, With<PrimaryEguiContext>>),
) {
    *intents = Intents::default();
    let Ok(window) = windows.single() else { return };
    let Devices { keys, buttons, touches, motion, scroll, gamepad } = devices;
    intents.size_px = DVec2::new(f64::from(window.width()), f64::from(window.height())).max(DVec2::ONE);
    let panel_has_pointer = panel.as_ref().is_some_and(|panel| panel.wants_any_pointer_input());
    let panel_has_keys = panel.as_ref().is_some_and(|panel| panel.wants_any_keyboard_input());
    // What egui says is about the frame before; a finger may come and go within one.
    let context = contexts.single_mut().ok().map(|mut context| context.get_mut().clone());
    let is_on_panel = |position: Vec2| {
        let layer = context.as_ref().and_then(|context| context.layer_id_at(egui::pos2(position.x, position.y)));
        layer.is_some_and(|layer| layer.order != egui::Order::Background)
    };
    let cursor = window.cursor_position();
    intents.pointer = cursor.map(|cursor| ndc(cursor, intents.size_px)).unwrap_or_default();
    let mut reading = Reading { intents: &mut intents, signals: Vec::new(), is_on_panel: &is_on_panel };
    if let (Some(buttons), Some(motion)) = (buttons, motion) {
        read_mouse(&buttons, motion.delta, cursor.filter(|_| !panel_has_pointer), &mut memory, &mut reading);
    }
    if let Some(scroll) = scroll.filter(|_| !panel_has_pointer && !cursor.is_some_and(is_on_panel)) {
        let notches = match scroll.unit {
            MouseScrollUnit::Line => scroll.delta.y,
            MouseScrollUnit::Pixel => scroll.delta.y / PIXELS_PER_NOTCH,
        };
        reading.signal(Control::Wheel, Change::Turned(f64::from(notches).clamp(-2.0, 2.0)));
    }
    if let Some(touches) = touches {
        read_touches(&touches, &mut memory, &mut reading);
    }
    if let Some(keys) = keys.filter(|_| !panel_has_keys) {
        keys.get_just_pressed().for_each(|key| reading.signal(Control::Key(*key), Change::Pressed));
        keys.get_pressed().for_each(|key| reading.signal(Control::Key(*key), Change::Held(1.0)));
    }
    read_gamepad(&gamepad, &mut memory, &mut reading);
    let signals = reading.signals;
    // After a pause without frames, the time since the last one says nothing.
    map.apply(&signals, time.delta_secs_f64().min(0.1), &mut intents);
}

impl Reading<'_> {
    fn signal(&mut self, control: Control, change: Change) {
        self.signals.push(Signal { control, change });
    }
}

/// A position in logical pixels from the top left as one from -1 to 1, y upwards.
fn ndc(position: Vec2, size_px: DVec2) -> DVec2 {
    let position = position.as_dvec2() / size_px;
    DVec2::new(position.x * 2.0 - 1.0, 1.0 - position.y * 2.0)
}

/// Drags and clicks. `cursor`: where a press counts; none where the panel has the pointer.
fn read_mouse(buttons: &ButtonInput<MouseButton>, delta: Vec2, cursor: Option<Vec2>, memory: &mut Memory, reading: &mut Reading) {
    let all_buttons = [MouseButton::Left, MouseButton::Right, MouseButton::Middle];
    let mut has_started = false;
    if buttons.any_just_pressed(all_buttons)
        && let Some(position) = cursor.filter(|cursor| !(reading.is_on_panel)(*cursor))
    {
        memory.is_dragging = true;
        has_started = true;
        reading.intents.drag_started = true;
        memory.press = buttons.just_pressed(MouseButton::Left).then_some(Press { position, moved_px: 0.0 });
    }
    if let Some(press) = &mut memory.press
        && !has_started
    {
        press.moved_px += delta.length();
    }
    if buttons.just_released(MouseButton::Left)
        && let Some(press) = memory.press.take()
        && press.moved_px <= CLICK_PX
    {
        reading.intents.click = Some(ndc(press.position, reading.intents.size_px));
    }
    let held = all_buttons.into_iter().find(|button| buttons.pressed(*button));
    memory.is_dragging &= held.is_some();
    if let Some(button) = held.filter(|_| memory.is_dragging && !has_started) {
        reading.signal(Control::Drag(button), Change::Dragged(delta.as_dvec2()));
    }
}

/// One finger drags or taps; two fingers drag by their common movement, and pinch by the change of their distance.
fn read_touches(touches: &Touches, memory: &mut Memory, reading: &mut Reading) {
    for finger in touches.iter_just_pressed() {
        if (reading.is_on_panel)(finger.start_position()) {
            continue;
        }
        // A second finger makes it no tap.
        memory.tap = memory.fingers.is_empty().then_some(Press { position: finger.start_position(), moved_px: 0.0 });
        memory.fingers.insert(finger.id());
        reading.intents.drag_started = true;
    }
    for finger in touches.iter_just_released() {
        if memory.fingers.contains(&finger.id())
            && let Some(tap) = memory.tap.take()
            && tap.moved_px.max(finger.position().distance(tap.position)) <= TAP_PX
        {
            reading.intents.click = Some(ndc(tap.position, reading.intents.size_px));
        }
    }
    let fingers: Vec<_> = touches.iter().filter(|finger| memory.fingers.contains(&finger.id())).collect();
    memory.fingers = fingers.iter().map(|finger| finger.id()).collect();
    match fingers.as_slice() {
        [] => memory.tap = None,
        [finger] => {
            if let Some(tap) = &mut memory.tap {
                tap.moved_px = tap.moved_px.max(finger.position().distance(tap.position));
            }
            reading.intents.pointer = ndc(finger.position(), reading.intents.size_px);
            reading.signal(Control::OneFinger, Change::Dragged(finger.delta().as_dvec2()));
        }
        [a, b, ..] => {
            let (now, before) = (a.position().distance(b.position()), a.previous_position().distance(b.previous_position()));
            if now > 1.0 && before > 1.0 {
                // A notch of the wheel reduces the distance by 15 %.
                let notches = f64::from(now / before).ln() / f64::ln(1.0 / 0.85);
                reading.signal(Control::Pinch, Change::Turned(notches));
            }
            reading.intents.pointer = ndc(a.position().midpoint(b.position()), reading.intents.size_px);
            reading.signal(Control::TwoFingers, Change::Dragged((a.delta() + b.delta()).as_dvec2() * 0.5));
        }
    }
}

fn read_gamepad(gamepad: &Gamepad, memory: &mut Memory, reading: &mut Reading) {
    for (axis, value) in [Axis::LeftX, Axis::LeftY, Axis::RightX, Axis::RightY].into_iter().zip(gamepad.sticks) {
        if value != 0.0 {
            reading.signal(Control::Stick(axis), Change::Held(f64::from(value)));
        }
    }
    for (index, (now, before)) in gamepad.buttons.into_iter().zip(memory.gamepad.buttons).enumerate() {
        let control = Control::Button(index as u8);
        if now > 0.0 {
            reading.signal(control, Change::Held(f64::from(now)));
        }
        if now > PRESSED && before <= PRESSED {
            reading.signal(control, Change::Pressed);
        }
    }
    memory.gamepad = *gamepad;
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use bevy::input::ButtonState;
    use bevy::input::mouse::{MouseButtonInput, MouseMotion};
    use bevy::input::touch::{TouchInput, TouchPhase};

    use super::*;
    use crate::input::InputPlugin;
    use crate::input::intents::Command;
    use crate::rig::mode::Mode;

    /// An app with a window of 1280 x 720 and devices that a test feeds.
    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, bevy::input::InputPlugin, InputPlugin));
        app.world_mut().spawn((Window::default(), PrimaryWindow));
        app
    }

    fn intents(app: &mut App) -> Intents {
        app.update();
        app.world().resource::<Intents>().clone()
    }

    fn touch(app: &mut App, phase: TouchPhase, id: u64, x: f32) {
        let window = app.world_mut().query_filtered::<Entity, With<PrimaryWindow>>().single(app.world()).expect("a window");
        app.world_mut().write_message(TouchInput { phase, position: Vec2::new(x, 360.0), window, force: None, id });
    }

    #[test]
    fn a_tap_is_a_click_and_a_drag_is_none() {
        let mut app = app();
        touch(&mut app, TouchPhase::Started, 1, 640.0);
        assert!(intents(&mut app).drag_started);
        touch(&mut app, TouchPhase::Moved, 1, 645.0);
        assert_eq!(intents(&mut app).rotate_px, DVec2::new(5.0, 0.0));
        touch(&mut app, TouchPhase::Ended, 1, 645.0);
        assert_eq!(intents(&mut app).click, Some(DVec2::ZERO), "a finger is not quite steady");
        assert_eq!(intents(&mut app).click, None);

        // Within one frame of a slow device.
        touch(&mut app, TouchPhase::Started, 2, 320.0);
        touch(&mut app, TouchPhase::Ended, 2, 320.0);
        assert_eq!(intents(&mut app).click, Some(DVec2::new(-0.5, 0.0)));

        touch(&mut app, TouchPhase::Started, 3, 100.0);
        app.update();
        touch(&mut app, TouchPhase::Moved, 3, 200.0);
        app.update();
        touch(&mut app, TouchPhase::Moved, 3, 100.0);
        app.update();
        touch(&mut app, TouchPhase::Ended, 3, 100.0);
        assert_eq!(intents(&mut app).click, None, "there and back is a drag");
    }

    #[test]
    fn two_fingers_drag_and_pinch_and_do_not_tap() {
        let mut app = app();
        touch(&mut app, TouchPhase::Started, 1, 500.0);
        app.update();
        touch(&mut app, TouchPhase::Started, 2, 700.0);
        app.update();
        touch(&mut app, TouchPhase::Moved, 1, 450.0);
        touch(&mut app, TouchPhase::Moved, 2, 770.0);
        let pinched = intents(&mut app);
        assert_eq!((pinched.pan_px, pinched.rotate_px), (DVec2::new(10.0, 0.0), DVec2::ZERO));
        assert!(pinched.zoom > 2.0, "{}", pinched.zoom);
        touch(&mut app, TouchPhase::Ended, 2, 770.0);
        app.update();
        touch(&mut app, TouchPhase::Ended, 1, 450.0);
        assert_eq!(intents(&mut app).click, None);
    }

    #[test]
    fn a_click_of_the_mouse_may_tremble() {
        let mut app = app();
        let window = app.world_mut().query_filtered::<Entity, With<PrimaryWindow>>().single(app.world()).expect("a window");
        let mut click = |moved_px: f32| {
            let mut windows = app.world_mut().query::<&mut Window>();
            windows.single_mut(app.world_mut()).expect("a window").set_cursor_position(Some(Vec2::new(960.0, 180.0)));
            let button = |state| MouseButtonInput { button: MouseButton::Left, state, window };
            app.world_mut().write_message(button(ButtonState::Pressed));
            let first = intents(&mut app);
            assert!(first.drag_started && first.click.is_none());
            app.world_mut().write_message(MouseMotion { delta: Vec2::new(moved_px, 0.0) });
            let second = intents(&mut app);
            assert_eq!(second.rotate_px.x, f64::from(moved_px));
            app.world_mut().write_message(button(ButtonState::Released));
            intents(&mut app).click
        };
        assert_eq!(click(2.0), Some(DVec2::new(0.5, 0.5)));
        assert_eq!(click(20.0), None);
    }

    #[test]
    fn a_gamepads_button_is_pressed_once() {
        let mut app = app();
        let mut buttons = [0.0; 17];
        buttons[0] = 1.0;
        *app.world_mut().resource_mut::<Gamepad>() = Gamepad::from_browser(&[0.0, -1.0, f64::NAN], &buttons);
        let first = intents(&mut app);
        assert_eq!(first.commands, [Command::Mode(Mode::Walk)]);
        assert_eq!(first.movement.y, 1.0, "up on a stick is forward");
        assert_eq!(intents(&mut app).commands, []);
        let nothing = Gamepad::from_browser(&[], &[]);
        assert!(!nothing.is_connected && !nothing.is_used());
    }
}
