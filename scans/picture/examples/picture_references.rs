//! Writes exact pictures of the demo venue into a folder: `picture_references DIR [POINTS [SEED [EYES [WIDTH HEIGHT]]]]`, with the number of points and the
//! seed of the scan that viewers will draw. `parterre_picture::reference` describes the files.

use std::io::Write as _;
use std::path::PathBuf;

use parterre_picture::reference::{Options, write_references};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("usage: picture_references DIR [POINTS [SEED [EYES [WIDTH HEIGHT]]]]")?);
    let numbers = arguments.map(|argument| argument.parse()).collect::<Result<Vec<u64>, _>>()?;
    let defaults = Options::default();
    let number = |index: usize, default: u64| numbers.get(index).copied().unwrap_or(default);
    let options = Options {
        points: number(0, defaults.points),
        seed: number(1, defaults.seed),
        eyes: number(2, defaults.eyes as u64) as usize,
        size: [number(3, defaults.size[0].into()) as u32, number(4, defaults.size[1].into()) as u32],
    };
    write_references(&dir, &options, &mut |traced| {
        let kept = if traced.is_kept { "" } else { ", left out" };
        // Progress is only for people to see.
        let _ = writeln!(std::io::stderr(), "{}: the scan holds {:.1} % of its surface{kept}", traced.name, traced.scanned * 100.0);
    })?;
    Ok(())
}
