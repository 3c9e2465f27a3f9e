//! The gold words without their annotation: what a system is given when only its tags, lemmas or entities are scored.

use crate::text::document::{Document, Opens, Sentence, Word};

/// What the system is told besides the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Nothing: it has to find the tags itself.
    Words,
    /// UPOS, XPOS and FEATS, to see what a lemmatizer makes of right tags.
    WordsAndTags,
}

/// The documents of a gold standard with tokens, words and spacing only, one for every `# newdoc`.
pub fn gold_tokens(gold: &[Document], given: Given) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    for document in gold {
        let mut is_first = true;
        for sentence in &document.sentences {
            // A located document is one already: its spans are of its own text.
            let is_cut = sentence.opens == Opens::Document && document.text.is_none();
            if is_first || is_cut {
                documents.push(Document {
                    sentences: Vec::new(),
                    ..head_of(document)
                });
                is_first = false;
            }
            if let Some(open) = documents.last_mut() {
                open.sentences.push(bare(sentence, given));
            }
        }
    }
    documents
}

/// The document without its sentences.
fn head_of(document: &Document) -> Document {
    Document {
        id: document.id.clone(),
        text: document.text.clone(),
        start: document.start,
        opens: document.opens,
        ..Document::default()
    }
}

fn bare(sentence: &Sentence, given: Given) -> Sentence {
    let word = |word: &Word| {
        let mut bare = Word {
            form: word.form.clone(),
            misc: word.misc.clone(),
            ..Word::default()
        };
        for layer in ["NER", "Value", "Score", "Stem"] {
            bare.misc.remove(layer);
        }
        if given == Given::WordsAndTags {
            bare.upos = word.upos.clone();
            bare.xpos = word.xpos.clone();
            bare.feats = word.feats.clone();
        }
        bare
    };
    Sentence {
        words: sentence.words.iter().map(word).collect(),
        empty_nodes: Vec::new(),
        ..sentence.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::document;
    use super::*;

    #[test]
    fn only_words_and_spacing_are_left() {
        let mut gold = document("a/X/b/Case=Nom/B-PER");
        let misc = &mut gold.sentences[0].words[0].misc;
        misc.set("SpaceAfter", "No");
        let found = gold_tokens(&[gold], Given::Words);
        let mut expected = Word::of("a");
        expected.misc.set("SpaceAfter", "No");
        assert_eq!(found[0].sentences[0].words, [expected]);
    }

    #[test]
    fn tags_are_kept_when_they_are_given() {
        let gold = document("a/X/b/Case=Nom");
        let found = gold_tokens(&[gold], Given::WordsAndTags);
        let word = &found[0].sentences[0].words[0];
        assert_eq!((word.upos.as_str(), word.feats.as_str()), ("X", "Case=Nom"));
        assert_eq!(word.lemma, "");
    }

    #[test]
    fn every_newdoc_begins_a_document() {
        let mut gold = document("a | b | c");
        gold.sentences[0].opens = Opens::Document;
        gold.sentences[2].opens = Opens::Document;
        let found = gold_tokens(&[gold], Given::Words);
        let lengths: Vec<usize> = found.iter().map(|d| d.sentences.len()).collect();
        assert_eq!(lengths, [2, 1]);
    }
}
