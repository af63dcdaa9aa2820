//! `/api/venues/{venue}/pictures/{picture}`: pictures of a venue. Only JPEG and PNG, of limited size; what is in them is not decoded here, only
//! their headers are read, since a picture of a few kilobytes may decode to gigabytes.

use std::io::Cursor;

use actix_files::NamedFile;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::StreamExt as _;
use image::{ImageFormat, ImageReader};
use parterre_model::catalog as api;
use parterre_model::catalog::{ErrorBody, Fault};
use serde::Deserialize;
use utoipa::IntoParams;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::access::Access;
use crate::app::App;
use crate::controllers::files;
use crate::controllers::tiles::encoding::IMMUTABLE;
use crate::controllers::venues::show::{find_held, find_row, in_use};
use crate::db::{new_id, now_ms, settle, wait_shortly, write};
use crate::error::{ApiError, ApiResult};
use crate::fields;
use crate::models::history::{self, Record, Subject};
use crate::models::pictures::Picture;
use crate::person::Person;
use crate::purge;
use crate::storage::Stored;
use crate::text;

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 15 << 20;
/// Longest edge, in pixels; browsers draw no larger pictures.
const MAX_EDGE: u32 = 16_384;
/// Most pixels: 200 MB in the memory of a browser.
const MAX_PIXELS: u64 = 50_000_000;
/// Most pictures of a venue.
const MAX_PICTURES: usize = 100;

/// Query of a new picture.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PictureQuery {
    /// What it shows, at most 200 characters.
    caption: Option<String>,
}

/// Adds a picture to a venue: a JPEG or PNG file of at most 15 MiB, 16,384 pixels along each edge and 50 million in all.
#[utoipa::path(put, path = "/api/venues/{venue}/pictures/{picture}", tag = "venues",
    params(
        ("venue" = String, Path, description = "Identifier or slug"),
        ("picture" = String, Path, description = "Name of the file; the picture gets an identifier of its own"),
        PictureQuery,
    ),
    request_body(content_type = "application/octet-stream", description = "The file as it is"),
    responses(
        (status = 201, description = "Added", body = api::Picture),
        (status = 400, description = "The body is incomplete, or the query cannot be read", body = ErrorBody),
        (status = 404, description = "No such venue", body = ErrorBody),
        (status = 408, description = "No data arrived for too long", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
        (status = 413, description = "Larger than 15 MiB", body = ErrorBody),
        (status = 422, description = "Not a JPEG or PNG, or too many pixels", body = ErrorBody),
    ))]
pub async fn create(
    app: Data<App>,
    access: Access,
    path: Path<(String, String)>,
    query: Query<PictureQuery>,
    payload: Payload,
) -> ApiResult {
    let (venue, given_name) = path.into_inner();
    let unprocessable = |fault| ApiError::of_fault(StatusCode::UNPROCESSABLE_ENTITY, fault);
    let file_name = text::file_name(&given_name).map_err(unprocessable)?;
    let caption = fields::caption(query.into_inner().caption).map_err(unprocessable)?;
    let body = receive(&app, payload).await?;
    let found = inspect(&body).map_err(unprocessable)?;
    let picture = store(&app, access.person, venue, file_name, caption, body, found).await?;
    Ok(HttpResponse::Created().insert_header((header::LOCATION, picture.url.clone())).json(picture))
}

async fn receive(app: &App, mut payload: Payload) -> ApiResult<Bytes> {
    let mut body = Vec::new();
    loop {
        let piece = tokio::time::timeout(app.config.storage.upload_idle, payload.next()).await.map_err(|_| {
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "upload_stalled", "no data arrived for too long", "Upload the file again.")
        })?;
        let Some(piece) = piece else { return Ok(body.into()) };
        let piece = piece.map_err(|_| {
            let message = "the upload ended before the file was complete";
            ApiError::new(StatusCode::BAD_REQUEST, "upload_interrupted", message, "Upload the file again.")
        })?;
        if body.len() + piece.len() > MAX_BYTES {
            return Err(ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "picture_too_large",
                format!("the picture is larger than {} MiB", MAX_BYTES >> 20),
                "Make it smaller and upload it again.",
            ));
        }
        body.extend_from_slice(&piece);
    }
}

/// What the headers of a picture say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    media_type: &'static str,
    ending: &'static str,
    width: u32,
    height: u32,
}

