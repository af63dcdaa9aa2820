//! The pages that people open: HTML made from `assets/web/templates`.

pub mod catalogue;
pub mod format;
pub mod not_found;
mod render;
pub mod venue;
pub mod view;
