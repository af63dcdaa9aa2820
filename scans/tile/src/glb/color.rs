//! sRGB to the linear `COLOR_0` of glTF and back, without loss; see the format in [`super`].

use std::sync::LazyLock;

/// Value of `asset.extras.parterre.color` in files whose spare bytes have the residuals.
pub const RESIDUAL: &str = "linear+residual";

/// The nearest 8-bit linear value of each 8-bit sRGB value (IEC 61966-2-1).
static LINEAR: LazyLock<[u8; 256]> = LazyLock::new(|| {
    std::array::from_fn(|srgb| {
        let value = srgb as f64 / 255.0;
        let linear = if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
        (linear * 255.0).round() as u8
    })
});

/// The nearest 8-bit sRGB value of each 8-bit linear value.
static SRGB: LazyLock<[u8; 256]> = LazyLock::new(|| {
    std::array::from_fn(|linear| {
        let value = linear as f64 / 255.0;
        let srgb = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (srgb * 255.0).round() as u8
    })
});

/// Linear value and residual of an sRGB value.
pub fn linear_from_srgb(srgb: u8) -> (u8, u8) {
    let linear = LINEAR[usize::from(srgb)];
    (linear, srgb.wrapping_sub(SRGB[usize::from(linear)]))
}

/// The sRGB value of a linear value and its residual.
pub fn srgb_from_linear(linear: u8, residual: u8) -> u8 {
    SRGB[usize::from(linear)].wrapping_add(residual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_srgb_value_survives_and_bright_ones_need_no_residual() {
        for srgb in 0..=255 {
            let (linear, residual) = linear_from_srgb(srgb);
            assert_eq!(srgb_from_linear(linear, residual), srgb);
            assert!((residual as i8).abs() <= 6, "{srgb}: {residual}");
            assert!(srgb < 160 || residual == 0, "{srgb}: {residual}");
        }
    }

    #[test]
    fn known_values_of_the_transfer_function() {
        assert_eq!(linear_from_srgb(0), (0, 0));
        assert_eq!(linear_from_srgb(255), (255, 0));
        // 188 is the sRGB value of about half the light.
        assert_eq!(linear_from_srgb(188).0, 128);
    }
}
