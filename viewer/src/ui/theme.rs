//! Colours and sizes of the interface: readable on a tablet in daylight, and large enough for fingers.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};
use egui::{Color32, FontFamily, FontId, TextStyle, pos2, vec2};

/// Text.
pub const TEXT: Color32 = Color32::from_rgb(232, 237, 242);
/// Text that is less important.
pub const WEAK_TEXT: Color32 = Color32::from_rgb(165, 180, 194);
/// Text of something that went wrong.
pub const WARNING: Color32 = Color32::from_rgb(245, 178, 102);
/// Background of the panel and of text over the picture; opaque, so that the text can be read whatever the picture shows.
pub const BACKGROUND: Color32 = Color32::from_rgb(22, 28, 35);
/// A button.
const BUTTON: Color32 = Color32::from_rgb(50, 61, 73);
/// A button under the pointer.
const BUTTON_HOVERED: Color32 = Color32::from_rgb(64, 78, 93);
/// A button that is on.
const SELECTED: Color32 = Color32::from_rgb(26, 92, 142);
/// What is filled of a bar.
pub const FILLED: Color32 = Color32::from_rgb(92, 160, 208);
/// Marks in the picture, and their rim.
pub const MARK: Color32 = Color32::from_rgb(255, 214, 64);
/// The rim of a mark, so that it is seen on light and on dark.
pub const MARK_RIM: Color32 = Color32::from_rgb(16, 20, 26);
/// The needle of the compass.
pub const NEEDLE: Color32 = Color32::from_rgb(240, 96, 80);

/// Least height and width of what a finger touches. Logical pixels.
pub const TOUCH_PX: f32 = 44.0;
/// Distance of the panel and its neighbours from the edge of the screen. Logical pixels.
pub const MARGIN_PX: f32 = 10.0;
/// Screens that are narrower have one column. Logical pixels.
pub const NARROW_PX: f32 = 640.0;

/// Sizes of text.
pub const SMALL_TEXT: f32 = 13.0;
/// Most text.
pub const NORMAL_TEXT: f32 = 15.0;
/// A result.
pub const LARGE_TEXT: f32 = 24.0;

/// Sets the style, once.
pub(super) fn apply(mut contexts: EguiContexts, mut is_set: Local<bool>) -> Result {
    if !*is_set {
        contexts.ctx_mut()?.all_styles_mut(set_style);
        *is_set = true;
    }
    Ok(())
}

fn set_style(style: &mut egui::Style) {
    let visuals = &mut style.visuals;
    *visuals = egui::Visuals::dark();
    visuals.window_fill = BACKGROUND;
    visuals.window_stroke = egui::Stroke::new(1.0, BUTTON);
    visuals.window_shadow = egui::Shadow::NONE;
    visuals.override_text_color = Some(TEXT);
    visuals.weak_text_color = Some(WEAK_TEXT);
    for (widget, fill) in
        [(&mut visuals.widgets.inactive, BUTTON), (&mut visuals.widgets.hovered, BUTTON_HOVERED), (&mut visuals.widgets.active, SELECTED)]
    {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.expansion = 0.0;
        widget.fg_stroke = egui::Stroke::new(2.0, TEXT);
    }
    visuals.widgets.hovered.bg_stroke = egui::Stroke::new(1.0, WEAK_TEXT);
    visuals.selection.bg_fill = SELECTED;
    visuals.selection.stroke = egui::Stroke::new(1.0, TEXT);
    visuals.slider_trailing_fill = true;
    let font = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, font(SMALL_TEXT)),
        (TextStyle::Body, font(NORMAL_TEXT)),
        (TextStyle::Button, font(NORMAL_TEXT)),
        (TextStyle::Monospace, FontId::new(NORMAL_TEXT, FontFamily::Monospace)),
        (TextStyle::Heading, font(18.0)),
    ]
    .into();
    style.spacing.interact_size = vec2(TOUCH_PX, TOUCH_PX);
    style.spacing.item_spacing = vec2(6.0, 6.0);
    style.spacing.icon_width = 22.0;
    style.spacing.icon_width_inner = 12.0;
    style.spacing.icon_spacing = 8.0;
    // Something that moves by itself needs frames.
    style.animation_time = 0.0;
}

/// A row of buttons of the same width; returns which was clicked. Each has a text, and says whether it is on and whether it can be used.
pub fn button_row(ui: &mut egui::Ui, buttons: &[(&str, bool, bool)]) -> Option<usize> {
    let spacing = ui.spacing().item_spacing.x;
    let width = (ui.available_width() + spacing) / buttons.len().max(1) as f32 - spacing;
    let mut clicked = None;
    ui.horizontal(|ui| {
        for (index, (text, is_on, is_enabled)) in buttons.iter().enumerate() {
            let button = egui::Button::new(*text).selected(*is_on).min_size(vec2(width, TOUCH_PX));
            if ui.add_enabled(*is_enabled, button).clicked() {
                clicked = Some(index);
            }
        }
    });
    clicked
}

/// A text over the picture, on a background of its own, centred at a position.
pub fn label(painter: &egui::Painter, center: egui::Pos2, text: &str, size: f32) {
    let galley = painter.layout_no_wrap(text.to_owned(), FontId::proportional(size), TEXT);
    let rect = egui::Rect::from_center_size(center, galley.size() + vec2(12.0, 6.0));
    painter.rect_filled(rect, 4.0, BACKGROUND);
    painter.galley(pos2(rect.left() + 6.0, rect.top() + 3.0), galley, TEXT);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of two colours as the Web Content Accessibility Guidelines define it.
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let luminance = |color: [f64; 3]| {
            let linear = color.map(|value| {
                let value = value / 255.0;
                if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            });
            linear[0] * 0.2126 + linear[1] * 0.7152 + linear[2] * 0.0722
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_its_background() {
        let rows = [
            (TEXT, BACKGROUND),
            (WEAK_TEXT, BACKGROUND),
            (WARNING, BACKGROUND),
            (TEXT, BUTTON),
            (TEXT, BUTTON_HOVERED),
            (TEXT, SELECTED),
            (MARK, MARK_RIM),
        ];
        for (text, background) in rows {
            assert!(background.is_opaque());
            let [text, background] = [text, background].map(|color| [color.r(), color.g(), color.b()].map(f64::from));
            let contrast = contrast(text, background);
            assert!(contrast >= 4.5, "{text:?} on {background:?}: {contrast:.2}");
        }
    }
}
