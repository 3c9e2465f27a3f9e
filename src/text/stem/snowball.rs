//! The Snowball stemmers of both generations, each through the crate that the official compiler generated.
//!
//! Generation 2 is `rust-stemmers`: what tantivy and, through their own ports of the same algorithms, Lucene and NLTK
//! have stored in their users' indexes. Generation 3 is `snowball_stemmers_rs`. The crate `waken_snowball` was the
//! alternative; both come from Snowball 3.0.0 without `unsafe`, and were compared on the 19 official lists of
//! generation 3 (851,554 words):
//!
//! | | snowball_stemmers_rs 1.0.1 | waken_snowball 0.1.0 |
//! |---|---|---|
//! | words with another stem | 0 | 17, all English (*internal* → *intern*) |
//! | English, Greek, Turkish, million words/s on one core | 3.6, 1.1, 1.0 | 3.7, 1.1, 1.0 |
//! | algorithms | 38 | 33 |
//! | licence | MIT | BSD-3-Clause |
//! | crate, uncompressed | 1.5 MB | 1.0 MB |
//!
//! rust-stemmers leaves the official lists of generation 2 in a few words:
//! French 79 of 20,805 words (all with ï or ë: *aïe*, *ambiguïté*), Russian 112 of 49,785 (ё, which it does not turn
//! into е), Finnish 3 of 49,957 (*garcía*, *elysée*, *coruñassa*), Italian 1 of 35,495 (*divano*). They stay, because
//! agreeing with stored stems is what generation 2 is for. Its Greek stemmer panics on words such as *ισαισα* and gives
//! *ίσα* an empty stem; Greek did not change otherwise between the generations (90,726 of 90,727 words), so that
//! both are served by generation 3.
//!
//! M. F. Porter, R. Boulton et al., *Snowball: a language for stemming algorithms*, 2001–2025. Lovins' algorithm is
//! J. B. Lovins, *Development of a stemming algorithm*, Mechanical Translation 11, 1968; Porter's is M. F. Porter,
//! *An algorithm for suffix stripping*, Program 14, 1980.

use rust_stemmers::Algorithm as Two;
use serde::{Deserialize, Serialize};
use snowball_stemmers_rs::Algorithm as Three;
use std::borrow::Cow;

/// The generation of the Snowball algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Generation {
    /// Snowball 2 of 2019-2021: the stems that Lucene, tantivy and NLTK users have stored
    #[default]
    #[value(name = "2")]
    Two,
    /// Snowball 3 of 2025: other stems in ten languages, and seventeen more languages
    #[value(name = "3")]
    Three,
}

/// The languages there is a Snowball stemmer for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    #[value(alias = "ar")]
    Arabic,
    #[value(alias = "hy")]
    Armenian,
    #[value(alias = "eu")]
    Basque,
    #[value(alias = "ca")]
    Catalan,
    #[value(alias = "cs")]
    Czech,
    #[value(alias = "da")]
    Danish,
    #[value(alias = "nl")]
    Dutch,
    /// Dutch as generation 2 has it, in generation 3
    DutchPorter,
    #[default]
    #[value(alias = "en")]
    English,
    #[value(alias = "eo")]
    Esperanto,
    #[value(alias = "et")]
    Estonian,
    #[value(alias = "fi")]
    Finnish,
    #[value(alias = "fr")]
    French,
    #[value(alias = "de")]
    German,
    #[value(alias = "el")]
    Greek,
    #[value(alias = "hi")]
    Hindi,
    #[value(alias = "hu")]
    Hungarian,
    #[value(alias = "id")]
    Indonesian,
    #[value(alias = "ga")]
    Irish,
    #[value(alias = "it")]
    Italian,
    #[value(alias = "lt")]
    Lithuanian,
    #[value(alias = "ne")]
    Nepali,
    #[value(alias = "no")]
    Norwegian,
    #[value(alias = "fa")]
    Persian,
    #[value(alias = "pl")]
    Polish,
    #[value(alias = "pt")]
    Portuguese,
    #[value(alias = "ro")]
    Romanian,
    #[value(alias = "ru")]
    Russian,
    #[value(alias = "sr")]
    Serbian,
    #[value(alias = "st")]
    Sesotho,
    #[value(alias = "es")]
    Spanish,
    #[value(alias = "sv")]
    Swedish,
    #[value(alias = "ta")]
    Tamil,
    #[value(alias = "tr")]
    Turkish,
    #[value(alias = "uk")]
    Ukrainian,
    #[value(alias = "yi")]
    Yiddish,
}

