//! E57 (ASTM E2807): all scans of a file one after the other, each placed by its pose.
//!
//! A file is a sequence of pages with checksums ([`pages`]); its XML ([`document`]) lists scans and pictures; the points of a
//! scan are a section of packets ([`vector`]). Positions are cartesian or spherical, floats or integers with scale and
//! offset; the scan's pose transforms them to the file frame. A point without a valid position is returned as NaN, so that the
//! caller counts it as dropped; a warning at the end says how many there are. Intensity and colour are scaled to 16 bits ([`ranges`]);
//! values marked as invalid are 0. Point source ids are 1 + the scan's index in the file, which is also its index among the
//! setups.
//!
//! Times of points are seconds since the start of their scan, which is in GPS seconds: their sum is GPS time, returned
//! minus 1e9 as LAS requires. Where a scan with times has no start, or one before 2002,
//! times are returned unchanged, and not called GPS time ([`resolve_clock`]).
//!
//! Limits: version 1 of the format. Only what is read is checked against the checksums. Rows, columns, groups, index
//! packets and the fields of extensions (but a classification) are skipped. Memory stays below about 200 MiB for any
//! file: the XML is read as a stream, packets one by one.

mod assemble;
mod crc;
mod document;
mod pages;
mod pictures;
mod ranges;
mod scan;
mod spread;
mod vector;
mod xml;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use glam::{DQuat, DVec3};

use self::assemble::Problems;
use self::document::Document;
use self::pages::Pages;
use self::pictures::Picture;
use self::ranges::{Ranges, Sample};
use self::scan::{Coding, Role, Scan};
use self::vector::{Columns, Vector};
use crate::adapt::adapt;
use crate::overrides::Override;
use crate::precision::Precision;
use crate::source::{PointSource, Source, SourceInfo};
use parterre_crs::declared::Crs;
use parterre_crs::wkt;
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::{Attributes, Bounds, PointChunk};
use parterre_model::record::Wanted;
use parterre_model::setup::{ImageInfo, Setup};
use parterre_model::{Error, Result, Warning, panics};

/// Points decoded at a time.
const BLOCK_POINTS: usize = 8_192;
/// Scans that are sampled when a file is opened, and how many points of each.
const SAMPLE_SCANS: usize = 5;
const SAMPLE_POINTS: usize = 10_000;
/// Constant fields take no bytes, so the length of a file does not limit the number of points whose fields are all constant.
const MAX_CONSTANT_POINTS: u64 = 1 << 20;

/// Seconds that LAS subtracts from GPS times, and the earliest start, in GPS seconds, of a scan whose clock is taken as GPS time: March 2002.
const STANDARD_TIME_OFFSET: f64 = 1e9;
const LEAST_START: f64 = 7e8;

/// Opens E57 bytes of the given length; `name` stands for the file in messages, `overrides` replace what the file says.
///
/// Reads the header, the XML, the first packets of at most [`SAMPLE_SCANS`] scans whose XML does not give all ranges, and, where the axis
/// that points up and a CRS are not given, some packets of scans spread over the file ([`spread`]).
///
/// # Errors
/// `e57_header`, `e57_truncated`, `e57_checksum`, `e57_xml`, `e57_too_many`, `e57_no_points`, `e57_fields`, `e57_point_count`,
/// and while points or pictures are read also `e57_section`, `e57_packet`, `e57_points_missing` and `e57_image`;
/// `crs_invalid`.
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, overrides: &Override) -> Result<Box<dyn PointSource>> {
    adapt(reader(source, len, name)?, overrides).map_err(|error| error.in_file(name))
}

/// A reader without overrides.
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
    /// Index of the current scan, and its packets once reading of them began.
    scan: usize,
    vector: Option<Vector>,
    problems: Problems,
    warnings: Vec<Warning>,
    reported: bool,
    /// After an error the position in the file is not known.
    failed: bool,
}

