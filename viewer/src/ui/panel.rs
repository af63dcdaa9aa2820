//! The panel at the top left: what a person needs, and the figures and settings for engineers behind a key.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::frame_time::FrameTime;
use super::overlay::share_loaded;
use super::scans;
use super::state::{CopyView, UiState};
use super::theme::{MARGIN_PX, TOUCH_PX, WARNING, button_row};
use crate::camera::request::CameraRequest;
use crate::pace::{Pace, Phase};
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::{ColorBy, Settings};
use crate::state::ViewerState;
use crate::stream::scans::Scans;
use crate::stream::status::StreamStatus;
use crate::tools::registry::ToolRegistry;

/// Width of the panel in logical pixels.
const WIDTH_PX: f32 = 252.0;
/// On screens that are narrower or lower, only the panel's first row is shown at the start: open, it would cover a part of the scan, which takes the middle
/// five sevenths of the overview of a wide screen, or not fit. Logical pixels.
const WIDE_PX: f32 = 1900.0;
const LOW_PX: f32 = 480.0;
/// What the button for the address of the view says.
const COPY: &str = if cfg!(target_arch = "wasm32") { "Copy address of this view" } else { "Print this view for --view" };
const COPIED: &str = if cfg!(target_arch = "wasm32") { "Address copied" } else { "Printed in the terminal" };

/// What the panel shows.
#[derive(SystemParam)]
pub(super) struct Shown<'w> {
    status: Res<'w, StreamStatus>,
    frame: Res<'w, FrameTime>,
    pace: Res<'w, Pace>,
    state: Res<'w, ViewerState>,
}

/// What the panel changes.
#[derive(SystemParam)]
pub(super) struct Changed<'w> {
    ui_state: ResMut<'w, UiState>,
    settings: ResMut<'w, Settings>,
    registry: ResMut<'w, ToolRegistry>,
    scans: ResMut<'w, Scans>,
    requests: MessageWriter<'w, CameraRequest>,
    copies: MessageWriter<'w, CopyView>,
}

pub(super) fn panel(mut contexts: EguiContexts, shown: Shown, changed: Changed, rigs: Query<&Rig>) -> Result {
    let context = contexts.ctx_mut()?;
    let Changed { mut ui_state, mut settings, mut registry, mut scans, mut requests, mut copies } = changed;
    let (Ok(rig), true) = (rigs.single(), ui_state.panel && scans.opened() > 0) else { return Ok(()) };
    let scans = scans.bypass_change_detection();
    let screen = context.content_rect().size();
    // Widgets change copies, so that a resource is marked as changed only when a value differs.
    let mut new_settings = settings.clone();
    let mut new_state = ui_state.clone();
    let is_open = ui_state.is_open.unwrap_or_else(|| opens_at_start(screen));
    egui::Window::new("Parterre").title_bar(false).resizable(false).anchor(egui::Align2::LEFT_TOP, [MARGIN_PX, MARGIN_PX]).show(
        context,
        |ui| {
            ui.set_width(WIDTH_PX);
            ui.horizontal(|ui| {
                let menu = egui::Button::new("Menu").selected(is_open).min_size(egui::vec2(TOUCH_PX, TOUCH_PX));
                if ui.add(menu).clicked() {
                    new_state.is_open = Some(!is_open);
                }
                let modes = [("Orbit", Mode::Orbit), ("Fly", Mode::Fly), ("Walk", Mode::Walk)];
                if let Some(clicked) = button_row(ui, &modes.map(|(name, mode)| (name, rig.mode == mode, true))) {
                    requests.write(CameraRequest::Mode(modes[clicked].1));
                }
            });
            if !is_open {
                // Faults are seen all the same.
                if let Some(title) = failed_title(&shown.status) {
                    let button = egui::Button::new(egui::RichText::new(title).color(WARNING)).min_size(egui::vec2(WIDTH_PX, TOUCH_PX));
                    if ui.add(button).clicked() {
                        new_state.is_open = Some(true);
                    }
                }
                return;
            }
            let height_px = (screen.y - 2.0 * MARGIN_PX - TOUCH_PX - 24.0).max(TOUCH_PX);
            egui::ScrollArea::vertical().max_height(height_px).min_scrolled_height(height_px).show(ui, |ui| {
                ui.set_width(WIDTH_PX);
                for_people(ui, (&shown, rig, scans), (&mut new_state, &mut new_settings, &mut registry), (&mut requests, &mut copies));
                if ui_state.figures {
                    ui.separator();
                    facts(ui, &shown, rig, scans);
                    sliders(ui, &mut new_settings);
                }
                failures(ui, &shown.status, scans);
            });
        },
    );
    if new_settings != *settings {
        *settings = new_settings;
    }
    if (new_state.is_open, new_state.figures, new_state.help) != (ui_state.is_open, ui_state.figures, ui_state.help)
        || new_state.copied != ui_state.copied
    {
        *ui_state = new_state;
    }
    Ok(())
}

