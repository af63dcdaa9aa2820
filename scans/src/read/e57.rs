//! E57 (ASTM E2807), every scan of a file one after the other, each in its place.
//!
//! A file is a row of pages with checksums ([`pages`]); its XML ([`document`]) lists scans and pictures; the points of a
//! scan are a section of packets ([`vector`]). Positions are cartesian or spherical, floats or whole numbers with scale and
//! offset; the scan's pose turns them into the file frame. A point without a valid position is given as NaN, so that the
//! caller counts it as dropped, and told by a warning at the end. Intensity and colour are scaled to 16 bits ([`ranges`]);
//! values marked as invalid are 0. Point sources are 1 + the scan's place in the file, which is also its place among the
//! setups.
//!
//! Times of points are seconds since the start of their scan, which is in GPS seconds: together they are GPS time, given
//! less a thousand million as LAS wants it. A file where a scan with times has no start, or one that is no date since 2002,
//! counts from somewhere else: its times are given as they are, as of an unknown clock ([`settle_clock`]).
//!
//! Limits: version 1 of the format. Only what is read is checked against the checksums. Rows, columns, groups, index
//! packets and the fields of extensions (but a classification) are passed over. Memory stays below about 200 MiB for any
//! file: the XML is read as a stream, packets one by one.

mod assemble;
mod crc;
mod document;
mod pages;
mod pictures;
mod ranges;
mod scan;
mod vector;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use glam::{DQuat, DVec3};

use self::assemble::Tally;
use self::document::Document;
use self::pages::Pages;
use self::pictures::Picture;
use self::ranges::{Ranges, Sample};
use self::scan::{Coding, Role, Scan};
use self::vector::{Columns, Vector};
use crate::error::{Error, Result};
use crate::frame::{Unit, UnitSource};
use crate::points::{Attributes, Bounds, PointChunk};
use crate::read::adapt::adapt;
use crate::read::contain::contained;
use crate::read::crs::{Crs, wkt};
use crate::read::record::{self, RecordChunk, Wanted};
use crate::read::{ImageInfo, Override, PointSource, Precision, Setup, Source, SourceInfo, Warning};

/// Points decoded at a time.
const BLOCK_POINTS: usize = 8_192;
/// Scans whose first points are looked at when a file is opened, and how many points of each.
const SAMPLE_SCANS: usize = 5;
const SAMPLE_POINTS: usize = 10_000;
/// Scans of which positions are sampled, how many points of them are read for it in all (some 10 ms), and how many of these are given.
const SPREAD_SCANS: usize = 32;
const SPREAD_READ: usize = 400_000;
const SPREAD_KEPT: usize = 60_000;
/// Constants take no bytes, so that a file's length does not limit the number of points made of constants alone.
const MOST_CONSTANT_POINTS: u64 = 1 << 20;

/// GPS seconds that LAS subtracts from times, and the least that a scan starts at whose clock counts them: in March 2002.
const STANDARD_TIME_OFFSET: f64 = 1e9;
const LEAST_START: f64 = 7e8;

/// Opens E57 bytes of the given length; `name` stands for the file in messages, `wishes` go before what the file says.
///
/// Reads the header, the XML and the first packets of at most [`SAMPLE_SCANS`] scans.
///
/// # Errors
/// `e57_header`, `e57_truncated`, `e57_checksum`, `e57_xml`, `e57_too_many`, `e57_no_points`, `e57_fields`, `e57_point_count`,
/// and while points or pictures are read also `e57_section`, `e57_packet`, `e57_points_missing` and `e57_image`;
/// `crs_invalid`.
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, wishes: &Override) -> Result<Box<dyn PointSource>> {
    adapt(reader(source, len, name)?, wishes).map_err(|error| error.in_file(name))
}

/// What the file says, as it says it.
pub(super) fn reader(source: Box<dyn Source>, len: u64, name: &Path) -> Result<Box<dyn PointSource>> {
    let reader = E57Reader::open(source, len, name).map_err(|error| error.in_file(name))?;
    Ok(Box::new(reader))
}

struct E57Reader {
    name: PathBuf,
    info: SourceInfo,
    pages: Pages,
    scans: Vec<Scan>,
    ranges: Vec<Ranges>,
    gps_standard_time: bool,
    pictures: Vec<Picture>,
    columns: Box<Columns>,
    /// The scan at hand, and its points once they were begun.
    scan: usize,
    vector: Option<Vector>,
    tally: Tally,
    warnings: Vec<Warning>,
    told: bool,
    /// After a fault the place within the file is lost.
    failed: bool,
}

