//! Random documents for property tests.

use super::document::{Document, Misc, Opens, Sentence, Token, Word};
use proptest::collection::vec;
use proptest::prelude::*;

/// A column of CoNLL-U that is not empty.
fn column() -> impl Strategy<Value = String> {
    prop_oneof![Just("_".to_string()), "[a-zA-Zé😀=|.\\\\]{1,30}"]
}

/// A sentence of CoNLL-U: words, ranges and empty nodes.
pub fn conllu_sentence() -> impl Strategy<Value = String> {
    let word = (
        vec(column(), 8),
        prop_oneof![
            Just("_".to_string()),
            (0u32..50).prop_map(|n| n.to_string())
        ],
        0u8..4,
        0u8..3,
    );
    (
        vec("# ?[a-z]{1,6}( = [a-zé ]{0,9}[a-z])?", 0..3),
        vec(word, 1..6),
    )
        .prop_map(|(comments, words)| {
            let mut out: String = comments.iter().map(|c| format!("{c}\n")).collect();
            let mut range_end = 0;
            let count = words.len();
            for (i, (c, head, kind, empty)) in words.iter().enumerate() {
                let id = i + 1;
                if *kind >= 2 && id > range_end && id < count {
                    range_end = (id + usize::from(*kind) - 1).min(count);
                    out += &format!(
                        "{id}-{range_end}\t{}\t_\t_\t_\t{}\t_\t_\t_\t{}\n",
                        c[0], c[4], c[7]
                    );
                }
                out += &format!(
                    "{id}\t{}\t{}\t{}\t{}\t{}\t{head}\t{}\t{}\t{}\n",
                    c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
                );
                for n in 1..=*empty {
                    out += &format!("{id}.{n}\t{}\t{}\t_\t_\t_\t_\t_\t_\t{}\n", c[0], c[1], c[7]);
                }
            }
            out + "\n"
        })
}

/// A located document over any text: its parts that are not white space are tokens, some of them of several words.
pub fn located() -> impl Strategy<Value = Document> {
    let text = prop_oneof![
        "\\PC{0,30}",
        "[a-c '.|\\\\\t\r\n\u{a0}\u{85}\u{0}é😀\u{301}]{0,60}",
    ];
    (
        text,
        vec(0u8..16, 40),
        vec("[a-zA-Z]{0,3}", 40),
        any::<bool>(),
    )
        .prop_map(|(text, choices, columns, is_named)| {
            let mut document = Document {
                id: is_named.then(|| "d 1".to_string()),
                ..Document::default()
            };
            let mut sentence = Sentence {
                opens: Opens::Document,
                ..Sentence::default()
            };
            let mut pieces: Vec<(usize, &str)> = Vec::new();
            let mut start = 0;
            for (i, c) in text.char_indices() {
                if c.is_whitespace() && choices[i % 40] != 3 {
                    pieces.push((start, &text[start..i]));
                    start = i + c.len_utf8();
                }
            }
            pieces.push((start, &text[start..]));
            pieces.retain(|(_, piece)| !piece.trim().is_empty());
            for (n, (start, piece)) in pieces.into_iter().enumerate() {
                let choice = choices[n % 40];
                let first = sentence.words.len() as u32;
                let mut word = Word::of(piece);
                word.upos = columns[n % 40].as_str().into();
                word.lemma = columns[(n + 1) % 40].as_str().into();
                if choice & 4 != 0 {
                    word.misc.set("Stem", "x");
                }
                if choice & 1 != 0 {
                    if choice & 2 != 0 {
                        word.misc.set("Value", &columns[n % 40]);
                    }
                    word.misc
                        .set("NER", if choice & 8 != 0 { "B-PER" } else { "I-LOC" });
                }
                if choice == 15 {
                    word.form = piece.to_lowercase().into();
                }
                sentence.words.push(word);
                let mut form = None;
                let mut misc = Misc::default();
                if choice & 3 == 2 {
                    sentence.words.push(Word::of("n't"));
                    form = Some(piece.into());
                    misc.set("Typo", "Yes");
                }
                sentence.tokens.push(Token {
                    span: start as u32..(start + piece.len()) as u32,
                    words: first..sentence.words.len() as u32,
                    form,
                    misc,
                    ..Token::default()
                });
                if choice == 9 || choice == 10 {
                    let opens = if choice == 9 {
                        Opens::Nothing
                    } else {
                        Opens::Paragraph
                    };
                    document.sentences.push(std::mem::take(&mut sentence));
                    sentence.opens = opens;
                }
            }
            if !sentence.tokens.is_empty() {
                document.sentences.push(sentence);
            }
            document.text = Some(text);
            document
        })
}
