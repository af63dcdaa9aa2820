//! A version of a scan as pages show it.

use parterre_model::catalog as api;
use parterre_model::catalog::{Fault, JobState, ScanState};
use parterre_model::frame::{Unit, UnitSource};

use crate::pages::format;

/// A version as pages show it.
pub(super) struct VersionView {
    pub(super) version: api::Version,
    pub(super) plans: Vec<PlanView>,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) job: Option<api::Job>,
    pub(super) fault: Option<Fault>,
}

/// A plan of a level.
pub(super) struct PlanView {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) facts: String,
}

impl VersionView {
    pub(super) fn is_ready(&self) -> bool {
        self.version.state == ScanState::Ready
    }

    pub(super) fn is_processing(&self) -> bool {
        self.version.state == ScanState::Processing
    }

    pub(super) fn percent(&self) -> u32 {
        self.job.as_ref().map_or(0, |job| (job.progress * 100.0) as u32)
    }

    pub(super) fn stage(&self) -> &str {
        self.job.as_ref().map_or("queued", |job| &job.stage)
    }

    pub(super) fn short_sha256(&self) -> &str {
        self.version.sha256.get(..12).unwrap_or_default()
    }
}

/// The view of a version, with its job where it is not ready.
pub(super) fn view(version: &api::Version, job: Option<api::Job>) -> VersionView {
    let fault = job.as_ref().filter(|job| job.state == JobState::Failed).and_then(|job| job.error.clone());
    let mut facts = Vec::new();
    if let Some(points) = version.points {
        facts.push(("Points", format::grouped(points)));
    }
    if let Some(bounds) = &version.bounds {
        facts.push(("Size", format::size(bounds)));
    }
    if let Some(figures) = &version.figures {
        facts.push(("Area", format!("{} m² seen from above", format::grouped(figures.coverage_m2.round() as u64))));
        if let Some(spacing) = figures.point_spacing_m {
            facts.push(("Spacing", format!("{} between points, median", format::length(spacing))));
        }
        if let Some(noise) = figures.noise_m {
            facts.push(("Noise", format!("{} from the surface, median", format::length(noise))));
        }
    }
    if let Some(frame) = &version.frame {
        let unit = match frame.unit {
            Unit::Metre => "metres",
            Unit::Foot => "feet",
            Unit::UsSurveyFoot => "US survey feet",
            Unit::Centimetre => "centimetres",
            Unit::Millimetre => "millimetres",
            Unit::Inch => "inches",
            Unit::Degree => "degrees",
        };
        let unit = match frame.unit_source {
            UnitSource::File => format!("{unit}, from the file"),
            UnitSource::User => format!("{unit}, set at upload"),
            UnitSource::Assumed => format!("assumed: {unit}"),
        };
        facts.push(("Unit", unit));
        facts.push(("Coordinates", crs_name(frame.crs.as_deref())));
    }
    for source in &version.sources {
        facts.push(("File", format!("{}, {}", source.file_name, format::bytes(source.bytes))));
    }
    let by = version.created_by.as_ref().map(|person| format!(", {}", person.name)).unwrap_or_default();
    facts.push(("Uploaded", format::time(&version.created_at) + &by));
    if let Some(day) = version.survey.as_ref().and_then(|survey| survey.fields.captured_on.as_ref()) {
        facts.push(("Captured", day.clone()));
    }
    let plan = |plan: &api::Plan| PlanView {
        url: plan.url.clone(),
        name: if version.plans.len() > 1 { format!("Level {} of {}", plan.level, version.plans.len()) } else { "From above".to_owned() },
        facts: format!("floor at {} m, {} m²", format::height(plan.floor_m), format::grouped(plan.area_m2.round() as u64)),
    };
    VersionView { version: version.clone(), plans: version.plans.iter().map(plan).collect(), facts, job, fault }
}

/// `EPSG:n` unchanged, or the name in a WKT.
fn crs_name(crs: Option<&str>) -> String {
    match crs {
        None => "local, no coordinate system given".to_owned(),
        Some(wkt) if wkt.contains('[') => wkt.split('"').nth(1).unwrap_or("given as WKT").to_owned(),
        Some(code) => code.to_owned(),
    }
}