impl E57Reader {
    fn open(source: Box<dyn Source>, len: u64, name: &Path) -> Result<Self> {
        let (mut pages, header) = Pages::open(source, len, name)?;
        let mut warnings = Vec::new();
        let mut warn = |code, message| warnings.push(Warning { code, message });
        if header.announced_len < len {
            warn("e57_length", format!("the file has {len} bytes, its header announces {}: the rest is not read", header.announced_len));
        }
        let document = contained(|| document::read(&mut pages, &header))
            .unwrap_or_else(|panic| Err(document::invalid(format!("the XML cannot be read: {panic}"))))?;
        let Document { crs, mut scans, mut pictures } = document;
        check_scans(&scans, &pages, &mut warn)?;
        keep_plausible(&mut pictures, &pages, &mut warn);

        let crs = crs_of(crs.as_deref(), &mut warn);
        let mut attributes = Attributes::default();
        for scan in scans.iter().filter(|scan| scan.fields.is_ok() && scan.points > 0) {
            attributes.color |= scan.has_color();
            attributes.intensity |= scan.has(Role::Intensity);
            attributes.classification |= scan.has(Role::Class);
            attributes.returns |= scan.has(Role::ReturnIndex) || scan.has(Role::ReturnCount);
            attributes.gps_time |= scan.has(Role::Time);
        }
        let gps_standard_time = settle_clock(&mut scans, &mut warn);
        let [major, minor] = header.version;
        let mut reader = Self {
            name: name.to_path_buf(),
            info: SourceInfo {
                format: format!("E57 {major}.{minor}"),
                points: scans.iter().filter(|scan| scan.fields.is_ok()).map(|scan| scan.points).sum(),
                bounds: Bounds::EMPTY,
                crs,
                // By the standard.
                unit: Some(Unit::Metre),
                vertical_unit: None,
                unit_source: UnitSource::File,
                attributes,
                grid: None,
                setups: scans.iter().map(setup_of).collect(),
                images: images_of(&pictures, &scans),
                warnings,
            },
            pages,
            scans,
            ranges: Vec::new(),
            gps_standard_time,
            pictures,
            columns: Box::default(),
            scan: 0,
            vector: None,
            tally: Tally::default(),
            warnings: Vec::new(),
            told: false,
            failed: false,
        };
        let samples = reader.sample_values()?;
        reader.ranges = ranges::settle(&reader.scans, &samples, &mut reader.info.warnings);
        reader.info.bounds = bounds_of(&reader.scans, &samples);
        Ok(reader)
    }

    /// Looks at the first points of some of the scans that leave something open.
    fn sample_values(&mut self) -> Result<Vec<Option<Sample>>> {
        let mut samples = vec![None; self.scans.len()];
        let needy: Vec<_> = (0..self.scans.len()).filter(|&place| ranges::needs_sample(&self.scans[place])).collect();
        let step = needy.len().div_ceil(SAMPLE_SCANS).max(1);
        for place in needy.into_iter().step_by(step) {
            let scan = &self.scans[place];
            let mut vector = Vector::open(&mut self.pages, scan)?;
            let (mut sample, mut seen) = (Sample::EMPTY, 0);
            while seen < SAMPLE_POINTS {
                let count = vector.block(&mut self.pages, SAMPLE_POINTS - seen, |_| true, &mut self.columns)?;
                if count == 0 {
                    break;
                }
                assemble::measure(scan, count, &self.columns, &mut sample);
                seen += count;
            }
            samples[place] = Some(sample);
        }
        Ok(samples)
    }

    fn read(&mut self, chunk: &mut PointChunk, max: usize, attributes: Attributes) -> Result<usize> {
        chunk.clear();
        while chunk.len() < max {
            let Some(scan) = self.scans.get(self.scan) else { break };
            if scan.points == 0 || scan.fields.is_err() {
                self.scan += 1;
                continue;
            }
            let vector = match &mut self.vector {
                Some(vector) => vector,
                none => none.insert(Vector::open(&mut self.pages, scan)?),
            };
            let most = BLOCK_POINTS.min(max - chunk.len());
            let count = vector.block(&mut self.pages, most, |role| is_wanted(role, attributes), &mut self.columns)?;
            let source = self.scan as u16 + 1;
            let met = assemble::append(scan, self.ranges[self.scan], attributes, source, count, &self.columns, chunk);
            self.tally.invalid += met.invalid;
            self.tally.clamped += met.clamped;
            if vector.left() == 0 {
                self.vector = None;
                self.scan += 1;
            }
        }
        if self.scan == self.scans.len() && !self.told {
            self.told = true;
            self.tell();
        }
        Ok(chunk.len())
    }

