//! Database rows and queries. Methods take a connection and return a `QueryResult`; [`catalog`] builds the types of the
//! API from them.

pub mod catalog;
pub mod jobs;
pub mod scans;
pub mod venues;
pub mod versions;
