-- Times are milliseconds since 1970 in UTC; identifiers are made by the application.

CREATE TABLE venues (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- The name without case and accents, for searching.
    name_folded TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE scans (
    id TEXT NOT NULL PRIMARY KEY,
    venue_id TEXT NOT NULL REFERENCES venues (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (venue_id, name)
);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- JSON, understood by the job of that kind.
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    stage TEXT NOT NULL,
    progress DOUBLE NOT NULL,
    attempts INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    -- Not to be claimed before.
    run_after BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    error_code TEXT,
    error_message TEXT,
    error_hint TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX jobs_open ON jobs (run_after) WHERE state IN ('queued', 'running');

CREATE TABLE versions (
    scan_id TEXT NOT NULL REFERENCES scans (id),
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('processing', 'ready', 'failed')),
    file_name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    source_key TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    tiles_key TEXT,
    thumbnail_key TEXT,
    plan_key TEXT,
    report_key TEXT,
    -- JSON: the tiler's report, and where the scan lies.
    report TEXT,
    frame TEXT,
    points BIGINT,
    tiles_bytes BIGINT,
    created_at BIGINT NOT NULL,
    published_at BIGINT,
    PRIMARY KEY (scan_id, version)
);
CREATE INDEX versions_job ON versions (job_id);
