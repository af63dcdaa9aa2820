//! `/scans/{scan}/compare`: two versions of a scan side by side.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog::{self as api, ComparedVersion, Comparison};

use crate::app::App;
use crate::controllers::venues::show;
use crate::controllers::versions::compare::{Versions, find};
use crate::error::ApiResult;
use crate::pages::render::render;
use crate::pages::{error_page, format};

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage {
    venue: api::Venue,
    scan: api::Scan,
    comparison: Comparison,
    from: api::Version,
    to: api::Version,
    rows: Vec<Row>,
    differences: Vec<Row>,
    plans: Vec<(Option<api::Plan>, Option<api::Plan>)>,
}

/// A figure of both versions, and the difference.
struct Row {
    name: String,
    from: String,
    to: String,
    change: String,
}

/// One of the figures of a scan.
type Measure = fn(&api::Figures) -> Option<f64>;

/// Shows the page.
pub async fn compare(app: Data<App>, request: HttpRequest, path: Path<String>, query: Query<Versions>) -> HttpResponse {
    page(&app, path.into_inner(), *query).await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

async fn page(app: &Data<App>, scan: String, versions: Versions) -> ApiResult {
    let (scan, comparison) = find(app, scan, versions).await?;
    let venue = show::find(app, scan.venue.clone()).await?;
    let version = |number: u32| scan.versions.iter().find(|version| version.version == number).cloned();
    let missing = || crate::error::ApiError::not_found("version_not_found", "there is no such version");
    let (from, to) = (version(versions.from).ok_or_else(missing)?, version(versions.to).ok_or_else(missing)?);
    let levels = from.plans.len().max(to.plans.len());
    let plans = (0..levels).map(|i| (from.plans.get(i).cloned(), to.plans.get(i).cloned())).collect();
    let differences = comparison.differences.iter().map(|difference| Row {
        name: format::field(&difference.field),
        from: difference.from.clone().unwrap_or_else(|| "–".to_owned()),
        to: difference.to.clone().unwrap_or_else(|| "–".to_owned()),
        change: String::new(),
    });
    let differences = differences.collect();
    render(&ComparePage { rows: rows(&comparison), differences, plans, venue, scan, comparison, from, to })
}

fn rows(comparison: &Comparison) -> Vec<Row> {
    let (a, b) = (&comparison.from, &comparison.to);
    let percent =
        |from: f64, to: f64| if from > 0.0 { format!(" ({})", format::signed(100.0 * (to - from) / from, 1, " %")) } else { String::new() };
    let figure = |side: &ComparedVersion, get: Measure| side.figures.as_ref().and_then(get);
    let mut rows = vec![Row {
        name: "Points".to_owned(),
        from: format::grouped(a.points),
        to: format::grouped(b.points),
        change: format::signed_count(comparison.points) + &percent(a.points as f64, b.points as f64),
    }];
    let area = |side: &ComparedVersion| {
        side.figures
            .as_ref()
            .map_or_else(|| "–".to_owned(), |figures| format!("{} m²", format::grouped(figures.coverage_m2.round() as u64)))
    };
    let area_change = comparison.coverage_m2.map(|change| {
        let of = figure(a, |figures| Some(figures.coverage_m2)).unwrap_or(0.0);
        format::signed(change, 0, " m²") + &percent(of, of + change)
    });
    rows.push(Row { name: "Area seen from above".to_owned(), from: area(a), to: area(b), change: area_change.unwrap_or_default() });
    let measures: [(&str, Measure); 2] =
        [("Distance between points", |figures| figures.point_spacing_m), ("Noise", |figures| figures.noise_m)];
    for (name, get) in measures {
        let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), format::length);
        let (from, to) = (figure(a, get), figure(b, get));
        let change = from.zip(to).map(|(from, to)| percent(from, to).trim_matches([' ', '(', ')']).to_owned());
        rows.push(Row { name: name.to_owned(), from: text(from), to: text(to), change: change.unwrap_or_default() });
    }
    let size = |side: &ComparedVersion| side.bounds.as_ref().map_or_else(|| "–".to_owned(), format::size);
    rows.push(Row { name: "Size".to_owned(), from: size(a), to: size(b), change: String::new() });
    if let (Some(first), Some(second), Some(change)) = (a.bounds, b.bounds, comparison.bounds_m) {
        for (i, name) in
            ["West edge, x", "South edge, y", "Lowest point, z", "East edge, x", "North edge, y", "Highest point, z"].iter().enumerate()
        {
            rows.push(Row {
                name: (*name).to_owned(),
                from: format::metres(first[i]),
                to: format::metres(second[i]),
                change: format::signed(change[i], 2, " m"),
            });
        }
    }
    rows
}
