//! Character n-grams of words: fastText's parts, so that words never seen have vectors too.
//!
//! ```text
//! where, n = 3 … 3    <wh whe her ere re>        each in one of B buckets, by its 32-bit FNV-1a hash mod B
//! vector(where)       mean of the word's own row and the rows of its n-grams
//! ```
//!
//! Bojanowski, Grave, Joulin and Mikolov (2017), Enriching word vectors with subword information. The hash takes bytes
//! as signed, as fastText's does, so that buckets are the same.

/// Which n-grams, and into how many buckets.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Subwords {
    pub min_n: usize,
    pub max_n: usize,
    pub buckets: u32,
}

impl Subwords {
    /// The buckets of a word's n-grams, in order of their beginnings.
    pub fn of(&self, word: &str) -> Vec<u32> {
        let marked = format!("<{word}>");
        let mut starts: Vec<usize> = marked.char_indices().map(|(at, _)| at).collect();
        starts.push(marked.len());
        let mut found = Vec::new();
        for from in 0..starts.len() - 1 {
            for n in self.min_n..=self.max_n {
                let Some(&end) = starts.get(from + n) else {
                    break;
                };
                // A marker alone says nothing.
                if n == 1 && (from == 0 || end == marked.len()) {
                    continue;
                }
                found.push(hash(&marked.as_bytes()[starts[from]..end]) % self.buckets);
            }
        }
        found
    }
}

fn hash(bytes: &[u8]) -> u32 {
    let step = |h: u32, &byte: &u8| (h ^ byte as i8 as u32).wrapping_mul(16_777_619);
    bytes.iter().fold(2_166_136_261, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_grams_are_hashed_like_fast_texts() {
        // FNV-1a of "a" is e40c292c, of "foobar" bf9cf968 (the published test vectors).
        assert_eq!(hash(b"a"), 0xe40c_292c);
        assert_eq!(hash(b"foobar"), 0xbf9c_f968);
    }

    #[test]
    fn a_word_has_its_n_grams_with_markers() {
        let subwords = Subwords {
            min_n: 3,
            max_n: 4,
            buckets: u32::MAX,
        };
        let expected: Vec<u32> = ["<né", "<né>", "né>"]
            .iter()
            .map(|g| hash(g.as_bytes()) % u32::MAX)
            .collect();
        assert_eq!(subwords.of("né"), expected);
        let single = Subwords {
            min_n: 1,
            max_n: 1,
            buckets: 1000,
        };
        assert_eq!(single.of("né").len(), 2);
    }
}
