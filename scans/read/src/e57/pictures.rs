//! Pictures of an E57 file: their description in the XML, and their bytes.

use super::pages::Pages;
use super::scan::{MAX_NAME, Pose};
use super::xml::{Element, clip};
use parterre_model::setup::{ImageInfo, Projection};
use parterre_model::{Error, Result};

/// The largest picture that is read, in bytes.
pub(super) const MAX_PICTURE: u64 = 128 << 20;
/// Header of a section of binary data.
const SECTION_HEADER_LEN: u64 = 16;

/// A picture of the file.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) info: ImageInfo,
    /// The scan that it belongs to.
    pub(super) scan: Option<String>,
    /// Physical offset of its section.
    pub(super) offset: u64,
    pub(super) has_mask: bool,
    pub(super) pose_refused: bool,
}

const REPRESENTATIONS: [&str; 4] =
    ["visualReferenceRepresentation", "pinholeRepresentation", "sphericalRepresentation", "cylindricalRepresentation"];

/// The pictures of an element, one for each of its representations that has data.
pub(super) fn pictures_of(element: &Element) -> Vec<Picture> {
    let pose = element.child("pose").map(Pose::of);
    let mut pictures = Vec::new();
    for representation in REPRESENTATIONS {
        let Some(part) = element.child(representation) else { continue };
        let blob = [("jpeg", "jpegImage"), ("png", "pngImage")].into_iter().find_map(|(format, name)| {
            let blob = part.child(name)?;
            let number = |name: &str| blob.attribute(name)?.trim().parse::<u64>().ok();
            Some((format, number("fileOffset")?, number("length")?))
        });
        let Some((format, offset, bytes)) = blob else { continue };
        let size = ["imageWidth", "imageHeight"].map(|name| part.number_of(name).unwrap_or_default() as u32);
        pictures.push(Picture {
            info: ImageInfo {
                name: clip(&element.text_of("name").unwrap_or_default(), MAX_NAME).to_owned(),
                format: format.to_owned(),
                bytes,
                size,
                position: pose.map(|pose| pose.translation),
                rotation: pose.map(|pose| pose.rotation),
                setup: None,
                projection: projection(representation, part, size),
            },
            scan: element.text_of("associatedData3DGuid").map(|guid| clip(&guid, MAX_NAME).to_owned()),
            offset,
            has_mask: part.child("imageMask").is_some(),
            pose_refused: pose.is_some_and(|pose| pose.refused),
        });
    }
    pictures
}

fn projection(representation: &str, part: &Element, [width, height]: [u32; 2]) -> Projection {
    use std::f64::consts::{PI, TAU};
    let number = |name: &str| part.number_of(name).filter(|value| value.is_finite());
    let or_zero = |name: &str| number(name).unwrap_or_default();
    match representation {
        "pinholeRepresentation" => Projection::Pinhole {
            focal_length_m: or_zero("focalLength"),
            pixel_m: [or_zero("pixelWidth"), or_zero("pixelHeight")],
            principal_point: [or_zero("principalPointX"), or_zero("principalPointY")],
        },
        // Files that leave the angles out hold a whole panorama.
        "sphericalRepresentation" => Projection::Spherical {
            pixel_rad: [
                number("pixelWidth").unwrap_or(TAU / f64::from(width.max(1))),
                number("pixelHeight").unwrap_or(PI / f64::from(height.max(1))),
            ],
        },
        "cylindricalRepresentation" => Projection::Cylindrical {
            // A common writer misspells the name.
            radius_m: number("radius").unwrap_or_else(|| or_zero("readius")),
            principal_y: or_zero("principalPointY"),
            pixel_height_m: or_zero("pixelHeight"),
            pixel_width_rad: or_zero("pixelWidth"),
        },
        _ => Projection::VisualReference,
    }
}

/// Why a picture does not fit into the file; `None` where it does.
pub(super) fn implausible(picture: &Picture, pages: &Pages) -> Option<String> {
    let bytes = picture.info.bytes;
    if bytes == 0 || bytes > MAX_PICTURE {
        return Some(format!("it has {bytes} bytes, which is not between 1 and {MAX_PICTURE}"));
    }
    let fits = pages.logical(picture.offset).is_some_and(|at| at + SECTION_HEADER_LEN + bytes <= pages.logical_len());
    (!fits).then(|| format!("its {bytes} bytes at byte {} go beyond the end of the file", picture.offset))
}

/// The bytes of the picture: a JPEG or PNG file.
pub(super) fn read(picture: &Picture, pages: &mut Pages) -> Result<Vec<u8>> {
    let name = &picture.info.name;
    let fault = |what: String| {
        let message = format!("the picture {name:?} cannot be read: {what}");
        Error::input("e57_image", message, "Export the file again, or without this picture.")
    };
    if let Some(why) = implausible(picture, pages) {
        return Err(fault(why));
    }
    let Some(at) = pages.logical(picture.offset) else {
        return Err(fault("it lies after the end of the file".to_owned()));
    };
    pages.seek(at);
    let mut section = [0; SECTION_HEADER_LEN as usize];
    pages.read_exact(&mut section)?;
    if section[0] != 0 {
        return Err(fault(format!("the section at byte {} is of kind {}, not binary data", picture.offset, section[0])));
    }
    let mut bytes = vec![0; picture.info.bytes as usize];
    pages.read_exact(&mut bytes)?;
    if bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Ok(bytes)
    } else {
        Err(fault("it is neither a JPEG nor a PNG file".to_owned()))
    }
}
