//! What pages and terminals show in colour: the text of a document cut into gaps, tokens and entities, and the colour
//! of each label and tag.
//!
//! ```text
//! Ann Lee  does n't  sing.
//! └─ PER ┘ AUX PART  VERB     Begin, Token, Gap, Token, End, Gap, Token (of two words), Gap, Token, Token
//! ```
//!
//! Entities are runs of surface tokens and never overlap: one that begins inside a token that another has begins
//! behind it, and one of which nothing is left is not shown.

use super::document::{Document, Word};
use super::entity::entities;
use super::hash;
use std::ops::Range;

/// What is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Highlight {
    /// Named entities.
    #[default]
    Entities,
    /// Words, by their part of speech.
    Tags,
}

/// A piece of a text; ranges are bytes of it, and together they are all of it, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece<'a> {
    /// What stands between tokens.
    Gap(Range<usize>),
    /// A surface token and its words.
    Token(Range<usize>, &'a [Word]),
    /// An entity begins with the next token.
    Begin {
        label: String,
        value: Option<&'a str>,
    },
    /// It ended with the last one.
    End,
}

/// The colours there are.
pub const COLOURS: usize = 12;

/// How a label or a tag is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// A number below [`COLOURS`], if it has a colour.
    pub colour: Option<usize>,
    /// What it means, where that is known.
    pub meaning: &'static str,
}

const LABELS: [(&str, usize, &str); 12] = [
    ("PER", 8, "person"),
    ("ORG", 2, "organization"),
    ("LOC", 5, "place"),
    ("MISC", 10, "other name"),
    ("DATE", 11, "date"),
    ("TIME", 0, "time of day"),
    ("DURATION", 1, "length of time"),
    ("MONEY", 3, "sum of money"),
    ("PERCENT", 4, "percentage"),
    ("QUANTITY", 6, "measure"),
    ("CARDINAL", 7, "number"),
    ("ORDINAL", 9, "rank"),
];

/// Tags that are close to each other have colours that are; marks have none.
const TAGS: [(&str, Option<usize>, &str); 17] = [
    ("ADJ", Some(5), "adjective"),
    ("ADP", Some(2), "adposition"),
    ("ADV", Some(6), "adverb"),
    ("AUX", Some(1), "auxiliary"),
    ("CCONJ", Some(4), "coordinating conjunction"),
    ("DET", Some(11), "determiner"),
    ("INTJ", Some(7), "interjection"),
    ("NOUN", Some(8), "noun"),
    ("NUM", Some(3), "numeral"),
    ("PART", Some(7), "particle"),
    ("PRON", Some(10), "pronoun"),
    ("PROPN", Some(9), "proper noun"),
    ("PUNCT", None, "punctuation"),
    ("SCONJ", Some(4), "subordinating conjunction"),
    ("SYM", None, "symbol"),
    ("VERB", Some(0), "verb"),
    ("X", None, "other"),
];

impl Highlight {
    /// How an entity label, or a part of speech, is shown. A label that is not in the list has a colour by its name.
    pub fn kind(self, name: &str) -> Kind {
        match self {
            Highlight::Entities => {
                let known = LABELS.iter().find(|(label, ..)| *label == name);
                let by_name = || hash::bytes(0, name.as_bytes()) as usize % COLOURS;
                Kind {
                    colour: Some(known.map_or_else(by_name, |known| known.1)),
                    meaning: known.map_or("", |known| known.2),
                }
            }
            Highlight::Tags => {
                let known = TAGS.iter().find(|(tag, ..)| *tag == name);
                Kind {
                    colour: known.and_then(|known| known.1),
                    meaning: known.map_or("", |known| known.2),
                }
            }
        }
    }

    /// The text of a located document in pieces; entities are among them if they are what is coloured.
    pub fn pieces(self, document: &Document) -> Vec<Piece<'_>> {
        let length = document.text.as_deref().unwrap_or_default().len();
        let mut pieces = Vec::new();
        let mut at = 0;
        for sentence in &document.sentences {
            let found = match self {
                Highlight::Entities => entities(sentence),
                Highlight::Tags => Vec::new(),
            };
            let mut found = found.into_iter().peekable();
            // The word behind the entity that has begun.
            let mut end = None;
            for token in &sentence.tokens {
                let words = token.words.start as usize..token.words.end as usize;
                let start = (token.span.start as usize).clamp(at, length);
                if at < start {
                    pieces.push(Piece::Gap(at..start));
                }
                at = (token.span.end as usize).clamp(start, length);
                if end.is_none() {
                    while found.next_if(|e| e.words.end <= words.start).is_some() {}
                    if let Some(entity) = found.next_if(|e| e.words.start < words.end) {
                        end = Some(entity.words.end);
                        let first = sentence.words.get(entity.words.start);
                        pieces.push(Piece::Begin {
                            label: entity.label,
                            value: first.and_then(|word| word.misc.get("Value")),
                        });
                    }
                }
                let own = sentence.words.get(words.clone()).unwrap_or_default();
                pieces.push(Piece::Token(start..at, own));
                if end.is_some_and(|end| end <= words.end) {
                    pieces.push(Piece::End);
                    end = None;
                }
            }
            if end.is_some() {
                pieces.push(Piece::End);
            }
        }
        if at < length {
            pieces.push(Piece::Gap(at..length));
        }
        pieces
    }
}

