//! Sentences to learn word vectors from: the flags that say which, and the way from files to numbers.

use crate::bag;
use crate::corpus::{read_bytes, text_of};
use crate::stream::input::{Stream, inputs, is_stdin, name_of, open_text, read_failure};
use crate::stream::{Failure, Invalid, encoding};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use wordmill::bag::counts::{CountsReader, MAGIC};
use wordmill::bag::merge::{Entry, SortedTerms};
use wordmill::embed::corpus::{Corpus, CorpusError, Limits, Reader};
use wordmill::embed::phrases::Phrases;

/// Flags for what is learned from.
#[derive(clap::Args, Clone, Debug)]
pub struct CorpusArgs {
    /// Files of sentences, one a line, words parted by spaces; - or none is standard input; .gz and .zst are decompressed
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Leave out words seen fewer times
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub min_count: u64,
    /// Keep only the N most frequent words [default: all]
    #[arg(long, value_name = "N", value_parser = words)]
    pub max_vocab: Option<usize>,
    /// File of words and counts, which are those of a larger text: of `bow --counts --scheme whitespace --no-lower`, or lines
    /// of a word and a number; other words are left out
    #[arg(long, value_name = "FILE")]
    pub vocab: Option<PathBuf>,
    /// Encoding of the input, such as windows-1252; UTF-16 is known by its mark [default: utf-8]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// What to do about bytes that are not UTF-8
    #[arg(long, value_enum, default_value_t)]
    pub invalid: Invalid,
}

fn words(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err("expected a number of words".to_owned()),
    }
}

impl CorpusArgs {
    /// Reads all files, and joins phrases if there are any to find.
    ///
    /// # Errors
    /// When a file cannot be read or is not in its encoding, and when no word is frequent enough.
    pub fn read(&self, phrases: Option<&Phrases>) -> Result<Corpus> {
        let mut reader = self.reader()?;
        for path in inputs(&self.files)? {
            self.add(&mut reader, &path, self.open(&path)?)?;
        }
        if let Some(phrases) = phrases {
            reader.join(phrases)?;
        }
        self.finish(reader)
    }

    /// What takes text, and knows its words already if there is a file of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reader(&self) -> Result<Reader> {
        let Some(path) = &self.vocab else {
            return Ok(Reader::default());
        };
        let words = vocabulary(path)?;
        let each = words.iter().map(|(word, count)| (&word[..], *count));
        Ok(Reader::of_known(each).map_err(|error| failure(&name_of(path), &error))?)
    }

    /// Whether the text can be read only once, by one.
    pub fn is_stdin(&self) -> bool {
        self.files.is_empty() || self.files.iter().any(|path| is_stdin(path))
    }

    /// Opens a file, decompressed and in UTF-8.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, path: &Path) -> Result<Stream> {
        let located = |error| crate::stream::input::locate_failure(&name_of(path), error);
        open_text(path, (self.encoding, self.invalid), &Default::default()).map_err(located)
    }

    /// Adds what [`CorpusArgs::open`] has opened.
    ///
    /// # Errors
    /// When it cannot be read or is not UTF-8.
    pub fn add(&self, reader: &mut Reader, path: &Path, stream: Stream) -> Result<()> {
        let read = reader.read(stream, self.invalid == Invalid::Replace);
        Ok(read.map_err(|error| failure(&name_of(path), &error))?)
    }

    /// The words and the text as their numbers.
    ///
    /// # Errors
    /// When no word is frequent enough, or the disk is full.
    pub fn finish(&self, reader: Reader) -> Result<Corpus> {
        let corpus = reader.finish(Limits {
            min_count: self.min_count,
            max_words: self.max_vocab,
        })?;
        if corpus.vocabulary.is_empty() {
            bail!(self.no_words());
        }
        Ok(corpus)
    }

    /// No word is left of the files.
    pub fn no_words(&self) -> Failure {
        let first = self.files.first().map_or(Path::new("-"), PathBuf::as_path);
        let name = match is_stdin(first) {
            true => "standard input".to_owned(),
            false => name_of(first),
        };
        match self.min_count {
            1 => Failure::of_file(&name, "no words to learn from"),
            n => Failure::of_file(&name, format!("no word is seen {n} times"))
                .hint("--min-count 1 learns from every word"),
        }
    }
}

/// Words and how often they were seen.
fn vocabulary(path: &Path) -> Result<Vec<(Vec<u8>, u64)>> {
    let (name, bytes) = (name_of(path), read_bytes(path)?);
    let mut words = Vec::new();
    if bytes.starts_with(MAGIC.as_bytes()) {
        let mut reader = CountsReader::new(&bytes[..], &name).map_err(bag::failure)?;
        if !reader.header.options.terms.are_tokens() {
            let problem = "its terms are not all the words of lines, as they stand there";
            bail!(
                Failure::of_file(&name, problem)
                    .hint("`wordmill bow --counts --scheme whitespace --no-lower` counts those")
            );
        }
        let mut entry = Entry::default();
        while reader.next(&mut entry).map_err(bag::failure)? {
            words.push((std::mem::take(&mut entry.term), entry.total.count));
        }
    } else {
        for (line, number) in text_of(&name, bytes)?.lines().zip(1..) {
            let problem = || Failure::at_line(&name, number, "expected a word and its count");
            words.push(word_and_count(line).ok_or_else(problem)?);
        }
    }
    let sum = (words.iter()).try_fold(0u64, |sum, (_, count)| sum.checked_add(*count));
    match sum {
        Some(_) => Ok(words),
        None => bail!(Failure::of_file(&name, "counts more than 2^64 words")),
    }
}

/// The two parts of a line.
fn word_and_count(line: &str) -> Option<(Vec<u8>, u64)> {
    let (word, count) = line.trim_end().rsplit_once([' ', '\t'])?;
    let is_word = !word.is_empty() && !word.contains(|c: char| c.is_ascii_whitespace());
    is_word.then_some((word.as_bytes().to_vec(), count.parse().ok()?))
}

fn failure(name: &str, error: &CorpusError) -> Failure {
    match error {
        CorpusError::Io(error) => read_failure(name, 0, error),
        CorpusError::InvalidUtf8 { line, .. } => Failure::at_line(name, *line, error.to_string())
            .hint("--encoding NAME reads other encodings, --invalid replace goes on with U+FFFD"),
        CorpusError::TooManyWords => Failure::of_file(name, error.to_string()),
    }
}
