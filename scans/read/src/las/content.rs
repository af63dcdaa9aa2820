//! What only the points themselves tell: whether colour and intensity are there at all, and how deep colours are.
//!
//! - Colours whose largest value is 1 to 255 are 8-bit values in 16-bit fields.
//! - Colour that is 0 everywhere, and intensity likewise, is absent.
//!
//! A sample settles these where it saw a value that rules the odd case out. Where it did not, the first pass over all
//! points looks on, whatever the pass is for, and what it finds holds from its end on.

use laz::DecompressionSelection;

use super::records::{Layout, u16_at};

/// The largest values seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Largest {
    pub(super) color: u16,
    pub(super) nir: u16,
    pub(super) intensity: u16,
}

/// Which of them still matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) color: bool,
    pub(super) intensity: bool,
}

impl Largest {
    /// Looks at what is open in raw records.
    pub(super) fn look(&mut self, layout: &Layout, open: Open, records: &[u8]) {
        let records = || records.chunks_exact(layout.record_len);
        if let (true, Some(at)) = (open.color, layout.color) {
            self.color = records()
                .fold(self.color, |max, record| max.max(u16_at(record, at)).max(u16_at(record, at + 2)).max(u16_at(record, at + 4)));
        }
        if let (true, Some(at)) = (open.color, layout.nir) {
            self.nir = records().fold(self.nir, |max, record| max.max(u16_at(record, at)));
        }
        if open.intensity {
            self.intensity = records().fold(self.intensity, |max, record| max.max(u16_at(record, 12)));
        }
    }

    /// What these values, of a part of the points, leave open.
    pub(super) fn open(self, layout: &Layout) -> Open {
        Open { color: layout.color.is_some() && self.color <= 255, intensity: self.intensity == 0 }
    }

    /// Takes these values for those of all points.
    pub(super) fn settle(self, layout: &mut Layout) {
        layout.narrow_color = (1..=255).contains(&self.color);
        layout.attributes.color = layout.color.is_some() && self.color > 0;
        layout.attributes.intensity = self.intensity > 0;
        // A record of near infrared has the three colours with it, absent or not.
        layout.attribute_color = layout.color.is_some() && (self.color > 0 || self.nir > 0);
    }
}

impl Open {
    pub(super) const ALL: Self = Self { color: true, intensity: true };

    pub(super) fn any(self) -> bool {
        self.color || self.intensity
    }

    /// Adds the fields that are looked at to those that are decompressed.
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
