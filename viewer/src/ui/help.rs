//! The help window: what each key, button and gesture does, made from the table that the input goes through.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::state::UiState;
use super::theme::{MARGIN_PX, NARROW_PX, TOUCH_PX};
use crate::input::map::{Device, InputMap};
use crate::tools::registry::ToolRegistry;

pub(super) fn help(mut contexts: EguiContexts, mut ui_state: ResMut<UiState>, map: Res<InputMap>, registry: Res<ToolRegistry>) -> Result {
    if !ui_state.help {
        return Ok(());
    }
    let context = contexts.ctx_mut()?;
    let screen = context.content_rect().size();
    let mut is_closed = false;
    let purpose = |name: &'static str| registry.find(name).map(|tool| tool.purpose);
    egui::Window::new("Help").title_bar(false).collapsible(false).resizable(false).anchor(egui::Align2::CENTER_CENTER, [0.0, 0.0]).show(
        context,
        |ui| {
            if screen.x < NARROW_PX {
                // Long rows are broken.
                ui.set_width(screen.x - 4.0 * MARGIN_PX);
            }
            ui.horizontal(|ui| {
                ui.heading("Help");
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    is_closed = ui.add(egui::Button::new("×").min_size(egui::vec2(TOUCH_PX, TOUCH_PX))).clicked();
                });
            });
            let height_px = (screen.y - 2.0 * MARGIN_PX - TOUCH_PX - 30.0).max(TOUCH_PX);
            ui.spacing_mut().interact_size.y = 22.0;
            egui::ScrollArea::vertical().max_height(height_px).min_scrolled_height(height_px).show(ui, |ui| {
                for device in Device::ALL.into_iter().filter(|device| *device != Device::Gamepad || ui_state.has_gamepad) {
                    ui.label(egui::RichText::new(device.name()).weak());
                    let rows = map.help(device, purpose);
                    if screen.x < NARROW_PX {
                        for (controls, action) in rows {
                            ui.horizontal_wrapped(|ui| {
                                ui.strong(controls);
                                ui.label(action);
                            });
                        }
                    } else {
                        egui::Grid::new(device.name()).num_columns(2).min_col_width(120.0).spacing([16.0, 2.0]).show(ui, |ui| {
                            for (controls, action) in rows {
                                ui.strong(controls);
                                ui.label(action);
                                ui.end_row();
                            }
                        });
                    }
                    ui.add_space(6.0);
                }
            });
        },
    );
    if is_closed {
        ui_state.help = false;
    }
    Ok(())
}
