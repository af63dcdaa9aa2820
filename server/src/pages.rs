//! The HTML pages, from the templates in `assets/web/templates`.

pub mod catalogue;
pub mod error_page;
pub mod format;
mod render;
pub mod retry;
pub mod venue;
pub mod view;
