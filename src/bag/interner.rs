//! Byte strings by number: the first is 0, each new one the next.

use crate::text::hash;
use hashbrown::HashTable;

/// A set of strings that knows their numbers and gives them back.
#[derive(Default)]
pub struct Interner {
    bytes: Vec<u8>,
    /// Where each string ends; it begins where the one before it ends.
    ends: Vec<u32>,
    table: HashTable<Slot>,
}

/// The first bytes and the length beside the number: short strings are known by them, and most strangers told apart.
#[derive(Clone, Copy)]
struct Slot {
    head: u64,
    length: u32,
    number: u32,
}

/// Strings up to this length lie whole in their slots.
const HEAD: usize = 8;

/// The seed that sets these tables apart from hashed features.
const SEED: u64 = 0x7465_726d;

impl Interner {
    /// The number of a string, new or not.
    ///
    /// Panics past 2^32 bytes of strings; [`Interner::is_full`] says in time.
    #[inline]
    pub fn intern(&mut self, string: &[u8]) -> u32 {
        let hash = hash::bytes(SEED, string);
        if let Some(number) = self.find(hash, string) {
            return number;
        }
        self.insert(hash, string)
    }

    /// The number of a string that is there.
    #[inline]
    pub fn get(&self, string: &[u8]) -> Option<u32> {
        self.find(hash::bytes(SEED, string), string)
    }

    #[inline]
    fn find(&self, hash: u64, string: &[u8]) -> Option<u32> {
        let head = hash::first_bytes(string);
        let is_it = |slot: &Slot| {
            slot.head == head
                && slot.length as usize == string.len()
                && (string.len() <= HEAD || self.string(slot.number)[HEAD..] == string[HEAD..])
        };
        self.table.find(hash, is_it).map(|slot| slot.number)
    }

    #[cold]
    fn insert(&mut self, hash: u64, string: &[u8]) -> u32 {
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len() as u32);
        let slot = Slot {
            head: hash::first_bytes(string),
            length: string.len() as u32,
            number,
        };
        let (bytes, ends) = (&self.bytes, &self.ends);
        // Growing the table needs the hashes again.
        let rehash = |slot: &Slot| hash::bytes(SEED, string_of(bytes, ends, slot.number));
        self.table.insert_unique(hash, slot, rehash);
        number
    }

    /// The string of a number.
    #[inline]
    pub fn string(&self, number: u32) -> &[u8] {
        string_of(&self.bytes, &self.ends, number)
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether strings of another `bytes` bytes might not fit.
    pub fn is_full(&self, bytes: usize) -> bool {
        self.bytes.len() + bytes > u32::MAX as usize
    }

    /// Bytes of memory taken.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + 4 * self.ends.capacity() + 17 * self.table.capacity() * 8 / 7
    }

    /// The numbers, in byte order of their strings.
    pub fn sorted(&self) -> Vec<u32> {
        // The first eight bytes beside the number settle most comparisons.
        let head = |number: u32| {
            let string = self.string(number);
            let mut head = [0; 8];
            let length = string.len().min(8);
            head[..length].copy_from_slice(&string[..length]);
            (u64::from_be_bytes(head), number)
        };
        let mut numbers: Vec<_> = (0..self.len() as u32).map(head).collect();
        numbers.sort_unstable_by(|a, b| {
            (a.0.cmp(&b.0)).then_with(|| self.string(a.1).cmp(self.string(b.1)))
        });
        numbers.into_iter().map(|(_, number)| number).collect()
    }
}

#[inline]
fn string_of<'a>(bytes: &'a [u8], ends: &[u32], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = match number {
        0 => 0,
        _ => ends[number - 1],
    };
    &bytes[start as usize..ends[number] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_keeps_its_number() {
        let mut interner = Interner::default();
        let words: Vec<String> = (0..5000).map(|i| format!("word{i}")).collect();
        for _ in 0..2 {
            for (i, word) in words.iter().enumerate() {
                assert_eq!(interner.intern(word.as_bytes()), i as u32);
            }
        }
        assert_eq!(interner.string(4321), b"word4321");
        assert_eq!(interner.get(b"word17"), Some(17));
        assert_eq!(interner.get(b"other"), None);
        assert_eq!(interner.len(), 5000);
    }

    #[test]
    fn numbers_are_sorted_by_bytes() {
        let mut interner = Interner::default();
        let words: [&[u8]; 6] = [b"b", b"", b"international", b"a\0", b"a", b"interned"];
        for word in words {
            interner.intern(word);
        }
        let sorted: Vec<&[u8]> = (interner.sorted().into_iter())
            .map(|number| interner.string(number))
            .collect();
        let expected: [&[u8]; 6] = [b"", b"a", b"a\0", b"b", b"international", b"interned"];
        assert_eq!(sorted, expected);
    }
}
