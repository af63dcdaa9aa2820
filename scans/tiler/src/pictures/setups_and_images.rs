//! Setups (scanner stations) and images of the sources.
//!
//! Images are written as the sources store them, JPEG or PNG, as `images/0001.jpg` and so on in the order of the sources;
//! `setups.json` has the poses of scanner and cameras. Nothing is written where the sources have neither. The same sources
//! give the same bytes.
//!
//! A scan that a source is added to keeps its setups and images: new numbers follow the last one, so that point source numbers and file names
//! stay valid. Poses in the tile frame are computed again from those in the file frame, since the tile frame may have moved.
//!
//! Limits: one image is in memory at a time; readers limit its size. An image that cannot be read is left
//! out, with a warning.

use std::fs;
use std::path::{Path, PathBuf};

use glam::{DQuat, DVec3};
use serde::{Deserialize, Serialize};

use parterre_crs::Placement;
use parterre_model::frame::Frame;
use parterre_model::setup::{ImageInfo, Projection, Setup};
use parterre_model::{Error, ErrorKind, Result, Warning};
use parterre_read::PointSource;

/// Name of the document.
pub(crate) const DOCUMENT: &str = "setups.json";
const FOLDER: &str = "images";
const VERSION: u32 = 1;

/// The files that were written.
#[derive(Debug, Default)]
pub(crate) struct SetupsAndImages {
    /// Paths from the folder, with `/`, and lengths; the document first, then images by their numbers.
    pub(crate) files: Vec<(String, u64)>,
    /// One for each image that was left out.
    pub(crate) warnings: Vec<Warning>,
}

/// `setups.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    setups_version: u32,
    /// Frame of the scan.
    frame: Frame,
    /// In the order of point sources, which count from 1.
    setups: Vec<SetupEntry>,
    images: Vec<ImageEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SetupEntry {
    #[serde(flatten)]
    setup: Setup,
    #[serde(flatten)]
    tile_pose: TilePose,
}

/// An image, as its reader describes it, and its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ImageEntry {
    /// Path from the folder of the document.
    file: String,
    name: String,
    /// Length of the file.
    bytes: u64,
    /// Width and height in pixels.
    size: [u32; 2],
    /// Index in `setups`, from 0.
    setup: Option<usize>,
    position: Option<DVec3>,
    rotation: Option<DQuat>,
    #[serde(flatten)]
    tile_pose: Option<TilePose>,
    projection: Projection,
}

/// A pose in the tile frame, metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct TilePose {
    tile_position_m: DVec3,
    tile_rotation: DQuat,
}

impl TilePose {
    fn new(placement: &Placement, position: DVec3, rotation: DQuat) -> Self {
        let mut positions = [position];
        placement.tile_from_file(&mut positions);
        Self { tile_position_m: positions[0], tile_rotation: (placement.rotation_at(position) * rotation).normalize() }
    }
}

