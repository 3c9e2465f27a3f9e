//! Terms of a text: runs of words, or of characters.
//!
//! The words of a text lie one behind the other in one buffer, parted by a space, so that a run of words is a slice of
//! it and costs no copy. Characters go the same way: the text itself, or each word between two spaces.

/// The words or characters of a text, ready to be taken in runs.
#[derive(Debug, Default)]
pub struct Pieces {
    /// Words with a space behind each; or the text whose characters are taken.
    pub text: Vec<u8>,
    /// Where the words begin and end.
    pub words: Vec<(usize, usize)>,
}

impl Pieces {
    pub fn clear(&mut self) {
        self.text.clear();
        self.words.clear();
    }

    /// Adds a word.
    #[inline]
    pub fn push(&mut self, word: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(word);
        self.words.push((start, self.text.len()));
        self.text.push(b' ');
    }

    /// Runs of `from` to `to` words, the short ones first.
    #[inline]
    pub fn words(&self, (from, to): (usize, usize), mut term: impl FnMut(&[u8])) {
        for length in from..=to {
            for run in self.words.windows(length) {
                term(&self.text[run[0].0..run[length - 1].1]);
            }
        }
    }

    /// Runs of `from` to `to` characters, over words and all.
    pub fn characters(&self, (from, to): (usize, usize), mut term: impl FnMut(&[u8])) {
        let bounds = bounds(&self.text);
        for length in from..=to {
            for run in bounds.windows(length + 1) {
                term(&self.text[run[0]..run[length]]);
            }
        }
    }

    /// Runs of `from` to `to` characters inside a word and the space on either side of it. A word shorter than a run is
    /// one term as a whole, and no longer runs of it are tried.
    pub fn characters_of_words(&self, (from, to): (usize, usize), mut term: impl FnMut(&[u8])) {
        for &(start, end) in &self.words {
            // The space behind the last word and before the next one is the same byte of the buffer.
            let word = &self.text[start - 1..end + 1];
            let bounds = bounds(word);
            for length in from..=to {
                if bounds.len() <= length + 1 {
                    term(word);
                    break;
                }
                for run in bounds.windows(length + 1) {
                    term(&word[run[0]..run[length]]);
                }
            }
        }
    }
}

/// Where the characters of UTF-8 begin, and where the last one ends.
fn bounds(text: &[u8]) -> Vec<usize> {
    let starts = (0..text.len()).filter(|&i| text[i] & 0xC0 != 0x80);
    starts.chain([text.len()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(words: &str) -> Pieces {
        let mut pieces = Pieces::default();
        pieces.text.push(b' ');
        for word in words.split(' ') {
            pieces.push(word.as_bytes());
        }
        pieces
    }

    fn terms(run: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Vec<String> {
        let mut terms = Vec::new();
        run(&mut |term| terms.push(String::from_utf8(term.to_vec()).unwrap()));
        terms
    }

    #[test]
    fn words_are_taken_in_runs() {
        let pieces = pieces("a quick fox");
        let found = terms(|term| pieces.words((1, 2), term));
        assert_eq!(found, ["a", "quick", "fox", "a quick", "quick fox"]);
        assert!(terms(|term| pieces.words((4, 5), term)).is_empty());
    }

    #[test]
    fn characters_are_taken_in_runs() {
        let mut pieces = Pieces::default();
        pieces.text.extend("é b".as_bytes());
        let found = terms(|term| pieces.characters((2, 4), term));
        assert_eq!(found, ["é ", " b", "é b"]);
    }

    /// scikit-learn 1.9: `CountVectorizer(analyzer="char_wb", ngram_range=(3, 4)).build_analyzer()("to jump é")`.
    #[test]
    fn characters_of_words_stay_inside_them() {
        let pieces = pieces("to jump é");
        let found = terms(|term| pieces.characters_of_words((3, 4), term));
        let expected = [
            " to", "to ", " to ", " ju", "jum", "ump", "mp ", " jum", "jump", "ump ", " é ",
        ];
        assert_eq!(found, expected);
    }
}
