//! Letters without their accents.
//!
//! `unicode`: compatibility decomposition (NFKD), then every character with a combining class other than 0 is dropped;
//! `ascii`: the same decomposition, then everything beyond ASCII is dropped. As scikit-learn's `strip_accents`.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// What is left of letters with accents, by the names `--strip-accents` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Accents {
    /// The letter without its accent, in any script
    Unicode,
    /// What ASCII has of it; all else is dropped
    Ascii,
}

impl Accents {
    /// The text without accents.
    pub fn strip(self, text: &str) -> Cow<'_, str> {
        if text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let decomposed = text.nfkd();
        Cow::Owned(match self {
            Accents::Unicode => decomposed
                .filter(|&c| canonical_combining_class(c) == 0)
                .collect(),
            Accents::Ascii => decomposed.filter(char::is_ascii).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_go_and_letters_stay() {
        assert_eq!(Accents::Unicode.strip("àéïõü ﬁ ½ øß"), "aeiou fi 1⁄2 øß");
        assert_eq!(Accents::Ascii.strip("àéïõü ﬁ ½ øß"), "aeiou fi 12 ");
        assert!(matches!(Accents::Ascii.strip("plain"), Cow::Borrowed(_)));
    }
}
