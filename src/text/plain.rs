//! Formats without markup: tokens parted by spaces, one token a line, and the text itself.
//!
//! In `text` and `words` a line break inside a token, and every other white space character there but the plain and
//! the no-break space, is printed as a space: what a line is stays certain.

use super::document::{Document, Sentence, Token, Word};
use super::spacing::rebuild;

/// What is printed for a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The surface token: `don't`
    Surface,
    /// Its syntactic words: `do n't`
    #[default]
    Form,
    /// The lemmas of its words; their forms where there are none
    Lemma,
    /// The stems of its words; their forms where there are none
    Stem,
    /// `form_UPOS`, `form__` where there is no tag
    Tagged,
    /// `form/B-PER`, `form/O` outside of entities
    Entities,
}

/// Reads one line as one sentence, its tokens parted by spaces or tabs. A blank line gives no sentence.
pub fn parse_tokens(line: &str) -> Document {
    let forms = line.split([' ', '\t', '\r', '\n']);
    let words: Vec<Word> = forms.filter(|f| !f.is_empty()).map(Word::of).collect();
    if words.is_empty() {
        return Document::default();
    }
    let tokens = (0..words.len() as u32)
        .map(|i| Token {
            words: i..i + 1,
            ..Token::default()
        })
        .collect();
    Document {
        sentences: vec![Sentence {
            tokens,
            words,
            ..Sentence::default()
        }],
        ..Document::default()
    }
}

/// Prints a sentence a line, tokens parted by a space; with `one_line` the whole document on exactly one line.
pub fn print_text(document: &Document, view: View, one_line: bool, out: &mut String) {
    for sentence in &document.sentences {
        if sentence.tokens.is_empty() {
            continue;
        }
        for_each(sentence, view, |print| {
            print(out);
            out.push(' ');
        });
        if !one_line {
            out.pop();
            out.push('\n');
        }
    }
    if one_line {
        if document.sentences.iter().any(|s| !s.tokens.is_empty()) {
            out.pop();
        }
        out.push('\n');
    }
}

/// Prints a token a line, for `sort | uniq -c`; nothing marks the end of a sentence.
pub fn print_words(document: &Document, view: View, out: &mut String) {
    for sentence in &document.sentences {
        for_each(sentence, view, |print| {
            print(out);
            out.push('\n');
        });
    }
}

/// Prints the text: of a located document its own bytes; of another what forms and spacing say, and a line end where
/// the last token does not say what follows it.
pub fn print_raw(document: &Document, out: &mut String) {
    match &document.text {
        Some(text) => out.push_str(text),
        None => {
            if !rebuild(document, out, |_, _| ()) {
                out.push('\n');
            }
        }
    }
}

/// Calls `each` with a printer for every item of a sentence.
fn for_each(sentence: &Sentence, view: View, mut each: impl FnMut(&dyn Fn(&mut String))) {
    if view == View::Surface {
        for token in &sentence.tokens {
            each(&|out| push_flat(sentence.surface(token), out));
        }
        return;
    }
    for word in &sentence.words {
        each(&|out| match view {
            View::Surface | View::Form => push_flat(&word.form, out),
            View::Lemma if word.lemma.is_empty() => push_flat(&word.form, out),
            View::Lemma => push_flat(&word.lemma, out),
            View::Stem => push_flat(word.misc.get("Stem").unwrap_or(&word.form), out),
            View::Tagged => {
                push_flat(&word.form, out);
                out.push('_');
                push_flat(or_unset(&word.upos), out);
            }
            View::Entities => {
                push_flat(&word.form, out);
                out.push('/');
                push_flat(word.misc.get("NER").unwrap_or("O"), out);
            }
        });
    }
}

/// A value, or `_` for none.
pub(crate) fn or_unset(text: &str) -> &str {
    if text.is_empty() { "_" } else { text }
}

/// A text without tabs and line breaks.
pub(crate) fn push_flat(text: &str, out: &mut String) {
    let is_plain = |b: u8| b > b'\r' && b < 0xC2;
    if text.bytes().all(is_plain) {
        out.push_str(text);
    } else {
        out.extend(text.chars().map(|c| match c {
            '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
            c => c,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::conllu;
    use proptest::prelude::*;

    fn document() -> Document {
        let mut document = parse_tokens("I do n't");
        let sentence = &mut document.sentences[0];
        sentence.tokens.truncate(2);
        sentence.tokens[1].words = 1..3;
        sentence.tokens[1].form = Some("don't".into());
        sentence.words[2].lemma = "not".into();
        sentence.words[0].upos = "PRON".into();
        sentence.words[0].misc.set("Stem", "i");
        sentence.words[0].misc.set("NER", "B-PER");
        document
            .sentences
            .push(parse_tokens("b").sentences.remove(0));
        document
    }

    fn text(view: View, one_line: bool) -> String {
        let mut out = String::new();
        print_text(&document(), view, one_line, &mut out);
        out
    }

    #[test]
    fn each_view_shows_its_own_layer() {
        assert_eq!(text(View::Surface, false), "I don't\nb\n");
        assert_eq!(text(View::Form, false), "I do n't\nb\n");
        assert_eq!(text(View::Lemma, false), "I do not\nb\n");
        assert_eq!(text(View::Stem, false), "i do n't\nb\n");
        assert_eq!(text(View::Tagged, false), "I_PRON do__ n't__\nb__\n");
        assert_eq!(text(View::Entities, true), "I/B-PER do/O n't/O b/O\n");
    }

    #[test]
    fn a_document_on_one_line_is_one_line_even_when_empty() {
        let mut out = String::new();
        print_text(&parse_tokens(" "), View::Form, true, &mut out);
        assert_eq!(out, "\n");
    }

    #[test]
    fn a_line_break_inside_a_token_is_printed_as_a_space() {
        let mut document = parse_tokens("x");
        document.sentences[0].words[0].form = "a\nb\u{2028}c\u{a0}é".into();
        let mut out = String::new();
        print_words(&document, View::Form, &mut out);
        assert_eq!(out, "a b c\u{a0}é\n");
    }

    #[test]
    fn tokens_have_a_space_between_them_when_printed_raw() {
        let mut out = String::new();
        print_raw(&parse_tokens("a  b\tc\r"), &mut out);
        assert_eq!(out, "a b c\n");
    }

    proptest! {
        #[test]
        fn raw_gives_the_text_back_through_conllu(document in crate::text::arbitrary::located()) {
            let mut conllu = String::new();
            conllu::print(&document, 1, &mut conllu);
            let mut out = String::new();
            print_raw(&conllu::parse(&conllu, 1).unwrap(), &mut out);
            if !document.sentences.is_empty() {
                prop_assert_eq!(Some(out), document.text);
            }
        }
    }
}
