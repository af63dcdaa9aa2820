//! An E57 whose XML is longer than other libraries read: hundreds of setups with long descriptions.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use e57::{E57Writer, Record, RecordValue};
use glam::DVec3;
use parterre_read as read;
use parterre_read::Override;
use parterre_test_support::counting;
use parterre_test_support::e57_files::pose;
use parterre_test_support::points::read_all;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const SETUPS: usize = 600;
const POINTS: usize = 40;
const MEMORY_LIMIT: usize = 64 << 20;

/// A file that counts what is read of it.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl std::io::Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(out)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl std::io::Seek for Counted {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

fn write(path: &std::path::Path) {
    let mut writer = E57Writer::from_file(path, "file").expect("a writer");
    let description = "Stand, row and seat; ".repeat(4_600);
    for setup in 0..SETUPS {
        let prototype = vec![Record::CARTESIAN_X_F32, Record::CARTESIAN_Y_F32, Record::CARTESIAN_Z_F32];
        let mut scan = writer.add_pointcloud(&format!("guid {setup}"), prototype).expect("a scan");
        scan.set_name(Some(format!("setup {setup}")));
        scan.set_description(Some(description.clone()));
        scan.set_transform(Some(pose([1.0, 0.0, 0.0, 0.0], [setup as f64, 0.0, 0.0])));
        for point in 0..POINTS {
            let values = [0.5, point as f32, setup as f32].map(RecordValue::Single);
            scan.add_point(values.to_vec()).expect("a point");
        }
        scan.finalize().expect("a scan");
    }
    writer.finalize().expect("a file");
}

#[test]
fn xml_beyond_fifty_megabytes_is_read_as_a_stream() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("large.e57");
    write(&path);
    let mut head = [0; 48];
    File::open(&path).expect("a file").read_exact(&mut head).expect("a header");
    let xml_len = u64::from_le_bytes([32, 33, 34, 35, 36, 37, 38, 39].map(|at| head[at]));
    assert!(xml_len > 50 << 20, "{xml_len}");
    assert!(e57::E57Reader::from_file(&path).is_err(), "the other library reads it as well");

    counting::PEAK.store(0, Ordering::Relaxed);
    let read = Arc::new(AtomicU64::new(0));
    let len = path.metadata().expect("a file").len();
    let counted = Counted { file: File::open(&path).expect("a file"), read: Arc::clone(&read) };
    let mut source = read::e57::from_source(Box::new(counted), len, &path, &Override::default()).expect("a good file");
    let info = source.info();
    assert_eq!((info.points, info.setups.len()), ((SETUPS * POINTS) as u64, SETUPS));
    assert_eq!((info.setups[599].name.as_str(), info.setups[599].position), ("setup 599", DVec3::new(599.0, 0.0, 0.0)));
    assert!(info.bounds.contains(DVec3::new(599.5, 39.0, 599.0)));
    let opened = read.load(Ordering::Relaxed);
    assert!(opened < xml_len / 1020 * 1024 + (4 << 20), "{opened} bytes were read to open {xml_len} of XML");
    let all = read_all(source.as_mut()).expect("good points");
    for (index, (position, source)) in all.positions.iter().zip(&all.sources).enumerate() {
        let (setup, point) = (index / POINTS, index % POINTS);
        assert_eq!(*position, DVec3::new(setup as f64 + 0.5, point as f64, setup as f64));
        assert_eq!(usize::from(*source), setup + 1);
    }
    assert_eq!(all.len(), SETUPS * POINTS);
    let peak = counting::PEAK.load(Ordering::Relaxed);
    assert!(peak < MEMORY_LIMIT, "{peak} bytes were held");
}
