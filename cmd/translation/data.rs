//! Sentence pairs to learn from: files opened, subword models learned, pairs encoded and kept.

use crate::corpus;
use crate::stream::{Failure, Invalid, input};
use crate::subword::load::load;
use anyhow::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wordmill::nn::folder::Folder;
use wordmill::random::Random;
use wordmill::text::subword::{self, Subword};
use wordmill::translate::architecture::Units;
use wordmill::translate::pairs::{Layout, Pair, PairError, Pairs, Places};
use wordmill::translate::store::Side;

/// Where pairs come from.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairFiles {
    /// Sentences to translate from, one a line; may be repeated
    #[arg(long, value_name = "FILE", requires = "target")]
    pub source: Vec<PathBuf>,
    /// Their translations, line by line
    #[arg(long, value_name = "FILE", requires = "source")]
    pub target: Vec<PathBuf>,
    /// Pairs in one file: source TAB target, or JSON Lines with "source" and "target"; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "target"])]
    pub pairs: Vec<PathBuf>,
    /// Columns of --pairs that hold source and target, counted from 1, or keys of its objects [default: 1,2 and
    /// source,target]
    #[arg(long, value_name = "SOURCE,TARGET", value_parser = places, requires = "pairs")]
    #[serde(default)]
    pub columns: Option<Columns>,
}

/// Where the sides stand in a line of a file of pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    /// Counted from 1.
    Numbers(usize, usize),
    Keys(String, String),
}

fn places(text: &str) -> Result<Columns, String> {
    let two = text.split_once(',').map(|(a, b)| (a.trim(), b.trim()));
    let two = two.filter(|(a, b)| !a.is_empty() && !b.is_empty());
    let (source, target) = two.ok_or("expected two columns or keys, as in 1,2")?;
    match (source.parse(), target.parse()) {
        (Ok(0), _) | (_, Ok(0)) => Err("columns are counted from 1".to_owned()),
        (Ok(source), Ok(target)) => Ok(Columns::Numbers(source, target)),
        _ => Ok(Columns::Keys(source.to_owned(), target.to_owned())),
    }
}

impl PairFiles {
    /// Those of two files, or of one with both sides, which stand there as in these.
    pub fn others(&self, files: &[PathBuf]) -> PairFiles {
        match files {
            [source, target] => PairFiles {
                source: vec![source.clone()],
                target: vec![target.clone()],
                ..PairFiles::default()
            },
            pairs => PairFiles {
                pairs: pairs.to_vec(),
                columns: self.columns.clone(),
                ..PairFiles::default()
            },
        }
    }

    pub fn is_empty(&self) -> bool {
        self.source.is_empty() && self.pairs.is_empty()
    }

    /// Whether they can be read only once.
    pub fn is_stdin(&self) -> bool {
        let all = self.pairs.iter().chain(&self.source).chain(&self.target);
        all.into_iter().any(|path| path.as_os_str() == "-")
    }

    /// All pairs, file by file.
    ///
    /// # Errors
    /// When a file cannot be opened, and later what is wrong with a pair.
    pub fn read(&self) -> Result<impl Iterator<Item = Result<Pair>> + Send + use<>> {
        if self.source.len() != self.target.len() {
            return Err(Failure::usage(format!(
                "{} files for --source and {} for --target: they go in pairs",
                self.source.len(),
                self.target.len()
            ))
            .into());
        }
        let mut readers = Vec::new();
        for (source, target) in self.source.iter().zip(&self.target) {
            let (one, other) = (name(source), name(target));
            readers.push(Pairs::aligned(
                (&one, lines(source)?),
                (&other, lines(target)?),
            ));
        }
        let mut places = Places::default();
        let layout = match &self.columns {
            None => None,
            Some(Columns::Numbers(source, target)) => {
                places.columns = (source - 1, target - 1);
                Some(Layout::Columns)
            }
            Some(Columns::Keys(source, target)) => {
                places.keys = (source.clone(), target.clone());
                Some(Layout::JsonLines)
            }
        };
        for path in &self.pairs {
            let places = places.clone();
            readers.push(Pairs::single(&name(path), lines(path)?, layout, places));
        }
        Ok(readers
            .into_iter()
            .flatten()
            .map(|pair| pair.map_err(pair_failure)))
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Text of a file, to be read line by line.
pub fn lines(path: &Path) -> Result<BufReader<input::Stream>> {
    let stream = input::open_text(path, (None, Invalid::Error), &Arc::default())?;
    Ok(BufReader::with_capacity(1 << 16, stream))
}

fn pair_failure(error: PairError) -> Error {
    match error {
        PairError::Io { file, error } => input::read_failure(&file, 0, &error).into(),
        PairError::Format { file, error } => Failure::of_format(&file, error).into(),
        PairError::InvalidUtf8 { ref file, line, at } => {
            Failure::at_line(file, line, format!("invalid UTF-8 at byte {at}"))
                .hint("text of another encoding: iconv -t UTF-8 makes it UTF-8")
                .into()
        }
        PairError::Unequal { .. } => Failure::plain(error.to_string())
            .hint("line n of --target is the translation of line n of --source")
            .into(),
    }
}

/// The subword models of a run: one, or one for each side.
pub struct Tokenizers {
    pub source: Subword,
    /// None when it is that of the source.
    pub target: Option<Subword>,
}

/// How subword models are learned.
pub struct Learn<'a> {
    pub algorithm: subword::Algorithm,
    pub vocabulary: usize,
    pub separate: bool,
    pub symbols: Vec<String>,
    pub files: &'a PairFiles,
}

impl Tokenizers {
    /// Those of a run's folder, when there are any.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of_folder(folder: &Folder) -> Result<Option<Tokenizers>> {
        let (one, source) = (
            folder.path("tokenizer.json"),
            folder.path("tokenizer.source.json"),
        );
        if one.exists() {
            return Ok(Some(Tokenizers {
                source: load(&one)?,
                target: None,
            }));
        }
        if source.exists() {
            let target = load(&folder.path("tokenizer.target.json"))?;
            return Ok(Some(Tokenizers {
                source: load(&source)?,
                target: Some(target),
            }));
        }
        Ok(None)
    }

