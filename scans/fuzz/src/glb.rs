//! Tiles.

use parterre_tile::glb;

use super::common::check_error;

/// A tile: decoded points are consistent and not more than the bytes can contain.
pub fn glb(bytes: &[u8]) {
    let parts = match glb::decode(bytes) {
        Ok(parts) => parts,
        Err(error) => return check_error(&error),
    };
    let count: usize = parts.iter().map(|part| part.vertices.len()).sum();
    assert!(count * size_of::<glb::Vertex>() <= 64 * bytes.len(), "{count} points out of {} bytes", bytes.len());
    for part in &parts {
        assert!(part.extras.is_empty() || part.extras.len() == part.vertices.len());
        assert!(part.surfaces.is_empty() || part.surfaces.len() == part.vertices.len());
        assert!(part.surfaces.iter().all(|surface| surface.normal.unit().is_normalized() && surface.extent.metres()[0] > 0.0));
        if !part.vertices.is_empty() {
            assert!(part.bounds().min.is_finite() && part.bounds().max.is_finite(), "{:?}", part.bounds());
        }
    }
}
