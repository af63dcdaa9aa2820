//! Tiles as the viewer packs them.

use parterre_decode::{NO_NORMAL, PackedTile, Texel, runs};

use super::common::check_error;

/// A tile, decoded and packed: every point is in one block and within its bounds, and the tile comes back from a browser's worker as it was.
pub fn packed(bytes: &[u8]) {
    let tile = match parterre_decode::decode(bytes) {
        Ok(tile) => tile,
        Err(error) => return check_error(&error),
    };
    assert!(tile.spacing_m.is_none_or(|spacing_m| spacing_m > 0.0 && spacing_m.is_finite() || tile.count() == 0), "{:?}", tile.spacing_m);
    for part in &tile.parts {
        let mut end = 0;
        for block in &part.blocks {
            assert!(block.count > 0 && block.first == end, "{block:?} after {end} points");
            end += block.count.next_multiple_of(runs::RUN_POINTS);
            // As far as the sum of an origin far away and millimetres is exact.
            let around_m = 1e-9 + part.origin_m.abs().max_element() * 1e-15;
            for texel in &part.texels[block.first as usize..(block.first + block.count) as usize] {
                let at = part.origin_m + glam::DVec3::from_array(texel.position().map(f64::from)) * 1e-3;
                assert!(
                    (at - at.clamp(block.bounds.min, block.bounds.max)).abs().max_element() <= around_m,
                    "{at} is not in {:?}",
                    block.bounds
                );
                assert!(texel.normal() == NO_NORMAL || texel.normal()[0] > i8::MIN, "{:?}", texel.normal());
            }
        }
        assert_eq!(part.texels.len(), end as usize);
    }
    let all: Vec<Texel> = tile.parts.iter().flat_map(|part| part.texels.clone()).collect();
    let again = PackedTile::from_numbers(&tile.to_numbers(), |range| all.get(range).map(<[Texel]>::to_vec));
    assert_eq!(again.as_ref(), Some(&tile));
}
