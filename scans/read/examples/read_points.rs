//! Reads every point of a scan file with its attributes, for measuring: `read_points FILE` prints how many there are and
//! the bounds.

use std::io::Write as _;
use std::path::Path;

use parterre_model::points::{Bounds, PointChunk};
use parterre_read as read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: read_points FILE")?;
    let mut source = read::open(Path::new(&file))?;
    let (mut chunk, mut count, mut bounds) = (PointChunk::default(), 0, Bounds::EMPTY);
    loop {
        let got = source.read_chunk(&mut chunk, 65_536)?;
        if got == 0 {
            break;
        }
        count += got;
        chunk.positions.iter().filter(|position| position.is_finite()).for_each(|&position| bounds.include(position));
    }
    Ok(writeln!(std::io::stdout(), "{count} points, {:?}", bounds.to_array())?)
}
