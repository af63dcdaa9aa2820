//! Tests of the service from outside: over HTTP in this process, and of the real program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "one test program, many files")]

mod it {
    pub mod access;
    pub mod catalogue;
    pub mod cli;
    pub mod end_to_end;
    pub mod jobs;
    pub mod migrations;
    pub mod pages;
    pub mod postgres;
    pub mod security;
    pub mod support;
    pub mod tiles;
    pub mod uploads;
    pub mod venues;
}
