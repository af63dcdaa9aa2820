//! Versions of scans: one uploaded file each, and the files made of it. A published version never changes.

use std::collections::HashSet;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use parterre_model::catalog::Publication;
use serde::{Deserialize, Serialize};

use crate::db::{Conn, now_ms};
use crate::models::scans::Scan;
use crate::person::Person;
use crate::schema::versions;

/// A version.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = versions)]
pub struct Version {
    /// The scan.
    pub scan_id: String,
    /// 1, 2, 3…
    pub version: i32,
    /// `processing`, `ready`, `failed`.
    pub state: String,
    /// Name of the uploaded file.
    pub file_name: String,
    /// Bytes of the uploaded file.
    pub bytes: i64,
    /// SHA-256 of the uploaded file, hexadecimal.
    pub sha256: String,
    /// Where the uploaded file is stored.
    pub source_key: String,
    /// The job that makes the tiles.
    pub job_id: String,
    /// Where `tiles.3tz` is stored.
    pub tiles_key: Option<String>,
    /// Where the thumbnail is stored.
    pub thumbnail_key: Option<String>,
    /// Where the plan is stored.
    pub plan_key: Option<String>,
    /// Where the report is stored.
    pub report_key: Option<String>,
    /// The tiler's report, JSON.
    pub report: Option<String>,
    /// Frame of the scan, JSON.
    pub frame: Option<String>,
    /// Points in the tiles.
    pub points: Option<i64>,
    /// Bytes of `tiles.3tz`.
    pub tiles_bytes: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub published_at: Option<i64>,
    /// Common start of the keys of all files made of the version; older versions have none.
    pub prefix: Option<String>,
    /// Files below the prefix, JSON: a list of [`MadeFile`].
    pub files: Option<String>,
    /// Name of a [`Publication`].
    pub publication: String,
    /// Milliseconds since 1970.
    pub publication_at: Option<i64>,
    /// Identifier of a person.
    pub publication_by: Option<String>,
    /// Identifier of the person who uploaded the file.
    pub created_by: Option<String>,
}

/// A file that was made of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFile {
    /// Path below the version's prefix.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// What a finished job writes into its version.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = versions)]
pub struct Published {
    /// `ready`.
    pub state: String,
    /// Where `tiles.3tz` is stored.
    pub tiles_key: String,
    /// Where the thumbnail is stored.
    pub thumbnail_key: String,
    /// Where the plan is stored.
    pub plan_key: String,
    /// Where the report is stored.
    pub report_key: String,
    /// The tiler's report, JSON.
    pub report: String,
    /// Frame of the scan, JSON.
    pub frame: String,
    /// Points in the tiles.
    pub points: i64,
    /// Bytes of `tiles.3tz`.
    pub tiles_bytes: i64,
    /// Milliseconds since 1970.
    pub published_at: i64,
    /// Common start of the keys of all files made of the version.
    pub prefix: String,
    /// Files below the prefix, JSON: a list of [`MadeFile`].
    pub files: String,
}

/// A stored file that becomes a version.
#[derive(Clone, Debug)]
pub struct NewVersion<'a> {
    /// The scan.
    pub scan_id: &'a str,
    /// Name of the uploaded file.
    pub file_name: &'a str,
    /// Bytes of the uploaded file.
    pub bytes: u64,
    /// SHA-256 of the uploaded file, hexadecimal.
    pub sha256: &'a str,
    /// Where the uploaded file is stored.
    pub source_key: &'a str,
    /// The job that makes the tiles.
    pub job_id: &'a str,
    /// Who uploaded it.
    pub person: &'a Person,
}

