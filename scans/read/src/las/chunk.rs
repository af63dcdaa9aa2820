//! Compressed chunks, and where they lie.

/// A compressed chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) first_point: u64,
    pub(super) points: u64,
}

/// How the next chunk is found.
#[derive(Clone, Debug)]
pub(super) enum ChunkOrder {
    /// By the table of chunks.
    Table(Vec<Chunk>),
    /// Chunks of this many points follow each other.
    Sized(u64),
    /// Chunks follow each other and say themselves how many points they have.
    Layered,
}
