//! Measures a folder of a viewer's pictures against a folder of references, and prints the figures as JSON; or prints such figures as tables
//! in Markdown.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Parser;
use parterre_picture::compare::{Row, compare, summary};
use parterre_picture::files::read_json;
use parterre_picture::table::table;

/// Measure pictures of the demo venue.
#[derive(Parser)]
struct Arguments {
    /// Folder of references
    #[arg(required_unless_present = "table")]
    references: Option<PathBuf>,
    /// Folder with the viewer's NAME.png and NAME.depth
    #[arg(required_unless_present = "table")]
    pictures: Option<PathBuf>,
    /// Name of the viewer
    #[arg(long, default_value = "Parterre")]
    program: String,
    /// Most points that it could draw in a view
    #[arg(long, default_value_t = 0)]
    points: u64,
    /// Settings that were chosen for it
    #[arg(long, default_value = "")]
    setting: String,
    /// Give the figures of each view too
    #[arg(long)]
    each: bool,
    /// Print the tables of a JSON file with a list of figures instead
    #[arg(long, value_name = "FILE", conflicts_with = "references")]
    table: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout();
    if let Some(file) = &arguments.table {
        return Ok(out.write_all(table(&read_json::<Vec<Row>>(file)?).as_bytes())?);
    }
    let (Some(references), Some(pictures)) = (&arguments.references, &arguments.pictures) else {
        return Err("two folders are needed".into());
    };
    let each = compare(references, pictures)?;
    let (mean, median) = summary(&each);
    let row = Row {
        program: arguments.program,
        points: arguments.points,
        setting: arguments.setting,
        views: each.len(),
        mean,
        median,
        each: if arguments.each { each } else { Vec::new() },
    };
    Ok(writeln!(out, "{}", serde_json::to_string(&row)?)?)
}
