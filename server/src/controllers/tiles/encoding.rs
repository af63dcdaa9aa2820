//! Turns an entry of an archive into an answer: encoding, `ETag`, range.
//!
//! A deflated entry is sent as gzip by putting the gzip header before its bytes and CRC and length behind
//! them (RFC 1952); nothing is compressed again. Each encoding has an `ETag` of its own (RFC 9110, 8.8.3.3). Ranges are
//! served from the identity form only: a range of a gzip stream is of no use to a client.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use parterre_tile::archive::{Entry, GZIP_HEADER};

/// A published version never changes. `private`: scans of venues must not be kept by shared caches.
pub const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// Builds a gzip stream from an entry's deflated bytes.
pub fn gzip(entry: &Entry, deflated: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(entry.gzip_len() as usize);
    file.extend_from_slice(&GZIP_HEADER);
    file.extend_from_slice(deflated);
    file.extend_from_slice(&entry.gzip_trailer());
    file
}

/// `ETag` of an entry in one encoding.
pub fn etag(entry: &Entry, gzip: bool) -> String {
    format!("\"{:08x}-{:x}{}\"", entry.crc32, entry.len, if gzip { "-gz" } else { "" })
}

/// Whether the client accepts gzip and does not prefer the plain form.
pub fn accepts_gzip(request: &HttpRequest) -> bool {
    accepts(request, "gzip")
}

/// Whether the client accepts this encoding and does not prefer the plain form.
pub fn accepts(request: &HttpRequest, encoding: &str) -> bool {
    let (mut named, mut any, mut identity) = (None, None, None);
    for value in request.headers().get_all(header::ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';');
            let name = parts.next().unwrap_or_default().trim();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=").map(str::trim));
            let weight: f32 = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            if name.eq_ignore_ascii_case(encoding) {
                named = Some(weight);
            } else if name == "*" {
                any = Some(weight);
            } else if name.eq_ignore_ascii_case("identity") {
                identity = Some(weight);
            }
        }
    }
    let wanted: f32 = named.or(any).unwrap_or(0.0);
    wanted > 0.0 && identity.is_none_or(|identity| identity <= wanted)
}

/// Whether `If-None-Match` names this tag.
pub fn is_match(request: &HttpRequest, etag: impl AsRef<[u8]>) -> bool {
    let etag = etag.as_ref();
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given).as_bytes() == etag)
}

/// What a `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything: no range, one that cannot be read, or several.
    Whole,
    /// The bytes from `start` to `end`, `end` excluded.
    Bytes {
        /// First byte.
        start: u64,
        /// One past the last.
        end: u64,
    },
    /// A range outside the body.
    Outside,
}

/// Parses `Range` for a body of `len` bytes.
pub fn range(value: &str, len: u64) -> Part {
    let Some((unit, set)) = value.split_once('=') else { return Part::Whole };
    let Some((first, last)) = set.split_once('-') else { return Part::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Part::Whole;
    }
    let number = |text: &str| {
        let text = text.trim();
        // `parse` would take a sign.
        if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u64>().ok() } else { None }
    };
    match (first.trim(), last.trim()) {
        ("", "") => Part::Whole,
        ("", last) => match number(last) {
            None => Part::Whole,
            Some(0) => Part::Outside,
            Some(_) if len == 0 => Part::Outside,
            Some(count) => Part::Bytes { start: len.saturating_sub(count), end: len },
        },
        (first, last) => {
            let Some(start) = number(first) else { return Part::Whole };
            let end = if last.is_empty() { Some(len) } else { number(last).map(|last| last.saturating_add(1).min(len)) };
            match end {
                None => Part::Whole,
                Some(_) if start >= len => Part::Outside,
                // Last before first: not a range.
                Some(end) if start >= end => Part::Whole,
                Some(end) => Part::Bytes { start, end },
            }
        }
    }
}

/// The part of a body of `len` bytes that this request asks for; `If-Range` with another tag means the whole.
pub fn requested_part(request: &HttpRequest, etag: &HeaderValue, len: u64) -> Part {
    let given = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
    let is_other = request.headers().get(header::IF_RANGE).is_some_and(|given| given != etag);
    match given {
        Some(given) if !is_other => range(given, len),
        _ => Part::Whole,
    }
}

/// Media type of a file of a tileset, by its extension.
pub fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "glb" => "model/gltf-binary",
        "json" => "application/json",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use parterre_tile::archive::Method;

    use super::*;

    #[test]
    fn ranges_are_parsed_as_the_standard_says() {
        let cases = [
            ("bytes=0-4", Part::Bytes { start: 0, end: 5 }),
            ("bytes=5-", Part::Bytes { start: 5, end: 10 }),
            ("bytes=-3", Part::Bytes { start: 7, end: 10 }),
            ("bytes=-30", Part::Bytes { start: 0, end: 10 }),
            ("bytes=8-100", Part::Bytes { start: 8, end: 10 }),
            ("bytes=10-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=99999999999999999999-", Part::Whole),
            ("bytes=4-2", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=-", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("nonsense", Part::Whole),
        ];
        for (value, expected) in cases {
            assert_eq!(range(value, 10), expected, "{value}");
        }
    }

    #[test]
    fn gzip_is_used_only_where_it_is_accepted() {
        let cases = [
            ("gzip, deflate, br", true),
            ("*", true),
            ("gzip;q=0", false),
            ("identity;q=1, gzip;q=0.5", false),
            ("gzip;q=0.8, identity;q=0.2", true),
            ("br", false),
            ("", false),
        ];
        for (value, expected) in cases {
            let request = TestRequest::default().insert_header((header::ACCEPT_ENCODING, value)).to_http_request();
            assert_eq!(accepts_gzip(&request), expected, "{value:?}");
        }
        assert!(!accepts_gzip(&TestRequest::default().to_http_request()));
    }

    #[test]
    fn a_deflated_entry_becomes_a_gzip_file() -> std::io::Result<()> {
        use std::io::{Read as _, Write as _};
        let plain = b"stalls, balcony, stage ".repeat(100);
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&plain)?;
        let deflated = encoder.finish()?;
        let mut crc = flate2::Crc::new();
        crc.update(&plain);
        let entry = Entry {
            data_offset: 0,
            compressed_len: deflated.len() as u64,
            len: plain.len() as u64,
            crc32: crc.sum(),
            method: Method::Deflate,
        };
        let mut back = Vec::new();
        // The decoder checks CRC and length.
        flate2::read::GzDecoder::new(&gzip(&entry, &deflated)[..]).read_to_end(&mut back)?;
        assert_eq!(back, plain);
        assert_ne!(etag(&entry, true), etag(&entry, false));
        Ok(())
    }
}
