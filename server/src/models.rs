//! Rows, and the questions asked of them. Methods take a connection and return a `QueryResult`; what the API shows is
//! built by [`catalog`].

pub mod catalog;
pub mod jobs;
pub mod scans;
pub mod venues;
pub mod versions;
