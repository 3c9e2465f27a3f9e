//! Running text as a stream of word numbers, in memory or in a mapped temporary file.
//!
//! ```text
//! text     the cat sat \n the dog \n           a line is a sentence, words are parted by ASCII white space
//! tokens   0 1 2 BREAK 0 3 BREAK               numbers by frequency; words left out of the vocabulary leave no gap
//! ```
//!
//! Text is read once: words get provisional numbers as they come, and when all are counted, the stream is renumbered
//! in place. Words and counts may be known before, of a text of which this is a part.

use super::phrases::Phrases;
use super::tokens::{Spool, Tokens};
use super::vocabulary::Vocabulary;
use crate::bag::interner::Interner;
use compact_str::CompactString;
use std::io::Read;

/// Ends a sentence in the stream.
pub const BREAK: u32 = u32::MAX;

/// Which words make the vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Words seen fewer times are left out.
    pub min_count: u64,
    /// Only so many, the most frequent.
    pub max_words: Option<usize>,
}

/// Why a corpus could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("invalid UTF-8 at byte {at}")]
    InvalidUtf8 { line: u64, at: usize },
    #[error("more than 4 GiB of different words")]
    TooManyWords,
}

/// Text on its way to numbers.
#[derive(Default)]
pub struct Reader {
    words: Interner,
    counts: Vec<u64>,
    tokens: Spool,
    /// All tokens, when phrases have been joined in them.
    joined: Option<Tokens>,
    /// The beginning of a word or line that the last block cut.
    is_open: bool,
    /// Whether the words are given, and their counts: others are left out.
    is_known: bool,
}

/// Where a block of text begins.
struct Place {
    /// Counted from 1.
    line: u64,
    /// Bytes of the text before it.
    offset: usize,
}

impl Place {
    /// A new word, so many bytes into the block, must be UTF-8.
    #[cold]
    fn check(&self, word: &[u8], within: usize, replace: bool) -> Result<(), CorpusError> {
        match std::str::from_utf8(word) {
            Err(error) if !replace => Err(CorpusError::InvalidUtf8 {
                line: self.line,
                at: self.offset + within + error.valid_up_to(),
            }),
            _ => Ok(()),
        }
    }
}

/// Bytes read at a time.
const BLOCK: usize = 1 << 18;

impl Reader {
    /// Text of which only these words are wanted, whose counts are known: those of a larger text, perhaps.
    ///
    /// # Errors
    /// When they take too much room.
    pub fn of_known<'a>(
        words: impl IntoIterator<Item = (&'a [u8], u64)>,
    ) -> Result<Reader, CorpusError> {
        let mut reader = Reader {
            is_known: true,
            ..Reader::default()
        };
        for (word, count) in words {
            if reader.words.is_full(word.len()) {
                return Err(CorpusError::TooManyWords);
            }
            let number = reader.words.intern(word) as usize;
            reader.counts.resize(reader.words.len(), 0);
            reader.counts[number] += count;
        }
        Ok(reader)
    }

    /// Appends a text; its end also ends a sentence. With `replace`, bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// The text cannot be read or is not UTF-8, or the stream cannot be kept.
    pub fn read(&mut self, mut text: impl Read, replace: bool) -> Result<(), CorpusError> {
        let mut buffer = Vec::new();
        let mut place = Place { line: 1, offset: 0 };
        loop {
            let kept = buffer.len();
            buffer.resize(kept + BLOCK, 0);
            let read = match text.read(&mut buffer[kept..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => 0,
                other => {
                    let read = other?;
                    if read == 0 {
                        buffer.truncate(kept);
                        self.words_of(&buffer, &mut place, replace)?;
                        return self.end_sentence();
                    }
                    read
                }
            };
            buffer.truncate(kept + read);
            // The last word may go on in the next block.
            let whole = (buffer.iter().rposition(u8::is_ascii_whitespace)).map_or(0, |at| at + 1);
            self.words_of(&buffer[..whole], &mut place, replace)?;
            buffer.drain(..whole);
        }
    }

    /// Takes whole words.
    fn words_of(
        &mut self,
        text: &[u8],
        place: &mut Place,
        replace: bool,
    ) -> Result<(), CorpusError> {
        if self.words.is_full(text.len()) {
            return Err(CorpusError::TooManyWords);
        }
        let mut start = 0;
        for at in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
            let sentence = &text[start..at];
            for word in sentence
                .split(u8::is_ascii_whitespace)
                .filter(|w| !w.is_empty())
            {
                if self.is_known {
                    match self.words.get(word) {
                        Some(number) => {
                            self.tokens.push(number)?;
                            self.is_open = true;
                        }
                        None => {
                            let within = word.as_ptr() as usize - text.as_ptr() as usize;
                            place.check(word, within, replace)?;
                        }
                    }
                    continue;
                }
                let number = self.words.intern(word);
                if number as usize == self.counts.len() {
                    let within = word.as_ptr() as usize - text.as_ptr() as usize;
                    place.check(word, within, replace)?;
                    self.counts.push(0);
                }
                self.counts[number as usize] += 1;
                self.tokens.push(number)?;
                self.is_open = true;
            }
            if at < text.len() {
                self.end_sentence()?;
                place.line += 1;
            }
            start = at + 1;
        }
        place.offset += text.len();
        Ok(())
    }