    fn tell(&mut self) {
        let Tally { invalid, clamped } = self.tally;
        if invalid > 0 {
            let message = format!("{invalid} of {} points have no valid position: they are left out", self.info.points);
            self.warnings.push(Warning { code: "e57_points_invalid", message });
        }
        if clamped > 0 {
            let message =
                format!("{clamped} values of intensity or colour are outside of the limits that the file declares: they are clamped");
            self.warnings.push(Warning { code: "e57_values_clamped", message });
        }
    }

    fn read_checked(&mut self, chunk: &mut PointChunk, max: usize, attributes: Attributes) -> Result<usize> {
        if self.failed {
            let message = "reading went on after a fault";
            return Err(Error::input("e57_packet", message, "Export the file again.").in_file(&self.name));
        }
        let outcome = self.read(chunk, max, attributes);
        self.failed = outcome.is_err();
        outcome.map_err(|error| error.in_file(&self.name))
    }
}

impl PointSource for E57Reader {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        self.read_checked(chunk, max, self.info.attributes)
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let mut columns = PointChunk { positions: std::mem::take(&mut chunk.positions), ..PointChunk::default() };
        chunk.clear();
        let attributes = if wanted == Wanted::Records { self.info.attributes } else { Attributes::default() };
        let count = self.read_checked(&mut columns, max, attributes)?;
        if wanted == Wanted::Records {
            record::pack(&columns, attributes.color, &mut chunk.tails);
        }
        chunk.positions = columns.positions;
        Ok(count)
    }

    fn rewind(&mut self) -> Result<()> {
        self.scan = 0;
        self.vector = None;
        self.tally = Tally::default();
        self.warnings.clear();
        self.told = false;
        self.failed = false;
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn gps_standard_time(&self) -> bool {
        self.gps_standard_time
    }

    /// The first points of scans spread over the file: scans keep the order of the instrument, so that of each as many are read as show more
    /// than a few columns, and some of these given.
    fn sample(&mut self) -> Result<Vec<DVec3>> {
        let usable: Vec<usize> =
            (0..self.scans.len()).filter(|&place| self.scans[place].points > 0 && self.scans[place].fields.is_ok()).collect();
        let chosen = usable.len().min(SPREAD_SCANS).max(1);
        let (read, kept) = (SPREAD_READ / chosen, SPREAD_KEPT / chosen);
        let mut out = Vec::new();
        let mut chunk = PointChunk::default();
        for index in 0..chosen.min(usable.len()) {
            let place = usable[index * usable.len() / chosen];
            let scan = &self.scans[place];
            let named = |error: Error| error.in_file(&self.name);
            let mut vector = Vector::open(&mut self.pages, scan).map_err(named)?;
            let wanted = usize::try_from(scan.points).unwrap_or(usize::MAX).min(read);
            let step = wanted.div_ceil(kept).max(1);
            let mut seen = 0;
            while seen < wanted {
                let most = BLOCK_POINTS.min(wanted - seen);
                let count =
                    vector.block(&mut self.pages, most, |role| is_wanted(role, Attributes::default()), &mut self.columns).map_err(named)?;
                if count == 0 {
                    break;
                }
                chunk.clear();
                assemble::append(scan, self.ranges[place], Attributes::default(), 0, count, &self.columns, &mut chunk);
                let skipped = (step - seen % step) % step;
                out.extend(chunk.positions.iter().skip(skipped).step_by(step));
                seen += count;
            }
        }
        Ok(out)
    }

    fn precision(&self) -> Precision {
        precision_of(&self.scans)
    }

    fn read_image(&mut self, index: usize) -> Result<Vec<u8>> {
        let picture = self.pictures.get(index).ok_or_else(|| Error::Internal(format!("there is no picture {index}")))?;
        pictures::read(picture, &mut self.pages).map_err(|error| error.in_file(&self.name))
    }
}

