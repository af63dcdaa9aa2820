//! The tables as diesel sees them, the same for SQLite and PostgreSQL; see `migrations/`.

#![expect(missing_docs, reason = "the columns are described where they are used")]

diesel::table! {
    venues (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        name_folded -> Text,
        created_at -> BigInt,
        local_name -> Nullable<Text>,
        local_name_folded -> Nullable<Text>,
        kind -> Text,
        address -> Nullable<Text>,
        city -> Nullable<Text>,
        country -> Nullable<Text>,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        capacity -> Nullable<Integer>,
        contacts -> Text,
        sensitivity -> Text,
        notes -> Nullable<Text>,
        revision -> Integer,
        created_by -> Nullable<Text>,
        updated_at -> Nullable<BigInt>,
        updated_by -> Nullable<Text>,
        withdrawn_at -> Nullable<BigInt>,
        withdrawn_by -> Nullable<Text>,
    }
}

diesel::table! {
    scans (id) {
        id -> Text,
        venue_id -> Text,
        name -> Text,
        created_at -> BigInt,
        versions_made -> Integer,
        created_by -> Nullable<Text>,
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
        publication -> Text,
        publication_at -> Nullable<BigInt>,
        publication_by -> Nullable<Text>,
        created_by -> Nullable<Text>,
    }
}

diesel::table! {
    sources (id) {
        id -> Text,
        scan_id -> Text,
        version -> Integer,
        number -> Integer,
        file_name -> Text,
        bytes -> BigInt,
        sha256 -> Text,
        object_key -> Text,
    }
}

diesel::table! {
    surveys (scan_id, version) {
        scan_id -> Text,
        version -> Integer,
        captured_on -> Nullable<Text>,
        captured_by -> Nullable<Text>,
        instrument -> Nullable<Text>,
        method -> Nullable<Text>,
        accuracy_m -> Nullable<Double>,
        coverage -> Nullable<Text>,
        reverify_on -> Nullable<Text>,
        notes -> Nullable<Text>,
        revision -> Integer,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    levels (id) {
        id -> Text,
        venue_id -> Text,
        ordinal -> Integer,
        name -> Text,
        short_name -> Nullable<Text>,
        floor_m -> Nullable<Double>,
        top_m -> Nullable<Double>,
        revision -> Integer,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    configurations (id) {
        id -> Text,
        venue_id -> Text,
        name -> Text,
        valid_from -> Nullable<Text>,
        valid_to -> Nullable<Text>,
        stage -> Nullable<Text>,
        seating -> Nullable<Text>,
        barriers -> Nullable<Text>,
        locked_doors -> Text,
        capacity -> Nullable<Integer>,
        notes -> Nullable<Text>,
        revision -> Integer,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    pictures (id) {
        id -> Text,
        venue_id -> Text,
        object_key -> Text,
        file_name -> Text,
        bytes -> BigInt,
        sha256 -> Text,
        media_type -> Text,
        width -> Integer,
        height -> Integer,
        caption -> Nullable<Text>,
        created_at -> BigInt,
        created_by -> Text,
    }
}

diesel::table! {
    history (id) {
        id -> Text,
        venue_id -> Text,
        subject -> Text,
        subject_id -> Text,
        revision -> Nullable<Integer>,
        action -> Text,
        fields -> Nullable<Text>,
        note -> Nullable<Text>,
        at -> BigInt,
        person -> Text,
    }
}

diesel::table! {
    removals (object_key) {
        object_key -> Text,
        since -> BigInt,
    }
}

diesel::joinable!(scans -> venues (venue_id));
diesel::joinable!(versions -> scans (scan_id));
diesel::joinable!(versions -> jobs (job_id));
diesel::allow_tables_to_appear_in_same_query!(venues, scans, jobs, versions);
