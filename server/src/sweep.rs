//! Compares database and storage: objects that no row names, and rows whose objects are missing.
//!
//! The objects are listed first and the rows read after that, so that nothing that is added meanwhile is reported. Young objects
//! are left out, and those of versions that are being processed: rows will name them soon.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;

use crate::db::{Conn, Database};
use crate::models::pictures::Picture;
use crate::models::removals;
use crate::models::sources::Source;
use crate::models::versions::Version;
use crate::storage::Storage;

/// Objects younger than this may belong to something that is just being added.
pub const YOUNG: Duration = Duration::from_hours(1);
/// Rows read together.
const GROUP: i64 = 500;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Objects in the storage.
    pub objects: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Objects that no row names.
    pub unnamed: Vec<Unnamed>,
    /// Objects that rows name and that are not there.
    pub missing: Vec<Missing>,
    /// Objects that no row names, of something that was deleted: they are removed by a running service.
    pub listed_for_removal: u64,
    /// Unnamed objects that were removed.
    pub removed: u64,
}

/// An object that no row names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unnamed {
    /// Key.
    pub key: String,
    /// Bytes.
    pub bytes: u64,
}

/// An object that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Key.
    pub key: String,
    /// What names it: `version SCAN/NUMBER` or `picture ID`.
    pub named_by: String,
}

#[derive(Default)]
struct Named {
    /// By key: what names it.
    keys: HashMap<String, String>,
    /// Where objects of versions that are being processed begin.
    in_work: HashSet<String>,
    listed: HashSet<String>,
}

/// Compares, and with `remove` removes the objects that no row names. Blocks.
pub fn run(
    database: &Database,
    storage: &Storage,
    runtime: &tokio::runtime::Handle,
    young: Duration,
    remove: bool,
) -> anyhow::Result<Report> {
    let objects = runtime.block_on(storage.list())?;
    let named = named(&mut *database.get()?)?;
    let mut report = Report { objects: objects.len() as u64, ..Report::default() };
    let mut present = HashSet::new();
    for object in objects {
        report.bytes += object.bytes;
        present.insert(object.key.clone());
        let is_in_work = || object.key.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        if named.listed.contains(&object.key) {
            report.listed_for_removal += 1;
        } else if !named.keys.contains_key(&object.key) && object.age >= young && !named.in_work.contains(&is_in_work()) {
            if remove {
                runtime.block_on(storage.remove(&object.key))?;
                storage.tidy(&object.key);
                report.removed += 1;
            }
            report.unnamed.push(Unnamed { key: object.key, bytes: object.bytes });
        }
    }
    for (key, named_by) in named.keys {
        // It may have been added after the objects were listed.
        if !present.contains(&key) && runtime.block_on(storage.bytes_of(&key))?.is_none() {
            report.missing.push(Missing { key, named_by });
        }
    }
    report.unnamed.sort_by(|a, b| a.key.cmp(&b.key));
    report.missing.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(report)
}

fn named(conn: &mut Conn) -> anyhow::Result<Named> {
    let mut named = Named::default();
    let mut last: Option<(String, i32)> = None;
    loop {
        let rows = Version::after(conn, last.as_ref().map(|(scan, number)| (scan.as_str(), *number)), GROUP)?;
        let Some(end) = rows.last() else { break };
        last = Some((end.scan_id.clone(), end.version));
        for row in &rows {
            let named_by = format!("version {}/{}", row.scan_id, row.version);
            if row.state == "processing" {
                named.in_work.insert(format!("scans/{}/{}", row.scan_id, row.version));
            }
            let sources = Source::of_version(conn, &row.scan_id, row.version)?.into_iter().map(|source| source.object_key);
            for key in sources.chain([row.source_key.clone()]).chain(row.made_keys()) {
                named.keys.insert(key, named_by.clone());
            }
        }
    }
    let mut last = String::new();
    loop {
        let rows = Picture::after(conn, &last, GROUP)?;
        let Some(end) = rows.last() else { break };
        last.clone_from(&end.id);
        named.keys.extend(rows.into_iter().map(|row| (row.object_key, format!("picture {}", row.id))));
    }
    let mut last = String::new();
    loop {
        let keys = removals::after(conn, &last, GROUP)?;
        let Some(end) = keys.last() else { break };
        last.clone_from(end);
        named.listed.extend(keys);
    }
    Ok(named)
}