/// The finest of the scans' steps; floating-point numbers go first, for they have no step. Poses and spherical coordinates are computed with:
/// such positions are shown to a tenth of a millimetre, below what any scanner measures.
fn precision_of(scans: &[Scan]) -> Precision {
    const COMPUTED_STEP_M: f64 = 1e-4;
    let usable = || scans.iter().filter(|scan| scan.points > 0);
    if usable().any(|scan| scan.pose.is_some() || !scan.has(Role::X)) {
        return Precision::Steps(DVec3::splat(COMPUTED_STEP_M));
    }
    let mut steps = DVec3::INFINITY;
    let mut has_single = false;
    for field in usable().filter_map(|scan| scan.fields.as_ref().ok()).flat_map(|fields| fields.iter()) {
        let Some(axis) = [Role::X, Role::Y, Role::Z].iter().position(|&role| role == field.role) else { continue };
        match field.coding {
            Coding::Double => return Precision::Double,
            Coding::Single => has_single = true,
            Coding::Integer { scale, .. } => steps[axis] = steps[axis].min(scale.abs()),
        }
    }
    if has_single { Precision::Single } else { Precision::Steps(steps) }
}

fn is_wanted(role: Role, attributes: Attributes) -> bool {
    match role {
        Role::Intensity | Role::IntensityState => attributes.intensity,
        Role::Red | Role::Green | Role::Blue | Role::ColorState => attributes.color,
        Role::ReturnIndex | Role::ReturnCount => attributes.returns,
        Role::Time | Role::TimeState => attributes.gps_time,
        Role::Class => attributes.classification,
        // Positions.
        _ => true,
    }
}

