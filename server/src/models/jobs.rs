//! Jobs: work that outlives the request that asked for it, held by one worker at a time under a lease.
//!
//! A worker that claims a job owns it until `lease_until` and extends that by heartbeats. Every later change names the owner, so
//! a worker that lost its lease (it was suspended, its clock jumped) changes nothing.
//!
//! A job is given up after too many attempts without progress. `attempts` counts those that ended in an error, the present one included,
//! `interruptions` those that the service did not survive; both start anew when the tiler's journal has more steps than before.

use diesel::prelude::*;
use parterre_model::catalog::Fault;

use crate::db::{Conn, new_id, now_ms};
use crate::schema::jobs;

/// A job.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs)]
pub struct Job {
    /// Identifier.
    pub id: String,
    /// Which job it is.
    pub kind: String,
    /// JSON, understood by the job of that kind.
    pub payload: String,
    /// `queued`, `running`, `done`, `failed`.
    pub state: String,
    /// What it is doing.
    pub stage: String,
    /// 0 to 1.
    pub progress: f64,
    /// Attempts since the last progress, the present one included, without those counted by `interruptions`.
    pub attempts: i32,
    /// Attempts without progress after which the job fails.
    pub max_attempts: i32,
    /// Not to be claimed before; milliseconds since 1970.
    pub run_after: i64,
    /// Who holds it.
    pub lease_owner: Option<String>,
    /// Until when; milliseconds since 1970.
    pub lease_until: Option<i64>,
    /// Why it failed: code.
    pub error_code: Option<String>,
    /// Why it failed: message.
    pub error_message: Option<String>,
    /// Why it failed: what to do.
    pub error_hint: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub started_at: Option<i64>,
    /// Milliseconds since 1970.
    pub finished_at: Option<i64>,
    /// Attempts since the last progress that the service did not survive.
    pub interruptions: i32,
    /// The most steps that the tiler's journal has had at the start or the end of an attempt.
    pub journal_steps: i64,
}

/// Who takes a job from the start, and for how long.
#[derive(Clone, Debug)]
pub struct Lease<'a> {
    /// The owner's name.
    pub owner: &'a str,
    /// Milliseconds from now.
    pub for_ms: i64,
}

macro_rules! claimable {
    ($now:expr) => {
        jobs::table
            .filter(jobs::state.eq("queued").and(jobs::run_after.le($now)).or(jobs::state.eq("running").and(jobs::lease_until.lt($now))))
            .order((jobs::run_after, jobs::id))
            .select(Job::as_select())
    };
}

impl Job {
    /// Adds a job, in the transaction of the rows that it works on. With a lease it is running from the start and
    /// belongs to the caller.
    pub fn enqueue(conn: &mut Conn, kind: &str, payload: String, max_attempts: i32, lease: Option<&Lease<'_>>) -> QueryResult<Self> {
        let now = now_ms();
        let job = Self {
            id: new_id(),
            kind: kind.to_owned(),
            payload,
            state: if lease.is_some() { "running" } else { "queued" }.to_owned(),
            stage: "queued".to_owned(),
            progress: 0.0,
            attempts: i32::from(lease.is_some()),
            max_attempts,
            run_after: now,
            lease_owner: lease.map(|lease| lease.owner.to_owned()),
            lease_until: lease.map(|lease| now + lease.for_ms),
            error_code: None,
            error_message: None,
            error_hint: None,
            created_at: now,
            started_at: lease.map(|_| now),
            finished_at: None,
            interruptions: 0,
            journal_steps: 0,
        };
        diesel::insert_into(jobs::table).values(&job).execute(conn)?;
        Ok(job)
    }

    /// Finds a job by its identifier.
    pub fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Self>> {
        jobs::table.find(id).select(Self::as_select()).first(conn).optional()
    }

    /// Removes jobs that have ended.
    pub fn remove_ended(conn: &mut Conn, id: &str) -> QueryResult<()> {
        diesel::delete(jobs::table.filter(jobs::id.eq(id).and(jobs::state.eq_any(["done", "failed"])))).execute(conn)?;
        Ok(())
    }

