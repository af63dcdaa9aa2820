//! The catalogue service of Parterre: venues, their scans, the tiles made of them, and the pages that show them.
//!
//! [`service`] puts the HTTP service together. A request goes through [`guard`] to [`router`], which asks [`access`] whether it is
//! allowed and names a function of [`controllers`] or [`pages`]; those ask [`models`] for rows and [`storage`] for files, through the shared state
//! [`app::App`]. Work that takes longer than a request is a job ([`jobs`]). The command line ([`cli`]) uses the same parts
//! without HTTP.
//!
//! Imports run one way: `cli`, `service`, `router`, then `controllers` and `pages`, `guard`, `app`, `jobs`, and at the
//! bottom `models`, `storage`, `db`, `edit`, `fields`, `error`, `person`, `config`.

pub mod access;
pub mod app;
pub mod archives;
pub mod cli;
pub mod config;
pub mod controllers;
pub mod db;
pub mod edit;
pub mod error;
pub mod etag;
pub mod fields;
pub mod guard;
pub mod ingest;
pub mod jobs;
pub mod models;
pub mod pages;
pub mod person;
pub mod purge;
pub mod router;
pub mod schema;
pub mod service;
pub mod storage;
pub mod sweep;
pub mod text;
pub mod tile_cache;
pub mod upkeep;