/// Puts the scans' starts into standard GPS time where all that have times start at a GPS time. Returns whether they do.
fn settle_clock(scans: &mut [Scan], warn: &mut impl FnMut(&'static str, String)) -> bool {
    let timed = || scans.iter().filter(|scan| scan.points > 0 && scan.has(Role::Time));
    let dated = timed().filter(|scan| scan.start_time >= LEAST_START).count();
    if dated == 0 {
        return false;
    }
    if dated < timed().count() {
        let message = format!(
            "{dated} of {} scans with times have a date to count them from: all times are kept as they are, and not called GPS time",
            timed().count()
        );
        warn("gps_time_mixed", message);
        return false;
    }
    for scan in scans.iter_mut() {
        scan.start_time -= STANDARD_TIME_OFFSET;
    }
    true
}

/// Refuses files without points, or with more than can be in them; tells of scans that are left out.
fn check_scans(scans: &[Scan], pages: &Pages, warn: &mut impl FnMut(&'static str, String)) -> Result<()> {
    const EMPTY_HINT: &str = "Export the scan again, with its points.";
    if scans.iter().all(|scan| scan.points == 0) {
        let message = format!("the file holds no points ({} scans)", scans.len());
        return Err(Error::input("e57_no_points", message, EMPTY_HINT));
    }
    let unusable: Vec<_> =
        scans.iter().filter(|scan| scan.points > 0).filter_map(|scan| Some((scan, scan.fields.as_ref().err()?))).collect();
    if let Some((scan, why)) = unusable.first() {
        let (count, points) = (unusable.len(), unusable.iter().fold(0_u64, |sum, (scan, _)| sum.saturating_add(scan.points)));
        let message = format!("{count} scans with {points} points cannot be read; of {:?}: {why}", scan.name);
        if scans.iter().all(|scan| scan.points == 0 || scan.fields.is_err()) {
            return Err(Error::input("e57_fields", message, "Export the scan with cartesian coordinates."));
        }
        warn("e57_scans_left_out", message);
    }
    let (mut bits, mut constant_points) = (0_u128, 0_u64);
    for scan in scans {
        let Ok(fields) = &scan.fields else { continue };
        match fields.iter().map(|field| u128::from(field.coding.width())).sum::<u128>() {
            0 => constant_points = constant_points.saturating_add(scan.points),
            width => bits += width * u128::from(scan.points),
        }
    }
    if bits > 8 * u128::from(pages.logical_len()) || constant_points > MOST_CONSTANT_POINTS {
        let points: u128 = scans.iter().map(|scan| u128::from(scan.points)).sum();
        let message = format!("{points} points are announced, more than the file's {} bytes can hold", pages.logical_len());
        return Err(Error::input("e57_point_count", message, "The file is damaged or cut off: export it again."));
    }
    let poses = scans.iter().filter_map(|scan| scan.pose.as_ref());
    let (refused, mended) =
        poses.fold((0, 0), |(refused, mended), pose| (refused + u64::from(pose.refused), mended + u64::from(pose.mended)));
    if refused > 0 {
        warn(
            "e57_pose_refused",
            format!("{refused} scans have a pose that is none (its numbers are missing, infinite or all 0): they are read without it"),
        );
    }
    if mended > 0 {
        warn(
            "e57_pose_mended",
            format!("{mended} scans have a rotation whose quaternion is not of length 1: it is taken as the direction it gives"),
        );
    }
    Ok(())
}

/// Drops pictures that cannot be in the file, and tells of what is left out.
fn keep_plausible(pictures: &mut Vec<Picture>, pages: &Pages, warn: &mut impl FnMut(&'static str, String)) {
    let mut first = None;
    let before = pictures.len();
    pictures.retain(|picture| match pictures::implausible(picture, pages) {
        Some(why) => {
            first.get_or_insert_with(|| format!("{:?}: {why}", picture.info.name));
            false
        }
        None => true,
    });
    if let Some(first) = first {
        warn("e57_images_left_out", format!("{} pictures are left out; of {first}", before - pictures.len()));
    }
    let masks = pictures.iter().filter(|picture| picture.has_mask).count();
    if masks > 0 {
        warn("e57_image_masks", format!("{masks} pictures have a mask of valid pixels: it is not kept"));
    }
    let refused = pictures.iter().filter(|picture| picture.pose_refused).count();
    if refused > 0 {
        warn("e57_image_pose_refused", format!("{refused} pictures have a pose that is none: they are kept without it"));
    }
}

/// The name of the coordinate system. By the standard coordinates are metres: systems in other units are not taken.
fn crs_of(text: Option<&str>, warn: &mut impl FnMut(&'static str, String)) -> Option<String> {
    let text = text?;
    let crs = if let Some(code) = epsg_of(text) {
        Crs { name: Some(format!("EPSG:{code}")), unit: super::crs::unit_of_epsg(code), ..Crs::default() }
    } else {
        wkt::read(text)
    };
    let told = !crs.warnings.is_empty();
    crs.warnings.into_iter().for_each(|Warning { code, message }| warn(code, message));
    match (crs.name, crs.unit) {
        (Some(name), Some(unit)) if unit != Unit::Metre => {
            let name = document::clip(&name, 80);
            warn(
                "e57_crs_unit",
                format!("the coordinate system {name} counts in another unit ({unit:?}), but E57 in metres: it is not taken"),
            );
            None
        }
        (Some(name), _) => Some(name),
        (None, _) => {
            if !told {
                warn("crs_unreadable", format!("the coordinate system has no name: {:?}", document::clip(text, 80)));
            }
            None
        }
    }
}

/// The code of `EPSG:n` or `urn:ogc:def:crs:EPSG:…:n`, or of such a line alone.
fn epsg_of(text: &str) -> Option<u32> {
    let upper = text.trim().to_ascii_uppercase();
    let rest = upper.strip_prefix("URN:OGC:DEF:CRS:").unwrap_or(&upper).strip_prefix("EPSG:")?;
    rest.rsplit(':').next()?.trim().parse().ok()
}

fn setup_of(scan: &Scan) -> Setup {
    Setup {
        name: scan.name.clone(),
        position: scan.pose.map_or(DVec3::ZERO, |pose| pose.translation),
        rotation: scan.pose.map_or(DQuat::IDENTITY, |pose| pose.rotation),
        points: if scan.fields.is_ok() { scan.points } else { 0 },
        posed: scan.pose.is_some_and(|pose| !pose.refused),
    }
}

fn images_of(pictures: &[Picture], scans: &[Scan]) -> Vec<ImageInfo> {
    let mut places = HashMap::new();
    for (place, guid) in scans.iter().enumerate().filter_map(|(place, scan)| Some((place, scan.guid.as_deref()?))) {
        places.entry(guid).or_insert(place);
    }
    let image_of = |picture: &Picture| {
        let mut info = picture.info.clone();
        info.setup = picture.scan.as_deref().and_then(|guid| places.get(guid).copied());
        if picture.pose_refused {
            (info.position, info.rotation) = (None, None);
        }
        info
    };
    pictures.iter().map(image_of).collect()
}

/// The box around all scans' boxes, turned into the file frame.
fn bounds_of(scans: &[Scan], samples: &[Option<Sample>]) -> Bounds {
    let mut bounds = Bounds::EMPTY;
    for (scan, sample) in scans.iter().zip(samples).filter(|(scan, _)| scan.points > 0 && scan.fields.is_ok()) {
        let measured = || sample.map(|found| found.bounds).filter(|bounds| !bounds.is_empty());
        let Some(Bounds { min, max }) = scan.bounds.or_else(measured) else { continue };
        for corner in 0..8 {
            let pick = |axis: usize| if corner >> axis & 1 == 0 { min[axis] } else { max[axis] };
            let local = DVec3::new(pick(0), pick(1), pick(2));
            bounds.include(scan.pose.map_or(local, |pose| pose.rotation * local + pose.translation));
        }
    }
    bounds
}
