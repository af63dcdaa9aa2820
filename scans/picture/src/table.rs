//! The figures of several viewers as Markdown, and whether Parterre's reach their targets.

use std::fmt::Write as _;

use super::compare::{Figures, Row};

/// Name of the program whose figures have targets.
pub const PARTERRE: &str = "Parterre";

/// A figure's least value.
struct Target {
    name: &'static str,
    points: u64,
    least: f64,
    of: fn(&Figures) -> Option<f64>,
}

const TARGETS: [Target; 10] = [
    Target { name: "SSIM / ceiling", points: 200_000, least: 0.85, of: |f| f.ratio },
    Target { name: "coverage", points: 200_000, least: 0.93, of: |f| f.coverage },
    Target { name: "SSIM / ceiling", points: 1_000_000, least: 0.95, of: |f| f.ratio },
    Target { name: "coverage", points: 1_000_000, least: 0.97, of: |f| f.coverage },
    Target { name: "openings", points: 200_000, least: 0.9, of: |f| f.openings },
    Target { name: "openings", points: 1_000_000, least: 0.9, of: |f| f.openings },
    Target { name: "openings", points: 5_000_000, least: 0.9, of: |f| f.openings },
    Target { name: "railings", points: 200_000, least: 0.9, of: |f| f.railings },
    Target { name: "railings", points: 1_000_000, least: 0.9, of: |f| f.railings },
    Target { name: "railings", points: 5_000_000, least: 0.9, of: |f| f.railings },
];

/// A table of all rows, means over the views, and one of Parterre's targets; at each number of points its SSIM should also be above that of
/// each other program.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| points | program | SSIM | median | ceiling | SSIM / ceiling | coverage | openings | railings |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        let setting = if row.setting.is_empty() { String::new() } else { format!(", {}", row.setting) };
        let figures =
            [row.mean.ssim, row.median.ssim, row.mean.ceiling, row.mean.ratio, row.mean.coverage, row.mean.openings, row.mean.railings];
        // Writing to a string cannot fail.
        let _ = write!(text, "| {} | {}{setting} |", row.points, row.program);
        for figure in figures {
            let _ = write!(text, " {} |", digits(figure));
        }
        text.push('\n');
    }
    text.push_str("\n| figure | points | Parterre | target | result |\n| --- | --- | --- | --- | --- |\n");
    let ours = |points: u64| rows.iter().find(|row| row.program == PARTERRE && row.points == points);
    let mut judge = |name: &str, points: u64, value: f64, sign: &str, least: f64| {
        let result = if (sign == ">" && value > least) || (sign == "≥" && value >= least) { "reached" } else { "missed" };
        let _ = writeln!(text, "| {name} | {points} | {value:.3} | {sign} {} | {result} |", short(least));
    };
    for target in &TARGETS {
        if let Some(value) = ours(target.points).and_then(|row| (target.of)(&row.mean)) {
            judge(target.name, target.points, value, "≥", target.least);
        }
    }
    for other in rows.iter().filter(|row| row.program != PARTERRE) {
        if let (Some(ours), Some(theirs)) = (ours(other.points).and_then(|row| row.mean.ssim), other.mean.ssim) {
            judge(&format!("SSIM, above {}", other.program), other.points, ours, ">", theirs);
        }
    }
    text
}

fn digits(figure: Option<f64>) -> String {
    figure.map_or(String::new(), |value| format!("{value:.3}"))
}

/// At most three decimals, without zeros at the end.
fn short(value: f64) -> String {
    format!("{value:.3}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(program: &str, points: u64, ssim: f64, ratio: f64) -> Row {
        let mean = Figures { ssim: Some(ssim), ratio: Some(ratio), coverage: Some(0.99), ..Figures::default() };
        Row { program: program.into(), points, setting: String::new(), views: 1, median: mean.clone(), mean, each: Vec::new() }
    }

    #[test]
    fn targets_are_reached_or_missed() {
        let text = table(&[row(PARTERRE, 1_000_000, 0.6, 0.94), row("Other", 1_000_000, 0.5, 0.8), row("Other", 200_000, 0.5, 0.8)]);
        assert!(text.contains("| 1000000 | Parterre | 0.600 | 0.600 |  | 0.940 | 0.990 |  |  |\n"), "{text}");
        assert!(text.contains("| SSIM / ceiling | 1000000 | 0.940 | ≥ 0.95 | missed |"), "{text}");
        assert!(text.contains("| coverage | 1000000 | 0.990 | ≥ 0.97 | reached |"), "{text}");
        assert!(text.contains("| SSIM, above Other | 1000000 | 0.600 | > 0.5 | reached |"), "{text}");
        assert!(!text.contains("| railings |  |"), "{text}");
    }
}
