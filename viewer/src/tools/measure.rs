//! Measuring the distance between two points that are clicked or tapped.

use bevy::math::DVec3;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};

use super::registry::{Tool, ToolRegistry, ToolSystems};
use crate::input::intents::Intents;
use crate::inside::LookInside;
use crate::pick::pick_point;
use crate::render::data::NEAR_M;
use crate::rig::Rig;
use crate::stream::StreamSystems;
use crate::stream::scans::{Scans, any_open};
use crate::stream::status::StreamStatus;
use crate::ui::card::{CardSystems, Cards};
use crate::ui::theme;

const TOOL: Tool =
    Tool { name: "measure", title: "Measure", purpose: "Measure the distance of two points", key: KeyCode::KeyM, uses_clicks: true };
/// The lines for the horizontal and the vertical part are drawn where both are longer than this. Metres.
const LEG_MIN_M: f64 = 0.02;
/// Room that a label takes. Logical pixels.
const LABEL_PX: egui::Vec2 = egui::vec2(80.0, 30.0);

/// Adds the tool.
pub struct MeasurePlugin;

impl Plugin for MeasurePlugin {
    fn build(&self, app: &mut App) {
        ToolRegistry::register(app, TOOL);
        app.init_resource::<Measurement>()
            .add_systems(Update, measure.after(ToolSystems).before(StreamSystems).run_if(any_open))
            .add_systems(EguiPrimaryContextPass, (lines, card).in_set(CardSystems).run_if(any_open));
    }
}

/// What is being measured.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Measurement {
    /// None, one or both ends. Scene frame, metres.
    points: Vec<DVec3>,
    /// Whether the last click met no point.
    has_missed: bool,
}

/// The distance of two points. Metres.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Distances {
    /// Along the straight line.
    pub distance_m: f64,
    /// In plan.
    pub horizontal_m: f64,
    /// From the first up to the second; negative downwards.
    pub vertical_m: f64,
}

impl Measurement {
    /// A click: where it met a point, or that it met none. A third point starts anew.
    fn click(&mut self, picked: Option<DVec3>) {
        self.has_missed = picked.is_none();
        let Some(point) = picked else { return };
        if self.points.len() >= 2 {
            self.points.clear();
        }
        self.points.push(point);
    }

    /// Both ends.
    fn ends(&self) -> Option<(DVec3, DVec3)> {
        if let &[from, to] = self.points.as_slice() { Some((from, to)) } else { None }
    }

    /// What was measured, once both ends are known.
    pub fn distances(&self) -> Option<Distances> {
        let (from, to) = self.ends()?;
        let between = to - from;
        Some(Distances { distance_m: between.length(), horizontal_m: between.truncate().length(), vertical_m: between.z })
    }

    /// What to do next.
    fn advice(&self) -> &'static str {
        match (self.has_missed, self.points.len()) {
            (true, _) => "There is no point. Click or tap where something is drawn.",
            (_, 0) => "Click or tap the first point.",
            (_, 1) => "Click or tap the second point.",
            _ => "Click or tap a point to measure again.",
        }
    }
}

fn measure(
    mut measurement: ResMut<Measurement>,
    registry: Res<ToolRegistry>,
    intents: Res<Intents>,
    (scans, status, inside): (Res<Scans>, Res<StreamStatus>, Res<LookInside>),
    rigs: Query<&Rig>,
) {
    if !registry.is_active(TOOL.name) {
        // Read first: a resource that is only borrowed as mutable would count as changed.
        if *measurement != Measurement::default() {
            *measurement = Measurement::default();
        }
        return;
    }
    if let (Some(click), Ok(rig)) = (intents.click, rigs.single()) {
        let direction = rig.ray(click, intents.aspect());
        measurement.click(pick_point(&scans, &status, &inside, rig.eye, direction));
    }
}

fn card(mut contexts: EguiContexts, mut cards: ResMut<Cards>, mut registry: ResMut<ToolRegistry>, measurement: Res<Measurement>) -> Result {
    if !registry.is_active(TOOL.name) {
        return Ok(());
    }
    let is_closed = cards.show(contexts.ctx_mut()?, TOOL.title, |ui| {
        if let Some(distances) = measurement.distances() {
            ui.label(egui::RichText::new(metres(distances.distance_m)).size(theme::LARGE_TEXT).strong());
            // Rows of text need no room for fingers.
            ui.spacing_mut().interact_size.y = 20.0;
            egui::Grid::new("distances").num_columns(2).spacing([16.0, 4.0]).show(ui, |ui| {
                for (name, length_m) in [("Horizontal", distances.horizontal_m), ("Vertical", distances.vertical_m)] {
                    ui.label(name);
                    ui.label(metres(length_m));
                    ui.end_row();
                }
            });
        }
        let color = if measurement.has_missed { theme::WARNING } else { theme::TEXT };
        ui.label(egui::RichText::new(measurement.advice()).color(color));
    });
    if is_closed {
        registry.set_active(TOOL.name, false);
    }
    Ok(())
}

/// A length for people: the points of a scan are good to about a centimetre.
fn metres(length_m: f64) -> String {
    // Adding zero turns -0.00 into 0.00.
    format!("{:.2} m", (length_m * 100.0).round() / 100.0 + 0.0)
}

