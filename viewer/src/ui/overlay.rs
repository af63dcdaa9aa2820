//! What lies over the picture: a compass, a scale bar, and a bar while tiles are loading.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};
use egui::{Pos2, Rect, Shape, Stroke, pos2, vec2};

use super::card::Cards;
use super::state::UiState;
use super::theme;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::stream::scans::Scans;
use crate::stream::status::StreamStatus;

/// Radius of the compass. Logical pixels.
const COMPASS_PX: f32 = 26.0;
/// Longest scale bar. Logical pixels.
const SCALE_MAX_PX: f64 = 140.0;
/// Distance for which the scale bar is drawn where there is no point that the camera orbits. Metres.
const NEAR_M: f64 = 5.0;

pub(super) fn overlay(
    mut contexts: EguiContexts,
    ui_state: Res<UiState>,
    mut cards: ResMut<Cards>,
    status: Res<StreamStatus>,
    scans: Res<Scans>,
    rigs: Query<&Rig>,
) -> Result {
    cards.clear();
    let context = contexts.ctx_mut()?;
    let painter = context.layer_painter(egui::LayerId::new(egui::Order::Background, egui::Id::new("overlay")));
    let screen = context.content_rect();
    loading_bar(&painter, screen, &status);
    let (Ok(rig), true) = (rigs.single(), ui_state.panel && scans.opened() > 0) else { return Ok(()) };
    compass(&painter, screen, rig.yaw, scans.has_north());
    scale_bar(&painter, screen, rig);
    Ok(())
}

/// A compass at the top right; its top is the direction of view. `has_north`: whether the Y axis points to the north.
fn compass(painter: &egui::Painter, screen: Rect, yaw: f64, has_north: bool) {
    let center = screen.right_top() + vec2(-theme::MARGIN_PX - COMPASS_PX - 2.0, theme::MARGIN_PX + COMPASS_PX + 2.0);
    painter.circle(center, COMPASS_PX + 2.0, theme::BACKGROUND, Stroke::new(1.0, theme::WEAK_TEXT));
    let angle = -yaw as f32;
    let towards = |angle: f32, length: f32| center + vec2(angle.sin(), -angle.cos()) * length;
    let half = |tip: Pos2, color| {
        let side = |turn: f32| towards(angle + turn, 5.0);
        painter.add(Shape::convex_polygon(
            vec![tip, side(std::f32::consts::FRAC_PI_2), side(-std::f32::consts::FRAC_PI_2)],
            color,
            Stroke::NONE,
        ));
    };
    half(towards(angle, 13.0), theme::NEEDLE);
    half(towards(angle, -20.0), theme::WEAK_TEXT);
    let letter = if has_north { "N" } else { "Y" };
    painter.text(towards(angle, 20.0), egui::Align2::CENTER_CENTER, letter, egui::FontId::proportional(14.0), theme::TEXT);
    if !has_north {
        // No north is known: the letter is the name of an axis.
        let below = pos2(center.x - 8.0, center.y + COMPASS_PX + 14.0);
        theme::label(painter, below, "scan axis", theme::SMALL_TEXT);
    }
}

