//! Measuring the pictures that a viewer draws of the demo venue's scan.
//!
//! [`reference`] writes a folder of exact pictures of the venue, with their depths, what the scan could show at best, and which pixels show
//! thin things or look through openings. [`compare`] measures a folder of a viewer's pictures against it, and [`table`] writes
//! the figures of several viewers as Markdown. [`ssim`] is the measure of likeness.
//!
//! The programs are the examples `picture_references` and `picture_compare`; `make bench-picture` runs them.

pub mod compare;
pub mod files;
mod nearest;
pub mod reference;
pub mod ssim;
pub mod table;
