//! Rows of the database. Methods take a connection and return `QueryResult`.

pub mod catalog;
pub mod configurations;
pub mod history;
pub mod jobs;
pub mod levels;
pub mod pictures;
pub mod removals;
pub mod scans;
pub mod sources;
pub mod surveys;
pub mod venues;
pub mod versions;