    fn end_sentence(&mut self) -> Result<(), CorpusError> {
        if std::mem::take(&mut self.is_open) {
            self.tokens.push(BREAK)?;
        }
        Ok(())
    }

    /// Joins words that stand together; nothing can be read afterwards.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn join(&mut self, phrases: &Phrases) -> Result<(), CorpusError> {
        let mut tokens = std::mem::take(&mut self.tokens).finish()?;
        let kept = phrases.join(tokens.as_mut_slice(), &mut self.words, &mut self.counts);
        tokens.truncate(kept);
        self.joined = Some(tokens);
        Ok(())
    }

    /// Numbers the words by frequency and leaves out those beyond the limits.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn finish(self, limits: Limits) -> Result<Corpus, CorpusError> {
        let mut order: Vec<u32> = (0..self.counts.len() as u32).collect();
        order.retain(|&n| self.counts[n as usize] >= limits.min_count);
        order.sort_unstable_by(|&a, &b| {
            let count = |n: u32| self.counts[n as usize];
            count(b)
                .cmp(&count(a))
                .then_with(|| self.words.string(a).cmp(self.words.string(b)))
        });
        order.truncate(limits.max_words.unwrap_or(usize::MAX));
        let mut number = vec![BREAK; self.counts.len()];
        for (new, &old) in order.iter().enumerate() {
            number[old as usize] = new as u32;
        }
        let word = |&n: &u32| CompactString::from_utf8_lossy(self.words.string(n));
        let vocabulary = Vocabulary {
            words: order.iter().map(word).collect(),
            counts: order.iter().map(|&n| self.counts[n as usize]).collect(),
        };
        drop((self.words, self.counts));
        let mut tokens = match self.joined {
            Some(tokens) => tokens,
            None => self.tokens.finish()?,
        };
        let kept = renumber(tokens.as_mut_slice(), &number);
        tokens.truncate(kept);
        Ok(Corpus { vocabulary, tokens })
    }
}

/// Gives tokens their new numbers in place, drops those without one and sentences of nothing; how many are left.
fn renumber(tokens: &mut [u32], number: &[u32]) -> usize {
    let mut kept = 0;
    let mut is_open = false;
    for at in 0..tokens.len() {
        let token = tokens[at];
        let new = match token {
            BREAK => BREAK,
            known => number[known as usize],
        };
        // A break is kept behind words only; a dropped word is none.
        let keep = match token {
            BREAK => std::mem::take(&mut is_open),
            _ => new != BREAK,
        };
        if keep {
            is_open = new != BREAK;
            tokens[kept] = new;
            kept += 1;
        }
    }
    kept
}

/// A vocabulary and the text as its numbers.
pub struct Corpus {
    pub vocabulary: Vocabulary,
    tokens: Tokens,
}

impl Corpus {
    /// The numbers of the words, [`BREAK`] behind every sentence.
    pub fn tokens(&self) -> &[u32] {
        self.tokens.as_slice()
    }

    /// Sentences, long ones cut at `most` words.
    pub fn sentences(&self, most: usize) -> impl Iterator<Item = &[u32]> {
        sentences(self.tokens(), most)
    }

    /// Parts of about equal size, cut behind sentences where there are any.
    pub fn parts(&self, count: usize) -> Vec<&[u32]> {
        let tokens = self.tokens();
        let cut = |part: usize| {
            let at = tokens.len() * part / count;
            // Text of one endless line is cut anywhere.
            let near = &tokens[at..tokens.len().min(at + (1 << 16))];
            match near.iter().position(|&t| t == BREAK) {
                Some(found) if part > 0 => at + found + 1,
                _ => at,
            }
        };
        (0..count)
            .map(|part| &tokens[cut(part)..cut(part + 1)])
            .collect()
    }
}

