//! The panel at the top left: what is drawn and loading, and the settings that the user can change.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::frame_time::FrameTime;
use super::state::UiState;
use crate::camera::request::CameraRequest;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::{ColorBy, Settings};
use crate::stream::active_scan::ActiveScan;
use crate::stream::status::StreamStatus;

/// Width of the panel in logical pixels.
const WIDTH: f32 = 232.0;

/// Sets muted colours with enough contrast for a phone screen, once.
pub(super) fn style(mut contexts: EguiContexts, mut is_set: Local<bool>) -> Result {
    if !*is_set {
        let context = contexts.ctx_mut()?;
        let mut visuals = egui::Visuals::dark();
        visuals.window_fill = egui::Color32::from_rgba_unmultiplied(22, 28, 35, 248);
        visuals.window_stroke = egui::Stroke::new(1.0, egui::Color32::from_rgb(52, 62, 74));
        visuals.window_shadow = egui::Shadow::NONE;
        visuals.override_text_color = Some(egui::Color32::from_rgb(222, 228, 234));
        visuals.widgets.inactive.bg_fill = egui::Color32::from_rgb(70, 82, 96);
        visuals.widgets.inactive.weak_bg_fill = egui::Color32::from_rgb(48, 58, 69);
        visuals.selection.bg_fill = egui::Color32::from_rgb(46, 105, 148);
        context.set_visuals(visuals);
        *is_set = true;
    }
    Ok(())
}

/// Draws the panel, the loading bar and the message.
pub(super) fn panel(
    mut contexts: EguiContexts,
    mut ui_state: ResMut<UiState>,
    mut settings: ResMut<Settings>,
    mut requests: MessageWriter<CameraRequest>,
    (status, frame): (Res<StreamStatus>, Res<FrameTime>),
    mut scan: Option<ResMut<ActiveScan>>,
    rigs: Query<&Rig>,
) -> Result {
    let context = contexts.ctx_mut()?;
    loading_bar(context, &status);
    if let Ok(rig) = rigs.single()
        && rig.mode == Mode::Walk
        && rig.walker.no_floor_message_s > 0.0
        && (rig.walker.foot_height_m.is_some() || status.loading == 0)
    {
        message(context, "No floor found here");
    }
    let (Some(scan), Ok(rig), true) = (scan.as_deref_mut(), rigs.single(), ui_state.panel) else { return Ok(()) };
    // Widgets change a copy, so that the resource is marked as changed only when a value differs.
    let mut new_settings = settings.clone();
    // On a phone the panel would cover the picture.
    let wide = context.content_rect().width() > 640.0;
    egui::Window::new("Parterre")
        .default_open(wide)
        .resizable(false)
        .default_width(WIDTH)
        .anchor(egui::Align2::LEFT_TOP, [10.0, 10.0])
        .show(context, |ui| {
            ui.set_width(WIDTH);
            ui.add(egui::Label::new(&scan.open.name).truncate());
            egui::Grid::new("facts").num_columns(2).spacing([16.0, 3.0]).show(ui, |ui| facts(ui, &status, *frame, rig, scan));
            ui.separator();
            ui.horizontal(|ui| {
                for (mode, name) in [(Mode::Orbit, "Orbit"), (Mode::Fly, "Fly"), (Mode::Walk, "Walk")] {
                    if ui.selectable_label(rig.mode == mode, name).clicked() {
                        requests.write(CameraRequest::Mode(mode));
                    }
                }
                if ui.button("Reset view").clicked() {
                    requests.write(CameraRequest::Reset);
                }
            });
            colors(ui, &mut new_settings, scan);
            sliders(ui, &mut new_settings, scan);
            if ui.selectable_label(ui_state.help, "Controls (H)").clicked() {
                ui_state.help = !ui_state.help;
            }
            failures(ui, &status, scan);
        });
    if new_settings != *settings {
        *settings = new_settings;
    }
    Ok(())
}

/// The figures in the upper part of the panel.
fn facts(ui: &mut egui::Ui, status: &StreamStatus, frame: FrameTime, rig: &Rig, scan: &ActiveScan) {
    let mut row = |name: &str, value: String| {
        ui.weak(name);
        ui.label(value);
        ui.end_row();
    };
    row("Points", format!("{} of {}", count(status.drawn_points), count(scan.open.tree.scan.points)));
    let loading = if status.loading > 0 {
        format!("{} loading", status.loading)
    } else if status.budget_reached {
        "point limit reached".into()
    } else {
        "all loaded".into()
    };
    row("Tiles", format!("{}, {loading}", status.drawn_tiles));
    row("Frame time", format!("{:.1} ms", frame.smooth_ms));
    row("Memory", format!("{} MB", status.resident_bytes >> 20));
    match rig.walker.foot_height_m.filter(|_| rig.mode == Mode::Walk) {
        // Adding zero turns -0.00 into 0.00.
        Some(foot_height_m) => row("Floor height", format!("{:.2} m", (foot_height_m * 100.0).round() / 100.0 + 0.0)),
        None => row("Camera height", format!("{:.1} m", rig.eye.z)),
    }
}