/// What everybody needs.
fn for_people(
    ui: &mut egui::Ui,
    (shown, rig, scans): (&Shown, &Rig, &mut Scans),
    (ui_state, settings, registry): (&mut UiState, &mut Settings, &mut ResMut<ToolRegistry>),
    (requests, copies): (&mut MessageWriter<CameraRequest>, &mut MessageWriter<CopyView>),
) {
    scans::list(ui, scans, requests);
    ui.label(height(rig));
    ui.weak(progress(&shown.status, shown.pace.phase));
    match button_row(ui, &[("Start view", false, true), ("Help", ui_state.help, true)]) {
        Some(0) => _ = requests.write(CameraRequest::Reset),
        Some(_) => ui_state.help = !ui_state.help,
        None => {}
    }
    ui.weak("Colour of the points");
    let has_intensity = scans.visible().any(|scan| scan.open.tree.scan.attributes.intensity);
    let colors = [("Photo", ColorBy::Rgb, true), ("Intensity", ColorBy::Intensity, has_intensity), ("Height", ColorBy::Height, true)];
    if let Some(clicked) = button_row(ui, &colors.map(|(name, color, is_there)| (name, settings.color_by == color, is_there))) {
        settings.color_by = colors[clicked].1;
    }
    ui.weak("Tools");
    let tools: Vec<_> = registry.iter().collect();
    for pair in tools.chunks(2) {
        let buttons: Vec<_> = pair.iter().map(|(tool, is_active)| (tool.title, *is_active, true)).collect();
        if let Some(clicked) = button_row(ui, &buttons) {
            let (tool, is_active) = pair[clicked];
            registry.set_active(tool.name, !is_active);
        }
    }
    ui.checkbox(&mut settings.edl, "Shade edges");
    ui.checkbox(&mut settings.see_inside, "Look inside from outside");
    let is_copied = ui_state.copied.as_ref() == Some(&shown.state.view);
    if button_row(ui, &[(if is_copied { COPIED } else { COPY }, false, !shown.state.view.is_empty())]).is_some() {
        copies.write(CopyView(shown.state.view.clone()));
        ui_state.copied = Some(shown.state.view.clone());
    }
    if button_row(ui, &[("Figures and settings", ui_state.figures, true)]).is_some() {
        ui_state.figures = !ui_state.figures;
    }
}

/// The height of the floor under a walker, or of the camera.
fn height(rig: &Rig) -> String {
    match rig.walker.foot_height_m.filter(|_| rig.mode == Mode::Walk) {
        // Adding zero turns -0.00 into 0.00.
        Some(foot_height_m) => format!("Height of this floor: {:.2} m", (foot_height_m * 100.0).round() / 100.0 + 0.0),
        None => format!("Height of the camera: {:.1} m", rig.eye.z),
    }
}

/// How far loading is, in words.
fn progress(status: &StreamStatus, phase: Phase) -> String {
    match (share_loaded(status), phase) {
        (Some(share), _) => format!("Loading: {:.0} %", share * 100.0),
        (None, Phase::Moving) => "Moving".into(),
        (None, Phase::Refining) => "Adding detail".into(),
        (None, Phase::Complete) if status.budget_reached => "Complete, up to the point limit".into(),
        (None, Phase::Complete) => "Complete, in full detail".into(),
    }
}

/// The figures for engineers.
fn facts(ui: &mut egui::Ui, shown: &Shown, rig: &Rig, scans: &Scans) {
    let Shown { status, frame, .. } = shown;
    let loading = if status.loading > 0 {
        format!("{} loading", status.loading)
    } else if status.budget_reached {
        "point limit reached".into()
    } else {
        "all loaded".into()
    };
    let rows = [
        ("Points", format!("{} of {}", count(status.drawn_points), count(scans.points()))),
        ("Tiles", format!("{}, {loading}", status.drawn_tiles)),
        ("Spacing", format!("{:.1} pixels", status.spacing_px)),
        ("Frame time", format!("{:.1} ms", frame.smooth_ms)),
        ("Memory", format!("{} MB", status.resident_bytes >> 20)),
        ("Eye", format!("{:.1}, {:.1}, {:.1}", rig.eye.x, rig.eye.y, rig.eye.z)),
    ];
    ui.scope(|ui| {
        // Rows of text need no room for fingers.
        ui.spacing_mut().interact_size.y = 20.0;
        egui::Grid::new("facts").num_columns(2).spacing([12.0, 2.0]).show(ui, |ui| {
            for (name, value) in rows {
                ui.weak(name);
                ui.label(value);
                ui.end_row();
            }
        });
    });
}

