//! Printing CoNLL-U.
//!
//! An unlocated document prints what was read. For a located one the printer makes the comments and the spacing
//! itself, from the text and the spans.

use super::comment_value;
use crate::text::document::{Document, Misc, Opens, Sentence, Token, Word};
use crate::text::format::OffsetUnit;
use crate::text::offsets::Cursor;
use crate::text::spacing::{Gap, push_escaped};

/// Prints a document, a blank line after each sentence. Sentences of a located document that have no id get the
/// number they have when the document's first is `first_sentence`. Sentences without tokens are left out.
pub fn print(document: &Document, first_sentence: u64, out: &mut String) {
    let Some(text) = &document.text else {
        for sentence in &document.sentences {
            if sentence.tokens.is_empty() {
                continue;
            }
            for comment in &sentence.comments {
                push_line(comment, out);
            }
            print_sentence(sentence, out, |_, _| ());
        }
        return;
    };
    let mut characters = Cursor::new(text, OffsetUnit::Chars);
    let first_character = document.start.chars;
    let mut gaps = Gap::of(document, text);
    for (number, sentence) in (first_sentence..).zip(&document.sentences) {
        if sentence.tokens.is_empty() {
            continue;
        }
        print_comments(document, sentence, number, out);
        print_text_comment(sentence, text, out);
        print_sentence(sentence, out, |token, out| {
            let gap = gaps.next().unwrap_or_default();
            if !gap.before.is_empty() {
                out.push_str("SpacesBefore=");
                push_escaped(gap.before, out);
                out.push('|');
            }
            match gap.after {
                "" => out.push_str("SpaceAfter=No|"),
                " " if !gap.is_explicit => (),
                after => {
                    out.push_str("SpacesAfter=");
                    push_escaped(after, out);
                    out.push('|');
                }
            }
            let surface = sentence.surface(token);
            let original = text.get(range(token)).unwrap_or_default();
            if surface != original || is_breaking(surface) {
                out.push_str("SpacesInToken=");
                push_escaped(original, out);
                out.push('|');
            }
            out.push_str("TokenRange=");
            let start = characters.count_at(token.span.start as usize);
            push_number(first_character + start, out);
            out.push(':');
            let end = characters.count_at(token.span.end as usize);
            push_number(first_character + end, out);
        });
    }
}

fn range(token: &Token) -> std::ops::Range<usize> {
    token.span.start as usize..token.span.end as usize
}

/// The comments of a sentence of a located document, up to `sent_id`.
fn print_comments(document: &Document, sentence: &Sentence, number: u64, out: &mut String) {
    let has = |key: &str, key_id: &str| {
        sentence
            .comments
            .iter()
            .any(|line| comment_value(line, key).is_some() || comment_value(line, key_id).is_some())
    };
    if sentence.opens == Opens::Document && !has("newdoc", "newdoc id") {
        out.push_str("# newdoc");
        if let Some(id) = &document.id {
            out.push_str(" id = ");
            push_clean(id.trim(), out);
        }
        out.push('\n');
    }
    // A paragraph begins behind the document it is the first of, also where that is said by a comment that was kept.
    let makes_paragraph = sentence.opens >= Opens::Paragraph && !has("newpar", "newpar id");
    let document_at = sentence.comments.iter().rposition(|line| {
        comment_value(line, "newdoc").is_some() || comment_value(line, "newdoc id").is_some()
    });
    if makes_paragraph && document_at.is_none() {
        out.push_str("# newpar\n");
    }
    for (i, comment) in sentence.comments.iter().enumerate() {
        push_line(comment, out);
        if makes_paragraph && document_at == Some(i) {
            out.push_str("# newpar\n");
        }
    }
    out.push_str("# sent_id = ");
    match &sentence.id {
        Some(id) => push_clean(id, out),
        None => push_number(number, out),
    }
    out.push('\n');
}