impl Version {
    /// The files made of the version; empty for versions of older releases.
    pub fn made_files(&self) -> Vec<MadeFile> {
        self.files.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The key of a file that was made of the version.
    pub fn key_of(&self, name: &str) -> Option<String> {
        let prefix = self.prefix.as_deref()?;
        self.made_files().iter().any(|file| file.name == name).then(|| format!("{prefix}/{name}"))
    }

    /// Finds one version.
    pub fn find(conn: &mut Conn, scan_id: &str, version: i32) -> QueryResult<Option<Self>> {
        versions::table.find((scan_id, version)).select(Self::as_select()).first(conn).optional()
    }

    /// Finds one version and locks it against other writers; to be called in a writing transaction.
    pub fn find_held(conn: &mut Conn, scan_id: &str, version: i32) -> QueryResult<Option<Self>> {
        if let Conn::Postgres(conn) = conn {
            versions::table.find((scan_id, version)).select(versions::version).for_update().first::<i32>(conn).optional()?;
        }
        Self::find(conn, scan_id, version)
    }

    /// The number that the scan's next version gets; to be called in a writing transaction that holds the venue.
    /// Numbers are never used twice: browsers keep the tiles of a version for ever, also when it is gone here.
    pub fn next_number(conn: &mut Conn, scan: &Scan) -> QueryResult<i32> {
        let newest: Option<i32> =
            versions::table.filter(versions::scan_id.eq(&scan.id)).select(diesel::dsl::max(versions::version)).first(conn)?;
        // A service of the release before does not count.
        let number = newest.unwrap_or(0).max(scan.versions_made) + 1;
        Scan::set_versions_made(conn, &scan.id, number)?;
        Ok(number)
    }

    /// The publication state.
    pub fn publication(&self) -> Publication {
        Publication::by_name(&self.publication).unwrap_or_default()
    }

    /// Changes the publication state if it still is `from`; false where it is not.
    pub fn set_publication(
        conn: &mut Conn,
        scan_id: &str,
        version: i32,
        from: Publication,
        to: Publication,
        person: &Person,
    ) -> QueryResult<bool> {
        let this = versions::scan_id.eq(scan_id).and(versions::version.eq(version)).and(versions::publication.eq(from.name()));
        let rows = diesel::update(versions::table.filter(this))
            .set((
                versions::publication.eq(to.name()),
                versions::publication_at.eq(Some(now_ms())),
                versions::publication_by.eq(Some(person.id())),
            ))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// The scan's published version.
    pub fn published(conn: &mut Conn, scan_id: &str) -> QueryResult<Option<Self>> {
        versions::table
            .filter(versions::scan_id.eq(scan_id).and(versions::publication.eq(Publication::Published.name())))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }

    /// Removes the row.
    pub fn remove(conn: &mut Conn, scan_id: &str, version: i32) -> QueryResult<()> {
        diesel::delete(versions::table.find((scan_id, version))).execute(conn)?;
        Ok(())
    }

    /// Whether a version names this object as its uploaded file.
    pub fn names_source(conn: &mut Conn, key: &str) -> QueryResult<bool> {
        let found: Option<i32> = versions::table.filter(versions::source_key.eq(key)).select(versions::version).first(conn).optional()?;
        Ok(found.is_some())
    }

    /// Every version, in groups by key, for checks of the whole catalogue: those after this one.
    pub fn after(conn: &mut Conn, last: Option<(&str, i32)>, limit: i64) -> QueryResult<Vec<Self>> {
        let (scan, number) = last.unwrap_or(("", 0));
        let next = versions::scan_id.gt(scan).or(versions::scan_id.eq(scan).and(versions::version.gt(number)));
        versions::table.filter(next).order((versions::scan_id, versions::version)).limit(limit).select(Self::as_select()).load(conn)
    }

    /// The keys of everything that was made of the version.
    pub fn made_keys(&self) -> Vec<String> {
        let named = [&self.tiles_key, &self.thumbnail_key, &self.plan_key, &self.report_key].into_iter().flatten().cloned();
        let made = self.made_files();
        let listed = made.iter().filter_map(|file| Some(format!("{}/{}", self.prefix.as_deref()?, file.name)));
        let mut keys: Vec<String> = named.chain(listed).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Adds a version that is being processed.
    pub fn create(conn: &mut Conn, version: i32, new: &NewVersion<'_>) -> QueryResult<Self> {
        let row = Self {
            scan_id: new.scan_id.to_owned(),
            version,
            state: "processing".to_owned(),
            file_name: new.file_name.to_owned(),
            bytes: new.bytes as i64,
            sha256: new.sha256.to_owned(),
            source_key: new.source_key.to_owned(),
            job_id: new.job_id.to_owned(),
            tiles_key: None,
            thumbnail_key: None,
            plan_key: None,
            report_key: None,
            report: None,
            frame: None,
            points: None,
            tiles_bytes: None,
            created_at: now_ms(),
            published_at: None,
            prefix: None,
            files: None,
            publication: Publication::Draft.name().to_owned(),
            publication_at: None,
            publication_by: None,
            created_by: Some(new.person.id().to_owned()),
        };
        diesel::insert_into(versions::table).values(&row).execute(conn)?;
        Ok(row)
    }

    /// Publishes a version that is being processed; false where it is not.
    pub fn publish(conn: &mut Conn, scan_id: &str, version: i32, published: &Published) -> QueryResult<bool> {
        let rows = diesel::update(
            versions::table.filter(versions::scan_id.eq(scan_id).and(versions::version.eq(version)).and(versions::state.ne("ready"))),
        )
        .set(published)
        .execute(conn)?;
        Ok(rows == 1)
    }

    /// Marks the versions that wait for this job as failed.
    pub fn fail_of_job(conn: &mut Conn, job_id: &str) -> QueryResult<()> {
        diesel::update(versions::table.filter(versions::job_id.eq(job_id).and(versions::state.eq("processing"))))
            .set(versions::state.eq("failed"))
            .execute(conn)?;
        Ok(())
    }

    /// The version whose tiles this job makes.
    pub fn of_job(conn: &mut Conn, job_id: &str) -> QueryResult<Option<Self>> {
        versions::table.filter(versions::job_id.eq(job_id)).select(Self::as_select()).first(conn).optional()
    }

    /// Marks the failed version of this job as being processed again; false where there is none.
    pub fn retry_of_job(conn: &mut Conn, job_id: &str) -> QueryResult<bool> {
        let rows = diesel::update(versions::table.filter(versions::job_id.eq(job_id).and(versions::state.eq("failed"))))
            .set(versions::state.eq("processing"))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// The versions of these scans, oldest first.
    pub fn of_scans(conn: &mut Conn, scan_ids: &[String]) -> QueryResult<Vec<Self>> {
        versions::table
            .filter(versions::scan_id.eq_any(scan_ids))
            .order((versions::scan_id, versions::version))
            .select(Self::as_select())
            .load(conn)
    }

    /// Of each of these scans the newest version, the newest that is ready, and the published one, oldest first, for lists: without
    /// report, frame and files, which are as large as everything else together.
    pub fn heads_of_scans(conn: &mut Conn, scan_ids: &[String]) -> QueryResult<Vec<Self>> {
        let newest = versions::table
            .filter(versions::scan_id.eq_any(scan_ids))
            .group_by(versions::scan_id)
            .select((versions::scan_id, diesel::dsl::max(versions::version)))
            .load::<(String, Option<i32>)>(conn)?;
        let newest_ready = versions::table
            .filter(versions::scan_id.eq_any(scan_ids).and(versions::state.eq("ready")))
            .group_by(versions::scan_id)
            .select((versions::scan_id, diesel::dsl::max(versions::version)))
            .load::<(String, Option<i32>)>(conn)?;
        let published = versions::table
            .filter(versions::scan_id.eq_any(scan_ids).and(versions::publication.eq(Publication::Published.name())))
            .select((versions::scan_id, versions::version.nullable()))
            .load::<(String, Option<i32>)>(conn)?;
        let wanted: HashSet<(String, i32)> =
            newest.into_iter().chain(newest_ready).chain(published).filter_map(|(scan, version)| Some((scan, version?))).collect();
        let numbers: HashSet<i32> = wanted.iter().map(|(_, number)| *number).collect();
        let mut rows: Vec<Self> = versions::table
            .filter(versions::scan_id.eq_any(scan_ids).and(versions::version.eq_any(numbers)))
            .order((versions::scan_id, versions::version))
            .select((
                versions::scan_id,
                versions::version,
                versions::state,
                versions::file_name,
                versions::bytes,
                versions::sha256,
                versions::source_key,
                versions::job_id,
                versions::tiles_key,
                versions::thumbnail_key,
                versions::plan_key,
                versions::report_key,
                sql::<Nullable<Text>>("NULL"),
                sql::<Nullable<Text>>("NULL"),
                versions::points,
                versions::tiles_bytes,
                versions::created_at,
                versions::published_at,
                sql::<Nullable<Text>>("NULL"),
                sql::<Nullable<Text>>("NULL"),
                versions::publication,
                versions::publication_at,
                versions::publication_by,
                versions::created_by,
            ))
            .load(conn)?;
        // Another scan's newest number may be an old one of this.
        rows.retain(|row| wanted.contains(&(row.scan_id.clone(), row.version)));
        Ok(rows)
    }
}
