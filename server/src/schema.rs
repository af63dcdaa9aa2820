//! The tables as diesel sees them, the same for SQLite and PostgreSQL; see `migrations/`.

#![expect(missing_docs, reason = "the columns are described where they are used")]

diesel::table! {
    venues (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        name_folded -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    scans (id) {
        id -> Text,
        venue_id -> Text,
        name -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    jobs (id) {
        id -> Text,
        kind -> Text,
        payload -> Text,
        state -> Text,
        stage -> Text,
        progress -> Double,
        attempts -> Integer,
        max_attempts -> Integer,
        run_after -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        error_hint -> Nullable<Text>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        interruptions -> Integer,
        journal_steps -> BigInt,
    }
}

diesel::table! {
    versions (scan_id, version) {
        scan_id -> Text,
        version -> Integer,
        state -> Text,
        file_name -> Text,
        bytes -> BigInt,
        sha256 -> Text,
        source_key -> Text,
        job_id -> Text,
        tiles_key -> Nullable<Text>,
        thumbnail_key -> Nullable<Text>,
        plan_key -> Nullable<Text>,
        report_key -> Nullable<Text>,
        report -> Nullable<Text>,
        frame -> Nullable<Text>,
        points -> Nullable<BigInt>,
        tiles_bytes -> Nullable<BigInt>,
        created_at -> BigInt,
        published_at -> Nullable<BigInt>,
        prefix -> Nullable<Text>,
        files -> Nullable<Text>,
    }
}

diesel::joinable!(scans -> venues (venue_id));
diesel::joinable!(versions -> scans (scan_id));
diesel::joinable!(versions -> jobs (job_id));
diesel::allow_tables_to_appear_in_same_query!(venues, scans, jobs, versions);