/// `# text = …`, every run of white space as one space.
fn print_text_comment(sentence: &Sentence, text: &str, out: &mut String) {
    let (Some(first), Some(last)) = (sentence.tokens.first(), sentence.tokens.last()) else {
        return;
    };
    let span = first.span.start as usize..last.span.end as usize;
    out.push_str("# text =");
    for run in text.get(span).unwrap_or_default().split_whitespace() {
        out.push(' ');
        out.push_str(run);
    }
    out.push('\n');
}

/// The lines of a sentence and the blank line after it. `spacing` prints the first items of a token's MISC.
fn print_sentence(
    sentence: &Sentence,
    out: &mut String,
    mut spacing: impl FnMut(&Token, &mut String),
) {
    let mut empty_nodes = sentence.empty_nodes.iter().peekable();
    let mut print_empty_nodes = |after: u32, out: &mut String| {
        while let Some(node) = empty_nodes.next_if(|node| node.after <= after) {
            push_number(u64::from(node.after), out);
            out.push('.');
            push_number(u64::from(node.number), out);
            out.push('\t');
            out.push_str(&node.columns);
            out.push('\n');
        }
    };
    print_empty_nodes(0, out);
    for token in &sentence.tokens {
        if let Some(form) = &token.form {
            push_number(u64::from(token.words.start) + 1, out);
            out.push('-');
            push_number(u64::from(token.words.end), out);
            out.push('\t');
            push_column(form, out);
            out.push_str("\t_\t_\t_\t");
            push_column(&token.feats, out);
            out.push_str("\t_\t_\t_\t");
            print_misc(&token.misc, out, |out| spacing(token, out));
        }
        for id in token.words.clone() {
            let Some(word) = sentence.words.get(id as usize) else {
                break;
            };
            push_number(u64::from(id) + 1, out);
            print_columns(word, out);
            if token.form.is_none() {
                print_misc(&word.misc, out, |out| spacing(token, out));
            } else {
                print_misc(&word.misc, out, |_| ());
            }
            print_empty_nodes(id + 1, out);
        }
    }
    out.push('\n');
}

/// FORM to DEPS, a tab before and after each.
fn print_columns(word: &Word, out: &mut String) {
    out.push('\t');
    for column in [&word.form, &word.lemma, &word.upos, &word.xpos, &word.feats] {
        push_column(column, out);
        out.push('\t');
    }
    match word.head {
        Some(head) => push_number(u64::from(head), out),
        None => out.push('_'),
    }
    out.push('\t');
    push_column(&word.deprel, out);
    out.push('\t');
    push_column(&word.deps, out);
    out.push('\t');
}

/// MISC and the line end.
fn print_misc(misc: &Misc, out: &mut String, spacing: impl FnOnce(&mut String)) {
    let start = out.len();
    spacing(out);
    let mut is_first = out.len() == start;
    for item in &misc.0 {
        if !is_first {
            out.push('|');
        }
        is_first = false;
        push_clean(item, out);
    }
    // A reader would take it for a part of the line end.
    while out.len() > start && out.ends_with('\r') {
        out.pop();
    }
    if out.len() == start {
        out.push('_');
    }
    out.push('\n');
}

fn push_column(text: &str, out: &mut String) {
    if text.is_empty() {
        out.push('_');
    } else {
        push_clean(text, out);
    }
}

/// A comment line; tabs are part of it.
pub(crate) fn push_line(text: &str, out: &mut String) {
    if text.contains('\n') {
        out.push_str(&text.replace('\n', " "));
    } else {
        out.push_str(text);
    }
    out.push('\n');
}

/// Tabs and line breaks as spaces: no column can hold them.
pub(crate) fn push_clean(text: &str, out: &mut String) {
    if is_breaking(text) {
        out.extend(text.chars().map(|c| match c {
            '\t' | '\n' => ' ',
            c => c,
        }));
    } else {
        out.push_str(text);
    }
}

fn is_breaking(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, b'\t' | b'\n'))
}

/// A number in decimal digits; `write!` costs several times as much, and there are three to five in every line.
pub(crate) fn push_number(mut number: u64, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    for &digit in &digits[start..] {
        out.push(char::from(digit));
    }
}