/// A scale bar at the bottom left, for the point that the camera orbits, or for a few metres ahead: in perspective, a scale needs a distance.
fn scale_bar(painter: &egui::Painter, screen: Rect, rig: &Rig) {
    let distance_m = if rig.mode == Mode::Orbit { rig.distance_m } else { NEAR_M };
    let pixels_per_metre = f64::from(screen.height()) / (2.0 * distance_m * (rig.fov_y * 0.5).tan());
    let Some(length_m) = round_length(SCALE_MAX_PX / pixels_per_metre) else { return };
    let text = format!("{} at a distance of {}", length(length_m), length(distance_m));
    let galley = painter.layout_no_wrap(text, egui::FontId::proportional(theme::SMALL_TEXT), theme::TEXT);
    let bar_px = (length_m * pixels_per_metre) as f32;
    let size = vec2(galley.size().x.max(bar_px) + 16.0, galley.size().y + 18.0);
    let area = Rect::from_min_size(screen.left_bottom() + vec2(theme::MARGIN_PX, -theme::MARGIN_PX - size.y), size);
    painter.rect_filled(area, 4.0, theme::BACKGROUND);
    painter.galley(area.min + vec2(8.0, 3.0), galley, theme::TEXT);
    let (left, right) = (area.left_bottom() + vec2(8.0, -7.0), area.left_bottom() + vec2(8.0 + bar_px, -7.0));
    let stroke = Stroke::new(2.0, theme::TEXT);
    for line in [[left, right], [left - vec2(0.0, 5.0), left], [right - vec2(0.0, 5.0), right]] {
        painter.line_segment(line, stroke);
    }
}

/// The largest of 1, 2, 5, 10, … of any power of ten that is not longer; `None` for lengths of no meaning.
fn round_length(most_m: f64) -> Option<f64> {
    if !most_m.is_finite() || most_m <= 0.0 {
        return None;
    }
    let power = 10f64.powf(most_m.log10().floor());
    [10.0, 5.0, 2.0, 1.0].into_iter().map(|factor| factor * power).find(|length_m| *length_m <= most_m * (1.0 + 1e-9))
}

/// A length for people.
fn length(length_m: f64) -> String {
    match length_m {
        0.0..0.0095 => format!("{:.0} mm", length_m * 1000.0),
        0.0..0.995 => format!("{:.0} cm", length_m * 100.0),
        0.0..9.95 => {
            let text = format!("{length_m:.1} m");
            text.replace(".0 m", " m")
        }
        0.0..9_995.0 => format!("{length_m:.0} m"),
        _ => format!("{:.0} km", length_m / 1000.0),
    }
}

/// A bar at the lower edge of the picture while tiles are loading.
fn loading_bar(painter: &egui::Painter, screen: Rect, status: &StreamStatus) {
    let Some(share_loaded) = share_loaded(status) else { return };
    let bar = Rect::from_min_max(pos2(screen.left(), screen.bottom() - 3.0), screen.right_bottom());
    painter.rect_filled(bar, 0.0, theme::BACKGROUND);
    let filled = Rect::from_min_size(bar.min, vec2(bar.width() * share_loaded.max(0.02), bar.height()));
    painter.rect_filled(filled, 0.0, theme::FILLED);
}

/// The share of the wanted tiles that has been loaded; `None` where nothing is loading.
pub(super) fn share_loaded(status: &StreamStatus) -> Option<f32> {
    (status.loading > 0 && status.loading_peak > 0).then(|| 1.0 - status.loading as f32 / status.loading_peak as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_bars_have_round_lengths() {
        for (most_m, expected_m) in [(1.0, 1.0), (1.99, 1.0), (4.9, 2.0), (9.99, 5.0), (99.0, 50.0), (0.03, 0.02)] {
            let found_m = round_length(most_m).expect("a length");
            assert!((found_m - expected_m).abs() < 1e-9 * expected_m, "{most_m}: {found_m}");
        }
        for nonsense in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(round_length(nonsense), None);
        }
    }

    #[test]
    fn lengths_have_a_unit_that_suits_them() {
        let rows = [(0.002, "2 mm"), (0.05, "5 cm"), (1.0, "1 m"), (5.3, "5.3 m"), (20.0, "20 m"), (500.0, "500 m"), (20_000.0, "20 km")];
        for (length_m, expected) in rows {
            assert_eq!(length(length_m), expected);
        }
    }

    #[test]
    fn progress_is_known_only_while_loading() {
        let status = |loading, loading_peak| StreamStatus { loading, loading_peak, ..StreamStatus::default() };
        assert_eq!(share_loaded(&status(0, 0)), None);
        assert_eq!(share_loaded(&status(5, 20)), Some(0.75));
    }
}
