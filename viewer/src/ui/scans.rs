//! The scans in the panel: the name of the only one, or a list in which each can be hidden; and what is said about them.

use bevy::prelude::*;
use bevy_egui::egui;

use super::state::UiState;
use super::theme::TOUCH_PX;
use crate::camera::request::CameraRequest;
use crate::stream::scans::{Scans, Unopened};

/// Said once where scans have no common coordinate system.
const APART: &str =
    "These scans have no coordinate system in common. Each is shown in its own coordinates, so they may overlap or lie far apart.";

/// What has been said already.
#[derive(Default)]
pub(super) struct Told {
    unopened: usize,
    are_apart: bool,
}

/// Says which scans could not be opened, and that scans are not placed relative to each other.
pub(super) fn tell(mut ui_state: ResMut<UiState>, scans: Res<Scans>, mut told: Local<Told>) {
    if told.unopened < scans.unopened.len() {
        // Where nothing is open, the error is shown instead.
        if !scans.is_empty() {
            let said = |Unopened { source, fault }: &Unopened| {
                if fault.message.contains(source.as_str()) {
                    format!("A scan is left out. {}", fault.message)
                } else {
                    format!("{source} is left out: {}", fault.message)
                }
            };
            ui_state.notices.extend(scans.unopened[told.unopened..].iter().map(said));
        }
        told.unopened = scans.unopened.len();
    }
    if !told.are_apart && scans.are_apart() {
        told.are_apart = true;
        ui_state.notices.push(APART.into());
    }
}

/// The names of the scans.
pub(super) fn list(ui: &mut egui::Ui, scans: &mut Scans, requests: &mut MessageWriter<CameraRequest>) {
    let mut changed = None;
    if scans.iter().count() == 1 {
        let names = scans.iter().map(|scan| egui::RichText::new(&scan.open.name).strong());
        names.for_each(|name| _ = ui.add(egui::Label::new(name).truncate()));
        return;
    }
    ui.weak("Scans");
    for scan in scans.iter() {
        ui.horizontal(|ui| {
            let mut is_visible = scan.is_visible;
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let view = egui::Button::new("View").min_size(egui::vec2(TOUCH_PX, TOUCH_PX));
                if ui.add_enabled(is_visible, view).on_hover_text("Look at this scan from outside").clicked() {
                    requests.write(CameraRequest::Scan(scan.id));
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    // The name may be long; the whole of it is shown under the pointer.
                    ui.set_max_width(ui.available_width());
                    ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
                    if ui.checkbox(&mut is_visible, &scan.open.name).on_hover_text(&scan.open.name).changed() {
                        changed = Some((scan.id, is_visible));
                    }
                });
            });
        });
    }
    if let Some((scan, is_visible)) = changed {
        scans.set_visible(scan, is_visible);
    }
}