/// The measured line with its horizontal and vertical parts, drawn over the picture.
fn lines(mut contexts: EguiContexts, registry: Res<ToolRegistry>, measurement: Res<Measurement>, rigs: Query<&Rig>) -> Result {
    let (Ok(rig), true) = (rigs.single(), registry.is_active(TOOL.name)) else { return Ok(()) };
    let context = contexts.ctx_mut()?;
    let screen = context.viewport_rect();
    let painter = context.layer_painter(egui::LayerId::new(egui::Order::Background, egui::Id::new("measure")));
    let segment = |from: DVec3, to: DVec3| project(rig, (from, to), screen);
    if let Some((from, to)) = measurement.ends() {
        let middle = |ends: &[egui::Pos2; 2]| ends[0].lerp(ends[1], 0.5);
        let whole = segment(from, to);
        let below = to.truncate().extend(from.z);
        let legs = [(from, below), (below, to)];
        if legs.iter().all(|(from, to)| from.distance(*to) > LEG_MIN_M) {
            for (from, to) in legs {
                let Some(ends) = segment(from, to) else { continue };
                painter.extend(egui::Shape::dashed_line(&ends, egui::Stroke::new(3.5, theme::MARK_RIM), 7.0, 5.0));
                painter.extend(egui::Shape::dashed_line(&ends, egui::Stroke::new(1.5, theme::MARK), 7.0, 5.0));
                // Labels do not cover each other; the card has all the numbers.
                let apart = whole.as_ref().map_or(egui::Vec2::INFINITY, |whole| (middle(&ends) - middle(whole)).abs());
                let is_long = ends[0].distance(ends[1]) > LABEL_PX.y;
                if is_long && (apart.x > LABEL_PX.x || apart.y > LABEL_PX.y) {
                    theme::label(&painter, middle(&ends), &metres(from.distance(to)), theme::SMALL_TEXT);
                }
            }
        }
        if let Some(ends) = whole {
            painter.line_segment(ends, egui::Stroke::new(5.0, theme::MARK_RIM));
            painter.line_segment(ends, egui::Stroke::new(2.5, theme::MARK));
            theme::label(&painter, middle(&ends), &metres(from.distance(to)), theme::NORMAL_TEXT);
        }
    }
    for point in &measurement.points {
        if let Some([at, _]) = segment(*point, *point) {
            painter.circle(at, 5.0, theme::MARK, egui::Stroke::new(2.0, theme::MARK_RIM));
        }
    }
    Ok(())
}

/// The ends of a line in the picture, of its part in front of the eye.
fn project(rig: &Rig, (from, to): (DVec3, DVec3), screen: egui::Rect) -> Option<[egui::Pos2; 2]> {
    let aspect = f64::from(screen.width()) / f64::from(screen.height()).max(1.0);
    let depth = |position: DVec3| (position - rig.eye).dot(rig.forward());
    let (from_m, to_m) = (depth(from), depth(to));
    if from_m.max(to_m) < NEAR_M {
        return None;
    }
    let clipped = |end: DVec3, end_m: f64, other: DVec3, other_m: f64| {
        if end_m >= NEAR_M { end } else { other.lerp(end, (other_m - NEAR_M) / (other_m - end_m)) }
    };
    let place = |position: DVec3| {
        let ndc = rig.project(position, aspect)?;
        Some(screen.min + egui::vec2((ndc.x + 1.0) as f32 * 0.5 * screen.width(), (1.0 - ndc.y) as f32 * 0.5 * screen.height()))
    };
    Some([place(clipped(from, from_m, to, to_m))?, place(clipped(to, to_m, from, from_m))?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clicks_give_three_distances() {
        let mut measurement = Measurement::default();
        assert_eq!(measurement.advice(), "Click or tap the first point.");
        measurement.click(Some(DVec3::new(1.0, 2.0, 10.0)));
        assert_eq!((measurement.distances(), measurement.advice()), (None, "Click or tap the second point."));
        measurement.click(None);
        assert!(measurement.has_missed && measurement.points.len() == 1, "a miss changes nothing");
        measurement.click(Some(DVec3::new(4.0, 6.0, -2.0)));
        let distances = measurement.distances().expect("two points");
        assert_eq!(distances, Distances { distance_m: 13.0, horizontal_m: 5.0, vertical_m: -12.0 });
        assert!(!measurement.has_missed);
        measurement.click(Some(DVec3::ZERO));
        assert_eq!(measurement.points, [DVec3::ZERO], "a third click starts anew");
    }

    #[test]
    fn lengths_are_shown_in_centimetres() {
        assert_eq!((metres(-0.001), metres(12.345_6), metres(-3.0)), ("0.00 m".into(), "12.35 m".into(), "-3.00 m".into()));
    }

    #[test]
    fn lines_are_cut_off_behind_the_eye() {
        let mut rig = Rig::default();
        rig.look(DVec3::ZERO, DVec3::Y);
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(300.0, 200.0));
        let [at, _] = project(&rig, (DVec3::Y, DVec3::Y), screen).expect("in front");
        assert!((at - egui::pos2(150.0, 100.0)).length() < 1e-3);
        assert_eq!(project(&rig, (-DVec3::Y, DVec3::new(1.0, -3.0, 0.0)), screen), None);
        let [from, to] = project(&rig, (DVec3::new(0.0, 4.0, 0.0), DVec3::new(1.0, -4.0, 0.0)), screen).expect("partly in front");
        assert!((from.x - 150.0).abs() < 1e-3 && to.x > 300.0 && to.x.is_finite(), "{from} {to}");
    }
}
