//! Combines rows into the types of the API.

use std::collections::HashMap;

use diesel::QueryResult;
use parterre_model::catalog as api;
use parterre_model::frame::Frame;
use parterre_raster::Level;
use serde::Deserialize;

use crate::db::{Conn, rfc3339};
use crate::fields::today;
use crate::models::jobs::Job;
use crate::models::pictures::Picture;
use crate::models::scans::Scan;
use crate::models::sources::Source;
use crate::models::surveys::Survey;
use crate::models::venues::Venue;
use crate::models::versions::Version;
use crate::person;

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
        created_by: row.created_by.as_deref().map(person::shown),
        publication: row.publication(),
        publication_changed: signature(row.publication_by.as_deref(), row.publication_at),
        sources: Vec::new(),
        survey: None,
        is_stale: false,
    }
}

fn signature(by: Option<&str>, at: Option<i64>) -> Option<api::Signature> {
    by.zip(at).map(|(by, at)| api::Signature { by: person::shown(by), at: rfc3339(at) })
}

/// A survey as the API shows it; a version without one has an empty one.
pub fn survey(row: Option<&Survey>) -> api::Survey {
    row.map_or_else(api::Survey::default, |row| api::Survey {
        fields: row.fields(),
        revision: row.revision,
        updated: signature(Some(&row.updated_by), Some(row.updated_at)),
    })
}

/// Adds the files and surveys to versions of these scans, which are grouped by scan.
fn add_details(conn: &mut Conn, scan_ids: &[String], versions: &mut HashMap<String, Vec<api::Version>>) -> QueryResult<()> {
    for row in Source::of_scans(conn, scan_ids)? {
        let of_scan = versions.get_mut(&row.scan_id).into_iter().flatten();
        if let Some(version) = of_scan.into_iter().find(|version| version.version == row.version as u32) {
            version.sources.push(api::Source { file_name: row.file_name, bytes: row.bytes as u64, sha256: row.sha256 });
        }
    }
    let surveys = Survey::of_scans(conn, scan_ids)?;
    for (scan_id, version) in versions.iter_mut().flat_map(|(scan_id, versions)| versions.iter_mut().map(move |version| (scan_id, version)))
    {
        let row = surveys.iter().find(|row| row.scan_id == *scan_id && row.version as u32 == version.version);
        version.survey = Some(survey(row));
        // A service of the release before does not write the files.
        if version.sources.is_empty() {
            let (file_name, sha256) = (version.file_name.clone(), version.sha256.clone());
            version.sources.push(api::Source { file_name, bytes: version.bytes, sha256 });
        }
    }
    add_staleness(&surveys, versions);
    Ok(())
}

fn add_staleness(surveys: &[Survey], versions: &mut HashMap<String, Vec<api::Version>>) {
    let today = today();
    for row in surveys.iter().filter(|row| row.reverify_on.as_ref().is_some_and(|day| *day < today)) {
        let of_scan = versions.get_mut(&row.scan_id).into_iter().flatten();
        for version in of_scan.filter(|version| version.version == row.version as u32) {
            version.is_stale = true;
        }
    }
}

fn scan(row: &Scan, versions: Vec<api::Version>) -> api::Scan {
    let state = versions.last().map_or(api::ScanState::Processing, |version| version.state);
    api::Scan { id: row.id.clone(), venue: row.venue_id.clone(), name: row.name.clone(), state, versions }
}

/// Loads one scan with its versions.
pub fn load_scan(conn: &mut Conn, id: &str) -> QueryResult<Option<api::Scan>> {
    let Some(row) = Scan::find(conn, id)? else { return Ok(None) };
    let ids = std::slice::from_ref(&row.id);
    let shown = Version::of_scans(conn, ids)?.iter().map(version).collect();
    let mut versions = HashMap::from([(row.id.clone(), shown)]);
    add_details(conn, ids, &mut versions)?;
    let versions = versions.remove(&row.id).unwrap_or_default();
    Ok(Some(scan(&row, versions)))
}

/// Loads these venues with all that belongs to them: pictures, and scans with all their versions.
pub fn load_venues(conn: &mut Conn, rows: &[Venue]) -> QueryResult<Vec<api::Venue>> {
    let mut venues = load_with(conn, rows, Version::of_scans, true)?;
    for venue in &mut venues {
        venue.pictures = Picture::of_venue(conn, &venue.id)?.iter().map(Picture::shown).collect();
    }
    Ok(venues)
}

/// Loads the scans of these venues with the columns of their versions that a list shows; see [`Version::heads_of_scans`].
pub fn load_venue_list(conn: &mut Conn, rows: &[Venue]) -> QueryResult<Vec<api::Venue>> {
    load_with(conn, rows, Version::heads_of_scans, false)
}

fn load_with(
    conn: &mut Conn,
    rows: &[Venue],
    versions_of: impl FnOnce(&mut Conn, &[String]) -> QueryResult<Vec<Version>>,
    with_details: bool,
) -> QueryResult<Vec<api::Venue>> {
    let venue_ids: Vec<String> = rows.iter().map(|venue| venue.id.clone()).collect();
    let scans = Scan::of_venues(conn, &venue_ids)?;
    let scan_ids: Vec<String> = scans.iter().map(|scan| scan.id.clone()).collect();
    let mut versions: HashMap<String, Vec<api::Version>> = HashMap::new();
    for row in versions_of(conn, &scan_ids)? {
        versions.entry(row.scan_id.clone()).or_default().push(version(&row));
    }
    if with_details {
        add_details(conn, &scan_ids, &mut versions)?;
    } else {
        add_staleness(&Survey::of_scans(conn, &scan_ids)?, &mut versions);
    }
    let mut by_venue: HashMap<&str, Vec<api::Scan>> = HashMap::new();
    for row in &scans {
        by_venue.entry(&row.venue_id).or_default().push(scan(row, versions.remove(&row.id).unwrap_or_default()));
    }
    Ok(rows
        .iter()
        .map(|row| {
            let scans = by_venue.remove(row.id.as_str()).unwrap_or_default();
            venue(row, scans)
        })
        .collect())
}

/// A venue as the API shows it, without its pictures.
fn venue(row: &Venue, scans: Vec<api::Scan>) -> api::Venue {
    api::Venue {
        id: row.id.clone(),
        slug: row.slug.clone(),
        fields: row.fields(),
        revision: row.revision,
        created_at: rfc3339(row.created_at),
        updated: signature(row.updated_by.as_deref(), row.updated_at),
        withdrawn: signature(row.withdrawn_by.as_deref(), row.withdrawn_at),
        pictures: Vec::new(),
        scans,
    }
}
