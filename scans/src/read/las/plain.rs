//! Uncompressed point records, and how many of them there really are.

use std::io::{Read, Seek, SeekFrom};

use glam::DVec3;

use super::Input;
use super::header::{self, Header, TRUNCATED_HINT};
use super::raw::{Fault, RawRecords};
use crate::error::Error;
use crate::points::Bounds;
use crate::read::{Grid, Warning};

/// Records looked at before records beyond the announced count are taken for points.
const PROBES: u64 = 1000;

/// Records as they lie in the file.
pub(super) struct Plain {
    input: Input,
    data_offset: u64,
    record_len: u64,
    points: u64,
    next: u64,
}

impl Plain {
    /// Corrects the header's count by what the file holds: a file that was cut short has what is left, and one whose
    /// writer left too small a count behind has what follows, if that lies within the announced bounds.
    ///
    /// # Errors
    /// `las_truncated` and `las_no_points` where not one point is there.
    pub(super) fn open(mut input: Input, header: &mut Header, warnings: &mut Vec<Warning>) -> Result<Self, Fault> {
        let record_len = header.record_len as u64;
        let announced = header.points;
        // What follows the points is said to begin where they are: one of the two is wrong, and it is not the count, if
        // the file has room for it.
        if (1..=(header.file_len - header.data_offset) / record_len).contains(&announced) {
            header.data_end = header.data_end.max(header.data_offset + announced * record_len);
        }
        let room = (header.data_end - header.data_offset) / record_len;
        if room == 0 {
            if announced == 0 {
                return Err(header::no_points().into());
            }
            let message = format!("{announced} points of {record_len} bytes are announced and none is there");
            return Err(Error::input("las_truncated", message, TRUNCATED_HINT).into());
        }
        if announced > room {
            warnings.push(Warning {
                code: "las_truncated",
                message: format!("{announced} points are announced and {room} are there, which are read: the file may have been cut short"),
            });
            header.points = room;
        } else if announced < room {
            if beyond_are_points(&mut input, header, room)? {
                warnings.push(header::count_corrected(announced, room));
                header.points = room;
            } else if announced == 0 {
                return Err(header::no_points().into());
            } else {
                let bytes = header.data_end - header.data_offset - announced * record_len;
                warnings.push(Warning {
                    code: "las_bytes_beyond",
                    message: format!("{bytes} bytes after the {announced} announced points do not look like points: they are not read"),
                });
            }
        }
        Ok(Self { input, data_offset: header.data_offset, record_len, points: header.points, next: 0 })
    }
}

/// Whether the records after those announced lie where points are announced to lie. Of a file that announces none, bounds
/// included, all are taken.
fn beyond_are_points(input: &mut Input, header: &Header, room: u64) -> Result<bool, Fault> {
    let Bounds { min, max } = header.bounds;
    let is_box = min.is_finite() && max.is_finite() && min.cmple(max).all() && min != max;
    if !is_box {
        return Ok(header.points == 0);
    }
    let grid = Grid { scale: header.scale, offset: header.offset };
    let slack = grid.scale.abs();
    let beyond = room - header.points;
    let step = beyond.div_ceil(PROBES);
    let mut place = [0; 12];
    for probe in 0..beyond.div_ceil(step) {
        let at = header.data_offset + (header.points + probe * step) * header.record_len as u64;
        input.seek(SeekFrom::Start(at))?;
        input.read_exact(&mut place)?;
        let steps = std::array::from_fn(|axis| i32::from_le_bytes(std::array::from_fn(|i| place[4 * axis + i])));
        let position: DVec3 = grid.position(steps);
        if !header.bounds.contains_box(Bounds { min: position, max: position }, slack) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl RawRecords for Plain {
    fn read(&mut self, out: &mut Vec<u8>, wanted: u64) -> Result<(), Fault> {
        let count = wanted.min(self.points - self.next);
        let start = out.len();
        out.resize(start + (count * self.record_len) as usize, 0);
        self.input.seek(SeekFrom::Start(self.data_offset + self.next * self.record_len))?;
        self.input.read_exact(&mut out[start..]).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                Fault::Input(Error::input("las_truncated", "the file ended while its points were read", TRUNCATED_HINT))
            }
            _ => Fault::Io(error),
        })?;
        self.next += count;
        Ok(())
    }

    fn go_to(&mut self, point: u64) -> bool {
        self.next = point.min(self.points);
        true
    }
}
