//! The white space around tokens: in MISC for documents that are known by their tokens, in the gaps between spans for
//! those whose text is known, and the way from the first to the second.
//!
//! The keys are those of Universal Dependencies and UDPipe
//! (<https://ufal.mff.cuni.cz/udpipe/1/users-manual>, "Preserving original spaces"):
//!
//! | item | what it says |
//! |---|---|
//! | none | a space follows the token |
//! | `SpaceAfter=No` | nothing follows it |
//! | `SpacesAfter=\s\n` | these characters follow it |
//! | `SpacesBefore=\n` | these characters precede it: the first token's only |
//! | `SpacesInToken=a\s\sb` | the token as it stands in the text, where FORM differs from that |
//! | `TokenRange=0:5` | where it stands, in code points of the document |
//!
//! Space, tab, carriage return, line feed, `|` and `\` are written `\s \t \r \n \p \\`, all else as it is.
//! Where none of them says what comes before a new paragraph it is an empty line, and at the end of a document nothing.

use super::conllu::comment_value;
use super::document::{Document, Misc, Opens, Sentence, Token};

/// The items of MISC that a located document does without.
const KEYS: [&str; 5] = [
    "SpaceAfter",
    "SpacesAfter",
    "SpacesBefore",
    "SpacesInToken",
    "TokenRange",
];

impl Document {
    /// Rebuilds the text of an unlocated document from its forms and its spacing, and takes out of MISC and the
    /// comments what now follows from text and spans. Located documents stay as they are.
    ///
    /// When the first token has a `TokenRange`, the document starts where that says, in code points; the other two
    /// units of its start cannot be known and stay 0.
    pub fn locate(&mut self) {
        if self.text.is_some() {
            return;
        }
        let mut text = String::new();
        let mut spans = Vec::new();
        rebuild(self, &mut text, |start, end| spans.push(start..end));
        if let Some(start) = self.start_of_first_token()
            && let Some(before) = spans.first()
        {
            let before = text[..before.start as usize].chars().count() as u64;
            self.start.chars = start.saturating_sub(before);
        }
        let mut spans = spans.into_iter();
        for sentence in &mut self.sentences {
            for i in 0..sentence.tokens.len() {
                sentence.tokens[i].span = spans.next().unwrap_or_default();
                if let Some(misc) = token_misc_mut(sentence, i) {
                    misc.0.retain(|item| !is_spacing(item));
                }
            }
            drop_made_comments(self.id.as_deref(), sentence);
        }
        self.text = Some(text);
    }

    fn start_of_first_token(&self) -> Option<u64> {
        let sentence = self.sentences.iter().find(|s| !s.tokens.is_empty())?;
        let range = token_misc(sentence, sentence.tokens.first()?)?.get("TokenRange")?;
        range.split_once(':')?.0.parse().ok()
    }
}

/// Appends the text of an unlocated document. Calls `token` with the bytes of `out` each token takes, counted from
/// where the text begins. Whether the last token says what follows it.
pub(crate) fn rebuild(
    document: &Document,
    out: &mut String,
    mut token_at: impl FnMut(u32, u32),
) -> bool {
    let base = out.len();
    // A text of 4 GB would have come from more than 4 GB of input, and windows are far smaller.
    let position = |out: &String| u32::try_from(out.len() - base).unwrap_or(u32::MAX);
    let mut is_known = true;
    for sentence in &document.sentences {
        for (i, token) in sentence.tokens.iter().enumerate() {
            let misc = token_misc(sentence, token);
            let item = |key| misc.and_then(|misc| misc.get(key));
            if !is_known {
                let is_new = i == 0 && sentence.opens >= Opens::Paragraph;
                out.push_str(if is_new { "\n\n" } else { " " });
            }
            if let Some(before) = item("SpacesBefore") {
                push_unescaped(before, out);
            }
            let start = position(out);
            match item("SpacesInToken") {
                Some(original) => push_unescaped(original, out),
                None => out.push_str(sentence.surface(token)),
            }
            token_at(start, position(out));
            is_known = true;
            if let Some(after) = item("SpacesAfter") {
                push_unescaped(after, out);
            } else if item("SpaceAfter") != Some("No") {
                is_known = false;
            }
        }
    }
    is_known
}

/// What stands around a token of a located document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gap<'a> {
    /// The text before the first token; empty for the others.
    pub before: &'a str,
    /// The text up to the next token, or to the end.
    pub after: &'a str,
    /// Whether a single space has to be said: no reader would take it for granted here.
    pub is_explicit: bool,
}

impl<'a> Gap<'a> {
    /// The gaps of all tokens, in order.
    pub fn of(document: &'a Document, text: &'a str) -> impl Iterator<Item = Gap<'a>> {
        let mut tokens = document
            .sentences
            .iter()
            .flat_map(|sentence| {
                sentence.tokens.iter().enumerate().map(|(i, token)| {
                    let opens = i == 0 && sentence.opens >= Opens::Paragraph;
                    (opens, &token.span)
                })
            })
            .peekable();
        let mut is_first = true;
        std::iter::from_fn(move || {
            let (_, span) = tokens.next()?;
            let before = if is_first {
                text.get(..span.start as usize).unwrap_or_default()
            } else {
                ""
            };
            is_first = false;
            let (is_explicit, end) = match tokens.peek() {
                Some(&(opens, next)) => (opens, next.start as usize),
                None => (true, text.len()),
            };
            Some(Gap {
                before,
                after: text.get(span.end as usize..end).unwrap_or_default(),
                is_explicit,
            })
        })
    }
}

/// Writes a text as the value of a MISC item.
pub(crate) fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            ' ' => out.push_str("\\s"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            '|' => out.push_str("\\p"),
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
}

