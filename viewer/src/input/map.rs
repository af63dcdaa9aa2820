//! The table from controls to actions. It knows no device's interface, so that it can be tested and later changed by the user.

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;

use super::intents::{Command, Intents};
use crate::rig::mode::Mode;

/// How far a stick at its end turns the view in a second: as a drag over this share of the height of the picture.
const LOOK_HEIGHTS_PER_S: f64 = 0.9;
/// A stick that is not touched is rarely at zero: smaller values count as zero.
const STICK_REST: f64 = 0.15;

/// A key, button, stick or gesture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// A key, by its position on the keyboard.
    Key(KeyCode),
    /// A drag with a mouse button.
    Drag(MouseButton),
    /// The wheel, or a scrolling gesture of a touch pad.
    Wheel,
    /// A drag with one finger.
    OneFinger,
    /// A drag with two fingers.
    TwoFingers,
    /// Two fingers that move apart or together.
    Pinch,
    /// An axis of a gamepad.
    Stick(Axis),
    /// A button of a gamepad, by its number in the browsers' standard layout.
    Button(u8),
}

/// An axis of a gamepad's sticks: x to the right, y upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Axis {
    LeftX,
    LeftY,
    RightX,
    RightY,
}

/// What a control is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Device {
    Keyboard,
    Mouse,
    TouchScreen,
    Gamepad,
}

impl Device {
    /// All, in the order of the help.
    pub const ALL: [Self; 4] = [Self::Mouse, Self::TouchScreen, Self::Keyboard, Self::Gamepad];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyboard => "Keyboard",
            Self::Mouse => "Mouse",
            Self::TouchScreen => "Touch screen",
            Self::Gamepad => "Gamepad",
        }
    }
}

impl Control {
    /// What it is a part of.
    pub fn device(self) -> Device {
        match self {
            Self::Key(_) => Device::Keyboard,
            Self::Drag(_) | Self::Wheel => Device::Mouse,
            Self::OneFinger | Self::TwoFingers | Self::Pinch => Device::TouchScreen,
            Self::Stick(_) | Self::Button(_) => Device::Gamepad,
        }
    }

    /// Name for people.
    pub fn name(self) -> String {
        let name = match self {
            Self::Key(key) => return key_name(key),
            Self::Drag(MouseButton::Left) => "Left drag",
            Self::Drag(MouseButton::Right) => "Right drag",
            Self::Drag(_) => "Middle drag",
            Self::Wheel => "Wheel",
            Self::OneFinger => "One finger",
            Self::TwoFingers => "Two fingers",
            Self::Pinch => "Pinch",
            Self::Stick(Axis::LeftX | Axis::LeftY) => "Left stick",
            Self::Stick(Axis::RightX | Axis::RightY) => "Right stick",
            Self::Button(number) => match number {
                0 => "A",
                1 => "B",
                2 => "X",
                3 => "Y",
                4 => "LB",
                5 => "RB",
                6 => "LT",
                7 => "RT",
                8 => "Back",
                9 => "Start",
                _ => return format!("Button {number}"),
            },
        };
        name.to_owned()
    }
}

fn key_name(key: KeyCode) -> String {
    match key {
        KeyCode::ArrowUp | KeyCode::ArrowDown | KeyCode::ArrowLeft | KeyCode::ArrowRight => "Arrows".to_owned(),
        KeyCode::Escape => "Esc".to_owned(),
        KeyCode::PageUp => "Page up".to_owned(),
        KeyCode::PageDown => "Page down".to_owned(),
        KeyCode::ShiftLeft | KeyCode::ShiftRight => "Shift".to_owned(),
        // KeyW and Digit1 are called so by the keyboard's layout of the United States.
        other => {
            let name = format!("{other:?}");
            name.strip_prefix("Key").or(name.strip_prefix("Digit")).unwrap_or(&name).to_owned()
        }
    }
}

/// What a control does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Rotates the view, by a drag.
    Rotate,
    /// Moves the view, by a drag.
    Pan,
    /// Zooms, changes the speed or steps.
    Zoom,
    /// Turns the view, by a stick: x to the right, y upwards.
    Look(DVec2),
    /// Moves: x right, y forward, z up.
    Move(DVec3),
    /// Moves faster.
    Faster,
    /// Something wanted once.
    Once(Command),
}

