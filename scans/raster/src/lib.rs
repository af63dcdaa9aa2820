//! Pictures of a scan: thumbnails and plans, drawn on the processor, and its figures as a measurement.
//!
//! A thumbnail shows the scan at an angle from above. Where most of the scan lies under a roof, the roof and the near walls are left out
//! ([`columns`]), so that the rooms can be seen. A plan shows a level from above ([`levels`] finds them), cut at the height of a person.
//!
//! Limits: points further than 1e9 m from the origin, and those whose position is not a number, are not drawn; a few points far from all
//! others do not widen the picture.

mod columns;
mod drawing;
mod font;
mod height_color;
mod levels;
mod plans;
mod png;
mod point;
pub mod splat;
pub mod survey;
mod thumbnail;

pub use self::drawing::{Drawing, level_plan, levels, plan, thumbnail};
pub use self::height_color::height_color;
pub use self::levels::{Level, largest as largest_level};
pub use self::png::{MAX_PIXELS, png};
pub use self::point::ColoredPoint;
