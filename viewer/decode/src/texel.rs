//! One point as it lies in a texture of the graphics card: four 32-bit integers.

use bytemuck::{Pod, Zeroable};
use parterre_tile::glb;

/// Octahedral normal of a point without one; no unit vector has this pair.
pub const NO_NORMAL: [i8; 2] = [i8::MIN; 2];

/// One point: 16 bytes, a texel of the format RGBA32UI.
///
/// | word | low 16 bits | high 16 bits |
/// | --- | --- | --- |
/// | 0 | x, millimetres from the part's origin | y |
/// | 1 | z | spacing of the points around, millimetres |
/// | 2 | red, green (8 bits each, sRGB) | blue, ASPRS class |
/// | 3 | normal, octahedral (two signed bytes), or [`NO_NORMAL`] | intensity |
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Texel(pub [u32; 4]);

impl Texel {
    /// No point; its spacing is 0.
    pub const EMPTY: Self = Self([0; 4]);

    /// Packs a point, whose spacing is in the `pad` of its vertex.
    pub fn new(vertex: &glb::Vertex, extra: Option<glb::Extra>, normal: [i8; 2]) -> Self {
        let [x, y, z] = vertex.position.map(u32::from);
        let [red, green, blue, _] = vertex.color;
        let extra = extra.unwrap_or_default();
        let normal = u32::from(u16::from_le_bytes(normal.map(i8::cast_unsigned)));
        Self([
            x | y << 16,
            z | u32::from(vertex.pad.max(1)) << 16,
            u32::from_le_bytes([red, green, blue, extra.classification]),
            normal | u32::from(extra.intensity) << 16,
        ])
    }

    /// Millimetres from the part's origin.
    pub fn position(&self) -> [u16; 3] {
        let [xy, z, ..] = self.0;
        [xy as u16, (xy >> 16) as u16, z as u16]
    }

    /// Spacing of the points around. Millimetres.
    pub fn spacing_mm(&self) -> u16 {
        (self.0[1] >> 16) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_bits_of_its_own() {
        let vertex = glb::Vertex { position: [1, 65535, 300], pad: 40_000, color: [1, 2, 255, 255] };
        let texel = Texel::new(&vertex, Some(glb::Extra { intensity: 65_000, classification: 6, pad: 0 }), [-127, 5]);
        assert_eq!(texel.position(), [1, 65535, 300]);
        assert_eq!(texel.spacing_mm(), 40_000);
        assert_eq!(texel.0[2].to_le_bytes(), [1, 2, 255, 6]);
        assert_eq!(texel.0[3].to_le_bytes(), [129, 5, 0xE8, 0xFD]);
        assert_eq!(Texel::new(&vertex, None, NO_NORMAL).0[3], 0x8080);
    }
}
