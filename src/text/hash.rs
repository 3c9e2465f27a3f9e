//! Feature hashing: a 64-bit hash of short byte strings, the same on every machine and in every version.
//!
//! `h ← fold((h ⊕ next 8 bytes) · K)`, where fold xors the two halves of the 128-bit product (the folded multiply of
//! wyhash and fxhash2). Models store weights under these hashes: changing one makes every model file unreadable.

const K: u64 = 0x9e37_79b9_7f4a_7c15;

/// One step: mixes `value` into `state`.
#[inline(always)]
pub fn mix(state: u64, value: u64) -> u64 {
    let product = u128::from(state ^ value).wrapping_mul(u128::from(K));
    (product as u64) ^ ((product >> 64) as u64)
}

/// The hash of `bytes` under a seed (the number of the feature template, say).
#[inline]
pub fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed.wrapping_add(bytes.len() as u64).wrapping_mul(K) | 1;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        state = mix(state, first_bytes(rest));
    }
    finish(state)
}

/// The first eight bytes as a little-endian number, zeros behind fewer. Loads that overlap are faster than a copy byte
/// by byte, which the load of the whole would have to wait for.
#[inline(always)]
pub fn first_bytes(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let four = |at: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[at..at + 4]);
        u64::from(u32::from_le_bytes(word))
    };
    let one = |at: usize| u64::from(bytes[at]) << (8 * at);
    match length {
        8.. => four(0) | four(4) << 32,
        4..8 => four(0) | four(length - 4) << (8 * (length - 4)),
        1..4 => one(0) | one(length / 2) | one(length - 1),
        0 => 0,
    }
}

/// The hash of a feature made of two hashed parts.
#[inline(always)]
pub fn pair(seed: u64, a: u64, b: u64) -> u64 {
    finish(mix(mix(seed.wrapping_mul(K) | 1, a), b.rotate_left(23)))
}

/// The hash of a feature made of three hashed parts.
#[inline(always)]
pub fn triple(seed: u64, a: u64, b: u64, c: u64) -> u64 {
    let two = mix(mix(seed.wrapping_mul(K) | 1, a), b.rotate_left(23));
    finish(mix(two, c.rotate_left(41)))
}

/// Spreads the state over all bits, so that any of them can index a table.
#[inline(always)]
fn finish(state: u64) -> u64 {
    mix(state, K.rotate_left(32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn first_bytes_are_those_of_a_padded_copy() {
        let all: Vec<u8> = (201..212).collect();
        for length in 0..all.len() {
            let mut word = [0; 8];
            let known = length.min(8);
            word[..known].copy_from_slice(&all[..known]);
            assert_eq!(first_bytes(&all[..length]), u64::from_le_bytes(word));
        }
    }

    #[test]
    fn hashes_never_change() {
        // Model files depend on these values.
        assert_eq!(
            [
                bytes(0, b""),
                bytes(1, b"fish"),
                bytes(1, b"international"),
                pair(2, 3, 4)
            ],
            PINNED
        );
    }

    const PINNED: [u64; 4] = [
        3220456158022207267,
        14158845947673971187,
        76639931139885075,
        8176603960945807856,
    ];

    #[test]
    fn short_strings_spread_over_a_small_table() {
        let slots: HashSet<u64> = (0..1000u32)
            .map(|i| bytes(7, i.to_string().as_bytes()) & 0xffff)
            .collect();
        assert!(slots.len() > 980, "{} of 1000 slots", slots.len()); // 992 expected of a random function
    }

    #[test]
    fn a_zero_byte_at_the_end_counts() {
        assert_ne!(bytes(0, b"a"), bytes(0, b"a\0"));
    }
}
