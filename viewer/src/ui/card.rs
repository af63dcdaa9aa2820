//! Cards: what an active tool shows, beside or below the picture's middle, one below the other.

use bevy::prelude::*;
use bevy_egui::egui;

use super::theme::{MARGIN_PX, NARROW_PX, TOUCH_PX};

/// Height that the compass takes above the cards. Logical pixels.
pub const COMPASS_HEIGHT_PX: f32 = 84.0;
/// Height that the scale bar takes below the cards. Logical pixels.
pub const SCALE_HEIGHT_PX: f32 = 56.0;
const WIDTH_PX: f32 = 232.0;

/// The systems that show cards.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub struct CardSystems;

/// Where the next card goes.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct Cards {
    used_px: f32,
}

impl Cards {
    /// A new frame.
    pub(super) fn clear(&mut self) {
        self.used_px = 0.0;
    }

    /// Shows a card; returns whether the user closed it.
    pub fn show(&mut self, context: &egui::Context, title: &str, show: impl FnOnce(&mut egui::Ui)) -> bool {
        let is_narrow = context.content_rect().width() < NARROW_PX;
        let (anchor, offset) = if is_narrow {
            (egui::Align2::CENTER_BOTTOM, [0.0, -SCALE_HEIGHT_PX - self.used_px])
        } else {
            (egui::Align2::RIGHT_TOP, [-MARGIN_PX, COMPASS_HEIGHT_PX + MARGIN_PX + self.used_px])
        };
        let mut is_closed = false;
        let shown = egui::Window::new(title).title_bar(false).resizable(false).anchor(anchor, offset).show(context, |ui| {
            ui.set_width(WIDTH_PX);
            ui.horizontal(|ui| {
                ui.heading(title);
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    is_closed = ui.add(egui::Button::new("×").min_size(egui::vec2(TOUCH_PX, TOUCH_PX))).clicked();
                });
            });
            show(ui);
        });
        self.used_px += shown.map_or(0.0, |shown| shown.response.rect.height() + MARGIN_PX);
        is_closed
    }
}