fn inspect(file: &[u8]) -> Result<Found, Fault> {
    let format = image::guess_format(file).ok();
    let (media_type, ending, size) = match format {
        Some(ImageFormat::Png) => {
            let size = ImageReader::with_format(Cursor::new(file), ImageFormat::Png).into_dimensions();
            ("image/png", "png", size.map_err(|error| error.to_string()))
        }
        Some(ImageFormat::Jpeg) => ("image/jpeg", "jpg", jpeg_size(file)),
        _ => {
            return Err(Fault::new(
                "picture_unsupported",
                "the file is neither a JPEG nor a PNG picture",
                "Save the picture as JPEG or PNG and upload it again.",
            ));
        }
    };
    let (width, height) = size.map_err(|error| broken(&format!("its header cannot be read: {error}")))?;
    if width == 0 || height == 0 {
        return Err(broken("it has no pixels"));
    }
    if width > MAX_EDGE || height > MAX_EDGE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Fault::new(
            "picture_too_many_pixels",
            format!("the picture has {width} x {height} pixels"),
            "Reduce it to at most 16,384 pixels along each edge and 50 million in all.",
        ));
    }
    if !is_complete(file, media_type) {
        return Err(broken("its end is missing"));
    }
    Ok(Found { media_type, ending, width, height })
}

fn jpeg_size(file: &[u8]) -> Result<(u32, u32), String> {
    // Sizes beyond the limit are read too, so that the answer can name them.
    let all = usize::from(u16::MAX);
    let options = DecoderOptions::new_safe().set_max_width(all).set_max_height(all);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(|error| format!("{error:?}"))?;
    let (width, height) = decoder.dimensions().ok_or("it has no dimensions")?;
    Ok((u32::try_from(width).unwrap_or(u32::MAX), u32::try_from(height).unwrap_or(u32::MAX)))
}

/// Whether the file has its end mark; cameras write further data behind that of JPEG.
fn is_complete(file: &[u8], media_type: &str) -> bool {
    if media_type == "image/png" {
        return file.windows(8).rev().take(1 << 16).any(|window| window == b"IEND\xaeB`\x82");
    }
    file.windows(2).any(|window| window == b"\xff\xd9")
}

fn broken(problem: &str) -> Fault {
    Fault::new("picture_broken", format!("the picture is damaged: {problem}"), "Check the file and upload it again.")
}

async fn store(
    app: &Data<App>,
    person: Person,
    venue: String,
    file_name: String,
    caption: Option<String>,
    body: Bytes,
    found: Found,
) -> ApiResult<api::Picture> {
    let mut incoming = app.storage.begin().await?;
    if let Err(error) = incoming.write(body).await {
        incoming.abort().await;
        return Err(error.into());
    }
    let stored = incoming.finish().await?;
    let (app, runtime) = (Data::clone(app), tokio::runtime::Handle::current());
    web::block(move || {
        let id = new_id();
        let key = format!("pictures/{id}.{}", found.ending);
        let remove = |key: &str| {
            if let Err(error) = runtime.block_on(app.storage.remove(key)) {
                tracing::warn!(key, %error, "a refused picture could not be removed");
            }
        };
        let kept = runtime.block_on(app.storage.keep(&stored, &key)).inspect_err(|_| remove(&stored.key))?;
        let row = |venue_id: &str| row(&id, venue_id, &kept, &stored, &file_name, caption.clone(), found, &person);
        let written =
            app.database.get().map_err(ApiError::from).and_then(|mut conn| write(&mut conn, |conn| add(conn, &venue, row, &person)));
        let look = || -> anyhow::Result<Option<Picture>> {
            let mut conn = app.database.get()?;
            write(&mut conn, |conn| {
                wait_shortly(conn)?;
                let Some(held) = crate::models::venues::Venue::find_held(conn, &venue)? else { return Ok(None) };
                Ok(Picture::find(conn, &held.id, &id)?)
            })
        };
        let picture = settle(written, look).map_err(|(error, certain)| {
            if certain {
                remove(&kept);
            }
            error
        })?;
        Ok(picture.shown())
    })
    .await?
}

fn add(conn: &mut crate::db::Conn, venue: &str, row: impl FnOnce(&str) -> Picture, person: &Person) -> ApiResult<Picture> {
    let venue = find_held(conn, venue)?;
    in_use(&venue)?;
    if Picture::of_venue(conn, &venue.id)?.len() >= MAX_PICTURES {
        return Err(ApiError::unprocessable("too_many", format!("a venue has at most {MAX_PICTURES} pictures"), "Remove some first."));
    }
    let picture = row(&venue.id);
    Picture::create(conn, &picture)?;
    record(conn, &picture, person, "added")?;
    Ok(picture)
}

#[expect(clippy::too_many_arguments, reason = "the columns of a row")]
fn row(
    id: &str,
    venue_id: &str,
    key: &str,
    stored: &Stored,
    file_name: &str,
    caption: Option<String>,
    found: Found,
    person: &Person,
) -> Picture {
    Picture {
        id: id.to_owned(),
        venue_id: venue_id.to_owned(),
        object_key: key.to_owned(),
        file_name: file_name.to_owned(),
        bytes: stored.bytes as i64,
        sha256: stored.sha256.clone(),
        media_type: found.media_type.to_owned(),
        width: found.width as i32,
        height: found.height as i32,
        caption,
        created_at: now_ms(),
        created_by: person.id().to_owned(),
    }
}

