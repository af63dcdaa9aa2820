//! `GET /api/scans/{scan}/compare`: what changed from one version to another.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, Query};
use parterre_model::catalog as api;
use parterre_model::catalog::{ComparedVersion, Comparison, Difference, ErrorBody, Note, ScanState, Version};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::app::App;
use crate::controllers::scans;
use crate::edit;
use crate::error::{ApiError, ApiResult};

/// Query of a comparison.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Versions {
    /// The first version.
    pub from: u32,
    /// The second version.
    pub to: u32,
}

/// Compares two versions of a scan that are ready: points, coverage, bounds, warnings, and everything else that differs.
#[utoipa::path(get, path = "/api/scans/{scan}/compare", tag = "scans",
    params(("scan" = String, Path, description = "Identifier"), Versions),
    responses(
        (status = 200, description = "What changed", body = Comparison),
        (status = 400, description = "The query cannot be read", body = ErrorBody),
        (status = 404, description = "No such scan or version", body = ErrorBody),
        (status = 409, description = "A version is not ready", body = ErrorBody),
    ))]
pub async fn compare(app: Data<App>, path: Path<String>, query: Query<Versions>) -> ApiResult {
    let comparison = find(&app, path.into_inner(), *query).await?.1;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(comparison))
}

/// Finds a scan and compares two of its versions.
pub async fn find(app: &Data<App>, scan: String, versions: Versions) -> ApiResult<(api::Scan, Comparison)> {
    let scan = scans::show::find(app, scan).await?;
    let version = |number: u32| {
        let found = scan.versions.iter().find(|version| version.version == number);
        let found = found.ok_or_else(|| ApiError::not_found("version_not_found", format!("scan {:?} has no version {number}", scan.id)))?;
        if found.state != ScanState::Ready {
            let message = format!("version {number} is not ready");
            return Err(ApiError::new(StatusCode::CONFLICT, "version_not_ready", message, "Only versions that are ready can be compared."));
        }
        Ok(found)
    };
    let comparison = between(&scan.id, version(versions.from)?, version(versions.to)?);
    Ok((scan, comparison))
}

fn between(scan: &str, from: &Version, to: &Version) -> Comparison {
    let (a, b) = (compared(from), compared(to));
    let has = |notes: &[Note], note: &Note| notes.contains(note);
    let only = |these: &[Note], not: &[Note]| these.iter().filter(|note| !has(not, note)).cloned().collect();
    let bounds_m = match (a.bounds, b.bounds) {
        (Some(first), Some(second)) if a.crs == b.crs => Some(std::array::from_fn(|side| second[side] - first[side])),
        _ => None,
    };
    let coverage = |side: &ComparedVersion| side.figures.as_ref().map(|figures| figures.coverage_m2);
    let hashes = |side: &ComparedVersion| side.sources.iter().map(|source| source.sha256.clone()).collect::<Vec<_>>();
    Comparison {
        scan: scan.to_owned(),
        points: b.points as i64 - a.points as i64,
        bounds_m,
        coverage_m2: coverage(&a).zip(coverage(&b)).map(|(first, second)| second - first),
        warnings_gone: only(&from.warnings, &to.warnings),
        warnings_new: only(&to.warnings, &from.warnings),
        warnings_kept: to.warnings.iter().filter(|note| has(&from.warnings, note)).cloned().collect(),
        differences: differences(&a, &b),
        same_files: hashes(&a) == hashes(&b),
        from: a,
        to: b,
    }
}

fn compared(version: &Version) -> ComparedVersion {
    ComparedVersion {
        version: version.version,
        publication: version.publication,
        points: version.points.unwrap_or_default(),
        bounds: version.bounds,
        figures: version.figures.clone(),
        levels: version.plans.len() as u32,
        unit: version.frame.as_ref().map(|frame| frame.unit.name().to_owned()),
        crs: version.frame.as_ref().and_then(|frame| frame.crs.clone()),
        sources: version.sources.clone(),
        survey: version.survey.as_ref().map(|survey| survey.fields.clone()).unwrap_or_default(),
    }
}

fn differences(a: &ComparedVersion, b: &ComparedVersion) -> Vec<Difference> {
    let files = |side: &ComparedVersion| side.sources.iter().map(|source| source.file_name.as_str()).collect::<Vec<_>>().join(", ");
    let plain = [
        ("unit", a.unit.clone(), b.unit.clone()),
        ("crs", a.crs.clone(), b.crs.clone()),
        ("levels", Some(a.levels.to_string()), Some(b.levels.to_string())),
        ("files", Some(files(a)), Some(files(b))),
    ];
    let mut found: Vec<Difference> = plain
        .into_iter()
        .filter(|(_, from, to)| from != to)
        .map(|(field, from, to)| Difference { field: field.to_owned(), from, to })
        .collect();
    for (field, change) in edit::changes(&a.survey, &b.survey) {
        found.push(Difference { field, from: text(change.from), to: text(change.to) });
    }
    found
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
