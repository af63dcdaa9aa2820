//! Reading the points of a source, with checks of the columns.

use parterre_model::points::PointChunk;
use parterre_model::{Error, Warning};
use parterre_read::PointSource;

use crate::codes::code_of;

/// Reads all points, `at_a_time` of them, and calls `take` with each chunk until it returns false. Returns how many were read.
///
/// # Errors
/// Those of the source.
///
/// # Panics
/// Where a chunk has more points than requested, or a column has another length than the attributes say.
pub fn each_chunk(source: &mut dyn PointSource, at_a_time: usize, mut take: impl FnMut(&mut PointChunk) -> bool) -> Result<u64, Error> {
    let mut chunk = PointChunk::default();
    let attributes = source.info().attributes;
    let mut points = 0;
    loop {
        let count = source.read_chunk(&mut chunk, at_a_time)?;
        assert!(count == chunk.len() && count <= at_a_time, "{count} points in a chunk of {}", chunk.len());
        for (name, present, len) in [
            ("colours", attributes.color, chunk.colors.len()),
            ("intensities", attributes.intensity, chunk.intensities.len()),
            ("classes", attributes.classification, chunk.classifications.len()),
            ("returns", attributes.returns, chunk.returns.len()),
            ("GPS times", attributes.gps_time, chunk.gps_times.len()),
            ("sources", !chunk.sources.is_empty(), chunk.sources.len()),
        ] {
            assert_eq!(len, if present { count } else { 0 }, "{name}");
        }
        points += count as u64;
        if count == 0 || !take(&mut chunk) {
            return Ok(points);
        }
    }
}

/// Reads all points, in chunks of an odd size; of more than `most` points a part of them.
///
/// # Errors
/// Those of the source.
pub fn read_up_to(source: &mut dyn PointSource, most: usize) -> Result<PointChunk, Error> {
    let mut all = PointChunk::default();
    each_chunk(source, 3_331, |chunk| {
        all.positions.append(&mut chunk.positions);
        all.colors.append(&mut chunk.colors);
        all.intensities.append(&mut chunk.intensities);
        all.classifications.append(&mut chunk.classifications);
        all.returns.append(&mut chunk.returns);
        all.gps_times.append(&mut chunk.gps_times);
        all.sources.append(&mut chunk.sources);
        all.len() < most
    })?;
    Ok(all)
}

/// Reads all points.
///
/// # Errors
/// Those of the source.
pub fn read_all(source: &mut dyn PointSource) -> Result<PointChunk, Error> {
    read_up_to(source, usize::MAX)
}

/// The codes of warnings.
pub fn codes(warnings: &[Warning]) -> Vec<&'static str> {
    warnings.iter().map(code_of).collect()
}
