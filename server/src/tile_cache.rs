//! Tiles held in memory in the form in which they are sent.
//!
//! A tile is read from its archive once and then sent from memory to everyone who asks for it. The cache is bounded in
//! bytes; rarely used tiles are dropped first. A key names the open archive ([`Archive::id`](crate::archives::Archive::id)) and not the version: a
//! request reaches a cached tile only after it has got the version's archive, with all checks that this includes, and the
//! tiles of a closed archive are never found again.

use std::hash::Hash;

use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use parterre_tile::archive::Entry;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};

/// The cache is divided into shards with a lock each. A shard of this size still holds many of the largest tiles.
const SHARD_BYTES: u64 = 16 << 20;
/// Most shards: more than enough for the threads that serve HTTP.
const MAX_SHARDS: u64 = 16;
/// Typical size of a tile; the cache sizes its tables by it.
const TYPICAL_TILE_BYTES: u64 = 128 << 10;
/// Memory of an entry beside the tile's bytes and path: the structures of key, value and table.
const ENTRY_OVERHEAD_BYTES: u64 = 256;

/// A file of a tileset, ready to be sent.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Its entry in the archive.
    pub entry: Entry,
    /// Whether `bytes` is a gzip stream.
    pub is_gzip: bool,
    /// Value of the header `ETag`.
    pub etag: HeaderValue,
    /// The body of the answer.
    pub bytes: Bytes,
}

/// Identifies a tile in one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    archive: u64,
    path: String,
    accepts_gzip: bool,
}

/// A [`Key`] that borrows its path, to look up without allocating.
#[derive(Clone, Copy, Debug, Hash)]
struct KeyRef<'a> {
    archive: u64,
    path: &'a str,
    accepts_gzip: bool,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.archive == key.archive && self.path == key.path && self.accepts_gzip == key.accepts_gzip
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Key, Tile> for ByBytes {
    fn weight(&self, key: &Key, tile: &Tile) -> u64 {
        tile.bytes.len() as u64 + key.path.len() as u64 + ENTRY_OVERHEAD_BYTES
    }
}

/// A bounded cache of tiles.
#[derive(Debug)]
pub struct TileCache {
    /// `None` where the cache is turned off.
    cache: Option<Cache<Key, Tile, ByBytes>>,
}

impl TileCache {
    /// A cache of at most `max_bytes`; 0 turns it off.
    pub fn new(max_bytes: u64) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(max_bytes)
            .estimated_items_capacity((max_bytes / TYPICAL_TILE_BYTES).max(1) as usize)
            .shards((max_bytes / SHARD_BYTES).clamp(1, MAX_SHARDS) as usize)
            .build();
        let options = options.ok().filter(|_| max_bytes > 0);
        let cache =
            options.map(|options| Cache::with_options(options, ByBytes, DefaultHashBuilder::default(), DefaultLifecycle::default()));
        Self { cache }
    }

    /// The tile of an open archive, if it is held in the form for a client that accepts gzip, or does not.
    pub fn get(&self, archive: u64, path: &str, accepts_gzip: bool) -> Option<Tile> {
        self.cache.as_ref()?.get(&KeyRef { archive, path, accepts_gzip })
    }

    /// The tile, by `load` where it is not held. Of several requests for the same tile one loads and the others wait for
    /// it. What `load` fails with goes to its caller alone and is not kept.
    pub async fn get_or_load<E>(
        &self,
        archive: u64,
        path: &str,
        accepts_gzip: bool,
        load: impl Future<Output = Result<Tile, E>>,
    ) -> Result<Tile, E> {
        match &self.cache {
            Some(cache) => cache.get_or_insert_async(&Key { archive, path: path.to_owned(), accepts_gzip }, load).await,
            None => load.await,
        }
    }

    /// Bytes held, by the cache's own count.
    pub fn bytes(&self) -> u64 {
        self.cache.as_ref().map_or(0, Cache::weight)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use parterre_tile::archive::Method;

    use super::*;

    fn tile(byte: u8, len: usize) -> Tile {
        let entry = Entry { data_offset: 0, compressed_len: len as u64, len: len as u64, crc32: 0, method: Method::Stored };
        Tile { entry, is_gzip: false, etag: HeaderValue::from_static("\"x\""), bytes: vec![byte; len].into() }
    }

    async fn load(cache: &TileCache, archive: u64, path: &str, tile: Tile) -> Tile {
        let loaded: Result<_, std::convert::Infallible> = cache.get_or_load(archive, path, false, async { Ok(tile) }).await;
        let Ok(tile) = loaded;
        tile
    }

    #[tokio::test]
    async fn a_tile_is_loaded_once_for_each_archive_path_and_form() {
        let cache = TileCache::new(1 << 20);
        assert_eq!(load(&cache, 1, "a.glb", tile(1, 100)).await.bytes[0], 1);
        assert_eq!(load(&cache, 1, "a.glb", tile(2, 100)).await.bytes[0], 1, "held");
        assert_eq!(load(&cache, 2, "a.glb", tile(3, 100)).await.bytes[0], 3, "another archive");
        assert_eq!(load(&cache, 1, "b.glb", tile(4, 100)).await.bytes[0], 4, "another path");
        assert!(cache.get(1, "a.glb", false).is_some());
        assert!(cache.get(1, "a.glb", true).is_none(), "another form");
        assert!(cache.get(3, "a.glb", false).is_none());
    }

    #[tokio::test]
    async fn memory_is_bounded_whatever_is_asked_for() {
        let limit = 4 << 20;
        let cache = TileCache::new(limit);
        for number in 0..2000_u32 {
            load(&cache, 1, &format!("{number}.glb"), tile(0, 10_000 + 977 * (number as usize % 300))).await;
            assert!(cache.bytes() <= limit, "{} bytes after {number} tiles", cache.bytes());
        }
        assert!(cache.bytes() > limit / 2, "room is used: {}", cache.bytes());
        // A tile that would fill the cache alone is served and not held.
        assert_eq!(load(&cache, 1, "large.glb", tile(7, limit as usize + 1)).await.bytes.len(), limit as usize + 1);
        assert!(cache.get(1, "large.glb", false).is_none() && cache.bytes() <= limit);
    }

    #[tokio::test]
    async fn a_failed_load_is_told_and_tried_again() {
        let cache = TileCache::new(1 << 20);
        let failed: Result<Tile, &str> = cache.get_or_load(1, "a.glb", false, async { Err("disk") }).await;
        assert_eq!(failed.err(), Some("disk"));
        assert_eq!(load(&cache, 1, "a.glb", tile(1, 10)).await.bytes.len(), 10);
    }

    #[tokio::test]
    async fn requests_at_the_same_time_load_once() {
        let cache = TileCache::new(1 << 20);
        let loads = Cell::new(0);
        let request = || {
            cache.get_or_load(1, "a.glb", false, async {
                loads.set(loads.get() + 1);
                tokio::task::yield_now().await;
                Ok::<_, std::convert::Infallible>(tile(1, 10))
            })
        };
        let (a, b, c) = tokio::join!(request(), request(), request());
        assert!([a, b, c].iter().all(Result::is_ok));
        assert_eq!(loads.get(), 1);
    }

    #[tokio::test]
    async fn a_cache_that_is_off_holds_nothing() {
        let cache = TileCache::new(0);
        load(&cache, 1, "a.glb", tile(1, 10)).await;
        assert!(cache.get(1, "a.glb", false).is_none());
        assert_eq!(cache.bytes(), 0);
    }
}
