//! Columns by hashing: no vocabulary, any number of terms in a fixed number of columns.
//!
//! h = MurmurHash3 (x86, 32 bits, seed 0) of the term's UTF-8 as a signed number; column = |h| mod 2^bits, sign = that
//! of h. With h = −2^31, whose absolute value has no 32-bit form, the column is (2^31 − 1 − (2^bits − 1)) mod 2^bits.
//! As scikit-learn's HashingVectorizer, so that columns agree.
//!
//! K. Weinberger et al., *Feature Hashing for Large Scale Multitask Learning*, ICML 2009; A. Appleby, MurmurHash3.

/// Hashes terms to columns.
#[derive(Clone, Copy, Debug)]
pub struct Hasher {
    columns: i64,
}

impl Hasher {
    /// `bits` from 1 to 30.
    pub fn new(bits: u8) -> Hasher {
        Hasher { columns: 1 << bits }
    }

    pub fn columns(self) -> u64 {
        self.columns as u64
    }

    /// The column of a term and its sign, 1 or −1.
    #[inline]
    pub fn column(self, term: &[u8]) -> (u32, i32) {
        let hash = murmur3(term) as i32;
        let column = match hash {
            i32::MIN => (i64::from(i32::MAX) - (self.columns - 1)) % self.columns,
            _ => i64::from(hash.unsigned_abs()) % self.columns,
        };
        (column as u32, if hash >= 0 { 1 } else { -1 })
    }
}

/// MurmurHash3_x86_32 with seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let scramble = |word: u32| word.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let mut hash = 0u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        hash = (hash ^ scramble(word)).rotate_left(13);
        hash = hash.wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let tail = words.remainder().iter().rev();
    let tail = tail.fold(0, |word, &byte| word << 8 | u32::from(byte));
    hash ^= scramble(tail) ^ bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9: `from sklearn.utils import murmurhash3_32; murmurhash3_32(term, seed=0)`.
    #[test]
    fn hashes_are_murmurs() {
        for (term, hash) in [
            ("", 0),
            ("a", 1009084850),
            ("fox", -1621867415),
            ("quick", 771291085),
            ("naïve é", -2140375225),
        ] {
            assert_eq!(murmur3(term.as_bytes()) as i32, hash, "{term}");
        }
    }

    /// scikit-learn 1.9: `HashingVectorizer(n_features=1024, norm=None).transform([term])`.
    #[test]
    fn columns_and_signs_are_scikit_learns() {
        let hasher = Hasher::new(10);
        assert_eq!(hasher.column(b"fox"), (919, -1));
        assert_eq!(hasher.column(b"quick"), (973, 1));
        assert_eq!(hasher.column("naïve".as_bytes()), (469, 1));
    }
}
