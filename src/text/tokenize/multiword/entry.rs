//! One surface or suffix and what is done with it, and how that is written in a model.

use super::super::classes::fold;

/// What is done with a surface or a suffix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// It is one word.
    Whole,
    /// The words are pieces of the surface: the lengths of all but the first, in characters, from the left.
    Cut(Vec<u8>),
    /// The first word is the surface with its last `drop` characters replaced by `first`; the others are given.
    Replace {
        drop: u8,
        first: String,
        rest: Vec<String>,
    },
}

/// What is known of a surface or a suffix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Folded.
    pub key: String,
    pub is_suffix: bool,
    /// Whether the data splits it sometimes only, so that its neighbours must be asked.
    pub asks: bool,
    pub split: Split,
}

impl Split {
    /// How `words` come out of a folded surface.
    pub fn of(surface: &str, words: &[String]) -> Split {
        if words.len() < 2 {
            return Split::Whole;
        }
        let words: Vec<String> = words.iter().map(|word| fold_all(word)).collect();
        if words.concat() == surface {
            let lengths = words[1..]
                .iter()
                .map(|word| word.chars().count().min(255) as u8);
            return Split::Cut(lengths.collect());
        }
        let common = surface
            .chars()
            .zip(words[0].chars())
            .take_while(|(a, b)| a == b)
            .count();
        Split::Replace {
            drop: (surface.chars().count() - common).min(255) as u8,
            first: words[0].chars().skip(common).collect(),
            rest: words[1..].to_vec(),
        }
    }

    /// How many characters at the end of the surface it concerns.
    pub fn tail(&self) -> usize {
        match self {
            Split::Whole => 0,
            Split::Cut(lengths) => lengths.iter().map(|l| usize::from(*l)).sum(),
            Split::Replace { drop, .. } => usize::from(*drop),
        }
    }
}

/// The case of a surface, for words that are not part of it.
#[derive(Clone, Copy, PartialEq)]
pub enum Case {
    Small,
    Title,
    Capitals,
}

impl Case {
    /// The case of a surface, as its first two letters show it.
    pub fn of(surface: &str) -> Case {
        let mut letters = surface.chars().filter(|c| c.is_alphabetic());
        match (letters.next(), letters.next()) {
            (Some(first), Some(second)) if first.is_uppercase() => match second.is_uppercase() {
                true => Case::Capitals,
                false => Case::Title,
            },
            (Some(first), None) if first.is_uppercase() => Case::Title,
            _ => Case::Small,
        }
    }

    /// A word in this case; with a capital only if it is the `first`.
    pub fn apply(self, word: &str, first: bool) -> String {
        match self {
            Case::Capitals => word.to_uppercase(),
            Case::Title if first => {
                let mut chars = word.chars();
                let initial = chars.next().map(char::to_uppercase).into_iter().flatten();
                initial.chain(chars.as_str().chars()).collect()
            }
            _ => word.to_owned(),
        }
    }
}

/// The form in which surfaces are compared.
pub fn fold_all(word: &str) -> String {
    word.chars().map(fold).collect()
}

impl Entry {
    /// `key TAB kind …`: `=` one word, `2,1` lengths, `-3 TAB first TAB rest TAB rest` a replacement; `?` before the kind when
    /// the neighbours are asked; suffixes begin with a TAB.
    pub fn print(&self) -> String {
        let mark = if self.is_suffix { "\t" } else { "" };
        let asks = if self.asks { "?" } else { "" };
        let kind = match &self.split {
            Split::Whole => "=".to_owned(),
            Split::Cut(lengths) => {
                let lengths: Vec<String> = lengths.iter().map(u8::to_string).collect();
                lengths.join(",")
            }
            Split::Replace { drop, first, rest } => {
                format!("-{drop}\t{first}\t{}", rest.join("\t"))
            }
        };
        format!("{mark}{}\t{asks}{kind}", self.key)
    }

    /// Reads what [`Entry::print`] wrote.
    pub fn parse(line: &str) -> Option<Entry> {
        let (line, is_suffix) = match line.strip_prefix('\t') {
            Some(rest) => (rest, true),
            None => (line, false),
        };
        let mut fields = line.split('\t');
        let key = fields.next()?.to_owned();
        let kind = fields.next()?;
        let (kind, asks) = match kind.strip_prefix('?') {
            Some(rest) => (rest, true),
            None => (kind, false),
        };
        let split = if kind == "=" {
            Split::Whole
        } else if let Some(drop) = kind.strip_prefix('-') {
            Split::Replace {
                drop: drop.parse().ok()?,
                first: fields.next()?.to_owned(),
                rest: fields.map(str::to_owned).collect(),
            }
        } else {
            let lengths: Result<_, _> = kind.split(',').map(str::parse).collect();
            Split::Cut(lengths.ok()?)
        };
        Some(Entry {
            key,
            is_suffix,
            asks,
            split,
        })
    }
}