    /// Jobs of these identifiers.
    pub fn of_ids(conn: &mut Conn, ids: &[String]) -> QueryResult<Vec<Self>> {
        jobs::table.filter(jobs::id.eq_any(ids)).select(Self::as_select()).load(conn)
    }

    /// Jobs that are queued or running.
    pub fn open(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        jobs::table.filter(jobs::state.eq_any(["queued", "running"])).order(jobs::id).select(Self::as_select()).load(conn)
    }

    /// Claims the next job that is due or whose lease ran out; to be called in a writing transaction.
    pub fn claim(conn: &mut Conn, lease: &Lease<'_>) -> QueryResult<Option<Self>> {
        let now = now_ms();
        let found: Option<Self> = match conn {
            Conn::Sqlite(conn) => claimable!(now).first(conn).optional()?,
            Conn::Postgres(conn) => claimable!(now).for_update().skip_locked().first(conn).optional()?,
        };
        found.map(|job| job.take(conn, lease)).transpose()
    }

    /// Claims this job if it is due or its lease ran out; to be called in a writing transaction.
    pub fn claim_this(conn: &mut Conn, id: &str, lease: &Lease<'_>) -> QueryResult<Option<Self>> {
        let now = now_ms();
        let found: Option<Self> = match conn {
            Conn::Sqlite(conn) => claimable!(now).filter(jobs::id.eq(id)).first(conn).optional()?,
            Conn::Postgres(conn) => claimable!(now).filter(jobs::id.eq(id)).for_update().skip_locked().first(conn).optional()?,
        };
        found.map(|job| job.take(conn, lease)).transpose()
    }

    fn take(self, conn: &mut Conn, lease: &Lease<'_>) -> QueryResult<Self> {
        let now = now_ms();
        let mut job = self;
        // Whoever held it has not ended the attempt.
        if job.state == "running" {
            job.interruptions += 1;
        } else {
            job.attempts += 1;
        }
        "running".clone_into(&mut job.state);
        "queued".clone_into(&mut job.stage);
        job.progress = 0.0;
        job.lease_owner = Some(lease.owner.to_owned());
        job.lease_until = Some(now + lease.for_ms);
        job.started_at = Some(now);
        diesel::update(jobs::table.find(&job.id))
            .set((
                jobs::state.eq(&job.state),
                jobs::stage.eq(&job.stage),
                jobs::progress.eq(job.progress),
                jobs::attempts.eq(job.attempts),
                jobs::interruptions.eq(job.interruptions),
                jobs::lease_owner.eq(&job.lease_owner),
                jobs::lease_until.eq(job.lease_until),
                jobs::started_at.eq(job.started_at),
            ))
            .execute(conn)?;
        Ok(job)
    }

