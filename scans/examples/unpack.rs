//! Unpacks an archive, meshopt decoded, for validators: `unpack ARCHIVE DIR`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(archive), Some(dir)) = (arguments.next(), arguments.next()) else {
        return Err("usage: unpack ARCHIVE DIR".into());
    };
    parterre_scans::tiler::unpack(&archive, &dir, true)?;
    Ok(())
}
