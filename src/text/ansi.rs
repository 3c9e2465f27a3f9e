//! Text in the colours of a terminal: each entity followed by its label, or each word by its tag.
//!
//! ```text
//! Ann Lee/PER lives in Rome/LOC.        She/PRON doesn't/AUX+PART sing/VERB ./PUNCT
//! ```
//!
//! The text keeps its white space, and none of its control characters reaches the terminal. Colours are those of the
//! 256 that all terminals have in common, `ESC [ 38 ; 5 ; N m` (ECMA-48, ITU T.416).

use super::document::{Document, Word};
use super::highlight::{COLOURS, Highlight, Piece, visible};
use std::fmt::Write;

/// In the order of the hues: neither light nor dark, so that they are read on white and on black.
const CODES: [u8; COLOURS] = [167, 166, 136, 100, 64, 28, 30, 31, 33, 63, 134, 199];

/// Prints a document, located for that. One that was not, ends with a line feed.
pub fn print(document: &mut Document, highlight: Highlight, out: &mut String) {
    let was_located = document.text.is_some();
    document.locate();
    let text = document.text.as_deref().unwrap_or_default();
    let mut entity = None;
    for piece in highlight.pieces(document) {
        match piece {
            Piece::Gap(range) => out.extend(visible(text, range)),
            Piece::Token(range, words) if highlight == Highlight::Tags => {
                let tags = tags(words);
                push_colour(highlight, words.first().map_or("", |word| &word.upos), out);
                out.extend(visible(text, range));
                push_label(&tags, out);
            }
            Piece::Token(range, _) => out.extend(visible(text, range)),
            Piece::Begin { label, .. } => {
                push_colour(highlight, &label, out);
                entity = Some(label);
            }
            Piece::End => push_label(&entity.take().unwrap_or_default(), out),
        }
    }
    if !was_located && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// `AUX+PART` for the token of two words.
fn tags(words: &[Word]) -> String {
    let mut tags: Vec<&str> = words.iter().map(|word| word.upos.as_str()).collect();
    tags.retain(|tag| !tag.is_empty());
    tags.join("+")
}

/// Begins the colour; entities are bold too.
fn push_colour(highlight: Highlight, name: &str, out: &mut String) {
    let bold = match highlight {
        Highlight::Entities => "1;",
        Highlight::Tags => "",
    };
    if let Some(colour) = highlight.kind(name).colour {
        let _ = write!(out, "\x1b[{bold}38;5;{}m", CODES[colour]);
    }
}

/// Ends the colour; the label itself is dim.
fn push_label(label: &str, out: &mut String) {
    if !label.is_empty() {
        out.push_str("\x1b[0;2m/");
        out.extend(visible(label, 0..label.len()));
    }
    out.push_str("\x1b[0m");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::conllu;
    use crate::text::plain::parse_tokens;
    use proptest::prelude::*;

    fn printed(mut document: Document, highlight: Highlight) -> String {
        let mut out = String::new();
        print(&mut document, highlight, &mut out);
        out
    }

    /// The same with `^` for ESC.
    fn shown(document: Document, highlight: Highlight) -> String {
        printed(document, highlight).replace('\x1b', "^")
    }

    #[test]
    fn an_entity_is_followed_by_its_label() {
        let mut document = parse_tokens("Ann Lee left");
        document.sentences[0].words[0].misc.set("NER", "B-PER");
        document.sentences[0].words[1].misc.set("NER", "I-PER");
        let expected = "^[1;38;5;33mAnn Lee^[0;2m/PER^[0m left\n";
        assert_eq!(shown(document, Highlight::Entities), expected);
    }

    #[test]
    fn a_word_is_followed_by_its_tag_and_a_token_by_those_of_its_words() {
        let text = "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\n1\tdo\t_\tAUX\t_\t_\t_\t_\t_\t_\n\
                    2\tn't\t_\tPART\t_\t_\t_\t_\t_\t_\n3\t.\t_\tPUNCT\t_\t_\t_\t_\t_\tSpacesAfter=\\n\n\n";
        let document = conllu::parse(text, 1).unwrap();
        let expected = "^[38;5;166mdon't^[0;2m/AUX+PART^[0m.^[0;2m/PUNCT^[0m\n";
        assert_eq!(shown(document, Highlight::Tags), expected);
    }

    #[test]
    fn codes_are_read_on_white_and_on_black() {
        for code in CODES {
            let cube = u32::from(code) - 16;
            // Relative luminance of WCAG, with a gamma of 2.2.
            let part = |digit: u32| match digit {
                0 => 0.0,
                n => (f64::from(55 + 40 * n) / 255.0).powf(2.2),
            };
            let (r, g, b) = (part(cube / 36), part(cube / 6 % 6), part(cube % 6));
            let luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            let (on_black, on_white) = ((luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05));
            assert!(
                on_black > 4.0 && on_white > 3.2,
                "{code}: {on_black}, {on_white}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_control_character_of_the_input_is_printed(
            text in "[a\u{0}-\u{1f}\u{7f}-\u{9f} ]{0,30}",
            label in "[\u{1b}\u{9b}\r\n]{0,3}",
        ) {
            let mut document = parse_tokens(&text);
            for word in document.sentences.iter_mut().flat_map(|s| &mut s.words) {
                word.upos = label.as_str().into();
                word.misc.set("NER", &label);
            }
            for highlight in [Highlight::Entities, Highlight::Tags] {
                // The input has no bracket to follow an ESC.
                let out = printed(document.clone(), highlight).replace("\x1b[", "");
                prop_assert!(!out.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            }
        }
    }
}