    /// Records that the journal has so many steps. Where these are more than ever before, all attempts before the present one stop
    /// counting; returns whether that is so, false where the lease is lost.
    pub fn record_progress(conn: &mut Conn, id: &str, owner: &str, journal_steps: i64) -> QueryResult<bool> {
        let own = jobs::id.eq(id).and(jobs::state.eq("running")).and(jobs::lease_owner.eq(owner));
        let rows = diesel::update(jobs::table.filter(own.and(jobs::journal_steps.lt(journal_steps))))
            .set((jobs::attempts.eq(1), jobs::interruptions.eq(0), jobs::journal_steps.eq(journal_steps)))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// Starts a failed job again from the beginning: into the queue, or with a lease running and held by the caller. `None` where it is not
    /// failed.
    pub fn retry(conn: &mut Conn, id: &str, lease: Option<&Lease<'_>>) -> QueryResult<Option<Self>> {
        let now = now_ms();
        let rows = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::state.eq("failed"))))
            .set((
                jobs::state.eq(if lease.is_some() { "running" } else { "queued" }),
                jobs::stage.eq("queued"),
                jobs::progress.eq(0.0),
                jobs::attempts.eq(i32::from(lease.is_some())),
                jobs::interruptions.eq(0),
                jobs::journal_steps.eq(0_i64),
                jobs::run_after.eq(now),
                jobs::lease_owner.eq(lease.map(|lease| lease.owner)),
                jobs::lease_until.eq(lease.map(|lease| now + lease.for_ms)),
                jobs::error_code.eq(None::<String>),
                jobs::error_message.eq(None::<String>),
                jobs::error_hint.eq(None::<String>),
                jobs::started_at.eq(lease.map(|_| now)),
                jobs::finished_at.eq(None::<i64>),
            ))
            .execute(conn)?;
        if rows == 1 { Self::find(conn, id) } else { Ok(None) }
    }

    /// Extends the lease and writes where the job stands; false where the lease is lost.
    pub fn heartbeat(conn: &mut Conn, id: &str, lease: &Lease<'_>, stage: &str, progress: f64) -> QueryResult<bool> {
        let rows =
            diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::state.eq("running")).and(jobs::lease_owner.eq(lease.owner))))
                .set((jobs::lease_until.eq(now_ms() + lease.for_ms), jobs::stage.eq(stage), jobs::progress.eq(progress)))
                .execute(conn)?;
        Ok(rows == 1)
    }

    /// Marks a job as done; false where the lease is lost.
    pub fn finish(conn: &mut Conn, id: &str, owner: &str) -> QueryResult<bool> {
        let rows = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::state.eq("running")).and(jobs::lease_owner.eq(owner))))
            .set((
                jobs::state.eq("done"),
                jobs::stage.eq("done"),
                jobs::progress.eq(1.0),
                jobs::lease_owner.eq(None::<String>),
                jobs::lease_until.eq(None::<i64>),
                jobs::error_code.eq(None::<String>),
                jobs::error_message.eq(None::<String>),
                jobs::error_hint.eq(None::<String>),
                jobs::finished_at.eq(now_ms()),
            ))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// Marks a job as failed; false where the lease is lost.
    pub fn fail(conn: &mut Conn, id: &str, owner: &str, fault: &Fault) -> QueryResult<bool> {
        let rows = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::state.eq("running")).and(jobs::lease_owner.eq(owner))))
            .set((
                jobs::state.eq("failed"),
                jobs::lease_owner.eq(None::<String>),
                jobs::lease_until.eq(None::<i64>),
                jobs::error_code.eq(&fault.code),
                jobs::error_message.eq(&fault.message),
                jobs::error_hint.eq(&fault.hint),
                jobs::finished_at.eq(now_ms()),
            ))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// Marks a job as failed that nobody holds; false where someone does.
    pub fn fail_queued(conn: &mut Conn, id: &str, fault: &Fault) -> QueryResult<bool> {
        let rows = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::state.eq("queued"))))
            .set((
                jobs::state.eq("failed"),
                jobs::error_code.eq(&fault.code),
                jobs::error_message.eq(&fault.message),
                jobs::error_hint.eq(&fault.hint),
                jobs::finished_at.eq(now_ms()),
            ))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// Puts a job back into the queue, to be claimed after a while. With `uncount` the attempt does not count: it was stopped from
    /// outside, or made progress.
    pub fn put_back(conn: &mut Conn, id: &str, owner: &str, after_ms: i64, uncount: bool) -> QueryResult<bool> {
        let rows = diesel::update(jobs::table.filter(jobs::id.eq(id).and(jobs::state.eq("running")).and(jobs::lease_owner.eq(owner))))
            .set((
                jobs::state.eq("queued"),
                jobs::stage.eq("queued"),
                jobs::progress.eq(0.0),
                jobs::attempts.eq(jobs::attempts - i32::from(uncount)),
                jobs::run_after.eq(now_ms() + after_ms),
                jobs::lease_owner.eq(None::<String>),
                jobs::lease_until.eq(None::<i64>),
            ))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// Ends the leases of these owners now; returns how many there were.
    pub fn expire_leases(conn: &mut Conn, owners: &[String]) -> QueryResult<usize> {
        diesel::update(jobs::table.filter(jobs::state.eq("running").and(jobs::lease_owner.eq_any(owners))))
            .set(jobs::lease_until.eq(0_i64))
            .execute(conn)
    }
}
