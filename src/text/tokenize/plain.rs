//! Segmentation without a model: tokens by UAX #29, white space or a pattern, sentences by UAX #29; and the other units.

use super::pieces::{Ends, Piece, paragraphs};
use super::unicode;
use regex::Regex;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Appends the tokens that `tokens` finds in each paragraph, and marks where sentences end. A line end inside a
/// paragraph is a space, unless it breaks.
pub fn segment(
    text: &str,
    newline_breaks: bool,
    pieces: &mut Vec<Piece>,
    mut tokens: impl FnMut(&str, &mut dyn FnMut(Range<usize>)),
) {
    let mut unwrapped = String::new();
    for range in paragraphs(text, newline_breaks) {
        let paragraph = &text[range.clone()];
        let first = pieces.len();
        tokens(paragraph, &mut |token| {
            if !token.is_empty() {
                pieces.push(Piece {
                    start: (range.start + token.start) as u32,
                    end: (range.start + token.end) as u32,
                    multiword: None,
                    ends: Ends::Nothing,
                });
            }
        });
        let paragraph = match paragraph.contains('\n') {
            false => paragraph,
            true => {
                unwrapped.clear();
                let mut at = 0;
                for newline in memchr::memchr2_iter(b'\r', b'\n', paragraph.as_bytes()) {
                    unwrapped.push_str(&paragraph[at..newline]);
                    unwrapped.push(' ');
                    at = newline + 1;
                }
                unwrapped.push_str(&paragraph[at..]);
                &unwrapped
            }
        };
        mark_sentences(paragraph, range.start, &mut pieces[first..]);
    }
}

/// Marks the tokens of a paragraph, which begins at `start` in its text, that end a sentence. A boundary inside a token
/// counts behind it.
fn mark_sentences(paragraph: &str, start: usize, pieces: &mut [Piece]) {
    let Some(last) = pieces.last_mut() else {
        return;
    };
    last.ends = Ends::Paragraph;
    let mut end = start;
    for i in 1..pieces.len() {
        while end <= pieces[i - 1].start as usize && end < start + paragraph.len() {
            end = start + unicode::sentence_end(paragraph, end - start);
        }
        if end <= pieces[i].start as usize {
            pieces[i - 1].ends = Ends::Sentence;
        }
    }
}

/// Stretches without white space.
pub fn whitespace(text: &str, token: &mut dyn FnMut(Range<usize>)) {
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                token(from..at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        token(from..text.len());
    }
}

/// The matches of a pattern.
pub fn matches(pattern: &Regex, text: &str, token: &mut dyn FnMut(Range<usize>)) {
    for found in pattern.find_iter(text) {
        token(found.range());
    }
}

/// Each line that is not blank, as a sentence of one token, without the white space around it.
pub fn lines(text: &str, pieces: &mut Vec<Piece>) {
    for range in paragraphs(text, false) {
        let mut at = range.start;
        for line in text[range].split_inclusive('\n') {
            let start = at + line.len() - line.trim_start().len();
            pieces.push(Piece {
                start: start as u32,
                end: (start + line.trim().len()) as u32,
                multiword: None,
                ends: Ends::Sentence,
            });
            at += line.len();
        }
        if let Some(last) = pieces.last_mut() {
            last.ends = Ends::Paragraph;
        }
    }
}

/// Joins the tokens of each sentence into one.
pub fn join_sentences(pieces: &mut Vec<Piece>) {
    let mut start = None;
    pieces.retain_mut(|piece| {
        let from = *start.get_or_insert(piece.start);
        (piece.start, piece.multiword) = (from, None);
        let ends = piece.ends != Ends::Nothing;
        if ends {
            start = None;
        }
        ends
    });
}

/// Cuts each token into grapheme clusters, or into characters.
pub fn cut_tokens(text: &str, graphemes: bool, pieces: &mut Vec<Piece>) {
    for piece in std::mem::take(pieces) {
        let token = &text[piece.range()];
        let mut push = |at: usize, part: &str| {
            if part.chars().all(char::is_whitespace) {
                return;
            }
            let start = piece.start as usize + at;
            let end = start + part.len();
            pieces.push(Piece {
                start: start as u32,
                end: end as u32,
                multiword: None,
                ends: match end == piece.end as usize {
                    true => piece.ends,
                    false => Ends::Nothing,
                },
            });
        };
        if graphemes {
            token
                .grapheme_indices(true)
                .for_each(|(at, part)| push(at, part));
        } else {
            let mut buffer = [0; 4];
            token
                .char_indices()
                .for_each(|(at, c)| push(at, c.encode_utf8(&mut buffer)));
        }
    }
}
