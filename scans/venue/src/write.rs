//! Writing the scan as LAZ: LAS 1.4, point format 7, millimetre steps, a local coordinate system in WKT.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use las::point::{Classification, Format};
use las::{Builder, Color, Point, Transform, Vector, Vlr, Writer};

use super::scanner::{SCANNER, Sample};
use parterre_model::{Error, Result};

/// Metres in a local system: the corner of the building, x along the hall, z up.
const LOCAL_WKT: &str = concat!(
    r#"LOCAL_CS["Parterre demo venue",LOCAL_DATUM["Corner of the building",0],"#,
    r#"UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH],AXIS["z",UP]]"#
);

pub(super) fn laz(path: &Path, samples: &[Sample], progress: &dyn Fn(f64)) -> Result<()> {
    let faulty = |error: las::Error| match error {
        las::Error::Io(source) => Error::io("write", path, source),
        other => Error::Internal(format!("the demo scan could not be encoded: {other}")),
    };
    let mut builder = Builder::from((1, 4));
    builder.point_format = Format::new(7).map_err(faulty)?;
    builder.point_format.is_compressed = true;
    builder.generating_software = concat!("Parterre ", env!("CARGO_PKG_VERSION")).into();
    builder.system_identifier = "SIMULATED SCANNER".into();
    let transform = Transform { scale: SCANNER.resolution_m, offset: 0.0 };
    builder.transforms = Vector { x: transform, y: transform, z: transform };
    builder.has_wkt_crs = true;
    builder.vlrs.push(Vlr {
        user_id: "LASF_Projection".into(),
        record_id: 2112,
        description: "WKT".into(),
        data: LOCAL_WKT.bytes().chain([0]).collect(),
    });
    let header = builder.into_header().map_err(faulty)?;
    let file = File::create(path).map_err(|source| Error::io("write", path, source))?;
    let sink = Sink::new(file);
    let failure = Arc::clone(&sink.failure);
    let mut writer = Writer::new(sink, header).map_err(faulty)?;
    for (i, sample) in samples.iter().enumerate() {
        let [x, y, z] = sample.position.map(|step| f64::from(step) * SCANNER.resolution_m);
        let [red, green, blue] = sample.color.map(|c| u16::from(c) * 257);
        let point = Point {
            x,
            y,
            z,
            intensity: sample.intensity,
            return_number: 1,
            number_of_returns: 1,
            classification: Classification::new(sample.class).map_err(faulty)?,
            point_source_id: sample.setup,
            gps_time: Some(sample.time),
            color: Some(Color { red, green, blue }),
            ..Point::default()
        };
        writer.write_point(point).map_err(faulty)?;
        if i % 262_144 == 0 {
            progress(i as f64 / samples.len() as f64);
        }
    }
    writer.close().map_err(faulty)?;
    let mut sink = writer.into_inner().map_err(faulty)?;
    let _ = sink.flush();
    match failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(source) => Err(Error::io("write", path, source)),
        None => Ok(()),
    }
}

/// A file that remembers its first failure and swallows it: the LAS writer panics when it is dropped over a file that
/// fails, for example on a full disk.
struct Sink {
    file: BufWriter<File>,
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Sink {
    fn new(file: File) -> Self {
        Self { file: BufWriter::with_capacity(1 << 20, file), failure: Arc::default() }
    }

    fn keep<T>(&self, result: io::Result<T>, instead: T) -> T {
        result.unwrap_or_else(|error| {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            instead
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.file.write_all(bytes).map(|()| bytes.len());
        Ok(self.keep(result, bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Err(error) = self.file.flush() {
            self.keep(Err(error), 0_u64);
        }
        Ok(())
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let result = self.file.seek(to);
        Ok(self.keep(result, 0))
    }
}
