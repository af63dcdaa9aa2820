//! What answers a request, `<noun>/<verb>.rs`. Handlers are thin: they read the request, ask models and storage in a thread
//! that may block, and write the answer.

/// The parts of pages: what is built in, and the web viewer's files.
pub mod assets {
    pub mod embedded;
    pub mod viewer;
}

pub mod files;

/// Jobs.
pub mod jobs {
    pub mod show;
}

/// The service itself.
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
    pub mod list;
    pub mod show;
}