impl E57Reader {
    fn open(source: Box<dyn Source>, len: u64, name: &Path) -> Result<Self> {
        let (mut pages, header) = Pages::open(source, len, name)?;
        let mut warnings = Vec::new();
        if header.announced_len < len {
            warnings.push(Warning::new(
                "e57_length",
                format!("the file has {len} bytes, but its header says {}: the rest is not read", header.announced_len),
            ));
        }
        let document = panics::catch(|| document::read(&mut pages, &header))
            .unwrap_or_else(|panic| Err(xml::invalid(format!("the XML cannot be read: {panic}"))))?;
        let Document { crs, mut scans, mut pictures } = document;
        check_scans(&scans, &pages, &mut warnings)?;
        drop_implausible(&mut pictures, &pages, &mut warnings);

        let crs = crs_of(crs.as_deref(), &mut warnings);
        let mut attributes = Attributes::default();
        for scan in scans.iter().filter(|scan| scan.fields.is_ok() && scan.points > 0) {
            attributes.color |= scan.has_color();
            attributes.intensity |= scan.has(Role::Intensity);
            attributes.classification |= scan.has(Role::Class);
            attributes.returns |= scan.has(Role::ReturnIndex) || scan.has(Role::ReturnCount);
            attributes.gps_time |= scan.has(Role::Time);
        }
        let gps_standard_time = resolve_clock(&mut scans, &mut warnings);
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
            problems: Problems::default(),
            warnings: Vec::new(),
            reported: false,
            failed: false,
        };
        let samples = reader.sample_values()?;
        reader.ranges = ranges::resolve(&reader.scans, &samples, &mut reader.info.warnings);
        reader.info.bounds = bounds_of(&reader.scans, &samples);
        Ok(reader)
    }

    /// Reads the first points of some of the scans whose XML does not give all ranges and bounds.
    fn sample_values(&mut self) -> Result<Vec<Option<Sample>>> {
        let mut samples = vec![None; self.scans.len()];
        let unresolved: Vec<_> = (0..self.scans.len()).filter(|&place| ranges::needs_sample(&self.scans[place])).collect();
        let step = unresolved.len().div_ceil(SAMPLE_SCANS).max(1);
        for place in unresolved.into_iter().step_by(step) {
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
            let count = vector.block(&mut self.pages, most, |role| assemble::is_wanted(role, attributes), &mut self.columns)?;
            let source = self.scan as u16 + 1;
            let found = assemble::append(scan, self.ranges[self.scan], attributes, source, count, &self.columns, chunk);
            self.problems.invalid += found.invalid;
            self.problems.clamped += found.clamped;
            if vector.left() == 0 {
                self.vector = None;
                self.scan += 1;
            }
        }
        if self.scan == self.scans.len() && !self.reported {
            self.reported = true;
            self.report_problems();
        }
        Ok(chunk.len())
    }

    fn report_problems(&mut self) {
        let Problems { invalid, clamped } = self.problems;
        if invalid > 0 {
            let message = format!("{invalid} of {} points have no valid position: they are left out", self.info.points);
            self.warnings.push(Warning::new("e57_points_invalid", message));
        }
        if clamped > 0 {
            let message = format!(
                "{clamped} values of intensity or colour are outside of the limits that the file declares: they are clamped to these limits"
            );
            self.warnings.push(Warning::new("e57_values_clamped", message));
        }
    }

    fn read_checked(&mut self, chunk: &mut PointChunk, max: usize, attributes: Attributes) -> Result<usize> {
        if self.failed {
            let message = "reading cannot continue after an earlier error in this file";
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

    fn read_columns(&mut self, chunk: &mut PointChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let attributes = if wanted == Wanted::Records { self.info.attributes } else { Attributes::default() };
        self.read_checked(chunk, max, attributes)
    }

    fn rewind(&mut self) -> Result<()> {
        self.scan = 0;
        self.vector = None;
        self.problems = Problems::default();
        self.warnings.clear();
        self.reported = false;
        self.failed = false;
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn gps_standard_time(&self) -> bool {
        self.gps_standard_time
    }

    fn sample(&mut self) -> Result<Vec<DVec3>> {
        spread::positions(&mut self.pages, &self.scans, &self.ranges).map_err(|error| error.in_file(&self.name))
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

/// Converts the start times of scans to standard GPS time where all scans with times start at a GPS time. Returns whether they do.
fn resolve_clock(scans: &mut [Scan], warnings: &mut Vec<Warning>) -> bool {
    let timed = || scans.iter().filter(|scan| scan.points > 0 && scan.has(Role::Time));
    let dated = timed().filter(|scan| scan.start_time >= LEAST_START).count();
    if dated == 0 {
        return false;
    }
    if dated < timed().count() {
        let message = format!(
            "only {dated} of {} scans with times have a start date: all times are kept unchanged and are not GPS time",
            timed().count()
        );
        warnings.push(Warning::new("gps_time_mixed", message));
        return false;
    }
    for scan in scans.iter_mut() {
        scan.start_time -= STANDARD_TIME_OFFSET;
    }
    true
}

/// Refuses files without points, or with more than fit into them; warns of scans that cannot be read.
fn check_scans(scans: &[Scan], pages: &Pages, warnings: &mut Vec<Warning>) -> Result<()> {
    const EMPTY_HINT: &str = "Export the scan again, with its points.";
    if scans.iter().all(|scan| scan.points == 0) {
        let message = format!("the file has no points ({} scans)", scans.len());
        return Err(Error::input("e57_no_points", message, EMPTY_HINT));
    }
    let unusable: Vec<_> =
        scans.iter().filter(|scan| scan.points > 0).filter_map(|scan| Some((scan, scan.fields.as_ref().err()?))).collect();
    if let Some((scan, why)) = unusable.first() {
        let (count, points) = (unusable.len(), unusable.iter().fold(0_u64, |sum, (scan, _)| sum.saturating_add(scan.points)));
        let message = format!("{count} scans with {points} points cannot be read; the first is {:?}: {why}", scan.name);
        if scans.iter().all(|scan| scan.points == 0 || scan.fields.is_err()) {
            return Err(Error::input("e57_fields", message, "Export the scan with cartesian coordinates."));
        }
        warnings.push(Warning::new("e57_scans_left_out", message));
    }
    let (mut bits, mut constant_points) = (0_u128, 0_u64);
    for scan in scans {
        let Ok(fields) = &scan.fields else { continue };
        match fields.iter().map(|field| u128::from(field.coding.width())).sum::<u128>() {
            0 => constant_points = constant_points.saturating_add(scan.points),
            width => bits += width * u128::from(scan.points),
        }
    }
    if bits > 8 * u128::from(pages.logical_len()) || constant_points > MAX_CONSTANT_POINTS {
        let points: u128 = scans.iter().map(|scan| u128::from(scan.points)).sum();
        let message = format!("the file announces {points} points, more than its {} bytes can hold", pages.logical_len());
        return Err(Error::input("e57_point_count", message, "The file is damaged or cut off: export it again."));
    }
    let poses = scans.iter().filter_map(|scan| scan.pose.as_ref());
    let (refused, normalized) =
        poses.fold((0, 0), |(refused, normalized), pose| (refused + u64::from(pose.refused), normalized + u64::from(pose.normalized)));
    if refused > 0 {
        warnings.push(Warning::new(
            "e57_pose_refused",
            format!("{refused} scans have an invalid pose (its numbers are missing, infinite or all 0): they are read without it"),
        ));
    }
    if normalized > 0 {
        warnings.push(Warning::new(
            "e57_pose_mended",
            format!("{normalized} scans have a rotation whose quaternion is not of length 1: it is normalized"),
        ));
    }
    Ok(())
}

/// Drops pictures that do not fit into the file, with a warning, and warns of masks and invalid poses.
fn drop_implausible(pictures: &mut Vec<Picture>, pages: &Pages, warnings: &mut Vec<Warning>) {
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
        warnings.push(Warning::new(
            "e57_images_left_out",
            format!("{} pictures cannot be read; the first is {first}", before - pictures.len()),
        ));
    }
    let masks = pictures.iter().filter(|picture| picture.has_mask).count();
    if masks > 0 {
        warnings.push(Warning::new("e57_image_masks", format!("{masks} pictures have a mask of valid pixels: it is not kept")));
    }
    let refused = pictures.iter().filter(|picture| picture.pose_refused).count();
    if refused > 0 {
        warnings.push(Warning::new("e57_image_pose_refused", format!("{refused} pictures have an invalid pose: they are kept without it")));
    }
}

/// The name of the coordinate reference system. By the standard, coordinates are metres: systems in other units are not used.
fn crs_of(text: Option<&str>, warnings: &mut Vec<Warning>) -> Option<String> {
    let text = text?;
    let crs = if let Some(code) = epsg_of(text) {
        Crs { name: Some(format!("EPSG:{code}")), unit: parterre_crs::unit_of_epsg(code), ..Crs::default() }
    } else {
        wkt::read(text)
    };
    let has_warning = !crs.warnings.is_empty();
    warnings.extend(crs.warnings);
    match (crs.name, crs.unit) {
        (Some(name), Some(unit)) if unit != Unit::Metre => {
            let name = xml::clip(&name, 80);
            warnings.push(Warning::new(
                "e57_crs_unit",
                format!("the coordinate system {name} is in another unit ({unit:?}), but E57 files are in metres: it is not used"),
            ));
            None
        }
        (Some(name), _) => Some(name),
        (None, _) => {
            if !has_warning {
                warnings.push(Warning::new("crs_unreadable", format!("the coordinate system cannot be read: {:?}", xml::clip(text, 80))));
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

/// The box around the bounds of all scans, in the file frame.
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