/// Sentences of a stream, long ones cut at `most` words.
pub fn sentences(tokens: &[u32], most: usize) -> impl Iterator<Item = &[u32]> {
    let whole = tokens.split(|&token| token == BREAK);
    whole.flat_map(move |sentence| sentence.chunks(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(text: &str, min_count: u64) -> Corpus {
        let mut reader = Reader::default();
        reader.read(text.as_bytes(), false).unwrap();
        reader
            .finish(Limits {
                min_count,
                max_words: None,
            })
            .unwrap()
    }

    #[test]
    fn words_are_numbered_by_frequency_and_bytes() {
        let corpus = corpus("b a c\nb c\n\nb d", 1);
        assert_eq!(corpus.vocabulary.words, ["b", "c", "a", "d"]);
        assert_eq!(corpus.vocabulary.counts, [3, 2, 1, 1]);
        assert_eq!(corpus.tokens(), [0, 2, 1, BREAK, 0, 1, BREAK, 0, 3, BREAK]);
    }

    #[test]
    fn rare_words_leave_no_gap_and_no_empty_sentence() {
        let corpus = corpus("b a b\na\n\nc\nb", 3);
        assert_eq!(corpus.vocabulary.words, ["b"]);
        assert_eq!(corpus.tokens(), [0, 0, BREAK, 0, BREAK]);
    }

    #[test]
    fn of_known_words_the_counts_are_those_given() {
        let known = [(&b"a"[..], 7), (b"b", 9), (b"e", 2)];
        let mut reader = Reader::of_known(known).unwrap();
        reader.read(&b"b a c\nc\n\nb d b"[..], false).unwrap();
        let corpus = reader
            .finish(Limits {
                min_count: 1,
                max_words: None,
            })
            .unwrap();
        assert_eq!(corpus.vocabulary.words, ["b", "a", "e"]);
        assert_eq!(corpus.vocabulary.counts, [9, 7, 2]);
        assert_eq!(corpus.tokens(), [0, 1, BREAK, 0, 0, BREAK]);
    }

    #[test]
    fn a_bad_byte_is_named_where_words_are_known_too() {
        let mut reader = Reader::of_known([(&b"so"[..], 1)]).unwrap();
        let error = reader.read(&b"so\nso b\xFFd"[..], false).unwrap_err();
        assert!(
            matches!(error, CorpusError::InvalidUtf8 { line: 2, at: 7 }),
            "{error:?}"
        );
    }

    #[test]
    fn long_sentences_are_cut_and_none_is_lost() {
        let corpus = corpus("a a a a a\na", 1);
        let lengths: Vec<usize> = corpus.sentences(2).map(<[u32]>::len).collect();
        assert_eq!(lengths, [2, 2, 1, 1]);
    }

    #[test]
    fn blocks_do_not_cut_words() {
        struct Dribble<'a>(&'a [u8]);
        impl Read for Dribble<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let n = self.0.len().min(3);
                buffer[..n].copy_from_slice(&self.0[..n]);
                self.0 = &self.0[n..];
                Ok(n)
            }
        }
        let text = "international words\r\nand others\tcut\n";
        let mut reader = Reader::default();
        reader.read(Dribble(text.as_bytes()), false).unwrap();
        let found = reader
            .finish(Limits {
                min_count: 1,
                max_words: None,
            })
            .unwrap();
        assert_eq!(
            found.vocabulary.words,
            ["and", "cut", "international", "others", "words"]
        );
        assert_eq!(found.tokens(), [2, 4, BREAK, 0, 3, 1, BREAK]);
    }

    #[test]
    fn a_bad_byte_is_named_with_its_line() {
        let error = Reader::default()
            .read(&b"good\nso b\xFFd"[..], false)
            .unwrap_err();
        assert!(
            matches!(error, CorpusError::InvalidUtf8 { line: 2, at: 9 }),
            "{error:?}"
        );
    }

    #[test]
    fn parts_hold_everything_once() {
        let text = "a b c d\n".repeat(1000);
        let corpus = corpus(&text, 1);
        for count in [1, 2, 3, 7] {
            let parts = corpus.parts(count);
            assert_eq!(parts.concat(), corpus.tokens());
            assert!(parts.iter().all(|part| part.last() == Some(&BREAK)));
        }
    }
}
