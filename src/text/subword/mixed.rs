//! Tables by a hash that is quicker than the standard library's, for keys that nobody chooses to be unkind.
//!
//! Training and encoding look up pairs and words by the million.

use crate::text::hash;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mixed>>;
pub type Set<K> = HashSet<K, BuildHasherDefault<Mixed>>;

/// The folded multiply of [`hash`].
#[derive(Default)]
pub struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash::bytes(self.0, bytes);
    }

    fn write_u8(&mut self, value: u8) {
        self.0 = hash::mix(self.0, u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = hash::mix(self.0.rotate_left(23) | 1, u64::from(value));
    }

    fn finish(&self) -> u64 {
        hash::mix(self.0, 0x9e37_79b9_7f4a_7c15)
    }
}
