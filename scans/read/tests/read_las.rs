//! LAS and LAZ files made here: their fields, formats, chunks and what only all points show.

use std::io::Cursor;

use parterre_model::Error;
use parterre_model::points::PointChunk;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_test_support::las_files::{data_offset, las, las14, laszip_record, laz, open, put};
use parterre_test_support::points::read_up_to;

/// Reads all points. A damaged count may announce millions of equal points: a part of them shows as much as all.
fn read(bytes: Vec<u8>) -> Result<PointChunk, Error> {
    read_up_to(open(bytes)?.as_mut(), 200_000)
}

#[test]
fn fields_are_read_as_the_standard_says() {
    let points = read(las(3)).expect("a good file");
    let wanted = glam::DVec3::new(0.02, 1000.0 + 21.0 * 0.001, 2000.0 + 22.0 * 0.001);
    assert!(points.positions[2].abs_diff_eq(wanted, 1e-9), "{}", points.positions[2]);
    assert_eq!(points.intensities, [1, 2, 3]);
    assert_eq!(points.classifications, [6, 6, 6]);
    assert_eq!(points.returns, [0x32, 0x32, 0x32]);
    assert_eq!(points.gps_times, [0.0, 0.5, 1.0]);
    assert_eq!(points.colors[0], [10 * 257, 20 * 257, 65_535]);
}

#[test]
fn compressed_formats_are_read_and_rewound() {
    for format in [0, 1, 2, 3, 6, 7, 8] {
        let mut source = open(laz(format, 120_000)).expect("a good file");
        let mut first = PointChunk::default();
        assert_eq!(source.read_chunk(&mut first, 7).expect("points"), 7);
        let mut chunk = PointChunk::default();
        let mut count = 7;
        loop {
            let got = source.read_chunk(&mut chunk, 50_001).expect("points");
            if got == 0 {
                break;
            }
            if let (Some(&intensity), Some(position)) = (chunk.intensities.first(), chunk.positions.first()) {
                assert_eq!(intensity, count as u16, "format {format}");
                assert!((position.x - f64::from(count) * 0.01).abs() < 0.001, "format {format}");
            }
            count += got as u32;
        }
        assert_eq!(count, 120_000, "format {format}");
        source.rewind().expect("the first point again");
        let mut again = PointChunk::default();
        source.read_chunk(&mut again, 7).expect("points");
        assert_eq!((first.positions, first.intensities, first.colors), (again.positions, again.intensities, again.colors));
    }
}

#[test]
fn what_a_sample_does_not_decide_all_points_decide() {
    // Points that the sample does not see: one deep colour, or one intensity, among many that have none.
    let points = 60_000;
    let at = |file: &[u8], point: usize| 375 + point * usize::from(u16::from_le_bytes([file[105], file[106]]));
    let first_pass = |file: &[u8], wanted| {
        let mut source = open(file.to_vec()).expect("a file");
        let before = (source.attribute_layout().color, source.info().attributes);
        let mut chunk = RecordChunk::default();
        while source.read_records(&mut chunk, wanted, 10_000).expect("points") > 0 {}
        source.rewind().expect("the first point again");
        source.read_records(&mut chunk, Wanted::Records, 1).expect("a point");
        (before, (source.attribute_layout().color, source.info().attributes), chunk.attribute_bytes)
    };

    let mut deep = las14(points, 7);
    let last = at(&deep, points as usize - 1);
    put(&mut deep, last + 30, &[200, 0]);
    let (_, _, tail) = first_pass(&deep, Wanted::Positions);
    assert_eq!(tail[18..24], [200, 200, 9, 9, 8, 8]);
    let hidden = at(&deep, 11_000);
    put(&mut deep, hidden + 30, &60_000_u16.to_le_bytes());
    for wanted in [Wanted::Positions, Wanted::Records] {
        let (before, after, tail) = first_pass(&deep, wanted);
        assert!(before.0 && after.0);
        assert_eq!(tail[18..24], [200, 0, 9, 0, 8, 0]);
    }

    let mut flat = las14(points, 6);
    flat[104] = 7;
    put(&mut flat, 105, &36_u16.to_le_bytes());
    let mut black = flat[..375].to_vec();
    for record in flat[375..].chunks_exact(30) {
        black.extend_from_slice(record);
        black.extend([0; 6]);
    }
    let (before, after, _) = first_pass(&black, Wanted::Positions);
    assert!(!before.0 && !after.0 && !after.1.color && !after.1.intensity);
    let hidden = at(&black, 11_000);
    put(&mut black, hidden + 12, &[1, 0]);
    put(&mut black, hidden + 34, &[1, 1]);
    let (before, after, tail) = first_pass(&black, Wanted::Positions);
    assert!(!before.0 && !before.1.color && !before.1.intensity);
    assert!(after.0 && after.1.color && after.1.intensity);
    assert_eq!(tail.len(), 24);
}

#[test]
fn one_chunk_without_any_table_is_read() {
    let mut file = laz(3, 600);
    let data = data_offset(&file);
    let compressor = laszip_record(&file);
    put(&mut file, compressor, &1_u16.to_le_bytes());
    file.drain(data..data + 8);
    assert_eq!(read(file).expect("points").positions, read(laz(3, 600)).expect("points").positions);
}

#[test]
fn a_chunk_too_large_for_memory_is_read_in_parts() {
    // 1.8 million points of 20 bytes in one chunk, with a table.
    let points = 1_800_000_u32;
    let small = laz(0, 10);
    let data = data_offset(&small);
    let mut record = vec![0; 20];
    let items = laz::LazItemRecordBuilder::default_for_point_format_id(0, 0).expect("items");
    let vlr = laz::LazVlrBuilder::default().with_laz_items(items).with_fixed_chunk_size(2_000_000).build();
    let mut file = small[..data].to_vec();
    let at = laszip_record(&file);
    put(&mut file, at + 12, &2_000_000_u32.to_le_bytes());
    put(&mut file, 107, &points.to_le_bytes());
    put(&mut file, 247, &u64::from(points).to_le_bytes());
    let mut output = Cursor::new(file);
    output.set_position(data as u64);
    let mut compressor = laz::LasZipCompressor::new(output, vlr).expect("a compressor");
    for i in 0..points {
        put(&mut record, 0, &i.to_le_bytes());
        put(&mut record, 12, &(i as u16).to_le_bytes());
        compressor.compress_one(&record).expect("a point");
    }
    compressor.done().expect("a whole file");
    let mut source = open(compressor.into_inner().into_inner()).expect("a good file");
    let scale = source.info().grid.expect("a grid").scale.x;
    let mut chunk = PointChunk::default();
    let mut count = 0_u32;
    while source.read_chunk(&mut chunk, 70_001).expect("points") > 0 {
        assert!((chunk.positions[0].x - f64::from(count) * scale).abs() < 1e-9);
        assert_eq!(chunk.intensities[0], count as u16);
        count += chunk.len() as u32;
    }
    assert_eq!(count, points);
}