impl Action {
    /// What it does, for the help. `tool` gives the title of a tool.
    pub fn description(self, tool: impl Fn(&'static str) -> Option<&'static str>) -> String {
        let text = match self {
            Self::Rotate | Self::Look(_) => "Rotate the view",
            Self::Pan => "Move the view (orbit, fly); walk",
            Self::Zoom => "Zoom (orbit); speed (fly); step (walk)",
            Self::Move(direction) if direction.z != 0.0 => "Up, down (fly); nearer, farther (orbit)",
            Self::Move(_) => "Move",
            Self::Faster => "Move faster",
            Self::Once(Command::Mode(Mode::Orbit)) => "Orbit",
            Self::Once(Command::Mode(Mode::Fly)) => "Fly",
            Self::Once(Command::Mode(Mode::Walk)) => "Walk",
            Self::Once(Command::Reset) => "Back to the start view",
            Self::Once(Command::Panel) => "Show or hide the panel",
            Self::Once(Command::Figures) => "Figures and settings",
            Self::Once(Command::Help) => "Show or hide this help",
            Self::Once(Command::End) => "Close the help; end a tool",
            Self::Once(Command::Tool(name)) => tool(name).unwrap_or(name),
        };
        text.to_owned()
    }
}

/// What a control did in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    /// The control.
    pub control: Control,
    /// What happened.
    pub change: Change,
}

/// What happened to a control in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// It was pressed in this frame.
    Pressed,
    /// It is pressed or tilted: 0 to 1, a stick -1 to 1.
    Held(f64),
    /// It was dragged by so many logical pixels: x to the right, y downwards.
    Dragged(DVec2),
    /// It was turned by so many notches.
    Turned(f64),
}

/// The table.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct InputMap {
    bindings: Vec<(Control, Action)>,
}

impl Default for InputMap {
    fn default() -> Self {
        use KeyCode as Key;
        let once = |control: Control, command: Command| (control, Action::Once(command));
        let moving = |control: Control, direction: DVec3| (control, Action::Move(direction));
        let key = Control::Key;
        let bindings = vec![
            (Control::Drag(MouseButton::Left), Action::Rotate),
            (Control::Drag(MouseButton::Right), Action::Pan),
            (Control::Drag(MouseButton::Middle), Action::Pan),
            (Control::Wheel, Action::Zoom),
            (Control::OneFinger, Action::Rotate),
            (Control::TwoFingers, Action::Pan),
            (Control::Pinch, Action::Zoom),
            moving(key(Key::KeyW), DVec3::Y),
            moving(key(Key::KeyA), DVec3::NEG_X),
            moving(key(Key::KeyS), DVec3::NEG_Y),
            moving(key(Key::KeyD), DVec3::X),
            moving(key(Key::ArrowUp), DVec3::Y),
            moving(key(Key::ArrowLeft), DVec3::NEG_X),
            moving(key(Key::ArrowDown), DVec3::NEG_Y),
            moving(key(Key::ArrowRight), DVec3::X),
            moving(key(Key::KeyE), DVec3::Z),
            moving(key(Key::KeyQ), DVec3::NEG_Z),
            moving(key(Key::PageUp), DVec3::Z),
            moving(key(Key::PageDown), DVec3::NEG_Z),
            (key(Key::ShiftLeft), Action::Faster),
            (key(Key::ShiftRight), Action::Faster),
            once(key(Key::Digit1), Command::Mode(Mode::Orbit)),
            once(key(Key::KeyO), Command::Mode(Mode::Orbit)),
            once(key(Key::Digit2), Command::Mode(Mode::Fly)),
            once(key(Key::KeyF), Command::Mode(Mode::Fly)),
            once(key(Key::Digit3), Command::Mode(Mode::Walk)),
            once(key(Key::KeyG), Command::Mode(Mode::Walk)),
            once(key(Key::Home), Command::Reset),
            once(key(Key::KeyR), Command::Reset),
            once(key(Key::KeyP), Command::Panel),
            once(key(Key::KeyI), Command::Figures),
            once(key(Key::F3), Command::Figures),
            once(key(Key::KeyH), Command::Help),
            once(key(Key::F1), Command::Help),
            once(key(Key::Escape), Command::End),
            moving(Control::Stick(Axis::LeftX), DVec3::X),
            moving(Control::Stick(Axis::LeftY), DVec3::Y),
            (Control::Stick(Axis::RightX), Action::Look(DVec2::X)),
            (Control::Stick(Axis::RightY), Action::Look(DVec2::Y)),
            moving(Control::Button(7), DVec3::Z),
            moving(Control::Button(6), DVec3::NEG_Z),
            (Control::Button(5), Action::Faster),
            once(Control::Button(2), Command::Mode(Mode::Orbit)),
            once(Control::Button(3), Command::Mode(Mode::Fly)),
            once(Control::Button(0), Command::Mode(Mode::Walk)),
            once(Control::Button(8), Command::Reset),
            once(Control::Button(9), Command::Panel),
            once(Control::Button(1), Command::End),
        ];
        Self { bindings }
    }
}

