//! Colours by height, for points without a colour.

/// The colour for a height from 0 (lowest) to 1 (highest), for points without a colour: dark blue over green to pale yellow, in even steps of lightness.
pub fn height_color(share: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 5] =
        [[54.0, 60.0, 112.0], [42.0, 110.0, 142.0], [72.0, 160.0, 130.0], [176.0, 196.0, 112.0], [246.0, 226.0, 150.0]];
    let position = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let index = (position as usize).min(STOPS.len() - 2);
    let rest = position - index as f64;
    [0, 1, 2].map(|channel| {
        let (from, to) = (STOPS[index][channel], STOPS[index + 1][channel]);
        (from + (to - from) * rest) as u8
    })
}
