//! The table of files and the results of reading them, in `docs/formats.md`: compared with the current results.
//!
//! `PARTERRE_BLESS=1` writes the table again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use parterre_model::points::PointChunk;
use parterre_read as read;
use parterre_test_support::codes::code_of;
use parterre_test_support::data::{data, files_below};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md");
const BEGIN: &str = "<!-- reader matrix -->\n";
const END: &str = "<!-- /reader matrix -->\n";
const FOLDERS: [&str; 6] = ["las", "copc", "e57", "ply", "aerial", "venue"];
/// Larger files are read by other tests.
const MAX_BYTES: u64 = 20_000_000;

/// A row: file, format, points that were read, attributes, setups and pictures, coordinate system, warnings.
fn row(file: &Path, name: &str) -> String {
    let refused = |code: &str| format!("| `{name}` | refused | | | | `{code}` |\n");
    let mut source = match read::open(file) {
        Ok(source) => source,
        Err(error) => return refused(error.code()),
    };
    let (mut chunk, mut points) = (PointChunk::default(), 0);
    loop {
        match source.read_chunk(&mut chunk, 65_536) {
            Ok(0) => break,
            Ok(count) => points += count,
            Err(error) => return refused(error.code()),
        }
    }
    let info = source.info();
    let mut has = info.attributes.names().join(", ");
    for (count, what) in [(info.setups.len(), "setup"), (info.images.len(), "picture")] {
        if count > 0 {
            let (comma, plural) = (if has.is_empty() { "" } else { ", " }, if count > 1 { "s" } else { "" });
            let _ = write!(has, "{comma}{count} {what}{plural}");
        }
    }
    let system = match info.crs.as_deref() {
        Some(code) if code.starts_with("EPSG:") => code,
        Some(_) => "WKT",
        None => "",
    };
    let codes: BTreeSet<_> = info.warnings.iter().chain(source.warnings()).map(code_of).collect();
    let codes: Vec<_> = codes.into_iter().map(|code| format!("`{code}`")).collect();
    format!("| `{name}` | {} | {points} | {has} | {system} | {} |\n", info.format, codes.join(", "))
}

fn table() -> Option<String> {
    let data = data()?;
    let is_small = |path: &Path| path.metadata().is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
    let mut files: Vec<_> = FOLDERS.iter().flat_map(|folder| files_below(&data.join(folder), &is_small)).collect();
    files.sort();
    let mut table = "\n| file | format | points | has | system | warnings |\n| --- | --- | ---: | --- | --- | --- |\n".to_owned();
    for file in files {
        let name = file.strip_prefix(data).expect("a path in the folder").to_string_lossy().into_owned();
        // Notes beside the data are not scans.
        if !matches!(name.rsplit('.').next(), Some("md" | "txt")) {
            table += &row(&file, &name);
        }
    }
    table.push('\n');
    Some(table)
}

#[test]
fn the_table_of_files_is_true() {
    let Some(table) = table() else { return };
    let document = std::fs::read_to_string(DOCUMENT).expect("docs/formats.md");
    let (before, rest) = document.split_once(BEGIN).expect("the table's first marker");
    let (written, after) = rest.split_once(END).expect("the table's last marker");
    if std::env::var_os("PARTERRE_BLESS").is_some() {
        std::fs::write(DOCUMENT, [before, BEGIN, &table, END, after].concat()).expect("a document that can be written");
        return;
    }
    let rows = |table: &str| table.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (written, now) = (rows(written), rows(&table));
    let gone: Vec<_> = written.difference(&now).collect();
    let new: Vec<_> = now.difference(&written).collect();
    assert!(gone.is_empty() && new.is_empty(), "in docs/formats.md: {gone:#?}\nread now: {new:#?}\nPARTERRE_BLESS=1 writes the table anew");
}