fn record(conn: &mut crate::db::Conn, picture: &Picture, person: &Person, action: &str) -> ApiResult<()> {
    let record = Record {
        venue_id: &picture.venue_id,
        subject: Subject::Picture,
        subject_id: &picture.id,
        revision: None,
        action,
        changes: None,
        note: Some(&picture.file_name),
    };
    Ok(history::record(conn, person, &record)?)
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found("picture_not_found", format!("there is no picture {id:?}"))
}

/// Answers with a picture of a venue.
#[utoipa::path(get, path = "/api/venues/{venue}/pictures/{picture}", tag = "venues",
    params(("venue" = String, Path, description = "Identifier or slug"), ("picture" = String, Path, description = "Identifier")),
    responses(
        (status = 200, description = "The file", content_type = "image/jpeg"),
        (status = 206, description = "The requested range", content_type = "image/jpeg"),
        (status = 304, description = "Not modified"),
        (status = 404, description = "No such picture", body = ErrorBody),
        (status = 412, description = "The condition does not hold", body = ErrorBody),
        (status = 416, description = "The range lies outside the file", body = ErrorBody),
    ))]
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<(String, String)>) -> ApiResult {
    let (venue, id) = path.into_inner();
    let file = web::block(move || {
        let mut conn = app.database.get()?;
        let venue = find_row(&mut conn, &venue)?;
        let row = Picture::find(&mut conn, &venue.id, &id)?.ok_or_else(|| not_found(&id))?;
        let file =
            NamedFile::open(app.storage.path(&row.object_key)?)?.set_content_type(row.media_type.parse().map_err(ApiError::internal)?);
        Ok::<_, ApiError>(file)
    })
    .await??;
    let mut response = files::answer(file, &request)?;
    response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
    Ok(response)
}

/// Removes a picture of a venue.
#[utoipa::path(delete, path = "/api/venues/{venue}/pictures/{picture}", tag = "venues",
    params(("venue" = String, Path, description = "Identifier or slug"), ("picture" = String, Path, description = "Identifier")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "No such picture", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
    ))]
pub async fn remove(app: Data<App>, access: Access, path: Path<(String, String)>) -> ApiResult {
    let (venue, id) = path.into_inner();
    let runtime = tokio::runtime::Handle::current();
    web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            let venue = find_held(conn, &venue)?;
            in_use(&venue)?;
            let row = Picture::find(conn, &venue.id, &id)?.ok_or_else(|| not_found(&id))?;
            purge::remove_picture(conn, &row)?;
            record(conn, &row, &access.person, "removed")
        })?;
        if let Err(error) = purge::remove_listed(&app.database, &app.storage, &runtime) {
            tracing::warn!("the file of a removed picture could not be removed: {error:#}");
        }
        Ok::<_, ApiError>(())
    })
    .await??;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image::GrayImage::new(width, height).write_to(&mut file, ImageFormat::Png).expect("a picture in memory");
        file.into_inner()
    }

    /// A JPEG's beginning up to its scan, and an end mark.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        file.extend([1; 64]);
        file.extend([0xff, 0xc0, 0, 11, 8]);
        file.extend(height.to_be_bytes());
        file.extend(width.to_be_bytes());
        file.extend([1, 1, 0x11, 0]);
        // Huffman tables, one code each.
        for class in [0x00, 0x10] {
            file.extend([0xff, 0xc4, 0, 20, class, 1]);
            file.extend([0; 15]);
            file.push(0);
        }
        file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0xff, 0xd9]);
        file
    }

    #[test]
    fn only_whole_pictures_of_a_reasonable_size_pass() {
        let code = |file: &[u8]| inspect(file).err().map(|fault| fault.code);
        assert_eq!(inspect(&png(40, 30)), Ok(Found { media_type: "image/png", ending: "png", width: 40, height: 30 }));
        assert_eq!(inspect(&jpeg(40, 30)), Ok(Found { media_type: "image/jpeg", ending: "jpg", width: 40, height: 30 }));
        let whole = png(40, 30);
        assert_eq!(code(&whole[..whole.len() - 4]).as_deref(), Some("picture_broken"), "cut off");
        assert_eq!(code(&whole[..20]).as_deref(), Some("picture_broken"), "in the header");
        assert_eq!(code(&jpeg(40, 30)[..100]).as_deref(), Some("picture_broken"));
        assert_eq!(code(&jpeg(17_000, 10)).as_deref(), Some("picture_too_many_pixels"));
        assert_eq!(code(&jpeg(10_000, 10_000)).as_deref(), Some("picture_too_many_pixels"));
        for other in [&b"GIF89a\x01\x00\x01\x00"[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"\xff\xd8"] {
            assert!(code(other).is_some(), "{other:?}");
        }
    }
}
