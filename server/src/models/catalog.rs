//! Combines rows into the types of the API.

use std::collections::HashMap;

use diesel::QueryResult;
use parterre_model::catalog as api;
use parterre_model::frame::Frame;
use parterre_raster::Level;
use serde::Deserialize;

use crate::db::{Conn, rfc3339};
use crate::models::jobs::Job;
use crate::models::scans::Scan;
use crate::models::venues::Venue;
use crate::models::versions::Version;

/// The part of the tiler's report that the API shows.
#[derive(Debug, Default, Deserialize)]
struct Report {
    #[serde(default)]
    warnings: Vec<api::Note>,
    #[serde(default)]
    bounds: Option<[f64; 6]>,
    #[serde(default)]
    levels: Vec<Level>,
    #[serde(flatten)]
    figures: Option<api::Figures>,
}

/// A job as the API shows it.
pub fn job(row: &Job) -> api::Job {
    let state = match row.state.as_str() {
        "queued" => api::JobState::Queued,
        "running" => api::JobState::Running,
        "done" => api::JobState::Done,
        _ => api::JobState::Failed,
    };
    let error = (state == api::JobState::Failed).then(|| {
        api::Fault::new(
            row.error_code.clone().unwrap_or_else(|| "internal".into()),
            row.error_message.clone().unwrap_or_default(),
            row.error_hint.clone().unwrap_or_default(),
        )
    });
    api::Job { id: row.id.clone(), state, stage: row.stage.clone(), progress: row.progress, error }
}

/// A version as the API shows it.
pub fn version(row: &Version) -> api::Version {
    let number = row.version as u32;
    let scan = &row.scan_id;
    let state = match row.state.as_str() {
        "processing" => api::ScanState::Processing,
        "ready" => api::ScanState::Ready,
        _ => api::ScanState::Failed,
    };
    let ready = state == api::ScanState::Ready;
    let report: Report = row.report.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let files = row.made_files();
    let length_of = |name: &str| files.iter().find(|file| file.name == name).map(|file| file.bytes);
    let copc_bytes = length_of("points.copc.laz");
    let plan = |level: &Level| api::Plan {
        url: api::level_plan_path(scan, number, level.number),
        level: level.number,
        floor_m: level.floor_m,
        top_m: level.top_m,
        area_m2: level.area_m2,
    };
    let plans = report.levels.iter().filter(|level| length_of(&format!("plan-{}.png", level.number)).is_some()).map(plan).collect();
    let frame: Option<Frame> = row.frame.as_deref().and_then(|json| serde_json::from_str(json).ok());
    api::Version {
        version: number,
        state,
        tileset: ready.then(|| api::tileset_path(scan, number)),
        thumbnail: ready.then(|| api::thumbnail_path(scan, number)),
        plan: ready.then(|| api::plan_path(scan, number)),
        bundle: ready.then(|| api::bundle_path(scan, number)),
        bundle_bytes: row.tiles_bytes.map(|bytes| bytes as u64),
        viewer: ready.then(|| api::viewer_path(scan, number)),
        points: row.points.map(|points| points as u64),
        frame,
        bounds: report.bounds,
        warnings: report.warnings,
        copc: copc_bytes.map(|_| api::copc_path(scan, number)),
        copc_bytes,
        plans,
        figures: report.figures,
        report: row.report_key.as_ref().map(|_| api::report_path(scan, number)),
        setups: length_of("setups.json").map(|_| api::setups_path(scan, number)),
        images: files.iter().filter(|file| file.name.starts_with("images/")).count() as u32,
        file_name: row.file_name.clone(),
        bytes: row.bytes as u64,
        sha256: row.sha256.clone(),
        job: row.job_id.clone(),
        created_at: rfc3339(row.created_at),
    }
}

fn scan(row: &Scan, versions: Vec<api::Version>) -> api::Scan {
    let state = versions.last().map_or(api::ScanState::Processing, |version| version.state);
    api::Scan { id: row.id.clone(), venue: row.venue_id.clone(), name: row.name.clone(), state, versions }
}

/// Loads one scan with its versions.
pub fn load_scan(conn: &mut Conn, id: &str) -> QueryResult<Option<api::Scan>> {
    let Some(row) = Scan::find(conn, id)? else { return Ok(None) };
    let versions = Version::of_scans(conn, std::slice::from_ref(&row.id))?;
    Ok(Some(scan(&row, versions.iter().map(version).collect())))
}

/// Loads the scans of these venues with all their versions.
pub fn load_venues(conn: &mut Conn, rows: &[Venue]) -> QueryResult<Vec<api::Venue>> {
    load_with(conn, rows, Version::of_scans)
}

/// Loads the scans of these venues with the columns of their versions that a list shows; see [`Version::heads_of_scans`].
pub fn load_venue_list(conn: &mut Conn, rows: &[Venue]) -> QueryResult<Vec<api::Venue>> {
    load_with(conn, rows, Version::heads_of_scans)
}

fn load_with(
    conn: &mut Conn,
    rows: &[Venue],
    versions_of: impl FnOnce(&mut Conn, &[String]) -> QueryResult<Vec<Version>>,
) -> QueryResult<Vec<api::Venue>> {
    let venue_ids: Vec<String> = rows.iter().map(|venue| venue.id.clone()).collect();
    let scans = Scan::of_venues(conn, &venue_ids)?;
    let scan_ids: Vec<String> = scans.iter().map(|scan| scan.id.clone()).collect();
    let mut versions: HashMap<String, Vec<api::Version>> = HashMap::new();
    for row in versions_of(conn, &scan_ids)? {
        versions.entry(row.scan_id.clone()).or_default().push(version(&row));
    }
    let mut by_venue: HashMap<&str, Vec<api::Scan>> = HashMap::new();
    for row in &scans {
        by_venue.entry(&row.venue_id).or_default().push(scan(row, versions.remove(&row.id).unwrap_or_default()));
    }
    Ok(rows
        .iter()
        .map(|venue| api::Venue {
            id: venue.id.clone(),
            slug: venue.slug.clone(),
            name: venue.name.clone(),
            created_at: rfc3339(venue.created_at),
            scans: by_venue.remove(venue.id.as_str()).unwrap_or_default(),
        })
        .collect())
}
