//! Makes the demo venue: `cargo run --release -p parterre-scans --example demo_venue -- DIR [POINTS] [SEED]`.

use std::path::PathBuf;

use parterre_scans::venue::{Options, demo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("a folder to write to is missing")?);
    let mut options = Options::default();
    if let Some(points) = arguments.next() {
        options.points = points.parse()?;
    }
    if let Some(seed) = arguments.next() {
        options.seed = seed.parse()?;
    }
    let made = demo(&dir, &options, &|_| ())?;
    eprintln!("{} points from {} setups in {:.1} s, in {}", made.points, made.setups, made.seconds, dir.display());
    Ok(())
}
