//! Short messages near the lower edge of the picture.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::card::SCALE_HEIGHT_PX;
use super::state::UiState;
use super::theme::{MARGIN_PX, TOUCH_PX, WARNING};
use crate::rig::Rig;
use crate::rig::mode::Mode;

pub(super) fn notices(mut contexts: EguiContexts, mut ui_state: ResMut<UiState>, rigs: Query<&Rig>) -> Result {
    let context = contexts.ctx_mut()?;
    let walking = rigs.single().ok().filter(|rig| rig.mode == Mode::Walk).and_then(|rig| rig.walker.message());
    let width = (context.content_rect().width() - 4.0 * MARGIN_PX).min(460.0);
    if let Some(message) = walking {
        show(context, |ui| {
            ui.set_max_width(width);
            ui.label(message);
        });
    } else if let Some(notice) = ui_state.notices.first().cloned() {
        let mut is_closed = false;
        show(context, |ui| {
            ui.set_max_width(width);
            ui.colored_label(WARNING, notice);
            is_closed = ui.add(egui::Button::new("OK").min_size(egui::vec2(TOUCH_PX * 2.0, TOUCH_PX))).clicked();
        });
        if is_closed {
            ui_state.notices.remove(0);
        }
    }
    Ok(())
}

fn show(context: &egui::Context, widgets: impl FnOnce(&mut egui::Ui)) {
    egui::Area::new(egui::Id::new("notice")).anchor(egui::Align2::CENTER_BOTTOM, [0.0, -SCALE_HEIGHT_PX]).show(context, |ui| {
        egui::Frame::window(ui.style()).show(ui, widgets);
    });
}
