//! The table of files and what reading them gives, in `docs/formats.md`: compared with what is read now.
//!
//! `PARTERRE_BLESS=1` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use parterre_model::points::PointChunk;
use parterre_read as read;
use parterre_test_support::codes::code_of;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats.md");
const BEGIN: &str = "<!-- reader matrix -->\n";
const END: &str = "<!-- /reader matrix -->\n";
const FOLDERS: [&str; 6] = ["las", "copc", "e57", "ply", "aerial", "venue"];
/// Larger files are read by other tests.
const MOST_BYTES: u64 = 20_000_000;

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.metadata().expect("a file").len() <= MOST_BYTES {
            files.push(path);
        }
    }
}

/// A row: file, format, points that were read, attributes, places and pictures, coordinate system, what was said.
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
    let data = Path::new(DATA);
    if !data.is_dir() {
        eprintln!("skipped: there is no test data at {DATA}");
        return None;
    }
    let mut files = Vec::new();
    for folder in FOLDERS {
        walk(&data.join(folder), &mut files);
    }
    files.sort();
    let mut table = "\n| file | format | points | has | system | corrected or told |\n| --- | --- | ---: | --- | --- | --- |\n".to_owned();
    for file in files {
        let name = file.strip_prefix(data).expect("a path in the folder").to_string_lossy().into_owned();
        // Notes beside the data are no scans.
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
    let (before, rest) = document.split_once(BEGIN).expect("the table's first mark");
    let (written, after) = rest.split_once(END).expect("the table's last mark");
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
