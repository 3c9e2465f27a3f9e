//! How the tagger treats inflection, and joint tags taken apart.

use super::Tag;
use crate::text::tagger::Aspects;
use std::collections::HashMap;

/// What is done about inflection: more in languages rich in forms that UPOS and XPOS do not tell apart. Chosen on held-back
/// sentences of Turkish and French.
#[derive(Clone, Debug, PartialEq)]
pub struct Inflection {
    pub rich: bool,
    pub aspects: Aspects,
}

impl Inflection {
    pub fn new(rich: bool, tags: &[Tag]) -> Inflection {
        Inflection {
            rich,
            aspects: if rich {
                aspects(tags)
            } else {
                Aspects::default()
            },
        }
    }

    /// The width of the search. The tags of a rich language are many, and the first guess is more often wrong.
    pub fn beam(&self, beam: usize) -> usize {
        if self.rich { 2 * beam } else { beam }
    }

    /// Weights changed fewer times are left out. Of many tags each is rare, and what was learned once counts.
    pub fn min_changes(&self, changes: u8) -> u8 {
        if self.rich { changes.min(1) } else { changes }
    }

    /// Endings of unknown words are tried from this many characters down.
    pub fn longest_ending(&self) -> usize {
        if self.rich { 6 } else { 4 }
    }

    /// An ending has at most this many tags.
    pub fn ending_tags(&self) -> usize {
        if self.rich { 30 } else { 14 }
    }
}

/// The UPOS, the XPOS and each of the FEATS of every tag, numbered behind the tags themselves.
fn aspects(tags: &[Tag]) -> Aspects {
    let mut numbers: HashMap<(usize, &str), u16> = HashMap::new();
    let mut all = Vec::new();
    for tag in tags {
        let feats = tag.feats.split('|').map(|feature| (2, feature));
        let parts = [(0, tag.upos.as_str()), (1, tag.xpos.as_str())];
        let parts = parts.into_iter().chain(feats);
        let mut of_tag = Vec::new();
        for part in parts.filter(|(_, text)| !text.is_empty()) {
            let next = (tags.len() + numbers.len()) as u16;
            of_tag.push(*numbers.entry(part).or_insert(next));
        }
        all.push(of_tag);
    }
    all.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_share_the_aspects_that_are_the_same() {
        let tag = |feats: &str| Tag {
            upos: "NOUN".into(),
            feats: feats.into(),
            ..Tag::default()
        };
        let found = aspects(&[
            tag("Case=Nom|Number=Sing"),
            tag("Case=Gen|Number=Sing"),
            tag(""),
        ]);
        assert_eq!(*found, [vec![3, 4, 5], vec![3, 6, 5], vec![3]]);
    }
}
