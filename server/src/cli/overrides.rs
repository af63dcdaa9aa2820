//! Options of all commands that read scans: values that replace what a file says.

use std::path::Path;

use clap::Args;
use parterre_model::Error;
use parterre_read::Override;

/// Largest file with a WKT, in bytes.
const MAX_WKT: u64 = 1 << 20;

/// Values that replace what a file says.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Overrides {
    /// Direction that points up: x, y, z, -x, -y or -z. With y, (x, y, z) is taken as (x, -z, y).
    #[arg(long, value_name = "AXIS", allow_hyphen_values = true)]
    up: Option<String>,
    /// Unit of the coordinates: metre, foot, us-survey-foot, centimetre, millimetre, inch or degree.
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Coordinate reference system: EPSG:n, its WKT, or @ and a file with the WKT.
    #[arg(long, value_name = "CRS")]
    crs: Option<String>,
}

impl Overrides {
    pub(super) fn read(&self) -> Result<Override, Error> {
        let crs = match self.crs.as_deref() {
            Some(text) => match text.strip_prefix('@') {
                Some(file) => Some(wkt(Path::new(file))?),
                None => Some(text.to_owned()),
            },
            None => None,
        };
        Override::parse(self.up.as_deref(), self.unit.as_deref(), crs.as_deref())
    }
}

fn wkt(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::metadata(path).map_err(|error| Error::opening(path, error))?.len();
    if bytes > MAX_WKT {
        return Err(Error::input("crs_invalid", format!("a file of {bytes} bytes is no WKT"), "Use a file that contains only the WKT.")
            .in_file(path));
    }
    let text = std::fs::read(path).map_err(|error| Error::opening(path, error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
