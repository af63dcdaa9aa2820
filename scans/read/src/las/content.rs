//! Properties that only the points show: whether there are colours and intensities at all, and whether colours have 8 or 16 bits.
//!
//! - Colours whose largest value is 1 to 255 are 8-bit values in 16-bit fields.
//! - Colour that is 0 everywhere, and intensity likewise, is absent.
//!
//! A sample decides where it has a value that excludes these cases. Otherwise the first pass over all points decides, whatever
//! the pass is for, and its result holds from its end on.

use laz::DecompressionSelection;

use super::records::{Layout, u16_at};

/// The largest values seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Largest {
    pub(super) color: u16,
    pub(super) nir: u16,
    pub(super) intensity: u16,
}

/// Properties that are not decided yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Undecided {
    pub(super) color: bool,
    pub(super) intensity: bool,
}

impl Largest {
    /// Includes values of undecided properties in raw records.
    pub(super) fn include(&mut self, layout: &Layout, undecided: Undecided, records: &[u8]) {
        let records = || records.chunks_exact(layout.record_len);
        if let (true, Some(at)) = (undecided.color, layout.color) {
            self.color = records()
                .fold(self.color, |max, record| max.max(u16_at(record, at)).max(u16_at(record, at + 2)).max(u16_at(record, at + 4)));
        }
        if let (true, Some(at)) = (undecided.color, layout.nir) {
            self.nir = records().fold(self.nir, |max, record| max.max(u16_at(record, at)));
        }
        if undecided.intensity {
            self.intensity = records().fold(self.intensity, |max, record| max.max(u16_at(record, 12)));
        }
    }

    /// What these values, of a part of the points, do not decide.
    pub(super) fn undecided(self, layout: &Layout) -> Undecided {
        Undecided { color: layout.color.is_some() && self.color <= 255, intensity: self.intensity == 0 }
    }

    /// Sets the layout by these values, as those of all points.
    pub(super) fn apply(self, layout: &mut Layout) {
        layout.narrow_color = (1..=255).contains(&self.color);
        layout.attributes.color = layout.color.is_some() && self.color > 0;
        layout.attributes.intensity = self.intensity > 0;
        // Records with near infrared always have the three colours, even where these are 0.
        layout.attribute_color = layout.color.is_some() && (self.color > 0 || self.nir > 0);
    }
}

impl Undecided {
    pub(super) const ALL: Self = Self { color: true, intensity: true };

    pub(super) fn any(self) -> bool {
        self.color || self.intensity
    }

    /// Adds the undecided fields to those that are decompressed.
    pub(super) fn select(self, mut selection: DecompressionSelection) -> DecompressionSelection {
        if self.color {
            selection = selection.decompress_rgb().decompress_nir();
        }
        if self.intensity {
            selection = selection.decompress_intensity();
        }
        selection
    }
}
