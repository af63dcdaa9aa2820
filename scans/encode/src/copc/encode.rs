//! A node's records into one chunk of LAZ, compression version 3.

use std::io::Cursor;
use std::sync::Arc;

use laz::laszip::{LazItemRecordBuilder, LazItemType};
use laz::record::{LayeredPointRecordCompressor, LayeredPointRecordDecompressor, RecordCompressor as _, RecordDecompressor as _};
use laz::{DecompressionSelection, LazItem};

use parterre_model::panics;
use parterre_model::record::TailFormat;
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
    pub fn new(format: &TailFormat) -> Result<Self> {
        Ok(Self { items: Arc::new(items(format)?), record_len: format.record_len() })
    }

    /// Compresses a node's records, in the order given: 12 bytes of steps on three axes and a tail, each.
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

    /// The records of a chunk that [`NodeEncoder::encode`] made of so many, with coordinates, intensity and colour; what
    /// the rest holds means nothing.
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

/// How records of a layout are compressed.
///
/// # Errors
/// `copc_record_too_long` where a record does not fit into what 16 bits can say.
pub(super) fn items(format: &TailFormat) -> Result<Vec<LazItem>> {
    if format.record_len() > usize::from(u16::MAX) {
        return Err(Error::input(
            "copc_record_too_long",
            format!("points have records of {} bytes; LAS allows 65535", format.record_len()),
            "Export the scan with fewer extra attributes.",
        ));
    }
    let mut builder = LazItemRecordBuilder::new();
    builder.add_item(LazItemType::Point14);
    match format.point_format() {
        7 => builder.add_item(LazItemType::RGB14),
        8 => builder.add_item(LazItemType::RGBNIR14),
        _ => &mut builder,
    };
    let extra = format.len() - format.standard_len();
    if extra > 0 {
        builder.add_item(LazItemType::Byte14(extra as u16));
    }
    Ok(builder.build())
}
