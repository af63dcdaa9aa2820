-- Venues: what a manager enters. `revision` counts the changes of these columns; times of changes and persons are beside it.
ALTER TABLE venues ADD COLUMN local_name TEXT;
ALTER TABLE venues ADD COLUMN local_name_folded TEXT;
ALTER TABLE venues ADD COLUMN kind TEXT NOT NULL DEFAULT 'other'
    CHECK (kind IN ('stadium', 'arena', 'concert_hall', 'theatre', 'exhibition_hall', 'club', 'other'));
ALTER TABLE venues ADD COLUMN address TEXT;
ALTER TABLE venues ADD COLUMN city TEXT;
-- ISO 3166-1, two letters.
ALTER TABLE venues ADD COLUMN country TEXT;
-- WGS 84, degrees.
ALTER TABLE venues ADD COLUMN longitude DOUBLE PRECISION;
ALTER TABLE venues ADD COLUMN latitude DOUBLE PRECISION;
ALTER TABLE venues ADD COLUMN capacity INTEGER;
-- JSON: [{"role", "name", "phone", "email", "note"}].
ALTER TABLE venues ADD COLUMN contacts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE venues ADD COLUMN sensitivity TEXT NOT NULL DEFAULT 'standard' CHECK (sensitivity IN ('standard', 'sensitive', 'restricted'));
ALTER TABLE venues ADD COLUMN notes TEXT;
ALTER TABLE venues ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE venues ADD COLUMN created_by TEXT;
ALTER TABLE venues ADD COLUMN updated_at BIGINT;
ALTER TABLE venues ADD COLUMN updated_by TEXT;
-- First step of deleting.
ALTER TABLE venues ADD COLUMN withdrawn_at BIGINT;
ALTER TABLE venues ADD COLUMN withdrawn_by TEXT;
CREATE INDEX venues_name ON venues (name_folded, id);
CREATE INDEX venues_withdrawn ON venues (name_folded, id) WHERE withdrawn_at IS NOT NULL;

-- The highest number that a version of the scan has had: numbers of purged versions are not used again.
ALTER TABLE scans ADD COLUMN versions_made INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scans ADD COLUMN created_by TEXT;
UPDATE scans SET versions_made = COALESCE((SELECT MAX(version) FROM versions WHERE versions.scan_id = scans.id), 0);

ALTER TABLE versions ADD COLUMN publication TEXT NOT NULL DEFAULT 'draft'
    CHECK (publication IN ('draft', 'in_review', 'published', 'superseded', 'withdrawn'));
ALTER TABLE versions ADD COLUMN publication_at BIGINT;
ALTER TABLE versions ADD COLUMN publication_by TEXT;
ALTER TABLE versions ADD COLUMN created_by TEXT;
-- At most one published version of each scan.
CREATE UNIQUE INDEX versions_published ON versions (scan_id) WHERE publication = 'published';
CREATE INDEX versions_source ON versions (source_key);

-- The files that a version was made of. Several rows may name the same object.
CREATE TABLE sources (
    id TEXT NOT NULL PRIMARY KEY,
    scan_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- 1, 2, 3…
    number INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    object_key TEXT NOT NULL,
    UNIQUE (scan_id, version, number),
    FOREIGN KEY (scan_id, version) REFERENCES versions (scan_id, version)
);
CREATE INDEX sources_object ON sources (object_key);
CREATE INDEX sources_content ON sources (sha256, bytes);
INSERT INTO sources (id, scan_id, version, number, file_name, bytes, sha256, object_key)
    SELECT scan_id || '/' || version, scan_id, version, 1, file_name, bytes, sha256, source_key FROM versions;

-- What people know about how a version was captured. Dates are YYYY-MM-DD.
CREATE TABLE surveys (
    scan_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    captured_on TEXT,
    captured_by TEXT,
    instrument TEXT,
    method TEXT,
    accuracy_m DOUBLE PRECISION,
    coverage TEXT,
    reverify_on TEXT,
    notes TEXT,
    revision INTEGER NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (scan_id, version),
    FOREIGN KEY (scan_id, version) REFERENCES versions (scan_id, version)
);

CREATE TABLE levels (
    id TEXT NOT NULL PRIMARY KEY,
    venue_id TEXT NOT NULL REFERENCES venues (id),
    -- 0 is the level of the main entrance, -1 the one below.
    ordinal INTEGER NOT NULL,
    name TEXT NOT NULL,
    short_name TEXT,
    floor_m DOUBLE PRECISION,
    top_m DOUBLE PRECISION,
    revision INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (venue_id, ordinal)
);

CREATE TABLE configurations (
    id TEXT NOT NULL PRIMARY KEY,
    venue_id TEXT NOT NULL REFERENCES venues (id),
    name TEXT NOT NULL,
    valid_from TEXT,
    valid_to TEXT,
    stage TEXT,
    seating TEXT,
    barriers TEXT,
    -- JSON: a list of names.
    locked_doors TEXT NOT NULL,
    capacity INTEGER,
    notes TEXT,
    revision INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE INDEX configurations_venue ON configurations (venue_id, created_at, id);

CREATE TABLE pictures (
    id TEXT NOT NULL PRIMARY KEY,
    venue_id TEXT NOT NULL REFERENCES venues (id),
    object_key TEXT NOT NULL,
    file_name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    caption TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX pictures_venue ON pictures (venue_id, created_at, id);
CREATE INDEX pictures_object ON pictures (object_key);

-- Who did what, when. No references: what is said of something stays when it is gone.
CREATE TABLE history (
    id TEXT NOT NULL PRIMARY KEY,
    venue_id TEXT NOT NULL,
    -- venue, level, configuration, picture, version or survey.
    subject TEXT NOT NULL,
    -- Its identifier; of versions and surveys SCAN/NUMBER.
    subject_id TEXT NOT NULL,
    -- The revision that the action led to, where the subject has revisions.
    revision INTEGER,
    action TEXT NOT NULL,
    -- JSON: {"field": {"from", "to"}}.
    fields TEXT,
    note TEXT,
    at BIGINT NOT NULL,
    -- The person's identifier.
    person TEXT NOT NULL
);
CREATE INDEX history_subject ON history (subject, subject_id, at, id);
CREATE INDEX history_venue ON history (venue_id, at, id);

-- Objects that no row names any more, to be removed from the storage. Written in the transaction that removes the rows.
CREATE TABLE removals (
    object_key TEXT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL
);