/// Reads it back. A backslash before any other character stands for itself.
pub(crate) fn push_unescaped(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(i) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..i]);
        let c = match rest.as_bytes().get(i + 1) {
            Some(b's') => ' ',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'n') => '\n',
            Some(b'p') => '|',
            Some(b'\\') => '\\',
            _ => {
                out.push('\\');
                rest = &rest[i + 1..];
                continue;
            }
        };
        out.push(c);
        rest = &rest[i + 2..];
    }
    out.push_str(rest);
}

/// The MISC that speaks for a surface token: its own for a multi-word token, else its word's.
pub(crate) fn token_misc<'a>(sentence: &'a Sentence, token: &'a Token) -> Option<&'a Misc> {
    match token.form {
        Some(_) => Some(&token.misc),
        None => Some(&sentence.words.get(token.words.start as usize)?.misc),
    }
}

fn token_misc_mut(sentence: &mut Sentence, token: usize) -> Option<&mut Misc> {
    let token = sentence.tokens.get_mut(token)?;
    match token.form {
        Some(_) => Some(&mut token.misc),
        None => Some(&mut sentence.words.get_mut(token.words.start as usize)?.misc),
    }
}

/// Whether an item of MISC speaks of spacing.
pub(crate) fn is_spacing(item: &str) -> bool {
    item.split_once('=')
        .is_some_and(|(key, _)| KEYS.contains(&key))
}

/// Takes out the comments that the printer of located documents makes itself.
pub(crate) fn drop_made_comments(document_id: Option<&str>, sentence: &mut Sentence) {
    let Sentence {
        comments, opens, ..
    } = sentence;
    // The printer makes its own `newdoc` only where no comment is left that says it otherwise.
    let has_own = |line: &String| match comment_value(line, "newdoc id") {
        Some(name) => document_id != Some(name),
        None => comment_value(line, "newdoc").is_some() && document_id.is_some(),
    };
    let keeps_document = comments.iter().any(has_own);
    let keeps_paragraph = comments
        .iter()
        .any(|line| comment_value(line, "newpar id").is_some());
    let says = |line: &str, key: &str| comment_value(line, key).is_some();
    comments.retain(|line| {
        if says(line, "newdoc id") || says(line, "newdoc") {
            keeps_document || *opens != Opens::Document
        } else if says(line, "newpar") {
            keeps_paragraph || *opens == Opens::Nothing
        } else {
            !says(line, "sent_id") && !says(line, "text")
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::conllu;

    fn located(conllu: &str) -> Document {
        let mut document = conllu::parse(conllu, 1).unwrap();
        document.locate();
        document
    }

    const MISC: &str = "_\t_\t_\t_\t_\t_\t_\t";

    #[test]
    fn the_text_is_rebuilt_from_forms_and_spacing() {
        let document = located(&format!(
            "1\ta\t{MISC}SpacesBefore=\\n|SpacesAfter=\\s\\s\n2-3\tdon't\t{MISC}SpaceAfter=No\n2\tdo\t{MISC}_\n\
             3\tn't\t{MISC}_\n4\tb c\t{MISC}X=y|SpacesInToken=b\\tc\n5\t.\t{MISC}_\n\n"
        ));
        let text = document.text.unwrap();
        assert_eq!(text, "\na  don'tb\tc .");
        let tokens = &document.sentences[0].tokens;
        let spans: Vec<_> = tokens
            .iter()
            .map(|t| &text[t.span.start as usize..t.span.end as usize])
            .collect();
        assert_eq!(spans, ["a", "don't", "b\tc", "."]);
        assert_eq!(document.sentences[0].words[3].misc.0, ["X=y"]);
    }

    #[test]
    fn an_unsaid_gap_before_a_paragraph_is_an_empty_line() {
        let one = format!("1\ta\t{MISC}_\n\n");
        let document = located(&format!("{one}# newpar\n{one}{one}"));
        assert_eq!(document.text.as_deref(), Some("a\n\na a"));
    }

    #[test]
    fn the_first_token_range_says_where_a_document_starts() {
        let document = located(&format!("1\ta\t{MISC}SpacesBefore=\\s|TokenRange=8:9\n\n"));
        assert_eq!(document.start.chars, 7);
    }

    #[test]
    fn comments_that_the_printer_makes_go_and_the_others_stay() {
        let document = located(&format!(
            "# newdoc id = d\n# x = y\n# newpar id = p\n# sent_id = s\n# text = a\n1\ta\t{MISC}_\n\n"
        ));
        assert_eq!(
            document.sentences[0].comments,
            ["# x = y", "# newpar id = p"]
        );
        assert_eq!(document.id.as_deref(), Some("d"));
        assert_eq!(document.sentences[0].id.as_deref(), Some("s"));
    }

    #[test]
    fn a_second_newdoc_keeps_the_first() {
        let comments = "# newdoc id = d\n# newdoc\n# newpar\n# newpar id = p\n# sent_id =\n";
        let document = located(&format!("{comments}1\ta\t{MISC}_\n\n"));
        let kept: Vec<&str> = comments.lines().take(4).collect();
        assert_eq!(document.sentences[0].comments, kept);
    }

    #[test]
    fn escapes_are_read_back() {
        for text in [" \t\r\n|\\", "\\s", "a\\", "\u{a0}\0😀"] {
            let (mut escaped, mut back) = (String::new(), String::new());
            push_escaped(text, &mut escaped);
            push_unescaped(&escaped, &mut back);
            assert_eq!(back, text);
            assert!(!escaped.contains([' ', '|', '\n']));
        }
    }

    #[test]
    fn an_unknown_escape_stands_for_itself() {
        let mut out = String::new();
        push_unescaped("\\x\\", &mut out);
        assert_eq!(out, "\\x\\");
    }
}
