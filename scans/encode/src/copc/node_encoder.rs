//! Compressing a node's records into one LAZ chunk, compression version 3.

use std::io::Cursor;
use std::sync::Arc;

use laz::laszip::{LazItemRecordBuilder, LazItemType};
use laz::record::{LayeredPointRecordCompressor, LayeredPointRecordDecompressor, RecordCompressor as _, RecordDecompressor as _};
use laz::{DecompressionSelection, LazItem};

use parterre_model::panics;
use parterre_model::record::AttributeLayout;
use parterre_model::{Error, Result};

/// Compresses nodes; one for all threads.
#[derive(Clone, Debug)]
pub struct NodeEncoder {
    items: Arc<Vec<LazItem>>,
    record_len: usize,
}

impl NodeEncoder {
    /// An encoder of records of this layout.
    ///
    /// # Errors
    /// `copc_record_too_long`.
    pub fn new(layout: &AttributeLayout) -> Result<Self> {
        Ok(Self { items: Arc::new(items(layout)?), record_len: layout.record_len() })
    }

    /// Compresses a node's records, in the order given.
    ///
    /// # Errors
    /// `internal` where there is no record or a part of one.
    pub fn encode(&self, records: &[u8]) -> Result<Vec<u8>> {
        if records.is_empty() || !records.len().is_multiple_of(self.record_len) {
            return Err(Error::Internal(format!("{} bytes are no records of {} bytes", records.len(), self.record_len)));
        }
        let fault = |error: &dyn std::fmt::Display| Error::Internal(format!("a node cannot be compressed: {error}"));
        let mut compressor = LayeredPointRecordCompressor::new(Vec::with_capacity(records.len() / 2));
        compressor.set_fields_from(&self.items).map_err(|error| fault(&error))?;
        compressor.compress_many(records).and_then(|()| compressor.done()).map_err(|error| fault(&error))?;
        Ok(compressor.into_inner())
    }

    /// Decompresses coordinates, intensity and colour of a chunk that [`NodeEncoder::encode`] made of `points` records; the other
    /// attributes in the records are undefined.
    ///
    /// # Errors
    /// `internal` where the chunk is damaged.
    pub fn decode_visible(&self, chunk: &[u8], points: u32) -> Result<Vec<u8>> {
        let fault = |error: &dyn std::fmt::Display| Error::Internal(format!("a node cannot be decompressed: {error}"));
        let mut decompressor = LayeredPointRecordDecompressor::new(Cursor::new(chunk));
        decompressor.set_fields_from(&self.items).map_err(|error| fault(&error))?;
        decompressor.set_selection(DecompressionSelection::base().decompress_z().decompress_intensity().decompress_rgb());
        let mut records = vec![0; points as usize * self.record_len];
        let done = panics::catch(|| decompressor.decompress_many(&mut records)).map_err(|error| fault(&error))?;
        done.map_err(|error| fault(&error))?;
        Ok(records)
    }
}

/// The LAZ items of records of a layout.
///
/// # Errors
/// `copc_record_too_long` where a record is longer than 65,535 bytes.
pub(super) fn items(layout: &AttributeLayout) -> Result<Vec<LazItem>> {
    if layout.record_len() > usize::from(u16::MAX) {
        return Err(Error::input(
            "copc_record_too_long",
            format!("points have records of {} bytes; LAS allows 65535", layout.record_len()),
            "Export the scan with fewer extra attributes.",
        ));
    }
    let mut builder = LazItemRecordBuilder::new();
    builder.add_item(LazItemType::Point14);
    match layout.point_format() {
        7 => builder.add_item(LazItemType::RGB14),
        8 => builder.add_item(LazItemType::RGBNIR14),
        _ => &mut builder,
    };
    let extra = layout.len() - layout.standard_len();
    if extra > 0 {
        builder.add_item(LazItemType::Byte14(extra as u16));
    }
    Ok(builder.build())
}