/// The choice of what the colour shows.
fn colors(ui: &mut egui::Ui, settings: &mut Settings, scan: &ActiveScan) {
    let attributes = scan.open.tree.scan.attributes;
    ui.horizontal(|ui| {
        for (color_by, name, is_available) in
            [(ColorBy::Rgb, "Colour", true), (ColorBy::Intensity, "Intensity", attributes.intensity), (ColorBy::Height, "Height", true)]
        {
            ui.add_enabled_ui(is_available, |ui| ui.selectable_value(&mut settings.color_by, color_by, name));
        }
    });
}

/// The sliders and checkboxes of the settings.
fn sliders(ui: &mut egui::Ui, settings: &mut Settings, scan: &ActiveScan) {
    ui.spacing_mut().slider_width = 96.0;
    let max_millions = Settings { budget_points: 20_000_000, ..settings.clone() }.points_max() as f64 / 1e6;
    let mut millions = settings.points_max() as f64 / 1e6;
    if ui.add(egui::Slider::new(&mut millions, 0.1..=max_millions).logarithmic(true).suffix(" M").text("Max points")).changed() {
        settings.budget_points = (millions * 1e6) as u64;
    }
    ui.checkbox(&mut settings.adapt, "Fewer points when slow");
    ui.add(egui::Slider::new(&mut settings.point_size, 0.3..=4.0).logarithmic(true).text("Point size"));
    ui.checkbox(&mut settings.edl, "Edge shading");
    let [_, _, low_m, _, _, high_m] = scan.open.tree.scan.bounds;
    let mut cut = settings.cut_above_m.is_some();
    if ui.checkbox(&mut cut, "Hide points above").changed() {
        // The initial height is below most roofs.
        settings.cut_above_m = cut.then_some(low_m + (high_m - low_m) * 0.6);
    }
    if let Some(cut_m) = &mut settings.cut_above_m {
        ui.add(egui::Slider::new(cut_m, low_m..=high_m).suffix(" m").fixed_decimals(1));
    }
}

/// The tiles that could not be loaded, with a button to try again.
fn failures(ui: &mut egui::Ui, status: &StreamStatus, scan: &mut ActiveScan) {
    if status.failed.is_empty() {
        return;
    }
    ui.separator();
    let title = match status.failed.len() {
        1 => "1 tile could not be loaded".to_owned(),
        failed => format!("{failed} tiles could not be loaded"),
    };
    egui::CollapsingHeader::new(egui::RichText::new(title).color(egui::Color32::from_rgb(240, 170, 90))).default_open(true).show(
        ui,
        |ui| {
            egui::ScrollArea::vertical().max_height(120.0).show(ui, |ui| {
                for failed in &status.failed {
                    ui.label(&failed.name).on_hover_text(&failed.message);
                }
            });
            if ui.button("Try again").clicked() {
                scan.residency.retry_failed();
            }
        },
    );
}

/// A bar at the lower edge of the picture while tiles are loading.
fn loading_bar(context: &egui::Context, status: &StreamStatus) {
    if status.loading == 0 || status.loading_peak == 0 {
        return;
    }
    let share_loaded = 1.0 - status.loading as f32 / status.loading_peak as f32;
    let screen = context.content_rect();
    let painter = context.layer_painter(egui::LayerId::new(egui::Order::Background, egui::Id::new("loading")));
    let bar = egui::Rect::from_min_max(egui::pos2(screen.left(), screen.bottom() - 3.0), screen.right_bottom());
    painter.rect_filled(bar, 0.0, egui::Color32::from_rgb(40, 50, 60));
    let filled = egui::Rect::from_min_size(bar.min, egui::vec2(bar.width() * share_loaded.max(0.02), bar.height()));
    painter.rect_filled(filled, 0.0, egui::Color32::from_rgb(92, 160, 208));
}

/// Shows a short message near the lower edge of the picture.
fn message(context: &egui::Context, text: &str) {
    egui::Area::new(egui::Id::new("message")).anchor(egui::Align2::CENTER_BOTTOM, [0.0, -48.0]).interactable(false).show(context, |ui| {
        egui::Frame::window(ui.style()).show(ui, |ui| ui.label(text));
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
