//! The height cut: hides everything above a height, to look into a building from above.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};

use super::registry::{Tool, ToolRegistry, ToolSystems};
use crate::settings::Settings;
use crate::stream::StreamSystems;
use crate::stream::scans::{Scans, any_open};
use crate::ui::card::{CardSystems, Cards};

const TOOL: Tool =
    Tool { name: "cut", title: "Height cut", purpose: "Hide everything above a height", key: KeyCode::KeyC, uses_clicks: false };
/// Where the cut begins, as a share of the height of what is shown: below most roofs.
const FIRST_SHARE: f64 = 0.6;

/// Adds the tool.
pub struct HeightCutPlugin;

impl Plugin for HeightCutPlugin {
    fn build(&self, app: &mut App) {
        ToolRegistry::register(app, TOOL);
        app.add_systems(Update, follow.after(ToolSystems).before(StreamSystems).run_if(any_open))
            .add_systems(EguiPrimaryContextPass, card.in_set(CardSystems).run_if(any_open));
    }
}

/// The lowest and the highest point of the scans that are shown, and where the cut begins. Scene frame, metres.
fn heights(scans: &Scans) -> (f64, f64, f64) {
    let bounds = scans.bounds();
    let (low_m, high_m) = (bounds.min.z, bounds.max.z);
    (low_m, high_m, low_m + (high_m - low_m) * FIRST_SHARE)
}

/// Cuts while the tool is active; a cut that comes with an address or an option starts the tool.
fn follow(
    mut registry: ResMut<ToolRegistry>,
    mut settings: ResMut<Settings>,
    scans: Res<Scans>,
    mut was_active: Local<bool>,
    mut last_m: Local<Option<f64>>,
) {
    let is_active = registry.is_active(TOOL.name);
    if is_active == *was_active {
        if settings.cut_above_m.is_some() != is_active {
            registry.set_active(TOOL.name, !is_active);
        }
    } else if is_active {
        let first_m = last_m.unwrap_or(heights(&scans).2);
        settings.cut_above_m.get_or_insert(first_m);
    } else {
        *last_m = settings.cut_above_m.take();
    }
    *was_active = registry.is_active(TOOL.name);
}

fn card(
    mut contexts: EguiContexts,
    mut cards: ResMut<Cards>,
    mut registry: ResMut<ToolRegistry>,
    mut settings: ResMut<Settings>,
    scans: Res<Scans>,
) -> Result {
    let Some(mut cut_m) = settings.cut_above_m.filter(|_| registry.is_active(TOOL.name)) else { return Ok(()) };
    let (low_m, high_m, _) = heights(&scans);
    let is_closed = cards.show(contexts.ctx_mut()?, TOOL.title, |ui| {
        ui.label("Points above this height are hidden:");
        ui.spacing_mut().slider_width = ui.available_width() - 90.0;
        // A height outside of the scans, from an address, stays.
        let clamping = egui::SliderClamping::Edits;
        ui.add(egui::Slider::new(&mut cut_m, low_m..=high_m).clamping(clamping).suffix(" m").fixed_decimals(1));
    });
    // Written only where it differs, so that it counts as changed only then.
    if settings.cut_above_m != Some(cut_m) {
        settings.cut_above_m = Some(cut_m);
    }
    if is_closed {
        registry.set_active(TOOL.name, false);
    }
    Ok(())
}
