//! Request handlers, `<resource>/<action>.rs`. Handlers are thin: they read the request, use models and storage in a thread
//! that may block, and build the answer.

/// Files that pages load: those built into the service, and the web viewer.
pub mod assets {
    pub mod embedded;
    pub mod viewer;
}

pub mod configurations;
pub mod files;
pub mod levels;
pub mod pictures;
pub mod sliced_body;

/// Jobs.
pub mod jobs {
    pub mod retry;
    pub mod show;
}

/// Health and API description.
pub mod meta {
    pub mod health;
    pub mod openapi;
}

/// Scans.
pub mod scans {
    pub mod picture;
    pub mod show;
}

/// Tiles of a version.
pub mod tiles {
    pub mod bundle;
    pub mod encoding;
    pub mod file;
    pub mod find;
    pub mod show;
    pub mod stored;
}

/// Uploads of files.
pub mod uploads {
    pub mod create;
}

/// Venues.
pub mod venues {
    pub mod create;
    pub mod history;
    pub mod list;
    pub mod purge;
    pub mod show;
    pub mod update;
    pub mod withdraw;
}

/// Versions of scans: their publication, and what people know about them.
pub mod versions {
    pub mod compare;
    pub mod find;
    pub mod publication;
    pub mod purge;
    pub mod show;
    pub mod update;
}
