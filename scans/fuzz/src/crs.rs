//! Coordinate reference systems.

use glam::DVec3;
use parterre_crs::Placement;
use parterre_model::frame::{Frame, Unit, UnitSource};
use parterre_read::Override;

use super::common::{check_error, open};

/// The coordinate reference system of a file: a LAS file of one point with WKT and `GeoTIFF` keys out of `bytes`, then the transformation
/// to the Earth.
///
/// The lowest bit of the first byte says which of the two is preferred; the WKT ends with a 0.
pub fn crs(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    let (wkt, keys) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    let (directory, doubles) = keys.split_at(keys.len() / 2);
    let file = las(&[(2112, wkt), (34_735, directory), (34_736, doubles), (34_737, doubles)], first & 1 == 1);
    let found = open(&file, &Override::default());
    let named = found.and_then(|source| source.info().crs.clone());
    let text = String::from_utf8_lossy(wkt).into_owned();
    // As the file has it, and as a user may type it.
    for crs in [named, Some(text)].into_iter().flatten() {
        open(&file, &Override { crs: Some(crs.clone()), ..Override::default() });
        let frame = Frame {
            origin_m: DVec3::ZERO,
            unit: Unit::Metre,
            vertical_unit: None,
            unit_source: UnitSource::Assumed,
            crs: Some(crs),
            ecef_from_tile: None,
        };
        match Placement::new(&frame, DVec3::new(652_300.0, 6_862_400.0, 45.0)) {
            Ok(placement) => {
                let mut positions = [DVec3::new(652_300.0, 6_862_400.0, 45.0), DVec3::ZERO, DVec3::splat(1e300), DVec3::NAN];
                placement.tile_from_file(&mut positions);
                placement.root_transform();
            }
            Err(error) => check_error(&error),
        }
    }
}

/// A LAS 1.4 file of one point with these records about its coordinate system.
fn las(records: &[(u16, &[u8])], wkt_first: bool) -> Vec<u8> {
    let mut vlrs = Vec::new();
    for (id, data) in records {
        let mut head = [0; 54];
        head[2..17].copy_from_slice(b"LASF_Projection");
        head[18..20].copy_from_slice(&id.to_le_bytes());
        let data = &data[..data.len().min(usize::from(u16::MAX))];
        head[20..22].copy_from_slice(&(data.len() as u16).to_le_bytes());
        vlrs.extend_from_slice(&head);
        vlrs.extend_from_slice(data);
    }
    let mut file = vec![0; 375];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"LASF");
    put(6, &[if wkt_first { 16 } else { 0 }, 0]);
    put(24, &[1, 4]);
    put(94, &375_u16.to_le_bytes());
    put(96, &(375 + vlrs.len() as u32).to_le_bytes());
    put(100, &(records.len() as u32).to_le_bytes());
    put(104, &[6]);
    put(105, &30_u16.to_le_bytes());
    for axis in 0..3 {
        put(131 + 8 * axis, &0.001_f64.to_le_bytes());
    }
    put(247, &1_u64.to_le_bytes());
    file.extend_from_slice(&vlrs);
    file.extend_from_slice(&[0; 30]);
    file
}