impl InputMap {
    /// Adds a binding, for example of a tool.
    pub fn bind(&mut self, control: Control, action: Action) {
        self.bindings.push((control, action));
    }

    /// All bindings.
    pub fn bindings(&self) -> &[(Control, Action)] {
        &self.bindings
    }

    /// Adds to `intents` what the signals of a frame of `delta_s` seconds mean.
    pub fn apply(&self, signals: &[Signal], delta_s: f64, intents: &mut Intents) {
        for signal in signals {
            for (_, action) in self.bindings.iter().filter(|(control, _)| *control == signal.control) {
                match (*action, signal.change) {
                    (Action::Rotate, Change::Dragged(drag_px)) => intents.rotate_px += drag_px,
                    (Action::Pan, Change::Dragged(drag_px)) => intents.pan_px += drag_px,
                    (Action::Zoom, Change::Turned(notches)) => intents.zoom += notches,
                    (Action::Look(direction), Change::Held(amount)) => {
                        // The view turns to the side of the stick; in a drag, the scene follows the pointer instead.
                        let turned = direction * without_rest(amount) * (LOOK_HEIGHTS_PER_S * delta_s * intents.size_px.y);
                        intents.rotate_px += DVec2::new(-turned.x, turned.y);
                    }
                    (Action::Move(direction), Change::Held(amount)) => intents.movement += direction * without_rest(amount),
                    (Action::Faster, Change::Held(amount)) => intents.fast |= amount > 0.5,
                    (Action::Once(command), Change::Pressed) => intents.commands.push(command),
                    _ => {}
                }
            }
        }
        intents.movement = intents.movement.clamp(DVec3::NEG_ONE, DVec3::ONE);
    }