/// Writes the images and the document of the sources into `dir`, which must exist.
///
/// `previous` is the folder of the scan that the sources are added to, where there is one; its images are copied into
/// `dir`, unless it is the same.
///
/// # Errors
/// `io`; `setups_unreadable` where the document in `previous` is damaged or has another version.
pub(crate) fn extract(
    sources: &mut [Box<dyn PointSource>],
    placement: &Placement,
    previous: Option<&Path>,
    dir: &Path,
) -> Result<SetupsAndImages> {
    let mut document = match previous {
        Some(previous) => previous_document(previous, dir)?,
        None => None,
    }
    .unwrap_or_else(|| Document { setups_version: VERSION, frame: placement.frame().clone(), setups: Vec::new(), images: Vec::new() });
    document.frame = placement.frame().clone();
    let mut warnings = Vec::new();
    for source in sources {
        let setups_before = document.setups.len();
        let info = source.info();
        let (setups, images) = (info.setups.clone(), info.images.clone());
        document.setups.extend(
            setups.into_iter().map(|setup| SetupEntry { tile_pose: TilePose::new(placement, setup.position, setup.rotation), setup }),
        );
        for (index, image) in images.into_iter().enumerate() {
            let number = document.images.last().map_or(1, |last| number_of(&last.file) + 1);
            match source.read_image(index) {
                Ok(bytes) => document.images.push(write_image(&image, &bytes, number, setups_before, dir)?),
                Err(error) if error.kind() == ErrorKind::BadInput => {
                    warnings.push(Warning::new("image_left_out", error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
    }
    for entry in &mut document.setups {
        entry.tile_pose = TilePose::new(placement, entry.setup.position, entry.setup.rotation);
    }
    for entry in &mut document.images {
        let pose = entry.position.zip(entry.rotation);
        entry.tile_pose = pose.map(|(position, rotation)| TilePose::new(placement, position, rotation));
    }
    let mut files = Vec::new();
    if !document.setups.is_empty() || !document.images.is_empty() {
        let mut bytes = serde_json::to_vec_pretty(&document).map_err(|error| Error::Internal(error.to_string()))?;
        bytes.push(b'\n');
        write(&dir.join(DOCUMENT), &bytes)?;
        files.push((DOCUMENT.to_owned(), bytes.len() as u64));
        files.extend(document.images.iter().map(|image| (image.file.clone(), image.bytes)));
    }
    Ok(SetupsAndImages { files, warnings })
}

fn write_image(image: &ImageInfo, bytes: &[u8], number: u64, setups_before: usize, dir: &Path) -> Result<ImageEntry> {
    // The content decides: a source's statement about the format may be wrong.
    let extension = if bytes.starts_with(b"\x89PNG") { "png" } else { "jpg" };
    let file = format!("{FOLDER}/{number:04}.{extension}");
    let folder = dir.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| Error::io("write", folder, error))?;
    write(&dir.join(&file), bytes)?;
    Ok(ImageEntry {
        file,
        name: image.name.clone(),
        bytes: bytes.len() as u64,
        size: image.size,
        setup: image.setup.map(|setup| setup + setups_before),
        position: image.position,
        rotation: image.rotation,
        tile_pose: None,
        projection: image.projection,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|error| Error::io("write", path, error))
}

/// The number in the file name of an image; 0 where it has none.
fn number_of(file: &str) -> u64 {
    Path::new(file).file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok()).unwrap_or_default()
}

/// The document of the previous scan; copies its images into `dir`.
fn previous_document(previous: &Path, dir: &Path) -> Result<Option<Document>> {
    let path = previous.join(DOCUMENT);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    let unreadable = |why: String| {
        let hint = "It was damaged or made by a newer version: tile all files of the scan again.";
        Error::input("setups_unreadable", format!("the earlier scan's setups cannot be read: {why}"), hint).in_file(&path)
    };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if document.setups_version != VERSION {
        return Err(unreadable(format!("they are of version {}, not {VERSION}", document.setups_version)));
    }
    if previous != dir {
        for image in &document.images {
            // Only the file name: the document must not lead out of the folder.
            let name = Path::new(&image.file).file_name().ok_or_else(|| unreadable(format!("{:?} is no file", image.file)))?;
            let [from, to]: [PathBuf; 2] = [previous, dir].map(|folder| folder.join(FOLDER).join(name));
            let folder = dir.join(FOLDER);
            fs::create_dir_all(&folder).map_err(|error| Error::io("write", folder, error))?;
            fs::copy(&from, &to).map_err(|error| Error::io("copy", from, error))?;
        }
    }
    Ok(Some(document))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parterre_model::frame::{Unit, UnitSource};
    use parterre_model::points::{Attributes, Bounds, PointChunk};
    use parterre_read::SourceInfo;

    struct Images {
        info: SourceInfo,
        files: Vec<Vec<u8>>,
    }

    impl PointSource for Images {
        fn info(&self) -> &SourceInfo {
            &self.info
        }

        fn read_chunk(&mut self, chunk: &mut PointChunk, _: usize) -> Result<usize> {
            chunk.clear();
            Ok(0)
        }

        fn rewind(&mut self) -> Result<()> {
            Ok(())
        }

        fn warnings(&self) -> &[Warning] {
            &[]
        }

        fn read_image(&mut self, index: usize) -> Result<Vec<u8>> {
            let file = self.files[index].clone();
            if file.is_empty() { Err(Error::input("e57_image", "no picture", "Export it again.")) } else { Ok(file) }
        }
    }

    fn source(setups: usize, files: &[&[u8]]) -> Box<dyn PointSource> {
        let turn = DQuat::from_rotation_z(0.5);
        let setup = |n: usize| Setup {
            name: format!("setup {n}"),
            position: DVec3::new(10.0 + n as f64, 20.0, 30.0),
            rotation: turn,
            points: 7,
            posed: true,
        };
        let image = |(n, file): (usize, &&[u8])| ImageInfo {
            name: format!("picture {n}"),
            format: "jpeg".into(),
            bytes: file.len() as u64,
            size: [40, 30],
            position: (n == 0).then_some(DVec3::new(11.0, 21.0, 31.0)),
            rotation: (n == 0).then_some(turn),
            setup: Some(n).filter(|&n| n < setups),
            projection: Projection::Spherical { pixel_rad: [0.1, 0.2] },
        };
        let info = SourceInfo {
            format: "test".into(),
            points: 0,
            bounds: Bounds::EMPTY,
            crs: None,
            unit: Some(Unit::Metre),
            vertical_unit: None,
            unit_source: UnitSource::File,
            attributes: Attributes::default(),
            grid: None,
            setups: (0..setups).map(setup).collect(),
            images: files.iter().enumerate().map(image).collect(),
            warnings: Vec::new(),
        };
        Box::new(Images { info, files: files.iter().map(|file| file.to_vec()).collect() })
    }

    fn placement(middle: DVec3) -> Placement {
        let frame = Frame {
            origin_m: DVec3::ZERO,
            unit: Unit::Metre,
            vertical_unit: None,
            unit_source: UnitSource::File,
            crs: None,
            ecef_from_tile: None,
        };
        Placement::new(&frame, middle).expect("metres")
    }

    fn read(dir: &Path) -> Document {
        serde_json::from_slice(&fs::read(dir.join(DOCUMENT)).expect("a document")).expect("JSON")
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n...";
    const JPEG: &[u8] = b"\xff\xd8\xff...";

    #[test]
    fn images_and_setups_of_all_sources_are_numbered() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut sources = [source(2, &[JPEG, b"", PNG]), source(1, &[PNG])];
        let made = extract(&mut sources, &placement(DVec3::new(10.0, 20.0, 0.0)), None, dir.path()).expect("files");
        let names: Vec<_> = made.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["setups.json", "images/0001.jpg", "images/0002.png", "images/0003.png"]);
        for (name, bytes) in &made.files {
            assert_eq!(fs::metadata(dir.path().join(name)).expect("a file").len(), *bytes, "{name}");
        }
        assert_eq!(fs::read(dir.path().join("images/0002.png")).expect("a file"), PNG);
        assert_eq!(made.warnings.len(), 1);
        let document = read(dir.path());
        assert_eq!(document.setups.len(), 3);
        assert_eq!(document.setups[1].tile_pose.tile_position_m, DVec3::new(1.0, 0.0, 30.0));
        assert_eq!(document.images.iter().map(|image| image.setup).collect::<Vec<_>>(), [Some(0), None, Some(2)]);
        assert_eq!(document.images[0].tile_pose.map(|pose| pose.tile_position_m), Some(DVec3::new(1.0, 1.0, 31.0)));
        assert_eq!(document.images[1].tile_pose, None);

        let again = tempfile::tempdir().expect("a folder");
        let mut sources = [source(2, &[JPEG, b"", PNG]), source(1, &[PNG])];
        extract(&mut sources, &placement(DVec3::new(10.0, 20.0, 0.0)), None, again.path()).expect("files");
        assert_eq!(fs::read(dir.path().join(DOCUMENT)).expect("a file"), fs::read(again.path().join(DOCUMENT)).expect("a file"));
    }

    #[test]
    fn numbers_of_an_added_source_follow_those_of_the_scan() {
        let dirs = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
        let there = placement(DVec3::new(50.0, 60.0, 0.0));
        extract(&mut [source(2, &[JPEG])], &placement(DVec3::ZERO), None, dirs[0].path()).expect("files");
        extract(&mut [source(1, &[PNG])], &there, Some(dirs[0].path()), dirs[1].path()).expect("files");
        let whole = extract(&mut [source(2, &[JPEG]), source(1, &[PNG])], &there, None, dirs[2].path()).expect("files");
        for (name, _) in whole.files {
            let [one, other] = [1, 2].map(|index: usize| fs::read(dirs[index].path().join(&name)).expect("a file"));
            assert!(one == other, "{name}: {} {}", String::from_utf8_lossy(&one), String::from_utf8_lossy(&other));
        }
        // In the same folder too.
        extract(&mut [source(1, &[PNG])], &there, Some(dirs[0].path()), dirs[0].path()).expect("files");
        assert_eq!(read(dirs[0].path()), read(dirs[2].path()));
        fs::write(dirs[0].path().join(DOCUMENT), b"{\"setups_version\": 9}").expect("a file");
        let error = extract(&mut [], &there, Some(dirs[0].path()), dirs[0].path()).expect_err("no document");
        assert_eq!(error.code(), "setups_unreadable");
    }

    #[test]
    fn sources_without_setups_and_images_write_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let made = extract(&mut [source(0, &[])], &placement(DVec3::ZERO), None, dir.path()).expect("no files");
        assert!(made.files.is_empty() && fs::read_dir(dir.path()).expect("a folder").next().is_none());
    }
}
