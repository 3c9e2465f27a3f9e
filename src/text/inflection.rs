//! How rich a language is in forms: whether FEATS say much that UPOS and XPOS leave open.
//!
//! ```text
//!           share of words that have the most frequent FEATS of their UPOS and XPOS
//! English   84 %      NN, NNS, VBD … say most of it
//! Turkish   58 %      one XPOS for all forms of a noun
//! French    53 %      no XPOS
//! ```

use super::document::Sentence;
use std::collections::BTreeMap;

/// Whether a language is rich in forms that its UPOS and XPOS do not tell apart.
pub fn is_rich(sentences: &[&Sentence]) -> bool {
    let mut feats: BTreeMap<(&str, &str), BTreeMap<&str, usize>> = BTreeMap::new();
    let mut words = 0;
    for word in sentences.iter().flat_map(|s| &s.words) {
        let counts = feats.entry((&word.upos, &word.xpos)).or_default();
        *counts.entry(&word.feats).or_default() += 1;
        words += 1;
    }
    let most = feats.values().filter_map(|counts| counts.values().max());
    4 * most.sum::<usize>() < 3 * words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::document::Word;

    fn sentence(feats: &[&str]) -> Sentence {
        let word = |feats: &&str| Word {
            upos: "NOUN".into(),
            feats: (*feats).into(),
            ..Word::of("x")
        };
        Sentence {
            words: feats.iter().map(word).collect(),
            ..Sentence::default()
        }
    }

    #[test]
    fn a_language_is_rich_when_its_tags_leave_a_quarter_open() {
        assert!(is_rich(&[&sentence(&["Case=Nom", "Case=Nom", "Case=Gen"])]));
        assert!(!is_rich(&[&sentence(&["", "", "", "Case=Gen"])]));
        assert!(!is_rich(&[]));
    }
}
