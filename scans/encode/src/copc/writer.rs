//! Writing a COPC file node by node.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use laz::laszip::{ChunkTable, ChunkTableEntry};
use laz::{LazVlr, LazVlrBuilder};

use super::header::{self, FileOffsets, Header};
use super::node_encoder::items;
use super::totals::Totals;
use super::{hierarchy, info, wkt};
use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;

/// Longest content of a variable length record; longer ones are written as extended records after the points.
const MAX_VLR_LEN: usize = 65_535;
/// Length of the head of a variable length record.
const VLR_HEAD_LEN: u64 = 54;
/// Length of the head of an extended variable length record.
const EVLR_HEAD_LEN: u64 = 60;

/// Writes a COPC file node by node.
pub struct Writer<W> {
    out: W,
    name: PathBuf,
    header: Header,
    laszip: LazVlr,
    /// Variable length records before the points, and those that are too long for it.
    records: Vec<Record>,
    extended: Vec<Record>,
    /// Where the point data begin: with the offset of the chunk table.
    data_offset: u64,
    at: u64,
    nodes: Vec<hierarchy::Node>,
    table: ChunkTable,
}

/// A variable length record.
struct Record {
    user: &'static str,
    id: u16,
    description: &'static str,
    content: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file at the start of `out`; `name` names it in messages.
    ///
    /// # Errors
    /// `copc_record_too_long` where extra bytes make records of more than 65,535 bytes, `io`.
    pub fn create(out: W, name: impl Into<PathBuf>, header: Header) -> Result<Self> {
        let items = items(&header.layout)?;
        let laszip = LazVlrBuilder::new(items).with_variable_chunk_size().build();
        let mut head = vec![Record { user: "copc", id: 1, description: "COPC info", content: vec![0; info::LEN] }];
        let mut laszip_content = Vec::new();
        laszip.write_to(&mut laszip_content).map_err(|error| Error::Internal(error.to_string()))?;
        head.push(Record { user: LazVlr::USER_ID, id: LazVlr::RECORD_ID, description: "LASzip by laz-rs", content: laszip_content });
        let mut wkt = wkt::of(header.crs.as_deref(), header.unit, header.vertical_unit).into_bytes();
        wkt.push(0);
        head.push(Record { user: "LASF_Projection", id: 2112, description: "WKT", content: wkt });
        if !header.layout.extra.is_empty() {
            let content = header.layout.extra.iter().flat_map(|field| field.descriptor).collect();
            head.push(Record { user: "LASF_Spec", id: 4, description: "Extra Bytes", content });
        }
        let (records, extended): (Vec<_>, Vec<_>) = head.into_iter().partition(|record| record.content.len() <= MAX_VLR_LEN);
        let data_offset = header::LEN as u64 + records.iter().map(|record| VLR_HEAD_LEN + record.content.len() as u64).sum::<u64>();
        let mut writer = Self {
            out,
            name: name.into(),
            header,
            laszip,
            records,
            extended,
            data_offset,
            at: data_offset + 8,
            nodes: Vec::new(),
            table: ChunkTable::default(),
        };
        // Header and records are written at the end, when their values are known.
        let room = vec![0; writer.at as usize];
        writer.try_io(|out| {
            out.seek(SeekFrom::Start(0))?;
            out.write_all(&room)
        })?;
        Ok(writer)
    }

    /// Appends a node: `bytes` are what [`NodeEncoder::encode`](super::NodeEncoder::encode) made of its `point_count` records. Each key once. Nodes without
    /// points are not given; the hierarchy gets them from the nodes below them.
    ///
    /// # Errors
    /// `io`; `internal` for a node that is empty, larger than 2 GiB or has an impossible key.
    pub fn node(&mut self, key: NodeKey, point_count: u32, bytes: &[u8]) -> Result<()> {
        let length = i32::try_from(bytes.len()).ok().filter(|&length| length > 0);
        let count = i32::try_from(point_count).ok().filter(|&count| count > 0);
        let (Some(length), Some(count), true) = (length, count, key.is_valid()) else {
            return Err(Error::Internal(format!("the node {key} has {point_count} points in {} bytes", bytes.len())));
        };
        self.try_io(|out| out.write_all(bytes))?;
        self.nodes.push(hierarchy::Node { key, offset: self.at, bytes: length, points: count });
        self.table.push(ChunkTableEntry { point_count: u64::from(point_count), byte_count: bytes.len() as u64 });
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Points in the nodes so far.
    pub fn points(&self) -> u64 {
        self.nodes.iter().map(|node| u64::from(node.points.unsigned_abs())).sum()
    }

    /// Ends the file; `totals` are those of all records. Returns the file's length.
    ///
    /// # Errors
    /// `io`; `internal` where the totals are of another number of points than the nodes, or a key came twice.
    pub fn finish(mut self, totals: &Totals) -> Result<u64> {
        if totals.points != self.points() {
            return Err(Error::Internal(format!("the nodes have {} points and their totals {}", self.points(), totals.points)));
        }
        let table_offset = self.at;
        let mut end = Vec::new();
        self.table.write_to(&mut end, &self.laszip).map_err(|error| Error::Internal(error.to_string()))?;
        let evlr_offset = table_offset + end.len() as u64;
        for record in &self.extended {
            record.write_extended(&mut end);
        }
        let root_offset = table_offset + end.len() as u64 + EVLR_HEAD_LEN;
        let pages = hierarchy::pages(&self.nodes, root_offset)?;
        Record { user: "copc", id: 1000, description: "COPC hierarchy", content: pages.bytes }.write_extended(&mut end);

        let mut head = header::bytes(
            &self.header,
            totals,
            &FileOffsets {
                data_offset: self.data_offset,
                vlr_count: self.records.len() as u32,
                evlr_offset,
                evlr_count: self.extended.len() as u32 + 1,
            },
        );
        self.records[0].content = info::bytes(&self.header, totals, root_offset, pages.root_len);
        for record in &self.records {
            record.write(&mut head);
        }
        head.extend(table_offset.to_le_bytes());
        self.try_io(|out| {
            out.write_all(&end)?;
            out.seek(SeekFrom::Start(0))?;
            out.write_all(&head)?;
            out.flush()
        })?;
        Ok(table_offset + end.len() as u64)
    }

    fn try_io(&mut self, work: impl FnOnce(&mut W) -> io::Result<()>) -> Result<()> {
        work(&mut self.out).map_err(|error| Error::io("write", &self.name, error))
    }
}

impl Record {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([0; 2]);
        out.extend(header::text::<16>(self.user));
        out.extend(self.id.to_le_bytes());
        out.extend((self.content.len() as u16).to_le_bytes());
        out.extend(header::text::<32>(self.description));
        out.extend(&self.content);
    }

    fn write_extended(&self, out: &mut Vec<u8>) {
        out.extend([0; 2]);
        out.extend(header::text::<16>(self.user));
        out.extend(self.id.to_le_bytes());
        out.extend((self.content.len() as u64).to_le_bytes());
        out.extend(header::text::<32>(self.description));
        out.extend(&self.content);
    }
}