/// One generated stemmer.
pub(super) enum Snowball {
    Two(rust_stemmers::Stemmer),
    Three(snowball_stemmers_rs::Stemmer),
}

impl Snowball {
    /// The stemmer of a language; `None` when that generation has none.
    pub(super) fn new(language: Language, generation: Generation) -> Option<Snowball> {
        match generation {
            Generation::Two if language != Language::Greek => {
                let algorithm = generation_two(language)?;
                Some(Snowball::Two(rust_stemmers::Stemmer::create(algorithm)))
            }
            _ => Some(Snowball::three(generation_three(language))),
        }
    }

    /// Porter's stemmer of 1980, without the extensions of later programs.
    pub(super) fn porter() -> Snowball {
        Snowball::three(Three::Porter)
    }

    /// Lovins' stemmer of 1968.
    pub(super) fn lovins() -> Snowball {
        Snowball::three(Three::Lovins)
    }

    fn three(algorithm: Three) -> Snowball {
        Snowball::Three(snowball_stemmers_rs::Stemmer::create(algorithm))
    }

    /// The stem of a word in lower case.
    pub(super) fn stem<'w>(&self, word: &'w str) -> Cow<'w, str> {
        match self {
            Snowball::Two(stemmer) => stemmer.stem(word),
            Snowball::Three(stemmer) => stemmer.stem(word),
        }
    }
}

fn generation_two(language: Language) -> Option<Two> {
    Some(match language {
        Language::Arabic => Two::Arabic,
        Language::Danish => Two::Danish,
        Language::Dutch => Two::Dutch,
        Language::English => Two::English,
        Language::Finnish => Two::Finnish,
        Language::French => Two::French,
        Language::German => Two::German,
        Language::Hungarian => Two::Hungarian,
        Language::Italian => Two::Italian,
        Language::Norwegian => Two::Norwegian,
        Language::Portuguese => Two::Portuguese,
        Language::Romanian => Two::Romanian,
        Language::Russian => Two::Russian,
        Language::Spanish => Two::Spanish,
        Language::Swedish => Two::Swedish,
        Language::Tamil => Two::Tamil,
        Language::Turkish => Two::Turkish,
        _ => return None,
    })
}

fn generation_three(language: Language) -> Three {
    match language {
        Language::Arabic => Three::Arabic,
        Language::Armenian => Three::Armenian,
        Language::Basque => Three::Basque,
        Language::Catalan => Three::Catalan,
        Language::Czech => Three::Czech,
        Language::Danish => Three::Danish,
        Language::Dutch => Three::Dutch,
        Language::DutchPorter => Three::DutchPorter,
        Language::English => Three::English,
        Language::Esperanto => Three::Esperanto,
        Language::Estonian => Three::Estonian,
        Language::Finnish => Three::Finnish,
        Language::French => Three::French,
        Language::German => Three::German,
        Language::Greek => Three::Greek,
        Language::Hindi => Three::Hindi,
        Language::Hungarian => Three::Hungarian,
        Language::Indonesian => Three::Indonesian,
        Language::Irish => Three::Irish,
        Language::Italian => Three::Italian,
        Language::Lithuanian => Three::Lithuanian,
        Language::Nepali => Three::Nepali,
        Language::Norwegian => Three::Norwegian,
        Language::Persian => Three::Persian,
        Language::Polish => Three::Polish,
        Language::Portuguese => Three::Portuguese,
        Language::Romanian => Three::Romanian,
        Language::Russian => Three::Russian,
        Language::Serbian => Three::Serbian,
        Language::Sesotho => Three::Sesotho,
        Language::Spanish => Three::Spanish,
        Language::Swedish => Three::Swedish,
        Language::Tamil => Three::Tamil,
        Language::Turkish => Three::Turkish,
        Language::Ukrainian => Three::Ukrainian,
        Language::Yiddish => Three::Yiddish,
    }
}
