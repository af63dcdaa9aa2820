//! The cache of tiles in memory: the most recently used ones, bounded in bytes.
//!
//! What the current frame touched is never evicted, even where that alone exceeds the bound: evicting it would load it
//! again in the next frame, for ever.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A byte-bounded cache of values that leave in order of their last use.
#[derive(Debug)]
pub struct Cache<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Last use to key; uses are unique, so this is a queue with the oldest first.
    by_use: BTreeMap<u64, K>,
    next_use: u64,
    frame_start: u64,
    bytes: u64,
    limit_bytes: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: u64,
    last_use: u64,
}

impl<K: Copy + Eq + Hash, V> Cache<K, V> {
    /// An empty cache of `limit_bytes`.
    pub fn new(limit_bytes: u64) -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), next_use: 0, frame_start: 0, bytes: 0, limit_bytes }
    }

    /// Begins a frame: what is touched from here on is safe until the next one.
    pub fn begin_frame(&mut self) {
        self.frame_start = self.next_use;
    }

    /// Marks a key as used now; unknown keys are ignored.
    pub fn touch(&mut self, key: K) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.by_use.remove(&entry.last_use);
            entry.last_use = self.next_use;
            self.by_use.insert(self.next_use, key);
            self.next_use += 1;
        }
    }

    /// Adds a value of `bytes` and marks it as used; returns the value that it replaces.
    pub fn insert(&mut self, key: K, value: V, bytes: u64) -> Option<V> {
        let replaced = self.remove(key);
        self.entries.insert(key, Entry { value, bytes, last_use: self.next_use });
        self.by_use.insert(self.next_use, key);
        self.next_use += 1;
        self.bytes += bytes;
        replaced
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let entry = self.entries.remove(&key)?;
        self.by_use.remove(&entry.last_use);
        self.bytes -= entry.bytes;
        Some(entry.value)
    }

    /// Changes the size of a value, which does not count as a use; unknown keys are ignored.
    pub fn set_bytes(&mut self, key: K, bytes: u64) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.bytes = self.bytes - entry.bytes + bytes;
            entry.bytes = bytes;
        }
    }

    /// A value; does not count as a use.
    pub fn get(&self, key: K) -> Option<&V> {
        self.entries.get(&key).map(|entry| &entry.value)
    }

    /// Takes out what was not used for longest until the bound holds or only this frame's values are left.
    pub fn evict(&mut self) -> Vec<(K, V)> {
        let mut evicted = Vec::new();
        while self.bytes > self.limit_bytes {
            let Some((&last_use, &key)) = self.by_use.first_key_value() else { break };
            if last_use >= self.frame_start {
                break;
            }
            if let Some(value) = self.remove(key) {
                evicted.push((key, value));
            }
        }
        evicted
    }

    /// Changes the bound; takes effect at the next [`Cache::evict`].
    pub fn set_limit(&mut self, limit_bytes: u64) {
        self.limit_bytes = limit_bytes;
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Values held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, entry)| (key, &entry.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_leaves_first() {
        let mut cache = Cache::new(30);
        for key in 0..3 {
            cache.insert(key, key, 10);
        }
        cache.begin_frame();
        cache.touch(0);
        cache.insert(3, 3, 10);
        assert_eq!(cache.evict(), [(1, 1)]);
        assert_eq!(cache.bytes(), 30);
        assert!(cache.get(0).is_some() && cache.get(2).is_some());
    }

    #[test]
    fn this_frames_tiles_stay_even_beyond_the_bound() {
        let mut cache = Cache::new(15);
        cache.insert('a', (), 10);
        cache.begin_frame();
        cache.touch('a');
        cache.insert('b', (), 10);
        assert!(cache.evict().is_empty());
        assert_eq!(cache.bytes(), 20);
        cache.begin_frame();
        cache.touch('b');
        assert_eq!(cache.evict(), [('a', ())]);
    }

    #[test]
    fn a_value_that_has_grown_makes_others_leave() {
        let mut cache = Cache::new(20);
        cache.insert('a', (), 10);
        cache.insert('b', (), 10);
        cache.begin_frame();
        cache.set_bytes('b', 15);
        cache.set_bytes('c', 15);
        assert_eq!(cache.bytes(), 25);
        assert_eq!(cache.evict(), [('a', ())]);
        cache.remove('b');
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn replacing_and_removing_keep_the_sum() {
        let mut cache = Cache::new(100);
        cache.insert(1, "x", 40);
        assert_eq!(cache.insert(1, "y", 10), Some("x"));
        assert_eq!(cache.bytes(), 10);
        assert_eq!(cache.remove(1), Some("y"));
        assert_eq!(cache.remove(1), None);
        assert_eq!((cache.bytes(), cache.len()), (0, 0));
    }
}
