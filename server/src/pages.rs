//! The HTML pages, from the templates in `assets/web/templates`.

pub mod catalogue;
pub mod compare;
pub mod configurations;
pub mod delete;
pub mod error_page;
mod form;
pub mod format;
pub mod levels;
mod render;
pub mod retry;
pub mod survey;
pub mod venue;
pub mod venue_edit;
pub mod version;
mod version_view;
pub mod view;