    /// The help's rows of a device: the controls, and what they do.
    pub fn help(&self, device: Device, tool: impl Fn(&'static str) -> Option<&'static str>) -> Vec<(String, String)> {
        let mut rows: Vec<(Vec<String>, String)> = Vec::new();
        for (control, action) in self.bindings.iter().filter(|(control, _)| control.device() == device) {
            let (name, description) = (control.name(), action.description(&tool));
            match rows.iter_mut().find(|(_, other)| *other == description) {
                Some((names, _)) if names.contains(&name) => {}
                Some((names, _)) => names.push(name),
                None => rows.push((vec![name], description)),
            }
        }
        rows.into_iter().map(|(names, description)| (names.join("  "), description)).collect()
    }
}

/// An amount without the range in which a stick rests; the rest of the way still reaches the end.
fn without_rest(amount: f64) -> f64 {
    if !amount.is_finite() || amount.abs() < STICK_REST {
        return 0.0;
    }
    (amount.abs().min(1.0) - STICK_REST) / (1.0 - STICK_REST) * amount.signum()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use super::*;

    fn intents(signals: &[(Control, Change)]) -> Intents {
        let mut intents = Intents { size_px: DVec2::new(1000.0, 500.0), ..Intents::default() };
        let signals: Vec<Signal> = signals.iter().map(|&(control, change)| Signal { control, change }).collect();
        InputMap::default().apply(&signals, 0.02, &mut intents);
        intents
    }

    #[test]
    fn every_device_moves_and_turns_the_camera() {
        use Change::{Dragged, Held, Pressed, Turned};
        let drag = DVec2::new(3.0, -4.0);
        assert_eq!(intents(&[(Control::Drag(MouseButton::Left), Dragged(drag))]).rotate_px, drag);
        assert_eq!(intents(&[(Control::Drag(MouseButton::Right), Dragged(drag))]).pan_px, drag);
        assert_eq!(intents(&[(Control::OneFinger, Dragged(drag))]).rotate_px, drag);
        assert_eq!(intents(&[(Control::TwoFingers, Dragged(drag)), (Control::Pinch, Turned(0.5))]).zoom, 0.5);
        assert_eq!(intents(&[(Control::Wheel, Turned(-2.0))]).zoom, -2.0);
        let keys = intents(&[(Control::Key(KeyCode::KeyW), Held(1.0)), (Control::Key(KeyCode::KeyD), Held(1.0))]);
        assert_eq!(keys.movement, DVec3::new(1.0, 1.0, 0.0));
        let both = intents(&[(Control::Key(KeyCode::KeyW), Held(1.0)), (Control::Key(KeyCode::ArrowUp), Held(1.0))]);
        assert_eq!(both.movement, DVec3::Y, "two keys for the same are not faster");
        let opposite = intents(&[(Control::Key(KeyCode::KeyW), Held(1.0)), (Control::Key(KeyCode::KeyS), Held(1.0))]);
        assert_eq!(opposite.movement, DVec3::ZERO);
        assert!(intents(&[(Control::Key(KeyCode::ShiftRight), Held(1.0))]).fast);
        assert_eq!(intents(&[(Control::Button(0), Pressed)]).commands, [Command::Mode(Mode::Walk)]);
        assert_eq!(intents(&[(Control::Key(KeyCode::F3), Pressed)]).commands, [Command::Figures]);
        assert_eq!(intents(&[(Control::Key(KeyCode::F12), Pressed), (Control::Key(KeyCode::F12), Held(1.0))]), intents(&[]));
    }

    #[test]
    fn sticks_rest_near_zero_and_reach_their_end() {
        let stick = |axis, amount| intents(&[(Control::Stick(axis), Change::Held(amount))]);
        for amount in [0.0, 0.1, -0.14, f64::NAN, f64::INFINITY] {
            assert_eq!(stick(Axis::LeftX, amount), intents(&[]), "{amount}");
        }
        assert_eq!(stick(Axis::LeftY, 1.0).movement, DVec3::Y);
        assert_eq!(stick(Axis::LeftX, -7.0).movement, DVec3::NEG_X);
        let half = stick(Axis::LeftX, 0.5).movement.x;
        assert!(half > 0.3 && half < 0.5, "{half}");
        // To the right and up: as a drag to the left and down.
        assert!(stick(Axis::RightX, 1.0).rotate_px.x < -8.0 && stick(Axis::RightY, 1.0).rotate_px.y > 8.0);
        assert_eq!(intents(&[(Control::Button(7), Change::Held(1.0))]).movement, DVec3::Z);
    }

    #[test]
    fn the_help_names_every_control_of_the_map() {
        let mut map = InputMap::default();
        map.bind(Control::Key(KeyCode::KeyM), Action::Once(Command::Tool("measure")));
        let title = |name: &'static str| (name == "measure").then_some("Measure a distance");
        let mut named = 0;
        for device in Device::ALL {
            let rows = map.help(device, title);
            assert!(!rows.is_empty());
            for (control, action) in map.bindings().iter().filter(|(control, _)| control.device() == device) {
                let row = rows.iter().find(|(_, description)| *description == action.description(title)).expect("a row of the help");
                assert!(row.0.split("  ").any(|name| name == control.name()), "{control:?} is not in {row:?}");
                named += 1;
            }
        }
        assert_eq!(named, map.bindings().len());
        let keyboard = map.help(Device::Keyboard, title);
        assert!(keyboard.contains(&("W  A  S  D  Arrows".to_owned(), "Move".to_owned())), "{keyboard:?}");
        assert!(keyboard.contains(&("M".to_owned(), "Measure a distance".to_owned())));
        assert!(keyboard.contains(&("I  F3".to_owned(), "Figures and settings".to_owned())));
    }

    #[test]
    fn no_control_has_two_meanings() {
        let map = InputMap::default();
        for (index, (control, _)) in map.bindings().iter().enumerate() {
            assert!(map.bindings()[index + 1..].iter().all(|(other, _)| other != control), "{control:?}");
        }
    }
}