    /// Those of files: one, or two.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of_files(files: &[PathBuf]) -> Result<Tokenizers> {
        if files.len() > 2 {
            return Err(Failure::usage("--tokenizer is given more than twice")
                .hint("one is for both sides, the second for the target")
                .into());
        }
        Ok(Tokenizers {
            source: load(&files[0])?,
            target: files.get(1).map(|path| load(path)).transpose()?,
        })
    }

    /// Learns them from the pairs.
    ///
    /// # Errors
    /// When a pair cannot be read or there is nothing to learn.
    pub fn learn(how: &Learn) -> Result<Tokenizers> {
        let options = subword::Options {
            algorithm: how.algorithm,
            vocab_size: how.vocabulary,
            symbols: how.symbols.clone(),
            ..subword::Options::default()
        };
        let mut source = subword::Trainer::new(options.clone())?;
        let mut target = how
            .separate
            .then(|| subword::Trainer::new(options))
            .transpose()?;
        const LINES: usize = 10_000;
        let mut pairs = how.files.read()?.peekable();
        while pairs.peek().is_some() {
            let part: Vec<Pair> = pairs.by_ref().take(LINES).collect::<Result<_>>()?;
            source.add(&part.iter().map(|pair| &pair.source[..]).collect::<Vec<_>>());
            let other = target.as_mut().unwrap_or(&mut source);
            other.add(&part.iter().map(|pair| &pair.target[..]).collect::<Vec<_>>());
        }
        let finish = |trainer: subword::Trainer| {
            trainer
                .finish()
                .map_err(|error| Failure::plain(format!("no subword model: {error}")))
        };
        Ok(Tokenizers {
            source: finish(source)?,
            target: target.map(finish).transpose()?,
        })
    }

    /// Writes them into a run's folder.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save(&self, folder: &Folder) -> Result<()> {
        match &self.target {
            None => folder.write("tokenizer.json", self.source.to_json()?.as_bytes())?,
            Some(target) => {
                folder.write("tokenizer.source.json", self.source.to_json()?.as_bytes())?;
                folder.write("tokenizer.target.json", target.to_json()?.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Whether texts are cut into characters, on both sides.
    pub fn are_characters(&self) -> bool {
        self.source.is_char() && self.target().is_char()
    }

    pub fn units(&self) -> Units {
        match self.are_characters() {
            true => Units::Characters,
            false => Units::Pieces,
        }
    }

    /// How many times as long as their sources translations can be: those of words are of about as many, but a digit may
    /// be a word of letters.
    pub fn max_ratio(&self) -> f32 {
        if self.are_characters() { 10.0 } else { 1.5 }
    }

    pub fn target(&self) -> &Subword {
        self.target.as_ref().unwrap_or(&self.source)
    }

    fn side(&self, side: Side) -> &Subword {
        match side {
            Side::Source => &self.source,
            Side::Target => self.target(),
        }
    }

    /// The tokens of a text; given random numbers, words are cut in other ways with a probability of `dropout`.
    pub fn encode(
        &self,
        side: Side,
        text: &str,
        dropout: f32,
        random: Option<&mut Random>,
    ) -> Vec<u32> {
        let tokenizer = self.side(side);
        let found = match random {
            Some(random) if dropout > 0.0 => tokenizer.encode_with_dropout(text, dropout, random),
            _ => tokenizer.encode(text),
        };
        // A pair that cannot be encoded is dropped as an empty one.
        found.unwrap_or_default()
    }
}

/// Symbols that are kept whole, one a line.
///
/// # Errors
/// When the file cannot be read.
pub fn read_symbols(path: Option<&Path>) -> Result<Vec<String>> {
    let text = path.map(corpus::read_text).transpose()?.unwrap_or_default();
    Ok(text
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
