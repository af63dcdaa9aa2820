//! One point as it lies in a texture of the graphics card: four 32-bit integers.

use bytemuck::{Pod, Zeroable};
use parterre_tile::glb;
use parterre_tile::glb::surface::{Extent, Spacing};

/// Octahedral normal of a point without one; no unit vector has this pair.
pub const NO_NORMAL: [i8; 2] = [i8::MIN; 2];
/// Bit of the spacing that says that it is the complete scan's.
pub const OF_SCAN: u8 = 128;

/// One point: 16 bytes, a texel of the format RGBA32UI.
///
/// | word | bits | |
/// | --- | --- | --- |
/// | 0 | 16, 16 | x and y, millimetres from the part's origin |
/// | 1 | 16 | z |
/// |   | 4 times 4 | codes of the extents, see [`Extent`] |
/// | 2 | 8, 8, 8 | red, green, blue, sRGB |
/// |   | 8 | code of the spacing, see [`Spacing`]; with [`OF_SCAN`] where it is the complete scan's and not the tile's own |
/// | 3 | 8, 8 | normal, octahedral, signed; or [`NO_NORMAL`] |
/// |   | 8 | intensity, see [`intensity_code`] |
/// |   | 8 | ASPRS class |
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Texel(pub [u32; 4]);

/// What a texel says of the surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TexelSurface {
    /// Octahedral normal or [`NO_NORMAL`].
    pub normal: [i8; 2],
    /// Spacing of the points around; 1 mm where it is not known.
    pub spacing: Spacing,
    /// Whether that is the spacing of the complete scan.
    pub of_scan: bool,
    /// Where the surface ends.
    pub extent: Extent,
}

impl Texel {
    /// No point; its spacing is 0.
    pub const EMPTY: Self = Self([0; 4]);

    /// Packs a point.
    pub fn new(vertex: &glb::Vertex, extra: Option<glb::Extra>, surface: TexelSurface) -> Self {
        let [x, y, z] = vertex.position.map(u32::from);
        let [red, green, blue, _] = vertex.color;
        let extra = extra.unwrap_or_default();
        let extents = (0..4).fold(0, |bits, direction| bits | u32::from(surface.extent.0[direction] & 15) << (4 * direction));
        let spacing = surface.spacing.0.clamp(1, OF_SCAN - 1) | if surface.of_scan { OF_SCAN } else { 0 };
        Self([
            x | y << 16,
            z | extents << 16,
            u32::from_le_bytes([red, green, blue, spacing]),
            u32::from(u16::from_le_bytes(surface.normal.map(i8::cast_unsigned)))
                | u32::from(intensity_code(extra.intensity)) << 16
                | u32::from(extra.classification) << 24,
        ])
    }

    /// Millimetres from the part's origin.
    pub fn position(&self) -> [u16; 3] {
        let [xy, z, ..] = self.0;
        [xy as u16, (xy >> 16) as u16, z as u16]
    }

    /// Spacing of the points around.
    pub fn spacing(&self) -> Spacing {
        Spacing((self.0[2] >> 24) as u8 & !OF_SCAN)
    }

    /// Octahedral normal, or [`NO_NORMAL`].
    pub fn normal(&self) -> [i8; 2] {
        (self.0[3] as u16).to_le_bytes().map(u8::cast_signed)
    }
}

/// An intensity in a byte: up to 15 as it is; above, four bits after the leading one and four bits of the exponent, so that it is exact to 3 %
/// whatever part of the range a file uses.
pub fn intensity_code(intensity: u16) -> u8 {
    let exponent = (12 - intensity.leading_zeros().min(12)) as u8;
    match exponent {
        0 => intensity as u8,
        _ => exponent << 4 | (intensity >> (exponent - 1)) as u8 & 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_bits_of_its_own() {
        let vertex = glb::Vertex { position: [1, 65535, 300], pad: 0, color: [1, 2, 255, 255] };
        let surface = TexelSurface { normal: [-127, 5], spacing: Spacing(20), of_scan: true, extent: Extent([1, 2, 3, 15]) };
        let texel = Texel::new(&vertex, Some(glb::Extra { intensity: 9, classification: 6, pad: 0 }), surface);
        assert_eq!(texel.position(), [1, 65535, 300]);
        assert_eq!(texel.0[1] >> 16, 0xF321);
        assert_eq!(texel.0[2].to_le_bytes(), [1, 2, 255, 148]);
        assert_eq!(texel.0[3].to_le_bytes(), [129, 5, 9, 6]);
        assert_eq!((texel.normal(), texel.spacing()), ([-127, 5], Spacing(20)));
        let unknown = TexelSurface { normal: NO_NORMAL, spacing: Spacing(0), of_scan: false, extent: Extent([0; 4]) };
        let texel = Texel::new(&vertex, None, unknown);
        assert_eq!((texel.0[3], texel.0[2] >> 24), (0x8080, 1));
    }

    #[test]
    fn intensities_are_exact_to_three_percent() {
        let value =
            |code: u8| if code < 16 { f64::from(code) } else { (f64::from(16 + (code & 15)) + 0.5) * f64::from(code >> 4).exp2() / 2.0 };
        let mut last = 0;
        for intensity in 0..=u16::MAX {
            let code = intensity_code(intensity);
            assert!(code >= last);
            last = code;
            let error = (value(code) - f64::from(intensity)).abs();
            assert!(error <= f64::from(intensity) * 0.032 + 0.5, "{intensity}: {}", value(code));
        }
    }
}