/// The settings for engineers.
fn sliders(ui: &mut egui::Ui, settings: &mut Settings) {
    ui.spacing_mut().slider_width = 96.0;
    let max_millions = Settings { budget_points: 20_000_000, ..settings.clone() }.points_max() as f64 / 1e6;
    let mut millions = settings.points_max() as f64 / 1e6;
    if ui.add(egui::Slider::new(&mut millions, 0.1..=max_millions).logarithmic(true).suffix(" M").text("Max points")).changed() {
        settings.budget_points = (millions * 1e6) as u64;
    }
    ui.add(egui::Slider::new(&mut settings.point_size, 0.3..=4.0).logarithmic(true).text("Point size"));
    ui.checkbox(&mut settings.adapt, "Fewer points when slow");
}

/// Whether the panel is open on a screen of this size until the user says.
fn opens_at_start(screen: egui::Vec2) -> bool {
    screen.x >= WIDE_PX && screen.y >= LOW_PX
}

/// How many tiles could not be loaded, in words; `None` where all could.
fn failed_title(status: &StreamStatus) -> Option<String> {
    match status.failed.len() {
        0 => None,
        1 => Some("1 tile could not be loaded".to_owned()),
        failed => Some(format!("{failed} tiles could not be loaded")),
    }
}

/// The tiles that could not be loaded, with a button to try again.
fn failures(ui: &mut egui::Ui, status: &StreamStatus, scans: &mut Scans) {
    let Some(title) = failed_title(status) else { return };
    ui.separator();
    egui::CollapsingHeader::new(egui::RichText::new(title).color(WARNING)).default_open(true).show(ui, |ui| {
        egui::ScrollArea::vertical().max_height(120.0).show(ui, |ui| {
            for failed in &status.failed {
                ui.label(&failed.name).on_hover_text(&failed.message);
            }
        });
        if button_row(ui, &[("Try again", false, true)]).is_some() {
            scans.residency.retry_failed();
        }
    });
}

/// A count with a unit prefix: 950, 12.3 k, 4.56 M.
fn count(points: u64) -> String {
    match points {
        0..1_000 => points.to_string(),
        1_000..1_000_000 => format!("{:.1} k", points as f64 / 1e3),
        _ => format!("{:.2} M", points as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_words() {
        let loading = StreamStatus { loading: 3, loading_peak: 12, ..StreamStatus::default() };
        let limited = StreamStatus { budget_reached: true, ..StreamStatus::default() };
        let rows = [
            (&loading, Phase::Moving, "Loading: 75 %"),
            (&limited, Phase::Refining, "Adding detail"),
            (&limited, Phase::Complete, "Complete, up to the point limit"),
            (&StreamStatus::default(), Phase::Complete, "Complete, in full detail"),
        ];
        for (status, phase, expected) in rows {
            assert_eq!(progress(status, phase), expected);
        }
    }

    #[test]
    fn the_panel_is_open_at_the_start_where_it_covers_nothing_of_the_scan() {
        let rows = [
            ("a phone", [390.0, 844.0], false),
            ("a small window", [960.0, 600.0], false),
            ("a laptop", [1280.0, 720.0], false),
            ("a desktop", [1920.0, 1080.0], true),
            ("a low window", [1920.0, 400.0], false),
        ];
        for (what, [width, height], expected) in rows {
            assert_eq!(opens_at_start(egui::vec2(width, height)), expected, "{what}");
        }
        const { assert!(WIDTH_PX + 2.0 * MARGIN_PX <= WIDE_PX / 7.0 + 1.0) };
    }

    #[test]
    fn a_walker_sees_the_height_of_the_floor() {
        let mut rig = Rig { mode: Mode::Walk, ..Rig::default() };
        rig.eye.z = 1.7;
        assert_eq!(height(&rig), "Height of the camera: 1.7 m");
        rig.walker.foot_height_m = Some(-0.001);
        assert_eq!(height(&rig), "Height of this floor: 0.00 m");
    }
}