/// The characters of a part of a text, with something to see in place of control characters other than tab and line
/// feed: pictures of the old ones, U+FFFD for those that have none. A carriage return before a line feed is left out.
pub fn visible(text: &str, part: Range<usize>) -> impl Iterator<Item = char> {
    let bytes = text.as_bytes();
    let start = part.start;
    let characters = text.get(part).unwrap_or_default().char_indices();
    characters.filter_map(move |(i, c)| match c {
        '\t' | '\n' => Some(c),
        '\r' if bytes.get(start + i + 1) == Some(&b'\n') => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some(char::REPLACEMENT_CHARACTER),
        c => Some(c),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::conllu;
    use crate::text::plain::parse_tokens;
    use proptest::prelude::*;

    /// The pieces of a document, entities in brackets.
    fn shown(document: &Document) -> String {
        let text = document.text.as_deref().unwrap_or_default();
        let pieces = Highlight::Entities.pieces(document).into_iter();
        let shown = pieces.map(|piece| match piece {
            Piece::Gap(range) | Piece::Token(range, _) => text[range].to_string(),
            Piece::Begin { label, .. } => format!("[{label} "),
            Piece::End => "]".to_string(),
        });
        shown.collect()
    }

    fn with_labels(labels: &str) -> Document {
        let mut document = parse_tokens("a b c d");
        let words = &mut document.sentences[0].words;
        for (word, label) in words.iter_mut().zip(labels.split(' ')) {
            word.misc.set("NER", label);
        }
        document
    }

    #[test]
    fn entities_begin_and_end_at_tokens() {
        let mut document = with_labels("B-PER I-PER B-PER O");
        document.locate();
        assert_eq!(shown(&document), "[PER a b] [PER c] d");
    }

    #[test]
    fn entities_that_share_a_token_do_not_overlap() {
        let mut document = with_labels("B-PER B-ORG I-ORG B-LOC");
        let sentence = &mut document.sentences[0];
        sentence.tokens.remove(1);
        sentence.tokens[0].words = 0..2;
        sentence.tokens[0].form = Some("ab".into());
        document.locate();
        assert_eq!(shown(&document), "[PER ab] [ORG c] [LOC d]");
        document.sentences[0].words[2].misc.remove("NER");
        assert_eq!(shown(&document), "[PER ab] c [LOC d]");
    }

    #[test]
    fn the_value_stands_in_the_first_word() {
        let line = |i: u8, misc: &str| format!("{i}\tx\t_\t_\t_\t_\t_\t_\t_\t{misc}\n");
        let text = line(1, "NER=B-MONEY|Value=USD 5") + &line(2, "NER=I-MONEY") + "\n";
        let mut document = conllu::parse(&text, 1).unwrap();
        document.locate();
        let expected = Piece::Begin {
            label: "MONEY".to_string(),
            value: Some("USD 5"),
        };
        assert_eq!(Highlight::Entities.pieces(&document)[0], expected);
        assert_eq!(Highlight::Tags.pieces(&document).len(), 3);
    }

    #[test]
    fn the_listed_labels_have_colours_of_their_own_and_others_keep_theirs() {
        let mut colours = LABELS.map(|(label, ..)| Highlight::Entities.kind(label).colour);
        colours.sort();
        assert_eq!(colours, std::array::from_fn(Some));
        let tree = Highlight::Entities.kind("TREE");
        assert_eq!((tree.colour, tree.meaning), (Some(0), ""));
        assert_eq!(Highlight::Tags.kind("PUNCT").colour, None);
        assert_eq!(Highlight::Tags.kind("NONE").colour, None);
    }

    #[test]
    fn control_characters_are_seen_and_do_nothing() {
        let text = "a\u{1b}[31m\t\u{0}\u{7f}\u{9b}\r\n\r";
        let shown: String = visible(text, 0..text.len()).collect();
        assert_eq!(shown, "a␛[31m\t␀␡\u{fffd}\n␍");
        // What follows the part counts too.
        assert_eq!(visible("\r\n", 0..1).count(), 0);
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text_and_entities_do_not_nest(
            document in crate::text::arbitrary::located(),
        ) {
            let mut at = 0;
            let mut is_open = false;
            for piece in Highlight::Entities.pieces(&document) {
                match piece {
                    Piece::Gap(range) | Piece::Token(range, _) => {
                        prop_assert_eq!(range.start, at);
                        at = range.end;
                    }
                    Piece::Begin { .. } => prop_assert!(!std::mem::replace(&mut is_open, true)),
                    Piece::End => prop_assert!(std::mem::take(&mut is_open)),
                }
            }
            prop_assert!(!is_open);
            prop_assert_eq!(at, document.text.unwrap_or_default().len());
        }
    }
}
